package catalog

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/gormtenancy/tenancy"
)

// Strategy chooses the shard of a new tenant.
//
// Choose is called within the transaction that creates the tenant, one call at a time in all processes, so that what it
// counts is exact; it should be quick, and must not use the catalog. Open are the shards that take tenants of t's shape,
// sorted by name, at least one; it returns the name of one of them. An error refuses the tenant.
type Strategy interface {
	Choose(ctx context.Context, t Tenant, open []Shard) (string, error)
}

// StrategyFunc is a function as a [Strategy].
type StrategyFunc func(ctx context.Context, t Tenant, open []Shard) (string, error)

// Choose implements [Strategy].
func (f StrategyFunc) Choose(ctx context.Context, t Tenant, open []Shard) (string, error) {
	return f(ctx, t, open)
}

// FewestTenants chooses the shard with the fewest tenants; of several, the first by name.
func FewestTenants() Strategy { return least(func(s Shard) int64 { return s.Tenants }) }

// LeastBytes chooses the shard with the least bytes, as [Catalog.SetBytes] noted them; of several, the one with the fewest
// tenants, then the first by name.
func LeastBytes() Strategy {
	return least(func(s Shard) int64 { return s.Bytes }, func(s Shard) int64 { return s.Tenants })
}

// least chooses the shard for which the sizes, in their order, are the smallest.
func least(sizes ...func(Shard) int64) Strategy {
	return StrategyFunc(func(_ context.Context, _ Tenant, open []Shard) (string, error) {
		return slices.MinFunc(open, func(a, b Shard) int {
			for _, size := range sizes {
				if c := cmp.Compare(size(a), size(b)); c != 0 {
					return c
				}
			}
			return cmp.Compare(a.Name, b.Name)
		}).Name, nil
	})
}

// ByAttribute lets next choose among the shards whose attribute is the tenant's: its region, say. A tenant without the
// attribute is refused, as is one that no shard fits.
func ByAttribute(key string, next Strategy) Strategy {
	return StrategyFunc(func(ctx context.Context, t Tenant, open []Shard) (string, error) {
		value, ok := t.Attributes[key]
		if !ok {
			return "", fmt.Errorf("%w: it has no attribute %q, by which its shard is chosen", tenancy.ErrInvalidTenant, key)
		}
		fitting := slices.DeleteFunc(slices.Clone(open), func(s Shard) bool {
			own, ok := s.Attributes[key]
			return !ok || own != value
		})
		if len(fitting) == 0 {
			return "", fmt.Errorf("%w: no open shard has the tenant's attribute %q", tenancy.ErrShardNotFound, key)
		}
		return next.Choose(ctx, t, fitting)
	})
}
