package fanout

import (
	"slices"

	"github.com/gormtenancy/tenancy/sqlproof"
)

// shape is what is expected of the text for placements.
type shape struct {
	items, groups, order int
	distinct, limit      bool
}

// reread reads the text for placements and refuses it unless it has the shape that was meant, and the old sources and
// conditions.
func (b *builder) reread(a sqlproof.Analyzer, before *sqlproof.Statement) *Unmergeable {
	now, err := a.Analyze(b.plan.sql)
	if err != nil || !b.as(before, now) {
		return b.text.refuse(-1, "the text for one shard could not be made: it would mean something else", "write it in another way")
	}
	return nil
}

func (b *builder) as(before, now *sqlproof.Statement) bool {
	m, w := now.Main, b.expected
	switch {
	case now.Kind != sqlproof.Select, m.Kind != sqlproof.Select, now.Writes != before.Writes:
		return false
	case len(m.Items) != w.items, len(m.GroupBy) != w.groups, len(m.OrderBy) != w.order, m.Distinct != w.distinct:
		return false
	case (m.Limit != nil) != w.limit, m.Offset != nil, m.Having != nil, m.Windows, m.Groups, len(now.Marks) != 0 && len(b.plan.args) == 0:
		return false
	case len(m.Sources) != len(before.Main.Sources):
		return false
	}
	for _, mark := range now.Marks {
		if mark.Argument >= len(b.plan.args) {
			return false
		}
	}
	return b.sameJoin(before.Main.From, m.From) && b.sameExpr(before.Main.Where, m.Where)
}

func (b *builder) sameJoin(x, y *sqlproof.Join) bool {
	if x == nil || y == nil {
		return x == y
	}
	if x.Kind == sqlproof.Leaf {
		return y.Kind == sqlproof.Leaf && b.sameSource(x.Source, y.Source)
	}
	return x.Kind == y.Kind && x.Natural == y.Natural && x.Alias == y.Alias && x.Merged == y.Merged && slices.Equal(x.Using, y.Using) &&
		b.sameJoin(x.Left, y.Left) && b.sameJoin(x.Right, y.Right) && b.sameExpr(x.On, y.On)
}

func (b *builder) sameSource(x, y *sqlproof.Source) bool {
	return x.Kind == y.Kind && x.Schema == y.Schema && x.Name == y.Name && x.Alias == y.Alias && x.Fixed == y.Fixed && b.sameBlock(x.Query, y.Query)
}

// sameBlock compares queries in the statement, which are copied as they are.
func (b *builder) sameBlock(x, y *sqlproof.Block) bool {
	if x == nil || y == nil {
		return x == y
	}
	if x.Kind != y.Kind || len(x.Items) != len(y.Items) || x.Distinct != y.Distinct || len(x.GroupBy) != len(y.GroupBy) || len(x.OrderBy) != len(y.OrderBy) ||
		len(x.Arms) != len(y.Arms) || !b.sameExpr(x.Limit, y.Limit) || !b.sameExpr(x.Offset, y.Offset) || !b.sameExpr(x.Having, y.Having) {
		return false
	}
	for i := range x.Items {
		if x.Items[i].Star != y.Items[i].Star || x.Items[i].Alias != y.Items[i].Alias || !b.sameExpr(x.Items[i].Expr, y.Items[i].Expr) {
			return false
		}
	}
	for i := range x.Arms {
		if !b.sameBlock(x.Arms[i], y.Arms[i]) {
			return false
		}
	}
	return b.sameJoin(x.From, y.From) && b.sameExpr(x.Where, y.Where)
}

// sameExpr compares expressions. Arguments are compared by which of the original they are.
func (b *builder) sameExpr(x, y *sqlproof.Expr) bool {
	if x == nil || y == nil {
		return x == y
	}
	if x.Op == sqlproof.Argument {
		return y.Op == sqlproof.Argument && y.Number < len(b.plan.args) && b.plan.args[y.Number] == x.Number
	}
	if x.Op != y.Op || x.Schema != y.Schema || x.Qualifier != y.Qualifier || x.Name != y.Name || x.Value != y.Value ||
		x.Aggregate != y.Aggregate || x.Window != y.Window || x.DistinctArgs != y.DistinctArgs || len(x.Args) != len(y.Args) {
		return false
	}
	for i := range x.Args {
		if !b.sameExpr(x.Args[i], y.Args[i]) {
			return false
		}
	}
	return b.sameBlock(x.Query, y.Query)
}
