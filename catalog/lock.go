package catalog

import (
	"context"
	"fmt"
	"math"
	"sync"

	"github.com/gormtenancy/tenancy/internal/locks"
)

// ErrLocked means that another process, or another goroutine of this one, holds the lock.
var ErrLocked = locks.ErrHeld

// Lock is a lock in the master database: of all processes that use it, one at a time holds a lock of a name. It is lost with its
// connection, so also when the process is killed.
type Lock struct {
	held *locks.Held
	free func()
}

// TryLock takes a lock if it is free, else it fails with [ErrLocked]. A lock keeps a connection of the master's pool, except on
// SQLite, and behind a pooler one of the server. So a process holds 8 at the most, or fewer if the pool is small; TryLock waits
// for one to be released, as long as ctx lasts. A pool that is too small for locks is [tenancy.ErrInvalidConfig].
func (c *Catalog) TryLock(ctx context.Context, name string) (*Lock, error) {
	first, _, err := c.mostLocks()
	if err != nil {
		return nil, err
	}
	return c.locked(ctx, &c.locks.first, first, func() (*locks.Held, error) {
		return locks.Try(ctx, c.store.db, c.store.dialect, name)
	})
}

// AcquireLock takes a lock, and waits for it as long as ctx lasts. It is for who holds a lock of [Catalog.TryLock] and needs
// another one: there are always connections left for these, and so their holders must not wait for a TryLock.
func (c *Catalog) AcquireLock(ctx context.Context, name string) (*Lock, error) {
	_, second, err := c.mostLocks()
	if err != nil {
		return nil, err
	}
	return c.locked(ctx, &c.locks.second, second, func() (*locks.Held, error) {
		return locks.Acquire(ctx, c.store.db, c.store.dialect, name)
	})
}

// mostLocks returns how many locks the pool has connections for.
func (c *Catalog) mostLocks() (first, second int, err error) {
	if c.store.dialect == "sqlite" { // there they are files
		return math.MaxInt, math.MaxInt, nil
	}
	return mostLocks(c.store.db.Stats().MaxOpenConnections)
}

func (c *Catalog) locked(ctx context.Context, s *slots, most int, take func() (*locks.Held, error)) (*Lock, error) {
	if err := s.take(ctx, most); err != nil {
		return nil, fmt.Errorf("catalog: lock: %w", err)
	}
	held, err := take()
	if err != nil {
		s.free()
		return nil, fmt.Errorf("catalog: lock: %w", err)
	}
	return &Lock{held: held, free: sync.OnceFunc(s.free)}, nil
}

// Check fails if the lock was lost.
func (l *Lock) Check(ctx context.Context) error { return l.held.Check(ctx) }

// Release gives the lock back.
func (l *Lock) Release(ctx context.Context) error {
	defer l.free()
	return l.held.Release(ctx)
}
