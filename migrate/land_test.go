package migrate_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/driver/mysql"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/catalog"
	"github.com/gormtenancy/tenancy/internal/dsn"
	"github.com/gormtenancy/tenancy/internal/testdb"
	"github.com/gormtenancy/tenancy/migrate"
	"github.com/gormtenancy/tenancy/sqlite"
	"github.com/gormtenancy/tenancy/sqlproof"
	mysqlproof "github.com/gormtenancy/tenancy/sqlproof/mysql"
	postgresproof "github.com/gormtenancy/tenancy/sqlproof/postgres"
	sqliteproof "github.com/gormtenancy/tenancy/sqlproof/sqlite"
)

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		os.Exit(child())
	}
	testdb.Main(m)
}

// engine is a kind of database.
type engine struct {
	name   string
	open   func(dsn string) gorm.Dialector
	proof  func() sqlproof.Analyzer
	fresh  func(t testing.TB) string // the DSN of an empty database
	shapes []catalog.Shape
}

func engines() []engine {
	all := []catalog.Shape{catalog.SharedTables, catalog.OwnSchema, catalog.OwnDatabase}
	return []engine{
		{"sqlite", sqlite.Open, sqliteproof.New, func(t testing.TB) string {
			t.Helper()
			return filepath.Join(t.TempDir(), "home.db")
		}, []catalog.Shape{catalog.SharedTables, catalog.OwnDatabase}},
		{"postgres", postgres.Open, postgresproof.New, func(t testing.TB) string {
			t.Helper()
			return testdb.Postgres(t)
		}, all},
		{"mysql", mysql.Open, mysqlproof.New, func(t testing.TB) string {
			t.Helper()
			return testdb.MySQL(t)
		}, all},
	}
}

func engineOf(name string) engine {
	for _, e := range engines() {
		if e.name == name {
			return e
		}
	}
	panic(name)
}

// eachPlace runs a test on each kind of database, and in each shape that it has.
func eachPlace(t *testing.T, test func(t *testing.T, e engine, shape catalog.Shape)) {
	t.Helper()
	for _, e := range engines() {
		for _, shape := range e.shapes {
			t.Run(e.name+"/"+string(shape), func(t *testing.T) {
				t.Parallel()
				test(t, e, shape)
			})
		}
	}
}

// Order and Note are tenants' tables; the second has no tenant column, and so its place must be one tenant's alone.
type Order struct {
	ID       int64
	TenantID string `gorm:"size:63;index" tenancy:"tenant"`
	Code     string `gorm:"size:20"`
}

// land is an application and its catalog.
type land struct {
	engine

	dsn     string
	prefix  string
	home    *sql.DB
	master  *gorm.DB
	catalog *catalog.Catalog
	plugin  *tenancy.Plugin
	db      *gorm.DB
	drops   []string // statements that remove what outlives the home database
}

// openLand opens what may be there already. Names of schemas and databases begin with the prefix.
func openLand(ctx context.Context, e engine, at, prefix string, cfg catalog.Config) (l *land, err error) {
	l = &land{engine: e, dsn: at, prefix: prefix}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.close())
		}
	}()
	if l.master, err = gorm.Open(e.open(at), &gorm.Config{Logger: logger.Discard}); err != nil {
		return nil, err
	}
	cfg.SchemaPrefix, cfg.DatabasePrefix = prefix, prefix
	cfg.Connect = func(_ context.Context, s catalog.Shard) (tenancy.Shard, error) {
		return tenancy.Shard{Primary: e.open(s.DSN)}, nil
	}
	if l.catalog, err = catalog.Open(ctx, l.master, cfg); err != nil {
		return nil, err
	}
	if l.db, err = gorm.Open(e.open(at), &gorm.Config{Logger: logger.Discard}); err != nil {
		return nil, err
	}
	if l.home, err = l.db.DB(); err != nil {
		return nil, err
	}
	l.plugin = tenancy.New(tenancy.Config{
		Models: []any{&Order{}}, Resolver: l.catalog, Open: l.catalog.OpenShard, SQL: e.proof(),
		Pools: tenancy.PoolLimits{Databases: 20, Connections: 4},
	})
	return l, l.db.Use(l.plugin)
}

func (l *land) close() error {
	var errs []error
	if l.plugin != nil {
		errs = append(errs, l.plugin.Close())
	}
	if l.catalog != nil {
		errs = append(errs, l.catalog.Close())
	}
	if l.master != nil {
		if pool, err := l.master.DB(); err == nil {
			errs = append(errs, pool.Close())
		}
	}
	if l.home != nil {
		errs = append(errs, l.home.Close())
	}
	return errors.Join(errs...)
}

// newPrefix returns one that no other test has, in lower case as PostgreSQL and MySQL like it.
func newPrefix() string { return "m" + strings.ToLower(rand.Text()[:10]) + "_" }

// newLand opens a fresh database, with a shard of the name "" in the catalog.
func newLand(t testing.TB, e engine, configure ...func(*catalog.Config)) *land {
	t.Helper()
	return newLandAt(t, e, e.fresh(t), configure...)
}

func newLandAt(t testing.TB, e engine, at string, configure ...func(*catalog.Config)) *land {
	t.Helper()
	var cfg catalog.Config
	for _, c := range configure {
		c(&cfg)
	}
	l, err := openLand(t.Context(), e, at, newPrefix(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = l.close()
		l.drop(t)
	})
	require.NoError(t, l.catalog.AddShard(t.Context(), catalog.Shard{DSN: at}))
	return l
}

// again opens the same land once more, as another process would.
func (l *land) again(t testing.TB, cfg catalog.Config) *land {
	t.Helper()
	other, err := openLand(t.Context(), l.engine, l.dsn, l.prefix, cfg)
	require.NoError(t, err)
	t.Cleanup(func() { _ = other.close() })
	return other
}

// tenants makes n tenants, t0001 and so on, with their storage.
func (l *land) tenants(t testing.TB, shape catalog.Shape, n int) []catalog.Tenant {
	t.Helper()
	made := make([]catalog.Tenant, n)
	for i := range made {
		made[i] = l.tenant(t, shape, string(tenantID(i)))
	}
	return made
}

func tenantID(i int) tenancy.ID { return tenancy.ID(fmt.Sprintf("t%04d", i+1)) }

func (l *land) tenant(t testing.TB, shape catalog.Shape, id string) catalog.Tenant {
	t.Helper()
	made, err := l.catalog.Create(t.Context(), catalog.NewTenant{ID: tenancy.ID(id), Shape: shape})
	require.NoError(t, err)
	l.store(t, made)
	made, err = l.catalog.Activate(t.Context(), made.ID, "")
	require.NoError(t, err)
	return made
}

// store makes a tenant's schema or database, empty.
func (l *land) store(t testing.TB, made catalog.Tenant) {
	t.Helper()
	switch name := made.Placement.Schema + made.Placement.Shard; {
	case made.Shape == catalog.SharedTables:
	case l.name == "sqlite":
		at, err := dsn.WithDatabase(l.name, l.dsn, name)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(at, nil, 0o600))
	case made.Shape == catalog.OwnSchema && l.name == "postgres":
		l.exec(t, `CREATE SCHEMA "`+name+`"`)
	case l.name == "postgres":
		l.exec(t, `CREATE DATABASE "`+name+`"`)
		l.drops = append(l.drops, `DROP DATABASE "`+name+`" WITH (FORCE)`)
	default:
		l.exec(t, "CREATE DATABASE `"+name+"`")
		l.drops = append(l.drops, "DROP DATABASE `"+name+"`")
	}
}

// drop removes what outlives the home database, when the land has been closed.
func (l *land) drop(t testing.TB) {
	t.Helper()
	if len(l.drops) == 0 {
		return
	}
	db, err := gorm.Open(l.open(l.dsn), &gorm.Config{Logger: logger.Discard})
	if err != nil {
		return // the server is gone
	}
	for _, text := range l.drops {
		_ = db.Exec(text).Error
	}
	pool, err := db.DB()
	require.NoError(t, err)
	_ = pool.Close()
}

// exec runs a statement on the home database, beside the plugin.
func (l *land) exec(t testing.TB, text string) {
	t.Helper()
	_, err := l.home.ExecContext(t.Context(), text)
	require.NoError(t, err, text)
}

// enter returns a connection that looks into a tenant's place, and what ends its use.
func (l *land) enter(t testing.TB, made catalog.Tenant) (c *sql.Conn, leave func()) {
	t.Helper()
	ctx := tenancy.WithPlacement(context.WithoutCancel(t.Context()), made.Placement)
	pool, err := tenancy.DB(l.db.WithContext(ctx))
	require.NoError(t, err)
	c, err = pool.Conn(ctx)
	require.NoError(t, err)
	s := made.Placement.Schema
	if s == "" {
		return c, func() { _ = c.Close() }
	}
	use, back := `SET search_path = "`+s+`"`, "RESET search_path"
	if l.name == "mysql" {
		var own string
		require.NoError(t, c.QueryRowContext(ctx, "SELECT DATABASE()").Scan(&own))
		use, back = "USE `"+s+"`", "USE `"+own+"`"
	}
	_, err = c.ExecContext(ctx, use)
	require.NoError(t, err)
	return c, func() {
		_, err := c.ExecContext(ctx, back)
		require.NoError(t, err)
		_ = c.Close()
	}
}

// execAt runs statements at a tenant's place.
func (l *land) execAt(t testing.TB, made catalog.Tenant, texts ...string) {
	t.Helper()
	c, leave := l.enter(t, made)
	defer leave()
	for _, text := range texts {
		_, err := c.ExecContext(t.Context(), text)
		require.NoError(t, err, text)
	}
}

// countAt counts what a query finds at a tenant's place.
func (l *land) countAt(t testing.TB, made catalog.Tenant, query string) (n int) {
	t.Helper()
	c, leave := l.enter(t, made)
	defer leave()
	require.NoError(t, c.QueryRowContext(t.Context(), query).Scan(&n), query)
	return n
}

// hasTable tells whether there is a table at a tenant's place.
func (l *land) hasTable(t testing.TB, made catalog.Tenant, table string) bool {
	t.Helper()
	return l.countAt(t, made, map[string]string{
		"sqlite":   "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = '" + table + "'",
		"postgres": "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = '" + table + "'",
		"mysql":    "SELECT count(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = '" + table + "'",
	}[l.name]) > 0
}

// runner makes one; configure changes its configuration.
func (l *land) runner(t testing.TB, steps fstest.MapFS, configure ...func(*migrate.Config)) *migrate.Runner {
	t.Helper()
	cfg := migrate.Config{DB: l.db, Catalog: l.catalog, LockTimeout: 30 * time.Second}
	if steps != nil {
		cfg.Steps = steps
	}
	for _, c := range configure {
		c(&cfg)
	}
	r, err := migrate.New(cfg)
	require.NoError(t, err)
	return r
}

// files makes steps of SQL texts, from version 1 on.
func files(texts ...string) fstest.MapFS {
	steps := fstest.MapFS{}
	for i, text := range texts {
		if !strings.Contains(text, "+goose") {
			text = "-- +goose Up\n" + text
		}
		steps[fmt.Sprintf("%05d_step.sql", i+1)] = &fstest.MapFile{Data: []byte(text)}
	}
	return steps
}

// placeOf is what the catalog knows of a tenant's place.
func (l *land) placeOf(t testing.TB, made catalog.Tenant) catalog.Place {
	t.Helper()
	for p, err := range l.catalog.Places(t.Context()) {
		require.NoError(t, err)
		if p.Placement == made.Placement {
			return p
		}
	}
	require.Fail(t, "no such place")
	return catalog.Place{}
}
