package catalog

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy"
)

// fakeMaster is a master in memory, for tests that stop the clock or a look-up at a certain point.
type fakeMaster struct {
	mu      sync.Mutex
	now     int64
	tenants map[tenancy.ID]Tenant
	shards  map[string]Shard
	history []change
	fault   error // what it answers

	loads, shardLoads, polls atomic.Int64

	// called on the way to the master and, with what has been read, on the way back
	there, back func(ctx context.Context, what string) error
}

func newFakeMaster() *fakeMaster {
	return &fakeMaster{tenants: map[tenancy.ID]Tenant{}, shards: map[string]Shard{}}
}

var errDown = errors.New("the master is down")

func (m *fakeMaster) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fault = err
}

// put commits a tenant and returns the change.
func (m *fakeMaster) put(t Tenant) change {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now++
	t.Epoch = m.now
	if t.Name == "" {
		t.Name = string(t.ID)
	}
	if t.State == "" {
		t.State = Active
	}
	ch := change{epoch: m.now, tenant: t.ID, name: t.Name, domains: append(slices.Clone(t.Domains), m.tenants[t.ID].Domains...)}
	m.tenants[t.ID] = t
	m.history = append(m.history, ch)
	return ch
}

func (m *fakeMaster) remove(id tenancy.ID) change {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now++
	t := m.tenants[id]
	delete(m.tenants, id)
	ch := change{epoch: m.now, tenant: id, name: t.Name, domains: t.Domains}
	m.history = append(m.history, ch)
	return ch
}

func (m *fakeMaster) putShard(sh Shard) change {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now++
	sh.Epoch = m.now
	m.shards[sh.Name] = sh
	ch := change{epoch: m.now, shard: sh.Name, aShard: true}
	m.history = append(m.history, ch)
	return ch
}

// versions sets the version of all places.
func (m *fakeMaster) versions(version int64) change {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now++
	for id, t := range m.tenants {
		t.Version = version
		m.tenants[id] = t
	}
	ch := change{epoch: m.now, all: true}
	m.history = append(m.history, ch)
	return ch
}

// restore makes it a copy of an earlier epoch, with other tenants.
func (m *fakeMaster) restore(epoch int64, tenants ...Tenant) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now, m.history, m.tenants = epoch, m.history[:epoch], map[tenancy.ID]Tenant{}
	for _, t := range tenants {
		m.tenants[t.ID] = t
	}
}

// travel calls the hooks around a read.
func (m *fakeMaster) travel(ctx context.Context, what string, read func()) error {
	if m.there != nil {
		if err := m.there(ctx, what); err != nil {
			return err
		}
	}
	m.mu.Lock()
	err := m.fault
	if err == nil {
		read()
	}
	m.mu.Unlock()
	if err == nil && m.back != nil {
		err = m.back(ctx, what)
	}
	return err
}

func (m *fakeMaster) load(ctx context.Context, k key) (t Tenant, found bool, asOf int64, err error) {
	m.loads.Add(1)
	err = m.travel(ctx, "load", func() {
		asOf = m.now
		for _, one := range m.tenants {
			if k.kind == byID && string(one.ID) == k.text || k.kind == byName && one.Name == k.text || k.kind == byDomain && slices.Contains(one.Domains, k.text) {
				t, found = one, true
			}
		}
	})
	return t, found, asOf, err
}

func (m *fakeMaster) loadShard(ctx context.Context, name string) (sh Shard, found bool, asOf int64, err error) {
	m.shardLoads.Add(1)
	err = m.travel(ctx, "shard", func() {
		asOf = m.now
		sh, found = m.shards[name]
		if host, ok := m.shards[sh.Host]; sh.Own && ok {
			sh.DSN = host.DSN + "/" + name
		}
	})
	return sh, found, asOf, err
}

func (m *fakeMaster) epoch(ctx context.Context) (epoch int64, err error) {
	m.polls.Add(1)
	err = m.travel(ctx, "poll", func() { epoch = m.now })
	return epoch, err
}

func (m *fakeMaster) changes(ctx context.Context, after int64) (changed []change, upTo int64, err error) {
	err = m.travel(ctx, "changes", func() {
		upTo = m.now
		changed = slices.Clone(m.history[min(after, m.now):])
	})
	return changed, upTo, err
}

// at is a place that can be told from others.
func at(n int) tenancy.Placement { return tenancy.Placement{TableSuffix: "_" + strconv.Itoa(n)} }

// openFake opens a catalog over a fake master, which never polls by itself unless MaxStale is set.
func openFake(t testing.TB, m source, cfg Config) *Catalog {
	t.Helper()
	if cfg.MaxStale == 0 {
		cfg.MaxStale = 1000 * time.Hour
	}
	cfg, err := cfg.filled(t.Context())
	require.NoError(t, err)
	c := &Catalog{cfg: cfg, store: &store{}} // which has nothing open
	c.cache, err = newCache(t.Context(), m, cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

// requireAt looks a tenant up.
func requireAt(t *testing.T, c *Catalog, id tenancy.ID, n int) {
	t.Helper()
	p, err := c.Resolve(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, at(n), p)
}
