package callbacks

import (
	"context"
	"errors"
	"reflect"
	"strings"

	"gorm.io/gorm"
)

// forget empties the destination of a query whose rows could not be read. GORM reads values into what it keeps for all
// statements of the process, and fills the fields from it although the reading failed: with what somebody else read last
// (gorm v1.31.2 scan.go scanIntoStruct, schema/field.go NewValuePool).
func forget(db *gorm.DB, op Op) {
	if !failedToRead(db.Error) {
		return
	}
	stmt := db.Statement
	if op != OpQuery {
		if _, returning := stmt.Clauses["RETURNING"]; returning && (op == OpUpdate || op == OpDelete) {
			forgetReturned(stmt)
		}
		return
	}
	v := reflect.ValueOf(stmt.Dest)
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	if v.IsValid() && v.CanSet() {
		v.SetZero()
	} else if v.Kind() == reflect.Map {
		v.Clear()
	}
}

// forgetReturned empties what RETURNING was to fill: rows, or the fields of a row but for its key, which the application has set.
func forgetReturned(stmt *gorm.Statement) {
	v := reflect.Indirect(stmt.ReflectValue)
	switch {
	case !v.IsValid() || !v.CanSet():
	case v.Kind() == reflect.Slice:
		v.SetZero()
	case v.Kind() == reflect.Struct && stmt.Schema != nil:
		for _, f := range stmt.Schema.Fields {
			if f.DBName != "" && !f.PrimaryKey {
				f.ReflectValueOf(stmt.Context, v).SetZero()
			}
		}
	}
}

// failedToRead tells whether an error may have come while values were read, as database/sql's do (Go 1.26 database/sql/sql.go
// Rows.Scan).
func failedToRead(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	text := err.Error()
	return strings.Contains(text, "sql: Scan ") || strings.Contains(text, "sql: Rows are closed") || strings.Contains(text, "sql: expected ")
}
