package postgres

import (
	"strings"

	"github.com/sqlc-dev/oliphant/ast"

	"github.com/gormtenancy/tenancy/sqlproof"
)

// function returns the name of a function; its schema is "" if it is PostgreSQL's own.
func (r *reader) function(f *ast.FuncCall) (schema, name string) {
	switch len(f.Funcname) {
	case 1:
		return "", f.Funcname[0].GetString_().GetSval()
	case 2:
		if schema = f.Funcname[0].GetString_().GetSval(); schema == "pg_catalog" {
			schema = ""
		}
		return schema, f.Funcname[1].GetString_().GetSval()
	}
	r.Unknown(int(f.Location), "a function of another database")
	return "", ""
}

func (r *reader) call(f *ast.FuncCall, b *sqlproof.Block) *sqlproof.Expr {
	schema, name := r.function(f)
	out := r.Call(int(f.Location), schema, name, r.exprs(f.Args, b))
	for _, o := range r.order(f.AggOrder, b) {
		out.Args = append(out.Args, o.Expr)
	}
	if filter := r.expr(f.AggFilter, b); filter != nil {
		out.Args = append(out.Args, filter)
	}
	r.window(f.Over, b)
	out.Window = f.Over != nil
	out.DistinctArgs = f.AggDistinct
	out.Aggregate = !out.Window && schema == "" &&
		(f.AggStar || f.AggDistinct || f.AggWithinGroup || len(f.AggOrder) > 0 || f.AggFilter != nil || aggregates(name))
	return begins(out)
}

// aggregates tells whether a function is one of PostgreSQL's aggregates, of those that need no WITHIN GROUP. The tree does
// not tell them from others.
func aggregates(name string) bool {
	switch name {
	case "count", "sum", "avg", "min", "max", "any_value", "array_agg", "string_agg", "xmlagg",
		"json_agg", "jsonb_agg", "json_object_agg", "jsonb_object_agg", "json_agg_strict", "jsonb_agg_strict",
		"json_object_agg_strict", "jsonb_object_agg_strict", "json_object_agg_unique", "jsonb_object_agg_unique",
		"json_object_agg_unique_strict", "jsonb_object_agg_unique_strict",
		"bool_and", "bool_or", "every", "bit_and", "bit_or", "bit_xor", "range_agg", "range_intersect_agg",
		"stddev", "stddev_pop", "stddev_samp", "variance", "var_pop", "var_samp", "corr", "covar_pop", "covar_samp":
		return true
	}
	return strings.HasPrefix(name, "regr_")
}

// window reads what stands behind OVER, or one of the windows of WINDOW.
func (r *reader) window(w *ast.WindowDef, b *sqlproof.Block) {
	if w == nil {
		return
	}
	b.Windows = true
	r.Claim(int(w.Location))
	r.exprs(w.PartitionClause, b)
	r.order(w.OrderClause, b)
	r.expr(w.StartOffset, b)
	r.expr(w.EndOffset, b)
}
