package postgres

import (
	"strconv"

	"github.com/sqlc-dev/oliphant/ast"

	"github.com/gormtenancy/tenancy/internal/sqltext"
	"github.com/gormtenancy/tenancy/sqlproof"
)

func (r *reader) exprs(list []*ast.Node, b *sqlproof.Block) []*sqlproof.Expr {
	if len(list) == 0 {
		return nil
	}
	out := make([]*sqlproof.Expr, len(list))
	for i, n := range list {
		out[i] = r.expr(n, b)
	}
	return out
}

// expr reads an expression of a block; nil is none. Those that bind nothing are read for the queries in them.
func (r *reader) expr(n *ast.Node, b *sqlproof.Block) *sqlproof.Expr {
	if n == nil {
		return nil
	}
	if !r.enter() {
		return &sqlproof.Expr{At: -1}
	}
	defer r.leave()
	switch e := n.Node.(type) {
	case *ast.Node_ColumnRef:
		return r.column(e.ColumnRef)
	case *ast.Node_ParamRef:
		return r.Argument(int(e.ParamRef.Location))
	case *ast.Node_AConst:
		return constant(e.AConst)
	case *ast.Node_TypeCast:
		return r.cast(e.TypeCast, b)
	case *ast.Node_AExpr:
		return r.operator(e.AExpr, b)
	case *ast.Node_BoolExpr:
		return r.boolean(e.BoolExpr, b)
	case *ast.Node_SubLink:
		return r.sublink(e.SubLink, b)
	case *ast.Node_FuncCall:
		return r.call(e.FuncCall, b)
	case *ast.Node_NullTest:
		return r.opaque(e.NullTest.Location, r.expr(e.NullTest.Arg, b))
	case *ast.Node_BooleanTest:
		return r.opaque(e.BooleanTest.Location, r.expr(e.BooleanTest.Arg, b))
	case *ast.Node_CaseExpr:
		return r.cases(e.CaseExpr, b)
	case *ast.Node_CoalesceExpr:
		return r.opaque(e.CoalesceExpr.Location, r.exprs(e.CoalesceExpr.Args, b)...)
	case *ast.Node_MinMaxExpr:
		return r.opaque(e.MinMaxExpr.Location, r.exprs(e.MinMaxExpr.Args, b)...)
	case *ast.Node_RowExpr:
		return begins(&sqlproof.Expr{Op: sqlproof.Tuple, At: int(e.RowExpr.Location), Args: r.exprs(e.RowExpr.Args, b)})
	case *ast.Node_AArrayExpr:
		return r.opaque(e.AArrayExpr.Location, r.exprs(e.AArrayExpr.Elements, b)...)
	case *ast.Node_AIndirection:
		arg := r.expr(e.AIndirection.Arg, b)
		return r.opaque(-1, append(r.subscripts(e.AIndirection.Indirection, b), arg)...)
	case *ast.Node_SetToDefault:
		return &sqlproof.Expr{Op: sqlproof.Default, At: int(e.SetToDefault.Location)}
	case *ast.Node_SqlvalueFunction:
		return r.opaque(e.SqlvalueFunction.Location)
	case *ast.Node_CollateClause:
		return r.opaque(e.CollateClause.Location, r.expr(e.CollateClause.Arg, b))
	case *ast.Node_GroupingFunc:
		return r.opaque(e.GroupingFunc.Location, r.exprs(e.GroupingFunc.Args, b)...)
	case *ast.Node_NamedArgExpr:
		r.Claim(int(e.NamedArgExpr.Location))
		return r.opaque(e.NamedArgExpr.Location, r.expr(e.NamedArgExpr.Arg, b))
	case *ast.Node_CurrentOfExpr:
		r.Unknown(-1, "WHERE CURRENT OF a cursor")
		return &sqlproof.Expr{At: -1}
	}
	return r.document(n, b)
}

// opaque makes an expression of which only the parts matter.
func (r *reader) opaque(location int32, parts ...*sqlproof.Expr) *sqlproof.Expr {
	return begins(r.Opaque(int(location), parts...))
}

// begins moves the offset of an expression to that of its first part: an operator has that of its sign.
func begins(e *sqlproof.Expr) *sqlproof.Expr {
	for _, a := range e.Args {
		if a.At >= 0 && (e.At < 0 || a.At < e.At) {
			e.At = a.At
		}
	}
	return e
}

// column reads a column, or t.* where it stands for a row.
func (r *reader) column(c *ast.ColumnRef) *sqlproof.Expr {
	at := int(c.Location)
	var names [3]string
	for i, n := range c.Fields {
		switch f := n.Node.(type) {
		case *ast.Node_String_:
			if i == len(names) {
				r.Unknown(at, "a column of a table of another database")
				return &sqlproof.Expr{At: at}
			}
			names[i] = f.String_.Sval
		case *ast.Node_AStar:
			r.Claim(at)
			return &sqlproof.Expr{At: at}
		default:
			r.Unknown(at, "a name")
		}
	}
	switch len(c.Fields) {
	case 1:
		return r.Field(at, "", "", names[0])
	case 2:
		r.projects(at, names[1])
		return r.Field(at, "", names[0], names[1])
	case 3:
		r.projects(at, names[2])
		return r.Field(at, names[0], names[1], names[2])
	}
	r.Unknown(at, "a name")
	return &sqlproof.Expr{At: at}
}

// projects looks at a name behind a dot: where a row has no such column, it is a function, called with the row.
func (r *reader) projects(at int, name string) {
	if name == "edit" || name == "eval" { // functions of other databases, and fit names for columns
		return
	}
	if why := sqltext.Reaches(name); why != "" {
		r.Fail(at, "the column "+name+" could be a function: "+why, "give the column another name, or run it with tenancy.WithoutTenant")
	}
}

// subscripts reads what stands behind a value or a column: .field, .* or [index].
func (r *reader) subscripts(list []*ast.Node, b *sqlproof.Block) []*sqlproof.Expr {
	var indices []*sqlproof.Expr
	for _, n := range list {
		switch i := n.GetNode().(type) {
		case *ast.Node_String_:
			r.projects(-1, i.String_.Sval)
		case *ast.Node_AIndices:
			indices = append(indices, r.expr(i.AIndices.Lidx, b), r.expr(i.AIndices.Uidx, b))
		case *ast.Node_AStar:
		default:
			r.Unknown(-1, "what stands behind a value")
		}
	}
	return indices
}

func constant(c *ast.A_Const) *sqlproof.Expr {
	out := &sqlproof.Expr{At: int(c.Location)}
	switch v := c.Val.(type) {
	case *ast.A_Const_Sval:
		out.Op, out.Value = sqlproof.Text, v.Sval.GetSval()
	case *ast.A_Const_Ival:
		out.Op, out.Value = sqlproof.Numeric, strconv.Itoa(int(v.Ival.GetIval()))
	case *ast.A_Const_Fval:
		out.Op, out.Value = sqlproof.Numeric, v.Fval.GetFval()
	case nil:
		if c.Isnull {
			out.Op = sqlproof.Null
		}
	}
	return out
}

// cast reads a cast. One that leaves a placeholder or a string what it is, or makes the database refuse it, does not count.
func (r *reader) cast(c *ast.TypeCast, b *sqlproof.Block) *sqlproof.Expr {
	arg := r.expr(c.Arg, b)
	r.typeName(c.TypeName, b)
	if (arg.Op == sqlproof.Argument || arg.Op == sqlproof.Text) && keeps(c.TypeName) {
		if at := int(c.Location); at >= 0 && at < arg.At {
			arg.At = at
		}
		return arg
	}
	return r.opaque(c.Location, arg)
}

// keeps tells whether a value of the type is what its text says: it is not cut, padded or rounded.
func keeps(t *ast.TypeName) bool {
	if t.Setof || t.PctType || len(t.Typmods) > 0 || len(t.ArrayBounds) > 0 || len(t.Names) == 0 || len(t.Names) > 2 {
		return false
	}
	if len(t.Names) == 2 && t.Names[0].GetString_().GetSval() != "pg_catalog" {
		return false
	}
	switch t.Names[len(t.Names)-1].GetString_().GetSval() {
	case "text", "varchar", "uuid", "int2", "int4", "int8":
		return true
	}
	return false
}

// typeName reads a type, of which the modifiers are expressions to the parser.
func (r *reader) typeName(t *ast.TypeName, b *sqlproof.Block) {
	if t == nil {
		return
	}
	r.Claim(int(t.Location)) // every table is a type too
	r.exprs(t.Typmods, b)
}

func (r *reader) operator(e *ast.A_Expr, b *sqlproof.Block) *sqlproof.Expr {
	left, right := r.expr(e.Lexpr, b), []*sqlproof.Expr(nil)
	if list, ok := e.Rexpr.GetNode().(*ast.Node_List); ok {
		right = r.exprs(list.List.Items, b)
	} else if e.Rexpr != nil {
		right = []*sqlproof.Expr{r.expr(e.Rexpr, b)}
	}
	op := sqlproof.Other
	switch e.Kind {
	case ast.A_Expr_Kind_AEXPR_OP:
		if equals(e.Name) && left != nil && len(right) == 1 {
			op = sqlproof.Equal
		}
	case ast.A_Expr_Kind_AEXPR_IN:
		if equals(e.Name) && left != nil {
			op = sqlproof.In
		}
	case ast.A_Expr_Kind_AEXPR_OP_ANY, ast.A_Expr_Kind_AEXPR_OP_ALL, ast.A_Expr_Kind_AEXPR_DISTINCT,
		ast.A_Expr_Kind_AEXPR_NOT_DISTINCT, ast.A_Expr_Kind_AEXPR_NULLIF, ast.A_Expr_Kind_AEXPR_LIKE,
		ast.A_Expr_Kind_AEXPR_ILIKE, ast.A_Expr_Kind_AEXPR_SIMILAR, ast.A_Expr_Kind_AEXPR_BETWEEN,
		ast.A_Expr_Kind_AEXPR_NOT_BETWEEN, ast.A_Expr_Kind_AEXPR_BETWEEN_SYM, ast.A_Expr_Kind_AEXPR_NOT_BETWEEN_SYM:
	default:
		r.Unknown(int(e.Location), "an operator")
	}
	out := &sqlproof.Expr{Op: op, At: int(e.Location), Args: right}
	if left != nil {
		out.Args = append([]*sqlproof.Expr{left}, right...)
	}
	return begins(out)
}

// equals tells whether an operator is PostgreSQL's own =.
func equals(name []*ast.Node) bool {
	switch len(name) {
	case 1:
		return name[0].GetString_().GetSval() == "="
	case 2:
		return name[0].GetString_().GetSval() == "pg_catalog" && name[1].GetString_().GetSval() == "="
	}
	return false
}

func (r *reader) boolean(e *ast.BoolExpr, b *sqlproof.Block) *sqlproof.Expr {
	out := &sqlproof.Expr{At: int(e.Location), Args: r.exprs(e.Args, b)}
	switch e.Boolop {
	case ast.BoolExprType_AND_EXPR:
		out.Op = sqlproof.And
	case ast.BoolExprType_OR_EXPR:
		out.Op = sqlproof.Or
	case ast.BoolExprType_NOT_EXPR:
		out.Op = sqlproof.Not
	default:
		r.Unknown(out.At, "an operator")
	}
	return begins(out)
}

func (r *reader) sublink(e *ast.SubLink, b *sqlproof.Block) *sqlproof.Expr {
	out := &sqlproof.Expr{At: int(e.Location)}
	if test := r.expr(e.Testexpr, b); test != nil {
		out.Args = []*sqlproof.Expr{test}
	}
	out.Query = r.subquery(e.Subselect, b, true)
	switch e.SubLinkType {
	case ast.SubLinkType_EXISTS_SUBLINK:
		out.Op = sqlproof.Exists
	case ast.SubLinkType_EXPR_SUBLINK:
		out.Op = sqlproof.Scalar
	case ast.SubLinkType_ANY_SUBLINK:
		if len(e.OperName) == 0 || equals(e.OperName) { // IN, or = ANY
			out.Op = sqlproof.InQuery
		}
	case ast.SubLinkType_ALL_SUBLINK, ast.SubLinkType_ARRAY_SUBLINK:
	default:
		r.Unknown(out.At, "a subquery")
	}
	return begins(out)
}

func (r *reader) cases(e *ast.CaseExpr, b *sqlproof.Block) *sqlproof.Expr {
	out := r.opaque(e.Location, r.expr(e.Arg, b))
	for _, n := range e.Args {
		w := n.GetCaseWhen()
		if w == nil {
			r.Unknown(out.At, "a part of CASE")
			return out
		}
		out.Args = append(out.Args, r.expr(w.Expr, b), r.expr(w.Result, b))
	}
	if e.Defresult != nil {
		out.Args = append(out.Args, r.expr(e.Defresult, b))
	}
	return begins(out)
}
