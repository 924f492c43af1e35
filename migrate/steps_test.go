package migrate_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"testing/fstest"

	"github.com/pressly/goose/v3"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/catalog"
	"github.com/gormtenancy/tenancy/internal/testdb"
	"github.com/gormtenancy/tenancy/migrate"
)

// TestPostgresSteps is about what SQL files for PostgreSQL have in them.
func TestPostgresSteps(t *testing.T) {
	t.Parallel()
	l := newLand(t, engineOf("postgres"))
	r := l.runner(t, files(
		`-- +goose Up
CREATE TABLE items (id int, body text); INSERT INTO items VALUES (1, 'a;b'), (2, $q$c;d$q$);
CREATE TYPE mood AS ENUM ('good');
-- +goose StatementBegin
CREATE FUNCTION twice(n int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
	RETURN n * 2; -- a semicolon inside
END;
$$;
-- +goose StatementEnd
-- +goose StatementBegin
DO $do$ BEGIN
	INSERT INTO items SELECT twice(n), 'do' FROM generate_series(2, 3) AS n;
END $do$;
-- +goose StatementEnd
-- +goose Down
DROP TABLE items;`,
		`-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX CONCURRENTLY items_body ON items (body);
ALTER TYPE mood ADD VALUE 'bad';`,
		// A step that leaves its connection elsewhere, as pg_dump's files do.
		`SELECT pg_catalog.set_config('search_path', '', false);`,
		`INSERT INTO items VALUES (9, 'after');`,
		`SET search_path TO public; CREATE TABLE public.elsewhere (id int);`,
	))
	for _, shape := range l.shapes {
		made := l.tenant(t, shape, string(shape))
		require.NoError(t, r.Tenant(t.Context(), made), shape)
		require.Equal(t, 5, l.countAt(t, made, "SELECT count(*) FROM items"))
		require.Equal(t, 1, l.countAt(t, made, "SELECT count(*) FROM pg_indexes WHERE schemaname = current_schema() AND indexname = 'items_body'"))
		require.Equal(t, 2, l.countAt(t, made, "SELECT count(*) FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid WHERE t.typnamespace = current_schema()::regnamespace"))
		require.Equal(t, 6, l.countAt(t, made, "SELECT count(*) FROM goose_db_version"), "0 and five steps are noted at the place")
		if shape != catalog.OwnDatabase {
			l.exec(t, "DROP TABLE public.elsewhere")
		}
	}
}

// TestGoSteps is about steps in Go, with a transaction and without one: they find what the steps before them made.
func TestGoSteps(t *testing.T) {
	t.Parallel()
	eachPlace(t, func(t *testing.T, e engine, shape catalog.Shape) {
		t.Helper()
		l := newLand(t, e)
		made := l.tenants(t, shape, 2)[1]
		in := func(ctx context.Context, exec func(context.Context, string, ...any) (sql.Result, error)) error {
			_, err := exec(ctx, "INSERT INTO notes (id) VALUES (1)")
			return err
		}
		r := l.runner(t, fstest.MapFS{
			"00001_notes.sql": {Data: []byte("-- +goose Up\n" + notes[0])},
			"00004_last.sql":  {Data: []byte("-- +goose Up\nINSERT INTO notes (id) VALUES (4);")},
			"helpers.go":      {Data: []byte("package steps")},
		}, func(cfg *migrate.Config) {
			cfg.GoSteps = []*goose.Migration{
				goose.NewGoMigration(2, &goose.GoFunc{RunTx: func(ctx context.Context, tx *sql.Tx) error { return in(ctx, tx.ExecContext) }}, nil),
				goose.NewGoMigration(3, &goose.GoFunc{RunDB: func(ctx context.Context, db *sql.DB) error {
					tx, err := db.BeginTx(ctx, nil)
					if err != nil {
						return err
					}
					err = in(ctx, tx.ExecContext)
					if _, second := db.ExecContext(ctx, "SELECT 1"); second == nil {
						err = errors.New("there is a second connection")
					}
					return errors.Join(err, tx.Commit())
				}}, nil),
			}
		})
		report, err := r.Run(t.Context())
		require.NoError(t, err, report)
		require.Equal(t, 3, l.countAt(t, made, "SELECT count(*) FROM notes"))

		failing := l.runner(t, files(), func(cfg *migrate.Config) {
			cfg.GoSteps = []*goose.Migration{goose.NewGoMigration(5, &goose.GoFunc{RunTx: func(context.Context, *sql.Tx) error { panic("oh") }}, nil)}
		})
		_, err = failing.Run(t.Context())
		require.ErrorContains(t, err, "5 (Go)")
		require.ErrorContains(t, err, "panic")
	})
}

// TestLostConnection is about promise 4: a place's connection that is lost is not replaced by one that looks elsewhere.
func TestLostConnection(t *testing.T) {
	t.Parallel()
	for name, kill := range map[string]string{
		"postgres": "SELECT pg_terminate_backend(pg_backend_pid())", "mysql": "KILL CONNECTION_ID()",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLand(t, engineOf(name))
			made := l.tenant(t, catalog.OwnSchema, "a")
			tries := 0
			with := func(die bool) *migrate.Runner {
				return l.runner(t, files(notes[0]), func(cfg *migrate.Config) {
					cfg.GoSteps = []*goose.Migration{goose.NewGoMigration(2, &goose.GoFunc{RunDB: func(ctx context.Context, db *sql.DB) error {
						if die {
							_, _ = db.ExecContext(ctx, kill)
						}
						tries++
						for range 3 {
							if _, err := db.ExecContext(ctx, "CREATE TABLE astray (id int)"); err == nil {
								return nil
							}
						}
						_, err := db.ExecContext(ctx, "CREATE TABLE astray (id int)")
						return err
					}}, nil)}
				})
			}
			require.Error(t, with(true).Tenant(t.Context(), made))
			require.Equal(t, 1, tries)
			astray := "SELECT count(*) FROM information_schema.tables WHERE table_name = 'astray' AND table_schema LIKE '" + l.prefix + "%'"
			count := func(query string) (n int) {
				require.NoError(t, l.home.QueryRowContext(t.Context(), query).Scan(&n))
				return n
			}
			require.Zero(t, count(astray))
			require.Zero(t, count(map[string]string{
				"postgres": "SELECT count(*) FROM information_schema.tables WHERE table_name = 'astray'",
				"mysql":    "SELECT count(*) FROM information_schema.tables WHERE table_name = 'astray' AND table_schema = DATABASE()",
			}[name]))
			require.NoError(t, with(false).Tenant(t.Context(), made))
			require.Equal(t, 1, count(astray))
		})
	}
}

func TestNothingStaysOnConnections(t *testing.T) {
	t.Parallel()
	for name, own := range map[string]string{
		"postgres": "SELECT current_setting('search_path') || current_setting('lock_timeout')", "mysql": "SELECT CONCAT(DATABASE(), @@lock_wait_timeout, @@innodb_lock_wait_timeout)",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLand(t, engineOf(name))
			l.home.SetMaxOpenConns(3)
			settings := func() (s string) {
				require.NoError(t, l.home.QueryRowContext(t.Context(), own).Scan(&s))
				return s
			}
			before := settings()
			l.tenants(t, catalog.OwnSchema, 4)
			report, err := l.runner(t, files(notes...), withModels).Run(t.Context())
			require.NoError(t, err, report)
			var held []*sql.Conn
			for range 3 {
				c, err := l.home.Conn(t.Context())
				require.NoError(t, err)
				held = append(held, c)
				var s string
				require.NoError(t, c.QueryRowContext(t.Context(), own).Scan(&s))
				require.Equal(t, before, s)
			}
			for _, c := range held {
				require.NoError(t, c.Close())
			}
			l.home.SetMaxOpenConns(2)
			_, err = l.runner(t, files(append(notes, "SELECT 1;")...)).Run(t.Context())
			require.ErrorIs(t, err, tenancy.ErrInvalidConfig)
		})
	}
}

// TestEmptyVersions is about a table of versions that was made by somebody who was killed then.
func TestEmptyVersions(t *testing.T) {
	t.Parallel()
	eachPlace(t, func(t *testing.T, e engine, shape catalog.Shape) {
		t.Helper()
		l := newLand(t, e)
		made := l.tenant(t, shape, "a")
		r := l.runner(t, files(notes...))
		require.NoError(t, r.Tenant(t.Context(), made))
		l.execAt(t, made, "DELETE FROM goose_db_version", "DROP TABLE notes", "DROP TABLE done")
		require.NoError(t, l.catalog.SetPlace(t.Context(), made.Placement, catalog.Target{}, ""))
		require.NoError(t, r.Tenant(t.Context(), made))
		require.Equal(t, 3, l.countAt(t, made, "SELECT count(*) FROM goose_db_version"))
	})
}

func TestMissingSchema(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"postgres", "mysql"} {
		l := newLand(t, engineOf(name))
		made, err := l.catalog.Create(t.Context(), catalog.NewTenant{ID: "a", Shape: catalog.OwnSchema})
		require.NoError(t, err)
		for _, r := range []*migrate.Runner{l.runner(t, files(notes...)), l.runner(t, nil, withModels)} {
			require.ErrorContains(t, r.Tenant(t.Context(), made), made.Placement.Schema)
		}
	}
}

// TestPoolers is about poolers that give connections out by transaction, to which nothing may be set.
func TestPoolers(t *testing.T) {
	t.Parallel()
	l := newLandAt(t, engineOf("postgres"), testdb.PgBouncer(t, testdb.Postgres(t))+"&default_query_exec_mode=exec")
	_, err := l.runner(t, files(notes...)).Run(t.Context())
	require.ErrorIs(t, err, tenancy.ErrInvalidConfig)
	require.ErrorContains(t, err, "pooler")
	l = newLandAt(t, engineOf("postgres"), testdb.PgBouncer(t, testdb.Postgres(t), "pool_mode=session", "default_pool_size=20"))
	report, err := l.runner(t, files(notes...)).Run(t.Context())
	require.NoError(t, err, report)
}

func TestFaultsOfConfiguration(t *testing.T) {
	t.Parallel()
	l := newLand(t, engineOf("sqlite"))
	fine := migrate.Config{DB: l.db, Catalog: l.catalog, Steps: files(notes...)}
	for want, change := range map[string]func(*migrate.Config){
		"DB: it is missing":      func(c *migrate.Config) { c.DB = nil },
		"not installed":          func(c *migrate.Config) { c.DB = l.master },
		"Catalog: it is missing": func(c *migrate.Config) { c.Catalog = nil },
		"nothing to migrate":     func(c *migrate.Config) { c.Steps = nil },
		"Workers":                func(c *migrate.Config) { c.Workers = -1 },
		"LockTimeout":            func(c *migrate.Config) { c.LockTimeout = -1 },
		"StopAt":                 func(c *migrate.Config) { c.StopAt = 1 },
		"ProgressObserver":       func(c *migrate.Config) { c.Observer = 1 },
		"no migrations":          func(c *migrate.Config) { c.Steps = fstest.MapFS{"x.sql": {}} },
		"00002_step.sql": func(c *migrate.Config) {
			c.Steps = files("SELECT 1;", "-- +goose Up\n-- +goose StatementBegin\nSELECT 1;")
		},
		"00001_step.sql":      func(c *migrate.Config) { c.Steps = files("-- +goose Sideways") },
		"duplicate":           func(c *migrate.Config) { c.Steps = fstest.MapFS{"1_a.sql": {}, "01_b.sql": {}} },
		"a step in Go is nil": func(c *migrate.Config) { c.GoSteps = []*goose.Migration{nil} },
		"Models":              func(c *migrate.Config) { c.Models = []any{1} },
	} {
		cfg := fine
		change(&cfg)
		_, err := migrate.New(cfg)
		require.ErrorIs(t, err, tenancy.ErrInvalidConfig, want)
		require.ErrorContains(t, err, want)
	}
	fine.GoSteps = []*goose.Migration{goose.NewGoMigration(2, nil, nil)}
	_, err := migrate.New(fine)
	require.ErrorContains(t, err, "duplicate")
	fine.GoSteps = nil
	_, err = migrate.New(fine)
	require.NoError(t, err)
}
