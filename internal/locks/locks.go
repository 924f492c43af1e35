// Package locks has locks by name that all processes share which use one database. The database keeps them, so that a process
// that is killed holds none.
//
//   - PostgreSQL: an advisory lock of a transaction, in which nothing else happens. One of a session would not do behind a
//     pooler that hands the server's connection to another client between transactions.
//   - MySQL: GET_LOCK, on a connection of its own. In a Galera cluster it holds on one node only (mariadb.com/kb, GET_LOCK).
//   - SQLite: a file beside the database. A database in memory is that of a pool: its locks are the pool's.
//
// Whoever waits keeps no connection: the pool is free for the one who has the lock, and a pooler's connections too.
package locks

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

var (
	// ErrHeld means that somebody else has the lock.
	ErrHeld = errors.New("tenancy: somebody else holds the lock")
	// ErrLost means that the lock was let go before [Held.Release]: its connection is gone, or its file was removed. Somebody
	// else may have it.
	ErrLost = errors.New("tenancy: the lock was lost")
)

const (
	firstPause = 10 * time.Millisecond
	longPause  = 250 * time.Millisecond
	// answerTimeout is how long the database may take to say that the lock is still ours.
	answerTimeout = 10 * time.Second
)

// lease is a lock in one kind of database. Its methods are called one at a time.
type lease interface {
	// check returns an error that is ErrLost if the lock is not ours any more, or if nobody knows.
	check(ctx context.Context) error
	// release lets the lock go. Its error is that of check.
	release(ctx context.Context) error
}

// Held is a lock that is held. It is safe for concurrent use.
type Held struct {
	lease    lease
	turn     chan struct{} // taken by the one who uses the lease
	released bool
}

// Acquire waits until the lock of the name is free, and takes it. If ctx ends before, the error is ErrHeld and that of ctx.
// Nobody is served in turn. The lock outlives ctx: it must be released.
//
// db must be the pool of the database that the processes share. For PostgreSQL and MySQL one of its connections is kept until
// the lock is released, so it must be allowed two at least.
func Acquire(ctx context.Context, db *sql.DB, dialect, name string) (*Held, error) {
	var waited error
	for pause := firstPause; ; pause = min(2*pause, longPause) {
		held, err := Try(ctx, db, dialect, name)
		switch {
		case err == nil:
			return held, nil
		case ctx.Err() != nil:
			return nil, errors.Join(waited, ctx.Err())
		case !errors.Is(err, ErrHeld):
			return nil, err
		}
		waited = err
		select {
		case <-ctx.Done():
			return nil, errors.Join(waited, ctx.Err())
		case <-time.After(pause/2 + rand.N(pause)): //nolint:gosec // it spreads tries, and keeps no secret
		}
	}
}

// Try takes the lock of the name if it is free, and returns [ErrHeld] at once if not. See [Acquire].
func Try(ctx context.Context, db *sql.DB, dialect, name string) (*Held, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	l, err := take(ctx, db, dialect, name)
	if err != nil {
		return nil, err
	}
	return &Held{lease: l, turn: make(chan struct{}, 1)}, nil
}

func take(ctx context.Context, db *sql.DB, dialect, name string) (lease, error) {
	switch dialect {
	case "postgres", "mysql":
		if db.Stats().MaxOpenConnections == 1 {
			return nil, errors.New("tenancy: a lock keeps a connection, and the pool may open no other: allow it two (SetMaxOpenConns)")
		}
	}
	switch dialect {
	case "postgres":
		return takePostgres(ctx, db, name)
	case "mysql":
		return takeMySQL(ctx, db, name)
	case "sqlite":
		return takeSQLite(ctx, db, name)
	default:
		return nil, fmt.Errorf("tenancy: no locks are known of the dialect %q, only of postgres, mysql and sqlite", dialect)
	}
}

// Check asks whether the lock is still ours, and returns an error that is [ErrLost] if it is not, or if the database does not
// answer within 10 s. The end of ctx ends the waiting alone: it does no harm to the lock.
func (h *Held) Check(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case h.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	answer := make(chan error, 1)
	go func() {
		defer func() { <-h.turn }()
		if h.released {
			answer <- fmt.Errorf("%w: it has been released", ErrLost)
			return
		}
		// Not in ctx: a driver cuts the connection of a statement whose context ends, and the lock would go with it.
		detached, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerTimeout)
		defer cancel()
		answer <- h.lease.check(detached)
	}()
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Release lets the lock go, even if ctx has ended. Its error is [ErrLost] if that had happened before, so that what was done
// meanwhile may not have been alone. A second call does nothing.
func (h *Held) Release(ctx context.Context) error {
	h.turn <- struct{}{}
	defer func() { <-h.turn }()
	if h.released {
		return nil
	}
	h.released = true
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerTimeout)
	defer cancel()
	return h.lease.release(ctx)
}

// lost returns err as an [ErrLost], or nil.
func lost(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrLost, err)
}

// digest is what a name is to a database: of a fixed length, whatever the name is made of.
func digest(parts ...string) [sha256.Size]byte {
	h := sha256.New()
	h.Write([]byte("tenancy lock"))
	for _, part := range parts {
		h.Write([]byte{0})
		h.Write([]byte(part))
	}
	return [sha256.Size]byte(h.Sum(nil))
}
