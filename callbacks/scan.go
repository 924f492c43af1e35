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
func forget(db *gorm.DB) {
	if !failedToRead(db.Error) {
		return
	}
	v := reflect.ValueOf(db.Statement.Dest)
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	if v.IsValid() && v.CanSet() {
		v.SetZero()
	} else if v.Kind() == reflect.Map {
		v.Clear()
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
