package catalog

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
)

// TestOpenAtOnce is about processes that find no tables: one makes them, all go on.
func TestOpenAtOnce(t *testing.T) {
	t.Parallel()
	for _, m := range masters() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			m := m.fresh(t)
			masters := make([]*gorm.DB, 8)
			for i := range masters {
				masters[i] = m.db(t)
			}
			var running sync.WaitGroup
			for _, db := range masters {
				running.Go(func() {
					c, err := Open(context.WithoutCancel(t.Context()), db, Config{})
					if err != nil {
						t.Error(err)
						return
					}
					if err := c.Close(); err != nil {
						t.Error(err)
					}
				})
			}
			running.Wait()
			create(t, m.open(t), NewTenant{ID: "a"})
		})
	}
}

// TestUpgradeOfAPart begins where an earlier upgrade may have been killed: after each of its statements.
func TestUpgradeOfAPart(t *testing.T) {
	t.Parallel()
	for n := range len(upgrades()[0]) + 2 {
		for _, m := range masters() {
			t.Run(m.name, func(t *testing.T) {
				t.Parallel()
				m := m.fresh(t)
				db, err := m.db(t).DB()
				require.NoError(t, err)
				s := newStore(db, m.name, m.name)
				for _, text := range append([]string{firstTable}, upgrades()[0]...)[:n] {
					_, err := db.ExecContext(t.Context(), s.ddl(text))
					require.NoError(t, err)
				}
				version, err := s.version(t.Context(), db)
				require.NoError(t, err)
				require.Zero(t, version)
				create(t, m.open(t), NewTenant{ID: "a", Domains: []string{"a.example.com"}})
				version, err = s.version(t.Context(), db)
				require.NoError(t, err)
				require.EqualValues(t, len(upgrades()), version)
			})
		}
		if t.Failed() {
			return
		}
	}
}

// TestUpgradeThatFails leaves nothing where the database can take it back, and is told; it can be done again.
func TestUpgradeThatFails(t *testing.T) {
	t.Parallel()
	for _, m := range masters() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			m := m.fresh(t)
			master := m.db(t)
			require.NoError(t, master.Exec("CREATE VIEW tenancy_names AS SELECT 1 AS one").Error)
			_, err := Open(t.Context(), master, Config{})
			require.Error(t, err)
			if m.name != "mysql" {
				db, err := master.DB()
				require.NoError(t, err)
				_, err = db.ExecContext(t.Context(), `SELECT * FROM tenancy_tenants`)
				require.Error(t, err)
			}
			require.NoError(t, master.Exec("DROP VIEW tenancy_names").Error)
			create(t, m.open(t), NewTenant{ID: "a"})
		})
	}
}

// TestVersions is about tables that are too old or too new.
func TestVersions(t *testing.T) {
	t.Parallel()
	for _, m := range masters() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			m := m.fresh(t)
			master, ctx := m.db(t), t.Context()
			_, err := Open(ctx, master, Config{ReadOnly: true})
			require.ErrorIs(t, err, tenancy.ErrInvalidConfig)
			require.ErrorContains(t, err, "ReadOnly")
			db, err := master.DB()
			require.NoError(t, err)
			_, err = db.ExecContext(ctx, `SELECT 1 FROM tenancy_catalog`)
			require.Error(t, err, "it has made nothing")

			m.open(t)
			readOnly, err := Open(ctx, master, Config{ReadOnly: true})
			require.NoError(t, err)
			require.NoError(t, readOnly.Close())
			_, err = db.ExecContext(ctx, `UPDATE tenancy_catalog SET version = 99`)
			require.NoError(t, err)
			for _, readOnly := range []bool{true, false} {
				_, err = Open(ctx, master, Config{ReadOnly: readOnly})
				require.ErrorIs(t, err, tenancy.ErrInvalidConfig)
				require.ErrorContains(t, err, "use a newer version of the program")
			}
			_, err = db.ExecContext(ctx, `UPDATE tenancy_catalog SET version = 0`)
			require.NoError(t, err)
			_, err = Open(ctx, master, Config{ReadOnly: true})
			require.ErrorIs(t, err, tenancy.ErrInvalidConfig)
		})
	}
}

// TestReadOnlyRole opens the catalog with a role of PostgreSQL's that may read and nothing else.
func TestReadOnlyRole(t *testing.T) {
	t.Parallel()
	for _, m := range masters() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			m := m.fresh(t)
			if m.name != "postgres" {
				t.Skip("SQLite has no roles, and on MariaDB it is the same code")
			}
			owner, ctx := m.open(t, Config{MaxStale: time.Second}), t.Context()
			create(t, owner, NewTenant{ID: "a"})
			_, err := owner.Activate(ctx, "a", "")
			require.NoError(t, err)

			dialector, ok := m.dial().(*postgres.Dialector)
			require.True(t, ok)
			dsn, err := url.Parse(dialector.DSN)
			require.NoError(t, err)
			settings := dsn.Query()
			settings.Set("default_transaction_read_only", "on")
			dsn.RawQuery = settings.Encode()
			reading := master{"postgres", func() gorm.Dialector { return postgres.Open(dsn.String()) }}

			_, err = Open(ctx, reading.db(t), Config{ReadOnly: true})
			require.ErrorIs(t, err, tenancy.ErrInvalidConfig, "nobody would wait for its 2 s")
			require.ErrorContains(t, err, "MaxStale")
			var state interface{ SQLState() string }
			require.ErrorAs(t, err, &state)

			reader := reading.open(t, Config{ReadOnly: true, MaxStale: time.Second})
			_, err = reader.Resolve(ctx, tenancy.ID("a"))
			require.NoError(t, err)
			_, err = reader.Suspend(ctx, "a", "a test")
			require.ErrorAs(t, err, &state)
			require.Equal(t, "25006", state.SQLState(), "read_only_sql_transaction")
		})
	}
}

// TestConfig is about what Open refuses, all at once.
func TestConfig(t *testing.T) {
	t.Parallel()
	dial := func() *gorm.DB {
		return openMemory(t)
	}
	for what, cfg := range map[string]Config{
		"MaxStale":       {MaxStale: time.Millisecond},
		"NotFoundFor":    {MaxStale: time.Second, NotFoundFor: 2 * time.Second},
		"CacheSize":      {CacheSize: -1},
		"MinVersion":     {MinVersion: -1},
		"SchemaPrefix":   {SchemaPrefix: "pg_"},
		"DatabasePrefix": {DatabasePrefix: "../"},
	} {
		_, err := Open(t.Context(), dial(), cfg)
		require.ErrorIs(t, err, tenancy.ErrInvalidConfig)
		require.ErrorContains(t, err, what)
	}
	_, err := Open(t.Context(), dial(), Config{CacheSize: -1, MinVersion: -1})
	require.ErrorContains(t, err, "CacheSize")
	require.ErrorContains(t, err, "MinVersion")

	confined := dial()
	require.NoError(t, confined.Use(tenancy.New(tenancy.Config{})))
	_, err = Open(t.Context(), confined, Config{})
	require.ErrorIs(t, err, tenancy.ErrInvalidConfig)
	require.ErrorContains(t, err, "open it once more")
}

// TestDamagedCatalog is about a master without its one row.
func TestDamagedCatalog(t *testing.T) {
	t.Parallel()
	for _, m := range masters() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			m := m.fresh(t)
			c, ctx := m.open(t), t.Context()
			_, err := c.store.db.ExecContext(ctx, `DELETE FROM tenancy_catalog`)
			require.NoError(t, err)
			_, err = c.Create(ctx, NewTenant{ID: "a"})
			require.ErrorContains(t, err, "restore the catalog from a backup")
			_, err = c.Read(ctx, "a")
			require.ErrorContains(t, err, "restore the catalog from a backup")
			_, _, err = c.store.changes(ctx, 0)
			require.ErrorContains(t, err, "restore the catalog from a backup")
		})
	}
}

// TestRetryable is about errors that mean that others were in the way.
func TestRetryable(t *testing.T) {
	t.Parallel()
	type MySQLError struct {
		error

		Number uint16
	}
	for want, errs := range map[bool][]error{
		true:  {stateError("40001"), stateError("40P01"), stateError("55P03"), &MySQLError{Number: 1213, error: errors.New("x")}, codeError(5), codeError(261), codeError(6), errors.New("database is locked")},
		false: {stateError("23505"), stateError("57P01"), &MySQLError{Number: 1062, error: errors.New("x")}, codeError(2067), sql.ErrConnDone, context.Canceled, errors.New("x")},
	} {
		for _, err := range errs {
			require.Equal(t, want, retryable(err), "%v", err)
		}
	}
	for _, name := range []string{"postgres", "mysql", "sqlite"} {
		for _, text := range append([]string{firstTable}, upgrades()[0]...) {
			require.NotContains(t, newStore(nil, name, name).ddl(text), "$")
		}
	}
	require.Equal(t, "a $1 b $2", newStore(nil, "postgres", "postgres").bind("a ? b ?"))
	require.LessOrEqual(t, len(plainText(strings.Repeat("ä", 3000))), longestText+len("…"))
}

type stateError string

func (e stateError) Error() string    { return string(e) }
func (e stateError) SQLState() string { return string(e) }

type codeError int

func (e codeError) Error() string { return "x" }
func (e codeError) Code() int     { return int(e) }
