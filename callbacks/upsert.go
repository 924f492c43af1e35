package callbacks

import (
	"database/sql"
	"reflect"
	"slices"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"

	"github.com/gormtenancy/tenancy/internal/dialect"
	"github.com/gormtenancy/tenancy/internal/sqltext"
	"github.com/gormtenancy/tenancy/internal/tables"
)

// An upsert meets rows by their keys, whoever owns them: Save of a row that was not found, association writes and
// clause.OnConflict all end in one. PostgreSQL and SQLite take a condition on the row that is met, so another tenant's
// is left alone, and the number of rows tells. MySQL takes none and counts otherwise, so there the rows that could be
// met over any unique key are looked at first, under lock.

// prepareUpsert looks at the conflict clause of a create.
func (h *Hooks) prepareUpsert(db *gorm.DB, pass *Pass) error {
	stmt := db.Statement
	c, ok := stmt.Clauses["ON CONFLICT"]
	if !ok {
		return nil
	}
	oc, ok := c.Expression.(clause.OnConflict)
	if !ok {
		return h.refusal(pass, Unconfined, "its ON CONFLICT clause is not of GORM's type")
	}
	if h.engine == dialect.Other {
		return h.refusal(pass, Unconfined, "how this database treats conflicting rows is not known to the plugin")
	}
	if err := h.assignedKeys(pass, oc); err != nil {
		return err
	}
	rows := 0
	_ = eachRow(stmt, func(row) error { rows++; return nil })
	if stmt.DryRun || pass.Table.Class != tables.Owned {
		return nil
	}
	if h.engine.UpsertHasWhere() {
		if oc.DoNothing {
			return nil
		}
		pass.writing().upsert = rows
		if rows > 1 {
			pass.write.remember(stmt)
		}
		return h.needTransaction(pass)
	}
	if err := h.needTransaction(pass); err != nil {
		return err
	}
	keys, err := h.uniqueKeys(pass)
	if err != nil {
		return err
	}
	pass.writing().upsert = rows
	pass.write.remember(stmt)
	return h.refuseCollision(pass, keys)
}

// assignedKeys looks at foreign keys that an upsert sets to something else than the row's own value, which is checked with
// the row.
func (h *Hooks) assignedKeys(pass *Pass, oc clause.OnConflict) error {
	keys := h.Tables.ForeignKeys(pass.Table)
	for i := range keys {
		for _, a := range oc.DoUpdates {
			touches := slices.ContainsFunc(keys[i].Columns, func(column string) bool { return sameColumn(pass.stmt.Schema, a.Column.Name, column) })
			if !touches || isExcluded(pass.stmt.Schema, a) {
				continue
			}
			if err := h.verifyLater(pass, &keys[i]); err != nil {
				return err
			}
			break
		}
	}
	return nil
}

// isExcluded tells whether an assignment takes the value of the row to be inserted, of the same column.
func isExcluded(s *schema.Schema, a clause.Assignment) bool {
	v, ok := a.Value.(clause.Column)
	return ok && strings.EqualFold(v.Table, "excluded") && !v.Raw && sameColumn(s, a.Column.Name, v.Name)
}

// buildOnConflict is the builder of ON CONFLICT, which sees the assignments that UpdateAll stands for.
func (h *Hooks) buildOnConflict(c clause.Clause, b clause.Builder) {
	stmt, ok := b.(*gorm.Statement)
	oc, isOnConflict := c.Expression.(clause.OnConflict)
	if !ok || !isOnConflict {
		h.builders.onConflict(c, b)
		return
	}
	pass := passOf(stmt.Context)
	if pass != nil && pass.stmt == stmt && pass.Table != nil && pass.Table.Shard != nil {
		h.withoutKeys(pass, &oc)
		c.Expression = oc
	}
	if pass == nil || pass.stmt != stmt || pass.free {
		h.builders.onConflict(c, b)
		return
	}
	err := h.readOnConflict(pass, &oc)
	if err == nil && pass.confined && !oc.DoNothing && len(oc.DoUpdates) > 0 {
		err = h.guardUpsert(pass, &oc)
	}
	if err != nil {
		_ = b.AddError(err)
		return
	}
	c.Expression = oc
	h.builders.onConflict(c, b)
}

// readOnConflict reads the texts of the clause, and refuses to give the row to another tenant.
func (h *Hooks) readOnConflict(pass *Pass, oc *clause.OnConflict) error {
	r := reader{h: h, pass: pass}
	for _, col := range oc.Columns {
		r.column(col)
	}
	if oc.OnConstraint != "" && !plain(strings.Trim(oc.OnConstraint, `"`)) {
		r.why, r.at = "only the name of a constraint can stand there", oc.OnConstraint
	}
	r.expressions(oc.TargetWhere.Exprs)
	r.expressions(oc.Where.Exprs)
	if r.opaque && r.why == "" {
		r.why = "a condition cannot be read: write it as text or with GORM's own expressions"
	}
	if err := r.verdict("ON CONFLICT"); err != nil {
		return err
	}
	if len(oc.TargetWhere.Exprs) > 0 {
		oc.TargetWhere = clause.Where{Exprs: []clause.Expression{inParentheses{oc.TargetWhere}}}
	}
	oc.DoUpdates = slices.Clone(oc.DoUpdates)
	for i, a := range oc.DoUpdates {
		own := pass.confined && pass.Table.Class == tables.Owned && sameColumn(pass.stmt.Schema, a.Column.Name, pass.Table.Tenant.Name)
		if own && !isExcluded(pass.stmt.Schema, a) && compareTenant(pass, a.Value) != sameTenant {
			return h.foreignRow(pass, pass.Table.Tenant.Name)
		}
		r := reader{h: h, pass: pass, place: sqltext.Assignment}
		if r.column(a.Column); a.Column.Raw || r.opaque {
			return h.refusal(pass, Unconfined, "column name "+quote(a.Column.Name)+" is not plain")
		}
		oc.DoUpdates[i].Value = r.assigned(a.Value)
		if err := r.verdict("DO UPDATE SET"); err != nil {
			return err
		}
	}
	return nil
}

// guardUpsert leaves other tenants' rows alone.
func (h *Hooks) guardUpsert(pass *Pass, oc *clause.OnConflict) error {
	if h.engine.UpsertHasWhere() {
		oc.Where = clause.Where{Exprs: []clause.Expression{&upsertWhere{hooks: h, pass: pass, user: oc.Where}}}
		return nil
	}
	if pass.Table.Class != tables.Owned {
		return h.refusal(pass, Unconfined, "an upsert on a join table cannot be confined on this database: use DoNothing")
	}
	for i, a := range oc.DoUpdates {
		if sameColumn(pass.stmt.Schema, a.Column.Name, pass.Table.Tenant.Name) {
			oc.DoUpdates[i].Value = a.Column // it stays what it is
			continue
		}
		oc.DoUpdates[i].Value = &guardedValue{may: func(b clause.Builder) { h.mainPredicate(pass, b) }, column: a.Column, value: a.Value}
	}
	return nil
}

// upsertWhere is the condition of DO UPDATE: the row that is met is the tenant's AND ( the application's ).
type upsertWhere struct {
	hooks *Hooks
	pass  *Pass
	user  clause.Where
}

// Build implements [clause.Expression].
func (w *upsertWhere) Build(b clause.Builder) {
	w.hooks.mainPredicate(w.pass, b)
	if len(w.user.Exprs) > 0 {
		_, _ = b.WriteString(" AND (")
		w.user.Build(b)
		_ = b.WriteByte(')')
	}
}

// guardedValue is what MySQL assigns to a column of the row that is met: the value, if the row is one that may be written. For rows
// of tenants it is the second wall, for one that comes after refuseCollision has looked.
type guardedValue struct {
	may    func(clause.Builder) // writes the condition
	column clause.Column
	value  any
}

// Build implements [clause.Expression].
func (v *guardedValue) Build(b clause.Builder) {
	_, _ = b.WriteString("IF(")
	v.may(b)
	_ = b.WriteByte(',')
	if column, ok := v.value.(clause.Column); ok && strings.EqualFold(column.Table, "excluded") {
		_, _ = b.WriteString("VALUES(")
		b.WriteQuoted(clause.Column{Name: column.Name})
		_ = b.WriteByte(')')
	} else {
		b.AddVar(b, v.value)
	}
	_ = b.WriteByte(',')
	b.WriteQuoted(clause.Column{Table: clause.CurrentTable, Name: v.column.Name})
	_ = b.WriteByte(')')
}

// uniqueKeys lists the columns over which a row of the table can meet another: those of the model, and on MySQL, where
// any of them counts, those that the database has.
func (h *Hooks) uniqueKeys(pass *Pass) ([][]string, error) {
	keys := modelKeys(pass.stmt.Schema)
	if h.engine != dialect.MySQL {
		return keys, nil
	}
	found, err := h.databaseKeys(pass, pass.Table)
	return append(keys, found...), err
}

// databaseKeys lists the columns of the unique keys that the database has for a table. It is asked until it has some.
func (h *Hooks) databaseKeys(pass *Pass, t *tables.Table) ([][]string, error) {
	where := uniqueOf{t, pass.at.Shard, pass.at.Schema}
	if known, ok := h.unique.Load(where); ok {
		found, _ := known.([][]string)
		return found, nil
	}
	found, err := h.askKeys(pass, t)
	if err == nil && len(found) > 0 { // or else the table is still to be made
		h.unique.Store(where, found)
	}
	return found, err
}

// uniqueOf is a table at a place.
type uniqueOf struct {
	table         *tables.Table
	shard, schema string
}

// askKeys asks the database for the unique keys of a table.
func (h *Hooks) askKeys(pass *Pass, t *tables.Table) ([][]string, error) {
	o := newOwn(pass)
	o.text(dialect.UniqueKeysQuery())
	o.Vars, o.quiet = []any{pass.at.Schema, t.Name + pass.at.TableSuffix}, true
	var found [][]string
	last := ""
	err := o.query(func(rows *sql.Rows) error {
		var key string
		var column sql.NullString // none for a part that is an expression
		if err := rows.Scan(&key, &column); err != nil {
			return err
		}
		if key != last {
			found, last = append(found, nil), key
		}
		found[len(found)-1] = append(found[len(found)-1], column.String)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// modelKeys are the unique keys that a model declares.
func modelKeys(s *schema.Schema) [][]string {
	if s == nil {
		return nil
	}
	var keys [][]string
	if len(s.PrimaryFieldDBNames) > 0 {
		keys = append(keys, s.PrimaryFieldDBNames)
	}
	for _, f := range s.Fields {
		if f.Unique && f.DBName != "" {
			keys = append(keys, []string{f.DBName})
		}
	}
	for _, index := range s.ParseIndexes() {
		if index.Class != "UNIQUE" {
			continue
		}
		var key []string
		for _, option := range index.Fields {
			key = append(key, option.DBName)
		}
		keys = append(keys, key)
	}
	return keys
}

// refuseCollision refuses a create whose rows would meet another tenant's over one of the keys.
func (h *Hooks) refuseCollision(pass *Pass, keys [][]string) error {
	t := pass.Table
	o := newOwn(pass)
	o.text("SELECT 1 FROM ")
	o.table(t)
	o.text(" WHERE (")
	conditions := 0
	var seen [][]string
	for _, key := range keys {
		if len(key) == 0 || slices.Contains(key, t.Tenant.Name) || slices.ContainsFunc(seen, func(k []string) bool { return slices.Equal(k, key) }) {
			continue // another tenant's row cannot have this key, or it was looked at already
		}
		seen = append(seen, key)
		rows := parentTuples{zero: func(column string) bool {
			s := pass.stmt.Schema
			return s == nil || s.FieldsByDBName[column] == nil || !s.FieldsByDBName[column].HasDefaultValue
		}}
		_ = eachRow(pass.stmt, func(r row) error {
			rows.add(key, func(column string) (any, bool) { return r.get(pass.Context, column) })
			return nil
		})
		if len(rows.tuples) == 0 {
			continue
		}
		if conditions > 0 {
			o.text(" OR ")
		}
		o.anyOf(t.Name, key, rows.tuples)
		conditions++
	}
	if conditions == 0 {
		return nil
	}
	o.text(") AND ")
	o.notTenants(t.Name, t.Tenant, pass.arg.value)
	o.text(" LIMIT 1")
	o.text(h.engine.LockRows())
	found, err := o.exists()
	if err != nil || !found {
		return err
	}
	return h.refusal(pass, Mismatch, "a row to be written has the key of another tenant's row")
}

// unmatched looks, after an upsert that wrote fewer rows than it was given, whether another tenant's row was in the way.
func (h *Hooks) unmatched(pass *Pass, oc clause.OnConflict) error {
	var keys [][]string
	if len(oc.Columns) > 0 {
		key := make([]string, len(oc.Columns))
		for i, col := range oc.Columns {
			key[i] = col.Name
		}
		keys = [][]string{key}
	} else {
		keys = modelKeys(pass.stmt.Schema)
	}
	if h.Rules.HidesRows() {
		return h.hiddenCollision(pass, keys[0])
	}
	return h.refuseCollision(pass, keys)
}

// hiddenCollision does the same where policies show the tenant's rows alone: a row that was given and is not among them was
// kept out by another tenant's.
func (h *Hooks) hiddenCollision(pass *Pass, key []string) error {
	t := pass.Table
	rows := parentTuples{}
	_ = eachRow(pass.stmt, func(r row) error {
		rows.add(key, func(column string) (any, bool) { return r.get(pass.Context, column) })
		return nil
	})
	if slices.Contains(key, t.Tenant.Name) || len(rows.tuples) == 0 {
		return nil
	}
	o := newOwn(pass)
	o.text("SELECT 1 FROM ")
	o.table(t)
	o.text(" WHERE ")
	o.anyOf(t.Name, key, rows.tuples)
	own := 0
	if err := o.query(func(*sql.Rows) error { own++; return nil }); err != nil || own >= len(rows.tuples) {
		return err
	}
	return h.refusal(pass, Mismatch, "a row to be written has the key of another tenant's row")
}

// remember keeps the rows as they are, because a create reads generated values back by their position: with a row left
// out they would land in the wrong ones (gorm v1.31.2 scan.go Scan).
func (w *writeState) remember(stmt *gorm.Statement) {
	_ = eachRow(stmt, func(r row) error {
		if r.model.IsValid() && r.model.CanSet() {
			was := reflect.New(r.model.Type()).Elem()
			was.Set(r.model)
			w.before = append(w.before, [2]reflect.Value{r.model, was})
		}
		return nil
	})
}

// swap exchanges the rows with what they were; twice is nothing.
func (w *writeState) swap() {
	for _, pair := range w.before {
		is := reflect.New(pair[0].Type()).Elem()
		is.Set(pair[0])
		pair[0].Set(pair[1])
		pair[1].Set(is)
	}
}
