package callbacks

import (
	"database/sql"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// A reference table has the same rows in all databases. A statement that wrote to one of them would make it differ from the
// others, so it has to say that it means this one.

// admitReference refuses writes to a reference table that would reach one database of several. GORM saves the row that a
// record belongs to along with it, and leaves one alone that is there already: that may be tried, and must not write.
func (h *Hooks) admitReference(pass *Pass) error {
	if pass.Who.Placed() {
		return h.place(pass)
	}
	if pass.Op < OpCreate || !h.Rules.Several() {
		return nil
	}
	everywhere := pass.Who.Where == Everywhere && !pass.sub
	if pass.leavesAlone() && (!everywhere || h.Rules.Pinned(pass.stmt.ConnPool)) {
		pass.mustExist = true
		return nil
	}
	if everywhere {
		pass.mirrors = true
		return nil
	}
	return h.referenceWrite(pass)
}

// leavesAlone tells whether the statement is a create that leaves rows alone which are there.
func (p *Pass) leavesAlone() bool {
	oc, ok := p.stmt.Clauses["ON CONFLICT"].Expression.(clause.OnConflict)
	return ok && oc.DoNothing && p.Op == OpCreate && !p.sub
}

// mayBeThere spares a create of global rows that are all there: GORM saves the row that a tenant's record belongs to along with
// it, in the transaction of the tenant's database, which cannot write to the default one.
func (h *Hooks) mayBeThere(pass *Pass) error {
	if _, ok := pass.stmt.ConnPool.(gorm.TxCommitter); !ok {
		return nil
	}
	at, err := h.Rules.Place(pass.Context, pass.Who, pass.stmt.ConnPool)
	if err != nil || at.Shard == "" {
		return err
	}
	found, given, err := h.count(pass, h.Rules.Pool())
	pass.needless = err == nil && given > 0 && found >= given
	return err
}

func (h *Hooks) referenceWrite(pass *Pass) error {
	return h.refusal(pass, CrossShard, "a reference table has the same rows in all databases: write it in all of them with tenancy.OnAllShards, or in one with tenancy.WithPlacement")
}

// mustExist prepares a create of rows that are expected to be there. PostgreSQL and SQLite count rows that were written, and
// settle looks at that; MySQL counts others too, so there the rows are looked for first.
func (h *Hooks) mustExist(pass *Pass) error {
	if err := h.needTransaction(pass); err != nil || h.engine.UpsertHasWhere() {
		return err
	}
	found, given, err := h.count(pass, nil)
	if err == nil && found < given {
		return h.referenceWrite(pass)
	}
	return err
}

// count looks for the rows of a create by their primary keys: how many there are of those given. A row without a key is not
// there. It asks pool; nil is that of the statement.
func (h *Hooks) count(pass *Pass, pool gorm.ConnPool) (found, given int, err error) {
	key, rows, without := primaryKeys(pass.stmt.Schema), parentTuples{}, 0
	_ = eachRow(pass.stmt, func(r row) error {
		hasKey := true
		get := func(column string) (any, bool) {
			v, known := r.get(pass.Context, column)
			hasKey = hasKey && known && rows.literal(column, v) != nil
			return v, known
		}
		if rows.add(key, get); !hasKey {
			without++
		}
		return nil
	})
	if len(key) == 0 || len(rows.tuples) == 0 {
		return 0, 1, nil
	}
	o := newOwn(pass)
	o.pool = pool
	o.text("SELECT 1 FROM ")
	o.table(pass.Table)
	o.text(" WHERE ")
	o.anyOf(pass.Table.Name, key, rows.tuples)
	if pool == nil {
		o.text(h.engine.LockParents())
	}
	err = o.query(func(*sql.Rows) error { found++; return nil })
	return found, len(rows.tuples) + without, err
}
