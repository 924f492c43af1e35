package callbacks

import (
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/gormtenancy/tenancy/internal/sqltext"
)

// readClauses reads all clauses but WHERE, VALUES and ON CONFLICT, which are read when they are built, and SET, which is
// read with the row. Wherever a clause holds text, it must stay within its place.
func (h *Hooks) readClauses(db *gorm.DB, pass *Pass) error {
	stmt := db.Statement
	for name, c := range stmt.Clauses {
		if c.Builder != nil && pass.confined {
			return h.refusal(pass, Unconfined, "clause "+name+" brings a builder of its own, which cannot be read")
		}
		_, limit := c.Expression.(clause.Limit)
		switch {
		case name == "WHERE", name == "VALUES", name == "ON CONFLICT", name == "SET", limit:
			if c.BeforeExpression == nil && c.AfterNameExpression == nil && c.AfterExpression == nil {
				continue
			}
			c.Expression, c.Builder = nil, nil
		}
		if err := h.readClause(db, pass, name, c); err != nil {
			return err
		}
	}
	if len(stmt.Selects) > 0 && pass.Op != OpCreate && pass.Op != OpUpdate && pass.Op != OpDelete {
		r := reader{h: h, pass: pass}
		for _, s := range stmt.Selects {
			if stmt.Schema == nil || stmt.Schema.LookUpField(s) == nil {
				r.text(s)
			}
		}
		return r.verdict("Select")
	}
	return nil
}

func (h *Hooks) readClause(db *gorm.DB, pass *Pass, name string, c clause.Clause) error {
	for _, e := range [...]clause.Expression{c.BeforeExpression, c.AfterNameExpression, c.AfterExpression} {
		if e == nil {
			continue
		}
		scratch := h.scratch(db, pass)
		if e.Build(scratch); !sqltext.Hint(scratch.SQL.String()) {
			return h.refusal(pass, Unconfined, name+" has "+quote(scratch.SQL.String())+" beside it: only comments and index hints can stand there")
		}
	}
	if c.Builder != nil {
		return h.readBuilder(db, pass, name, c)
	}
	r := reader{h: h, pass: pass}
	switch e := c.Expression.(type) {
	case nil:
	case clause.OrderBy:
		for _, col := range e.Columns {
			r.column(col.Column)
		}
		if e.Expression != nil {
			r.expression(e.Expression)
		}
	case clause.GroupBy:
		for _, col := range e.Columns {
			r.column(col)
		}
		r.expressions(e.Having)
	case clause.Select:
		for _, col := range e.Columns {
			r.column(col)
		}
		if e.Expression != nil {
			r.expression(e.Expression)
		}
	case clause.Returning:
		for _, col := range e.Columns {
			r.column(col)
		}
	case clause.Locking:
		r.words(e.Strength)
		r.words(e.Options)
		r.name(e.Table.Name)
	case clause.From:
		return h.readFrom(pass, e)
	case clause.Insert:
		r.modifier(e.Modifier)
		if err := h.otherTables(pass, name, e.Table); err != nil {
			return err
		}
	case clause.Update:
		r.modifier(e.Modifier)
		if err := h.otherTables(pass, name, e.Table); err != nil {
			return err
		}
	case clause.Delete:
		r.modifier(e.Modifier)
	default:
		r.opaque = true
	}
	if r.opaque && r.why == "" {
		return h.readAlone(db, pass, name, c.Expression)
	}
	return r.verdict(name)
}

// readBuilder reads a clause that brings its own builder.
func (h *Hooks) readBuilder(db *gorm.DB, pass *Pass, name string, c clause.Clause) error {
	return h.readBuilt(db, pass, name, func(b clause.Builder) { c.Builder(c, b) })
}

// readAlone reads an expression, building it apart from the statement if need be.
func (h *Hooks) readAlone(db *gorm.DB, pass *Pass, name string, e clause.Expression) error {
	r := reader{h: h, pass: pass}
	r.expression(e)
	if r.opaque && r.why == "" {
		return h.readBuilt(db, pass, name, e.Build)
	}
	return r.verdict(name)
}

// readBuilt reads what build writes into a statement like this one.
func (h *Hooks) readBuilt(db *gorm.DB, pass *Pass, name string, build func(clause.Builder)) error {
	scratch := h.scratch(db, pass)
	build(scratch)
	r := reader{h: h, pass: pass}
	r.written(scratch.SQL.String())
	return r.verdict(name)
}

// scratch is a statement like the one at hand, to build a part of it apart.
func (h *Hooks) scratch(db *gorm.DB, pass *Pass) *gorm.Statement {
	stmt := db.Statement
	return &gorm.Statement{
		DB: db, Table: stmt.Table, TableExpr: stmt.TableExpr, Schema: stmt.Schema, Model: stmt.Model,
		Context: pass.Context, ConnPool: stmt.ConnPool, Clauses: map[string]clause.Clause{},
	}
}

// words reads a piece of text that can only be keywords, such as NOWAIT.
func (r *reader) words(s string) {
	for i := range len(s) {
		if b := s[i] | 0x20; (b < 'a' || b > 'z') && s[i] != ' ' {
			r.why, r.at = "only keywords can stand there", s
			return
		}
	}
}

// modifier reads what stands behind INSERT, UPDATE or DELETE. REPLACE is not among what may: it deletes the rows that are in
// the way, whoever owns them.
func (r *reader) modifier(s string) {
	switch strings.Join(strings.Fields(strings.ToUpper(s)), " ") {
	case "", "LOW_PRIORITY", "HIGH_PRIORITY", "DELAYED", "QUICK", "ONLY", "OR IGNORE", "OR ABORT", "OR FAIL", "OR ROLLBACK":
	default: // IGNORE is not among them: MySQL then cuts values to fit, and the tenant's with them
		if r.pass.confined || !r.h.Rules.UnlistedAreGlobal() {
			r.why, r.at = "it is no modifier that leaves other rows alone", s
		}
	}
}
