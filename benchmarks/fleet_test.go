package benchmarks

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/internal/testdb"
	"github.com/gormtenancy/tenancy/sqlite"
	sqliteproof "github.com/gormtenancy/tenancy/sqlproof/sqlite"
)

// fullEnv asks for fleets of their full size, which take longer to make.
const fullEnv = "TENANCY_BENCH_FULL"

func fullOr(full, small int) int {
	if os.Getenv(fullEnv) != "" {
		return full
	}
	return small
}

// name is the ID of the tenant of a number.
func name(i int) tenancy.ID { return tenancy.ID(fmt.Sprintf("t%d", i)) }

// contexts are those of n tenants.
func contexts(tb testing.TB, n int) []context.Context {
	tb.Helper()
	all := make([]context.Context, n)
	for i := range all {
		all[i] = tenancy.WithTenant(context.WithoutCancel(tb.Context()), name(i))
	}
	return all
}

// A fleet is SQLite databases, all alike.
type fleet struct {
	dir    string
	misses atomic.Int64 // how often one was asked for that was not open
}

// newFleet makes n databases with rows: copies of one file.
func newFleet(tb testing.TB, n int, owned bool) *fleet {
	tb.Helper()
	f := &fleet{dir: tb.TempDir()}
	first := f.path(0)
	db, err := gorm.Open(sqlite.Open(first), &gorm.Config{})
	check(tb, err)
	check(tb, seed(db, owned))
	pool, err := db.DB()
	check(tb, err)
	check(tb, pool.Close())
	data, err := os.ReadFile(first)
	check(tb, err)
	for i := 1; i < n; i++ {
		check(tb, os.WriteFile(f.path(i), data, 0o600))
	}
	return f
}

func (f *fleet) path(i int) string { return f.file(string(name(i))) }

func (f *fleet) file(shard string) string { return filepath.Join(f.dir, shard+".db") }

// open is for [tenancy.Config].
func (f *fleet) open(_ context.Context, shard string) (tenancy.Shard, error) {
	f.misses.Add(1)
	return tenancy.Shard{Primary: sqlite.Open(f.file(shard))}, nil
}

// use opens a database for the tables of nobody with a plugin that finds the fleet.
func (f *fleet) use(tb testing.TB, cfg tenancy.Config) *gorm.DB {
	tb.Helper()
	on := backend{sql: sqliteproof.New}
	pool, dialector := openSQLite(tb, false)
	closeAtEnd(tb, pool)
	cfg.Open = f.open
	return on.use(tb, dialector(pool), cfg)
}

// makeSchemas makes schemas t0, t1, … with a table and a row each.
func makeSchemas(tb testing.TB, n int) *sql.DB {
	tb.Helper()
	pool := openPool(tb, "pgx", testdb.Postgres(tb))
	const atOnce = 100 // a transaction locks all that it makes (max_locks_per_transaction)
	for from := 0; from < n; from += atOnce {
		_, err := pool.ExecContext(tb.Context(), fmt.Sprintf(`DO $$ BEGIN FOR i IN %d..%d LOOP
			EXECUTE format('CREATE SCHEMA t%%s', i);
			EXECUTE format('CREATE TABLE t%%s.rates (id bigint PRIMARY KEY, number text, status text, cents bigint, created_at timestamptz, updated_at timestamptz)', i);
			EXECUTE format('INSERT INTO t%%s.rates VALUES (7, ''7'', ''open'', 1)', i);
		END LOOP; END $$`, from, min(from+atOnce, n)-1))
		check(tb, err)
	}
	return pool
}
