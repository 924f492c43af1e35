package catalog

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/sqlite"
)

// TestCreate is about what a new tenant is told, and what it gets by itself.
func TestCreate(t *testing.T) {
	t.Parallel()
	for _, m := range masters() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			m := m.fresh(t)
			c := m.open(t)
			before := time.Now().Add(-time.Second)
			plain := create(t, c, NewTenant{ID: "plain"})
			require.Equal(t, "plain", plain.Name)
			require.Equal(t, Creating, plain.State)
			require.Equal(t, SharedTables, plain.Shape)
			require.Equal(t, tenancy.Placement{}, plain.Placement)
			require.WithinRange(t, plain.CreatedAt, before, time.Now().Add(time.Second))
			require.Equal(t, plain.CreatedAt, plain.UpdatedAt)

			full := create(t, c, NewTenant{
				ID: "Ä b'\"%_", Name: "Ärger & Söhne 🎉 ", Domains: []string{"Shop.Example.com:8080", "b.example.com.", "shop.example.com", "[2001:DB8::1]:443"},
				Attributes: map[string]string{"region": "eu", "": ""}, Shape: OwnSchema, Reason: "tab\tnul\x00 \xff",
			}.without(""))
			require.Equal(t, "Ärger & Söhne 🎉 ", full.Name)
			require.Equal(t, []string{"2001:db8::1", "b.example.com", "shop.example.com"}, full.Domains)
			require.Equal(t, map[string]string{"region": "eu"}, full.Attributes)
			require.Equal(t, tenancy.Placement{Schema: "tenant_Ä b'\"%_", Exclusive: true}, full.Placement)
			require.NotContains(t, full.Reason, "\x00")
			require.Greater(t, full.Epoch, plain.Epoch)

			own := create(t, c, NewTenant{ID: "own", Shape: OwnDatabase})
			require.Equal(t, tenancy.Placement{Shard: "tenant_own", Exclusive: true}, own.Placement)
			sh, err := c.Shard(t.Context(), "tenant_own")
			require.NoError(t, err)
			require.True(t, sh.Own)
			require.Empty(t, sh.Host)
		})
	}
}

// without returns n without an attribute.
func (n NewTenant) without(attribute string) NewTenant {
	delete(n.Attributes, attribute)
	return n
}

// TestCreateRefuses what no tenant can be.
func TestCreateRefuses(t *testing.T) {
	t.Parallel()
	c := openSQLite(t)
	for what, n := range map[string]NewTenant{
		"no ID":               {},
		"a long ID":           {ID: tenancy.ID(strings.Repeat("x", 64))},
		"no UTF-8":            {ID: "\xff"},
		"a control character": {ID: "a\nb"},
		"a name":              {ID: "a", Name: "x\x00"},
		"a long name":         {ID: "a", Name: strings.Repeat("x", 256)},
		"a domain":            {ID: "a", Domains: []string{"https://example.com/"}},
		"an empty domain":     {ID: "a", Domains: []string{":80"}},
		"no UTF-8 domain":     {ID: "a", Domains: []string{"\xff.example.com"}},
		"an attribute":        {ID: "a", Attributes: map[string]string{"": "x"}},
		"many attributes":     {ID: "a", Attributes: map[string]string{"x": strings.Repeat("x", 1<<16)}},
		"a shape":             {ID: "a", Shape: "round"},
		"a schema":            {ID: tenancy.ID(strings.Repeat("x", 60)), Shape: OwnSchema},
		"a database":          {ID: "a/b", Shape: OwnDatabase},
		"a long database":     {ID: tenancy.ID(strings.Repeat("x", 60)), Shape: OwnDatabase},
	} {
		_, err := c.Create(t.Context(), n)
		require.ErrorIs(t, err, tenancy.ErrInvalidTenant, what)
		if n.ID != "" && n.ID != "a" {
			require.NotContains(t, err.Error(), string(n.ID), what)
		}
	}
	epoch, err := c.store.epoch(t.Context())
	require.NoError(t, err)
	require.Zero(t, epoch, "what was refused has no epoch")
}

// TestUnique is about IDs, names and domains, of which each is one tenant's. They are compared byte by byte, on MariaDB too.
func TestUnique(t *testing.T) {
	t.Parallel()
	for _, m := range masters() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			m := m.fresh(t)
			c := m.open(t)
			create(t, c, NewTenant{ID: "acme", Name: "Acme", Domains: []string{"acme.example.com", "www.acme.example.com"}})
			for what, n := range map[string]NewTenant{
				"its ID is taken":             {ID: "acme", Name: "x"},
				"its name is taken":           {ID: "x", Name: "Acme"},
				"one of its domains is taken": {ID: "x", Domains: []string{"x.example.com", "WWW.acme.example.com:80"}},
			} {
				_, err := c.Create(t.Context(), n)
				require.ErrorIs(t, err, tenancy.ErrTenantExists)
				require.EqualError(t, err, "tenancy: tenant exists: "+what)
				_, err = c.Read(t.Context(), "x")
				require.ErrorIs(t, err, tenancy.ErrTenantNotFound, "nothing is left of it")
			}
			create(t, c, NewTenant{ID: "x", Domains: []string{"x.example.com"}})

			// Others, though a collation could take them for one.
			for i, id := range []tenancy.ID{"ACME", "acme ", "Acme", "ácme", " acme", "acme\u00a0"} {
				create(t, c, NewTenant{ID: id, Name: fmt.Sprint(i)})
			}
			for i, name := range []string{"ACME", "Acme ", "acme", "Ácme"} {
				create(t, c, NewTenant{ID: tenancy.ID(fmt.Sprint("n", i)), Name: name})
			}
			for _, id := range []tenancy.ID{"acme", "ACME", "acme ", "Acme"} {
				read, err := c.Read(t.Context(), id)
				require.NoError(t, err)
				require.Equal(t, id, read.ID)
				found, err := c.Tenant(t.Context(), id)
				require.NoError(t, err)
				require.Equal(t, id, found.ID)
			}
			_, err := c.Read(t.Context(), "AcMe")
			require.ErrorIs(t, err, tenancy.ErrTenantNotFound)

			// The database holds it too, should a program of somebody else's write there.
			for _, text := range []string{
				`INSERT INTO tenancy_domains (domain, tenant_id) VALUES ('x.example.com', 'acme')`,
				`UPDATE tenancy_tenants SET name = 'x' WHERE id = 'acme'`,
				`UPDATE tenancy_tenants SET claim = 'x'`,
			} {
				_, err := c.store.db.ExecContext(t.Context(), text)
				require.Error(t, err, text)
			}
		})
	}
}

// TestUpdate is about names, domains and attributes, and those of other tenants.
func TestUpdate(t *testing.T) {
	t.Parallel()
	for _, m := range masters() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			m := m.fresh(t)
			c := m.open(t)
			create(t, c, NewTenant{ID: "b", Name: "B", Domains: []string{"b.example.com"}})
			was := create(t, c, NewTenant{ID: "a", Name: "A", Domains: []string{"a.example.com", "old.example.com"}, Attributes: map[string]string{"plan": "small"}})

			to := was
			to.Name, to.Domains, to.Attributes = "A and Co", []string{"new.example.com", "a.example.com"}, map[string]string{"plan": "big"}
			to.State, to.Placement = Active, tenancy.Placement{TableSuffix: "_9"} // these have methods of their own
			now, err := c.Update(t.Context(), to)
			require.NoError(t, err)
			read, err := c.Read(t.Context(), "a")
			require.NoError(t, err)
			require.Equal(t, read, now)
			require.Equal(t, "A and Co", now.Name)
			require.Equal(t, []string{"a.example.com", "new.example.com"}, now.Domains)
			require.Equal(t, map[string]string{"plan": "big"}, now.Attributes)
			require.Equal(t, was.State, now.State)
			require.Equal(t, was.Placement, now.Placement)

			for domain, id := range map[string]tenancy.ID{"new.example.com": "a", "a.example.com": "a", "old.example.com": "", "b.example.com": "b"} {
				found, err := c.ByDomain(t.Context(), domain)
				if id == "" {
					require.ErrorIs(t, err, tenancy.ErrTenantNotFound)
					continue
				}
				require.NoError(t, err)
				require.Equal(t, id, found.ID)
			}
			for _, change := range []func(*Tenant){
				func(t *Tenant) { t.Name = "B" },
				func(t *Tenant) { t.Domains = []string{"b.example.com"} },
			} {
				to := now
				change(&to)
				_, err := c.Update(t.Context(), to)
				require.ErrorIs(t, err, tenancy.ErrTenantExists)
			}
			now.Name, now.Domains = "", nil
			now, err = c.Update(t.Context(), now)
			require.NoError(t, err)
			require.Equal(t, "a", now.Name)
			create(t, c, NewTenant{ID: "c", Name: "A", Domains: []string{"a.example.com", "old.example.com"}}) // all are free again
		})
	}
}

// TestCreatesAtOnce is about many processes and goroutines: each tenant is there once, and they are spread evenly.
func TestCreatesAtOnce(t *testing.T) {
	t.Parallel()
	const tenants, workers, shards = 1000, 16, 5
	for _, m := range masters() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			m := m.fresh(t)
			processes := []*Catalog{m.open(t), m.open(t)}
			for i := range shards {
				require.NoError(t, processes[0].AddShard(t.Context(), Shard{Name: fmt.Sprint("s", i), DSN: "x"}))
			}
			ids := make(chan int)
			go func() {
				defer close(ids)
				for i := range tenants {
					ids <- i
				}
			}()
			var running sync.WaitGroup
			var mu sync.Mutex
			seen := map[int64]bool{}
			for w := range workers {
				running.Go(func() {
					for i := range ids {
						shape := []Shape{SharedTables, OwnSchema, OwnDatabase}[i%3]
						made, err := processes[w%2].Create(context.WithoutCancel(t.Context()), NewTenant{ID: tenancy.ID(fmt.Sprint("t", i)), Shape: shape})
						if err != nil {
							t.Errorf("tenant %d: %v", i, err)
						}
						mu.Lock()
						seen[made.Epoch] = true
						mu.Unlock()
					}
				})
			}
			running.Wait()
			require.Len(t, seen, tenants, "each has an epoch of its own")
			all, err := processes[1].Shards(t.Context())
			require.NoError(t, err)
			for _, s := range all {
				require.EqualValues(t, tenants/shards, s.Tenants, s.Name)
				stored, err := processes[1].Shard(t.Context(), s.Name)
				require.NoError(t, err)
				require.Equal(t, s.Tenants, stored.Tenants, "what the strategy is shown is what there is")
			}
			epoch, err := processes[0].store.epoch(t.Context())
			require.NoError(t, err)
			require.EqualValues(t, tenants+shards, epoch, "no epoch without a change")
		})
	}
}

// TestCreatesWithoutPatience is about SQLite without a busy_timeout, as others open it: whoever finds the file locked tries again.
func TestCreatesWithoutPatience(t *testing.T) {
	t.Parallel()
	const processes, each = 4, 25
	path := filepath.Join(t.TempDir(), "master.db")
	m := master{"sqlite", func() gorm.Dialector { return sqlite.New(sqlite.Config{DSN: path}) }}
	var open [processes]*Catalog
	for p := range open {
		open[p] = m.open(t)
	}
	var running sync.WaitGroup
	for p, c := range open {
		running.Go(func() {
			for i := range each {
				if _, err := c.Create(context.WithoutCancel(t.Context()), NewTenant{ID: tenancy.ID(fmt.Sprintf("t%d-%d", p, i))}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	running.Wait()
	require.Len(t, collect(t, m.open(t).Tenants(Maintenance(t.Context()))), processes*each)
}

// TestOneTenantCreatedByMany is about one ID: one creates it, and the others are told.
func TestOneTenantCreatedByMany(t *testing.T) {
	t.Parallel()
	for _, m := range masters() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			m := m.fresh(t)
			processes := []*Catalog{m.open(t), m.open(t)}
			errs := make(chan error, 8)
			for i := range cap(errs) {
				go func() {
					_, err := processes[i%2].Create(context.WithoutCancel(t.Context()), NewTenant{ID: "a"})
					errs <- err
				}()
			}
			made := 0
			for range cap(errs) {
				if err := <-errs; err == nil {
					made++
				} else if !errors.Is(err, tenancy.ErrTenantExists) {
					t.Error(err)
				}
			}
			require.Equal(t, 1, made)
		})
	}
}

// TestCancelledChange leaves nothing, and the way free for others.
func TestCancelledChange(t *testing.T) {
	t.Parallel()
	for _, m := range masters() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			m := m.fresh(t)
			ctx, cancel := context.WithCancel(t.Context())
			c := m.open(t, Config{Strategy: StrategyFunc(func(_ context.Context, _ Tenant, open []Shard) (string, error) {
				cancel()
				return open[0].Name, nil
			})})
			_, err := c.Create(ctx, NewTenant{ID: "a"})
			require.ErrorIs(t, err, context.Canceled)
			_, err = c.Read(t.Context(), "a")
			require.ErrorIs(t, err, tenancy.ErrTenantNotFound)
			_, err = c.Create(ctx, NewTenant{ID: "a"})
			require.ErrorIs(t, err, context.Canceled)
			create(t, c, NewTenant{ID: "b"})
		})
	}
}
