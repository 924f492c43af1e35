package provision_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/catalog"
	"github.com/gormtenancy/tenancy/provision"
)

var errTest = errors.New("test: it fails")

// stepsOf are the steps of a creation in a world whose Config has everything.
func stepsOf(shape catalog.Shape) []provision.Step {
	switch shape {
	case catalog.SharedTables:
		return []provision.Step{provision.Registering, provision.Claiming, provision.MakeTables, provision.Securing, provision.Seeding, provision.Activating}
	case catalog.OwnSchema:
		return []provision.Step{provision.Registering, provision.Claiming, provision.Storing, provision.MakeTables, provision.Securing, provision.Seeding, provision.Activating}
	default:
		return []provision.Step{provision.Registering, provision.Claiming, provision.Storing, provision.MakeTables, provision.Securing, provision.Referencing, provision.Seeding, provision.Activating}
	}
}

// seeding writes rows, and then returns what a test wants.
func seeding(err *error) func(context.Context, *gorm.DB, catalog.Tenant) error {
	return func(_ context.Context, tx *gorm.DB, t catalog.Tenant) error {
		if first := map[tenancy.ID]uint{"acme": 10, "other": 20}[t.ID]; first > 0 {
			if err := fill(tx, first); err != nil {
				return err
			}
		}
		return *err
	}
}

// TestFailures has each step fail, in one way or another: nothing is left, and nothing of others is changed.
func TestFailures(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e kind, shape catalog.Shape) {
		t.Helper()
		var seed, tables error
		w := newWorld(t, e, shape, func(c *provision.Config, _ *tenancy.Config) { c.Seed = seeding(&seed) })
		_, err := w.create(t.Context(), "other")
		require.NoError(t, err)
		require.Equal(t, stepsOf(shape), w.steps.take())
		rows, storages, others := w.rows(t), w.storages(t), w.counts("other")
		fails := func(step provision.Step, cause, err error) {
			t.Helper()
			var at *provision.StepError
			require.ErrorAs(t, err, &at, step)
			require.Equal(t, step, at.Step)
			require.NoError(t, at.Undo)
			require.ErrorContains(t, err, string(step))
			if cause != nil {
				require.ErrorIs(t, err, cause, step)
			}
			w.gone("acme")
			require.Equal(t, rows, w.rows(t), step)
			require.Equal(t, storages, w.storages(t), step)
			require.Equal(t, others, w.counts("other"), step)
			require.Contains(t, w.steps.take(), provision.Undoing)
		}

		seed = errTest
		_, err = w.create(t.Context(), "acme")
		fails(provision.Seeding, errTest, err)
		seed = nil

		// A context that ends after each step, and before the first.
		for i, step := range stepsOf(shape)[:len(stepsOf(shape))-1] {
			ctx, cancel := context.WithCancel(t.Context())
			w.steps.after = func(e provision.StepEvent) {
				if e.Step == step {
					cancel()
				}
			}
			_, err = w.create(ctx, "acme")
			cancel()
			fails(stepsOf(shape)[i+1], context.Canceled, err)
		}
		w.steps.after = nil
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = w.create(ended, "acme")
		require.ErrorIs(t, err, context.Canceled)
		w.gone("acme")

		// Tables that fail half way.
		cfg := w.cfg
		cfg.Models, cfg.Tables = nil, func(ctx context.Context, _ catalog.Tenant) error {
			return errors.Join(w.db.WithContext(ctx).AutoMigrate(&Label{}), tables)
		}
		half, err := provision.New(cfg)
		require.NoError(t, err)
		tables = errTest
		_, err = half.Create(t.Context(), catalog.NewTenant{ID: "acme", Shape: shape})
		fails(provision.MakeTables, errTest, err)

		// A reference table that is not there.
		if shape == catalog.OwnDatabase {
			w.exec(t, "ALTER TABLE currencies RENAME TO currencies_away")
			_, err = w.create(t.Context(), "acme")
			w.exec(t, "ALTER TABLE currencies_away RENAME TO currencies")
			fails(provision.Referencing, nil, err)
		}

		_, err = w.create(t.Context(), "acme")
		require.NoError(t, err)
		require.Equal(t, filled(), w.counts("acme"))
		require.Equal(t, others, w.counts("other"))
	})
}

// TestUndoFails is about a creation that can be neither ended nor taken back at the moment.
func TestUndoFails(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e kind, shape catalog.Shape) {
		t.Helper()
		var seed error
		w := newWorld(t, e, shape, func(c *provision.Config, _ *tenancy.Config) { c.Seed = seeding(&seed) })
		_, err := w.create(t.Context(), "other")
		require.NoError(t, err)
		others := w.counts("other")
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		w.steps.after = func(e provision.StepEvent) {
			if e.Step != provision.Seeding {
				return
			}
			cancel()
			require.NoError(t, w.openMaster(t).Exec("ALTER TABLE tenancy_history RENAME TO away").Error)
		}
		_, err = w.create(ctx, "acme")
		w.steps.after = nil
		require.NoError(t, w.openMaster(t).Exec("ALTER TABLE away RENAME TO tenancy_history").Error)
		var at *provision.StepError
		require.ErrorAs(t, err, &at)
		require.Equal(t, provision.Activating, at.Step)
		require.ErrorIs(t, err, context.Canceled)
		require.Error(t, at.Undo)
		require.ErrorContains(t, err, "until Create or Recover is called")
		left, err := w.catalog.Read(t.Context(), "acme")
		require.NoError(t, err)
		require.Equal(t, catalog.Creating, left.State)
		require.ErrorIs(t, w.as("acme").Find(&[]Label{}).Error, tenancy.ErrTenantUnavailable)
		require.Eventually(t, func() bool { // the catalog may have looked for changes in the meantime, and found no history
			_, err := w.catalog.Tenant(t.Context(), "nobody")
			return errors.Is(err, tenancy.ErrTenantNotFound)
		}, 10*time.Second, time.Millisecond)

		done, err := w.Recover(t.Context())
		require.NoError(t, err)
		require.Equal(t, []tenancy.ID{"acme"}, done.Undone)
		w.gone("acme")
		require.Equal(t, others, w.counts("other"))
		done, err = w.Recover(t.Context())
		require.NoError(t, err)
		require.Zero(t, done)
	})
}

// TestTaken is about what is there before a tenant is made. It is refused, and left alone.
func TestTaken(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e kind, shape catalog.Shape) {
		t.Helper()
		w := newWorld(t, e, shape)
		_, err := w.create(t.Context(), "other")
		require.NoError(t, err)
		name := w.prefix + "acme"
		switch {
		case shape == catalog.SharedTables:
			w.exec(t, "INSERT INTO accounts (id, tenant_id, name, deleted_at) VALUES (77, 'acme', 'of old', CURRENT_TIMESTAMP)")
		case e.name == "sqlite":
			dsn, err := provision.WithDatabase("sqlite", w.home, name)
			require.NoError(t, err)
			_, err = provision.CreateDatabase(t.Context(), e.open, dsn)
			require.NoError(t, err)
		case shape == catalog.OwnSchema:
			w.exec(t, "CREATE SCHEMA "+name)
		default:
			w.exec(t, "CREATE DATABASE "+name)
		}
		rows, storages := w.rows(t), w.storages(t)
		_, err = w.create(t.Context(), "acme")
		require.ErrorIs(t, err, tenancy.ErrTenantExists)
		require.ErrorContains(t, err, "the catalog knows nothing")
		_, err = w.catalog.Read(t.Context(), "acme")
		require.ErrorIs(t, err, tenancy.ErrTenantNotFound)
		require.Equal(t, rows, w.rows(t))
		require.Equal(t, storages, w.storages(t))
	})
}

// TestCreateDetectsChanges is about a tenant that somebody else begins to drop while it is being made.
func TestCreateDetectsChanges(t *testing.T) {
	t.Parallel()
	var w *world
	w = newWorld(t, kinds[0], catalog.SharedTables, func(c *provision.Config, _ *tenancy.Config) {
		c.Models = nil
		c.Tables = func(ctx context.Context, tn catalog.Tenant) error {
			_, err := w.catalog.SetState(ctx, tn, catalog.Dropping, "a mistake")
			return err
		}
	})
	_, err := w.create(t.Context(), "acme")
	var at *provision.StepError
	require.ErrorAs(t, err, &at)
	require.Equal(t, provision.MakeTables, at.Step)
	require.ErrorIs(t, err, catalog.ErrIllegalState)
	done, err := w.Recover(t.Context())
	require.NoError(t, err)
	require.Len(t, done.Dropped, 1)
	w.gone("acme")
}
