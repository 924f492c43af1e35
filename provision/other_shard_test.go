package provision_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/catalog"
	"github.com/gormtenancy/tenancy/provision"
)

// TestOtherShard makes tenants in, and beside, a shard that is not the default database, with tables that note their version in
// the catalog.
func TestOtherShard(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e kind, shape catalog.Shape) {
		t.Helper()
		var w *world
		w = newWorld(t, e, shape, func(c *provision.Config, _ *tenancy.Config) {
			c.Models = nil
			c.Tables = func(ctx context.Context, tn catalog.Tenant) error {
				if err := w.db.WithContext(ctx).AutoMigrate(append(models(), &Currency{})...); err != nil {
					return err
				}
				return w.catalog.SetPlace(ctx, tn.Placement, catalog.Target{Version: 7}, "")
			}
		})
		second := w.site
		second.home = e.fresh(t)
		_, err := provision.CreateDatabase(t.Context(), e.open, second.home) // of SQLite: the others are there
		require.NoError(t, err)
		require.NoError(t, w.catalog.AddShard(t.Context(), catalog.Shard{Name: "second", DSN: second.home}))
		for id, first := range map[tenancy.ID]uint{"acme": 10, "other": 20} {
			made, err := w.Create(t.Context(), catalog.NewTenant{ID: id, Shape: shape, On: new("second")})
			require.NoError(t, err)
			require.EqualValues(t, 7, made.Version)
			require.NoError(t, fill(w.as(id), first))
		}
		require.Empty(t, w.rows(t), "the default database has none of their tables")
		gone, err := w.Drop(t.Context(), "acme", "test")
		require.NoError(t, err)
		if shape == catalog.SharedTables {
			require.Equal(t, filled(), gone.Rows)
		}
		w.gone("acme")
		require.Equal(t, filled(), w.counts("other"))
		if e.name == "sqlite" && shape == catalog.OwnDatabase {
			require.Len(t, second.databases(t), 1, "it lies beside its shard")
		}
	})
}
