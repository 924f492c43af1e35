package provision_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/catalog"
	"github.com/gormtenancy/tenancy/provision"
)

// Sheet is one whose column holds numbers alone.
type Sheet struct {
	ID       uint
	TenantID int64 `tenancy:"tenant"`
}

// TestIDsThatDoNotFit is about an ID that the tables cannot hold, or cannot tell from others. The first tenant is made along with
// them, so nothing says so before.
func TestIDsThatDoNotFit(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e kind, shape catalog.Shape) {
		t.Helper()
		id := tenancy.ID("acme")
		of := func(c *provision.Config, tc *tenancy.Config) {
			c.Models, tc.Models = []any{&Sheet{}, &Label{}}, []any{&Sheet{}, &Label{}}
		}
		if e.name == "mysql" && shape != catalog.OwnSchema { // a schema's rows are told apart by their place
			id, of = "UP", func(*provision.Config, *tenancy.Config) {}
		}
		w := newWorld(t, e, shape, of)
		_, err := w.create(t.Context(), id)
		var at *provision.StepError
		require.ErrorAs(t, err, &at)
		require.Equal(t, provision.MakeTables, at.Step)
		require.ErrorIs(t, err, tenancy.ErrInvalidTenant)
		require.NoError(t, at.Undo)
		_, err = w.catalog.Read(t.Context(), id)
		require.ErrorIs(t, err, tenancy.ErrTenantNotFound)
		require.Empty(t, w.storages(t))
	})
}

// TestDropOfWhatDoesNotFit drops a tenant for whose ID all statements are refused, as its column cannot tell it from others. It has
// no rows, and others keep theirs; if it has some, it stays.
func TestDropOfWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	for _, e := range kinds {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			var seed error
			w := newWorld(t, e, catalog.SharedTables, func(c *provision.Config, _ *tenancy.Config) { c.Seed = seeding(&seed) })
			_, err := w.create(t.Context(), "other")
			require.NoError(t, err)
			for _, id := range []tenancy.ID{"OTHER", "OTHER ONE"} {
				made, err := w.catalog.Create(t.Context(), catalog.NewTenant{ID: id})
				require.NoError(t, err)
				_, err = w.catalog.SetState(t.Context(), made, catalog.Active, "")
				require.NoError(t, err)
			}
			switch e.name {
			case "sqlite":
				w.refold(t)
			case "postgres":
				w.exec(t, "CREATE EXTENSION citext")
				for _, table := range confined() {
					w.exec(t, "ALTER TABLE "+table+" ALTER tenant_id TYPE citext")
				}
			}
			w = w.openWorld(t, w.shape)
			require.ErrorIs(t, w.as("OTHER").Create(&Label{}).Error, tenancy.ErrInvalidTenant)
			w.exec(t, "INSERT INTO labels (id, tenant_id, text) VALUES (99, 'OTHER ONE', 'of before')")
			_, err = w.Drop(t.Context(), "OTHER", "test")
			require.NoError(t, err)
			w.gone("OTHER")
			require.Equal(t, filled(), w.counts("other"))
			_, err = w.Drop(t.Context(), "OTHER ONE", "test")
			require.ErrorIs(t, err, tenancy.ErrInvalidTenant)
			require.ErrorContains(t, err, "table labels")
		})
	}
}

// confined are the tables with a tenant column.
func confined() []string {
	return []string{"accounts", "projects", "labels", "teams", "members", "notes"}
}

// refold makes the tenant columns of SQLite's tables ones that take upper case for lower case.
func (w *world) refold(t *testing.T) {
	t.Helper()
	for _, table := range confined() {
		w.exec(t, "PRAGMA foreign_keys = OFF", "CREATE TABLE moved AS SELECT * FROM "+table, "DROP TABLE "+table)
		columns := w.strings(t, "SELECT CASE name WHEN 'tenant_id' THEN 'tenant_id text COLLATE NOCASE' ELSE name || ' ' || type END FROM pragma_table_info('moved') ORDER BY cid")
		text := columns[0] + " PRIMARY KEY"
		for _, c := range columns[1:] {
			text += ", " + c
		}
		w.exec(t, "CREATE TABLE "+table+" ("+text+")", "INSERT INTO "+table+" SELECT * FROM moved", "DROP TABLE moved")
	}
}
