package tenancytest

import (
	"reflect"

	"gorm.io/gorm"
)

// stampTenant makes plain GORM do what an application for one tenant would: fill in the tenant column where it is empty.
func stampTenant(db *gorm.DB, w *world) error {
	stamp := func(db *gorm.DB) {
		stmt := db.Statement
		if db.Error != nil || stmt.Schema == nil {
			return
		}
		f := tenantField(stmt.Schema)
		if f == nil {
			return
		}
		switch dest := stmt.Dest.(type) {
		case map[string]any:
			dest[f.DBName] = string(w.a)
			return
		case *map[string]any:
			(*dest)[f.DBName] = string(w.a)
			return
		case []map[string]any:
			stampMaps(dest, f.DBName, w)
			return
		case *[]map[string]any:
			stampMaps(*dest, f.DBName, w)
			return
		}
		each(stmt.ReflectValue, func(v reflect.Value) {
			if v.Type() != stmt.Schema.ModelType || !v.CanAddr() {
				return
			}
			if _, zero := f.ValueOf(stmt.Context, v); zero {
				_ = db.AddError(f.Set(stmt.Context, v, string(w.a)))
			}
		})
	}
	if err := db.Callback().Create().Before("gorm:create").Register("tenancytest:stamp", stamp); err != nil {
		return err
	}
	return db.Callback().Update().Before("gorm:update").Register("tenancytest:stamp", func(db *gorm.DB) {
		if reflect.Indirect(reflect.ValueOf(db.Statement.Dest)).Kind() == reflect.Struct {
			stamp(db)
		}
	})
}

func stampMaps(maps []map[string]any, column string, w *world) {
	for _, m := range maps {
		m[column] = string(w.a)
	}
}

// each calls fn for a struct, or for each in a slice.
func each(v reflect.Value, fn func(reflect.Value)) {
	v = reflect.Indirect(v)
	switch v.Kind() {
	case reflect.Struct:
		fn(v)
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			each(v.Index(i), fn)
		}
	}
}
