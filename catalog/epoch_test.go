package catalog

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy"
)

// TestChanges is about what a reader is told that asks for what came after an epoch.
func TestChanges(t *testing.T) {
	t.Parallel()
	for _, m := range masters() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			m := m.fresh(t)
			c := m.open(t)
			ctx := t.Context()
			after := int64(0)
			told := func() []change {
				changed, upTo, err := c.store.changes(ctx, after)
				require.NoError(t, err)
				epoch, err := c.store.epoch(ctx)
				require.NoError(t, err)
				require.Equal(t, epoch, upTo)
				after = upTo
				return changed
			}
			require.Empty(t, told())

			require.NoError(t, c.AddShard(ctx, Shard{}))
			require.Equal(t, []change{{epoch: 1, shard: "", aShard: true}}, told())
			require.Empty(t, told())

			a := create(t, c, NewTenant{ID: "a", Name: "A", Domains: []string{"a.example.com", "b.example.com"}})
			require.Equal(t, []change{{epoch: 2, tenant: "a", name: "A", domains: []string{"a.example.com", "b.example.com"}}}, told())

			a.Name, a.Domains = "B", []string{"b.example.com", "c.example.com"}
			_, err := c.Update(ctx, a)
			require.NoError(t, err)
			require.Equal(t, []change{{epoch: 3, tenant: "a", name: "B", domains: []string{"a.example.com", "b.example.com", "c.example.com"}}}, told())

			own := create(t, c, NewTenant{ID: "own", Shape: OwnDatabase})
			require.Equal(t, []change{{epoch: 4, tenant: "own", name: "own", shard: "tenant_own", aShard: true}}, told())

			require.NoError(t, c.SetPlace(ctx, own.Placement, Target{Version: 3, Models: "x"}, ""))
			require.Equal(t, []change{{epoch: 5, tenant: "own", name: "own", shard: "tenant_own", aShard: true}}, told())
			require.NoError(t, c.SetPlace(ctx, own.Placement, Target{Version: 3, Models: "x"}, ""))
			require.Empty(t, told(), "it was so before")
			require.NoError(t, c.SetPlace(ctx, tenancy.Placement{}, Target{Version: 3}, ""))
			require.Equal(t, []change{{epoch: 6, all: true}}, told())
			require.NoError(t, c.SetPlace(ctx, tenancy.Placement{}, Target{}, "no room"))
			require.Equal(t, []change{{epoch: 7}}, told(), "nobody need read anything again")

			_, err = c.Activate(ctx, "a", "")
			require.NoError(t, err)
			require.NoError(t, c.Remove(ctx, own, ""))
			require.Equal(t, []change{
				{epoch: 8, tenant: "a", name: "B", domains: []string{"b.example.com", "c.example.com"}},
				{epoch: 9, tenant: "own", name: "own", shard: "tenant_own", aShard: true},
			}, told())

			after = 100 // of a master that was restored from a copy
			require.Equal(t, []change{{epoch: 9, all: true}}, told())
			_, err = c.store.db.ExecContext(ctx, `DELETE FROM tenancy_history WHERE epoch = 4`)
			require.NoError(t, err)
			after = 2
			require.Equal(t, []change{{epoch: 9, all: true}}, told(), "somebody has cut the history")
			after = 4
			require.Len(t, told(), 5)
		})
	}
}

// TestManyChanges is about more than one would look at one by one.
func TestManyChanges(t *testing.T) {
	t.Parallel()
	c := openSQLite(t)
	create(t, c, NewTenant{ID: "a"})
	for _, text := range []string{
		`INSERT INTO tenancy_history SELECT 1 + n.value, at_us, what, 'b' || n.value, name, domains, from_state, to_state, shard, schema_name, table_suffix,
			exclusive_place, shard_changed, everyone, reason FROM tenancy_history, (WITH RECURSIVE s(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM s WHERE value < 10000) SELECT value FROM s) n`,
		`UPDATE tenancy_catalog SET epoch = 10001`,
	} {
		_, err := c.store.db.ExecContext(t.Context(), text)
		require.NoError(t, err)
	}
	changed, upTo, err := c.store.changes(t.Context(), 0)
	require.NoError(t, err)
	require.Equal(t, []change{{epoch: 10001, all: true}}, changed)
	require.EqualValues(t, 10001, upTo)
	changed, _, err = c.store.changes(t.Context(), 1)
	require.NoError(t, err)
	require.Len(t, changed, 10000)
}

// TestNoChangeIsMissed has readers that poll while others write: who has seen an epoch has seen all that is committed up to it.
func TestNoChangeIsMissed(t *testing.T) {
	t.Parallel()
	const writers, each = 8, 25
	for _, m := range masters() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			m := m.fresh(t)
			processes := []*Catalog{m.open(t), m.open(t)}
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()

			var writing, reading sync.WaitGroup
			var mu sync.Mutex
			written := map[int64]tenancy.ID{}
			done := make(chan struct{})
			for w := range writers {
				c := processes[w%2]
				writing.Go(func() {
					for n := range each {
						id := tenancy.ID(fmt.Sprintf("t%d-%d", w, n))
						made, err := c.Create(ctx, NewTenant{ID: id})
						if err != nil {
							t.Errorf("create: %v", err)
							return
						}
						mu.Lock()
						written[made.Epoch] = id
						mu.Unlock()
					}
				})
			}
			seen := make([]map[int64]tenancy.ID, 3)
			for r := range seen {
				c := processes[r%2]
				seen[r] = map[int64]tenancy.ID{}
				reading.Go(func() {
					for after, last := int64(0), false; ; {
						select {
						case <-done:
							last = true
						default:
						}
						changed, upTo, err := c.store.changes(ctx, after)
						if err != nil {
							t.Errorf("changes: %v", err)
							return
						}
						for _, ch := range changed {
							seen[r][ch.epoch] = ch.tenant
							// A look-up as of an epoch has what was committed up to it.
							if got, found, asOf, err := c.store.load(ctx, key{byID, string(ch.tenant)}); err != nil || !found || got.Epoch != ch.epoch || asOf < upTo {
								t.Errorf("load of epoch %d as of %d: %v, %v", ch.epoch, asOf, found, err)
							}
						}
						after = upTo
						if last {
							return
						}
					}
				})
			}
			writing.Wait()
			close(done)
			reading.Wait()
			for r := range seen {
				require.Equal(t, written, seen[r])
			}
		})
	}
}

// TestUpdateWaitsForTheEpoch is about the order of commits: a second change gets its epoch when the first is committed.
func TestUpdateWaitsForTheEpoch(t *testing.T) {
	t.Parallel()
	for _, m := range masters() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			m := m.fresh(t)
			chosen, proceed := make(chan struct{}), make(chan struct{})
			slow := m.open(t, Config{Strategy: StrategyFunc(func(context.Context, Tenant, []Shard) (string, error) {
				close(chosen)
				<-proceed
				return "", nil
			})})
			quick := m.open(t)
			var running sync.WaitGroup
			var first, second Tenant
			running.Go(func() {
				var err error
				if first, err = slow.Create(t.Context(), NewTenant{ID: "first"}); err != nil {
					t.Error(err)
				}
			})
			<-chosen
			running.Go(func() {
				var err error
				if second, err = quick.Create(t.Context(), NewTenant{ID: "second"}); err != nil {
					t.Error(err)
				}
			})
			for range 20 { // nobody sees an epoch before it is committed
				epoch, err := quick.store.epoch(t.Context())
				require.NoError(t, err)
				require.Zero(t, epoch)
				time.Sleep(5 * time.Millisecond)
			}
			close(proceed)
			running.Wait()
			require.EqualValues(t, 1, first.Epoch)
			require.EqualValues(t, 2, second.Epoch)
		})
	}
}
