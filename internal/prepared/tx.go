package prepared

import (
	"context"
	"database/sql"

	"gorm.io/gorm"
)

// Tx is a transaction that uses the statements that are prepared. What is not there yet runs without.
type Tx struct {
	gorm.Tx
	cache *Cache
}

var _ gorm.Tx = (*Tx)(nil)

// Plain returns the transaction without prepared statements.
func (t *Tx) Plain() gorm.Tx { return t.Tx }

// ExecContext implements [gorm.ConnPool].
func (t *Tx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	s, err := t.cache.use(ctx, query, true)
	if err != nil || s == nil {
		return t.Tx.ExecContext(ctx, query, args...)
	}
	result, err := t.StmtContext(ctx, s.stmt).ExecContext(ctx, args...) //nolint:sqlclosecheck // it ends with the transaction
	t.cache.settle(s, err)
	return result, err
}

// QueryContext implements [gorm.ConnPool].
func (t *Tx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	s, err := t.cache.use(ctx, query, true)
	if err != nil || s == nil {
		return t.Tx.QueryContext(ctx, query, args...)
	}
	rows, err := t.StmtContext(ctx, s.stmt).QueryContext(ctx, args...) //nolint:sqlclosecheck // it ends with the transaction
	t.cache.settle(s, err)
	return rows, err
}

// QueryRowContext implements [gorm.ConnPool].
func (t *Tx) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	s, err := t.cache.use(ctx, query, true)
	if err != nil || s == nil {
		return t.Tx.QueryRowContext(ctx, query, args...)
	}
	row := t.StmtContext(ctx, s.stmt).QueryRowContext(ctx, args...) //nolint:sqlclosecheck // it ends with the transaction
	t.cache.settle(s, row.Err())
	return row
}
