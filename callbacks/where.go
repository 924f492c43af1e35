package callbacks

import (
	"reflect"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/gormtenancy/tenancy/internal/tables"
)

// confineQuery prepares a SELECT.
func (h *Hooks) confineQuery(db *gorm.DB) {
	stmt := db.Statement
	pass := passOf(stmt.Context)
	if db.Error != nil || pass == nil || pass.stmt != stmt || pass.scoped {
		return
	}
	var err error
	if v := reflect.Indirect(stmt.ReflectValue); pass.Op == OpQuery && v.Kind() == reflect.Struct {
		err = h.keyOfModel(pass, v)
	}
	if err == nil {
		err = h.confine(db, pass)
	}
	if err != nil {
		h.stop(db, pass, err)
	}
}

// confine reads the clauses, confines the joined tables, and marks the statement as one that needs its tenant condition.
func (h *Hooks) confine(db *gorm.DB, pass *Pass) error {
	if err := h.readmit(pass); err != nil {
		return err
	}
	main := pass.confined
	if !pass.free {
		if err := h.readClauses(db, pass); err != nil {
			return err
		}
		if err := h.confineJoins(db, pass); err != nil {
			return err
		}
	}
	if !pass.yields && (main && pass.right == nil || pass.right != nil && pass.right.table != nil) {
		pass.pending = true
		if _, ok := db.Statement.Clauses["WHERE"]; !ok {
			db.Statement.Clauses[predicateClause] = clause.Clause{Name: predicateClause}
			pass.marked = true
		}
	}
	pass.scoped = true
	return nil
}

// rightJoin is a RIGHT JOIN: the main table is confined in its ON, and the joined one in WHERE, unless it is global.
type rightJoin struct {
	table *tables.Table // nil: global
	alias string
}

// confinedTerms is a pass as what the WHERE of its statement holds: the application's conditions, and the tenant's.
type confinedTerms Pass

// Build implements [clause.Expression]: the tenant's AND ( the application's ). The tenant's is first, so that a database that
// evaluates from left to right does not come to the application's with another tenant's row, of which an error could tell.
func (w *confinedTerms) Build(b clause.Builder) {
	pass := (*Pass)(w)
	w.hooks.mainPredicate(pass, b)
	if where, ok := w.conditions.(clause.Where); w.conditions != nil && (!ok || len(where.Exprs) > 0) {
		_, _ = b.WriteString(" AND (")
		w.hooks.buildRead(pass, "Where", w.conditions, w.opaque, b)
		_ = b.WriteByte(')')
	}
}

// openTerms is a pass as the WHERE of a statement without a tenant condition, to be read once it is written.
type openTerms Pass

// Build implements [clause.Expression].
func (o *openTerms) Build(b clause.Builder) {
	o.hooks.buildRead((*Pass)(o), "Where", o.conditions, true, b)
}

// buildRead builds e, and reads what it wrote if nobody could read it before.
func (h *Hooks) buildRead(pass *Pass, name string, e clause.Expression, opaque bool, b clause.Builder) {
	start := pass.stmt.SQL.Len()
	e.Build(b)
	if !opaque {
		return
	}
	r := reader{h: h, pass: pass}
	r.written(pass.stmt.SQL.String()[start:])
	h.failBuild(pass, b, r.verdict(name))
}

// failBuild ends a statement while it is built. An argument that fails does it in a subquery too, whose errors GORM drops.
func (h *Hooks) failBuild(pass *Pass, b clause.Builder, err error) {
	if err == nil {
		return
	}
	_ = b.AddError(err)
	if pass.sub {
		_, _ = b.WriteString(" " + refusedMark + "(")
		b.AddVar(b, refusedArg{err})
		_ = b.WriteByte(')')
	}
}

// buildWhere is the builder of the clause WHERE. It stands in the same place as GORM's and does what that does, so
// GORM's own look at the clause (ErrMissingWhereClause, soft delete, FirstOrInit) finds what the application wrote and
// nothing else.
func (h *Hooks) buildWhere(c clause.Clause, b clause.Builder) {
	stmt, ok := b.(*gorm.Statement)
	if !ok {
		h.builders.where(c, b)
		return
	}
	pass := passOf(stmt.Context)
	if pass == nil || pass.stmt != stmt || pass.free {
		h.builders.where(c, b)
		return
	}
	r := reader{h: h, pass: pass}
	r.expression(c.Expression)
	if c.Builder != nil && pass.confined {
		r.why = "it brings a builder of its own, which cannot be read"
	}
	if r.why != "" {
		h.failBuild(pass, b, r.verdict("Where"))
	}
	if pass.pending {
		pass.pending = false
		if pass.marked { // the clause WHERE came after confine
			delete(stmt.Clauses, predicateClause)
		}
		pass.conditions, pass.opaque = c.Expression, r.opaque
		c.Expression = (*confinedTerms)(pass)
	} else if r.opaque {
		pass.conditions = c.Expression
		c.Expression = (*openTerms)(pass)
	}
	h.builders.where(c, b)
}

// buildPredicate is the builder of the clause behind WHERE, for a statement that the application gave no condition.
func (h *Hooks) buildPredicate(_ clause.Clause, b clause.Builder) {
	stmt, ok := b.(*gorm.Statement)
	if !ok {
		return
	}
	pass := passOf(stmt.Context)
	if pass == nil || pass.stmt != stmt || !pass.pending {
		return
	}
	pass.pending = false
	_, _ = b.WriteString("WHERE ")
	h.mainPredicate(pass, b)
}

// mainPredicate writes the condition on the main table.
func (h *Hooks) mainPredicate(pass *Pass, b clause.Builder) {
	if pass.right != nil {
		h.predicate(pass, b, pass.right.table, pass.right.alias)
		return
	}
	if pass.Table.Class == tables.Owned {
		h.equal(b, pass.stmt.Table, pass.Table.Tenant, &pass.arg)
		return
	}
	h.predicate(pass, b, pass.Table, clause.CurrentTable)
}

// predicate writes the condition that confines rows of t, under the name alias, to the tenant.
func (h *Hooks) predicate(pass *Pass, b clause.Builder, t *tables.Table, alias string) {
	switch t.Class {
	case tables.Owned:
		arg, err := h.argument(pass, t.Tenant)
		h.failBuild(pass, b, err)
		h.equal(b, alias, t.Tenant, &arg)
	case tables.Link:
		h.linkPredicate(pass, b, t, alias)
	default:
		_, _ = b.WriteString("1 = 1")
	}
}

// equal writes alias.column = value. It does not use clause.Eq, which swallows the error of an argument and writes IS NULL
// (gorm v1.31.2 clause/expression.go eqNil).
func (h *Hooks) equal(b clause.Builder, alias string, c *tables.Column, arg *Arg) {
	stmt, ok := b.(*gorm.Statement)
	if !ok {
		_ = b.AddError(gorm.ErrInvalidData)
		return
	}
	_, _ = stmt.WriteString(c.Quoted(alias, stmt.Quote))
	_, _ = stmt.WriteString(" = ")
	stmt.Vars = append(stmt.Vars, arg) // as AddVar does with a driver.Valuer
	stmt.DB.Dialector.BindVarTo(stmt, stmt, arg)
}

// linkPredicate confines a join table: a row is the tenant's if the rows at its ends are. An end that has no row, such as
// one that was deleted, may be missing as long as the other is the tenant's.
func (h *Hooks) linkPredicate(pass *Pass, b clause.Builder, t *tables.Table, alias string) {
	ends := h.Tables.ForeignKeys(t)
	and := func(i int) {
		if i > 0 {
			_, _ = b.WriteString(" AND ")
		}
	}
	if len(ends) != 2 || ends[0].Carries != "" || ends[1].Carries != "" {
		for i := range ends {
			and(i)
			h.end(pass, b, &ends[i], alias, true)
		}
		return
	}
	_, _ = b.WriteString("((")
	for i := range ends {
		and(i)
		h.end(pass, b, &ends[i], alias, true)
	}
	for i := range ends {
		_, _ = b.WriteString(") OR (")
		h.end(pass, b, &ends[i], alias, true)
		_, _ = b.WriteString(" AND NOT ")
		h.end(pass, b, &ends[1-i], alias, false)
	}
	_, _ = b.WriteString("))")
}

// end writes the condition that the row at one end of a join table is there, and is the tenant's if own.
func (h *Hooks) end(pass *Pass, b clause.Builder, key *tables.ForeignKey, alias string, own bool) {
	arg, err := h.argument(pass, key.Parent.Tenant)
	h.failBuild(pass, b, err)
	if key.Carries != "" {
		h.equal(b, alias, &tables.Column{Name: key.Carries}, &arg)
		return
	}
	parent := key.Parent.Name
	_, _ = b.WriteString("EXISTS (SELECT 1 FROM ")
	b.WriteQuoted(clause.Table{Name: key.Parent.Path})
	_, _ = b.WriteString(" WHERE ")
	for j := range key.Columns {
		if j > 0 {
			_, _ = b.WriteString(" AND ")
		}
		b.WriteQuoted(clause.Column{Table: parent, Name: key.Keys[j]})
		_, _ = b.WriteString(" = ")
		b.WriteQuoted(clause.Column{Table: alias, Name: key.Columns[j]})
	}
	if own {
		_, _ = b.WriteString(" AND ")
		h.equal(b, parent, key.Parent.Tenant, &arg)
	}
	_ = b.WriteByte(')')
}
