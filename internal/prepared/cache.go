// Package prepared keeps the prepared statements of one pool: a bounded number, the least recently used one dropped first.
//
// GORM's own cache (gorm v1.31.2 prepare_stmt.go) does not do for pools that are small, many, and come and go: it waits under
// its lock for a statement that another goroutine prepares, which never ends if that one waits for a connection that the
// waiting ones hold in transactions; it closes a statement that it drops although somebody is about to use it; and each
// keeps a goroutine that nothing ends (internal/lru/lru.go NewLRU).
package prepared

import (
	"container/list"
	"context"
	"database/sql"
	"errors"
	"sync"

	"gorm.io/gorm"
)

// Cache is a pool whose statements are prepared when they are first used. It may be used concurrently.
type Cache struct {
	pool *sql.DB
	most int

	mu      sync.Mutex
	known   map[string]*statement
	recent  list.List // of *statement, the most recently used first
	isEnded bool
}

var (
	_ gorm.ConnPool         = (*Cache)(nil)
	_ gorm.ConnPoolBeginner = (*Cache)(nil)
	_ gorm.GetDBConnector   = (*Cache)(nil)
)

// statement is one prepared statement.
type statement struct {
	text  string
	place *list.Element
	ready chan struct{} // closed when stmt or err is there
	stmt  *sql.Stmt
	err   error

	// Under the lock of the cache:
	uses    int // calls that are about to use it
	dropped bool
}

// New returns an empty cache for a pool, of at most most statements.
func New(pool *sql.DB, most int) *Cache {
	return &Cache{pool: pool, most: most, known: map[string]*statement{}}
}

// Close closes all statements, and not the pool. Statements that are used later are not kept.
func (c *Cache) Close() error {
	c.mu.Lock()
	c.isEnded = true
	var idle []*statement
	for _, s := range c.known {
		if c.drop(s) {
			idle = append(idle, s)
		}
	}
	c.mu.Unlock()
	errs := make([]error, 0, len(idle))
	for _, s := range idle {
		errs = append(errs, s.close())
	}
	return errors.Join(errs...)
}

// Plain returns the pool.
func (c *Cache) Plain() *sql.DB { return c.pool }

// Len tells how many statements there are.
func (c *Cache) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.known)
}

// drop forgets a statement, under the lock, and tells whether it is the caller's to close.
func (c *Cache) drop(s *statement) (idle bool) {
	if s.dropped {
		return false
	}
	s.dropped = true
	delete(c.known, s.text)
	c.recent.Remove(s.place)
	return s.uses == 0
}

// close closes a statement that nobody uses. Rows that are read from it go on.
func (s *statement) close() error {
	if s.stmt == nil {
		return nil
	}
	return s.stmt.Close()
}

// use returns the statement of a text, to be given back with done.
func (c *Cache) use(ctx context.Context, text string) (*statement, error) {
	c.mu.Lock()
	if c.isEnded {
		c.mu.Unlock()
		return c.alone(ctx, text)
	}
	if s, known := c.known[text]; known {
		c.take(s)
		c.mu.Unlock()
		return c.await(ctx, s)
	}
	s := &statement{text: text, ready: make(chan struct{}), uses: 1}
	s.place = c.recent.PushFront(s)
	c.known[text] = s
	var old *statement
	if len(c.known) > c.most {
		if last, ok := c.recent.Back().Value.(*statement); ok && c.drop(last) {
			old = last
		}
	}
	c.mu.Unlock()
	if old != nil {
		_ = old.close() // what it was for is over
	}
	c.prepare(ctx, s)
	if s.err != nil {
		c.done(s)
		return nil, s.err
	}
	return s, nil
}

// take notes a use, under the lock.
func (c *Cache) take(s *statement) {
	s.uses++
	c.recent.MoveToFront(s.place)
}

// ready returns the statement of a text if it is there, and waits for nothing: for transactions, which hold a connection that
// others may wait for.
func (c *Cache) ready(text string) *statement {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.known[text]
	if s == nil {
		return nil
	}
	select {
	case <-s.ready:
	default:
		return nil
	}
	if s.err != nil {
		return nil
	}
	c.take(s)
	return s
}

// warm prepares a text for the next time, unless all connections are in use.
func (c *Cache) warm(ctx context.Context, text string) {
	if stats := c.pool.Stats(); stats.MaxOpenConnections > 0 && stats.InUse >= stats.MaxOpenConnections {
		return
	}
	if s, err := c.use(ctx, text); err == nil {
		c.done(s)
	}
}

// prepare prepares a statement that is known and in use.
func (c *Cache) prepare(ctx context.Context, s *statement) {
	s.stmt, s.err = c.pool.PrepareContext(ctx, s.text)
	close(s.ready)
	if s.err != nil {
		c.forget(s)
	}
}

// alone prepares a statement that is not kept.
func (c *Cache) alone(ctx context.Context, text string) (*statement, error) {
	s := &statement{text: text, uses: 1, dropped: true}
	s.stmt, s.err = c.pool.PrepareContext(ctx, text)
	return s, s.err
}

// await waits for a statement that another goroutine prepares.
func (c *Cache) await(ctx context.Context, s *statement) (*statement, error) {
	select {
	case <-s.ready:
	case <-ctx.Done():
		c.done(s)
		return nil, ctx.Err()
	}
	if s.err == nil {
		return s, nil
	}
	c.done(s)
	if errors.Is(s.err, context.Canceled) || errors.Is(s.err, context.DeadlineExceeded) { // the other's context, not this one
		return c.alone(ctx, s.text)
	}
	return nil, s.err
}

// done gives a statement back.
func (c *Cache) done(s *statement) {
	c.mu.Lock()
	s.uses--
	idle := s.uses == 0 && s.dropped
	c.mu.Unlock()
	if idle {
		_ = s.close() // what it was for is over
	}
}

// forget drops a statement that failed. It is in use, so it is closed when it is given back.
func (c *Cache) forget(s *statement) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop(s)
}

// settle drops a statement whose plan the database no longer takes (PostgreSQL: "cached plan must not change result type",
// 0A000), or has lost (26000, behind some poolers), and gives it back.
func (c *Cache) settle(s *statement, err error) {
	var state interface{ SQLState() string }
	if errors.As(err, &state) && (state.SQLState() == "0A000" || state.SQLState() == "26000") {
		c.forget(s)
	}
	c.done(s)
}

// GetDBConn implements [gorm.GetDBConnector].
func (c *Cache) GetDBConn() (*sql.DB, error) { return c.pool, nil }

// PrepareContext implements [gorm.ConnPool]. What it returns is the caller's.
func (c *Cache) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	return c.pool.PrepareContext(ctx, query)
}

// ExecContext implements [gorm.ConnPool].
func (c *Cache) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	s, err := c.use(ctx, query)
	if err != nil {
		return nil, err
	}
	result, err := s.stmt.ExecContext(ctx, args...)
	c.settle(s, err)
	return result, err
}

// QueryContext implements [gorm.ConnPool].
func (c *Cache) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	s, err := c.use(ctx, query)
	if err != nil {
		return nil, err
	}
	rows, err := s.stmt.QueryContext(ctx, args...)
	c.settle(s, err)
	return rows, err
}

// QueryRowContext implements [gorm.ConnPool].
func (c *Cache) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	s, err := c.use(ctx, query)
	if err != nil {
		return c.pool.QueryRowContext(ctx, query, args...) // a *sql.Row of one's own cannot be made: it fails again, or works
	}
	row := s.stmt.QueryRowContext(ctx, args...)
	c.settle(s, row.Err())
	return row
}

// BeginTx implements [gorm.ConnPoolBeginner].
func (c *Cache) BeginTx(ctx context.Context, opts *sql.TxOptions) (gorm.ConnPool, error) {
	tx, err := c.pool.BeginTx(ctx, opts)
	if err != nil {
		return nil, err
	}
	return c.In(tx), nil
}

// In returns a transaction of the pool whose statements are prepared.
func (c *Cache) In(tx gorm.Tx) *Tx { return &Tx{Tx: tx, cache: c} }
