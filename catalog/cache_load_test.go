package catalog

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy"
)

// TestLookUps is about what is asked of the master: each tenant once, by whatever it is found.
func TestLookUps(t *testing.T) {
	t.Parallel()
	m := newFakeMaster()
	want := Tenant{
		ID: "a", Name: "Acme", Domains: []string{"acme.example", "shop.example"}, Attributes: map[string]string{"plan": "gold", "region": "eu"},
		State: Active, Shape: OwnSchema, Placement: tenancy.Placement{Shard: "s", Schema: "tenant_a", Exclusive: true},
		Version: 3, Models: "f", Reason: "", CreatedAt: fromMicros(1), UpdatedAt: fromMicros(2),
	}
	m.put(want)
	want.Epoch = 1
	c := openFake(t, m, Config{})
	for range 3 {
		p, err := c.Resolve(t.Context(), tenancy.ID("a"))
		require.NoError(t, err)
		require.Equal(t, want.Placement, p)
		got, err := c.Tenant(t.Context(), "a")
		require.NoError(t, err)
		require.Equal(t, want, got)
		got.Domains[0], got.Attributes["plan"] = "changed", "by the caller"
	}
	require.EqualValues(t, 1, m.loads.Load())
	for range 3 {
		for _, find := range []func() (Tenant, error){
			func() (Tenant, error) { return c.ByName(t.Context(), "Acme") },
			func() (Tenant, error) { return c.ByDomain(t.Context(), "ACME.example:8443") },
			func() (Tenant, error) { return c.ByDomain(t.Context(), "acme.example.") },
			func() (Tenant, error) { return c.ByDomain(t.Context(), "shop.example") },
		} {
			got, err := find()
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
	}
	require.EqualValues(t, 4, m.loads.Load(), "names and domains lead to one tenant, and do not drive each other out")
}

// TestResolveDoesNotAllocate is about every statement, which resolves its tenant.
func TestResolveDoesNotAllocate(t *testing.T) {
	m := newFakeMaster()
	m.put(Tenant{ID: "a", Placement: at(1)})
	c := openFake(t, m, Config{})
	var id any = tenancy.ID("a")
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if p, err := c.Resolve(t.Context(), id); err != nil || p != at(1) {
			panic(err)
		}
	}))
}

func TestUnknownTenants(t *testing.T) {
	t.Parallel()
	m := newFakeMaster()
	c := openFake(t, m, Config{})
	_, err := c.Resolve(t.Context(), tenancy.ID("a"))
	require.ErrorIs(t, err, tenancy.ErrTenantNotFound)
	_, err = c.ByName(t.Context(), "a")
	require.ErrorIs(t, err, tenancy.ErrTenantNotFound)
	_, err = c.ByDomain(t.Context(), "a.example")
	require.ErrorIs(t, err, tenancy.ErrTenantNotFound)
	asked := m.loads.Load()
	for _, id := range []string{"", "a\x00", "\xff", fmt.Sprintf("%256d", 1)} {
		_, err = c.Resolve(t.Context(), tenancy.ID(id))
		require.ErrorIs(t, err, tenancy.ErrTenantNotFound, "%q", id)
		_, err = c.ByName(t.Context(), id)
		require.ErrorIs(t, err, tenancy.ErrTenantNotFound, "%q", id)
		_, err = c.ByDomain(t.Context(), id)
		require.ErrorIs(t, err, tenancy.ErrTenantNotFound, "%q", id)
	}
	require.Equal(t, asked, m.loads.Load(), "what cannot be a key is not asked for")
	_, err = c.Resolve(t.Context(), int64(7))
	require.ErrorIs(t, err, tenancy.ErrTenantNotFound, "a key of a shard directory")
	_, err = c.Resolve(t.Context(), 1.5)
	require.ErrorIs(t, err, tenancy.ErrMissingShardKey)
}

// TestGate is about tenants that are there and not served.
func TestGate(t *testing.T) {
	t.Parallel()
	for want, tenant := range map[string]Tenant{
		"":                  {ID: "a", Version: 3, Models: "f"},
		"it is creating":    {ID: "a", Version: 3, Models: "f", State: Creating},
		"it is suspended":   {ID: "a", Version: 3, Models: "f", State: Suspended},
		"it is moving":      {ID: "a", Version: 3, Models: "f", State: Moving},
		"it is dropping":    {ID: "a", Version: 3, Models: "f", State: Dropping},
		"have version 2,":   {ID: "a", Version: 2, Models: "f"},
		"for the models of": {ID: "a", Version: 4, Models: "g"},
	} {
		m := newFakeMaster()
		tenant.Placement = at(1)
		m.put(tenant)
		c := openFake(t, m, Config{MinVersion: 3, Models: "f"})
		_, err := c.Resolve(t.Context(), tenancy.ID("a"))
		if want == "" {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, tenancy.ErrTenantUnavailable)
			require.ErrorContains(t, err, want)
		}
		p, err := c.Resolve(Maintenance(t.Context()), tenancy.ID("a"))
		require.NoError(t, err, want)
		require.Equal(t, at(1), p)
		_, err = c.Tenant(t.Context(), "a")
		require.NoError(t, err, want)
	}
}

// TestSingleFlight is about many who look for one tenant at once: the master is asked once, and nobody's context decides about
// the others.
func TestSingleFlight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newFakeMaster()
		m.put(Tenant{ID: "a", Placement: at(1)})
		gate := make(chan struct{})
		m.there = func(ctx context.Context, what string) error {
			if what == "load" {
				<-gate
			}
			return ctx.Err()
		}
		c := openFake(t, m, Config{})
		first, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		var gaveUp atomic.Bool
		all.Go(func() {
			_, err := c.Resolve(first, tenancy.ID("a"))
			assert.ErrorIs(t, err, context.Canceled)
			assert.ErrorIs(t, err, tenancy.ErrTenantUnavailable)
			gaveUp.Store(true)
		})
		synctest.Wait()
		var found atomic.Int64
		for range 100 {
			all.Go(func() {
				p, err := c.Resolve(t.Context(), tenancy.ID("a"))
				assert.NoError(t, err)
				assert.Equal(t, at(1), p)
				found.Add(1)
			})
		}
		synctest.Wait()
		cancel()
		synctest.Wait()
		require.True(t, gaveUp.Load(), "it waits within its own context")
		require.Zero(t, found.Load())
		close(gate)
		all.Wait()
		require.EqualValues(t, 1, m.loads.Load())
	})
}

// TestLoadsMeetChanges stops the reading of a tenant on its way there and back, and changes the tenant meanwhile. Who asks after the
// change gets what is new, whether the change was made through the same catalog or seen by a check.
func TestLoadsMeetChanges(t *testing.T) {
	t.Parallel()
	look := map[string]func(ctx context.Context, c *Catalog) (Tenant, error){
		"id":     func(ctx context.Context, c *Catalog) (Tenant, error) { return c.Tenant(ctx, "a") },
		"name":   func(ctx context.Context, c *Catalog) (Tenant, error) { return c.ByName(ctx, "a") },
		"domain": func(ctx context.Context, c *Catalog) (Tenant, error) { return c.ByDomain(ctx, "a.example") },
	}
	learn := map[string]func(c *Catalog, ch change){
		"own change": func(c *Catalog, ch change) { c.cache.apply(ch) },
		"check": func(c *Catalog, _ change) {
			check, _ := c.cache.watch.ask()
			<-check.done
		},
	}
	change := map[string]func(m *fakeMaster) change{
		"created": func(m *fakeMaster) change {
			return m.put(Tenant{ID: "a", Domains: []string{"a.example"}, Placement: at(2)})
		},
		"moved": func(m *fakeMaster) change {
			return m.put(Tenant{ID: "a", Domains: []string{"a.example"}, Placement: at(2)})
		},
		"removed": func(m *fakeMaster) change { return m.remove("a") },
		"renamed": func(m *fakeMaster) change { return m.put(Tenant{ID: "a", Name: "c", Placement: at(2)}) },
		"given to another": func(m *fakeMaster) change {
			m.put(Tenant{ID: "a", Name: "c", Placement: at(3)}) // it is told as well
			return m.put(Tenant{ID: "b", Name: "a", Domains: []string{"a.example"}, Placement: at(2)})
		},
	}
	for by, look := range look {
		for from, learn := range learn {
			for what, change := range change {
				if what == "given to another" && (by == "id" || from == "own change") {
					continue
				}
				gone := what == "removed" || what == "renamed" && by != "id"
				for _, point := range []string{"there", "back", "landed"} {
					t.Run(by+"/"+from+"/"+what+"/"+point, func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) {
							m := newFakeMaster()
							m.put(Tenant{ID: "z"})
							if what != "created" {
								m.put(Tenant{ID: "a", Domains: []string{"a.example"}, Placement: at(1)})
							}
							gate := make(chan struct{})
							hold := func(_ context.Context, what string) error {
								if what == "load" && m.loads.Load() == 1 {
									<-gate
								}
								return nil
							}
							switch point {
							case "there":
								m.there = hold
							case "back":
								m.back = hold
							}
							c := openFake(t, m, Config{})
							var all sync.WaitGroup
							all.Go(func() { _, _ = look(t.Context(), c) })
							synctest.Wait()
							learn(c, change(m))
							check := func() {
								got, err := look(t.Context(), c)
								if gone {
									assert.ErrorIs(t, err, tenancy.ErrTenantNotFound)
									return
								}
								assert.NoError(t, err)
								assert.Equal(t, at(2), got.Placement)
							}
							all.Go(check) // joins
							synctest.Wait()
							if point != "landed" {
								close(gate)
							}
							all.Wait()
							check()
							got, err := c.Tenant(t.Context(), "a")
							if what == "removed" {
								require.ErrorIs(t, err, tenancy.ErrTenantNotFound, "by its ID too")
								return
							}
							require.NoError(t, err)
							require.Equal(t, m.tenants["a"].Placement, got.Placement)
						})
					})
				}
			}
		}
	}
}

// TestNameOfAnOldRecord is about a change that is applied when a tenant that was found by its name is in the cache, and its name
// not yet.
func TestNameOfAnOldRecord(t *testing.T) {
	t.Parallel()
	m := newFakeMaster()
	c := openFake(t, m, Config{})
	k := key{byName, "a"}
	hash := c.cache.hash(k)
	own := c.cache.hash(key{byID, "x"})
	r, in := c.cache.put(c.cache.newRecord(Tenant{ID: "x", Name: "a"}, own, 0), own, 0)
	require.True(t, in)
	c.cache.apply(change{epoch: 1, tenant: "x", name: "b"})
	p := c.cache.part(hash)
	_, in = c.cache.land(&flight{}, p, k, hash, r, 0, 0)
	require.False(t, in)
}

// TestChangesThatKeepComing is about a tenant that is changed as often as it is read: it is answered all the same, for those who
// were there when what they get was read.
func TestChangesThatKeepComing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newFakeMaster()
		m.put(Tenant{ID: "a", Placement: at(0)})
		c := openFake(t, m, Config{})
		last, gate := make(chan struct{}), make(chan struct{})
		m.back = func(_ context.Context, what string) error {
			if n := m.loads.Load(); what == "load" && n <= loadAttempts {
				if n == loadAttempts {
					close(last)
					<-gate
				}
				c.cache.apply(m.put(Tenant{ID: "a", Placement: at(int(n))}))
			}
			return nil
		}
		var all sync.WaitGroup
		all.Go(func() {
			p, err := c.Resolve(t.Context(), tenancy.ID("a"))
			assert.NoError(t, err)
			assert.Equal(t, at(loadAttempts-1), p, "as of the last attempt")
		})
		<-last
		c.cache.apply(m.put(Tenant{ID: "a", Placement: at(99)}))
		requireAt(t, c, "a", 99) // does not join
		close(gate)
		all.Wait()
	})
}

// TestRestoredMaster is about a master that is replaced by an older copy of itself.
func TestRestoredMaster(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newFakeMaster()
		m.putShard(Shard{Name: "s", DSN: "new"})
		for n := range 9 {
			m.put(Tenant{ID: "a", Domains: []string{"a.example"}, Placement: at(n)})
			m.put(Tenant{ID: "b", Domains: []string{"b.example"}, Placement: at(n)})
		}
		c := openFake(t, m, Config{Connect: connectNowhere})
		c.cache.apply(m.put(Tenant{ID: "a", Domains: []string{"a.example"}, Placement: at(8)}))
		requireAt(t, c, "a", 8)
		_, err := c.ByDomain(t.Context(), "a.example")
		require.NoError(t, err)
		_, err = c.cache.shard(t.Context(), "s")
		require.NoError(t, err)

		gate := make(chan struct{})
		m.back = func(_ context.Context, what string) error {
			if what == "load" {
				<-gate
			}
			return nil
		}
		var all sync.WaitGroup
		all.Go(func() { _, _ = c.Resolve(t.Context(), tenancy.ID("b")) }) // is on its way while the master is replaced
		all.Go(func() { _, _ = c.ByDomain(t.Context(), "b.example") })
		synctest.Wait()
		m.restore(5, Tenant{ID: "a", Name: "a", State: Active, Placement: at(77)}, Tenant{ID: "b", Name: "b", State: Active, Placement: at(78)})
		m.shards["s"] = Shard{Name: "s", DSN: "old"}
		check, _ := c.cache.watch.ask()
		<-check.done
		close(gate)
		all.Wait()
		for range 2 {
			requireAt(t, c, "a", 77)
			requireAt(t, c, "b", 78)
		}
		_, err = c.ByDomain(t.Context(), "a.example")
		require.ErrorIs(t, err, tenancy.ErrTenantNotFound)
		_, err = c.ByDomain(t.Context(), "b.example")
		require.ErrorIs(t, err, tenancy.ErrTenantNotFound)
		sh, err := c.cache.shard(t.Context(), "s")
		require.NoError(t, err)
		require.Equal(t, "old", sh.DSN)

		loads := m.loads.Load()
		requireAt(t, c, "a", 77)
		require.Equal(t, loads, m.loads.Load(), "it caches what the copy says")
	})
}

func connectNowhere(context.Context, Shard) (tenancy.Shard, error) { return tenancy.Shard{}, nil }

// TestSourceThatPanics is about faults below: they are errors of the look-ups, and of no others.
func TestSourceThatPanics(t *testing.T) {
	t.Parallel()
	for what, do := range map[string]func(){
		"panic": func() { panic("boom") }, "exit": runtime.Goexit,
	} {
		m := newFakeMaster()
		m.put(Tenant{ID: "a", Placement: at(1)})
		var bad atomic.Bool
		bad.Store(true)
		m.there = func(_ context.Context, what string) error {
			if bad.Load() && what != "poll" {
				do()
			}
			return nil
		}
		c := openFake(t, m, Config{})
		_, err := c.Resolve(t.Context(), tenancy.ID("a"))
		require.ErrorIs(t, err, tenancy.ErrTenantUnavailable, what)
		m.put(Tenant{ID: "a", Placement: at(2)})
		check, _ := c.cache.watch.ask()
		<-check.done
		require.Error(t, c.cache.watch.standing.Load().cause, what)
		bad.Store(false)
		check, _ = c.cache.watch.ask()
		<-check.done
		requireAt(t, c, "a", 2)
	}
}

// TestErrorsKeepTheirCause is about what may be read by whom.
func TestErrorsKeepTheirCause(t *testing.T) {
	t.Parallel()
	m := newFakeMaster()
	c := openFake(t, m, Config{Connect: connectNowhere})
	secret := errors.New("cannot reach postgres://u:secret@h/db")
	m.fail(secret)
	_, err := c.Resolve(t.Context(), tenancy.ID("a"))
	require.ErrorIs(t, err, tenancy.ErrTenantUnavailable)
	require.ErrorIs(t, err, secret)
	require.NotContains(t, err.Error(), "secret")
	_, err = c.OpenShard(t.Context(), "s")
	require.ErrorIs(t, err, tenancy.ErrTenantUnavailable)
	require.NotContains(t, err.Error(), "secret")
}
