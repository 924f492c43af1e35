package rowsecurity

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"reflect"
)

// begin opens a transaction and binds the tenant in it: what is left where the driver is not pgx.
func (b *Binder) begin(ctx context.Context, l *lease, tenant string) (*sql.Tx, error) {
	tx, err := l.conn.BeginTx(ctx, nil)
	if err != nil {
		l.broken = errors.Is(err, driver.ErrBadConn)
		return nil, err
	}
	if err := b.Bind(ctx, tx, tenant); err != nil {
		_ = rolledBack(tx) // the other error came first
		return nil, err
	}
	return tx, nil
}

func rolledBack(tx *sql.Tx) error {
	if err := tx.Rollback(); err != nil && !errors.Is(err, sql.ErrTxDone) {
		return err
	}
	return nil
}

func (b *Binder) execInTransaction(ctx context.Context, l *lease, tenant, query string, args []any) (sql.Result, error) {
	tx, err := b.begin(ctx, l, tenant)
	if err != nil {
		return nil, err
	}
	result, err := tx.ExecContext(ctx, query, args...)
	if err != nil {
		_ = rolledBack(tx) // the statement's error says more, and callers look at its type
		return nil, err
	}
	if err := tx.Commit(); err != nil {
		return nil, err
	}
	return result, nil
}

func (b *Binder) queryInTransaction(ctx context.Context, l *lease, tenant, query string, args []any) (driver.Rows, error) {
	tx, err := b.begin(ctx, l, tenant)
	if err != nil {
		l.release()
		return nil, err
	}
	fetched, err := tx.QueryContext(ctx, query, args...)
	if err == nil {
		var r *txRows
		if r, err = newTxRows(l, tx, fetched); err == nil {
			return r, nil
		}
	}
	_ = rolledBack(tx) // the statement's error says more, and callers look at its type
	l.release()
	return nil, err
}

// txRows are the rows of a query in a transaction of its own, which ends with them.
type txRows struct {
	lease  *lease
	tx     *sql.Tx
	rows   *sql.Rows
	names  []string
	types  []*sql.ColumnType
	values []any
	dest   []any // pointers to values
	err    error
}

func newTxRows(l *lease, tx *sql.Tx, fetched *sql.Rows) (*txRows, error) {
	names, err := fetched.Columns()
	if err != nil {
		return nil, errors.Join(err, fetched.Close())
	}
	types, err := fetched.ColumnTypes()
	if err != nil {
		return nil, errors.Join(err, fetched.Close())
	}
	return &txRows{lease: l, tx: tx, rows: fetched, names: names, types: types, values: make([]any, len(names)), dest: make([]any, len(names))}, nil
}

// Columns implements driver.Rows.
func (r *txRows) Columns() []string { return r.names }

// Next implements driver.Rows. At the end database/sql calls Close, and its error becomes that of the rows.
func (r *txRows) Next(dest []driver.Value) error {
	if !r.rows.Next() {
		return io.EOF
	}
	for i := range r.values {
		r.dest[i] = &r.values[i]
	}
	if err := r.rows.Scan(r.dest...); err != nil {
		return err
	}
	for i := range dest {
		dest[i] = r.values[i]
	}
	return nil
}

// Close implements driver.Rows.
func (r *txRows) Close() error {
	if r.lease == nil {
		return r.err
	}
	r.err = r.rows.Close()
	if err := r.rows.Err(); err != nil {
		r.err = err
	}
	if r.err != nil {
		_ = rolledBack(r.tx) // the other error came first
	} else {
		r.err = r.tx.Commit()
	}
	r.lease.release()
	r.lease = nil
	return r.err
}

// ColumnTypeDatabaseTypeName implements driver.RowsColumnTypeDatabaseTypeName.
func (r *txRows) ColumnTypeDatabaseTypeName(i int) string { return r.types[i].DatabaseTypeName() }

// ColumnTypeLength implements driver.RowsColumnTypeLength.
func (r *txRows) ColumnTypeLength(i int) (int64, bool) { return r.types[i].Length() }

// ColumnTypeNullable implements driver.RowsColumnTypeNullable.
func (r *txRows) ColumnTypeNullable(i int) (nullable, ok bool) { return r.types[i].Nullable() }

// ColumnTypePrecisionScale implements driver.RowsColumnTypePrecisionScale.
func (r *txRows) ColumnTypePrecisionScale(i int) (precision, scale int64, ok bool) {
	return r.types[i].DecimalSize()
}

// ColumnTypeScanType implements driver.RowsColumnTypeScanType.
func (r *txRows) ColumnTypeScanType(i int) reflect.Type { return r.types[i].ScanType() }
