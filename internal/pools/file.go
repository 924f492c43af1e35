package pools

import (
	"errors"
	"io/fs"
	"os"
	"reflect"

	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy/internal/dsn"
)

// storage is what a SQLite dialector opens.
type storage struct {
	path   string // of the file; empty: it is not known, or there is none
	memory bool
}

// storageOf reads the storage of a SQLite dialector from its DSN.
func storageOf(d gorm.Dialector) storage {
	v := fieldOf(reflect.ValueOf(d), "DSN")
	if !v.IsValid() || v.Kind() != reflect.String {
		return storage{}
	}
	path, memory := dsn.SQLiteFile(v.String())
	return storage{path: path, memory: memory}
}

// FileOf returns the path of the file that a SQLite dialector opens, or "" if it is not known or there is none, and whether
// its database is in memory.
func FileOf(d gorm.Dialector) (path string, memory bool) {
	s := storageOf(d)
	return s.path, s.memory
}

// missing reports whether the file is known not to exist. SQLite would create it.
func (s storage) missing() bool {
	if s.path == "" {
		return false
	}
	_, err := os.Stat(s.path)
	return errors.Is(err, fs.ErrNotExist)
}

// bringsPool reports whether a dialector has been given a pool in place of opening one: that is what a field Conn is for
// in GORM's drivers.
func bringsPool(d gorm.Dialector) bool {
	v := fieldOf(reflect.ValueOf(d), "Conn")
	return v.IsValid() && v.Kind() == reflect.Interface && !v.IsNil()
}

// fieldOf returns the exported field of that name in the struct that v is, points to or embeds, or the zero Value.
func fieldOf(v reflect.Value, name string) reflect.Value {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct {
		return reflect.Value{}
	}
	if f, ok := v.Type().FieldByName(name); ok && f.IsExported() {
		found, err := v.FieldByIndexErr(f.Index)
		if err != nil { // it is in an embedded struct, and the pointer to that is nil
			return reflect.Value{}
		}
		return found
	}
	for i := range v.NumField() { // a dialector that wraps another one
		if f := v.Type().Field(i); f.Anonymous && f.Type.Kind() == reflect.Interface {
			if found := fieldOf(v.Field(i), name); found.IsValid() {
				return found
			}
		}
	}
	return reflect.Value{}
}
