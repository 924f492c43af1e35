package locks_test

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/internal/locks"
	"github.com/gormtenancy/tenancy/internal/testdb"
)

func TestOneHolderAtATime(t *testing.T) {
	t.Parallel()
	dialects(t, func(t *testing.T, d database) {
		t.Helper()
		var inside, done atomic.Int32
		var wg sync.WaitGroup
		for range 4 {
			db := d.open(t)
			for range 3 {
				wg.Go(func() {
					for range 5 {
						held, err := locks.Acquire(t.Context(), db, d.dialect, "one")
						if !assert.NoError(t, err) {
							return
						}
						assert.EqualValues(t, 1, inside.Add(1))
						assert.NoError(t, held.Check(t.Context()))
						inside.Add(-1)
						done.Add(1)
						assert.NoError(t, held.Release(t.Context()))
					}
				})
			}
		}
		wg.Wait()
		assert.EqualValues(t, 4*3*5, done.Load())
	})
}

func TestLocksAreByNameAndDatabase(t *testing.T) {
	t.Parallel()
	dialects(t, func(t *testing.T, d database) {
		t.Helper()
		db, other := d.open(t), d.open(t)
		held := d.acquire(t, db, "ünï '\"\\")
		for _, pool := range []*sql.DB{db, other} {
			_, err := d.try(t, pool, "ünï '\"\\")
			require.ErrorIs(t, err, locks.ErrHeld)
		}
		release(t, d.acquire(t, db, "another"))
		elsewhere := map[string]func() database{
			"postgres": func() database { return database{"postgres", "pgx", testdb.Postgres(t)} },
			"mysql":    func() database { return database{"mysql", "mysql", testdb.MySQL(t)} },
			"sqlite":   func() database { return database{"sqlite", "sqlite", d.dsn + "2"} },
		}[d.dialect]()
		release(t, elsewhere.acquire(t, elsewhere.open(t), "ünï '\"\\"))
		release(t, held)
		require.NoError(t, held.Release(t.Context()), "a second time it does nothing")
		require.ErrorIs(t, held.Check(t.Context()), locks.ErrLost, "it has been released")
		release(t, d.acquire(t, other, "ünï '\"\\"))
	})
}

func TestInMemory(t *testing.T) {
	t.Parallel()
	a, b := database{"sqlite", "sqlite", ":memory:"}, database{"sqlite", "sqlite", ":memory:"}
	first, second := a.open(t), b.open(t)
	held := a.acquire(t, first, "one")
	_, err := a.try(t, first, "one")
	require.ErrorIs(t, err, locks.ErrHeld)
	release(t, b.acquire(t, second, "one"))
	require.NoError(t, held.Check(t.Context()))
	release(t, held)
	release(t, a.acquire(t, first, "one"))
}

// The context ends the waiting, and nothing else.
func TestContexts(t *testing.T) {
	t.Parallel()
	dialects(t, func(t *testing.T, d database) {
		t.Helper()
		db := d.open(t)
		ctx, cancel := context.WithCancel(t.Context())
		held, err := locks.Acquire(ctx, db, d.dialect, "one")
		require.NoError(t, err)
		cancel()
		require.NoError(t, held.Check(t.Context()), "it outlives the context in which it was taken")
		for range 20 { // as soon as it is cancelled, and while it asks
			ctx, cancel := context.WithCancel(t.Context())
			go cancel()
			if err := held.Check(ctx); err != nil {
				require.ErrorIs(t, err, context.Canceled)
			}
		}
		require.NoError(t, held.Check(t.Context()), "to stop asking does it no harm")

		short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err = locks.Acquire(short, db, d.dialect, "one")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NotErrorIs(t, err, locks.ErrLost)
		_, err = locks.Acquire(ctx, db, d.dialect, "two")
		require.ErrorIs(t, err, context.Canceled)

		require.NoError(t, held.Release(ctx), "it is let go in a context that has ended")
		release(t, d.acquire(t, d.open(t), "one"))
	})
}

// A pool of two serves the one who holds the lock, however many wait for it.
func TestWaitersKeepNoConnection(t *testing.T) {
	t.Parallel()
	dialects(t, func(t *testing.T, d database) {
		t.Helper()
		db := d.open(t)
		db.SetMaxOpenConns(2)
		held := d.acquire(t, db, "one")
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				_, err := locks.Acquire(ctx, db, d.dialect, "one")
				assert.ErrorIs(t, err, context.Canceled)
			})
		}
		for range 20 {
			var one int
			asking, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			require.NoError(t, db.QueryRowContext(asking, "SELECT 1").Scan(&one))
			cancel()
		}
		cancel()
		wg.Wait()
		release(t, held)
	})
}

func TestPoolOfOneIsRefused(t *testing.T) {
	t.Parallel()
	dialects(t, func(t *testing.T, d database) {
		t.Helper()
		db := d.open(t)
		db.SetMaxOpenConns(1)
		held, err := d.try(t, db, "one")
		if d.dialect == "sqlite" {
			require.NoError(t, err, "it keeps none")
			release(t, held)
			return
		}
		require.ErrorContains(t, err, "SetMaxOpenConns")
	})
	_, err := locks.Try(t.Context(), &sql.DB{}, "oracle", "one")
	require.ErrorContains(t, err, "oracle")
}

// Who loses a lock is told, and somebody else gets it.
func TestLost(t *testing.T) {
	t.Parallel()
	dialects(t, func(t *testing.T, d database) {
		t.Helper()
		db := d.open(t)
		held := d.acquire(t, db, "one")
		switch d.dialect {
		case "postgres":
			_, err := d.open(t).ExecContext(t.Context(), "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"+
				" AND database = (SELECT oid FROM pg_database WHERE datname = current_database())")
			require.NoError(t, err)
		case "mysql":
			other := d.open(t)
			var id int
			require.NoError(t, other.QueryRowContext(t.Context(), "SELECT id FROM information_schema.PROCESSLIST WHERE db = DATABASE() AND id <> CONNECTION_ID()").Scan(&id))
			_, err := other.ExecContext(t.Context(), "KILL ?", id)
			require.NoError(t, err)
		case "sqlite":
			files, err := filepath.Glob(d.dsn + "-lock-*")
			require.NoError(t, err)
			require.Len(t, files, 1)
			require.NoError(t, os.Remove(files[0]))
		}
		again := d.acquire(t, db, "one")
		require.ErrorIs(t, held.Check(t.Context()), locks.ErrLost)
		require.ErrorIs(t, held.Release(t.Context()), locks.ErrLost)
		require.NoError(t, again.Check(t.Context()), "it is not the one that was lost")
		release(t, again)
	})
}

// The pool is as it was: a connection with other settings is not given back.
func TestNothingIsLeft(t *testing.T) {
	t.Parallel()
	dialects(t, func(t *testing.T, d database) {
		t.Helper()
		db := d.open(t)
		db.SetMaxOpenConns(2)
		for range 20 {
			release(t, d.acquire(t, db, "one"))
		}
		require.Zero(t, db.Stats().InUse)
		switch d.dialect {
		case "postgres":
			var left int
			require.NoError(t, db.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database ="+
				" (SELECT oid FROM pg_database WHERE datname = current_database())").Scan(&left))
			require.Zero(t, left)
		case "mysql":
			var as, was int
			require.NoError(t, db.QueryRowContext(t.Context(), "SELECT @@SESSION.wait_timeout, @@GLOBAL.wait_timeout").Scan(&as, &was))
			require.Equal(t, was, as)
		case "sqlite":
			entries, err := os.ReadDir(filepath.Dir(d.dsn))
			require.NoError(t, err)
			require.Len(t, entries, 1, "the database alone")
		}
	})
}
