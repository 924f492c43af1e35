package benchmarks

import (
	"context"
	"database/sql"
	"net/url"
	"testing"

	driver "github.com/go-sql-driver/mysql"
	"gorm.io/driver/mysql"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/internal/testdb"
	mysqlproof "github.com/gormtenancy/tenancy/sqlproof/mysql"
	postgresproof "github.com/gormtenancy/tenancy/sqlproof/postgres"
	sqliteproof "github.com/gormtenancy/tenancy/sqlproof/sqlite"
)

// places are the families of tenants that have a place of their own. The other side is plain GORM, opened straight on the
// tenant's database or schema, so that neither has to say whose rows are meant.
func places() []family {
	proof := backend{name: "stub-proof", open: openStub, stub: true, sql: postgresproof.New}
	file := backend{name: "sqlite-proof", open: openSQLite, sql: sqliteproof.New}
	server := backend{name: "postgres-proof", open: openPostgres, sql: postgresproof.New}
	return []family{
		{
			"place/database", "Database per tenant: opened straight, or found by the plugin",
			[]backend{{name: "stub", open: openStub, stub: true}, proof, file, server},
			databaseSite, single(globalStatements()),
		},
		{
			"place/schema", "Schema per tenant: connections of its own, or found by the plugin",
			[]backend{proof, server, {name: "mariadb-proof", sql: mysqlproof.New}},
			schemaSite, single(globalStatements()),
		},
		{
			"place/mixed", "Tenants in rows of several databases: database and tenant by hand, or by the plugin",
			[]backend{proof, file, server},
			mixedSite, single(ownedStatements()),
		},
		{
			"place/rls", "The plugin without row-level security, or with it",
			[]backend{{name: "postgres-notx", open: openPostgres, sql: postgresproof.New, config: gorm.Config{SkipDefaultTransaction: true}}},
			securedSite, securedStatements(),
		},
	}
}

// single leaves out what is about many rows: those cost the same wherever they are.
func single(statements []statement) (few []statement) {
	for _, st := range statements {
		if st.name != "insert100" {
			few = append(few, st)
		}
	}
	return few
}

// databaseSite gives the tenant a database of its own. Its model needs no tenant column there.
func databaseSite(tb testing.TB, b backend) *site {
	tb.Helper()
	return shardSite(tb, b, false, tenancy.Config{
		Models: []any{&Rate{}}, Resolver: tenancy.DatabasePerTenant("tenant_"),
	})
}

// mixedSite has its tenants in rows of this database or that, as a fleet of shards does.
func mixedSite(tb testing.TB, b backend) *site {
	tb.Helper()
	return shardSite(tb, b, true, tenancy.Config{
		Models:   []any{&Invoice{}},
		Resolver: tenancy.List(map[tenancy.ID]tenancy.Placement{tenant: {Shard: "two"}, "globex": {Shard: "two"}, "small": {}}),
	})
}

// shardSite has the tenant in another database than the one that gorm.Open opened. The sides share the pool of that.
func shardSite(tb testing.TB, b backend, owned bool, cfg tenancy.Config) *site {
	tb.Helper()
	home, dialector := b.open(tb, owned)
	pool, _ := b.open(tb, owned)
	closeAtEnd(tb, home, pool)
	plain := b.gorm(tb, dialector(pool))
	b.seed(tb, plain, owned)
	cfg.Open = func(context.Context, string) (tenancy.Shard, error) {
		return tenancy.Shard{Primary: dialector(pool)}, nil
	}
	return newSite(tb, owned, plain, b.gorm(tb, dialector(pool)), b.use(tb, dialector(home), cfg), pool)
}

// schemaSite gives the tenant a schema. A connection has one schema for its own, so the sides have a pool each.
func schemaSite(tb testing.TB, b backend) *site {
	tb.Helper()
	home, own, prefix := b.schema(tb)
	plain := b.gorm(tb, own())
	b.seed(tb, plain, false)
	pool, err := plain.DB()
	check(tb, err)
	through := b.use(tb, home, tenancy.Config{Models: []any{&Rate{}}, Resolver: tenancy.SchemaPerTenant("", prefix)})
	return newSite(tb, false, plain, b.gorm(tb, own()), through, pool)
}

// schema makes a schema for the tenant, named prefix + tenant. It returns a way to the database of all, and one to the
// schema itself, which is one pool however often it is asked for.
func (b backend) schema(tb testing.TB) (home gorm.Dialector, own func() gorm.Dialector, prefix string) {
	tb.Helper()
	var dialector func(*sql.DB) gorm.Dialector
	var shared, of *sql.DB
	switch b.name {
	case "mariadb-proof":
		dialector = func(pool *sql.DB) gorm.Dialector { return mysql.New(mysql.Config{Conn: pool}) }
		shared, of, prefix = openMariaDBSchema(tb)
	case "postgres-proof":
		dialector = func(pool *sql.DB) gorm.Dialector { return postgres.New(postgres.Config{Conn: pool}) }
		dsn := testdb.Postgres(tb)
		shared, of, prefix = openPool(tb, "pgx", dsn), openPool(tb, "pgx", withSearchPath(tb, dsn, "tenant_"+tenant)), "tenant_"
		_, err := shared.ExecContext(tb.Context(), "CREATE SCHEMA tenant_"+tenant)
		check(tb, err)
	default:
		shared, dialector = b.open(tb, false)
		of, prefix = shared, "tenant_"
		closeAtEnd(tb, shared)
	}
	return dialector(shared), func() gorm.Dialector { return dialector(of) }, prefix
}

// openMariaDBSchema makes two databases, of which one is the tenant's.
func openMariaDBSchema(tb testing.TB) (home, own *sql.DB, prefix string) {
	tb.Helper()
	dsn := testdb.MySQL(tb)
	cfg, err := driver.ParseDSN(dsn)
	check(tb, err)
	cfg.ClientFoundRows = true // a row that an UPDATE leaves as it was counts, as elsewhere
	home, prefix = openPool(tb, "mysql", cfg.FormatDSN()), cfg.DBName+"_"
	cfg.DBName = prefix + tenant
	_, err = home.ExecContext(tb.Context(), "CREATE DATABASE "+cfg.DBName)
	check(tb, err)
	tb.Cleanup(func() {
		_, err := home.ExecContext(context.WithoutCancel(tb.Context()), "DROP DATABASE "+cfg.DBName)
		check(tb, err)
	})
	return home, openPool(tb, "mysql", cfg.FormatDSN()), prefix
}

func openPool(tb testing.TB, driver, dsn string) *sql.DB {
	tb.Helper()
	pool, err := sql.Open(driver, dsn)
	check(tb, err)
	closeAtEnd(tb, pool)
	return pool
}

// withSearchPath returns the DSN of connections whose own schema is another.
func withSearchPath(tb testing.TB, dsn, schema string) string {
	tb.Helper()
	u, err := url.Parse(dsn)
	check(tb, err)
	query := u.Query()
	query.Set("search_path", schema)
	u.RawQuery = query.Encode()
	return u.String()
}
