package migrate_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/catalog"
	"github.com/gormtenancy/tenancy/internal/testdb"
	"github.com/gormtenancy/tenancy/migrate"
)

// TestWhatAStepSets is about the state of a connection: none of it is there in the next step.
func TestWhatAStepSets(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ set, seen string }{
		"postgres": {
			"SET session_replication_role = replica; SET statement_timeout = '77s'; SET app.tenant = 'b'; CREATE TEMPORARY TABLE hidden (id int);",
			`SELECT (current_setting('session_replication_role') = 'replica')::int + (current_setting('statement_timeout') = '77s')::int
				+ (coalesce(current_setting('app.tenant', true), '') <> '')::int + (to_regclass('pg_temp.hidden') IS NOT NULL)::int`,
		},
		"mysql": {
			"SET sql_mode = '', foreign_key_checks = 0, autocommit = 0, @own = 1;",
			"SELECT (@@sql_mode = '') + (@@foreign_key_checks = 0) + (@@autocommit = 0) + (@own IS NOT NULL)",
		},
		"sqlite": {
			"-- +goose NO TRANSACTION\n-- +goose Up\nPRAGMA recursive_triggers = 1; CREATE TEMPORARY TABLE hidden (id int);",
			"SELECT (SELECT recursive_triggers FROM pragma_recursive_triggers) + (SELECT count(*) FROM sqlite_temp_master WHERE name = 'hidden')",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLand(t, engineOf(name))
			made := l.tenant(t, catalog.SharedTables, "a")
			_, err := l.runner(t, files(c.set, "CREATE TABLE said AS "+c.seen+" AS n;", notes[0])).Run(t.Context())
			require.NoError(t, err)
			require.Zero(t, l.countAt(t, made, "SELECT n FROM said"))
		})
	}
}

// TestTransactionLeftOpen is about steps that do not commit what they did: the catalog must not hear that it was done.
func TestTransactionLeftOpen(t *testing.T) {
	t.Parallel()
	const outside = "-- +goose NO TRANSACTION\n-- +goose Up\n"
	open := outside + "BEGIN;\nINSERT INTO done VALUES (3);"
	closed := outside + "BEGIN;\nINSERT INTO done VALUES (3);\nCOMMIT;"
	eachPlace(t, func(t *testing.T, e engine, shape catalog.Shape) {
		t.Helper()
		ways := map[string]string{"BEGIN": open}
		if e.name == "mysql" {
			ways["autocommit"] = outside + "SET autocommit = 0;\nINSERT INTO done VALUES (3);"
		}
		for way, text := range ways {
			for _, later := range [][]string{nil, {"CREATE TABLE later (id int);"}} {
				l := newLand(t, e)
				made := l.tenant(t, shape, "a")
				with := func(third string) *migrate.Runner {
					return l.runner(t, files(append([]string{notes[0], notes[1], third}, later...)...))
				}
				err := with(text).Tenant(t.Context(), made)
				var step *migrate.StepError
				require.ErrorAs(t, err, &step, way)
				require.Equal(t, "00003_step.sql", step.File)
				require.Equal(t, made.Placement, step.Placement)
				require.Contains(t, err.Error(), "COMMIT")
				require.Contains(t, l.placeOf(t, made).Err, "COMMIT")
				require.Less(t, l.placeOf(t, made).Version, int64(3))
				require.False(t, l.hasTable(t, made, "later"))
				require.NoError(t, with(closed).Tenant(t.Context(), made))
				require.Equal(t, 1, l.countAt(t, made, "SELECT count(*) FROM done WHERE step = 3"), way)
			}
		}
	})
}

// TestUncommittedIsSeen is about an isolation level that shows what the server is about to roll back.
func TestUncommittedIsSeen(t *testing.T) {
	t.Parallel()
	l := newLandAt(t, engineOf("mysql"), testdb.MySQL(t)+"&tx_isolation='READ-UNCOMMITTED'")
	made := l.tenant(t, catalog.OwnSchema, "a")
	err := l.runner(t, files(notes[0], notes[1], `-- +goose NO TRANSACTION
-- +goose Up
SET autocommit = 0;
INSERT INTO done WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT a.i FROM n AS a, n AS b WHERE b.i <= 100;`)).Tenant(t.Context(), made)
	require.ErrorContains(t, err, "COMMIT")
	require.Equal(t, 1, l.countAt(t, made, "SELECT count(*) FROM done"))
}

// TestRunnersShareAPool is about several Runners: together they must leave each place the connections that it needs.
func TestRunnersShareAPool(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"postgres", "mysql"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLand(t, engineOf(name))
			l.tenants(t, catalog.OwnSchema, 8)
			l.home.SetMaxOpenConns(3)
			var all sync.WaitGroup
			for range 8 {
				r := l.runner(t, nil, withModels, func(cfg *migrate.Config) { cfg.Verify = true })
				all.Go(func() {
					report, err := r.Run(t.Context())
					if err != nil || report.Migrated != 9 {
						t.Errorf("%v\n%v", err, report)
					}
				})
			}
			all.Wait()
		})
	}
}

// TestFewDatabases is about a plugin that may have one database open at once: none is closed while its place is migrated.
func TestFewDatabases(t *testing.T) {
	t.Parallel()
	for _, e := range engines() {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			l := newLand(t, e)
			l.tenants(t, catalog.OwnDatabase, 8)
			db, err := gorm.Open(e.open(l.dsn), &gorm.Config{Logger: logger.Discard})
			require.NoError(t, err)
			plugin := tenancy.New(tenancy.Config{
				Models: []any{&Order{}}, Resolver: l.catalog, Open: l.catalog.OpenShard, SQL: e.proof(),
				Pools: tenancy.PoolLimits{Databases: 1, Connections: 4},
			})
			require.NoError(t, db.Use(plugin))
			t.Cleanup(func() {
				_ = plugin.Close()
				if pool, err := db.DB(); err == nil {
					_ = pool.Close()
				}
			})
			steps := files(strings.Split(strings.Repeat("CREATE TABLE IF NOT EXISTS notes (id int);\n", 20), "\n")[:20]...)
			r := l.runner(t, steps, func(cfg *migrate.Config) { cfg.DB = db })
			report, err := r.Run(t.Context())
			require.NoError(t, err, report)
			require.Equal(t, 9, report.Migrated, report)
		})
	}
}
