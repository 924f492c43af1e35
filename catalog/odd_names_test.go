package catalog

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy"
)

// TestOddNamesAreNotFound is about what people send: PostgreSQL refuses a NUL, and what is not UTF-8.
func TestOddNamesAreNotFound(t *testing.T) {
	t.Parallel()
	for _, kind := range masters() {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			c, ctx := kind.fresh(t).open(t), t.Context()
			for _, name := range []string{"a\x00b", "\xff", strings.Repeat("x", 300)} {
				id := tenancy.ID(name)
				for what, call := range map[string]func() error{
					"Resolve":  func() error { _, err := c.Resolve(ctx, id); return err },
					"Tenant":   func() error { _, err := c.Tenant(ctx, id); return err },
					"ByName":   func() error { _, err := c.ByName(ctx, name); return err },
					"ByDomain": func() error { _, err := c.ByDomain(ctx, name); return err },
					"Read":     func() error { _, err := c.Read(ctx, id); return err },
					"Suspend":  func() error { _, err := c.Suspend(ctx, id, "a test"); return err },
				} {
					require.ErrorIs(t, call(), tenancy.ErrTenantNotFound, what)
				}
				_, err := c.Shard(ctx, name)
				require.ErrorIs(t, err, tenancy.ErrShardNotFound)
				require.ErrorIs(t, c.RemoveShard(ctx, name), tenancy.ErrShardNotFound)
				_, err = c.cache.shard(ctx, name)
				require.ErrorIs(t, err, tenancy.ErrShardNotFound)
			}
		})
	}
}

// TestAddressesHaveOneSpelling is about a host that is an address: two tenants must not both have it.
func TestAddressesHaveOneSpelling(t *testing.T) {
	t.Parallel()
	c := openSQLite(t)
	create(t, c, NewTenant{ID: "a", Domains: []string{"0:0:0:0:0:0:0:1"}})
	for _, host := range []string{"::1", "[::1]:8080", "[0::1]"} {
		found, err := c.ByDomain(t.Context(), host)
		require.NoError(t, err, host)
		require.Equal(t, tenancy.ID("a"), found.ID)
	}
	_, err := c.Create(t.Context(), NewTenant{ID: "b", Domains: []string{"::1"}})
	require.ErrorIs(t, err, tenancy.ErrTenantExists)
}

// TestPlaceOfNobody is about a migration that ends when its tenant has been dropped.
func TestPlaceOfNobody(t *testing.T) {
	t.Parallel()
	c := openSQLite(t)
	made := create(t, c, NewTenant{ID: "a", Shape: OwnDatabase})
	require.NoError(t, c.Remove(t.Context(), made, "a test"))
	require.NoError(t, c.SetPlace(t.Context(), made.Placement, Target{Version: 1}, ""))
	var rows int
	require.NoError(t, c.store.db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM tenancy_places").Scan(&rows))
	require.Zero(t, rows)
	for e, err := range c.History(t.Context(), "") {
		require.NoError(t, err)
		require.NotEqual(t, Migrated, e.What)
	}
}
