package catalog

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy"
)

// TestChangesArrive is about changes that another process makes, while nobody looks and while somebody does.
func TestChangesArrive(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newFakeMaster()
		m.put(Tenant{ID: "a", Placement: at(0)})
		c := openFake(t, m, Config{MaxStale: 2 * time.Second})
		for n := 1; n < 50; n++ {
			requireAt(t, c, "a", n-1)
			m.put(Tenant{ID: "a", Placement: at(n)})
			time.Sleep(time.Second)
			requireAt(t, c, "a", n)
		}
		loads := m.loads.Load()
		c.cache.apply(m.put(Tenant{ID: "a", Placement: at(50)})) // a change of its own
		requireAt(t, c, "a", 50)
		time.Sleep(time.Second)
		requireAt(t, c, "a", 50)
		require.Equal(t, loads+1, m.loads.Load(), "what was read after a change is not dropped when a check sees the change")

		loads = m.loads.Load()
		c.cache.apply(m.versions(3))
		got, err := c.Tenant(t.Context(), "a")
		require.NoError(t, err)
		require.EqualValues(t, 3, got.Version)
		time.Sleep(time.Second)
		requireAt(t, c, "a", 50)
		require.Equal(t, loads+1, m.loads.Load())
	})
}

// TestNobodyChecked is about a process whose goroutines did not run, such as one that was stopped: the look-up itself sees that
// its cache is old, and asks.
func TestNobodyChecked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newFakeMaster()
		m.put(Tenant{ID: "a", Placement: at(0)})
		m.putShard(Shard{Name: "s", DSN: "0"})
		c := openFake(t, m, Config{})
		w := c.cache.watch
		w.maxStale = time.Second // it thinks that it is checked every 250 hours
		requireAt(t, c, "a", 0)
		_, err := c.cache.shard(t.Context(), "s")
		require.NoError(t, err)
		polls := m.polls.Load()

		m.put(Tenant{ID: "a", Placement: at(1)})
		time.Sleep(time.Second)
		requireAt(t, c, "a", 0)
		require.Equal(t, polls, m.polls.Load(), "within MaxStale it does not ask")

		m.putShard(Shard{Name: "s", DSN: "1"})
		time.Sleep(time.Millisecond)
		gate := make(chan struct{})
		m.back = func(_ context.Context, what string) error {
			if what == "poll" {
				<-gate
			}
			return nil
		}
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				p, err := c.Resolve(t.Context(), tenancy.ID("a"))
				assert.NoError(t, err)
				assert.Equal(t, at(1), p)
			})
			all.Go(func() {
				sh, err := c.cache.shard(t.Context(), "s")
				assert.NoError(t, err)
				assert.Equal(t, "1", sh.DSN)
			})
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, err = c.Resolve(ctx, tenancy.ID("a"))
		require.ErrorIs(t, err, context.DeadlineExceeded, "each waits within its own context")
		require.ErrorIs(t, err, tenancy.ErrTenantUnavailable)
		synctest.Wait()
		close(gate)
		all.Wait()
		require.Equal(t, polls+1, m.polls.Load(), "one asks for all")
	})
}

// TestSlowCheck is about a check that takes longer than MaxStale: what was sent too early does not count.
func TestSlowCheck(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newFakeMaster()
		m.put(Tenant{ID: "a", Placement: at(0)})
		m.back = func(_ context.Context, what string) error {
			if what == "poll" {
				time.Sleep(300 * time.Millisecond)
			}
			return nil
		}
		c := openFake(t, m, Config{MaxStale: 200 * time.Millisecond})
		for n := 1; n < 50; n++ {
			time.Sleep(rand.N(300 * time.Millisecond))
			m.put(Tenant{ID: "a", Placement: at(n)})
			time.Sleep(201 * time.Millisecond)
			began := time.Now()
			requireAt(t, c, "a", n)
			require.Less(t, time.Since(began), 700*time.Millisecond)
		}
	})
}

// TestMasterDown is about a master that does not answer: who is cached is served, nobody waits for it again and again, it is
// found by itself when it is back, and when Outage is over nobody is served.
func TestMasterDown(t *testing.T) {
	t.Parallel()
	for how, fault := range map[string]func(ctx context.Context) error{
		"refuses": func(context.Context) error { return errDown },
		"hangs":   func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
	} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m := newFakeMaster()
				m.put(Tenant{ID: "a", Domains: []string{"a.example"}, Placement: at(0)})
				m.put(Tenant{ID: "b", Placement: at(0)})
				m.putShard(Shard{Name: "s", DSN: "0"})
				var down atomic.Bool
				m.there = func(ctx context.Context, _ string) error {
					if down.Load() {
						return fault(ctx)
					}
					return nil
				}
				c := openFake(t, m, Config{MaxStale: 2 * time.Second, Outage: time.Minute, Connect: connectNowhere})
				requireAt(t, c, "a", 0)
				_, err := c.ByDomain(t.Context(), "a.example")
				require.NoError(t, err)
				_, err = c.OpenShard(t.Context(), "s")
				require.NoError(t, err)

				down.Store(true)
				began := time.Now()
				var waited time.Duration
				for time.Since(began) < 59*time.Second {
					before := time.Now()
					requireAt(t, c, "a", 0)
					_, err := c.ByDomain(t.Context(), "a.example")
					require.NoError(t, err)
					_, err = c.OpenShard(t.Context(), "s")
					require.NoError(t, err)
					waited += time.Since(before)
					time.Sleep(10 * time.Millisecond)
				}
				require.LessOrEqual(t, waited, c.cfg.MaxStale+time.Second, "once, until the first check has failed")
				before := time.Now()
				_, err = c.Resolve(t.Context(), tenancy.ID("b"))
				require.ErrorIs(t, err, tenancy.ErrTenantUnavailable, "it is not cached")
				_, err = c.OpenShard(t.Context(), "unknown")
				require.ErrorIs(t, err, tenancy.ErrTenantUnavailable)
				require.Zero(t, time.Since(before), "it is known that the master is down")

				time.Sleep(time.Minute + time.Millisecond - time.Since(began))
				_, err = c.Resolve(t.Context(), tenancy.ID("a"))
				require.ErrorIs(t, err, tenancy.ErrTenantUnavailable, "Outage is over")
				if how == "refuses" {
					require.ErrorIs(t, err, errDown)
				} else {
					require.ErrorIs(t, err, context.DeadlineExceeded)
				}
				_, err = c.OpenShard(t.Context(), "s")
				require.ErrorIs(t, err, tenancy.ErrTenantUnavailable)

				down.Store(false)
				m.put(Tenant{ID: "a", Placement: at(1)})
				time.Sleep(c.cache.watch.retry() + 2*c.cache.watch.limit) // the attempt under way may hang
				requireAt(t, c, "a", 1)
				requireAt(t, c, "b", 0)
			})
		})
	}
}

// TestNoOutage is about Config.Outage less than zero.
func TestNoOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newFakeMaster()
		m.put(Tenant{ID: "a", Placement: at(0)})
		c := openFake(t, m, Config{MaxStale: time.Second, Outage: -1})
		requireAt(t, c, "a", 0)
		m.fail(errDown)
		time.Sleep(2 * time.Second)
		_, err := c.Resolve(t.Context(), tenancy.ID("a"))
		require.ErrorIs(t, err, tenancy.ErrTenantUnavailable)
		require.ErrorIs(t, err, errDown)
	})
}

// TestStoppedDuringOutage is about a process that had seen the master fail, was stopped for long, and goes on: the master may be
// there again.
func TestStoppedDuringOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newFakeMaster()
		m.put(Tenant{ID: "a", Placement: at(0)})
		c := openFake(t, m, Config{})
		w := c.cache.watch
		w.maxStale, w.grace = time.Second, 5*time.Second // nobody checks unless asked
		requireAt(t, c, "a", 0)
		m.fail(errDown)
		time.Sleep(2 * time.Second)
		requireAt(t, c, "a", 0)
		m.fail(nil)
		m.put(Tenant{ID: "a", Placement: at(1)})
		time.Sleep(w.grace + time.Millisecond)
		requireAt(t, c, "a", 1)
	})
}

// TestAttemptThatRanOut is about a process that was stopped in the middle of a check: its time is over when it goes on, which says
// nothing about the master.
func TestAttemptThatRanOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newFakeMaster()
		m.put(Tenant{ID: "a", Placement: at(0)})
		c := openFake(t, m, Config{})
		w := c.cache.watch
		w.maxStale = time.Second
		requireAt(t, c, "a", 0)
		var first atomic.Bool
		first.Store(true)
		m.there = func(ctx context.Context, what string) error {
			if what == "poll" && first.Swap(false) {
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		}
		check, _ := w.ask()
		synctest.Wait()
		time.Sleep(time.Hour)
		m.put(Tenant{ID: "a", Placement: at(1)})
		time.Sleep(2 * time.Second)
		requireAt(t, c, "a", 1)
		<-check.done
	})
}

// TestNotFound is about what is remembered of tenants that are not there.
func TestNotFound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newFakeMaster()
		c := openFake(t, m, Config{MaxStale: 10 * time.Second, NotFoundFor: time.Second, CacheSize: 4 * partSize})
		look := func() {
			_, err := c.Resolve(t.Context(), tenancy.ID("a"))
			require.ErrorIs(t, err, tenancy.ErrTenantNotFound)
			_, err = c.ByDomain(t.Context(), "a.example")
			require.ErrorIs(t, err, tenancy.ErrTenantNotFound)
		}
		look()
		look()
		require.EqualValues(t, 2, m.loads.Load())
		time.Sleep(time.Second)
		look()
		require.EqualValues(t, 4, m.loads.Load())
		c.cache.apply(m.put(Tenant{ID: "a", Name: "x", Domains: []string{"a.example"}, Placement: at(0)}))
		requireAt(t, c, "a", 0)
		_, err := c.ByDomain(t.Context(), "a.example")
		require.NoError(t, err)

		for n := range 10 * mostAbsent * len(c.cache.parts) { // somebody tries out names
			_, err := c.Resolve(t.Context(), tenancy.ID("x"+string(rune('a'+n%26))+time.Duration(n).String()))
			require.ErrorIs(t, err, tenancy.ErrTenantNotFound)
		}
		for i := range c.cache.parts {
			require.LessOrEqual(t, len(c.cache.parts[i].absent), mostAbsent)
		}
	})
}

// TestClose is about what goes on in the background: it ends, whatever it was about. (A bubble fails if a goroutine is left.)
func TestClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newFakeMaster()
		m.put(Tenant{ID: "a", Placement: at(0)})
		m.there = func(ctx context.Context, what string) error {
			if what != "poll" || m.polls.Load() > 1 {
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		}
		c := openFake(t, m, Config{MaxStale: time.Second})
		var all sync.WaitGroup
		all.Go(func() {
			_, err := c.Resolve(t.Context(), tenancy.ID("a"))
			assert.ErrorIs(t, err, errCatalogClosed)
		})
		time.Sleep(1100 * time.Millisecond)
		all.Go(func() {
			_, err := c.Resolve(t.Context(), tenancy.ID("a"))
			assert.ErrorIs(t, err, errCatalogClosed)
		})
		synctest.Wait()
		began := time.Now()
		require.NoError(t, c.Close())
		require.Zero(t, time.Since(began), "it does not wait for the master")
		all.Wait()
		_, err := c.Resolve(t.Context(), tenancy.ID("a"))
		require.ErrorIs(t, err, errCatalogClosed)
		require.ErrorIs(t, err, tenancy.ErrTenantUnavailable)
		_, err = c.cache.shard(t.Context(), "s")
		require.ErrorIs(t, err, errCatalogClosed)
		require.NoError(t, c.Close())
	})
}
