package pools

import (
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"gorm.io/gorm"
)

// storage is what a SQLite dialector opens.
type storage struct {
	path   string // of the file; empty: it is not known, or there is none
	memory bool
}

// storageOf reads the storage of a SQLite dialector from its DSN. The drivers modernc.org/sqlite v1.62.0 (conn.go, newConn)
// and github.com/mattn/go-sqlite3 v1.14.22 (sqlite3.go, SQLiteDriver.Open) both take all from the first '?' for parameters,
// unless it is a URI, which SQLite reads itself (sqlite.org/uri.html).
func storageOf(d gorm.Dialector) storage {
	v := fieldOf(reflect.ValueOf(d), "DSN")
	if !v.IsValid() || v.Kind() != reflect.String {
		return storage{}
	}
	dsn := v.String()
	before, query, _ := strings.Cut(dsn, "?")
	if before == ":memory:" {
		return storage{memory: true}
	}
	path, uri := strings.CutPrefix(before, "file:")
	if !uri {
		if before == "" {
			before = dsn // the drivers look for a '?' from the second byte on
		}
		return storage{path: before}
	}
	query, _, _ = strings.Cut(query, "#")
	path, _, _ = strings.Cut(path, "#")
	params, _ := url.ParseQuery(query) // what cannot be read is left out
	if path == ":memory:" || params.Get("mode") == "memory" || params.Get("vfs") == "memdb" {
		return storage{memory: true}
	}
	if params.Has("vfs") {
		return storage{}
	}
	if authority, ok := strings.CutPrefix(path, "//"); ok {
		_, path, _ = strings.Cut(authority, "/")
		path = "/" + path
	}
	path, err := url.PathUnescape(path)
	if err != nil {
		return storage{}
	}
	if len(path) > 2 && path[0] == '/' && path[2] == ':' && filepath.VolumeName(path[1:]) != "" {
		path = path[1:] // /C:/x is C:/x on Windows
	}
	return storage{path: filepath.FromSlash(path)}
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
