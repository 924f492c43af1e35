package catalog

import (
	"context"
	"fmt"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/internal/shardkey"
)

var _ tenancy.ShardResolver = (*Catalog)(nil)

// Resolve implements [tenancy.ShardResolver]: it returns where an active tenant is. As a directory of shard keys, the Resolver of a
// [tenancy.Sharding], a catalog has an entry for each key, whose ID is the key's text: an integer in decimal, a UUID in lower case with
// dashes, a string as it is. Take one catalog for tenants and another for keys, for OnAllShards goes to every place in it. Others are [tenancy.ErrTenantUnavailable],
// unless ctx is for [Maintenance], and so are tenants that are not cached while the master database cannot be reached.
func (c *Catalog) Resolve(ctx context.Context, tenant any) (tenancy.Placement, error) {
	id, ok := tenant.(tenancy.ID)
	if !ok {
		k, err := shardkey.Of(tenant)
		if err != nil {
			return tenancy.Placement{}, fmt.Errorf("%w: %w", tenancy.ErrMissingShardKey, err)
		}
		id = tenancy.ID(k.Append(nil))
	}
	r, err := c.cache.find(ctx, key{byID, string(id)})
	if err != nil {
		return tenancy.Placement{}, err
	}
	if r.has(refused) && !inMaintenance(ctx) {
		return tenancy.Placement{}, r.rest.refusal
	}
	return r.placement, nil
}

// Tenant returns a tenant, whatever its state.
func (c *Catalog) Tenant(ctx context.Context, id tenancy.ID) (Tenant, error) {
	return copied(c.cache.find(ctx, key{byID, string(id)}))
}

// ByName returns the tenant of a name, whatever its state.
func (c *Catalog) ByName(ctx context.Context, name string) (Tenant, error) {
	return copied(c.cache.find(ctx, key{byName, name}))
}

// ByDomain returns the tenant of a domain, whatever its state. The domain may be a Host header as it came: a port and upper
// case do not count.
func (c *Catalog) ByDomain(ctx context.Context, domain string) (Tenant, error) {
	host, ok := canonicalDomain(domain)
	if !ok {
		return Tenant{}, notFound()
	}
	return copied(c.cache.find(ctx, key{byDomain, host}))
}

// OpenShard says how to reach a shard, for [tenancy.Config.Open]. An unknown one is [tenancy.ErrShardNotFound].
func (c *Catalog) OpenShard(ctx context.Context, name string) (tenancy.Shard, error) {
	if c.cfg.Connect == nil {
		return tenancy.Shard{}, fmt.Errorf("%w: to open shard %q, the catalog needs Config.Connect", tenancy.ErrInvalidConfig, name)
	}
	sh, err := c.cache.shard(ctx, name)
	if err != nil {
		return tenancy.Shard{}, err
	}
	open, err := c.cfg.Connect(ctx, sh)
	open.Name = name
	return open, err
}

type maintenanceKey struct{}

// Maintenance returns a context in which [Catalog.Resolve] finds tenants in every state, and such as are behind
// Config.MinVersion and Config.Models: to provision, migrate and move them.
func Maintenance(ctx context.Context) context.Context {
	return context.WithValue(ctx, maintenanceKey{}, true)
}

func inMaintenance(ctx context.Context) bool { return ctx.Value(maintenanceKey{}) != nil }

// copied returns a tenant that the caller may change.
func copied(r *record, err error) (Tenant, error) {
	if err != nil {
		return Tenant{}, err
	}
	return r.unpack(), nil
}
