package catalog

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy"
)

const benchTenants = 1_000_000

// benchMaster answers for tenants t0000000, t0000001, … in shared tables.
type benchMaster struct{ *fakeMaster }

func (m benchMaster) load(_ context.Context, k key) (Tenant, bool, int64, error) {
	var n int
	_, err := fmt.Sscanf(k.text, "t%07d", &n)
	return benchTenant(n), err == nil, 1, nil
}

func benchTenant(n int) Tenant {
	id := fmt.Sprintf("t%07d", n)
	return Tenant{
		ID: tenancy.ID(id), Name: id + " Ltd", Domains: []string{id + ".example"}, Attributes: map[string]string{"plan": "gold", "region": "eu"},
		State: Active, Shape: SharedTables, Placement: tenancy.Placement{Shard: fmt.Sprintf("shard-%02d", n%50)}, Epoch: int64(n), Version: 7,
		CreatedAt: fromMicros(1), UpdatedAt: fromMicros(2),
	}
}

// warm is a catalog that has all tenants in its cache, made once for all benchmarks.
var warm = sync.OnceValue(func() *Catalog {
	cfg, _ := Config{MaxStale: 1 << 60}.filled(context.Background())
	c := &Catalog{cfg: cfg}
	c.cache, _ = newCache(context.Background(), benchMaster{newFakeMaster()}, cfg)
	for n := range benchTenants {
		t := benchTenant(n)
		k := key{byID, string(t.ID)}
		hash := c.cache.hash(k)
		r, _ := c.cache.put(c.cache.newRecord(t, hash, 1), hash, 0)
		d := key{byDomain, t.Domains[0]}
		hash = c.cache.hash(d)
		p := c.cache.part(hash)
		p.mu.Lock()
		c.cache.putAlias(p, hash, d, r)
		p.mu.Unlock()
	}
	runtime.GC()
	return c
})

// keysInOrderOf returns IDs as the plugin passes them. They lie in memory in the order in which they are asked for, as what they
// cost is the caller's.
func keysInOrderOf(b *testing.B, next func() int) []any {
	b.Helper()
	keys := make([]any, 1<<18)
	for i := range keys {
		keys[i] = tenancy.ID(fmt.Sprintf("t%07d", next()))
	}
	return keys
}

func BenchmarkResolve(b *testing.B) {
	c := warm()
	random := rand.New(rand.NewPCG(1, 2))
	zipf := rand.NewZipf(random, 1.1, 1, benchTenants-1)
	for name, next := range map[string]func() int{
		"uniform": func() int { return random.IntN(benchTenants) },
		"skewed":  func() int { return int(zipf.Uint64()) * 7919 % benchTenants },
		"one":     func() int { return 1 },
	} {
		keys := keysInOrderOf(b, next)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			ctx := b.Context()
			i := 0
			for b.Loop() {
				if _, err := c.Resolve(ctx, keys[i&(len(keys)-1)]); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
		b.Run(name+"/parallel", func(b *testing.B) {
			b.ReportAllocs()
			ctx := b.Context()
			b.RunParallel(func(pb *testing.PB) {
				i := rand.IntN(len(keys))
				for pb.Next() {
					if _, err := c.Resolve(ctx, keys[i&(len(keys)-1)]); err != nil {
						b.Error(err)
						return
					}
					i++
				}
			})
		})
	}
}

func BenchmarkByDomain(b *testing.B) {
	c := warm()
	domains := make([]string, 1<<18)
	for i := range domains {
		domains[i] = fmt.Sprintf("t%07d.example", rand.IntN(benchTenants))
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if _, err := c.ByDomain(b.Context(), domains[i&(len(domains)-1)]); err != nil {
			b.Fatal(err)
		}
		i++
	}
}

// BenchmarkMiss looks tenants up that are not in the cache, in a master that answers at once.
func BenchmarkMiss(b *testing.B) {
	cfg, err := Config{MaxStale: 1 << 60, CacheSize: 1000}.filled(b.Context())
	require.NoError(b, err)
	c := &Catalog{cfg: cfg}
	c.cache, err = newCache(b.Context(), benchMaster{newFakeMaster()}, cfg)
	require.NoError(b, err)
	defer c.cache.close()
	keys := keysInOrderOf(b, func() int { return rand.IntN(benchTenants) })
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if _, err := c.Resolve(b.Context(), keys[i&(len(keys)-1)]); err != nil {
			b.Fatal(err)
		}
		i++
	}
}

// BenchmarkMemory says how many bytes a tenant takes in the cache, with a name, a domain that was not looked up, and two
// attributes.
func BenchmarkMemory(b *testing.B) {
	const tenants = 200_000
	var before, after runtime.MemStats
	for b.Loop() {
		cfg, err := Config{}.filled(b.Context())
		require.NoError(b, err)
		runtime.GC()
		runtime.ReadMemStats(&before)
		c, err := newCache(b.Context(), newFakeMaster(), cfg)
		require.NoError(b, err)
		for n := range tenants {
			t := benchTenant(n)
			hash := c.hash(key{byID, string(t.ID)})
			c.put(c.newRecord(t, hash, 1), hash, 0)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/tenants, "B/tenant")
		c.close()
	}
}
