package merge

import (
	"database/sql/driver"
	"reflect"
)

// Rows are what the sources are together: a [driver.Rows] that tells the types of its columns.
type Rows struct {
	fan     *fanIn
	stream  stream
	columns shape
	err     error
}

var (
	_ driver.Rows                           = (*Rows)(nil)
	_ driver.RowsColumnTypeDatabaseTypeName = (*Rows)(nil)
	_ driver.RowsColumnTypeLength           = (*Rows)(nil)
	_ driver.RowsColumnTypeNullable         = (*Rows)(nil)
	_ driver.RowsColumnTypePrecisionScale   = (*Rows)(nil)
	_ driver.RowsColumnTypeScanType         = (*Rows)(nil)
)

// Next implements [driver.Rows]. Bytes are valid until the next call.
func (r *Rows) Next(dest []driver.Value) error {
	if r.err != nil {
		return r.err
	}
	if r.err = r.fan.failure(); r.err == nil {
		var row []driver.Value
		if row, r.err = r.stream.next(); r.err == nil {
			copy(dest, row)
			return nil
		}
	}
	r.fan.enough()
	return r.err
}

// Close implements [driver.Rows]. It waits until the sources are closed. It is not to be called while Next is.
func (r *Rows) Close() error {
	r.fan.close()
	return nil
}

// Columns implements [driver.Rows].
func (r *Rows) Columns() []string {
	names := make([]string, len(r.columns))
	for i := range r.columns {
		names[i] = r.columns[i].name
	}
	return names
}

// ColumnTypeDatabaseTypeName implements [driver.RowsColumnTypeDatabaseTypeName].
func (r *Rows) ColumnTypeDatabaseTypeName(i int) string { return r.columns[i].typ }

// ColumnTypeLength implements [driver.RowsColumnTypeLength].
func (r *Rows) ColumnTypeLength(i int) (length int64, ok bool) {
	return r.columns[i].length, r.columns[i].hasLength
}

// ColumnTypeNullable implements [driver.RowsColumnTypeNullable].
func (r *Rows) ColumnTypeNullable(i int) (nullable, ok bool) {
	return r.columns[i].nullable, r.columns[i].hasNullable
}

// ColumnTypePrecisionScale implements [driver.RowsColumnTypePrecisionScale].
func (r *Rows) ColumnTypePrecisionScale(i int) (precision, scale int64, ok bool) {
	return r.columns[i].precision, r.columns[i].scale, r.columns[i].hasScale
}

// ColumnTypeScanType implements [driver.RowsColumnTypeScanType].
func (r *Rows) ColumnTypeScanType(i int) reflect.Type { return r.columns[i].scanType() }
