package tenancytest

import (
	"reflect"

	"gorm.io/gorm"
)

// stampTenant makes plain GORM do what an application for one tenant would: fill in the tenant column where it is empty.
func stampTenant(db *gorm.DB, w *world, tables []*table) error {
	stamp := func(db *gorm.DB) {
		stmt := db.Statement
		if db.Error != nil {
			return
		}
		column := tenantColumn(stmt, tables)
		if column == "" {
			return
		}
		switch dest := stmt.Dest.(type) {
		case map[string]any:
			dest[column] = string(w.a)
			return
		case *map[string]any:
			(*dest)[column] = string(w.a)
			return
		case []map[string]any:
			stampMaps(dest, column, w)
			return
		case *[]map[string]any:
			stampMaps(*dest, column, w)
			return
		}
		if stmt.Schema == nil {
			return
		}
		f := stmt.Schema.LookUpField(column)
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

// tenantColumn is the tenant column of the statement's table; empty if it has none.
func tenantColumn(stmt *gorm.Statement, tables []*table) string {
	if stmt.Schema != nil {
		if f := tenantField(stmt.Schema); f != nil {
			return f.DBName
		}
		return ""
	}
	for _, table := range tables {
		if table.name == stmt.Table && len(table.tenants) == 1 {
			return table.tenants[0]
		}
	}
	return ""
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
