package merge

import "reflect"

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
