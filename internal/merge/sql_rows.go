package merge

import (
	"database/sql"
	"database/sql/driver"
	"io"
	"reflect"
)

// SQLRows are the rows of a pool's query as a [driver.Rows], with the values of its driver. Closing them closes the query.
func SQLRows(rows *sql.Rows) (driver.Rows, error) {
	names, err := rows.Columns()
	if err != nil {
		_ = rows.Close()
		return nil, err
	}
	types, err := rows.ColumnTypes()
	if err != nil {
		_ = rows.Close()
		return nil, err
	}
	r := &sqlRows{rows: rows, names: names, types: types, values: make([]any, len(names)), into: make([]any, len(names))}
	for i := range r.values {
		r.into[i] = &r.values[i]
	}
	return r, nil
}

type sqlRows struct {
	rows   *sql.Rows
	names  []string
	values []any
	into   []any
	types  []*sql.ColumnType
	begun  bool
}

// Columns implements [driver.Rows].
func (r *sqlRows) Columns() []string { return r.names }

// Close implements [driver.Rows].
func (r *sqlRows) Close() error { return r.rows.Close() }

// ownsBytes says that nobody else has the values: into *any, Scan copies bytes and leaves other values as they are (go1.26,
// database/sql/convert.go, convertAssignRows).
func (r *sqlRows) ownsBytes() {}

// Next implements [driver.Rows].
func (r *sqlRows) Next(dest []driver.Value) error {
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return io.EOF
	}
	if !r.begun {
		r.begun = true
		types, err := r.rows.ColumnTypes() // SQLite's are those of the row
		if err != nil {
			return err
		}
		r.types = types
	}
	if err := r.rows.Scan(r.into...); err != nil {
		return err
	}
	for i, v := range r.values {
		dest[i] = v
	}
	return nil
}

// ColumnTypeDatabaseTypeName implements [driver.RowsColumnTypeDatabaseTypeName].
func (r *sqlRows) ColumnTypeDatabaseTypeName(i int) string { return r.types[i].DatabaseTypeName() }

// ColumnTypeLength implements [driver.RowsColumnTypeLength].
func (r *sqlRows) ColumnTypeLength(i int) (length int64, ok bool) { return r.types[i].Length() }

// ColumnTypeNullable implements [driver.RowsColumnTypeNullable].
func (r *sqlRows) ColumnTypeNullable(i int) (nullable, ok bool) { return r.types[i].Nullable() }

// ColumnTypePrecisionScale implements [driver.RowsColumnTypePrecisionScale].
func (r *sqlRows) ColumnTypePrecisionScale(i int) (precision, scale int64, ok bool) {
	return r.types[i].DecimalSize()
}

// ColumnTypeScanType implements [driver.RowsColumnTypeScanType].
func (r *sqlRows) ColumnTypeScanType(i int) reflect.Type { return r.types[i].ScanType() }
