package benchmarks

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"gorm.io/driver/postgres"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/internal/testdb"
	"github.com/gormtenancy/tenancy/sqlite"
	"github.com/gormtenancy/tenancy/sqlproof"
	postgresproof "github.com/gormtenancy/tenancy/sqlproof/postgres"
	sqliteproof "github.com/gormtenancy/tenancy/sqlproof/sqlite"
)

// A fanBackend makes databases for statements over many shards.
type fanBackend struct {
	name string
	// database makes an empty one. What it returns opens it, each time with a pool of its own.
	database func(testing.TB) func() gorm.Dialector
	sql      func() sqlproof.Analyzer
}

func fanBackends() []fanBackend {
	return []fanBackend{
		{"sqlite", func(tb testing.TB) func() gorm.Dialector {
			tb.Helper()
			path := filepath.Join(tb.TempDir(), "shard.db")
			return func() gorm.Dialector { return sqlite.Open(path) }
		}, sqliteproof.New},
		{"postgres", func(tb testing.TB) func() gorm.Dialector {
			tb.Helper()
			dsn := testdb.Postgres(tb)
			return func() gorm.Dialector { return postgres.Open(dsn) }
		}, postgresproof.New},
	}
}

// A fanSite has orders on shards, and the same orders in one database.
type fanSite struct {
	rows    int
	through *gorm.DB   // the plugin, on all shards
	one     *gorm.DB   // plain GORM, on the one database
	alone   []*gorm.DB // plain GORM, on each of the shards
}

// accounts is how many there are; each has as many orders as another.
const accounts = 1000

// newFanSite makes n shards with about as many rows in all.
func newFanSite(tb testing.TB, b fanBackend, n, rows int) *fanSite {
	tb.Helper()
	return fanSiteOn(tb, b, n, rows, b.database(tb))
}

// fanSiteOn is [newFanSite] with a database for all rows that is there.
func fanSiteOn(tb testing.TB, b fanBackend, n, rows int, whole func() gorm.Dialector) *fanSite {
	tb.Helper()
	each := max(1, rows/accounts)
	s := &fanSite{rows: each * accounts, one: openPlain(tb, whole())}
	shards, places := make([]tenancy.Shard, n), make([]tenancy.Placement, n)
	for i := range shards {
		database := b.database(tb)
		shards[i] = tenancy.Shard{Name: fmt.Sprintf("s%d", i), Primary: database()}
		places[i] = tenancy.Placement{Shard: shards[i].Name}
		s.alone = append(s.alone, openPlain(tb, database()))
	}
	resolver := tenancy.Hash(slots, tenancy.EvenSlots(slots, places...)...)
	all, of := make([]int64, accounts), map[string][]int64{}
	for i := range all {
		all[i] = int64(i)
		at, err := resolver.Resolve(tb.Context(), all[i])
		check(tb, err)
		of[at.Shard] = append(of[at.Shard], all[i])
	}
	fill(tb, s.one, all, each)
	for i, db := range s.alone {
		fill(tb, db, of[shards[i].Name], each)
	}
	on := backend{sql: b.sql}
	s.through = on.use(tb, whole(), tenancy.Config{
		Shards: shards, Sharding: []tenancy.Sharding{{Models: []any{&Order{}}, Resolver: resolver}},
	}).WithContext(tenancy.OnAllShards(context.WithoutCancel(tb.Context())))
	return s
}

// openPlain opens plain GORM on a database.
func openPlain(tb testing.TB, on gorm.Dialector) *gorm.DB {
	tb.Helper()
	db := (backend{}).gorm(tb, on).WithContext(context.WithoutCancel(tb.Context()))
	pool, err := db.DB()
	check(tb, err)
	closeAtEnd(tb, pool)
	return db
}

// fill makes the orders of some accounts, each of which has the same in every database. None has the cents of another.
func fill(tb testing.TB, db *gorm.DB, accountIDs []int64, each int) {
	tb.Helper()
	check(tb, db.AutoMigrate(&Order{}))
	keys := make([]string, len(accountIDs))
	for i, id := range accountIDs {
		keys[i] = fmt.Sprintf("(%d)", id)
	}
	check(tb, db.Exec(fmt.Sprintf(
		"INSERT INTO orders (id, account_id, number, status, cents, created_at, updated_at) "+
			"WITH RECURSIVE seq(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM seq WHERE i < %d), owners(k) AS (VALUES %s) "+
			"SELECT i * %[3]d + k + 1, k, '2026-8', CASE i %% 3 WHEN 0 THEN 'open' WHEN 1 THEN 'paid' ELSE 'sent' END, "+
			"(CAST(i AS DECIMAL(20)) * %[3]d + k) * 7919 %% 1000003, CURRENT_TIMESTAMP, CURRENT_TIMESTAMP FROM seq, owners",
		each-1, strings.Join(keys, ", "), accounts)).Error)
	check(tb, db.Exec("CREATE INDEX orders_by_cents ON orders (cents, id)").Error)
	if db.Name() != "mysql" {
		check(tb, db.Exec("ANALYZE").Error)
	}
}
