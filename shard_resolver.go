package tenancy

import (
	"context"
	"fmt"

	"github.com/gormtenancy/tenancy/callbacks"
)

// Placement says where rows are. Its zero value is the database that gorm.Open opened, with tables that all tenants share:
// the one placement that a plugin without further databases serves.
type Placement struct {
	Shard       string // name of a database; "" is the one that gorm.Open opened
	Schema      string // PostgreSQL schema or MySQL database of the tenant; "" for shared tables
	TableSuffix string // "_03": the tables are orders_03, …; "" for plain names
	Exclusive   bool   // it holds one tenant alone, so that models without a tenant column may live there
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

// List resolves the keys of m, which it copies, and no others: an unknown [ID] is [ErrTenantNotFound], another unknown key
// [ErrShardNotFound]. A List of strings knows IDs too.
func List[K comparable](m map[K]Placement) ShardResolver {
	known := make(map[any]Placement, len(m))
	for key, p := range m {
		known[listKey(key)] = p
	}
	return ShardResolverFunc(func(_ context.Context, key any) (Placement, error) {
		if p, ok := known[listKey(key)]; ok {
			return p, nil
		}
		if _, ok := key.(ID); ok {
			return Placement{}, fmt.Errorf("%w: it is not in the List", ErrTenantNotFound)
		}
		return Placement{}, fmt.Errorf("%w: the key is not in the List", ErrShardNotFound)
	})
}

// listKey makes an ID and a string of the same text one key.
func listKey(key any) any {
	if id, ok := key.(ID); ok {
		return string(id)
	}
	return key
}

// place finds out where a statement runs, and refuses every place but the database that the plugin has.
func (p *Plugin) place(ctx context.Context, who *callbacks.Subject) (Placement, error) {
	if p.cfg.Resolver == nil && !who.Placed {
		return Placement{}, nil
	}
	id, named, at := ID(who.ID), who.Placed, Placement{}
	if named {
		at = scopeOf(ctx).at
	}
	switch {
	case id == "" && !named:
		return Placement{}, fmt.Errorf("%w: without a tenant, say where: tenancy.WithPlacement(ctx, p)", ErrMissingShardKey)
	case p.cfg.Resolver == nil && id != "":
		if at != (Placement{}) {
			return Placement{}, fmt.Errorf("%w: WithPlacement names another placement than the tenant's", ErrTenantMismatch)
		}
	case p.cfg.Resolver != nil && id != "":
		own, err := p.cfg.Resolver.Resolve(ctx, id)
		if err != nil {
			return Placement{}, err
		}
		if named && at != own {
			return Placement{}, fmt.Errorf("%w: WithPlacement names another placement than the tenant's", ErrTenantMismatch)
		}
		at = own
	}
	if at.Shard != "" || at.Schema != "" || at.TableSuffix != "" {
		return Placement{}, fmt.Errorf("%w: the placement is elsewhere, and the plugin has only the database that gorm.Open opened", ErrShardNotFound)
	}
	if at.Exclusive && id != "" {
		if first, taken := p.exclusive.LoadOrStore(at, id); taken && first != id {
			return Placement{}, fmt.Errorf("%w: the placement is exclusive, and another tenant has it", ErrTenantMismatch)
		}
	}
	return at, nil
}
