package callbacks

import (
	"reflect"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"
)

// isMap tells whether a create takes its columns from maps, whose keys are the application's.
func isMap(dest any) bool {
	switch dest.(type) {
	case map[string]any, *map[string]any, []map[string]any, *[]map[string]any:
		return true
	}
	return false
}

// plainModel tells whether rows of a model can hold nothing but values: all of its columns have plain names, and no type
// of a field can build SQL. It is found out once for a model.
func (h *Hooks) plainModel(s *schema.Schema) bool {
	if s == nil {
		return false
	}
	if known, ok := h.plain.Load(s); ok {
		return known == true
	}
	is := true
	for _, f := range s.Fields {
		if f.DBName != "" && (!plain(f.DBName) || f.Serializer == nil && !plainType(f.FieldType)) {
			is = false
		}
	}
	h.plain.Store(s, is)
	return is
}

func plainType(t reflect.Type) bool {
	if implements[gorm.Valuer](t) || implements[clause.Expression](t) || implements[clause.Interface](t) {
		return false
	}
	switch t.Kind() {
	case reflect.Interface:
		return false
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return plainType(t.Elem())
	default:
		return t != reflect.TypeFor[gorm.DB]()
	}
}

// implements tells whether a value of the type, or a pointer to one, is an I.
func implements[I any](t reflect.Type) bool {
	return t.Implements(reflect.TypeFor[I]()) || reflect.PointerTo(t).Implements(reflect.TypeFor[I]())
}
