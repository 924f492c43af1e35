package prepared

import (
	"context"
	"database/sql"
	"slices"
	"sync"
	"time"

	"gorm.io/gorm"
)

// Tx is a transaction that uses the statements that are prepared. What is not there yet runs without, and is prepared for the
// next time when the transaction has been committed.
type Tx struct {
	gorm.Tx
	cache *Cache

	mu     sync.Mutex
	ctx    context.Context // of the last statement that was missing
	missed []string
}

var _ gorm.Tx = (*Tx)(nil)

const (
	mostMissed = 16 // texts of one transaction
	toPrepare  = time.Second
)

// Plain returns the transaction without prepared statements.
func (t *Tx) Plain() gorm.Tx { return t.Tx }

// use returns the statement of a text as one of the transaction's, and of the cache's; nil if it is not there.
func (t *Tx) use(ctx context.Context, text string) (*sql.Stmt, *statement) {
	s := t.cache.ready(text)
	if s != nil {
		return t.StmtContext(ctx, s.stmt), s
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ctx = ctx; len(t.missed) < mostMissed && !slices.Contains(t.missed, text) {
		t.missed = append(t.missed, text)
	}
	return nil, nil
}

// Commit implements [gorm.TxCommitter].
func (t *Tx) Commit() error {
	if err := t.Tx.Commit(); err != nil {
		return err
	}
	t.mu.Lock()
	missed := t.missed
	t.missed = nil
	t.mu.Unlock()
	if len(missed) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.ctx), toPrepare)
	defer cancel()
	for _, text := range missed {
		t.cache.warm(ctx, text)
	}
	return nil
}

// ExecContext implements [gorm.ConnPool].
func (t *Tx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	stmt, s := t.use(ctx, query) //nolint:sqlclosecheck // it ends with the transaction
	if s == nil {
		return t.Tx.ExecContext(ctx, query, args...)
	}
	result, err := stmt.ExecContext(ctx, args...)
	t.cache.settle(s, err)
	return result, err
}

// QueryContext implements [gorm.ConnPool].
func (t *Tx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	stmt, s := t.use(ctx, query) //nolint:sqlclosecheck // it ends with the transaction
	if s == nil {
		return t.Tx.QueryContext(ctx, query, args...)
	}
	rows, err := stmt.QueryContext(ctx, args...)
	t.cache.settle(s, err)
	return rows, err
}

// QueryRowContext implements [gorm.ConnPool].
func (t *Tx) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	stmt, s := t.use(ctx, query) //nolint:sqlclosecheck // it ends with the transaction
	if s == nil {
		return t.Tx.QueryRowContext(ctx, query, args...)
	}
	row := stmt.QueryRowContext(ctx, args...)
	t.cache.settle(s, row.Err())
	return row
}
