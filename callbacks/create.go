package callbacks

import (
	"reflect"
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/gormtenancy/tenancy/internal/tables"
)

// confineCreate runs after the application's hooks and before the INSERT is built: it fills in the tenant, refuses rows of
// another one, and looks at what the rows point at.
func (h *Hooks) confineCreate(db *gorm.DB) {
	stmt := db.Statement
	pass := passOf(stmt.Context)
	if db.Error != nil || pass == nil || pass.stmt != stmt || pass.scoped {
		return
	}
	if err := h.prepareCreate(db, pass); err != nil {
		h.stop(db, pass, err)
	}
}

func (h *Hooks) prepareCreate(db *gorm.DB, pass *Pass) error {
	if err := h.readmit(pass); err != nil {
		return err
	}
	if !pass.free {
		if err := h.readClauses(db, pass); err != nil {
			return err
		}
	}
	if pass.Table != nil && pass.Table.Class == tables.Owned && pass.Who.Kind == Tenant {
		if err := h.fill(pass); err != nil {
			return err
		}
	}
	pass.scoped = true
	if pass.mirrors {
		return h.mirrorRows(db, pass)
	}
	if pass.Table != nil && pass.Table.Shard != nil {
		if err := h.placeRows(db, pass); err != nil || pass.split {
			return err
		}
		if err := h.prepareKeyedUpsert(pass); err != nil {
			return err
		}
	}
	if pass.mayBeThere {
		if err := h.mayBeThere(pass); err != nil {
			return err
		}
	}
	if pass.mustExist {
		return h.mustExist(pass)
	}
	if !pass.confined {
		return h.beforeWrite(db, pass)
	}
	pass.pending = pass.Table.Class == tables.Owned
	if err := h.foreignKeysOfRows(pass); err != nil {
		return err
	}
	if err := h.prepareUpsert(db, pass); err != nil {
		return err
	}
	return h.beforeWrite(db, pass)
}

// fill puts the tenant into the rows that have none, so that the application finds it there. What is sent is settled by
// buildValues, whatever Select, Omit and field permissions leave of the rows.
func (h *Hooks) fill(pass *Pass) error {
	stmt, column := pass.stmt, pass.Table.Tenant
	h.selectColumn(pass, column.Name)
	return eachRow(stmt, func(r row) error {
		if !r.model.IsValid() {
			if r.values == nil {
				return nil
			}
			v, known := r.get(pass.Context, column.Name)
			if compareTenant(pass, v) == otherTenant {
				return h.foreignRow(pass, column.Name)
			}
			if !known {
				r.values[column.Name] = pass.arg.value // GORM makes the columns of an upsert of the keys; settle takes it out
				w := pass.writing()
				w.filled = append(w.filled, r.values)
			}
			return nil
		}
		f := r.schema.FieldsByDBName[column.Name]
		if f == nil {
			return nil
		}
		if f.FieldType.Kind() == reflect.String && f.Serializer == nil && r.model.CanAddr() {
			return h.fillText(pass, f.ReflectValueOf(pass.Context, r.model))
		}
		v, _ := f.ValueOf(pass.Context, r.model)
		switch compareTenant(pass, v) {
		case otherTenant:
			return h.foreignRow(pass, column.Name)
		case noTenant:
			if r.model.CanAddr() {
				return f.Set(pass.Context, r.model, pass.arg.value)
			}
		}
		return nil
	})
}

// fillText does it for a string, without a copy in an interface.
func (h *Hooks) fillText(pass *Pass, v reflect.Value) error {
	switch v.String() {
	case pass.Who.ID:
	case "":
		v.SetString(pass.Who.ID)
	default:
		return h.foreignRow(pass, pass.Table.Tenant.Name)
	}
	return nil
}

// selectColumn keeps Select and Omit from leaving a column out: an upsert is made of the columns that are left.
func (h *Hooks) selectColumn(pass *Pass, name string) {
	stmt := pass.stmt
	is := func(column string) bool { return sameColumn(stmt.Schema, column, name) }
	if len(stmt.Selects) > 0 && !slices.ContainsFunc(stmt.Selects, is) {
		stmt.Selects = append(slices.Clip(stmt.Selects), name) // shared with the chain
	}
	if slices.ContainsFunc(stmt.Omits, is) {
		stmt.Omits = slices.DeleteFunc(slices.Clone(stmt.Omits), is)
	}
}

// buildValues is the builder of VALUES: the last place where the rows of an INSERT can be seen as they will be sent. Each
// gets the tenant column, once, with the tenant in it.
func (h *Hooks) buildValues(c clause.Clause, b clause.Builder) {
	stmt, ok := b.(*gorm.Statement)
	values, isValues := c.Expression.(clause.Values)
	if !ok || !isValues {
		h.builders.values(c, b)
		return
	}
	pass := passOf(stmt.Context)
	if pass == nil || pass.stmt != stmt || pass.Who.Kind == System || stmt.Error != nil { // GORM sends nothing after an error
		h.builders.values(c, b)
		return
	}
	if pass.Table != nil && pass.Table.Class == tables.Owned {
		pass.pending = false
		with, err := h.valuesWithTenant(pass, values)
		if err == nil && c.Builder != nil {
			err = h.refusal(pass, Unconfined, "clause VALUES brings a builder of its own")
		}
		if err != nil {
			_ = b.AddError(err)
			return
		}
		if len(with.Columns) != len(values.Columns) {
			values, c.Expression = with, with
		}
	}
	if pass.free || !isMap(stmt.Dest) && h.plainModel(stmt.Schema) {
		h.builders.values(c, b)
		return
	}
	r := reader{h: h, pass: pass}
	for _, col := range values.Columns {
		r.column(col)
	}
	for _, row := range values.Values {
		r.values(row)
	}
	if err := r.verdict("VALUES"); err != nil {
		_ = b.AddError(err)
		return
	}
	if r.opaque {
		h.buildValuesRead(pass, c, values, b)
		return
	}
	h.builders.values(c, b)
}

// buildValuesRead builds rows with expressions that only their Build knows, and reads what each has written.
func (h *Hooks) buildValuesRead(pass *Pass, c clause.Clause, values clause.Values, b clause.Builder) {
	for _, row := range values.Values {
		for i, v := range row {
			r := reader{h: h, pass: pass}
			if r.value(v); r.opaque {
				row[i] = &readValue{hooks: h, pass: pass, value: v}
			}
		}
	}
	for _, col := range values.Columns {
		if !plain(col.Name) {
			_ = b.AddError(h.refusal(pass, Unconfined, "column name "+quote(col.Name)+" is not plain"))
			return
		}
	}
	h.builders.values(c, b)
}

// readValue is a value that is read once it is written.
type readValue struct {
	hooks *Hooks
	pass  *Pass
	value any
}

// Build implements [clause.Expression].
func (v *readValue) Build(b clause.Builder) {
	start := v.pass.stmt.SQL.Len()
	b.AddVar(b, v.value)
	r := reader{h: v.hooks, pass: v.pass}
	r.written(v.pass.stmt.SQL.String()[start:])
	v.hooks.failBuild(v.pass, b, r.verdict("a value"))
}

// valuesWithTenant returns rows whose tenant column holds the tenant.
func (h *Hooks) valuesWithTenant(pass *Pass, values clause.Values) (clause.Values, error) {
	name := pass.Table.Tenant.Name
	at, spelled := -1, isMap(pass.stmt.Dest)
	for i, col := range values.Columns {
		if col.Name != name && (!spelled || !sameColumn(pass.stmt.Schema, col.Name, name)) {
			continue
		}
		if at >= 0 {
			return values, h.refusal(pass, Mismatch, "column "+name+" is given twice")
		}
		at = i
	}
	if at < 0 {
		if pass.Who.Kind == Everyone {
			return values, h.withoutTenantRow(pass)
		}
		values.Columns = append(slices.Clip(values.Columns), clause.Column{Name: name})
		if len(values.Values) == 0 {
			values.Values = [][]any{nil}
		}
		for i, row := range values.Values {
			values.Values[i] = append(slices.Clip(row), pass.arg.value)
		}
		return values, nil
	}
	for _, row := range values.Values {
		switch compareTenant(pass, row[at]) {
		case otherTenant:
			return values, h.foreignRow(pass, name)
		case noTenant:
			if pass.Who.Kind == Everyone {
				return values, h.withoutTenantRow(pass)
			}
			row[at] = pass.arg.value
		}
	}
	return values, nil
}

func (h *Hooks) withoutTenantRow(pass *Pass) error {
	return h.refusal(pass, NoTenant, "a row that is created without a tenant in the context must carry its tenant in column "+pass.Table.Tenant.Name)
}
