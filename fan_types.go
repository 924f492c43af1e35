package tenancy

import (
	"database/sql/driver"
	"reflect"
	"time"
)

// dynamicRows are rows of SQLite, where each value has a type of its own: a column's type is that of the row that is read, and of
// the first one before that is, as the driver has it (modernc.org/sqlite v1.62.0 rows.go ColumnTypeScanType). GORM scans rows into
// maps by it.
type dynamicRows struct {
	typedRows

	current []driver.Value
	first   bool // current is not handed over yet
	err     error
}

func newDynamicRows(rows typedRows) *dynamicRows {
	d := &dynamicRows{typedRows: rows, first: true}
	row := make([]driver.Value, len(rows.Columns()))
	if d.err = rows.Next(row); d.err == nil {
		d.current = row
	}
	return d
}

// Next implements [driver.Rows].
func (d *dynamicRows) Next(dest []driver.Value) error {
	if d.err != nil {
		return d.err
	}
	if d.first {
		d.first = false
		copy(dest, d.current)
		return nil
	}
	if d.err = d.typedRows.Next(dest); d.err == nil {
		copy(d.current, dest)
	}
	return d.err
}

// ColumnTypeScanType implements [driver.RowsColumnTypeScanType].
func (d *dynamicRows) ColumnTypeScanType(i int) reflect.Type {
	if d.current == nil {
		return d.typedRows.ColumnTypeScanType(i)
	}
	if _, moment := d.current[i].(time.Time); moment {
		return reflect.TypeFor[string]() // as it is stored
	}
	return reflect.TypeOf(d.current[i])
}
