package sqlite

import (
	"strings"

	"github.com/sqlc-dev/meyer/ast"

	"github.com/gormtenancy/tenancy/sqlproof"
)

func (r reader) exprs(es []ast.Expr, b *sqlproof.Block) []*sqlproof.Expr {
	if len(es) == 0 {
		return nil
	}
	out := make([]*sqlproof.Expr, len(es))
	for i, e := range es {
		out[i] = r.expr(e, b)
	}
	return out
}

// expr reads an expression of a block; nil is none. Those that bind nothing are read for the queries in them.
func (r reader) expr(e ast.Expr, b *sqlproof.Block) *sqlproof.Expr {
	switch e := e.(type) {
	case nil:
		return nil
	case *ast.Ident:
		return r.Field(e.Start, "", "", e.Name)
	case *ast.QualifiedRef:
		if len(e.Parts) == 3 {
			return r.Field(e.Start, e.Parts[0].Name, e.Parts[1].Name, e.Parts[2].Name)
		}
		return r.Field(e.Start, "", e.Parts[0].Name, e.Parts[1].Name)
	case *ast.BindParam:
		return r.Argument(e.Start)
	case *ast.Literal:
		return literal(e)
	case *ast.ParenExpr:
		return r.expr(e.X, b)
	case *ast.BinaryExpr:
		op := sqlproof.Other
		switch e.Op {
		case ast.OpAnd:
			op = sqlproof.And
		case ast.OpOr:
			op = sqlproof.Or
		case ast.OpEq:
			op = sqlproof.Equal
		}
		return &sqlproof.Expr{Op: op, At: e.Start, Args: []*sqlproof.Expr{r.expr(e.X, b), r.expr(e.Y, b)}}
	case *ast.UnaryExpr:
		op := sqlproof.Other
		if e.Op == ast.OpNot {
			op = sqlproof.Not
		}
		return &sqlproof.Expr{Op: op, At: e.Start, Args: []*sqlproof.Expr{r.expr(e.X, b)}}
	case *ast.InExpr:
		return r.in(e, b)
	case *ast.ExistsExpr:
		return &sqlproof.Expr{Op: sqlproof.Exists, At: e.Start, Query: r.query(e.Select, b, true)}
	case *ast.SubqueryExpr:
		return &sqlproof.Expr{Op: sqlproof.Scalar, At: e.Start, Query: r.query(e.Select, b, true)}
	case *ast.VectorExpr:
		return &sqlproof.Expr{Op: sqlproof.Tuple, At: e.Start, Args: r.exprs(e.List, b)}
	case *ast.FuncCall:
		return r.call(e, b)
	case *ast.LikeExpr:
		return r.Opaque(e.Start, r.expr(e.X, b), r.expr(e.Y, b), r.expr(e.Escape, b))
	case *ast.IsExpr:
		return r.Opaque(e.Start, r.expr(e.X, b), r.expr(e.Y, b))
	case *ast.NullCheckExpr:
		return r.Opaque(e.Start, r.expr(e.X, b))
	case *ast.BetweenExpr:
		return r.Opaque(e.Start, r.expr(e.X, b), r.expr(e.Lo, b), r.expr(e.Hi, b))
	case *ast.CaseExpr:
		out := r.Opaque(e.Start, r.expr(e.Operand, b), r.expr(e.Else, b))
		for _, w := range e.Whens {
			out.Args = append(out.Args, r.expr(w.When, b), r.expr(w.Then, b))
		}
		return out
	case *ast.CastExpr:
		return r.Opaque(e.Start, r.expr(e.X, b))
	case *ast.CollateExpr:
		r.Claim(e.Name.Start)
		return r.Opaque(e.Start, r.expr(e.X, b))
	}
	r.Unknown(e.Pos(), "a part of the expression")
	return &sqlproof.Expr{}
}

func literal(e *ast.Literal) *sqlproof.Expr {
	out := &sqlproof.Expr{At: e.Start, Value: e.Value}
	switch e.Kind {
	case ast.LitString:
		out.Op = sqlproof.Text
	case ast.LitInteger:
		out.Op = sqlproof.Numeric
	case ast.LitNull:
		out.Op = sqlproof.Null
	}
	return out
}

func (r reader) in(e *ast.InExpr, b *sqlproof.Block) *sqlproof.Expr {
	x := r.expr(e.X, b)
	switch {
	case e.Table != nil && e.Table.Schema == nil && !e.HasArgs && r.Defines(e.Table.Name.Name):
		r.Claim(e.Table.Start)
		return r.Opaque(e.Start, x)
	case e.Table != nil:
		r.Fail(e.Table.Start, "IN with the name of a table", "write IN (SELECT column FROM "+e.Table.Name.Name+")")
		return x
	case e.Select != nil:
		q := r.query(e.Select, b, true)
		if e.Not {
			return &sqlproof.Expr{At: e.Start, Args: []*sqlproof.Expr{x}, Query: q}
		}
		return &sqlproof.Expr{Op: sqlproof.InQuery, At: e.Start, Args: []*sqlproof.Expr{x}, Query: q}
	}
	out := &sqlproof.Expr{Op: sqlproof.In, At: e.Start, Args: append([]*sqlproof.Expr{x}, r.exprs(e.List, b)...)}
	if e.Not {
		out.Op = sqlproof.Other
	}
	return out
}

func (r reader) call(e *ast.FuncCall, b *sqlproof.Block) *sqlproof.Expr {
	out := r.Call(e.Start, "", e.Name.Name, r.exprs(e.Args, b))
	for _, o := range r.order(e.OrderBy, b) {
		out.Args = append(out.Args, o.Expr)
	}
	if filter := r.expr(e.Filter, b); filter != nil {
		out.Args = append(out.Args, filter)
	}
	r.window(e.Over, b)
	out.Window = e.Over != nil
	out.DistinctArgs = e.Distinct
	out.Aggregate = !out.Window && aggregates(e)
	return out
}

// aggregates tells whether a call is one of SQLite's aggregate functions; min and max of several values are none.
func aggregates(e *ast.FuncCall) bool {
	switch strings.ToLower(e.Name.Name) {
	case "min", "max":
		return len(e.Args) == 1
	case "count", "sum", "avg", "total", "group_concat", "string_agg", "median", "percentile", "percentile_cont", "percentile_disc",
		"json_group_array", "json_group_object", "jsonb_group_array", "jsonb_group_object":
		return true
	}
	return false
}
