package sqlproof

import (
	"slices"
)

// The rows of a sharded table are where their shard keys say, so a plan says which keys the rows can have that a statement
// touches. Of each reference to such a table it is found what the conditions that its rows must meet say of their key: a
// value, one of several, or that it is the key of another reference. What is not understood says nothing. That can only
// make a set of keys too large, never too small.

// shardRef is a reference to a sharded table.
type shardRef struct {
	source *Source
	table  Table
	key    *ShardKey  // of table
	own    bound      // what is said of its key itself
	ids    bound      // and of its ID, if that carries its shard
	ties   []int      // the references that it has the key of, wherever a row of it counts
	rows   []keyValue // that an INSERT gives the key
	rowIDs []keyValue // and the ID
}

// shards notes a reference to a sharded table.
func (p *proof) shards(s *Source, t Table) *Refusal {
	if !t.Class.tenants() {
		return nil
	}
	if t.ShardKey == nil {
		return p.refuse(s, "it has no shard key, and nothing else says where its rows are", "")
	}
	if s.Renamed {
		return p.refuse(s, "its columns have other names here", "select it without a list of column names")
	}
	if s.Block.called(p.st, s.Called()) > 1 {
		return p.refuse(s, "another source goes by the same name", "give each an alias of its own")
	}
	p.sharded = append(p.sharded, shardRef{source: s, table: t, key: t.ShardKey})
	return nil
}

// refOf returns the index of the reference that a source is; -1 if it is none.
func (p *proof) refOf(s *Source) int {
	if s == nil {
		return -1
	}
	return slices.IndexFunc(p.sharded, func(r shardRef) bool { return r.source == s })
}

// readKeys finds out what the conditions on a reference say of its key.
func (p *proof) readKeys(r *shardRef) {
	if r.source.Target && r.source.Block.Kind == Insert {
		return // shardWrites has looked at its rows
	}
	var keys, ids []bound
	p.conditions(r.source, func(e *Expr) bool {
		if b := p.boundBy(e, r, r.key.key()); b.kind != unbound {
			keys = append(keys, b)
		}
		if r.key.ID != "" {
			if b := p.boundBy(e, r, r.key.id()); b.kind != unbound {
				ids = append(ids, b)
			}
		}
		p.tiesBy(e, r)
		return true
	})
	p.tiesByUsing(r)
	r.own, r.ids = meet(keys), meet(ids)
}

// boundBy returns what a condition says of a column of a reference, whose rows do not meet it if that is NULL.
func (p *proof) boundBy(e *Expr, r *shardRef, of keyColumn) bound {
	switch e.Op {
	case And:
		var all []bound
		for _, a := range flatten(nil, e, And) {
			if b := p.boundBy(a, r, of); b.kind != unbound {
				all = append(all, b)
			}
		}
		return meet(all)
	case Or:
		return p.boundByAlternatives(e, r, of)
	case Equal:
		var all []bound
		for a, b := range e.equated {
			if p.isColumn(b, r.source, of.name) {
				a, b = b, a
			}
			if !p.isColumn(a, r.source, of.name) {
				continue
			}
			if v, ok := keyValueOf(b, of.holds); ok {
				all = append(all, bound{kind: isOneOf, values: v})
			}
		}
		return meet(all)
	case In:
		return p.boundByList(e, r, of)
	}
	return bound{}
}

// boundByAlternatives returns what OR says: something only if each of its terms does.
func (p *proof) boundByAlternatives(e *Expr, r *shardRef, of keyColumn) bound {
	values := bound{kind: isOneOf}
	var others []bound
	for _, a := range flatten(nil, e, Or) {
		switch b := p.boundBy(a, r, of); b.kind {
		case unbound:
			return bound{}
		case isOneOf:
			values.values = append(values.values, b.values...)
		default:
			others = append(others, b)
		}
	}
	if len(others) == 0 {
		return values
	}
	return bound{kind: inOneOf, parts: append(others, values)}
}

// boundByList returns what IN with a list says: of the column, or of several with it among them.
func (p *proof) boundByList(e *Expr, r *shardRef, of keyColumn) bound {
	at, width := -1, 0
	if x := e.Args[0]; x.Op == Tuple {
		width = len(x.Args)
		at = slices.IndexFunc(x.Args, func(c *Expr) bool { return p.isColumn(c, r.source, of.name) })
	} else if p.isColumn(x, r.source, of.name) {
		at = 0
	}
	if at < 0 || len(e.Args) < 2 {
		return bound{}
	}
	out := bound{kind: isOneOf}
	for _, v := range e.Args[1:] {
		if width > 0 {
			if v.Op != Tuple || len(v.Args) != width {
				return bound{}
			}
			v = v.Args[at]
		}
		values, ok := keyValueOf(v, of.holds)
		if !ok {
			return bound{}
		}
		out.values = append(out.values, values...)
	}
	return out
}

// equated calls yield for each pair that an equality equates: its two sides, or those of the columns of two rows.
func (e *Expr) equated(yield func(a, b *Expr) bool) {
	a, b := e.Args[0], e.Args[1]
	if a.Op != Tuple || b.Op != Tuple || len(a.Args) != len(b.Args) {
		yield(a, b)
		return
	}
	for i := range a.Args {
		if !yield(a.Args[i], b.Args[i]) {
			return
		}
	}
}

// tiesBy notes the references whose key a condition equates with that of r.
func (p *proof) tiesBy(e *Expr, r *shardRef) {
	switch {
	case e.Op == Equal:
		for a, b := range e.equated {
			if p.isColumn(b, r.source, r.key.Column) {
				a, b = b, a
			}
			if p.isColumn(a, r.source, r.key.Column) && b.Op == Field {
				p.tie(r, b, r.source.Block)
			}
		}
	case e.Op == InQuery && len(e.Args) == 1 && p.isColumn(e.Args[0], r.source, r.key.Column) && e.Query.givesColumn():
		if to := p.tie(r, e.Query.Items[0].Expr, e.Query); to >= 0 {
			other := &p.sharded[to] // what it gives besides is not looked for
			other.ties = append(other.ties, p.refOf(r.source))
		}
	}
}

// givesColumn tells whether a query gives one column of its rows.
func (b *Block) givesColumn() bool {
	return b != nil && b.givesRows() && len(b.Items) == 1 && b.Items[0].Expr != nil && b.Items[0].Expr.Op == Field
}

// givesRows tells whether a query gives something for each of its rows, whatever the others are.
func (b *Block) givesRows() bool {
	return b.Kind == Select && len(b.GroupBy) == 0 && b.Having == nil && b.Limit == nil && b.Offset == nil && !b.Windows &&
		!b.Groups && !b.Distinct && !slices.ContainsFunc(b.Items, func(i *Item) bool { return i.Expr.aggregates() })
}

// aggregates tells whether an expression, and not a query in it, is made of more rows than one.
func (e *Expr) aggregates() bool {
	return e != nil && (e.Aggregate || slices.ContainsFunc(e.Args, (*Expr).aggregates))
}

// tie notes that r has the key that a column is, as it is seen from a block. It returns the index of the column's
// reference, or -1 if it is no key that is placed as that of r is.
func (p *proof) tie(r *shardRef, e *Expr, block *Block) int {
	to := p.refOf(p.resolve(e, block))
	if to < 0 || !p.placedAlike(r, &p.sharded[to]) || !p.st.same(e.Name, p.sharded[to].key.Column) {
		return -1
	}
	r.ties = append(r.ties, to)
	return to
}

func (p *proof) placedAlike(a, b *shardRef) bool {
	return a.key.Sharding == b.key.Sharding && a.key.Type == b.key.Type
}

// tiesByUsing notes the references that r is joined with by USING: of two tables, for which column a name is of more is
// not certain.
func (p *proof) tiesByUsing(r *shardRef) {
	child := r.source.parent
	if child == nil || child.parent == nil {
		return
	}
	j := child.parent
	other := j.Right
	if child == j.Right {
		other = j.Left
	}
	if other.Kind != Leaf || j.Kind == Full || j.Kind == Left && child == j.Left || j.Kind == Right && child == j.Right ||
		!slices.ContainsFunc(j.Using, func(u string) bool { return p.st.same(u, r.key.Column) }) {
		return
	}
	to := p.refOf(other.Source)
	if to >= 0 && p.placedAlike(r, &p.sharded[to]) && p.st.same(r.key.Column, p.sharded[to].key.Column) {
		r.ties = append(r.ties, to)
	}
}
