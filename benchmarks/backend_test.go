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

// gorm opens GORM on a database, as each side of a contest does.
func (b backend) gorm(tb testing.TB, on gorm.Dialector) *gorm.DB {
	tb.Helper()
	cfg := b.config
	cfg.Logger = logger.Discard
	db, err := gorm.Open(on, &cfg)
	check(tb, err)
	return db
}

// use opens GORM with the plugin.
func (b backend) use(tb testing.TB, on gorm.Dialector, cfg tenancy.Config) *gorm.DB {
	tb.Helper()
	if b.sql != nil {
		cfg.SQL = b.sql()
	}
	db, plugin := b.gorm(tb, on), tenancy.New(cfg)
	check(tb, db.Use(plugin))
	tb.Cleanup(func() { check(tb, plugin.Close()) })
	return db
}

// closeAtEnd closes pools after what was opened on them since.
func closeAtEnd(tb testing.TB, pools ...*sql.DB) {
	tb.Helper()
	tb.Cleanup(func() {
		for _, pool := range pools {
			check(tb, pool.Close())
		}
	})
}

// seeded is how many rows each table has.
const seeded = 200

// A site is a database with rows in it, and the ways to use it that are compared.
type site struct {
	owners []*sql.DB // one for each table that the statements run on; they may do all with it
	table  string
	owner  string    // the column that says whose a row is; "" if there is none
	whose  string    // what it has for the rows that are used, as SQL
	next   uint      // the next row to delete
	apart  []*sql.DB // pools of the sides, if each has one of its own
	first  int64     // an ID that carries its shard
	newID  func() (int64, error)

	plain   *session
	tenancy *session
	again   *session // plain once more: what it differs by is noise
}

// newSite returns a site whose statements are on the tenant's table, or the global one. A side is a *gorm.DB of its own.
func newSite(tb testing.TB, owned bool, plain, again, through *gorm.DB, owners ...*sql.DB) *site {
	tb.Helper()
	s := &site{owners: owners, table: "rates"}
	if owned {
		s.table, s.owner, s.whose = "invoices", "tenant_id", "'"+tenant+"'"
	}
	ctx := context.WithoutCancel(tb.Context())
	s.plain = &session{site: s, db: plain, ctx: ctx}
	s.again = &session{site: s, db: again, ctx: ctx}
	s.tenancy = &session{site: s, db: through, ctx: tenancy.WithTenant(ctx, tenant)}
	return s
}

// rowsSite has all tenants in one table. The sides share one pool, and so the same connection, so that they differ in
// nothing below GORM.
func rowsSite(owned bool) func(testing.TB, backend) *site {
	return func(tb testing.TB, b backend) *site {
		tb.Helper()
		pool, dialector := b.open(tb, owned)
		closeAtEnd(tb, pool)
		plain := b.gorm(tb, dialector(pool))
		b.seed(tb, plain, owned)
		through := b.use(tb, dialector(pool), tenancy.Config{Models: []any{&Invoice{}}, Global: []any{&Rate{}}})
		return newSite(tb, owned, plain, b.gorm(tb, dialector(pool)), through, pool)
	}
}

// seed fills a database that keeps what it is told.
func (b backend) seed(tb testing.TB, db *gorm.DB, owned bool) {
	tb.Helper()
	if !b.stub {
		check(tb, seed(db, owned))
	}
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

// reconnect gives sides with pools of their own new connections. A server has a process for each, and which processor that
// has got would else be taken for what the side costs: it stays for as long as a contest.
func (s *site) reconnect() {
	for _, pool := range s.apart {
		pool.SetMaxIdleConns(0)
		pool.SetMaxIdleConns(2) // as it was: database/sql's own
	}
}

// clear removes what statements have inserted.
func (s *site) clear() error {
	return s.exec(fmt.Sprintf("DELETE FROM %s WHERE id > %d", s.table, seeded))
}

// exec runs a statement on each of the tables.
func (s *site) exec(text string) error {
	for _, owner := range s.owners {
		if _, err := owner.ExecContext(context.Background(), text); err != nil {
			return err
		}
	}
	return nil
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
	if s.owner != "" {
		column, value = ", "+s.owner, ", "+s.whose
	}
	const most = 1000 // MariaDB ends a recursion there, without an error (max_recursive_iterations)
	for from := firstDeleted; from < firstDeleted+n; from += most {
		to := min(from+most, firstDeleted+n) - 1
		if err := s.exec(fmt.Sprintf(
			"INSERT INTO %s (id, number, status, cents%s) "+
				"WITH RECURSIVE seq(i) AS (SELECT %d UNION ALL SELECT i + 1 FROM seq WHERE i < %d) "+
				"SELECT i, '1', 'open', 1%s FROM seq",
			s.table, column, from, to, value)); err != nil {
			return err
		}
	}
	return nil
}

func check(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
