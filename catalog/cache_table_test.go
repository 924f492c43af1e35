package catalog

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy"
)

func keyOf(n int) key {
	k := key{byID, fmt.Sprintf("t%d", n)}
	if n%3 == 0 { // longer than a node
		k.text += "-of-a-customer-with-a-rather-long-name-and-more"
	}
	return k
}

func nodeOf(n int) *node {
	r := &record{rest: &rest{id: keyOf(n).text}}
	r.setKey(uint64(n%50)<<32, keyOf(n), r) // so that many are in one chain
	return &r.node
}

// TestTable compares the table with a map, while others read it: those find what is there all the time, and nothing else.
func TestTable(t *testing.T) {
	t.Parallel()
	var table table
	var stop atomic.Bool
	var readers sync.WaitGroup
	const always, never = 100, 50 // 100 to 149 are always there, 50 to 99 never
	find := func(n int) *node { return table.get(uint64(n%50)<<32, keyOf(n)) }
	var mu sync.Mutex
	for n := always; n < always+50; n++ {
		table.put(nodeOf(n))
	}
	for range 2 {
		readers.Go(func() {
			for !stop.Load() {
				n := always + rand.IntN(50)
				if find(n) == nil { // the table has grown meanwhile
					mu.Lock()
					assert.NotNil(t, find(n))
					mu.Unlock()
				}
				assert.Nil(t, find(never+rand.IntN(50)))
			}
		})
	}
	known := map[int]*node{}
	for range 20_000 {
		n := 200 + rand.IntN(1000)
		if rand.IntN(3) == 0 {
			n = rand.IntN(50)
		}
		mu.Lock()
		if e, ok := known[n]; ok {
			require.Same(t, e, find(n))
			require.True(t, table.remove(e))
			require.False(t, table.remove(e))
			delete(known, n)
		} else {
			require.Nil(t, find(n))
			known[n] = nodeOf(n)
			table.put(known[n])
		}
		mu.Unlock()
		require.Equal(t, len(known)+50, table.count)
	}
	stop.Store(true)
	readers.Wait()
	seen := 0
	table.each(func(e *node) {
		seen++
		require.True(t, table.remove(e))
	})
	require.Equal(t, len(known)+50, seen)
	require.Zero(t, table.count)
}

// hotMaster counts how often it is asked for the first 20 tenants.
type hotMaster struct {
	benchMaster

	hot *atomic.Int64
}

func (m hotMaster) load(ctx context.Context, k key) (Tenant, bool, int64, error) {
	t, found, asOf, err := m.benchMaster.load(ctx, k)
	if t.ID < "t0000020" {
		m.hot.Add(1)
	}
	return t, found, asOf, err
}

// TestCacheIsBounded is about more tenants than it may hold: those that are asked for again and again stay.
func TestCacheIsBounded(t *testing.T) {
	t.Parallel()
	const size = 1024
	var hot atomic.Int64
	c := openFake(t, hotMaster{benchMaster{newFakeMaster()}, &hot}, Config{CacheSize: size})
	look := func(n int) {
		id := tenancy.ID(fmt.Sprintf("t%07d", n))
		_, err := c.Resolve(t.Context(), id)
		require.NoError(t, err)
		_, err = c.ByDomain(t.Context(), string(id)+".example")
		require.NoError(t, err)
	}
	for n := range 20 * size {
		look(20 + n)
		if n%20 == 0 {
			look(n / 20 % 20)
		}
		require.LessOrEqual(t, c.cache.tenants.Load(), int64(size))
		require.LessOrEqual(t, c.cache.aliases.Load(), int64(size))
	}
	require.Less(t, hot.Load(), int64(100), "each is asked for by ID and by domain, 51 times")
}

// TestCachedShards is about how databases are reached, which is looked up when they are opened.
func TestCachedShards(t *testing.T) {
	t.Parallel()
	m := newFakeMaster()
	m.putShard(Shard{Name: "s", DSN: "one", Replicas: []string{"r"}})
	m.putShard(Shard{Name: "own", Own: true, Host: "s"})
	m.putShard(Shard{Name: "other", DSN: "other"})
	c := openFake(t, m, Config{Connect: connectNowhere})
	dsn := func(name string) string {
		sh, err := c.cache.shard(t.Context(), name)
		require.NoError(t, err)
		if len(sh.Replicas) > 0 {
			sh.Replicas[0] = "changed by the caller"
		}
		return sh.DSN
	}
	for range 3 {
		require.Equal(t, "one", dsn("s"))
		require.Equal(t, "one/own", dsn("own"))
		require.Equal(t, "other", dsn("other"))
	}
	require.EqualValues(t, 3, m.shardLoads.Load())
	sh, err := c.cache.shard(t.Context(), "s")
	require.NoError(t, err)
	require.Equal(t, []string{"r"}, sh.Replicas)

	c.cache.apply(m.putShard(Shard{Name: "s", DSN: "two"}))
	require.Equal(t, "two/own", dsn("own"), "an own database goes with its host")
	require.Equal(t, "two", dsn("s"))
	require.Equal(t, "other", dsn("other"))
	require.EqualValues(t, 5, m.shardLoads.Load())

	_, err = c.OpenShard(t.Context(), "unknown")
	require.ErrorIs(t, err, tenancy.ErrShardNotFound)
	open, err := c.OpenShard(t.Context(), "s")
	require.NoError(t, err)
	require.Equal(t, "s", open.Name)
	c.cfg.Connect = nil
	_, err = c.OpenShard(t.Context(), "s")
	require.ErrorIs(t, err, tenancy.ErrInvalidConfig)
}

// TestSizes is about what a hit has to wait for.
func TestSizes(t *testing.T) {
	t.Parallel()
	require.LessOrEqual(t, reflect.TypeFor[node]().Size(), uintptr(64))
	require.LessOrEqual(t, reflect.TypeFor[record]().Size(), uintptr(128))
}
