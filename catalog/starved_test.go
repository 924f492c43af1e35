package catalog

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy"
)

// occupy takes all connections of a catalog's pool that are free, until the test ends.
func occupy(t *testing.T, c *Catalog) {
	t.Helper()
	for {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		conn, err := c.store.db.Conn(ctx)
		cancel()
		if err != nil {
			require.ErrorIs(t, err, context.DeadlineExceeded)
			return
		}
		t.Cleanup(func() { _ = conn.Close() })
	}
}

// TestStarvedPool is about a pool whose connections are all in use: the master is in reach, so what has changed must be seen, or
// nothing may be answered.
func TestStarvedPool(t *testing.T) {
	t.Parallel()
	for _, kind := range masters() {
		for _, connections := range []int{2, 8} {
			t.Run(fmt.Sprintf("%s/%d", kind.name, connections), func(t *testing.T) {
				t.Parallel()
				m := kind.fresh(t)
				other := m.open(t)
				db := m.db(t)
				pool, err := db.DB()
				require.NoError(t, err)
				pool.SetMaxOpenConns(connections)
				c, err := Open(t.Context(), db, Config{MaxStale: 200 * time.Millisecond})
				require.NoError(t, err)
				t.Cleanup(func() { require.NoError(t, c.Close()) })
				made := create(t, other, NewTenant{ID: "acme"})
				made = bring(t, other, made, Active)
				require.Eventually(t, func() bool {
					_, err := c.Resolve(t.Context(), made.ID)
					return err == nil
				}, 10*time.Second, 10*time.Millisecond)
				occupy(t, c)
				_, err = other.Suspend(t.Context(), made.ID, "a test")
				require.NoError(t, err)
				time.Sleep(time.Until(other.Drained(made).Add(200 * time.Millisecond)))
				_, err = c.Resolve(t.Context(), made.ID)
				require.ErrorIs(t, err, tenancy.ErrTenantUnavailable)
				if connections < fewestForLocks || kind.name == "sqlite" {
					require.ErrorContains(t, err, "all connections of the master's pool are in use")
				}
			})
		}
	}
}

// TestLostConnectionForChanges is about one that is lost while all others are in use, and stay so.
func TestLostConnectionForChanges(t *testing.T) {
	t.Parallel()
	for _, kind := range masters()[1:] {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			m := kind.fresh(t)
			other, c := m.open(t), m.open(t, Config{MaxStale: 200 * time.Millisecond})
			made := bring(t, other, create(t, other, NewTenant{ID: "acme"}), Active)
			require.Eventually(t, func() bool {
				_, err := c.Resolve(t.Context(), made.ID)
				return err == nil
			}, 10*time.Second, 10*time.Millisecond)
			occupy(t, c)
			w := &c.store.watched
			w.mu.Lock()
			require.NotNil(t, w.conn)
			_ = w.conn.Raw(func(any) error { return driver.ErrBadConn })
			w.conn = nil
			occupy(t, c)
			w.mu.Unlock()
			_, err := other.Suspend(t.Context(), made.ID, "a test")
			require.NoError(t, err)
			require.Eventually(t, func() bool {
				_, err := c.Resolve(t.Context(), made.ID)
				return errors.Is(err, errStarved)
			}, time.Minute, 50*time.Millisecond)
		})
	}
}

// TestPanickingStrategy is about an application that goes on after a panic: others must not wait for the transaction.
func TestPanickingStrategy(t *testing.T) {
	t.Parallel()
	for _, kind := range masters() {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			m := kind.fresh(t)
			other := m.open(t)
			called := make(chan struct{})
			c := m.open(t, Config{Strategy: StrategyFunc(func(context.Context, Tenant, []Shard) (string, error) {
				close(called)
				panic("a fault")
			})})
			recovered := make(chan any)
			go func() {
				defer func() { recovered <- recover() }()
				_, _ = c.Create(t.Context(), NewTenant{ID: "a"})
			}()
			<-called
			ctx, cancel := context.WithTimeout(t.Context(), longestChange/4)
			defer cancel()
			_, err := other.Create(ctx, NewTenant{ID: "b"})
			require.NoError(t, err)
			require.Equal(t, "a fault", <-recovered)
			_, err = c.Read(t.Context(), "a")
			require.ErrorIs(t, err, tenancy.ErrTenantNotFound)
		})
	}
}

// TestLocksLeaveConnections has more holders of locks than connections, each of which needs further ones.
func TestLocksLeaveConnections(t *testing.T) {
	t.Parallel()
	for _, kind := range masters() {
		for _, connections := range []int{fewestForLocks, 8, 0} {
			t.Run(fmt.Sprintf("%s/%d", kind.name, connections), func(t *testing.T) {
				t.Parallel()
				c := kind.fresh(t).open(t)
				c.store.db.SetMaxOpenConns(connections)
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				var all sync.WaitGroup
				for i := range 16 {
					all.Go(func() {
						id := tenancy.ID(fmt.Sprintf("t%d", i))
						first, err := c.TryLock(ctx, string(id)) // waits, if its connections are in use
						if !assert.NoError(t, err) {
							return
						}
						second, err := c.AcquireLock(ctx, "the place of all")
						if assert.NoError(t, err) {
							_, err = c.Create(ctx, NewTenant{ID: id})
							assert.NoError(t, err)
							assert.NoError(t, second.Release(ctx))
							assert.NoError(t, second.Release(ctx)) // does nothing
						}
						assert.NoError(t, first.Release(ctx))
					})
				}
				all.Wait()
			})
		}
	}
}

func TestTooSmallForLocks(t *testing.T) {
	t.Parallel()
	for _, kind := range masters() {
		c := kind.fresh(t).open(t)
		c.store.db.SetMaxOpenConns(fewestForLocks - 1)
		_, err := c.TryLock(t.Context(), "a")
		if kind.name == "sqlite" {
			require.NoError(t, err) // a file keeps no connection
			continue
		}
		require.ErrorIs(t, err, tenancy.ErrInvalidConfig)
		require.ErrorContains(t, err, "locks in it need 6")
	}
}
