package catalog

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/driver/mysql"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gormtenancy/tenancy/internal/testdb"
	"github.com/gormtenancy/tenancy/sqlite"
)

func TestMain(m *testing.M) { testdb.Main(m) }

// master is an empty database. Each call of dial is another process's way to it.
type master struct {
	name string
	dial func() gorm.Dialector
}

// masterKind is a kind of database that a catalog can be in.
type masterKind struct {
	name string
	dial func(t *testing.T) func() gorm.Dialector
}

// masters are SQLite, PostgreSQL and MariaDB.
func masters() []masterKind {
	return []masterKind{
		{"sqlite", func(t *testing.T) func() gorm.Dialector {
			t.Helper()
			path := filepath.Join(t.TempDir(), "master.db")
			return func() gorm.Dialector { return sqlite.Open(path) }
		}},
		{"postgres", func(t *testing.T) func() gorm.Dialector {
			t.Helper()
			dsn := testdb.Postgres(t)
			return func() gorm.Dialector { return postgres.Open(dsn) }
		}},
		{"mysql", func(t *testing.T) func() gorm.Dialector {
			t.Helper()
			dsn := testdb.MySQL(t)
			return func() gorm.Dialector { return mysql.Open(dsn) }
		}},
	}
}

// fresh returns an empty database of the kind.
func (k masterKind) fresh(t *testing.T) master {
	t.Helper()
	return master{k.name, k.dial(t)}
}

// db opens the master, for one process.
func (m master) db(t *testing.T) *gorm.DB {
	t.Helper()
	db, err := gorm.Open(m.dial(), &gorm.Config{Logger: logger.Discard})
	require.NoError(t, err)
	pool, err := db.DB()
	require.NoError(t, err)
	pool.SetMaxOpenConns(8)
	t.Cleanup(func() { _ = pool.Close() })
	return db
}

// open opens the catalog, as one process does.
func (m master) open(t *testing.T, cfg ...Config) *Catalog {
	t.Helper()
	with := Config{}
	if len(cfg) > 0 {
		with = cfg[0]
	}
	c, err := Open(t.Context(), m.db(t), with)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

// create makes a tenant and returns it as the master has it.
func create(t *testing.T, c *Catalog, n NewTenant) Tenant {
	t.Helper()
	made, err := c.Create(t.Context(), n)
	require.NoError(t, err)
	read, err := c.Read(t.Context(), n.ID)
	require.NoError(t, err)
	require.Equal(t, read, made)
	return made
}

// bring takes a tenant that is creating to a state, by legal changes.
func bring(t *testing.T, c *Catalog, made Tenant, to State) Tenant {
	t.Helper()
	path := map[State][]State{
		Creating: nil, Active: {Active}, Suspended: {Active, Suspended}, Moving: {Active, Moving}, Dropping: {Dropping},
	}[to]
	for _, state := range path {
		var err error
		made, err = c.SetState(t.Context(), made, state, "a test")
		require.NoError(t, err)
	}
	return made
}

// removed makes a tenant, and takes it out again.
func removed(t *testing.T, c *Catalog, n NewTenant) Tenant {
	t.Helper()
	made := create(t, c, n)
	require.NoError(t, c.Remove(t.Context(), made, "a test"))
	return made
}

// collect reads a sequence to its end.
func collect[T any](t *testing.T, seq func(yield func(T, error) bool)) (all []T) {
	t.Helper()
	for v, err := range seq {
		require.NoError(t, err)
		all = append(all, v)
	}
	return all
}

// openSQLite opens a catalog for tests of what no database has a part in.
func openSQLite(t *testing.T, cfg ...Config) *Catalog {
	t.Helper()
	path := filepath.Join(t.TempDir(), "master.db")
	return master{"sqlite", func() gorm.Dialector { return sqlite.Open(path) }}.open(t, cfg...)
}

// openMemory opens an empty database of SQLite's in memory.
func openMemory(t *testing.T) *gorm.DB {
	t.Helper()
	return master{"sqlite", func() gorm.Dialector { return sqlite.Open(":memory:") }}.db(t)
}

// eachMaster runs a test in each of them.
func eachMaster(t *testing.T, do func(t *testing.T, m master)) {
	t.Helper()
	for _, m := range masters() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			do(t, m.fresh(t))
		})
	}
}
