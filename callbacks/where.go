package callbacks

import (
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
	if err := h.confine(db, pass); err != nil {
		h.stop(db, pass, err)
	}
}

// confine reads the clauses, confines the joined tables, and marks the statement as one that needs its tenant condition.
func (h *Hooks) confine(db *gorm.DB, pass *Pass) error {
	main := pass.confined
	if !pass.free {
		if err := h.readClauses(db, pass); err != nil {
			return err
		}
		if err := h.confineJoins(db, pass); err != nil {
			return err
		}
	}
	if (main || pass.where.swapped != nil) && !pass.where.unneeded {
		db.Statement.Clauses[predicateClause] = clause.Clause{Name: predicateClause}
	}
	pass.scoped = true
	return nil
}

// whereTerms is what the WHERE of a confined statement holds: the application's conditions, and the tenant's.
type whereTerms struct {
	pass     *Pass
	hooks    *Hooks
	orig     clause.Expression
	opaque   bool
	swapped  *tables.Table // of a RIGHT JOIN: the main table is confined in its ON, and this one here
	swapName string
	unneeded bool // likewise, and the joined table is global
}

// Build implements [clause.Expression]: ( the application's ) AND the tenant's.
func (w *whereTerms) Build(b clause.Builder) {
	if where, ok := w.orig.(clause.Where); w.orig != nil && !(ok && len(where.Exprs) == 0) {
		_ = b.WriteByte('(')
		w.hooks.buildRead(w.pass, "Where", w.orig, w.opaque, b)
		_, _ = b.WriteString(") AND ")
	}
	w.hooks.mainPredicate(w.pass, b)
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
		b.AddVar(b, &Arg{err: err})
		_ = b.WriteByte(')')
	}
}

// buildWhere is the builder of the clause WHERE. It stands in the same place as GORM's and does what that does, so
// GORM's own look at the clause (ErrMissingWhereClause, soft delete, FirstOrInit) finds what the application wrote and
// nothing else.
func (h *Hooks) buildWhere(c clause.Clause, b clause.Builder) {
	stmt, ok := b.(*gorm.Statement)
	if !ok {
		h.build("WHERE", c, b)
		return
	}
	pass := passOf(stmt.Context)
	if pass == nil || pass.stmt != stmt || pass.free {
		h.build("WHERE", c, b)
		return
	}
	r := reader{h: h, pass: pass}
	r.expression(c.Expression)
	if r.why != "" {
		h.failBuild(pass, b, r.verdict("Where"))
	}
	if _, needed := stmt.Clauses[predicateClause]; needed {
		delete(stmt.Clauses, predicateClause)
		w := &pass.where
		w.pass, w.hooks, w.orig, w.opaque = pass, h, c.Expression, r.opaque
		c.Expression = w
	} else if r.opaque {
		c.Expression = &openTerms{hooks: h, pass: pass, orig: c.Expression}
	}
	h.build("WHERE", c, b)
}

// openTerms is the WHERE of a statement without a tenant condition, to be read once it is written.
type openTerms struct {
	hooks *Hooks
	pass  *Pass
	orig  clause.Expression
}

// Build implements [clause.Expression].
func (o *openTerms) Build(b clause.Builder) {
	o.hooks.buildRead(o.pass, "Where", o.orig, true, b)
}

// buildPredicate is the builder of the clause behind WHERE: it is still there when the application gave no condition.
func (h *Hooks) buildPredicate(_ clause.Clause, b clause.Builder) {
	stmt, ok := b.(*gorm.Statement)
	if !ok {
		return
	}
	pass := passOf(stmt.Context)
	if pass == nil || pass.stmt != stmt {
		return
	}
	_, _ = b.WriteString("WHERE ")
	h.mainPredicate(pass, b)
}

// mainPredicate writes the condition on the main table.
func (h *Hooks) mainPredicate(pass *Pass, b clause.Builder) {
	if t := pass.where.swapped; t != nil {
		h.predicate(pass, b, t, pass.where.swapName)
		return
	}
	if pass.Table.Class == tables.Owned {
		h.equal(b, clause.CurrentTable, pass.Table.Tenant, &pass.arg)
		return
	}
	h.predicate(pass, b, pass.Table, clause.CurrentTable)
}

// predicate writes the condition that confines rows of t, under the name alias, to the tenant.
func (h *Hooks) predicate(pass *Pass, b clause.Builder, t *tables.Table, alias string) {
	switch t.Class {
	case tables.Owned:
		arg, err := h.argument(pass, t.Tenant)
		arg.err = err
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
	b.WriteQuoted(clause.Column{Table: alias, Name: c.Name})
	_, _ = b.WriteString(" = ")
	b.AddVar(b, arg)
}

// linkPredicate confines a join table: the rows at all its ends that tenants own must be the tenant's.
func (h *Hooks) linkPredicate(pass *Pass, b clause.Builder, t *tables.Table, alias string) {
	for i, key := range h.Tables.ForeignKeys(t) {
		if i > 0 {
			_, _ = b.WriteString(" AND ")
		}
		arg, err := h.argument(pass, key.Parent.Tenant)
		arg.err = err
		h.failBuild(pass, b, err)
		if key.Carries != "" {
			h.equal(b, alias, &tables.Column{Name: key.Carries}, &arg)
			continue
		}
		parent := key.Parent.Name
		_, _ = b.WriteString("EXISTS (SELECT 1 FROM ")
		b.WriteQuoted(clause.Table{Name: key.Parent.Path})
		_, _ = b.WriteString(" WHERE ")
		for j := range key.Columns {
			b.WriteQuoted(clause.Column{Table: parent, Name: key.Keys[j]})
			_, _ = b.WriteString(" = ")
			b.WriteQuoted(clause.Column{Table: alias, Name: key.Columns[j]})
			_, _ = b.WriteString(" AND ")
		}
		h.equal(b, parent, key.Parent.Tenant, &arg)
		_ = b.WriteByte(')')
	}
}
