package shardtest

import (
	"context"
	"reflect"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
)

// layout is how rows are spread.
type layout struct {
	name     string
	family   *family
	at       []tenancy.Placement
	resolver func(at []tenancy.Placement) tenancy.ShardResolver
	keys     []any  // of orders
	only     string // dialect
	prepare  bool
}

// tenants are those of the family with tenants. The first is the one whose statements run.
func tenants() []string { return []string{"acme", "beta"} }

func numbers() []any {
	return []any{int64(-3), int64(-1), int64(0), int64(1), int64(2), int64(5), int64(7), int64(8), int64(40), int64(1 << 40)}
}

func names() []string { return []string{"", "0", "ams", "ber", "cph", "dub", "x-1"} }

func anyOf(texts []string) []any {
	all := make([]any, len(texts))
	for i, s := range texts {
		all[i] = s
	}
	return all
}

func hash(at []tenancy.Placement) tenancy.ShardResolver {
	return tenancy.Hash(64, tenancy.EvenSlots(64, at...)...)
}

func list(at []tenancy.Placement) tenancy.ShardResolver {
	m := map[string]tenancy.Placement{}
	for i, name := range names() {
		m[name] = at[i%len(at)]
	}
	return tenancy.List(m)
}

func spans(at []tenancy.Placement) tenancy.ShardResolver {
	bounds := []any{nil, int64(0), int64(2), int64(8)}
	all := make([]tenancy.Bound, len(bounds))
	for i, from := range bounds {
		var to any
		if i+1 < len(bounds) {
			to = bounds[i+1]
		}
		all[i] = tenancy.Bound{From: from, To: to, At: at[i%len(at)]}
	}
	return tenancy.Range(all...)
}

// shardsOf are the placements on n databases.
func shardsOf(n int) []tenancy.Placement {
	var at []tenancy.Placement
	for i := range n {
		at = append(at, tenancy.Placement{Shard: shardName(i)})
	}
	return at
}

func layouts() []layout {
	suffixes := []tenancy.Placement{{TableSuffix: "_00"}, {TableSuffix: "_01"}, {TableSuffix: "_02"}}
	both := []tenancy.Placement{
		{Shard: "s0", TableSuffix: "_00"}, {Shard: "s0", TableSuffix: "_01"}, {Shard: "s1", TableSuffix: "_00"}, {Shard: "s1", TableSuffix: "_01"},
	}
	schemas := []tenancy.Placement{{Shard: "s0", Schema: "east"}, {Shard: "s0", Schema: "west"}, {Shard: "s2", Schema: "east"}}
	return []layout{
		{name: "hash 3", family: numberFamily(), at: shardsOf(3), resolver: hash, keys: numbers(), prepare: true},
		{name: "hash 1", family: numberFamily(), at: shardsOf(1), resolver: hash, keys: numbers()},
		{name: "hash 5", family: numberFamily(), at: shardsOf(5), resolver: hash, keys: numbers()},
		{name: "list", family: textFamily(), at: shardsOf(3), resolver: list, keys: anyOf(names())},
		{name: "range", family: numberFamily(), at: shardsOf(4), resolver: spans, keys: numbers()},
		{name: "suffixes", family: numberFamily(), at: suffixes, resolver: hash, keys: numbers()},
		{name: "databases and suffixes", family: textFamily(), at: both, resolver: hash, keys: anyOf(names())},
		{name: "schemas", family: numberFamily(), at: schemas, resolver: hash, keys: numbers(), only: "postgres"},
		{name: "tenants", family: tenantFamily(), at: shardsOf(3), resolver: hash, keys: numbers()},
	}
}

// world is a layout on an engine: the same rows twice.
type world struct {
	layout

	engine  *engine
	shards  tenancy.ShardResolver
	devices tenancy.ShardResolver // of the second set
	db      *gorm.DB              // with the plugin
	dirty   bool                  // the rows are not those of the fixture
	stats   map[string]int
	rowsOf  map[*table][]reflect.Value // the fixture
}

func newWorld(t *testing.T, e *engine, l layout) *world {
	t.Helper()
	w := &world{layout: l, engine: e, stats: map[string]int{}, dirty: true}
	w.shards = l.resolver(l.at)
	w.devices = tenancy.Hash(16, tenancy.EvenSlots(16, l.at...)...)
	e.make(t, e.whole, "whole", l.family, tenancy.Placement{})
	e.make(t, e.plain[""], "", &family{categories: l.family.categories}, tenancy.Placement{})
	for _, at := range l.at {
		e.make(t, e.plain[at.Shard], at.Shard, l.family, at)
	}
	db, err := gorm.Open(e.home(), gormConfig(l.prepare))
	require.NoError(t, err)
	cfg := tenancy.Config{
		SQL: e.analyzer(), Reference: []any{&Category{}},
		Sharding: []tenancy.Sharding{
			{Models: []any{l.family.orders.new(), l.family.lines.new(), l.family.profiles.new()}, Resolver: w.shards},
			{Models: []any{&Event{}}, Resolver: w.devices},
		},
	}
	for i, open := range e.shards {
		cfg.Shards = append(cfg.Shards, tenancy.Shard{Name: shardName(i), Primary: open()})
	}
	plugin := tenancy.New(cfg)
	require.NoError(t, db.Use(plugin))
	t.Cleanup(func() { require.NoError(t, plugin.Close()) })
	w.db = db
	return w
}

// placements are where a table is: a reference table once in each database.
func (w *world) placements(t *table) []tenancy.Placement {
	if !t.same {
		return w.at
	}
	all := []tenancy.Placement{{}}
	for _, at := range w.at {
		if database := (tenancy.Placement{Shard: at.Shard}); !slices.Contains(all, database) {
			all = append(all, database)
		}
	}
	return all
}

// placeOf says where a row belongs.
func (w *world) placeOf(t *table, key any) (tenancy.Placement, error) {
	if t.second {
		return w.devices.Resolve(context.Background(), key)
	}
	return w.shards.Resolve(context.Background(), key)
}

// in names a table in the database of a placement.
func (w *world) in(ctx context.Context, t *table, at tenancy.Placement) *gorm.DB {
	return w.engine.plain[at.Shard].WithContext(ctx).Table(nameAt(t, at))
}
