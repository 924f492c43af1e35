package callbacks

import (
	"context"
	"reflect"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"

	"github.com/gormtenancy/tenancy/internal/tables"
)

// row is one element of what a create writes: a struct of the model, or a map.
type row struct {
	schema *schema.Schema
	model  reflect.Value
	values map[string]any
}

// eachRow calls fn for every element of a create's destination, until fn fails.
func eachRow(stmt *gorm.Statement, fn func(row) error) error {
	switch dest := stmt.Dest.(type) {
	case map[string]any:
		return fn(row{schema: stmt.Schema, values: dest})
	case *map[string]any:
		return fn(row{schema: stmt.Schema, values: *dest})
	case []map[string]any:
		return eachMap(stmt.Schema, dest, fn)
	case *[]map[string]any:
		return eachMap(stmt.Schema, *dest, fn)
	}
	if stmt.Schema == nil {
		return nil
	}
	return eachStruct(stmt.Schema, stmt.ReflectValue, fn)
}

// countRows returns how many that are at most.
func countRows(stmt *gorm.Statement) int {
	switch dest := stmt.Dest.(type) {
	case []map[string]any:
		return len(dest)
	case *[]map[string]any:
		return len(*dest)
	}
	if v := reflect.Indirect(stmt.ReflectValue); v.Kind() == reflect.Slice || v.Kind() == reflect.Array {
		return v.Len()
	}
	return 1
}

func eachMap(s *schema.Schema, maps []map[string]any, fn func(row) error) error {
	for _, m := range maps {
		if err := fn(row{schema: s, values: m}); err != nil {
			return err
		}
	}
	return nil
}

// eachStruct calls fn for a struct of the schema's type, or for each in a slice.
func eachStruct(s *schema.Schema, v reflect.Value, fn func(row) error) error {
	v = reflect.Indirect(v)
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == s.ModelType {
			return fn(row{schema: s, model: v})
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			elem := v.Index(i)
			for elem.Kind() == reflect.Pointer || elem.Kind() == reflect.Interface {
				elem = elem.Elem()
			}
			if !elem.IsValid() || elem.Kind() != reflect.Struct || elem.Type() != s.ModelType {
				continue // GORM reports it
			}
			if err := fn(row{schema: s, model: elem}); err != nil {
				return err
			}
		}
	}
	return nil
}

// get returns the value that the row has for a column; known is false if it has none.
func (r row) get(ctx context.Context, column string) (value any, known bool) {
	if r.model.IsValid() {
		f := r.schema.FieldsByDBName[column]
		if f == nil {
			return nil, false
		}
		v, _ := f.ValueOf(ctx, r.model)
		return v, true
	}
	for key, v := range r.values {
		if !sameColumn(r.schema, key, column) {
			continue
		}
		if known {
			return twice(), true
		}
		value, known = v, true
	}
	return value, known
}

// spelled returns the key that a map has for a column; the column's name if it has none.
func (r row) spelled(column string) string {
	for key := range r.values {
		if sameColumn(r.schema, key, column) {
			return key
		}
	}
	return column
}

// twice stands for the value of a column that is given two of them: only the database knows which it takes.
func twice() any { return clause.Expr{} }

// sameColumn tells whether key, as an application spells it in a map or an assignment, is the column: by field name, by
// column name, in any case, quoted or with a table in front.
func sameColumn(s *schema.Schema, key, column string) bool {
	if key == column {
		return true
	}
	if s != nil {
		if f := s.LookUpField(key); f != nil {
			return f.DBName == column
		}
	}
	if i := strings.LastIndexByte(key, '.'); i >= 0 {
		key = key[i+1:]
	}
	return strings.EqualFold(strings.Trim(key, "`\"[] \t"), column)
}

// isExpression tells whether a value is SQL rather than a value.
func isExpression(v any) bool {
	switch v.(type) {
	case nil, string, int, int64, uint, uint64, bool, []byte:
		return false
	case clause.Expression, gorm.Valuer, *gorm.DB, clause.Column:
		return true
	}
	return isSubquery(v)
}

// tenantOf compares the tenant that a row carries with the statement's.
type tenantOf uint8

const (
	noTenant tenantOf = iota
	sameTenant
	otherTenant
)

// compareTenant compares a tenant column's value with the tenant of the pass. Under WithoutTenant any tenant is the same.
func compareTenant(pass *Pass, v any) tenantOf {
	if s, ok := v.(string); ok && s != "" && s == pass.Who.ID {
		return sameTenant
	}
	if isExpression(v) {
		return otherTenant
	}
	id, err := tables.Spell(v)
	switch {
	case err != nil:
		return otherTenant
	case id == "":
		return noTenant
	case pass.Who.Kind == Everyone || id == pass.Who.ID:
		return sameTenant
	default:
		return otherTenant
	}
}

// foreignRow is the refusal of a row that carries another tenant's ID.
func (h *Hooks) foreignRow(pass *Pass, column string) error {
	return h.refusal(pass, Mismatch, "column "+column+" is to hold another tenant, or SQL that could be one: leave it empty, or use the context of that tenant")
}

// carriesTenant refuses a model value that was loaded for another tenant.
func (h *Hooks) carriesTenant(pass *Pass, v reflect.Value) error {
	t := pass.Table
	if t == nil || t.Tenant == nil || t.Tenant.Field == nil || pass.stmt.Schema == nil || pass.Who.Kind != Tenant {
		return nil
	}
	f := pass.stmt.Schema.FieldsByDBName[t.Tenant.Name]
	if f == nil {
		return nil
	}
	return eachStruct(pass.stmt.Schema, v, func(r row) error {
		if v, zero := f.ValueOf(pass.Context, r.model); !zero && compareTenant(pass, v) == otherTenant {
			return h.refusal(pass, Mismatch, "the "+pass.stmt.Schema.Name+" given belongs to another tenant: load it in this tenant's context")
		}
		return nil
	})
}
