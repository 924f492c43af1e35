package provision_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/catalog"
	"github.com/gormtenancy/tenancy/provision"
)

// TestLife makes tenants, uses them, and drops one.
func TestLife(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e kind, shape catalog.Shape) {
		t.Helper()
		seeded := map[tenancy.ID]int{}
		w := newWorld(t, e, shape, func(c *provision.Config, _ *tenancy.Config) {
			c.Seed = func(_ context.Context, tx *gorm.DB, tn catalog.Tenant) error {
				seeded[tn.ID]++
				return tx.Create(&Label{ID: map[tenancy.ID]uint{"acme": 1, "other": 2}[tn.ID], Text: "seed"}).Error
			}
		})
		first := map[tenancy.ID]uint{"acme": 10, "other": 20}
		for id, n := range first {
			made, err := w.create(t.Context(), id)
			require.NoError(t, err)
			require.Equal(t, catalog.Active, made.State)
			require.Equal(t, shape, made.Shape)
			require.NoError(t, fill(w.as(id), n))
			_, err = w.create(t.Context(), id)
			require.ErrorIs(t, err, tenancy.ErrTenantExists)
			pool, err := tenancy.DB(w.as(id))
			require.NoError(t, err)
			var currencies int
			require.NoError(t, pool.QueryRowContext(t.Context(), "SELECT count(*) FROM currencies").Scan(&currencies))
			require.Equal(t, 2, currencies, "reference rows are in the tenant's database")
		}
		require.Equal(t, map[tenancy.ID]int{"acme": 1, "other": 1}, seeded)
		want := filled()
		want["labels"]++
		require.Equal(t, want, w.counts("acme"))

		before := w.rows(t)
		w.steps.take()
		gone, err := w.Drop(t.Context(), "acme", "the contract has ended")
		require.NoError(t, err)
		require.Equal(t, []provision.Step{provision.Suspending, provision.Draining, provision.Dropping, provision.Emptying, provision.Removing}, w.steps.take())
		require.Equal(t, tenancy.ID("acme"), gone.Tenant.ID)
		switch shape {
		case catalog.SharedTables:
			require.Equal(t, want, gone.Rows)
			for table, rows := range before { // what is left is what was there of the other
				var others []string
				for _, row := range rows {
					if table != "project_labels" && !contains(row, "acme") || table == "project_labels" && row[:2] == "20" {
						others = append(others, row)
					}
				}
				require.Equal(t, others, w.rows(t)[table], table)
			}
		case catalog.OwnSchema:
			require.Equal(t, w.prefix+"acme", gone.Schema)
			require.Len(t, w.storages(t), 1)
		default:
			require.Equal(t, w.prefix+"acme", gone.Database)
			require.Len(t, w.storages(t), 1)
		}
		require.Equal(t, want, w.counts("other"))
		_, err = w.Drop(t.Context(), "acme", "again")
		require.ErrorIs(t, err, tenancy.ErrTenantNotFound)

		// The ID can be used again, and finds nothing of the one before.
		_, err = w.create(t.Context(), "acme")
		require.NoError(t, err)
		require.EqualValues(t, 1, w.counts("acme")["labels"])
		require.Zero(t, w.counts("acme")["accounts"])
		for id := range first {
			_, err = w.Drop(t.Context(), id, "end")
			require.NoError(t, err)
			w.gone(id)
		}
		require.Empty(t, w.storages(t))
	})
}
