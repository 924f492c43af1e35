package provision_test

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/catalog"
	"github.com/gormtenancy/tenancy/provision"
)

// TestDropWithTransactions drops a tenant while it has transactions and connections open, here and in another process.
func TestDropWithTransactions(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e kind, shape catalog.Shape) {
		t.Helper()
		var seed error
		w := newWorld(t, e, shape, func(c *provision.Config, _ *tenancy.Config) { c.Seed = seeding(&seed) })
		for _, id := range []tenancy.ID{"acme", "other"} {
			_, err := w.create(t.Context(), id)
			require.NoError(t, err)
		}
		others := w.counts("other")
		elsewhere := w.openWorld(t, shape)
		require.NoError(t, elsewhere.as("acme").First(&Label{}).Error)

		tx := elsewhere.as("acme").Begin()
		require.NoError(t, tx.First(&Label{}).Error, "so far it has only read")
		type outcome struct {
			provision.Dropped
			err error
		}
		ended := make(chan outcome, 1)
		go func() {
			d, err := w.Drop(t.Context(), "acme", "test")
			ended <- outcome{d, err}
		}()
		require.Eventually(t, func() bool {
			now, err := w.catalog.Read(t.Context(), "acme")
			return err != nil || now.State != catalog.Active
		}, 10*time.Second, time.Millisecond)
		time.Sleep(300 * time.Millisecond) // longer than MaxStale: nobody acts on the tenant any more, but for this transaction
		wrote := tx.Create(&Label{ID: 500, Text: "late"}).Error
		if shape == catalog.SharedTables {
			require.NoError(t, wrote)
			require.Empty(t, ended, "it waits for the transaction")
			require.NoError(t, tx.Commit().Error)
		} else {
			_ = tx.Rollback().Error // it was ended, or writes to a file that is gone
		}
		end := <-ended
		require.NoError(t, end.err)
		if shape == catalog.SharedTables {
			require.Equal(t, filled()["labels"]+1, end.Rows["labels"])
		}
		w.gone("acme")
		require.ErrorIs(t, elsewhere.as("acme").First(&Label{}).Error, tenancy.ErrTenantNotFound)
		require.Equal(t, others, w.counts("other"))
	})
}

// TestDropOfOthers is about tenants in other states.
func TestDropOfOthers(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e kind, shape catalog.Shape) {
		t.Helper()
		w := newWorld(t, e, shape)
		_, err := w.Drop(t.Context(), "nobody", "test")
		require.ErrorIs(t, err, tenancy.ErrTenantNotFound)

		made, err := w.create(t.Context(), "acme")
		require.NoError(t, err)
		made, err = w.catalog.SetState(t.Context(), made, catalog.Moving, "test")
		require.NoError(t, err)
		_, err = w.Drop(t.Context(), "acme", "test")
		require.ErrorIs(t, err, tenancy.ErrTenantUnavailable)
		require.ErrorContains(t, err, "moved")
		_, err = w.catalog.SetState(t.Context(), made, catalog.Suspended, "test")
		require.NoError(t, err)
		require.NoError(t, w.as("acme").Error)

		ctx, cancel := context.WithCancel(t.Context())
		w.steps.after = func(e provision.StepEvent) {
			if e.Step == provision.Draining {
				cancel()
			}
		}
		_, err = w.Drop(ctx, "acme", "test")
		require.ErrorIs(t, err, context.Canceled)
		w.steps.after = nil
		_, err = w.catalog.Activate(t.Context(), "acme", "second thoughts")
		require.NoError(t, err, "nothing had been removed")
		require.NoError(t, w.as("acme").Create(&Label{ID: 1}).Error)
		_, err = w.Drop(t.Context(), "acme", "")
		require.Error(t, err, "somebody will ask for the reason")
		_, err = w.Drop(t.Context(), "acme", "test")
		require.NoError(t, err)
		w.gone("acme")

		_, err = w.catalog.Create(t.Context(), catalog.NewTenant{ID: "half", Shape: shape})
		require.NoError(t, err)
		_, err = w.Drop(t.Context(), "half", "test")
		require.NoError(t, err)
		w.gone("half")
	})
}

// TestDropDetectsChanges is about a tenant that somebody else changes while it is being dropped.
func TestDropDetectsChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t, kinds[0], catalog.SharedTables)
	_, err := w.create(t.Context(), "acme")
	require.NoError(t, err)
	require.NoError(t, w.as("acme").Create(&Label{ID: 1}).Error)
	w.steps.after = func(e provision.StepEvent) {
		if e.Step == provision.Suspending {
			_, err := w.catalog.Activate(t.Context(), "acme", "the bill was paid")
			require.NoError(t, err)
		}
	}
	_, err = w.Drop(t.Context(), "acme", "test")
	require.ErrorIs(t, err, catalog.ErrChanged)
	require.NoError(t, w.as("acme").First(&Label{}).Error)
}

// TestDropOutwaitsWriters drops a tenant on SQLite for which a statement waits for another writer, which it has done since the tenant
// was active: it must not get in behind the deletes.
func TestDropOutwaitsWriters(t *testing.T) {
	t.Parallel()
	w := newWorld(t, kinds[0], catalog.SharedTables)
	_, err := w.create(t.Context(), "acme")
	require.NoError(t, err)
	elsewhere := w.openWorld(t, w.shape)
	require.NoError(t, elsewhere.as("acme").Create(&Label{ID: 1}).Error)
	w.with(t, func(db *sql.DB) {
		tx, err := db.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		exec(t, tx, "UPDATE labels SET text = text")
		w.steps.after = func(e provision.StepEvent) {
			if e.Step == provision.Dropping { // what follows are the deletes, which come before the next try of who waits
				assert.NoError(t, tx.Commit())
			}
		}
		wrote := make(chan error, 1)
		go func() { wrote <- elsewhere.as("acme").Create(&Label{ID: 2}).Error }()
		_, err = w.Drop(t.Context(), "acme", "test")
		require.NoError(t, err)
		require.Error(t, <-wrote)
	})
	w.gone("acme")
}
