package mysql

import (
	"slices"
	"strconv"
	"strings"

	"github.com/sqlc-dev/marino/ast"
	"github.com/sqlc-dev/marino/opcode"

	"github.com/gormtenancy/tenancy/internal/sqltext"
	"github.com/gormtenancy/tenancy/sqlproof"
)

func (r *reader) exprs(es []ast.ExprNode, b *sqlproof.Block) []*sqlproof.Expr {
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
func (r *reader) expr(e ast.ExprNode, b *sqlproof.Block) *sqlproof.Expr {
	if e == nil {
		return nil
	}
	at := e.OriginTextPosition()
	if r.depth == deepestExpr {
		r.Unknown(at, "an expression that deep")
		return &sqlproof.Expr{}
	}
	r.depth++
	out := r.read(e, at, b)
	r.depth--
	return out
}

func (r *reader) read(e ast.ExprNode, at int, b *sqlproof.Block) *sqlproof.Expr {
	switch e := e.(type) {
	case *ast.ColumnNameExpr:
		return r.Field(at, e.Name.Schema.O, e.Name.Table.O, e.Name.Name.O)
	case *ast.ParamMarkerExprBase:
		return r.Argument(e.Offset)
	case *ast.ValueExprBase:
		return r.literal(e, at)
	case *ast.ParenthesesExpr:
		return r.expr(e.Expr, b)
	case *ast.BinaryOperationExpr:
		return r.binary(e, at, b)
	case *ast.UnaryOperationExpr:
		return &sqlproof.Expr{Op: operations(e.Op), At: at, Args: []*sqlproof.Expr{r.expr(e.V, b)}}
	case *ast.PatternInExpr:
		return r.in(e, at, b)
	case *ast.ExistsSubqueryExpr:
		out := r.subquery(e.Sel, sqlproof.Exists, at, b)
		if e.Not {
			return &sqlproof.Expr{Op: sqlproof.Not, At: at, Args: []*sqlproof.Expr{out}}
		}
		return out
	case *ast.SubqueryExpr:
		return r.subquery(e, sqlproof.Scalar, at, b)
	case *ast.CompareSubqueryExpr:
		return r.Opaque(at, r.expr(e.L, b), r.expr(e.R, b))
	case *ast.RowExpr:
		return &sqlproof.Expr{Op: sqlproof.Tuple, At: at, Args: r.exprs(e.Values, b)}
	case *ast.DefaultExpr:
		if e.Name == nil {
			return &sqlproof.Expr{Op: sqlproof.Default, At: at}
		}
		r.ClaimList(at)
		return r.Opaque(at)
	case *ast.PositionExpr:
		if e.P == nil {
			return &sqlproof.Expr{Op: sqlproof.Numeric, Value: strconv.Itoa(e.N)}
		}
	case *ast.IsNullExpr:
		return r.Opaque(at, r.expr(e.Expr, b))
	case *ast.IsTruthExpr:
		return r.Opaque(at, r.expr(e.Expr, b))
	case *ast.BetweenExpr:
		return r.Opaque(at, r.expr(e.Expr, b), r.expr(e.Left, b), r.expr(e.Right, b))
	case *ast.PatternLikeOrIlikeExpr:
		return r.Opaque(at, r.expr(e.Expr, b), r.expr(e.Pattern, b))
	case *ast.PatternRegexpExpr:
		return r.Opaque(at, r.expr(e.Expr, b), r.expr(e.Pattern, b))
	case *ast.SetCollationExpr:
		return r.Opaque(at, r.expr(e.Expr, b))
	case *ast.MatchAgainst:
		r.ClaimList(at)
		return r.Opaque(at, r.expr(e.Against, b))
	case *ast.CaseExpr:
		out := r.Opaque(at, r.expr(e.Value, b), r.expr(e.ElseClause, b))
		for _, w := range e.WhenClauses {
			out.Args = append(out.Args, r.expr(w.Expr, b), r.expr(w.Result, b))
		}
		return out
	case *ast.TimeUnitExpr, *ast.TrimDirectionExpr, *ast.GetFormatSelectorExpr:
		return r.Opaque(at)
	case ast.FuncNode:
		return r.function(e, at, b)
	case *ast.ValuesExpr:
		return r.Call(at, "", "VALUES", []*sqlproof.Expr{r.expr(e.Column, b)})
	}
	r.Unknown(at, "a part of the expression")
	return &sqlproof.Expr{}
}

// binary reads an operation, and a chain of the same one as one, for AND and OR can be long.
func (r *reader) binary(e *ast.BinaryOperationExpr, at int, b *sqlproof.Block) *sqlproof.Expr {
	chain := []*ast.BinaryOperationExpr{e}
	for e.Op == opcode.LogicAnd || e.Op == opcode.LogicOr {
		left, ok := e.L.(*ast.BinaryOperationExpr)
		if !ok || left.Op != e.Op {
			break
		}
		chain, e = append(chain, left), left
	}
	if len(chain) > longestChain {
		r.Unknown(at, "a condition that long")
		return &sqlproof.Expr{}
	}
	out := &sqlproof.Expr{Op: operations(e.Op), At: at, Args: make([]*sqlproof.Expr, 1, len(chain)+1)}
	out.Args[0] = r.expr(e.L, b)
	for _, link := range slices.Backward(chain) {
		out.Args = append(out.Args, r.expr(link.R, b))
	}
	return out
}

func operations(op opcode.Op) sqlproof.Op {
	switch op {
	case opcode.LogicAnd:
		return sqlproof.And
	case opcode.LogicOr:
		return sqlproof.Or
	case opcode.EQ:
		return sqlproof.Equal
	case opcode.Not, opcode.Not2:
		return sqlproof.Not
	}
	return sqlproof.Other
}

// literal reads a value. Those that compare in a way of their own, or whose text depends on a mode, are not told apart.
func (r *reader) literal(e *ast.ValueExprBase, at int) *sqlproof.Expr {
	out := &sqlproof.Expr{At: at}
	if e.Kind() == ast.KindNull {
		out.Op = sqlproof.Null
		return out
	}
	i := r.index(at)
	if i < 0 {
		return out
	}
	text := r.text(i)
	switch r.tokens[i].Kind {
	case sqltext.Literal:
		value := sqltext.MySQL.Unquote(text)
		if value == e.GetString() && text[0] == '\'' && !strings.HasSuffix(value, " ") && !strings.Contains(value, `\`) {
			out.Op, out.Value = sqlproof.Text, value
		}
	case sqltext.Number:
		if strings.Trim(text, "0123456789.") == "" {
			out.Op, out.Value = sqlproof.Numeric, text
		}
	}
	return out
}

func (r *reader) subquery(n ast.ExprNode, op sqlproof.Op, at int, b *sqlproof.Block) *sqlproof.Expr {
	q, ok := n.(*ast.SubqueryExpr)
	if !ok {
		r.Unknown(at, "a part of the expression")
		return &sqlproof.Expr{}
	}
	return &sqlproof.Expr{Op: op, At: at, Query: r.query(q, b, true)}
}

func (r *reader) in(e *ast.PatternInExpr, at int, b *sqlproof.Block) *sqlproof.Expr {
	x := r.expr(e.Expr, b)
	out := &sqlproof.Expr{Op: sqlproof.In, At: at, Args: append([]*sqlproof.Expr{x}, r.exprs(e.List, b)...)}
	if e.Sel != nil {
		out = r.subquery(e.Sel, sqlproof.InQuery, at, b)
		out.Args = []*sqlproof.Expr{x}
	}
	if e.Not {
		out.Op = sqlproof.Other
	}
	return out
}

// function reads what has the form of a call.
func (r *reader) function(e ast.FuncNode, at int, b *sqlproof.Block) *sqlproof.Expr {
	switch e := e.(type) {
	case *ast.FuncCallExpr:
		args := r.exprs(e.Args, b)
		if e.FnName.L == "if" && e.Schema.O == "" && len(args) == 3 {
			return &sqlproof.Expr{Op: sqlproof.Condition, At: at, Args: args}
		}
		return r.Call(at, e.Schema.O, e.FnName.O, args)
	case *ast.FuncCastExpr:
		return r.Opaque(at, r.expr(e.Expr, b))
	case *ast.AggregateFuncExpr:
		out := r.Call(at, "", e.F, r.exprs(e.Args, b))
		if e.Order != nil {
			for _, o := range r.order(e.Order.Items, b) {
				out.Args = append(out.Args, o.Expr)
			}
		}
		out.Aggregate, out.DistinctArgs = true, e.Distinct
		return out
	case *ast.WindowFuncExpr:
		out := r.Call(at, "", e.Name, r.exprs(e.Args, b))
		r.window(&e.Spec, b)
		out.Window, out.DistinctArgs = true, e.Distinct
		return out
	case *ast.JSONValueExpr:
		out := r.Call(at, "", "JSON_VALUE", []*sqlproof.Expr{r.expr(e.Doc, b), r.expr(e.Path, b)})
		out.Args = append(out.Args, r.responses(b, e.OnEmpty, e.OnError)...)
		return out
	}
	r.Unknown(at, "a function")
	return &sqlproof.Expr{}
}
