package pools_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	gormmysql "gorm.io/driver/mysql"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy/internal/pools"
	"github.com/gormtenancy/tenancy/sqlite"
)

var (
	errNotFound    = errors.New("test: not found")
	errUnavailable = errors.New("test: unavailable")
	errOverloaded  = errors.New("test: overloaded")
	errInvalid     = errors.New("test: invalid configuration")
)

func sentinels() pools.Errors {
	return pools.Errors{NotFound: errNotFound, Unavailable: errUnavailable, Overloaded: errOverloaded, InvalidConfig: errInvalid}
}

// newSet makes a Set that is closed with the test.
func newSet(t testing.TB, o pools.Options, known ...pools.Spec) *pools.Set {
	t.Helper()
	o.Errors = sentinels()
	require.Empty(t, pools.Faults(o, known))
	s := pools.New(o, known...)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// lease leases a database that must be there.
func lease(t testing.TB, s *pools.Set, name string) *pools.Database {
	t.Helper()
	d, err := s.Lease(t.Context(), name)
	require.NoError(t, err)
	return d
}

// primary returns the primary, which must be usable.
func primary(t testing.TB, d *pools.Database) *pools.Pool {
	t.Helper()
	p, err := d.Primary()
	require.NoError(t, err)
	return p
}

// files makes SQLite files, each with a table that holds the name of its database in as many rows as are asked for.
func files(t testing.TB, dir string, n, rows int) {
	t.Helper()
	for i := range n {
		db, err := gorm.Open(sqlite.Open(file(dir, shard(i))), &gorm.Config{SkipDefaultTransaction: true})
		require.NoError(t, err)
		pool, err := db.DB()
		require.NoError(t, err)
		values := strings.TrimSuffix(strings.Repeat("('"+shard(i)+"'),", rows), ",")
		_, err = pool.ExecContext(t.Context(), "CREATE TABLE marks (name TEXT); INSERT INTO marks VALUES "+values)
		require.NoError(t, err)
		require.NoError(t, pool.Close())
	}
}

func shard(i int) string { return fmt.Sprintf("shard%d", i) }

func file(dir, name string) string { return filepath.Join(dir, name+".db") }

// fromFiles is Options.Open for SQLite files.
func fromFiles(dir string) func(context.Context, string) (pools.Spec, error) {
	return func(_ context.Context, name string) (pools.Spec, error) {
		return pools.Spec{Primary: sqlite.Open(file(dir, name))}, nil
	}
}

// mark reads the name that a database of files says it has.
func mark(ctx context.Context, db *sql.DB) (name string, err error) {
	err = db.QueryRowContext(ctx, "SELECT name FROM marks LIMIT 1").Scan(&name)
	return name, err
}

// goroutinesBack waits until there are no more goroutines than there were at first.
func goroutinesBack(t testing.TB, before int) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); runtime.NumGoroutine() > before; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("goroutines are left: %s", stacks[:runtime.Stack(stacks, true)])
		}
	}
}

// withDatabase returns a DSN of PostgreSQL for another database of the same server.
func withDatabase(t testing.TB, dsn, name string) string {
	t.Helper()
	c, err := pgx.ParseConfig(dsn)
	require.NoError(t, err)
	return strings.Replace(dsn, c.Database, name, 1)
}

// withMySQLDatabase returns a DSN of MySQL for another database of the same server.
func withMySQLDatabase(t testing.TB, dsn, name string) string {
	t.Helper()
	c, err := mysql.ParseDSN(dsn)
	require.NoError(t, err)
	c.DBName = name
	return c.FormatDSN()
}

func mysqlOpen(dsn string) gorm.Dialector { return gormmysql.Open(dsn) }
