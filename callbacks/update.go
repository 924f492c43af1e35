package callbacks

import (
	"reflect"
	"slices"
	"strings"

	"gorm.io/gorm"
	gormcallbacks "gorm.io/gorm/callbacks"
	"gorm.io/gorm/clause"

	"github.com/gormtenancy/tenancy/internal/sqltext"
	"github.com/gormtenancy/tenancy/internal/tables"
)

// confineUpdate runs after the application's hooks and before the UPDATE is built.
func (h *Hooks) confineUpdate(db *gorm.DB) {
	stmt := db.Statement
	pass := passOf(stmt.Context)
	if db.Error != nil || pass == nil || pass.stmt != stmt || pass.scoped {
		return
	}
	if err := h.prepareUpdate(db, pass); err != nil {
		h.stop(db, pass, err)
	}
}

func (h *Hooks) prepareUpdate(db *gorm.DB, pass *Pass) error {
	if err := h.readmit(pass); err != nil {
		return err
	}
	stmt := db.Statement
	if err := h.keyOfModel(pass, reflect.ValueOf(stmt.Model)); err != nil {
		return err
	}
	if pass.confined {
		if err := h.carriesTenant(pass, reflect.ValueOf(stmt.Model)); err != nil {
			return err
		}
		if err := h.keepTenant(pass); err != nil {
			return err
		}
		if err := h.sameTenant(pass); err != nil {
			return err
		}
	}
	if err := h.confine(db, pass); err != nil {
		return err
	}
	if !pass.free || pass.confined || pass.modelKeys != nil {
		if err := h.prepareAssignments(pass); err != nil {
			return err
		}
	}
	return h.beforeWrite(db, pass)
}

// keepTenant lets Save, and Updates with Select("*"), write all columns of a row that was loaded or made without its
// tenant: the tenant is put into the struct, or the column is left out.
func (h *Hooks) keepTenant(pass *Pass) error {
	stmt, t := pass.stmt, pass.Table
	if t.Class != tables.Owned || stmt.Schema == nil || !selectsAll(stmt.Selects) {
		return nil
	}
	dest := reflect.Indirect(reflect.ValueOf(stmt.Dest))
	f := stmt.Schema.FieldsByDBName[t.Tenant.Name]
	if f == nil || dest.Kind() != reflect.Struct || dest.Type() != stmt.Schema.ModelType {
		return nil
	}
	if _, zero := f.ValueOf(pass.Context, dest); !zero {
		return nil
	}
	if dest.CanAddr() {
		return f.Set(pass.Context, dest, pass.arg.value)
	}
	stmt.Omits = append(slices.Clip(stmt.Omits), t.Tenant.Name)
	return nil
}

// sameTenant refuses a destination that names another tenant. The SET clause shows it too, but GORM writes what it assigns
// into the application's model first.
func (h *Hooks) sameTenant(pass *Pass) error {
	if pass.Table.Class != tables.Owned {
		return nil
	}
	values, ok := pass.stmt.Dest.(map[string]any)
	if p, isPointer := pass.stmt.Dest.(*map[string]any); isPointer && p != nil {
		values, ok = *p, true
	}
	if !ok {
		return h.carriesTenantField(pass)
	}
	name := pass.Table.Tenant.Name
	r := row{schema: pass.stmt.Schema, values: values}
	for key, v := range values {
		if !sameColumn(r.schema, key, name) || compareTenant(pass, v) == sameTenant ||
			v == nil && h.unlinks(pass, func(column string) (any, bool) { return r.get(pass.Context, column) }) {
			continue
		}
		return h.foreignRow(pass, name)
	}
	return nil
}

// carriesTenantField does it for a struct, which can be of another type than the model.
func (h *Hooks) carriesTenantField(pass *Pass) error {
	dest := reflect.Indirect(reflect.ValueOf(pass.stmt.Dest))
	if dest.Kind() != reflect.Struct || pass.stmt.Schema == nil || dest.Type() == pass.stmt.Schema.ModelType {
		return h.carriesTenant(pass, dest)
	}
	other := &gorm.Statement{DB: pass.stmt.DB}
	if err := other.Parse(pass.stmt.Dest); err != nil {
		return nil //nolint:nilerr // GORM reports it
	}
	f := other.Schema.LookUpField(pass.Table.Tenant.Name)
	if f == nil {
		return nil
	}
	if v, zero := f.ValueOf(pass.Context, dest); !zero && compareTenant(pass, v) != sameTenant {
		return h.foreignRow(pass, pass.Table.Tenant.Name)
	}
	return nil
}

// unlinks tells whether an update takes rows from their parent by a key that carries the tenant: GORM's association mode
// then sets all columns of the key to NULL, the row's own tenant among them (gorm v1.31.2 association.go Replace).
func (h *Hooks) unlinks(pass *Pass, assigned func(column string) (any, bool)) bool {
	keys := h.Tables.ForeignKeys(pass.Table)
	return slices.ContainsFunc(keys, func(key tables.ForeignKey) bool {
		return key.Carries == pass.Table.Tenant.Name && len(key.Columns) > 1 && !slices.ContainsFunc(key.Columns, func(column string) bool {
			v, known := assigned(column)
			return !known || v != nil
		})
	})
}

// unlink leaves the tenant out of such an update: the row stays the tenant's.
func (h *Hooks) unlink(pass *Pass, set clause.Set) clause.Set {
	t := pass.Table
	if t.Class != tables.Owned {
		return set
	}
	own := func(a clause.Assignment) bool {
		return a.Value == nil && sameColumn(pass.stmt.Schema, a.Column.Name, t.Tenant.Name)
	}
	if !slices.ContainsFunc(set, own) || !h.unlinks(pass, func(column string) (any, bool) { return assigned(pass.stmt.Schema, set, column) }) {
		return set
	}
	return slices.DeleteFunc(slices.Clone(set), own) // the application may hold the set
}

func selectsAll(selects []string) bool {
	return slices.Contains(selects, "*")
}

// prepareAssignments makes the SET clause as gorm:update would, and reads it: GORM takes a clause that is there already.
// All spellings of an update come together in it: maps, structs, expressions, clause.Set. As in gorm:update the clauses of
// the model's fields come first, which group the conditions that are there before the primary key is added to them
// (gorm v1.31.2 callbacks/update.go Update, soft_delete.go ModifyStatement); they do it once.
func (h *Hooks) prepareAssignments(pass *Pass) error {
	stmt := pass.stmt
	if stmt.Schema != nil {
		for _, c := range stmt.Schema.UpdateClauses {
			stmt.AddClause(c)
		}
	}
	c, given := stmt.Clauses["SET"]
	set, ok := c.Expression.(clause.Set)
	switch {
	case !given:
		set = gormcallbacks.ConvertToAssignments(stmt)
		if len(set) == 0 {
			return nil
		}
		c.Name, pass.ownSet = "SET", true
	case !ok:
		return h.refusal(pass, Unconfined, "its SET clause is not of GORM's type")
	default:
		set = slices.Clone(set) // clones of the statement share it
	}
	if pass.confined {
		set = h.unlink(pass, set)
	}
	if pass.modelKeys != nil {
		set = h.keepKey(pass, set)
	}
	c.Expression = set
	stmt.Clauses["SET"] = c
	for i, a := range set {
		if err := h.readAssignment(pass, set, i, a); err != nil {
			return err
		}
	}
	if !pass.confined {
		return nil
	}
	return h.foreignKeysOfSet(pass, set)
}

func (h *Hooks) readAssignment(pass *Pass, set clause.Set, i int, a clause.Assignment) error {
	if t := pass.Table; pass.confined && t.Class == tables.Owned && sameColumn(pass.stmt.Schema, a.Column.Name, t.Tenant.Name) &&
		compareTenant(pass, a.Value) != sameTenant {
		return h.foreignRow(pass, t.Tenant.Name)
	}
	if pass.free {
		return nil
	}
	r := reader{h: h, pass: pass, place: sqltext.Assignment}
	if r.column(a.Column); a.Column.Raw || r.opaque {
		return h.refusal(pass, Unconfined, "column name "+quote(a.Column.Name)+" is not plain")
	}
	set[i].Value = r.assigned(a.Value)
	if r.opaque && r.why == "" && pass.stmt.SQL.Len() > 0 { // a field's clause, such as a version's, has built the statement
		r.why = "a value cannot be read"
	}
	return r.verdict("SET")
}

// assigned reads a value to be assigned, and returns what is to be written in its place: text in parentheses, so that it
// cannot go on behind the value, and what could not be read as something that is read once it is written.
func (r *reader) assigned(v any) any {
	r.value(v)
	if r.opaque && r.why == "" {
		return &readAssigned{hooks: r.h, pass: r.pass, value: v}
	}
	if !r.pass.confined {
		return v
	}
	switch e := v.(type) {
	case clause.Expr:
		if !strings.EqualFold(strings.TrimSpace(e.SQL), "default") {
			return inParentheses{e}
		}
	case clause.NamedExpr:
		return inParentheses{e}
	}
	return v
}

// inParentheses is an expression that nothing of it can reach out of.
type inParentheses struct{ clause.Expression }

// Build implements [clause.Expression].
func (p inParentheses) Build(b clause.Builder) {
	_ = b.WriteByte('(')
	p.Expression.Build(b)
	_ = b.WriteByte(')')
}

// readAssigned is an assigned value that is read once it is written.
type readAssigned struct {
	hooks *Hooks
	pass  *Pass
	value any
}

// Build implements [clause.Expression].
func (v *readAssigned) Build(b clause.Builder) {
	if v.pass.confined {
		_ = b.WriteByte('(')
	}
	start := v.pass.stmt.SQL.Len()
	b.AddVar(b, v.value)
	r := reader{h: v.hooks, pass: v.pass, place: sqltext.Assignment}
	r.written(v.pass.stmt.SQL.String()[start:])
	if v.pass.confined {
		_ = b.WriteByte(')')
	}
	v.hooks.failBuild(v.pass, b, r.verdict("SET"))
}

// confineDelete runs after the application's hooks and before the DELETE is built.
func (h *Hooks) confineDelete(db *gorm.DB) {
	stmt := db.Statement
	pass := passOf(stmt.Context)
	if db.Error != nil || pass == nil || pass.stmt != stmt || pass.scoped {
		return
	}
	err := h.carriesTenant(pass, stmt.ReflectValue)
	if err == nil && stmt.Model != stmt.Dest {
		err = h.carriesTenant(pass, reflect.ValueOf(stmt.Model))
	}
	if err == nil {
		err = h.keyOfModel(pass, stmt.ReflectValue)
	}
	if err == nil && stmt.Model != stmt.Dest {
		err = h.keyOfModel(pass, reflect.ValueOf(stmt.Model))
	}
	if err == nil {
		err = h.confine(db, pass)
	}
	if err != nil {
		h.stop(db, pass, err)
	}
}
