package fanout

import (
	"strings"

	"github.com/gormtenancy/tenancy/internal/merge"
	"github.com/gormtenancy/tenancy/internal/sqltext"
	"github.com/gormtenancy/tenancy/sqlproof"
)

// aggregate is a call of one of the aggregate functions that can be merged.
type aggregate struct {
	span
	name     string // in lower case
	function merge.Func
	args     span // without DISTINCT
	node     *sqlproof.Expr
	distinct bool
}

// aggregateOf reads an expression that is one aggregate.
func (b *builder) aggregateOf(s span, e *sqlproof.Expr) (a aggregate, _ *Unmergeable) {
	t := b.text
	s = t.bare(s)
	if e != nil && e.Op != sqlproof.Call || e != nil && !e.Aggregate {
		if sum, ok := b.orZero(s, e); ok {
			return sum, nil
		}
	}
	if e == nil || e.Op != sqlproof.Call || !e.Aggregate || e.Schema != "" {
		return a, t.refuse(s.from, "an expression of aggregates", "select the aggregates, and compute it in Go")
	}
	a = aggregate{span: s, name: strings.ToLower(e.Name), node: e}
	open := s.from + 1
	end := t.closing(open, s)
	if !strings.EqualFold(t.dialect.Unquote(t.at(s.from)), e.Name) || end < 0 {
		return a, t.refuse(s.from, "an aggregate that is not understood", "write it in another way")
	}
	a.args = span{open + 1, end}
	if t.is(a.args.from, "distinct", "all") && a.args.to-a.args.from > 1 {
		a.distinct = t.is(a.args.from, "distinct")
		a.args.from++
	}
	if a.distinct != e.DistinctArgs {
		return a, t.refuse(s.from, "an aggregate that is not understood", "write it in another way")
	}
	filter := end+1 < s.to
	if filter && (!t.is(end+1, "filter") || t.closing(end+2, s) != s.to-1) {
		return a, t.refuse(end+1, "what stands behind an aggregate", "leave it out")
	}
	for i := a.args.from; i < a.args.to; i++ {
		if t.tokens[i].Depth == t.tokens[a.args.from].Depth && t.is(i, "order", "separator") && !t.has(i-1, sqltext.Dot) {
			return a, t.refuse(i, "an aggregate that sorts", "sort in Go")
		}
	}
	for _, arg := range e.Args {
		if aggregates(arg) || unknownCall(arg) != nil {
			return a, t.refuse(s.from, "an aggregate of what is not known to be computed row by row", "leave the function out")
		}
	}
	functions := map[string]merge.Func{"count": merge.Count, "sum": merge.Sum, "min": merge.Min, "max": merge.Max, "avg": merge.Avg}
	a.function = functions[a.name]
	if a.function == 0 {
		return a, t.refuse(s.from, "the aggregate "+a.name, "use COUNT, SUM, MIN, MAX or AVG, or compute it of the rows in Go")
	}
	if !a.distinct || a.function == merge.Min || a.function == merge.Max {
		return a, nil
	}
	a.function = map[merge.Func]merge.Func{merge.Count: merge.CountDistinct, merge.Sum: merge.SumDistinct, merge.Avg: merge.AvgDistinct}[a.function]
	a.args = t.bare(a.args)
	if filter || len(e.Args) != 1 || len(t.split(a.args)) != 1 || t.hasMarks(a.args) || !hasField(e.Args[0]) || t.contains(a.args, "select") {
		return a, t.refuse(s.from, "a DISTINCT aggregate of what is not one expression of columns, or with FILTER", "count the rows of a SELECT DISTINCT")
	}
	return a, nil
}

// orZero reads COALESCE(SUM(…), 0): it is a sum of sums as well.
func (b *builder) orZero(s span, e *sqlproof.Expr) (a aggregate, ok bool) {
	t := b.text
	end := t.closing(s.from+1, s)
	if !t.is(s.from, "coalesce", "ifnull") || end != s.to-1 || len(e.Args) != 2 {
		return a, false
	}
	parts := t.split(span{s.from + 2, end})
	if len(parts) != 2 || t.of(parts[1]) != "0" || e.Args[1] == nil || e.Args[1].Op != sqlproof.Numeric {
		return a, false
	}
	inner, u := b.aggregateOf(parts[0], e.Args[0])
	if u != nil || inner.distinct || inner.function != merge.Sum && inner.function != merge.Count || inner.from != t.bare(parts[0]).from {
		return a, false
	}
	inner.span = s
	b.zeroes = b.zeroes || inner.function == merge.Sum
	return inner, true
}

// natural is the name that the database gives a column without an alias.
func (b *builder) natural(it *item) string {
	switch {
	case it.alias != "":
		return it.alias
	case b.text.dialect == sqltext.Postgres:
		return it.node.Name
	default:
		return b.text.of(it.expr)
	}
}
