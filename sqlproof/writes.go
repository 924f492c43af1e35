package sqlproof

import (
	"slices"

	"github.com/gormtenancy/tenancy/internal/sqltext"
)

// writesOf looks at the rows that a block writes: an INSERT must give the tenant, an UPDATE must not change it, and an
// upsert must leave other tenants' rows alone.
func (p *proof) writesOf(b *Block) *Refusal {
	for _, s := range b.Sources {
		if !s.Target {
			continue
		}
		k := p.tableOf(s)
		if k == nil {
			continue
		}
		if b.Replaces {
			if p.st.dialect != sqltext.MySQL {
				return p.refuse(s, "REPLACE deletes the rows that are in the way, whoever owns them", "use ON CONFLICT … DO UPDATE")
			}
			p.need(Need{UniqueKeys, k.table, s.Schema, s.Name})
		}
		if b.Kind == Insert && p.cuts(b) {
			return p.refuse(s, cutsValues, "leave IGNORE out")
		}
		for _, a := range b.Set {
			if r := p.assigns(k, a, false); r != nil {
				return r
			}
		}
		if b.Kind != Insert {
			continue
		}
		if k.table.Class == Link {
			p.need(Need{Ends, k.table, s.Schema, s.Name})
			for _, end := range *k.table.Ends {
				if end.Carries == "" {
					continue
				}
				if r := p.rowsOf(b, k, end.Carries, end.Parent); r != nil {
					return r
				}
			}
		} else if r := p.rowsOf(b, k, k.table.Column, k.table); r != nil {
			return r
		}
		for i := range b.Upserts {
			if r := p.upserts(k, &b.Upserts[i]); r != nil {
				return r
			}
		}
	}
	return nil
}

const cutsValues = "IGNORE cuts values to fit, and the tenant's with them"

// cuts tells whether a block stores values that do not fit cut.
func (p *proof) cuts(b *Block) bool { return b.Ignores && p.st.dialect == sqltext.MySQL }

func (p *proof) need(n Need) {
	if !slices.Contains(p.needs, n) {
		p.needs = append(p.needs, n)
	}
}

// tableOf returns what is known of a source; nil if it belongs to no tenant.
func (p *proof) tableOf(s *Source) *tableOf {
	if k := s.known; k != nil && k.of == p {
		return k
	}
	return nil
}

// assigns refuses an assignment that changes the tenant of a row. Only in an upsert is excluded the row that was to be
// inserted; in an UPDATE it can be the name of any table.
func (p *proof) assigns(k *tableOf, a Assignment, upsert bool) *Refusal {
	if a.Qualifier != "" && !p.st.same(a.Qualifier, k.source.Called()) {
		return nil
	}
	column := func(name string, t Table) *Refusal {
		if name == "" || !p.st.same(a.Column, name) {
			return nil
		}
		if p.cuts(k.source.Block) {
			return p.refuse(k.source, cutsValues, "leave IGNORE out")
		}
		if a.Value != nil && (p.isTenant(a.Value, t, true) || p.isOwn(a.Value, k.source, name, upsert)) {
			return nil
		}
		r := p.refuse(k.source, "column "+name+" is to hold another tenant, or SQL that could be one", "leave it out")
		r.Foreign = true
		return r
	}
	if k.table.Class == Owned {
		return column(k.table.Column, k.table)
	}
	for _, end := range *k.table.Ends {
		if r := column(end.Carries, end.Parent); r != nil {
			return r
		}
		if slices.ContainsFunc(end.Columns, func(c string) bool { return p.st.same(c, a.Column) }) {
			p.need(Need{Ends, k.table, k.source.Schema, k.source.Name}) // the row is to join another one
		}
	}
	return nil
}

// isOwn tells whether a value is what the row has in a column already or, in an upsert, what was to be inserted. In MySQL
// that is VALUES(column), and excluded a name like any other.
func (p *proof) isOwn(e *Expr, s *Source, column string, upsert bool) bool {
	mysql := p.st.dialect == sqltext.MySQL
	if mysql && upsert && e.Op == Call && e.Schema == "" && e.Name == "VALUES" && len(e.Args) == 1 {
		e = e.Args[0]
	}
	return e.Op == Field && p.st.same(e.Name, column) &&
		(e.Qualifier == "" || p.st.calls(s, e.Qualifier) || upsert && !mysql && p.st.same(e.Qualifier, "excluded"))
}

// rowsOf looks at the values that an INSERT gives a tenant column. If it does not name the column, it must be added, which
// rewrite does.
func (p *proof) rowsOf(b *Block, k *tableOf, column string, t Table) *Refusal {
	if len(b.Columns) == 0 {
		return p.refuse(k.source, "an INSERT without the names of its columns", "name them: INSERT INTO "+k.source.Name+" (a, b) …")
	}
	at := -1
	for i, c := range b.Columns {
		if p.st.same(c.Name, column) {
			if at >= 0 {
				return p.refuse(k.source, "column "+column+" is given twice", "")
			}
			at = i
		}
	}
	if at < 0 {
		k.bound = false // the column is to be added
		return nil
	}
	foreign := func() *Refusal {
		r := p.refuse(k.source, "column "+column+" is to hold another tenant, or SQL that could be one", "leave the column out, it is filled in")
		r.Foreign = true
		return r
	}
	for _, row := range b.Rows {
		if at >= len(row) || !p.isTenant(row[at], t, true) {
			return foreign()
		}
	}
	if b.Query != nil {
		for _, arm := range b.Query.arms() {
			if !p.itemIsTenant(arm, at, t) {
				return foreign()
			}
		}
	}
	k.bound = true
	return nil
}

// arms returns the SELECTs and VALUES of a query.
func (b *Block) arms() []*Block {
	if b.Kind != SetOperation {
		return []*Block{b}
	}
	var all []*Block
	for _, a := range b.Arms {
		all = append(all, a.arms()...)
	}
	return all
}

// itemIsTenant tells whether a query's column at an index is the tenant. The tenant column of a table that is not bound yet
// will do at first: it is bound by what is added, or else there is no plan.
func (p *proof) itemIsTenant(arm *Block, at int, t Table) bool {
	for i, item := range arm.Items {
		if item.Star || item.Expr == nil {
			return false
		}
		if i < at {
			continue
		}
		if p.isTenant(item.Expr, t, true) {
			return true
		}
		if item.Expr.Op != Field {
			return false
		}
		p.bind() // the sources of the query
		for i := range p.known {
			k := &p.known[i]
			if (k.bound || p.ours == nil) && k.source.Block == arm && k.table.holdsAs(t) && p.isColumn(item.Expr, k.source, k.table.Column) && k.keeps() {
				return true
			}
		}
		return false
	}
	return false
}

// keeps tells whether a source's columns are never NULL because a join found no row of it.
func (k *tableOf) keeps() bool {
	for j := k.source.parent; j != nil && j.parent != nil; j = j.parent {
		switch up := j.parent; {
		case up.Kind == Inner, up.Kind == Left && j == up.Left, up.Kind == Right && j == up.Right:
		default:
			return false
		}
	}
	return true
}

// upserts looks at what an upsert does to the row that it meets.
func (p *proof) upserts(k *tableOf, u *Upsert) *Refusal {
	if u.Nothing {
		return nil
	}
	for _, a := range u.Set {
		if r := p.assigns(k, a, true); r != nil {
			return r
		}
	}
	if !u.Duplicate {
		return nil // its condition is looked at by upsertBound
	}
	for _, a := range u.Set {
		if !p.guarded(k, a) {
			p.need(Need{UniqueKeys, k.table, k.source.Schema, k.source.Name})
			break
		}
	}
	return nil
}

// guarded tells whether an assignment of MySQL's upsert leaves another tenant's row as it is: it assigns the column itself,
// or IF(the row is the tenant's, value, the column itself).
func (p *proof) guarded(k *tableOf, a Assignment) bool {
	itself := func(e *Expr) bool {
		return e != nil && e.Op == Field && p.st.same(e.Name, a.Column) && (e.Qualifier == "" || p.st.calls(k.source, e.Qualifier))
	}
	if itself(a.Value) {
		return true
	}
	if a.Value == nil || a.Value.Op != Condition || len(a.Value.Args) != 3 || !itself(a.Value.Args[2]) || k.table.Class != Owned {
		return false
	}
	_, ok := p.equates(a.Value.Args[0], k.source, k.table)
	return ok
}

// upsertBound tells whether the condition of DO UPDATE binds the row that is met.
func (p *proof) upsertBound(k *tableOf, u *Upsert) bool {
	if u.Nothing || u.Duplicate {
		return true
	}
	conditions := func(yield func(*Expr) bool) { u.Where.Conjuncts(yield) }
	if k.table.Class == Link {
		was := k.bound
		ok := p.bindsLink(k, conditions)
		k.bound = was
		return ok
	}
	found := false
	conditions(func(e *Expr) bool {
		_, ok := p.equates(e, k.source, k.table)
		found = found || ok
		return !found
	})
	return found
}
