package postgres

import (
	"github.com/sqlc-dev/oliphant/ast"

	"github.com/gormtenancy/tenancy/sqlproof"
)

// document reads the expressions of XML and JSON that have a syntax of their own. They make their result of what they are
// given and read nothing else.
func (r *reader) document(n *ast.Node, b *sqlproof.Block) *sqlproof.Expr {
	switch e := n.Node.(type) {
	case *ast.Node_XmlExpr:
		return r.opaque(e.XmlExpr.Location, append(r.labelled(e.XmlExpr.NamedArgs, b), r.exprs(e.XmlExpr.Args, b)...)...)
	case *ast.Node_XmlSerialize:
		r.typeName(e.XmlSerialize.TypeName, b)
		return r.opaque(e.XmlSerialize.Location, r.expr(e.XmlSerialize.Expr, b))
	case *ast.Node_JsonParseExpr:
		r.output(e.JsonParseExpr.Output, b)
		return r.opaque(e.JsonParseExpr.Location, r.jsonValue(e.JsonParseExpr.Expr, b))
	case *ast.Node_JsonScalarExpr:
		r.output(e.JsonScalarExpr.Output, b)
		return r.opaque(e.JsonScalarExpr.Location, r.expr(e.JsonScalarExpr.Expr, b))
	case *ast.Node_JsonSerializeExpr:
		r.output(e.JsonSerializeExpr.Output, b)
		return r.opaque(e.JsonSerializeExpr.Location, r.jsonValue(e.JsonSerializeExpr.Expr, b))
	case *ast.Node_JsonFuncExpr:
		f := e.JsonFuncExpr
		r.output(f.Output, b)
		return r.opaque(f.Location, append(r.exprs(f.Passing, b),
			r.jsonValue(f.ContextItem, b), r.expr(f.Pathspec, b), r.behavior(f.OnEmpty, b), r.behavior(f.OnError, b))...)
	case *ast.Node_JsonObjectConstructor:
		r.output(e.JsonObjectConstructor.Output, b)
		return r.opaque(e.JsonObjectConstructor.Location, r.exprs(e.JsonObjectConstructor.Exprs, b)...)
	case *ast.Node_JsonArrayConstructor:
		r.output(e.JsonArrayConstructor.Output, b)
		return r.opaque(e.JsonArrayConstructor.Location, r.exprs(e.JsonArrayConstructor.Exprs, b)...)
	case *ast.Node_JsonArrayQueryConstructor:
		r.output(e.JsonArrayQueryConstructor.Output, b)
		return &sqlproof.Expr{
			At:    int(e.JsonArrayQueryConstructor.Location),
			Query: r.subquery(e.JsonArrayQueryConstructor.Query, b, true),
		}
	case *ast.Node_JsonObjectAgg:
		return r.jsonAggregate("json_objectagg", e.JsonObjectAgg.Constructor, r.jsonPair(e.JsonObjectAgg.Arg, b), b)
	case *ast.Node_JsonArrayAgg:
		return r.jsonAggregate("json_arrayagg", e.JsonArrayAgg.Constructor, r.jsonValue(e.JsonArrayAgg.Arg, b), b)
	case *ast.Node_JsonIsPredicate:
		return r.opaque(e.JsonIsPredicate.Location, r.expr(e.JsonIsPredicate.Expr, b))
	case *ast.Node_JsonValueExpr:
		return r.jsonValue(e.JsonValueExpr, b)
	case *ast.Node_JsonKeyValue:
		return r.jsonPair(e.JsonKeyValue, b)
	case *ast.Node_JsonArgument:
		return r.jsonValue(e.JsonArgument.Val, b)
	}
	r.Unknown(-1, "a part of an expression")
	return &sqlproof.Expr{At: -1}
}

// labelled reads values that have names, as in XMLFOREST (a AS b).
func (r *reader) labelled(list []*ast.Node, b *sqlproof.Block) []*sqlproof.Expr {
	var values []*sqlproof.Expr
	for _, n := range list {
		t := n.GetResTarget()
		if t == nil {
			r.Unknown(-1, "a value with a name")
			return values
		}
		values = append(values, r.expr(t.Val, b))
	}
	return values
}

// jsonValue reads a value and its FORMAT. What has FORMAT is not the value itself any more.
func (r *reader) jsonValue(v *ast.JsonValueExpr, b *sqlproof.Block) *sqlproof.Expr {
	if v == nil {
		return nil
	}
	return r.opaque(-1, r.expr(v.RawExpr, b), r.expr(v.FormattedExpr, b))
}

func (r *reader) jsonPair(p *ast.JsonKeyValue, b *sqlproof.Block) *sqlproof.Expr {
	if p == nil {
		return nil
	}
	return r.opaque(-1, r.expr(p.Key, b), r.jsonValue(p.Value, b))
}

func (r *reader) jsonAggregate(name string, c *ast.JsonAggConstructor, arg *sqlproof.Expr, b *sqlproof.Block) *sqlproof.Expr {
	if c == nil || arg == nil {
		r.Unknown(-1, "an aggregate of JSON")
		return &sqlproof.Expr{At: -1}
	}
	r.output(c.Output, b)
	out := r.Call(int(c.Location), "", name, []*sqlproof.Expr{arg})
	for _, o := range r.order(c.AggOrder, b) {
		out.Args = append(out.Args, o.Expr)
	}
	if filter := r.expr(c.AggFilter, b); filter != nil {
		out.Args = append(out.Args, filter)
	}
	r.window(c.Over, b)
	out.Window, out.Aggregate = c.Over != nil, c.Over == nil
	return begins(out)
}

// output reads RETURNING of a JSON expression, which is a type.
func (r *reader) output(o *ast.JsonOutput, b *sqlproof.Block) {
	if o != nil {
		r.typeName(o.TypeName, b)
	}
}

// behavior reads ON EMPTY and ON ERROR.
func (r *reader) behavior(v *ast.JsonBehavior, b *sqlproof.Block) *sqlproof.Expr {
	if v == nil {
		return nil
	}
	return r.expr(v.Expr, b)
}
