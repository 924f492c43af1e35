package provision_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/driver/mysql"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/catalog"
	"github.com/gormtenancy/tenancy/internal/testdb"
	"github.com/gormtenancy/tenancy/provision"
	"github.com/gormtenancy/tenancy/sqlite"
	"github.com/gormtenancy/tenancy/sqlproof"
	mysqlproof "github.com/gormtenancy/tenancy/sqlproof/mysql"
	postgresproof "github.com/gormtenancy/tenancy/sqlproof/postgres"
	sqliteproof "github.com/gormtenancy/tenancy/sqlproof/sqlite"
)

// kind is a kind of database, and the shapes that tenants can have on it.
type kind struct {
	name   string
	shapes []catalog.Shape
	open   provision.Opener
	proof  func() sqlproof.Analyzer
	fresh  func(t testing.TB) string // the DSN of an empty database
}

var kinds = []kind{
	{"sqlite", []catalog.Shape{catalog.SharedTables, catalog.OwnDatabase}, sqlite.Open, sqliteproof.New, func(t testing.TB) string {
		t.Helper()
		return filepath.Join(t.TempDir(), "home.db")
	}},
	{"postgres", []catalog.Shape{catalog.SharedTables, catalog.OwnSchema, catalog.OwnDatabase}, postgres.Open, postgresproof.New, testdb.Postgres},
	{"mysql", []catalog.Shape{catalog.SharedTables, catalog.OwnSchema, catalog.OwnDatabase}, mysql.Open, mysqlproof.New, testdb.MySQL},
}

// each runs a test for each shape on each kind of database.
func each(t *testing.T, test func(t *testing.T, e kind, shape catalog.Shape)) {
	t.Helper()
	for _, e := range kinds {
		for _, shape := range e.shapes {
			t.Run(e.name+"/"+string(shape), func(t *testing.T) {
				t.Parallel()
				test(t, e, shape)
			})
		}
	}
}

// site is where an application's databases are. It can be opened by several processes.
type site struct {
	kind
	master, home string // DSNs
	prefix       string // of the names of tenants' databases and schemas, for the server is shared
	maxStale     time.Duration
}

func newSite(t testing.TB, e kind) site {
	t.Helper()
	s := site{kind: e, master: e.fresh(t), home: e.fresh(t), prefix: "p" + strings.ToLower(rand.Text()[:8]) + "_", maxStale: 100 * time.Millisecond}
	t.Cleanup(func() { s.sweep(t) })
	return s
}

// sweep drops what a test has left on the shared server.
func (s site) sweep(t testing.TB) {
	t.Helper()
	for _, name := range s.databases(t) {
		if s.name != "sqlite" {
			s.exec(t, "DROP DATABASE "+name)
		}
	}
}

// exec runs statements in the home database, past all else.
func (s site) exec(t testing.TB, statements ...string) {
	t.Helper()
	s.with(t, func(db *sql.DB) {
		for _, text := range statements {
			_, err := db.Exec(text)
			require.NoError(t, err, text)
		}
	})
}

// with calls do with a pool of the home database.
func (s site) with(t testing.TB, do func(db *sql.DB)) {
	t.Helper()
	db, err := gorm.Open(s.open(s.home), &gorm.Config{Logger: logger.Discard})
	require.NoError(t, err)
	pool, err := db.DB()
	require.NoError(t, err)
	defer func() { require.NoError(t, pool.Close()) }()
	do(pool)
}

// strings reads the only column of a query in the home database.
func (s site) strings(t testing.TB, query string) (all []string) {
	t.Helper()
	s.with(t, func(db *sql.DB) {
		rows, err := db.Query(query)
		require.NoError(t, err)
		defer func() { require.NoError(t, rows.Close()) }()
		for rows.Next() {
			var one string
			require.NoError(t, rows.Scan(&one))
			all = append(all, one)
		}
		require.NoError(t, rows.Err())
	})
	return all
}

// databases lists the databases of tenants, on MySQL with their schemas.
func (s site) databases(t testing.TB) []string {
	t.Helper()
	switch s.name {
	case "postgres":
		return s.strings(t, "SELECT datname FROM pg_database WHERE datname LIKE '"+s.prefix+"%' ORDER BY 1")
	case "mysql":
		return s.strings(t, "SELECT schema_name FROM information_schema.schemata WHERE schema_name LIKE '"+s.prefix+"%' ORDER BY 1")
	default:
		files, err := filepath.Glob(filepath.Join(filepath.Dir(s.home), s.prefix+"*"))
		require.NoError(t, err)
		return slices.DeleteFunc(files, func(name string) bool { // those beside a file that is there are a part of it
			base, extension, _ := strings.Cut(name, ".db-")
			return extension != "" && slices.Contains(files, base+".db")
		})
	}
}

// storages lists all databases and schemas of tenants.
func (s site) storages(t testing.TB) []string {
	t.Helper()
	all := s.databases(t)
	if s.name == "postgres" {
		all = append(all, s.strings(t, "SELECT nspname FROM pg_namespace WHERE nspname LIKE '"+s.prefix+"%' ORDER BY 1")...)
	}
	return all
}

// rows counts the rows of each shared table, or if of a tenant is given those of the tenant in tables with a tenant column.
func (s site) rows(t testing.TB) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	s.with(t, func(db *sql.DB) {
		for _, table := range []string{"accounts", "projects", "labels", "project_labels", "teams", "members", "notes"} {
			rows, err := db.Query("SELECT * FROM " + table + " ORDER BY 1, 2")
			if err != nil {
				continue // it is not there yet
			}
			columns, err := rows.Columns()
			require.NoError(t, err)
			for rows.Next() {
				values, raw := make([]any, len(columns)), make([]sql.RawBytes, len(columns))
				for i := range values {
					values[i] = &raw[i]
				}
				require.NoError(t, rows.Scan(values...))
				var line []string
				for i := range values {
					line = append(line, string(raw[i]))
				}
				all[table] = append(all[table], strings.Join(line, "|"))
			}
			require.NoError(t, rows.Err())
			require.NoError(t, rows.Close())
		}
	})
	return all
}

// world is a site that is open.
type world struct {
	site
	t       testing.TB
	shape   catalog.Shape
	catalog *catalog.Catalog
	db      *gorm.DB
	plugin  *tenancy.Plugin
	steps   *stepLog
	cfg     provision.Config
	*provision.Provisioner
}

// open opens a site as one process does.
func (s site) openWorld(t testing.TB, shape catalog.Shape, change ...func(*provision.Config, *tenancy.Config)) *world {
	t.Helper()
	w := &world{site: s, t: t, shape: shape, steps: &stepLog{}}
	quiet := func() *gorm.Config { return &gorm.Config{Logger: logger.Discard} }
	master, err := gorm.Open(s.kind.open(s.master), quiet())
	require.NoError(t, err)
	masterPool, err := master.DB()
	require.NoError(t, err)
	w.catalog, err = catalog.Open(t.Context(), master, catalog.Config{
		SchemaPrefix: s.prefix, DatabasePrefix: s.prefix, MaxStale: s.maxStale,
		Connect: func(_ context.Context, sh catalog.Shard) (tenancy.Shard, error) {
			return tenancy.Shard{Primary: s.kind.open(sh.DSN)}, nil
		},
	})
	require.NoError(t, err)
	if _, err := w.catalog.Shard(t.Context(), ""); err != nil {
		require.NoError(t, w.catalog.AddShard(t.Context(), catalog.Shard{DSN: s.home}))
	}
	w.db, err = gorm.Open(s.kind.open(s.home), quiet())
	require.NoError(t, err)
	base, err := w.db.DB()
	require.NoError(t, err)
	tcfg := tenancy.Config{
		Models: models(), Reference: []any{&Currency{}}, Resolver: w.catalog, Open: w.catalog.OpenShard, SQL: s.proof(),
	}
	w.cfg = provision.Config{Catalog: w.catalog, Opener: s.kind.open, Models: models(), Reference: []any{&Currency{}}, Observer: w.steps}
	for _, c := range change {
		c(&w.cfg, &tcfg)
	}
	w.plugin = tenancy.New(tcfg)
	require.NoError(t, w.db.Use(w.plugin))
	w.cfg.DB = w.db
	w.Provisioner, err = provision.New(w.cfg)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, w.plugin.Close())
		require.NoError(t, w.catalog.Close())
		require.NoError(t, base.Close())
		require.NoError(t, masterPool.Close())
	})
	if !w.db.Migrator().HasTable(&Currency{}) {
		require.NoError(t, w.db.AutoMigrate(&Currency{}))
		s.exec(t, "INSERT INTO currencies (code, name) VALUES ('EUR', 'Euro'), ('JPY', 'Yen')")
	}
	return w
}

func newWorld(t testing.TB, e kind, shape catalog.Shape, change ...func(*provision.Config, *tenancy.Config)) *world {
	t.Helper()
	return newSite(t, e).openWorld(t, shape, change...)
}

func (w *world) as(id tenancy.ID) *gorm.DB {
	return w.db.WithContext(tenancy.WithTenant(context.Background(), id))
}

// create makes a tenant of the world's shape.
func (w *world) create(ctx context.Context, id tenancy.ID) (catalog.Tenant, error) {
	return w.Create(ctx, catalog.NewTenant{ID: id, Shape: w.shape})
}

// counts counts a tenant's rows with GORM.
func (w *world) counts(id tenancy.ID) map[string]int64 {
	w.t.Helper()
	all := map[string]int64{}
	for table := range filled() {
		var n int64
		require.NoError(w.t, w.as(id).Table(table).Count(&n).Error, table)
		all[table] = n
	}
	return all
}

// gone makes sure that nothing is left of a tenant.
func (w *world) gone(id tenancy.ID) {
	w.t.Helper()
	_, err := w.catalog.Read(context.Background(), id)
	require.ErrorIs(w.t, err, tenancy.ErrTenantNotFound)
	for _, name := range w.storages(w.t) {
		require.NotContains(w.t, name, w.prefix+string(id))
	}
	for table, rows := range w.rows(w.t) {
		for _, row := range rows {
			require.False(w.t, contains(row, string(id)), table)
		}
	}
	require.ErrorIs(w.t, w.as(id).Find(&[]Label{}).Error, tenancy.ErrTenantNotFound)
}

// stepLog is an observer that remembers, and does what a test wants.
type stepLog struct {
	mu    sync.Mutex
	seen  []provision.Step
	after func(e provision.StepEvent)
}

func (l *stepLog) ProvisionStep(_ context.Context, e provision.StepEvent) {
	l.mu.Lock()
	l.seen = append(l.seen, e.Step)
	after := l.after
	l.mu.Unlock()
	if after != nil {
		after(e)
	}
}

func (l *stepLog) take() []provision.Step {
	l.mu.Lock()
	defer l.mu.Unlock()
	seen := slices.Clone(l.seen)
	l.seen = nil
	return seen
}

func contains(row, id string) bool { return strings.Contains("|"+row+"|", "|"+id+"|") }

// openMaster is the master database, past the catalog.
func (s site) openMaster(t testing.TB) *gorm.DB {
	t.Helper()
	db, err := gorm.Open(s.kind.open(s.master), &gorm.Config{Logger: logger.Discard})
	require.NoError(t, err)
	t.Cleanup(func() {
		pool, err := db.DB()
		require.NoError(t, err)
		_ = pool.Close()
	})
	return db
}

func containsText(text, part string) bool { return strings.Contains(text, part) }
