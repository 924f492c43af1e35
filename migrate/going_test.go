package migrate_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/catalog"
	"github.com/gormtenancy/tenancy/migrate"
)

// TestGoing is about tenants that are dropped while their places are migrated: that is no failure, and nothing is noted of a place
// that is gone.
func TestGoing(t *testing.T) {
	t.Parallel()
	eachPlace(t, func(t *testing.T, e engine, shape catalog.Shape) {
		t.Helper()
		if shape == catalog.SharedTables {
			t.Skip("its place stays")
		}
		l := newLand(t, e)
		made := l.tenant(t, shape, "a")
		var report migrate.Report
		run := func(goes func() error) {
			r := l.runner(t, files(notes...), func(cfg *migrate.Config) {
				cfg.Verify = true
				cfg.After = func(_ context.Context, at tenancy.Placement) error {
					if at == made.Placement {
						return goes()
					}
					return nil
				}
			})
			var err error
			report, err = r.Run(t.Context())
			require.NoError(t, err, report)
		}
		drops := func() error {
			if _, err := l.catalog.Suspend(t.Context(), made.ID, "a test"); err != nil {
				return err
			}
			_, err := l.catalog.SetState(t.Context(), catalog.Tenant{ID: made.ID}, catalog.Dropping, "a test")
			return err
		}
		run(func() error {
			if err := drops(); err != nil || len(l.drops) == 0 || e.name != "postgres" {
				return err
			}
			_, err := l.home.ExecContext(t.Context(), l.drops[0]) // the lock's connection goes too
			return err
		})
		require.Equal(t, [2]int{1, 1}, [2]int{report.Migrated, report.NotBegun}, report)

		made = l.tenant(t, shape, "b")
		run(func() error {
			if err := drops(); err != nil {
				return err
			}
			return l.catalog.Remove(t.Context(), catalog.Tenant{ID: made.ID}, "a test")
		})
		require.Equal(t, [2]int{1, 1}, [2]int{report.Migrated, report.NotBegun}, report)
		var left int64
		require.NoError(t, l.master.Table("tenancy_places").Where("shard = ? AND schema_name = ?", made.Placement.Shard, made.Placement.Schema).Count(&left).Error)
		require.Zero(t, left)
	})
}
