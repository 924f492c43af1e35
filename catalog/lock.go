package catalog

import (
	"context"
	"fmt"

	"github.com/gormtenancy/tenancy/internal/locks"
)

// ErrLocked means that another process, or another goroutine of this one, holds the lock.
var ErrLocked = locks.ErrHeld

// Lock is a lock in the master database: of all processes that use it, one at a time holds a lock of a name. It is lost with its
// connection, so also when the process is killed.
type Lock struct{ held *locks.Held }

// TryLock takes a lock if it is free, else it fails with [ErrLocked].
func (c *Catalog) TryLock(ctx context.Context, name string) (*Lock, error) {
	return locked(locks.Try(ctx, c.store.db, c.store.dialect, name))
}

// AcquireLock takes a lock, and waits for it as long as ctx lasts.
func (c *Catalog) AcquireLock(ctx context.Context, name string) (*Lock, error) {
	return locked(locks.Acquire(ctx, c.store.db, c.store.dialect, name))
}

func locked(held *locks.Held, err error) (*Lock, error) {
	if err != nil {
		return nil, fmt.Errorf("catalog: lock: %w", err)
	}
	return &Lock{held}, nil
}

// Check fails if the lock was lost.
func (l *Lock) Check(ctx context.Context) error { return l.held.Check(ctx) }

// Release gives the lock back.
func (l *Lock) Release(ctx context.Context) error { return l.held.Release(ctx) }
