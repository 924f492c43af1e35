package tenancy

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"time"
	"unicode"

	"gorm.io/gorm"
	"gorm.io/plugin/dbresolver"
)

// Placement says where rows are. Its zero value is the database that gorm.Open opened, with tables that all tenants share.
type Placement struct {
	Shard       string // name of a shard; "" is the database that gorm.Open opened
	Schema      string // PostgreSQL schema or MySQL database of the tenant; "" for shared tables
	TableSuffix string // "_03": the tables are orders_03, …; "" for plain names
	Exclusive   bool   // it holds one tenant alone, so that models without a tenant column may live there
}

// Shard is one database: its primary, and what else serves it. All shards have the dialect of the database that gorm.Open
// opened.
//
// The pools of a shard are opened by the plugin when they are first needed, with the plugin's [PoolLimits], and are closed
// by it. A dialector with a pool of the application's own is neither bounded nor closed.
type Shard struct {
	// Name is what placements call it. With Name "" in Config.Shards, Replicas and Admin are those of the database that
	// gorm.Open opened, and Primary is nil.
	Name    string
	Primary gorm.Dialector
	// Replicas answer reads outside transactions. Zero: the primary does.
	Replicas []gorm.Dialector
	// Admin is a role that row-level security exempts, used by [WithoutTenant] alone when Config.RowSecurity is on. Zero:
	// then WithoutTenant is refused on tenants' tables.
	Admin gorm.Dialector
	// Policy picks one of the replicas that are fit to be read; it is called by one statement at a time. Zero: at random.
	Policy dbresolver.Policy
	// MaxLag is how far a replica may be behind the primary and still be read. PostgreSQL, MySQL and MariaDB can tell. Zero:
	// it is not looked at.
	MaxLag time.Duration
}

// PlacementLister is a [ShardResolver] that knows its placements, for statements over all of them.
type PlacementLister interface {
	Placements(ctx context.Context) iter.Seq2[Placement, error]
}

// TenantLister is a [ShardResolver] that knows its tenants, for [Plugin.ForEachTenant].
type TenantLister interface {
	Tenants(ctx context.Context) iter.Seq2[ID, error]
}

// ShardResolver finds the placement of a key. The key is an [ID] when a tenant is looked for.
//
// Resolve is called concurrently, once for each statement on tenants' rows, so it must be quick: cache what it reads. An
// unknown tenant is [ErrTenantNotFound]; any error refuses the statement. It must not use the database that the plugin is
// installed in with the context it is given.
type ShardResolver interface {
	Resolve(ctx context.Context, key any) (Placement, error)
}

// ShardResolverFunc is a function as a [ShardResolver].
type ShardResolverFunc func(ctx context.Context, key any) (Placement, error)

// Resolve implements [ShardResolver].
func (f ShardResolverFunc) Resolve(ctx context.Context, key any) (Placement, error) {
	return f(ctx, key)
}

// Single resolves every key to p.
func Single(p Placement) ShardResolver {
	return ShardResolverFunc(func(context.Context, any) (Placement, error) { return p, nil })
}

// DatabasePerTenant gives each tenant a shard of its own, named prefix + id. IDs have letters of ASCII, digits, "_", "-" and, not
// at their beginning, "."; others are [ErrInvalidTenant]: a file system, a URL or the DSN that Config.Open writes the name into could
// take them for something else than a name. So are those that make a name of more than 63 bytes: PostgreSQL drops the end
// of longer ones (NAMEDATALEN), and with it what tells two tenants apart.
func DatabasePerTenant(prefix string) ShardResolver {
	return perTenant(func(id ID) (Placement, error) {
		if strings.HasPrefix(string(id), ".") || strings.ContainsFunc(string(id), notInName) {
			return Placement{}, fmt.Errorf("%w: the ID of a tenant with a database of its own has letters of ASCII, digits, _, - and inner dots", ErrInvalidTenant)
		}
		if len(prefix)+len(id) > longestID {
			return Placement{}, fmt.Errorf("%w: the name of its database would have %d bytes, the most is %d", ErrInvalidTenant, len(prefix)+len(id), longestID)
		}
		return Placement{Shard: prefix + string(id), Exclusive: true}, nil
	})
}

// SchemaPerTenant gives each tenant a schema of its own in one shard, named prefix + id: on MySQL a database, and SQLite
// has none. Schemas whose names are too long for the database are [ErrInvalidTenant].
func SchemaPerTenant(shard, prefix string) ShardResolver {
	return perTenant(func(id ID) (Placement, error) {
		return Placement{Shard: shard, Schema: prefix + string(id), Exclusive: true}, nil
	})
}

// notInName tells whether a character may mean something in a path, a URL or a DSN.
func notInName(r rune) bool {
	return r > 'z' || r != '_' && r != '-' && r != '.' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
}

// perTenant places tenants by their IDs alone, and each always in the same place.
type perTenant func(id ID) (Placement, error)

// Resolve implements [ShardResolver].
func (p perTenant) Resolve(_ context.Context, key any) (Placement, error) {
	id, ok := key.(ID)
	if !ok {
		return Placement{}, fmt.Errorf("%w: it places tenants, and %T is no tenant ID", ErrShardNotFound, key)
	}
	return p(id)
}
