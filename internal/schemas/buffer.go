package schemas

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"reflect"
)

// buffer is the result of a query, read to its end.
type buffer struct {
	names []string
	types []*sql.ColumnType
	rows  [][]any
}

var (
	_ driver.Rows                           = (*buffer)(nil)
	_ driver.RowsColumnTypeDatabaseTypeName = (*buffer)(nil)
	_ driver.RowsColumnTypeLength           = (*buffer)(nil)
	_ driver.RowsColumnTypeNullable         = (*buffer)(nil)
	_ driver.RowsColumnTypePrecisionScale   = (*buffer)(nil)
	_ driver.RowsColumnTypeScanType         = (*buffer)(nil)
)

// read reads rows to their end and closes them.
func read(rows *sql.Rows) (b *buffer, err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	b = &buffer{}
	if b.names, err = rows.Columns(); err != nil {
		return nil, err
	}
	if b.types, err = rows.ColumnTypes(); err != nil {
		return nil, err
	}
	for rows.Next() {
		row, into := make([]any, len(b.names)), make([]any, len(b.names))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		b.rows = append(b.rows, row)
	}
	return b, rows.Err()
}

// Columns implements [driver.Rows].
func (b *buffer) Columns() []string { return b.names }

// Next implements [driver.Rows].
func (b *buffer) Next(dest []driver.Value) error {
	if len(b.rows) == 0 {
		return io.EOF
	}
	for i, v := range b.rows[0] {
		dest[i] = v
	}
	b.rows = b.rows[1:]
	return nil
}

// Close implements [driver.Rows].
func (b *buffer) Close() error { return nil }

// ColumnTypeDatabaseTypeName implements [driver.RowsColumnTypeDatabaseTypeName].
func (b *buffer) ColumnTypeDatabaseTypeName(i int) string { return b.types[i].DatabaseTypeName() }

// ColumnTypeLength implements [driver.RowsColumnTypeLength].
func (b *buffer) ColumnTypeLength(i int) (int64, bool) { return b.types[i].Length() }

// ColumnTypeNullable implements [driver.RowsColumnTypeNullable].
func (b *buffer) ColumnTypeNullable(i int) (nullable, ok bool) { return b.types[i].Nullable() }

// ColumnTypePrecisionScale implements [driver.RowsColumnTypePrecisionScale].
func (b *buffer) ColumnTypePrecisionScale(i int) (precision, scale int64, ok bool) {
	return b.types[i].DecimalSize()
}

// ColumnTypeScanType implements [driver.RowsColumnTypeScanType].
func (b *buffer) ColumnTypeScanType(i int) reflect.Type { return b.types[i].ScanType() }
