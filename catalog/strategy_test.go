package catalog

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy"
)

// TestStrategies is about the choice alone.
func TestStrategies(t *testing.T) {
	t.Parallel()
	shards := []Shard{
		{Name: "a", Tenants: 3, Bytes: 10, Attributes: map[string]string{"region": "eu"}},
		{Name: "b", Tenants: 2, Bytes: 30, Attributes: map[string]string{"region": "us"}},
		{Name: "c", Tenants: 2, Bytes: 10, Attributes: map[string]string{"region": "us"}},
		{Name: "d", Tenants: 1, Bytes: 90},
	}
	for what, test := range map[string]struct {
		strategy Strategy
		tenant   Tenant
		want     string
		err      error
	}{
		"fewest tenants":       {FewestTenants(), Tenant{}, "d", nil},
		"least bytes":          {LeastBytes(), Tenant{}, "c", nil},
		"by attribute":         {ByAttribute("region", FewestTenants()), Tenant{Attributes: map[string]string{"region": "us"}}, "b", nil},
		"by another attribute": {ByAttribute("region", LeastBytes()), Tenant{Attributes: map[string]string{"region": "eu"}}, "a", nil},
		"without attribute":    {ByAttribute("region", FewestTenants()), Tenant{}, "", tenancy.ErrInvalidTenant},
		"nobody fits":          {ByAttribute("region", FewestTenants()), Tenant{Attributes: map[string]string{"region": "mars"}}, "", tenancy.ErrShardNotFound},
		"empty is not absent":  {ByAttribute("region", FewestTenants()), Tenant{Attributes: map[string]string{"region": ""}}, "", tenancy.ErrShardNotFound},
	} {
		got, err := test.strategy.Choose(t.Context(), test.tenant, shards)
		require.ErrorIs(t, err, test.err, what)
		require.Equal(t, test.want, got, what)
	}
	require.Len(t, shards, 4)
	require.Equal(t, "a", shards[0].Name, "what it is shown stays as it is")
}

// TestPlacesOfNewTenants is about what the strategy is shown, what it may say, and tenants that are placed by hand.
func TestPlacesOfNewTenants(t *testing.T) {
	t.Parallel()
	for _, m := range masters() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			m := m.fresh(t)
			var shown []string
			answer, fault := "", error(nil)
			c, ctx := m.open(t, Config{Strategy: StrategyFunc(func(_ context.Context, _ Tenant, open []Shard) (string, error) {
				shown = nil
				for _, s := range open {
					shown = append(shown, s.Name)
				}
				clear(open)
				return answer, fault
			})}), t.Context()

			create(t, c, NewTenant{ID: "first"})
			require.Equal(t, []string{""}, shown, "there is the default database alone")
			create(t, c, NewTenant{ID: "second", On: new("")})

			for _, s := range []Shard{
				{Name: "open"}, {Name: "closed", Closed: true}, {Name: "schemas", Shapes: []Shape{OwnSchema}}, {Name: "own", Own: true, Host: "open"},
			} {
				s.DSN = "x"
				require.NoError(t, c.AddShard(ctx, s))
			}
			answer = "open"
			create(t, c, NewTenant{ID: "shared"})
			require.Equal(t, []string{"open"}, shown)
			create(t, c, NewTenant{ID: "schema", Shape: OwnSchema})
			require.Equal(t, []string{"open", "schemas"}, shown)

			_, err := c.Create(ctx, NewTenant{ID: "x", On: new("closed")})
			require.ErrorIs(t, err, tenancy.ErrShardNotFound)
			require.ErrorContains(t, err, `"closed" is closed`)
			_, err = c.Create(ctx, NewTenant{ID: "x", On: new("schemas")})
			require.ErrorContains(t, err, "takes no tenants of the shape")
			for _, shard := range []string{"", "nowhere", "own", "OPEN"} {
				_, err = c.Create(ctx, NewTenant{ID: "x", On: &shard})
				require.ErrorIs(t, err, tenancy.ErrShardNotFound, shard)
				require.ErrorContains(t, err, "add it with AddShard")
			}
			answer = "closed"
			_, err = c.Create(ctx, NewTenant{ID: "x"})
			require.ErrorIs(t, err, tenancy.ErrInvalidConfig)
			fault = errors.New("no room")
			_, err = c.Create(ctx, NewTenant{ID: "x"})
			require.ErrorIs(t, err, fault)
			require.NoError(t, c.UpdateShard(ctx, Shard{Name: "open", DSN: "x", Closed: true}))
			_, err = c.Create(ctx, NewTenant{ID: "x"})
			require.ErrorIs(t, err, tenancy.ErrShardNotFound)
			require.ErrorContains(t, err, "no shard is open")
			_, err = c.Read(ctx, "x")
			require.ErrorIs(t, err, tenancy.ErrTenantNotFound)
		})
	}
}
