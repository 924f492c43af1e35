package tenancy

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"

	"github.com/gormtenancy/tenancy/callbacks"
	"github.com/gormtenancy/tenancy/internal/merge"
)

// typedRows are rows that tell the types of their columns.
type typedRows interface {
	driver.Rows
	driver.RowsColumnTypeDatabaseTypeName
	driver.RowsColumnTypeLength
	driver.RowsColumnTypeNullable
	driver.RowsColumnTypePrecisionScale
	driver.RowsColumnTypeScanType
}

// answer is a merged answer, whose errors are the plugin's.
type answer struct {
	typedRows

	router *router
	pass   *callbacks.Pass
}

// Next implements [driver.Rows].
func (a *answer) Next(dest []driver.Value) error {
	err := a.typedRows.Next(dest)
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	return a.router.fanError(a.pass, err)
}

// keptRows are rows that have been read.
type keptRows struct {
	typedRows // closed: for their columns

	names []string
	rows  [][]driver.Value
}

// keep reads rows to their end, and closes them.
func keep(from *sql.Rows) (*keptRows, error) {
	rows, err := merge.SQLRows(from)
	if err != nil {
		return nil, err
	}
	typed, ok := rows.(typedRows)
	if !ok {
		_ = rows.Close()
		return nil, fmt.Errorf("%w: %T tells no types", ErrUnmergeable, rows)
	}
	k := &keptRows{typedRows: typed, names: rows.Columns()}
	for {
		row := make([]driver.Value, len(k.names))
		if err = rows.Next(row); err != nil {
			break
		}
		k.rows = append(k.rows, row)
	}
	closed := rows.Close()
	if !errors.Is(err, io.EOF) {
		return nil, err
	}
	return k, closed
}

// Columns implements [driver.Rows].
func (k *keptRows) Columns() []string { return k.names }

// Next implements [driver.Rows].
func (k *keptRows) Next(dest []driver.Value) error {
	if len(k.rows) == 0 {
		return io.EOF
	}
	copy(dest, k.rows[0])
	k.rows = k.rows[1:]
	return nil
}
