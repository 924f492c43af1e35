package callbacks

import (
	"database/sql"
	"database/sql/driver"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"

	"github.com/gormtenancy/tenancy/internal/tables"
)

// mostTuples is how many parents one statement asks for; databases limit the number of arguments (SQLite: 32766).
const mostTuples = 1000

// foreignKeysOfRows refuses rows that point at another tenant's row. Each relation is looked at once for all rows; a key
// that carries the tenant needs no look at all. Rows that are not there are the business of the database's constraints.
func (h *Hooks) foreignKeysOfRows(pass *Pass) error {
	keys := h.Tables.ForeignKeys(pass.Table)
	for i := range keys {
		key := &keys[i]
		if key.Carries != "" {
			if err := h.carriedKey(pass, key); err != nil {
				return err
			}
			continue
		}
		parents := parentTuples{}
		_ = eachRow(pass.stmt, func(r row) error {
			if key.TypeColumn != "" {
				if v, known := r.get(pass.Context, key.TypeColumn); !known || !mayBeType(v, key.TypeValue) {
					return nil
				}
			}
			parents.addKey(key, func(column string) (any, bool) { return r.get(pass.Context, column) })
			return nil
		})
		if parents.unknown {
			if err := h.verifyLater(pass, key); err != nil {
				return err
			}
		}
		if err := h.checkParents(pass, key, &parents); err != nil {
			return err
		}
	}
	return nil
}

// carriedKey checks a foreign key with the tenant in it, where that is another column than the row's own tenant.
func (h *Hooks) carriedKey(pass *Pass, key *tables.ForeignKey) error {
	if t := pass.Table.Tenant; t != nil && t.Name == key.Carries {
		return nil
	}
	return eachRow(pass.stmt, func(r row) error {
		if v, _ := r.get(pass.Context, key.Carries); compareTenant(pass, v) == otherTenant {
			return h.foreignParent(pass, key)
		}
		return nil
	})
}

// hiddenParent is the error where policies show the tenant's rows alone: a parent that is not seen may be another tenant's,
// and the database's own constraints, which no policy holds, would take it.
func (h *Hooks) hiddenParent(pass *Pass, key *tables.ForeignKey) error {
	return h.refusal(pass, Mismatch, "foreign key "+key.Relation+" points at a row of "+key.Parent.Name+" that is not there, or not the tenant's: row-level security does not tell which")
}

func (h *Hooks) foreignParent(pass *Pass, key *tables.ForeignKey) error {
	return h.refusal(pass, Mismatch, "foreign key "+key.Relation+" points at a row of "+key.Parent.Name+" that is not the tenant's")
}

// foreignKeysOfSet does for an UPDATE what foreignKeysOfRows does for an INSERT. What only the database can know (an
// expression, one column of several) is looked at after the update, before its transaction ends.
func (h *Hooks) foreignKeysOfSet(pass *Pass, set clause.Set) error {
	assigned := func(column string) (any, bool) { return assigned(pass.stmt.Schema, set, column) }
	keys := h.Tables.ForeignKeys(pass.Table)
	for i := range keys {
		key := &keys[i]
		if key.Carries != "" {
			if v, ok := assigned(key.Carries); ok && compareTenant(pass, v) == otherTenant {
				return h.foreignParent(pass, key)
			}
			continue
		}
		touched := slices.ContainsFunc(key.Columns, func(column string) bool { _, ok := assigned(column); return ok })
		typ, typed := assigned(key.TypeColumn)
		typed = typed && key.TypeColumn != ""
		if !touched && !typed {
			continue
		}
		if typed && !mayBeType(typ, key.TypeValue) {
			continue
		}
		parents := parentTuples{}
		parents.addKey(key, assigned)
		if !typed && !parents.unknown && len(parents.tuples) == 0 {
			continue // NULL points at nothing
		}
		if parents.unknown || key.TypeColumn != "" && !typed {
			if err := h.verifyLater(pass, key); err != nil {
				return err
			}
			continue
		}
		if err := h.checkParents(pass, key, &parents); err != nil {
			return err
		}
	}
	return nil
}

// assigned returns what a SET clause assigns to a column.
func assigned(s *schema.Schema, set clause.Set, column string) (value any, known bool) {
	for _, a := range set {
		if !sameColumn(s, a.Column.Name, column) {
			continue
		}
		if known {
			return twice(), true
		}
		value, known = a.Value, true
	}
	return value, known
}

// parentTuples are the distinct keys that rows point at.
type parentTuples struct {
	tuples  [][]any
	seen    map[string]bool
	zero    func(column string) bool // whether the number 0 is a value there; nil: nowhere
	unknown bool                     // some are expressions, or not all of their columns are there
}

// addKey adds what one row has for a foreign key. A value that the column may take for another is only known when it is
// there: MySQL rounds 1.6 to 2.
func (p *parentTuples) addKey(key *tables.ForeignKey, get func(string) (any, bool)) {
	p.add(key.Columns, func(column string) (any, bool) {
		v, known := get(column)
		if known && !isExpression(v) && !keepsValue(key.Field(column), literal(v)) {
			return twice(), true
		}
		return v, known
	})
}

// keepsValue tells whether a column of a field's type stores a value as it is.
func keepsValue(f *schema.Field, v any) bool {
	if v == nil {
		return true
	}
	rv := reflect.ValueOf(v)
	text, isText := v.(string)
	if b, ok := v.([]byte); ok {
		text, isText = string(b), true
	}
	if f == nil {
		return isText || rv.CanInt() || rv.CanUint()
	}
	switch kind := f.IndirectFieldType.Kind(); {
	case kind >= reflect.Int && kind <= reflect.Uint64:
		if isText || rv.Kind() == reflect.String {
			if !isText {
				text = rv.String()
			}
			n, err := strconv.ParseInt(text, 10, 64)
			return err == nil && strconv.FormatInt(n, 10) == text
		}
		return rv.CanInt() || rv.CanUint() || rv.CanFloat() && rv.Float() == math.Trunc(rv.Float()) && math.Abs(rv.Float()) < 1<<53
	case kind == reflect.String:
		return isText || rv.Kind() == reflect.String
	default:
		return isText || rv.Type() == f.IndirectFieldType || rv.CanInt() || rv.CanUint()
	}
}

// mayBeType tells whether the value of a type column may be the one of a polymorphic relation. Databases differ in which
// strings they take for equal, so a value that is not surely another is looked at.
func mayBeType(v any, want string) bool {
	if isExpression(v) {
		return true
	}
	v = literal(v)
	s, isText := v.(string)
	if b, ok := v.([]byte); ok {
		s, isText = string(b), true
	}
	if !isText {
		return v != nil && fmt.Sprint(v) == want
	}
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return true
		}
	}
	return strings.EqualFold(strings.TrimSpace(s), want)
}

func (p *parentTuples) add(columns []string, get func(string) (any, bool)) {
	tuple := make([]any, len(columns))
	for i, column := range columns {
		v, known := get(column)
		if !known || isExpression(v) {
			p.unknown = true
			return
		}
		if tuple[i] = p.literal(column, v); tuple[i] == nil {
			return // NULL, or GORM's way to say so, points at nothing
		}
	}
	id := fmt.Sprint(tuple...)
	if p.seen == nil {
		p.seen = map[string]bool{}
	}
	if !p.seen[id] {
		p.seen[id] = true
		p.tuples = append(p.tuples, tuple)
	}
}

// literal unwraps the value of a column.
func (p *parentTuples) literal(column string, v any) any {
	if l := literal(v); l != nil || p.zero == nil || !p.zero(column) {
		return l
	}
	if rv := reflect.Indirect(reflect.ValueOf(v)); rv.IsValid() && (rv.CanInt() || rv.CanUint()) {
		return rv.Interface()
	}
	return nil
}

// literal unwraps a key's value; nil for NULL and for the number 0, which GORM takes for an unset key.
func literal(v any) any {
	if valuer, ok := v.(driver.Valuer); ok {
		rv := reflect.ValueOf(v)
		if rv.Kind() == reflect.Pointer && rv.IsNil() {
			return nil
		}
		out, err := valuer.Value()
		if err != nil {
			return v
		}
		return out
	}
	rv := reflect.ValueOf(v)
	for rv.Kind() == reflect.Pointer || rv.Kind() == reflect.Interface {
		if rv.IsNil() {
			return nil
		}
		rv = rv.Elem()
	}
	if !rv.IsValid() || (rv.CanInt() || rv.CanUint()) && rv.IsZero() {
		return nil
	}
	return rv.Interface()
}

// checkParents asks, in the statement's transaction, whose rows the keys point at, and keeps them from being deleted until
// it ends.
func (h *Hooks) checkParents(pass *Pass, key *tables.ForeignKey, parents *parentTuples) error {
	if len(parents.tuples) == 0 || pass.stmt.DryRun {
		return nil
	}
	if err := h.needTransaction(pass); err != nil {
		return err
	}
	parent := key.Parent
	value, err := h.tenantValue(pass, parent.Tenant)
	if err != nil {
		return err
	}
	for tuples := range slices.Chunk(parents.tuples, mostTuples) {
		o := newOwn(pass)
		o.text("SELECT CASE WHEN ")
		o.quoted(parent.Name, parent.Tenant.Name)
		o.text(" = ")
		o.bind(value)
		o.text(" THEN 0 ELSE 1 END FROM ")
		o.table(parent)
		o.text(" WHERE ")
		o.anyOf(parent.Name, key.Keys, tuples)
		o.text(h.engine.LockParents())
		foreign, found := 0, 0
		err := o.query(func(rows *sql.Rows) error {
			var other int
			if err := rows.Scan(&other); err != nil {
				return err
			}
			foreign += other
			found++
			return nil
		})
		if err != nil {
			return err
		}
		if h.Rules.HidesRows() && found < len(tuples) {
			return h.hiddenParent(pass, key)
		}
		if foreign == 0 {
			continue
		}
		if found, err := h.onlyForeign(pass, key, tuples, value); err != nil || found {
			if err == nil {
				err = h.foreignParent(pass, key)
			}
			return err
		}
	}
	return nil
}

// onlyForeign tells whether, for one of the keys, there are other tenants' rows and none of the tenant's: a key that is
// unique within a tenant can be there once for each.
func (h *Hooks) onlyForeign(pass *Pass, key *tables.ForeignKey, tuples [][]any, value any) (bool, error) {
	parent, twin := key.Parent, "tenancy_twin"
	o := newOwn(pass)
	o.text("SELECT 1 FROM ")
	o.table(parent)
	o.text(" WHERE ")
	o.anyOf(parent.Name, key.Keys, tuples)
	o.text(" AND ")
	o.notTenants(parent.Name, parent.Tenant, value)
	o.text(" AND NOT EXISTS (SELECT 1 FROM ")
	o.tableAs(parent, twin)
	o.text(" WHERE ")
	for _, column := range key.Keys {
		o.quoted(twin, column)
		o.text(" = ")
		o.quoted(parent.Name, column)
		o.text(" AND ")
	}
	o.quoted(twin, parent.Tenant.Name)
	o.text(" = ")
	o.bind(value)
	o.text(") LIMIT 1")
	return o.exists()
}

// anyOf writes a condition that is true for rows whose columns equal one of the tuples.
func (o *own) anyOf(table string, columns []string, tuples [][]any) {
	open, row := "", ""
	if len(columns) > 1 {
		open, row = "(", o.pass.hooks.engine.RowList()
	}
	o.text(open)
	for i, column := range columns {
		if i > 0 {
			o.text(",")
		}
		o.quoted(table, column)
	}
	if open != "" {
		o.text(")")
	}
	o.text(" IN (" + row)
	for i, tuple := range tuples {
		if i > 0 {
			o.text(",")
		}
		o.text(open)
		o.AddVar(&o.Statement, tuple...)
		if open != "" {
			o.text(")")
		}
	}
	o.text(")")
}

// verifyLater has a key looked at once the statement has run.
func (h *Hooks) verifyLater(pass *Pass, key *tables.ForeignKey) error {
	if pass.Table.Class != tables.Owned {
		return h.refusal(pass, Unconfined, "foreign key "+key.Relation+" is set to something that is only known after the statement: set all its columns to values")
	}
	w := pass.writing()
	w.verify = append(w.verify, key)
	return nil
}

// crossing tells whether one of the tenant's rows points at another tenant's.
func (h *Hooks) crossing(pass *Pass, key *tables.ForeignKey) (bool, error) {
	parent := key.Parent
	value, err := h.tenantValue(pass, parent.Tenant)
	if err != nil {
		return false, err
	}
	const child = "tenancy_child" // the parent may be the same table
	if h.Rules.HidesRows() {
		return h.orphaned(pass, key, child, value)
	}
	o := newOwn(pass)
	o.text("SELECT 1 FROM ")
	o.tableAs(pass.Table, child)
	o.text(" JOIN ")
	o.table(parent)
	o.text(" ON ")
	for i := range key.Columns {
		o.quoted(parent.Name, key.Keys[i])
		o.text(" = ")
		o.quoted(child, key.Columns[i])
		o.text(" AND ")
	}
	if key.TypeColumn != "" {
		o.quoted(child, key.TypeColumn)
		o.text(" = ")
		o.bind(key.TypeValue)
		o.text(" AND ")
	}
	o.notTenants(parent.Name, parent.Tenant, value)
	o.text(" WHERE ")
	o.quoted(child, pass.Table.Tenant.Name)
	o.text(" = ")
	o.bind(pass.arg.value)
	o.text(" LIMIT 1")
	return o.exists()
}

// orphaned tells whether one of the tenant's rows points at a row that is not to be seen.
func (h *Hooks) orphaned(pass *Pass, key *tables.ForeignKey, child string, value any) (bool, error) {
	parent := key.Parent
	o := newOwn(pass)
	o.text("SELECT 1 FROM ")
	o.tableAs(pass.Table, child)
	o.text(" WHERE ")
	o.quoted(child, pass.Table.Tenant.Name)
	o.text(" = ")
	o.bind(pass.arg.value)
	if key.TypeColumn != "" {
		o.text(" AND ")
		o.quoted(child, key.TypeColumn)
		o.text(" = ")
		o.bind(key.TypeValue)
	}
	for _, column := range key.Columns {
		o.text(" AND ")
		o.quoted(child, column)
		o.text(" IS NOT NULL")
	}
	o.text(" AND NOT EXISTS (SELECT 1 FROM ")
	o.table(parent)
	o.text(" WHERE ")
	for i := range key.Columns {
		o.quoted(parent.Name, key.Keys[i])
		o.text(" = ")
		o.quoted(child, key.Columns[i])
		o.text(" AND ")
	}
	o.quoted(parent.Name, parent.Tenant.Name)
	o.text(" = ")
	o.bind(value)
	o.text(") LIMIT 1")
	return o.exists()
}

// notTenants writes the condition that a row is not the tenant's.
func (o *own) notTenants(table string, c *tables.Column, value any) {
	o.text("(")
	o.quoted(table, c.Name)
	o.text(" <> ")
	o.bind(value)
	o.text(" OR ")
	o.quoted(table, c.Name)
	o.text(" IS NULL)")
}
