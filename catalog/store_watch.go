package catalog

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync"
)

// watched is the connection on which the master is asked for changes. It is kept: when all others of the pool are in use, a
// process that waited for one could not tell that from a master that is out of reach, and would go on with what is out of date.
type watched struct {
	mu    sync.Mutex // held while it is used
	conn  *sql.Conn
	ended bool
}

var (
	// errStarved means that the pool had no connection free in time to ask for changes.
	errStarved = errors.New("catalog: all connections of the master's pool are in use")
	// errNoOther means that the connection for changes is lost and the pool had no other in time: because all are in use, or all
	// wait for a master that is out of reach. If it lasts, it is the former.
	errNoOther = errors.New("catalog: the connection for changes is lost, and the master's pool has no other")
)

// onWatched calls ask with the connection for changes. One that fails is closed, and the next call takes another.
func (s *store) onWatched(ctx context.Context, ask func(querier) error) error {
	if !s.keepsConnection() {
		err := s.retry(ctx, func() error { return ask(s.db) })
		return s.usedUp(err, errStarved)
	}
	w := &s.watched
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return sql.ErrConnDone
	}
	if w.conn == nil {
		conn, err := s.db.Conn(ctx)
		if err != nil {
			return s.usedUp(err, errNoOther)
		}
		w.conn = conn
	}
	err := ask(w.conn)
	if err != nil {
		_ = w.conn.Raw(func(any) error { return driver.ErrBadConn }) // whatever is wrong with it
		w.conn = nil
	}
	return err
}

// usedUp adds what it means to an error, if that came of waiting for a connection of the pool.
func (s *store) usedUp(err, means error) error {
	if stats := s.db.Stats(); errors.Is(err, context.DeadlineExceeded) && stats.MaxOpenConnections > 0 && stats.InUse >= stats.MaxOpenConnections {
		return fmt.Errorf("%w: %w", means, err)
	}
	return err
}

// keepsConnection tells whether the pool is large enough. In SQLite nothing is out of reach, and a pool of one is common.
func (s *store) keepsConnection() bool {
	most := s.db.Stats().MaxOpenConnections
	return s.dialect != "sqlite" && (most <= 0 || most >= fewestForLocks)
}

// close gives the connection back.
func (s *store) close() error {
	w := &s.watched
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	if w.conn == nil {
		return nil
	}
	err := w.conn.Close()
	w.conn = nil
	return err
}
