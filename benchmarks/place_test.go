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
	home, prefix, own := b.schema(tb)
	tenants, again := own(), own()
	plain := b.gorm(tb, b.dialector(tenants))
	b.seed(tb, plain, false)
	through := b.use(tb, b.dialector(home), tenancy.Config{Models: []any{&Rate{}}, Resolver: tenancy.SchemaPerTenant("", prefix)})
	s := newSite(tb, false, plain, b.gorm(tb, b.dialector(again)), through, tenants)
	s.apart = []*sql.DB{tenants, again, home}
	return s
}

// dialector is for a pool that is open.
func (b backend) dialector(pool *sql.DB) gorm.Dialector {
	if b.name == "mariadb-proof" {
		return mysql.New(mysql.Config{Conn: pool})
	}
	return postgres.New(postgres.Config{Conn: pool, WithoutReturning: b.stub})
}

// schema makes a schema for the tenant, named prefix + tenant. It returns the pool of all tenants, and what opens one whose
// connections have the tenant's schema for their own.
func (b backend) schema(tb testing.TB) (home *sql.DB, prefix string, own func() *sql.DB) {
	tb.Helper()
	switch {
	case b.stub:
		home = newStub(false)
		closeAtEnd(tb, home)
		return home, "tenant_", func() *sql.DB { return home }
	case b.name == "mariadb-proof":
		return mariaDBSchema(tb)
	}
	dsn := testdb.Postgres(tb)
	home = openPool(tb, "pgx", dsn)
	_, err := home.ExecContext(tb.Context(), "CREATE SCHEMA tenant_"+tenant)
	check(tb, err)
	return home, "tenant_", func() *sql.DB { return openPool(tb, "pgx", withSearchPath(tb, dsn, "tenant_"+tenant)) }
}

// mariaDBSchema makes two databases, of which one is the tenant's.
func mariaDBSchema(tb testing.TB) (home *sql.DB, prefix string, own func() *sql.DB) {
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
	return home, prefix, func() *sql.DB { return openPool(tb, "mysql", cfg.FormatDSN()) }
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
