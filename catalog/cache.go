package catalog

import (
	"context"
	"fmt"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gormtenancy/tenancy"
)

// source is where the cache reads: the [store].
type source interface {
	load(ctx context.Context, k key) (t Tenant, found bool, asOf int64, err error)
	loadShard(ctx context.Context, name string) (sh Shard, found bool, asOf int64, err error)
	epoch(ctx context.Context) (int64, error)
	changes(ctx context.Context, after int64) (changed []change, upTo int64, err error)
}

// cache keeps tenants, by ID and by the names and domains that were looked up, and what there is not.
//
// It is made of parts, each with its own lock. Who finds a tenant takes no lock. What is in the cache was so at the time to
// which [watch] has followed the master's changes; nobody is answered from it when that is longer ago than MaxStale.
type cache struct {
	source source
	watch  *watch
	gate   gate
	seed   maphash.Seed
	parts  []part // a power of two of them
	mask   uint64 // of a hash, for its part
	most   int64  // tenants, and as many names and domains
	shared shared
	shards shards

	tenants, aliases atomic.Int64 // in the cache
	restarts         atomic.Int64 // how often the master was found to be an older copy
	notFoundFor      time.Duration
}

// part has the keys whose hash leads to it.
type part struct {
	tenants table // by ID
	aliases table // by name and domain

	mu      sync.Mutex // for writers of the tables, and for all below
	absent  map[key]absence
	flights map[key]*flight
	dropped int64 // the newest change that concerns a key of this part; what was read before must not come in

	_ [64]byte // so that a lock does not share a line of a processor's cache with the next part's tables
}

const (
	mostParts = 256
	partSize  = 64 // tenants at least, on average, so that a full part has somebody to evict
)

// newCache returns a cache that follows its source until close. It fails if the source does not answer.
func newCache(ctx context.Context, from source, cfg Config) (*cache, error) {
	c := &cache{
		source: from, gate: gate{cfg.MinVersion, cfg.Models}, seed: maphash.MakeSeed(),
		most: int64(cfg.CacheSize), notFoundFor: min(cfg.NotFoundFor, cfg.MaxStale),
	}
	n := 1
	for n < mostParts && 2*n*partSize <= cfg.CacheSize {
		n *= 2
	}
	c.parts, c.mask = make([]part, n), uint64(n-1) //nolint:gosec // n is positive
	c.watch = newWatch(from, c, cfg)
	return c, c.watch.start(ctx)
}

// close ends the cache's goroutines.
func (c *cache) close() { c.watch.stop() }

func (c *cache) hash(k key) uint64 {
	return maphash.String(c.seed, k.text) ^ uint64(k.kind)*0x9e3779b97f4a7c15
}

func (c *cache) part(hash uint64) *part { return &c.parts[hash&c.mask] }

// find returns the tenant of a key as it was at most MaxStale before the call, or [tenancy.ErrTenantNotFound].
func (c *cache) find(ctx context.Context, k key) (*record, error) {
	began := time.Now()
	if !c.watch.fresh(began) {
		if err := c.watch.renew(ctx, began); err != nil {
			return nil, err
		}
	}
	hash := c.hash(k)
	if r := c.part(hash).find(hash, k); r != nil {
		return r, nil
	}
	return c.load(ctx, k, hash, began)
}

// find takes no lock.
func (p *part) find(hash uint64, k key) *record {
	t := &p.tenants
	if k.kind != byID {
		t = &p.aliases
	}
	e := t.get(hash, k)
	if e == nil || e.tenant.has(gone) {
		return nil
	}
	e.use()
	if k.kind != byID {
		e.tenant.use()
	}
	return e.tenant
}

// put adds a tenant that was found by its name or a domain. It says no if the tenant has been changed since it was read.
func (c *cache) put(r *record, hash uint64, restarts int64) (*record, bool) {
	p := c.part(hash)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dropped > r.rest.asOf.Load() || c.restarts.Load() != restarts {
		return r, false
	}
	return c.putTenant(p, r, hash), true
}

// putTenant adds a tenant, and returns what is in the cache then: an earlier record if that says the same, as names and domains
// lead to it, or if it is newer. p.mu is held.
func (c *cache) putTenant(p *part, r *record, hash uint64) *record {
	k := key{byID, r.id()}
	delete(p.absent, k)
	if old := p.tenants.get(hash, k); old != nil {
		known, read := &old.tenant.rest.asOf, r.rest.asOf.Load()
		if known.Load() > read || old.tenant.same(r) {
			known.Store(max(known.Load(), read))
			return old.tenant
		}
		c.forget(p, old)
	}
	if c.tenants.Add(1) > c.most && p.tenants.count > 0 {
		c.forget(p, p.tenants.evict())
	}
	p.tenants.put(&r.node)
	return r
}

// forget takes a tenant out. p.mu is held.
func (c *cache) forget(p *part, e *node) {
	e.flags.Or(gone) // for the names and domains that lead to it
	if p.tenants.remove(e) {
		c.tenants.Add(-1)
	}
}

// putAlias makes a name or a domain lead to a tenant. p.mu is held.
func (c *cache) putAlias(p *part, hash uint64, k key, r *record) {
	delete(p.absent, k)
	if old := p.aliases.get(hash, k); old != nil {
		c.forgetAlias(p, old)
	}
	if c.aliases.Add(1) > c.most && p.aliases.count > 0 {
		c.forgetAlias(p, p.aliases.evict())
	}
	e := &node{}
	e.setKey(hash, k, r)
	p.aliases.put(e)
}

func (c *cache) forgetAlias(p *part, e *node) {
	if p.aliases.remove(e) {
		c.aliases.Add(-1)
	}
}

func notFound() error {
	return fmt.Errorf("%w: it is not in the catalog", tenancy.ErrTenantNotFound)
}
