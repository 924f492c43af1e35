package fanout

import (
	"github.com/gormtenancy/tenancy/internal/merge"
	"github.com/gormtenancy/tenancy/internal/sqltext"
	"github.com/gormtenancy/tenancy/sqlproof"
)

// column is one that a placement gives of its groups.
type column struct {
	write   func(w *writer)
	compare comparing
}

// groups makes the plan of a statement that gives groups.
func (b *builder) groups() *Unmergeable {
	t, c := b.text, b.clauses
	switch {
	case b.stars:
		return t.refuse(c.list.from, "* beside groups", "name the columns")
	case !c.lock.empty():
		return t.refuse(c.lock.from, "a lock on groups", "leave it out")
	}
	b.keys, b.forms, b.unseen = map[int]bool{}, map[string]int{}, map[string]int{}
	b.shards, b.results = make([]column, len(b.items)), make([]merge.Result, len(b.items))
	if u := b.groupKeys(); u != nil {
		return u
	}
	for i := range b.items {
		if u := b.groupItem(i); u != nil {
			return u
		}
	}
	if u := b.groupOrder(); u != nil {
		return u
	}
	if !c.having.empty() {
		h := having{builder: b, at: c.having.from, end: c.having.to}
		var u *Unmergeable
		if b.plan.having, u = h.read(); u != nil {
			return u
		}
	}
	if b.zeroes && len(b.extra) > 0 && c.groupBy.empty() { // grouped by them, no rows are no group
		return t.refuse(c.list.from, "COALESCE(SUM(…), 0) beside a DISTINCT aggregate", "leave COALESCE out, and take NULL for 0 in Go")
	}
	d := &b.plan.description
	d.Distinct, d.Visible = b.main.Distinct, len(b.items)
	if d.Distinct && len(b.results) > len(b.items) {
		return t.refuse(c.distinct, "SELECT DISTINCT of groups that are sorted or chosen by what is not selected", "leave DISTINCT out")
	}
	d.Groups = &merge.Groups{Results: b.results}
	for i := range b.shards {
		b.plan.compares = append(b.plan.compares, b.shards[i].compare)
		if b.keys[i] {
			d.Groups.Keys = append(d.Groups.Keys, i)
		}
	}
	b.writeGroups()
	return nil
}

// writeGroups writes what placements are asked.
func (b *builder) writeGroups() {
	c, w := b.clauses, b.writer
	begin := c.list.from
	if c.distinct >= 0 {
		begin = c.distinct
	}
	w.copy(span{0, begin})
	for i := range b.shards {
		if i > 0 {
			w.b.WriteByte(',')
		}
		b.shards[i].write(w)
	}
	w.copy(c.from)
	w.copy(c.groupBy)
	for i, s := range b.extra {
		switch {
		case i > 0 || !c.groupBy.empty():
			w.b.WriteByte(',')
		default:
			w.write("GROUP BY")
		}
		w.copy(s)
	}
	b.expected = shape{items: len(b.shards), groups: len(c.group) + len(b.extra)}
}

// add adds a column to those of the placements.
func (b *builder) add(s span, compare comparing) int {
	b.shards = append(b.shards, column{func(w *writer) { w.copy(s) }, compare})
	return len(b.shards) - 1
}

// groupKeys finds for each key of GROUP BY the item that it is, or adds a column.
func (b *builder) groupKeys() *Unmergeable {
	t := b.text
	for i, s := range b.clauses.group {
		e := b.main.GroupBy[i]
		if t.is(s.from, "all", "distinct") || t.is(s.to-1, "asc", "desc") {
			return t.refuse(s.from, "a modifier of GROUP BY", "leave it out")
		}
		at, u := b.groupKey(s)
		if u != nil {
			return u
		}
		expr, node := s, e
		if at >= 0 {
			expr, node = b.items[at].expr, b.items[at].node
		}
		if !hasField(node) || aggregates(node) {
			return t.refuse(s.from, "GROUP BY what is of no column", "leave it out")
		}
		if u := b.isRowwise(expr, node); u != nil {
			return u
		}
		compare, u := b.comparingOf(expr, node)
		if u != nil {
			return u
		}
		if at >= 0 {
			b.shards[at].compare = compare
		} else {
			if t.hasMarks(s) && t.dialect != sqltext.Postgres {
				return t.refuse(s.from, "GROUP BY an expression with placeholders that is not selected", "select it with an alias, and group by that")
			}
			at = b.add(t.bare(s), compare)
			b.unseen[t.form(s)] = at
		}
		b.keys[at] = true
	}
	return nil
}

// groupKey returns the item that a key of GROUP BY is; -1 if it is none. A bare name is first that of a column.
func (b *builder) groupKey(s span) (int, *Unmergeable) {
	t := b.text
	if i, is, u := b.ordinal(s); is {
		return i, u
	}
	form := t.form(s)
	found := -1
	if form != "" {
		for i := range b.items {
			if b.items[i].form == form {
				found = i
			}
		}
	}
	name, ok := t.name(t.bare(s))
	if !ok {
		return found, nil
	}
	for i := range b.items {
		it := &b.items[i]
		if it.alias == "" || !t.same(it.alias, name) || it.form == form {
			continue
		}
		if found >= 0 {
			return -1, t.refuse(s.from, "GROUP BY a name that is a column's and an alias's", "give the alias another name")
		}
		if u := b.isNoColumn(name, s.from); u != nil {
			return -1, u
		}
		found = i
	}
	return found, nil
}

// groupItem makes the result of an item.
func (b *builder) groupItem(i int) *Unmergeable {
	it := &b.items[i]
	b.shards[i].write = func(w *writer) { w.copy(it.span) }
	if b.keys[i] {
		b.results[i] = merge.Result{Func: merge.Key, Column: i}
		b.know(it.form, i)
		return nil
	}
	if !aggregates(it.node) {
		for k := range b.items { // the same key once more
			if b.keys[k] && it.form != "" && b.items[k].form == it.form {
				b.shards[i].compare, b.keys[i] = b.shards[k].compare, true
				b.results[i] = merge.Result{Func: merge.Key, Column: i}
				return nil
			}
		}
		return b.text.refuse(it.from, "a column that is neither a key of GROUP BY nor an aggregate", "add it to GROUP BY, or leave it out")
	}
	a, u := b.aggregateOf(it.expr, it.node)
	if u != nil {
		return u
	}
	r, u := b.asked(&a, i)
	if u != nil {
		return u
	}
	if r.Func == merge.Avg || r.Func >= merge.CountDistinct {
		r.Name = b.natural(it)
	}
	b.results[i] = r
	b.know(it.form, i)
	return nil
}

// know remembers which result an expression is.
func (b *builder) know(form string, result int) {
	if _, ok := b.forms[form]; !ok && form != "" {
		b.forms[form] = result
	}
}

// asked has placements asked for an aggregate, in one of their columns.
func (b *builder) asked(a *aggregate, at int) (merge.Result, *Unmergeable) {
	r := merge.Result{Func: a.function, Column: at}
	switch a.function {
	case merge.Avg:
		rest := span{a.from + 1, a.to}
		b.shards[at].write = func(w *writer) { w.write("sum"); w.copyTight(rest) }
		r.Count = len(b.shards)
		b.shards = append(b.shards, column{write: func(w *writer) { w.write("count"); w.copyTight(rest) }})
	case merge.Min, merge.Max, merge.CountDistinct, merge.SumDistinct, merge.AvgDistinct:
		var u *Unmergeable
		if b.shards[at].compare, u = b.comparingOf(a.args, a.node.Args[0]); u != nil {
			return r, u
		}
		if a.function >= merge.CountDistinct {
			args := a.args
			b.shards[at].write = func(w *writer) { w.copy(args) }
			b.extra = append(b.extra, args)
		}
	}
	return r, nil
}

// result returns the result that an expression is, which is added if it is an aggregate or a key; -1 if it is neither.
func (b *builder) result(s span, e *sqlproof.Expr) (int, *Unmergeable) {
	form := b.text.form(s)
	if i, ok := b.forms[form]; ok && form != "" {
		return i, nil
	}
	if aggregates(e) {
		a, u := b.aggregateOf(s, e)
		if u != nil {
			return -1, u
		}
		b.shards = append(b.shards, column{write: func(w *writer) { w.copy(a.span) }})
		r, u := b.asked(&a, len(b.shards)-1)
		if u != nil {
			return -1, u
		}
		b.results = append(b.results, r)
		b.know(form, len(b.results)-1)
		return len(b.results) - 1, nil
	}
	for _, g := range b.clauses.group {
		if form != "" && b.text.form(g) == form {
			at, u := b.groupKey(g)
			if u != nil {
				return -1, u
			}
			if at >= 0 {
				return at, nil
			}
			return b.keyResult(b.unseen[form], form), nil
		}
	}
	return -1, nil
}

// keyResult adds a result that is a key.
func (b *builder) keyResult(at int, form string) int {
	b.results = append(b.results, merge.Result{Func: merge.Key, Column: at})
	b.know(form, len(b.results)-1)
	return len(b.results) - 1
}

// groupOrder finds the results that the groups are sorted by.
func (b *builder) groupOrder() *Unmergeable {
	t := b.text
	for i, s := range b.clauses.order {
		k, u := b.sortKeyOf(s, b.main.OrderBy[i])
		if u != nil {
			return u
		}
		var at int
		if k.collate {
			at, u = b.collated(&k)
		} else if at, u = b.selected(&k); u == nil && at < 0 {
			at, u = b.result(k.expr, k.node)
		}
		if u != nil {
			return u
		}
		if at < 0 {
			return t.refuse(s.from, "groups sorted by what is neither a key of GROUP BY nor an aggregate", "add it to GROUP BY, or select it with an alias and sort by that")
		}
		k.Column = at
		b.plan.description.Order = append(b.plan.description.Order, k.Sort)
	}
	return nil
}

// collated adds the key that is sorted by with a collation of its own.
func (b *builder) collated(k *sortKey) (int, *Unmergeable) {
	inner := sortKey{expr: span{k.expr.from, k.expr.to - 2}}
	if k.node != nil && len(k.node.Args) == 1 {
		inner.node = k.node.Args[0]
	}
	if u := b.usesAlias(k.expr, k.node); u != nil {
		return -1, u
	}
	at, u := b.result(inner.expr, inner.node)
	if u != nil || at < 0 || b.results[at].Func != merge.Key || inner.node == nil || inner.node.Op != sqlproof.Field {
		return -1, b.text.refuse(k.expr.from, "COLLATE of what is no key of GROUP BY", "group by the column, and sort by it")
	}
	at = b.add(b.text.bare(inner.expr), k.compare)
	b.keys[at] = true
	return b.keyResult(at, ""), nil
}
