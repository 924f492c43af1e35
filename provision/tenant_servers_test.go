package provision_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/catalog"
	"github.com/gormtenancy/tenancy/provision"
)

// underRole makes a role that is no superuser, and a site whose tenants' databases are its own.
func underRole(t *testing.T, s site, attributes string) (site, string) {
	t.Helper()
	role := strings.TrimSuffix(s.prefix, "_") + "_role"
	s.exec(t, "CREATE ROLE "+role+" LOGIN "+attributes, "GRANT ALL ON SCHEMA public TO "+role)
	u, err := url.Parse(s.home)
	require.NoError(t, err)
	s.exec(t, "GRANT CREATE ON DATABASE "+strings.TrimPrefix(u.Path, "/")+" TO "+role)
	owner := s
	t.Cleanup(func() {
		owner.sweep(t)
		owner.exec(t, "DROP OWNED BY "+role, "DROP ROLE "+role)
	})
	u.User = url.User(role)
	s.home = u.String()
	return s, role
}

// TestRowSecurity makes tenants under row-level security, by a role that is held by it too.
func TestRowSecurity(t *testing.T) {
	t.Parallel()
	for _, shape := range kinds[1].shapes {
		t.Run(string(shape), func(t *testing.T) {
			t.Parallel()
			super := newSite(t, kinds[1])
			s, _ := underRole(t, super, "CREATEDB")
			w := s.openWorld(t, shape, func(c *provision.Config, tc *tenancy.Config) {
				tc.RowSecurity, c.Keys = "app.tenant_id", true
				c.Seed = func(_ context.Context, tx *gorm.DB, tn catalog.Tenant) error {
					return fill(tx, map[tenancy.ID]uint{"acme": 10, "other": 20}[tn.ID])
				}
			})
			for _, id := range []tenancy.ID{"acme", "other"} {
				made, err := w.create(t.Context(), id)
				require.NoError(t, err)
				require.Equal(t, filled(), w.counts(id))

				// Without the setting there are no rows, whoever asks.
				pool, err := tenancy.DB(w.as(id))
				require.NoError(t, err)
				prefix := ""
				if made.Placement.Schema != "" {
					prefix = `"` + made.Placement.Schema + `".`
				}
				for table := range filled() {
					var n int
					require.NoError(t, pool.QueryRowContext(t.Context(), "SELECT count(*) FROM "+prefix+table).Scan(&n))
					require.Zero(t, n, table)
				}
			}
			_, err := w.create(t.Context(), "acme")
			require.ErrorIs(t, err, tenancy.ErrTenantExists)
			gone, err := w.Drop(t.Context(), "acme", "test")
			require.NoError(t, err)
			if shape == catalog.SharedTables {
				require.Equal(t, filled(), gone.Rows)
				for table, rows := range super.rows(t) {
					require.Len(t, rows, int(filled()[table]), table)
				}
			}
			w.gone("acme")
			require.Equal(t, filled(), w.counts("other"))
			_, err = w.Drop(t.Context(), "other", "test")
			require.NoError(t, err)
			require.Empty(t, super.storages(t))
			for table, rows := range super.rows(t) {
				require.Empty(t, rows, table)
			}
		})
	}
}

// TestRowSecurityOfSharedTables is about tables that are there already, and about a table that comes later.
func TestRowSecurityOfSharedTables(t *testing.T) {
	t.Parallel()
	s, _ := underRole(t, newSite(t, kinds[1]), "")
	w := s.openWorld(t, catalog.SharedTables, func(_ *provision.Config, tc *tenancy.Config) { tc.RowSecurity = "app.tenant_id" })
	_, err := w.create(t.Context(), "one")
	require.NoError(t, err)
	oids := func() []string { return s.strings(t, "SELECT oid::text FROM pg_policy ORDER BY 1") }
	before := oids()
	require.Len(t, before, len(filled()))
	_, err = w.create(t.Context(), "two")
	require.NoError(t, err)
	require.Equal(t, before, oids(), "they are left alone")
	s.exec(t, "ALTER TABLE labels NO FORCE ROW LEVEL SECURITY")
	_, err = w.create(t.Context(), "three")
	require.NoError(t, err)
	require.Equal(t, []string{"true"}, s.strings(t, "SELECT relforcerowsecurity::text FROM pg_class WHERE relname = 'labels'"))
}

// TestRoleThatMayMakeNothing is about a role that may make nothing.
func TestRoleThatMayMakeNothing(t *testing.T) {
	t.Parallel()
	for _, shape := range []catalog.Shape{catalog.OwnSchema, catalog.OwnDatabase} {
		t.Run(string(shape), func(t *testing.T) {
			t.Parallel()
			super := newSite(t, kinds[1])
			s, role := underRole(t, super, "")
			u, err := url.Parse(super.home)
			require.NoError(t, err)
			super.exec(t, "REVOKE CREATE ON DATABASE "+strings.TrimPrefix(u.Path, "/")+" FROM "+role)
			w := s.openWorld(t, shape)
			_, err = w.create(t.Context(), "acme")
			var at *provision.StepError
			require.ErrorAs(t, err, &at)
			require.Equal(t, provision.Storing, at.Step)
			require.NoError(t, at.Undo)
			require.ErrorContains(t, err, "permission denied")
			w.gone("acme")
		})
	}
}

// killConnections ends all connections to a database but its own.
func killConnections(t *testing.T, s site, dsn string) {
	t.Helper()
	s.home = dsn
	if s.name == "postgres" {
		s.exec(t, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
		return
	}
	for _, id := range s.strings(t, "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()") {
		s.with(t, func(db *sql.DB) { _, _ = db.Exec("KILL CONNECTION " + id) }) // it may have ended by itself
	}
}

// TestKilledConnections ends connections in the midst of a creation: those on which the tenant's rows are written, and the one that
// holds the lock.
func TestKilledConnections(t *testing.T) {
	t.Parallel()
	for _, e := range kinds[1:] {
		for _, shape := range e.shapes {
			t.Run(fmt.Sprint(e.name, "/", shape), func(t *testing.T) {
				t.Parallel()
				which := ""
				w := newWorld(t, e, shape, func(c *provision.Config, _ *tenancy.Config) {
					c.Seed = func(ctx context.Context, tx *gorm.DB, _ catalog.Tenant) error {
						if err := fill(tx, 10); err != nil {
							return err
						}
						if which != "rows" {
							return nil
						}
						pool, err := tenancy.DB(tx)
						if err != nil {
							return err
						}
						return killOwn(ctx, tx, pool)
					}
				})
				which = "rows"
				_, err := w.create(t.Context(), "acme")
				var at *provision.StepError
				require.ErrorAs(t, err, &at)
				require.Equal(t, provision.Seeding, at.Step)
				require.NoError(t, at.Undo)
				w.gone("acme")

				which = ""
				w.steps.after = func(e provision.StepEvent) {
					if e.Step == provision.Seeding {
						killConnections(t, w.site, w.master)
					}
				}
				_, err = w.create(t.Context(), "acme")
				w.steps.after = nil
				require.ErrorAs(t, err, &at)
				require.Equal(t, provision.Activating, at.Step)
				require.ErrorContains(t, err, "lock")
				require.Error(t, at.Undo, "without the lock another process may be at work")
				w = w.openWorld(t, shape, func(c *provision.Config, _ *tenancy.Config) { c.Seed = w.cfg.Seed }) // the pools of the other have dead connections
				left, err := w.catalog.Read(t.Context(), "acme")
				require.NoError(t, err)
				require.Equal(t, catalog.Creating, left.State)
				_, err = w.create(t.Context(), "acme")
				require.NoError(t, err)
				require.Equal(t, filled(), w.counts("acme"))
				_, err = w.Drop(t.Context(), "acme", "test")
				require.NoError(t, err)
				w.gone("acme")
				require.Empty(t, w.storages(t))
			})
		}
	}
}

// killOwn ends the connection of a transaction.
func killOwn(ctx context.Context, tx *gorm.DB, pool *sql.DB) error {
	query, kill := "SELECT pg_backend_pid()", "SELECT pg_terminate_backend(%d)"
	if tx.Name() == "mysql" {
		query, kill = "SELECT CONNECTION_ID()", "KILL CONNECTION %d"
	}
	var id int64
	if err := tx.Raw(query).Scan(&id).Error; err != nil {
		return err
	}
	if _, err := pool.ExecContext(ctx, fmt.Sprintf(kill, id)); err != nil {
		return err
	}
	return tx.Create(&Label{ID: 99}).Error
}

// TestNoShard is about a catalog without room.
func TestNoShard(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e kind, shape catalog.Shape) {
		t.Helper()
		w := newWorld(t, e, shape)
		home, err := w.catalog.Shard(t.Context(), "")
		require.NoError(t, err)
		home.Closed = true
		require.NoError(t, w.catalog.UpdateShard(t.Context(), home))
		_, err = w.create(t.Context(), "acme")
		require.Error(t, err)
		w.gone("acme")
	})
}

func TestConfig(t *testing.T) {
	t.Parallel()
	_, err := provision.New(provision.Config{})
	require.ErrorIs(t, err, tenancy.ErrInvalidConfig)
	for _, what := range []string{"Catalog", "DB is missing", "Tables"} {
		require.ErrorContains(t, err, what)
	}
	w := newWorld(t, kinds[0], catalog.OwnDatabase)
	bare, err := gorm.Open(w.open(w.home), &gorm.Config{Logger: logger.Discard})
	require.NoError(t, err)
	t.Cleanup(func() {
		pool, err := bare.DB()
		require.NoError(t, err)
		require.NoError(t, pool.Close())
	})
	_, err = provision.New(provision.Config{DB: bare, Catalog: w.catalog, Models: models(), Observer: 7, Tables: func(context.Context, catalog.Tenant) error { return nil }})
	for _, what := range []string{"does not have the tenancy plugin", "set one of the two", "StepObserver"} {
		require.ErrorContains(t, err, what)
	}
	cfg := w.cfg
	cfg.Catalog, err = catalog.Open(t.Context(), w.openMaster(t), catalog.Config{Dialect: "postgres"})
	require.NoError(t, err)
	defer func(c *catalog.Catalog) { require.NoError(t, c.Close()) }(cfg.Catalog)
	_, err = provision.New(cfg)
	require.ErrorIs(t, err, tenancy.ErrInvalidConfig)
	require.ErrorContains(t, err, "another dialect")
	cfg.Catalog, cfg.Opener = w.catalog, nil
	without, err := provision.New(cfg)
	require.NoError(t, err)
	_, err = without.Create(t.Context(), catalog.NewTenant{ID: "acme", Shape: catalog.OwnDatabase})
	require.ErrorIs(t, err, tenancy.ErrInvalidConfig)
	require.ErrorContains(t, err, "Opener")
	w.gone("acme")
}
