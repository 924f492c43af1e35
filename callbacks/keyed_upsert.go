package callbacks

import (
	"reflect"
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// An upsert meets a row by its ID, whatever its shard key. The key of a row that is there cannot be changed, for it would belong
// elsewhere: such a row is left alone, and the statement is refused.

// withoutKeys takes the columns that say where a row is out of what an upsert assigns: the row that is met is there. One with another
// key that has the same unique value is left alone.
func (h *Hooks) withoutKeys(pass *Pass, oc *clause.OnConflict) {
	if oc.DoNothing || len(oc.DoUpdates) == 0 {
		return
	}
	key := pass.Table.Shard
	oc.DoUpdates = slices.DeleteFunc(slices.Clone(oc.DoUpdates), func(a clause.Assignment) bool {
		return isExcluded(pass.stmt.Schema, a) && (sameColumn(pass.stmt.Schema, a.Column.Name, key.Column.Name) || key.ID != nil && sameColumn(pass.stmt.Schema, a.Column.Name, key.ID.Name))
	})
	oc.DoNothing = len(oc.DoUpdates) == 0
	if oc.DoNothing || slices.ContainsFunc(oc.Columns, func(c clause.Column) bool { return c.Name == key.Column.Name }) {
		return
	}
	own := clause.Column{Table: pass.Table.Name, Name: key.Column.Name}
	if h.engine.UpsertHasWhere() {
		same := clause.Eq{Column: own, Value: clause.Column{Table: "excluded", Name: key.Column.Name}}
		oc.Where = clause.Where{Exprs: append([]clause.Expression{same}, oc.Where.Exprs...)}
		return
	}
	same := func(b clause.Builder) {
		b.WriteQuoted(clause.Column{Table: clause.CurrentTable, Name: key.Column.Name})
		_, _ = b.WriteString(" = VALUES(")
		b.WriteQuoted(clause.Column{Name: key.Column.Name})
		_ = b.WriteByte(')')
	}
	for i, a := range oc.DoUpdates {
		oc.DoUpdates[i].Value = &guardedValue{may: same, column: a.Column, value: a.Value}
	}
}

// prepareKeyedUpsert prepares an upsert that may meet rows with other shard keys.
func (h *Hooks) prepareKeyedUpsert(pass *Pass) error {
	stmt, key := pass.stmt, pass.Table.Shard.Column.Name
	oc, ok := stmt.Clauses["ON CONFLICT"].Expression.(clause.OnConflict)
	if !ok || oc.DoNothing || stmt.DryRun || slices.Contains(h.metBy(pass, oc), key) {
		return nil
	}
	w := pass.writing()
	_ = eachRow(stmt, func(row) error { w.keyed++; return nil })
	if err := h.needTransaction(pass); err != nil {
		return err
	}
	if !h.engine.UpsertHasWhere() {
		return h.keyedCollision(pass, oc)
	}
	if w.keyed > 1 {
		w.remember(stmt)
	}
	return nil
}

// metBy returns the columns over which an upsert meets rows.
func (h *Hooks) metBy(pass *Pass, oc clause.OnConflict) []string {
	if len(oc.Columns) == 0 {
		return primaryKeys(pass.stmt.Schema)
	}
	columns := make([]string, len(oc.Columns))
	for i, c := range oc.Columns {
		columns[i] = c.Name
	}
	return columns
}

// verifyKeyedUpsert looks, after an upsert that wrote fewer rows than it was given, whether a row with another shard key was in the way.
func (h *Hooks) verifyKeyedUpsert(db *gorm.DB, pass *Pass) error {
	w := pass.write
	if w == nil || w.keyed == 0 || !h.engine.UpsertHasWhere() || db.RowsAffected >= int64(w.keyed) {
		return nil
	}
	oc, _ := db.Statement.Clauses["ON CONFLICT"].Expression.(clause.OnConflict)
	w.swap() // the keys that were given, not those read back
	if err := h.keyedCollision(pass, oc); err != nil {
		return err
	}
	w.swap()
	return nil
}

// keyedCollision refuses an upsert that meets a row with another shard key than the one it gives.
func (h *Hooks) keyedCollision(pass *Pass, oc clause.OnConflict) error {
	t, columns := pass.Table, h.metBy(pass, oc)
	o := newOwn(pass)
	o.text("SELECT 1 FROM ")
	o.table(t)
	o.text(" WHERE ")
	conditions := 0
	_ = eachRow(pass.stmt, func(r row) error {
		given := parentTuples{}
		given.add(columns, func(column string) (any, bool) { return r.get(pass.Context, column) })
		v, known := r.get(pass.Context, t.Shard.Column.Name)
		if !known || len(given.tuples) == 0 || len(columns) == 0 {
			return nil
		}
		if conditions++; conditions > 1 {
			o.text(" OR ")
		}
		o.anyOf(t.Name, columns, given.tuples)
		o.text(" AND ")
		o.quoted(t.Name, t.Shard.Column.Name)
		o.text(" <> ")
		o.bind(v)
		return nil
	})
	if conditions == 0 {
		return nil
	}
	o.text(" LIMIT 1")
	found, err := o.exists()
	if err != nil || !found {
		return err
	}
	return h.refusal(pass, CrossShard, "a row with its "+quote(columns[0])+" is there with another shard key, which cannot be changed: delete that row first")
}

// savesKeyed tells whether the statement is the UPDATE of a Save on a sharded model.
func (p *Pass) savesKeyed() bool {
	stmt := p.stmt
	return p.Op == OpUpdate && p.Table != nil && p.Table.Shard != nil && len(p.modelKeys) == 1 && stmt.Schema != nil && selectsAll(stmt.Selects) &&
		!slices.Contains(stmt.Schema.PrimaryFieldDBNames, p.Table.Shard.Column.Name) &&
		reflect.Indirect(reflect.ValueOf(stmt.Dest)).Kind() == reflect.Struct
}

// savedElsewhere refuses a Save that met no row because the row is there with another shard key: GORM would go on with an INSERT, and
// there would be two. It is looked for on all shards, if they can be listed.
func (h *Hooks) savedElsewhere(pass *Pass) error {
	places, err := h.Shards[pass.Table.Shard.Set].Places(pass.Context)
	if err != nil {
		return nil //nolint:nilerr // the resolver cannot tell
	}
	key := primaryKeys(pass.stmt.Schema)
	given := parentTuples{}
	_ = eachStruct(pass.stmt.Schema, reflect.ValueOf(pass.stmt.Dest), func(r row) error {
		given.add(key, func(column string) (any, bool) { return r.get(pass.Context, column) })
		return nil
	})
	if len(given.tuples) == 0 {
		return nil
	}
	for _, at := range places {
		there := *pass
		there.at, there.placed, there.reach = at, true, There
		o := newOwn(&there)
		if at.Shard != pass.at.Shard {
			o.pool, o.there = h.Rules.Pool(), true
		}
		o.text("SELECT 1 FROM ")
		o.table(pass.Table)
		o.text(" WHERE ")
		o.anyOf(pass.Table.Name, key, given.tuples)
		o.text(" AND ")
		o.quoted(pass.Table.Name, pass.Table.Shard.Column.Name)
		o.text(" <> ")
		o.bind(pass.modelKeys[0])
		found, err := o.exists()
		if err != nil {
			return err
		}
		if found {
			return h.refusal(pass, CrossShard, "the row is there with another shard key, which cannot be changed: delete it, and create it anew")
		}
	}
	return nil
}
