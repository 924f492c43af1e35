package sqlproof

import (
	"slices"

	"github.com/gormtenancy/tenancy/internal/sqltext"
)

// A row of a join table without a tenant column belongs to the tenant if the rows at its ends do. An end that has no row,
// such as one that was deleted, may be missing as long as the other is the tenant's. The condition has one form, which is
// what is spliced in, what the callbacks write, and what is recognised:
//
//	(e1 AND e2) OR (e1 AND NOT m2) OR (e2 AND NOT m1)
//
// where e is EXISTS (SELECT 1 FROM parent WHERE parent.key = link.column AND parent.tenant = T) and m is the same without
// the tenant. If an end carries the tenant in a column of the join table, it is e1 AND e2, and e is link.column = T.

// bindsLink tells whether the conditions bind a join table: one has the form above, or both ends are bound.
func (p *proof) bindsLink(k *tableOf, conditions func(func(*Expr) bool)) bool {
	ends := *k.table.Ends
	bound := make([]bool, len(ends))
	found := false
	conditions(func(e *Expr) bool {
		if p.isLinkForm(e, k.source, ends) {
			k.by, found = e, true
			return false
		}
		for i := range ends {
			if !bound[i] && p.bindsEnd(e, k.source, &ends[i]) {
				bound[i], k.by = true, e
			}
		}
		return true
	})
	if found {
		return true
	}
	for i := range ends { // joined with its parent, which is bound
		bound[i] = bound[i] || p.joinsParent(conditions, k.source, &ends[i])
	}
	for _, b := range bound {
		if !b {
			return false
		}
	}
	return len(bound) > 0
}

// bindsEnd tells whether a condition says that one end is the tenant's.
func (p *proof) bindsEnd(e *Expr, link *Source, end *End) bool {
	if end.Carries != "" {
		if e.Op != Equal {
			return false
		}
		for i := range 2 {
			if p.isColumn(e.Args[i], link, end.Carries) && p.isTenant(e.Args[1-i], end.Parent, false) {
				return true
			}
		}
		return false
	}
	_, ok := p.existsEnd(e, link, end, true)
	return ok
}

// existsEnd recognises e above, or m if the end is not to be owned. parent is the source of its subquery.
func (p *proof) existsEnd(e *Expr, link *Source, end *End, owned bool) (parent *Source, ok bool) {
	if e.Op != Exists || e.Query == nil {
		return nil, false
	}
	q := e.Query
	if q.Kind != Select || len(q.Sources) != 1 || q.Having != nil || len(q.GroupBy) > 0 || q.Limit != nil || q.Offset != nil ||
		q.Sources[0].Kind != TableSource || len(q.Items) != 1 || q.Items[0].Expr == nil || q.Items[0].Expr.Op != Numeric {
		return nil, false
	}
	parent = q.Sources[0]
	if !p.lookup(parent.Schema, parent.Name).is(end.Parent) {
		return nil, false
	}
	joined, isOwned, other := make([]bool, len(end.Columns)), false, false
	q.Where.Conjuncts(func(c *Expr) bool {
		if _, ok := p.equates(c, parent, end.Parent); ok && owned && !isOwned {
			isOwned = true
			return true
		}
		for i := range end.Columns {
			if c.Op == Equal && (p.pairs(c.Args[0], parent, end.Keys[i], c.Args[1], link, end.Columns[i]) ||
				p.pairs(c.Args[1], parent, end.Keys[i], c.Args[0], link, end.Columns[i])) {
				joined[i] = true
				return true
			}
		}
		other = true
		return true
	})
	for _, j := range joined {
		other = other || !j
	}
	return parent, !other && owned == isOwned
}

// pairs tells whether a is a column of one source and b one of another.
func (p *proof) pairs(a *Expr, s *Source, column string, b *Expr, t *Source, other string) bool {
	return a.Op == Field && b.Op == Field && p.st.same(a.Name, column) && p.st.same(b.Name, other) &&
		a.Qualifier != "" && b.Qualifier != "" && p.resolve(a, s.Block) == s && p.resolve(b, s.Block) == t
}

// isLinkForm recognises the whole form.
func (p *proof) isLinkForm(e *Expr, link *Source, ends []End) bool {
	if e.Op != Or || len(ends) != 2 || ends[0].Carries != "" || ends[1].Carries != "" {
		return false
	}
	var arms []*Expr
	arms = flatten(arms, e, Or)
	if len(arms) != 3 {
		return false
	}
	var seen [3]bool
	var missing []*Source // read by m, for nothing but whether there is a row
	for _, arm := range arms {
		terms := flatten(nil, arm, And)
		if len(terms) != 2 {
			return false
		}
		first := p.isEnd(terms[0], link, &ends[0])
		switch {
		case first && p.isEnd(terms[1], link, &ends[1]):
			seen[0] = true
		case first && terms[1].Op == Not:
			parent, ok := p.existsEnd(terms[1].Args[0], link, &ends[1], false)
			missing, seen[1] = append(missing, parent), ok
		case p.isEnd(terms[0], link, &ends[1]) && terms[1].Op == Not:
			parent, ok := p.existsEnd(terms[1].Args[0], link, &ends[0], false)
			missing, seen[2] = append(missing, parent), ok
		}
	}
	if seen != [3]bool{true, true, true} {
		return false
	}
	for i := range p.known {
		if k := &p.known[i]; slices.Contains(missing, k.source) {
			k.bound, k.by = true, e
		}
	}
	return true
}

// isEnd recognises e above.
func (p *proof) isEnd(e *Expr, link *Source, end *End) bool {
	_, ok := p.existsEnd(e, link, end, true)
	return ok
}

func flatten(into []*Expr, e *Expr, op Op) []*Expr {
	if e.Op != op {
		return append(into, e)
	}
	for _, a := range e.Args {
		into = flatten(into, a, op)
	}
	return into
}

// joinsParent tells whether all columns of an end are equated with the keys of a parent that is bound.
func (p *proof) joinsParent(conditions func(func(*Expr) bool), link *Source, end *End) bool {
	if end.Carries != "" {
		return false
	}
	for i := range p.known {
		parent := &p.known[i]
		if !parent.bound || parent.wrapped || !parent.table.is(end.Parent) {
			continue
		}
		joined := 0
		for c := range end.Columns {
			found := false
			conditions(func(e *Expr) bool {
				for a := range 2 {
					if e.Op != Equal {
						break
					}
					x, y := e.Args[a], e.Args[1-a]
					found = found || x.Op == Field && y.Op == Field && x.Qualifier != "" && y.Qualifier != "" &&
						p.st.same(x.Name, end.Columns[c]) && p.st.same(y.Name, end.Keys[c]) &&
						p.resolve(x, link.Block) == link && p.resolve(y, link.Block) == parent.source
				}
				return !found
			})
			if found {
				joined++
			}
		}
		if joined == len(end.Columns) {
			return true
		}
	}
	return false
}

// writesEnd returns a table that the condition of a join table reads, and that the statement updates or deletes from; nil if
// there is none, or the database does not mind.
func (p *proof) writesEnd(k *tableOf) *tableOf {
	if k.table.Class != Link || p.st.dialect != sqltext.MySQL {
		return nil
	}
	for i := range p.known {
		target := &p.known[i]
		if target.source.Target && target.source.Block.Kind != Insert &&
			slices.ContainsFunc(*k.table.Ends, func(e End) bool { return e.Carries == "" && target.table.is(e.Parent) }) {
			return target
		}
	}
	return nil
}
