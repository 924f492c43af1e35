package tenancy_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/internal/testdb"
)

// TestCheck is about promise 1: what would be refused later is found at the start.
func TestCheck(t *testing.T) {
	t.Parallel()
	require.ErrorIs(t, tenancy.New(tenancy.Config{}).Check(t.Context()), tenancy.ErrInvalidConfig)
	g := newGuarded(t)
	err := g.plugin.Check(t.Context())
	require.ErrorIs(t, err, tenancy.ErrInvalidConfig)
	require.ErrorContains(t, err, "customers")
	require.ErrorContains(t, err, "customer_tags", "all faults at once")
	g.protect(t)
	require.NoError(t, g.plugin.Check(t.Context()))

	far := testdb.StartPostgres(t)
	l := newLand(t, engines[1], postgres.Open(g.ownerDSN), &gorm.Config{}, tenancy.Config{
		RowSecurity: "app.tenant_id", Resolver: tenancy.Single(tenancy.Placement{Shard: "far"}),
		Shards: []tenancy.Shard{{Name: "far", Primary: postgres.Open(far.DSN())}},
	})
	far.Kill(t)
	err = l.plugin.Check(t.Context())
	require.ErrorIs(t, err, tenancy.ErrInvalidConfig)
	require.ErrorContains(t, err, "superuser")
	require.ErrorIs(t, err, tenancy.ErrTenantUnavailable)
	require.ErrorContains(t, err, "far")
}
