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

// makeOther makes what a tenant's storage is to be, as somebody else would.
func (w *world) makeOther(t *testing.T, name string) {
	t.Helper()
	if w.shape == catalog.OwnSchema {
		w.exec(t, "CREATE SCHEMA "+name)
		return
	}
	dsn, err := provision.WithDatabase(w.name, w.home, name)
	require.NoError(t, err)
	_, err = provision.CreateDatabase(t.Context(), w.kind.open, dsn)
	require.NoError(t, err)
}

// TestTakenInTheMeantime is about what somebody else makes when a creation has found its place free: nobody removes it, neither
// at once nor if that could not be done, nor does it get grants.
func TestTakenInTheMeantime(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e kind, shape catalog.Shape) {
		t.Helper()
		if shape == catalog.SharedTables {
			t.Skip("rows are nobody else's")
		}
		nobody := []provision.Grant{{To: "no_such_role"}}
		w := newWorld(t, e, shape, func(c *provision.Config, _ *tenancy.Config) {
			if e.name != "sqlite" { // they would fail, and so hide that it was taken
				c.Database.Grants, c.Schema.Grants = nobody, nobody
			}
		})
		w.steps.after = func(ev provision.StepEvent) {
			if ev.Step == provision.Claiming {
				w.makeOther(t, w.prefix+"acme")
			}
			if ev.Step == provision.Storing { // it is not undone
				require.NoError(t, w.openMaster(t).Exec("ALTER TABLE tenancy_history RENAME TO away").Error)
			}
		}
		_, err := w.create(t.Context(), "acme")
		w.steps.after = nil
		require.NoError(t, w.openMaster(t).Exec("ALTER TABLE away RENAME TO tenancy_history").Error)
		var at *provision.StepError
		require.ErrorAs(t, err, &at)
		require.Equal(t, provision.Storing, at.Step)
		require.Error(t, at.Undo)
		require.ErrorIs(t, err, tenancy.ErrTenantExists)
		require.ErrorContains(t, err, "by somebody else in the meantime")
		storages := w.storages(t)
		require.Len(t, storages, 1)
		done, err := w.Recover(t.Context())
		require.NoError(t, err)
		require.Equal(t, []tenancy.ID{"acme"}, done.Undone)
		require.Equal(t, storages, w.storages(t), "Recover leaves it alone")

		w.steps.after = func(ev provision.StepEvent) {
			if ev.Step == provision.Claiming {
				w.makeOther(t, w.prefix+"other")
			}
		}
		_, err = w.create(t.Context(), "other")
		w.steps.after = nil
		require.ErrorIs(t, err, tenancy.ErrTenantExists)
		require.Len(t, w.storages(t), 2)
		_, err = w.catalog.Read(t.Context(), "other")
		require.ErrorIs(t, err, tenancy.ErrTenantNotFound)
	})
}

// TestClaimWithoutHistory is about what a killed process has left, of which the history says nothing any more.
func TestClaimWithoutHistory(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e kind, shape catalog.Shape) {
		t.Helper()
		w := newWorld(t, e, shape)
		said, err := w.send(order{Shape: shape, Within: provision.Seeding})
		require.ErrorContains(t, err, "killed", said)
		require.NoError(t, w.openMaster(t).Exec("DELETE FROM tenancy_history").Error)
		free(t, func() error {
			done, err := w.Recover(t.Context())
			if len(done.Busy) > 0 {
				return tenancy.ErrTenantUnavailable
			}
			return err
		})
		w.gone("acme")
		require.Empty(t, w.storages(t))
	})
}

// TestTakenOutOfTheCatalog is about a tenant that somebody takes out of the catalog while it is being made: what is left is named.
func TestTakenOutOfTheCatalog(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e kind, shape catalog.Shape) {
		t.Helper()
		if shape == catalog.SharedTables {
			t.Skip("it is nothing but rows")
		}
		var w *world
		w = newWorld(t, e, shape, func(c *provision.Config, _ *tenancy.Config) {
			c.Seed = func(ctx context.Context, _ *gorm.DB, tn catalog.Tenant) error {
				return w.catalog.Remove(ctx, tn, "by hand")
			}
		})
		_, err := w.create(t.Context(), "acme")
		var at *provision.StepError
		require.ErrorAs(t, err, &at)
		require.ErrorIs(t, at.Undo, tenancy.ErrTenantNotFound)
		require.ErrorContains(t, err, w.prefix+"acme")
		require.Len(t, w.storages(t), 1)
	})
}
