package benchmarks

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/internal/testdb"
	"github.com/gormtenancy/tenancy/sqlite"
	"github.com/gormtenancy/tenancy/sqlproof"
	postgresproof "github.com/gormtenancy/tenancy/sqlproof/postgres"
	sqliteproof "github.com/gormtenancy/tenancy/sqlproof/sqlite"
)

// A backend is one kind of database.
type backend struct {
	name   string
	config gorm.Config
	// open returns a pool of connections, and what makes dialectors for it.
	open func(tb testing.TB, owned bool) (*sql.DB, func(*sql.DB) gorm.Dialector)
	stub bool
	sql  func() sqlproof.Analyzer // that the plugin is given; nil: none
}

// backends returns all of them, the cheapest first.
func backends() []backend {
	return []backend{
		{name: "stub", open: openStub, stub: true},
		{name: "stub-notx", open: openStub, stub: true, config: gorm.Config{SkipDefaultTransaction: true}},
		{name: "stub-proof", open: openStub, stub: true, sql: postgresproof.New},
		{name: "sqlite", open: openSQLite},
		{name: "sqlite-proof", open: openSQLite, sql: sqliteproof.New},
		{name: "postgres", open: openPostgres},
		{name: "postgres-proof", open: openPostgres, sql: postgresproof.New},
	}
}

// openStub has GORM write PostgreSQL, but INSERT without RETURNING, which would be a query, with rows to read.
func openStub(_ testing.TB, owned bool) (*sql.DB, func(*sql.DB) gorm.Dialector) {
	return newStub(owned), func(pool *sql.DB) gorm.Dialector {
		return postgres.New(postgres.Config{Conn: pool, WithoutReturning: true})
	}
}

func openSQLite(tb testing.TB, _ bool) (*sql.DB, func(*sql.DB) gorm.Dialector) {
	tb.Helper()
	db, err := gorm.Open(sqlite.Open(filepath.Join(tb.TempDir(), "bench.db")), &gorm.Config{Logger: logger.Discard})
	check(tb, err)
	pool, err := db.DB()
	check(tb, err)
	return pool, func(pool *sql.DB) gorm.Dialector { return sqlite.New(sqlite.Config{Conn: pool}) }
}

func openPostgres(tb testing.TB, _ bool) (*sql.DB, func(*sql.DB) gorm.Dialector) {
	tb.Helper()
	pool, err := sql.Open("pgx", testdb.Postgres(tb))
	check(tb, err)
	return pool, func(pool *sql.DB) gorm.Dialector { return postgres.New(postgres.Config{Conn: pool}) }
}

// seeded is how many rows each table has.
const seeded = 200

// A site is a database with rows in it, and the ways to use it that are compared. They share one pool, and so the same
// connection, so that they differ in nothing below GORM.
type site struct {
	pool  *sql.DB
	table string
	next  uint // the next row to delete

	plain   *session
	tenancy *session
	again   *session // plain once more: what it differs by is noise
}

// newSite opens the backend for statements on the tenant's table, or the global one.
func newSite(tb testing.TB, b backend, owned bool) *site {
	tb.Helper()
	pool, dialector := b.open(tb, owned)
	tb.Cleanup(func() { check(tb, pool.Close()) })
	open := func() *gorm.DB {
		cfg := b.config
		cfg.Logger = logger.Discard
		db, err := gorm.Open(dialector(pool), &cfg)
		check(tb, err)
		return db
	}
	s := &site{pool: pool, table: "rates"}
	if owned {
		s.table = "invoices"
	}
	ctx := context.WithoutCancel(tb.Context())
	s.plain = &session{site: s, db: open(), ctx: ctx}
	s.again = &session{site: s, db: open(), ctx: ctx}
	s.tenancy = &session{site: s, db: open(), ctx: tenancy.WithTenant(ctx, tenant)}
	if !b.stub {
		check(tb, seed(s.plain.db, owned))
	}
	cfg := tenancy.Config{Models: []any{&Invoice{}}, Global: []any{&Rate{}}}
	if b.sql != nil {
		cfg.SQL = b.sql()
	}
	check(tb, s.tenancy.db.Use(tenancy.New(cfg)))
	return s
}

// seed makes the tables. Every other row is open; half of the tenants' rows are another tenant's.
func seed(db *gorm.DB, owned bool) error {
	if err := db.AutoMigrate(&Invoice{}, &Rate{}); err != nil {
		return err
	}
	invoices, rates := make([]Invoice, seeded), make([]Rate, seeded)
	for i := range seeded {
		status := [2]string{"open", "paid"}[i%2]
		rates[i] = Rate{Number: fmt.Sprint(i), Status: status}
		// Few rows match, so that it is the statement that is measured and not its rows.
		invoices[i] = Invoice{TenantID: "globex", Number: fmt.Sprint(i), Status: status}
		if i < few {
			invoices[i].TenantID = tenant
		} else {
			rates[i].Status = "paid"
		}
	}
	if owned {
		return db.Create(&invoices).Error
	}
	return db.Create(&rates).Error
}

// few is how many rows are the tenant's; half of those are open.
const few = 20

// clear removes what statements have inserted.
func (s *site) clear() error {
	_, err := s.pool.ExecContext(context.Background(), fmt.Sprintf("DELETE FROM %s WHERE id > %d", s.table, seeded))
	return err
}

// firstDeleted is the first of the rows that are there to be deleted. No INSERT gets as far on PostgreSQL, whose sequence
// does not see them; SQLite counts on from there.
const firstDeleted = 1_000_000_000

// deletable makes n rows that can be deleted.
func (s *site) deletable(n int) error {
	if err := s.clear(); err != nil {
		return err
	}
	column, value := "", ""
	if s.table == "invoices" {
		column, value = ", tenant_id", ", '"+tenant+"'"
	}
	_, err := s.pool.ExecContext(context.Background(), fmt.Sprintf(
		"WITH RECURSIVE seq(i) AS (SELECT %d UNION ALL SELECT i + 1 FROM seq WHERE i < %d) "+
			"INSERT INTO %s (id, number, status, cents%s) SELECT i, '1', 'open', 1%s FROM seq",
		firstDeleted, firstDeleted+n-1, s.table, column, value))
	return err
}

func check(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
