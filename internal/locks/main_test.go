package locks_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/gormtenancy/tenancy/internal/locks"
	"github.com/gormtenancy/tenancy/internal/testdb"
)

func TestMain(m *testing.M) { testdb.Main(m) }

// database is one that the tests of a dialect share with other processes.
type database struct{ dialect, driver, dsn string }

// dialects runs a test with a fresh database of each dialect.
func dialects(t *testing.T, test func(t *testing.T, d database)) {
	t.Helper()
	for dialect, fresh := range map[string]func(t *testing.T) database{
		"postgres": func(t *testing.T) database { t.Helper(); return database{"postgres", "pgx", testdb.Postgres(t)} },
		"mysql":    func(t *testing.T) database { t.Helper(); return database{"mysql", "mysql", testdb.MySQL(t)} },
		"sqlite": func(t *testing.T) database {
			t.Helper()
			return database{"sqlite", "sqlite", filepath.Join(t.TempDir(), "a.db")}
		},
	} {
		t.Run(dialect, func(t *testing.T) {
			t.Parallel()
			test(t, fresh(t))
		})
	}
}

// open opens a pool of its own, as another process would.
func (d database) open(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open(d.driver, d.dsn)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func (d database) try(t *testing.T, db *sql.DB, name string) (*locks.Held, error) {
	t.Helper()
	return locks.Try(t.Context(), db, d.dialect, name)
}

func (d database) acquire(t *testing.T, db *sql.DB, name string) *locks.Held {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	held, err := locks.Acquire(ctx, db, d.dialect, name)
	require.NoError(t, err)
	return held
}

func release(t *testing.T, held *locks.Held) {
	t.Helper()
	require.NoError(t, held.Release(t.Context()))
}
