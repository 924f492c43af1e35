package callbacks

import (
	"database/sql"

	"gorm.io/gorm/clause"
)

// A reference table has the same rows in all databases. A statement that wrote to one of them would make it differ from the
// others, so it has to say that it means this one.

// admitReference refuses writes to a reference table that would reach one database of several. GORM saves the row that a
// record belongs to along with it, and leaves one alone that is there already: that may be tried, and must not write.
func (h *Hooks) admitReference(pass *Pass) error {
	if pass.Who.Placed {
		return h.place(pass)
	}
	if pass.Op < OpCreate || !h.Rules.Several() {
		return nil
	}
	if pass.Op == OpCreate && !pass.sub {
		if oc, ok := pass.stmt.Clauses["ON CONFLICT"].Expression.(clause.OnConflict); ok && oc.DoNothing {
			pass.mustExist = true
			return nil
		}
	}
	return h.referenceWrite(pass)
}

func (h *Hooks) referenceWrite(pass *Pass) error {
	return h.refusal(pass, CrossShard, "a reference table has the same rows in all databases: write it in each of them, with tenancy.WithoutTenant and tenancy.WithPlacement")
}

// mustExist prepares a create of rows that are expected to be there. PostgreSQL and SQLite count rows that were written, and
// settle looks at that; MySQL counts others too, so there the rows are looked for first.
func (h *Hooks) mustExist(pass *Pass) error {
	if err := h.needTransaction(pass); err != nil || h.engine.UpsertHasWhere() {
		return err
	}
	key, rows, given := primaryKeys(pass.stmt.Schema), parentTuples{}, 0
	_ = eachRow(pass.stmt, func(r row) error {
		given++
		rows.add(key, func(column string) (any, bool) { return r.get(pass.Context, column) })
		return nil
	})
	found := 0
	if len(key) > 0 && len(rows.tuples) > 0 {
		o := newOwn(pass)
		o.text("SELECT 1 FROM ")
		o.table(pass.Table)
		o.text(" WHERE ")
		o.anyOf(pass.Table.Name, key, rows.tuples)
		o.text(h.engine.LockParents())
		if err := o.query(func(*sql.Rows) error { found++; return nil }); err != nil {
			return err
		}
	}
	if found < len(rows.tuples) || len(rows.tuples) == 0 && given > 0 {
		return h.referenceWrite(pass)
	}
	return nil
}
