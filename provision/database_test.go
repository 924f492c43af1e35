package provision_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/driver/mysql"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/internal/testdb"
	"github.com/gormtenancy/tenancy/provision"
	"github.com/gormtenancy/tenancy/sqlite"
)

// dialect is one whose databases the tests of the primitives make.
type dialect struct {
	name   string
	open   provision.Opener
	beside string // the DSN of a database that is there
}

func onPostgres(t testing.TB) dialect {
	t.Helper()
	return dialect{"postgres", postgres.Open, testdb.Postgres(t)}
}

func onMySQL(t testing.TB) dialect {
	t.Helper()
	return dialect{"mysql", mysql.Open, testdb.MySQL(t)}
}

func onSQLite(t testing.TB) dialect {
	t.Helper()
	return dialect{"sqlite", sqlite.Open, filepath.Join(t.TempDir(), "main.db")}
}

// dialects runs a test with each dialect.
func dialects(t *testing.T, test func(t *testing.T, e dialect)) {
	t.Helper()
	for name, of := range map[string]func(testing.TB) dialect{"postgres": onPostgres, "mysql": onMySQL, "sqlite": onSQLite} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, of(t))
		})
	}
}

// dsn is that of the database of a name, which is dropped after the test.
func (e dialect) dsn(t testing.TB, name string) string {
	t.Helper()
	dsn, err := provision.WithDatabase(e.name, e.beside, name)
	require.NoError(t, err)
	t.Cleanup(func() { _, _ = provision.DropDatabase(context.WithoutCancel(t.Context()), e.open, dsn) })
	return dsn
}

// pool opens the database of dsn.
func (e dialect) pool(t testing.TB, dsn string) *sql.DB {
	t.Helper()
	db := e.gorm(t, dsn)
	pool, err := db.DB()
	require.NoError(t, err)
	return pool
}

func (e dialect) gorm(t testing.TB, dsn string) *gorm.DB {
	t.Helper()
	db, err := gorm.Open(e.open(dsn), &gorm.Config{Logger: logger.Discard})
	require.NoError(t, err)
	pool, err := db.DB()
	require.NoError(t, err)
	t.Cleanup(func() { _ = pool.Close() })
	return db
}

func exec(t testing.TB, pool interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}, texts ...string,
) {
	t.Helper()
	for _, text := range texts {
		_, err := pool.ExecContext(t.Context(), text)
		require.NoError(t, err, text)
	}
}

// fresh is a name that no other test has.
func fresh(like string) string { return like + strings.ToLower(rand.Text()[:8]) }

// within is a context for what must not hang.
func within(t testing.TB, limit time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	return ctx
}

func create(t testing.TB, e dialect, dsn string, opts ...provision.Database) bool {
	t.Helper()
	created, err := provision.CreateDatabase(within(t, time.Minute), e.open, dsn, opts...)
	require.NoError(t, err)
	return created
}

func drop(t testing.TB, e dialect, dsn string, opts ...provision.Database) bool {
	t.Helper()
	dropped, err := provision.DropDatabase(within(t, time.Minute), e.open, dsn, opts...)
	require.NoError(t, err)
	return dropped
}

func exists(t testing.TB, e dialect, dsn string) bool {
	t.Helper()
	there, err := provision.DatabaseExists(t.Context(), e.open, dsn)
	require.NoError(t, err)
	return there
}

func TestDatabases(t *testing.T) {
	t.Parallel()
	dialects(t, func(t *testing.T, e dialect) {
		t.Helper()
		same := fresh("same")
		for _, name := range []string{
			fresh("plain_"), same, strings.ToUpper(same), fresh("Ünï 名 "), fresh(`q"u'o` + "`t%es#_"), fresh(`x"; DROP TABLE a; --`), fresh(".-$"),
			fresh("a+b&c=d@e:f "),
		} {
			dsn := e.dsn(t, name)
			require.False(t, exists(t, e, dsn), name)
			require.True(t, create(t, e, dsn), name)
			require.True(t, exists(t, e, dsn), name)
			require.False(t, create(t, e, dsn), "%s is there already", name)
			pool := e.pool(t, dsn)
			exec(t, pool, "CREATE TABLE a (id int)", "INSERT INTO a VALUES (1)")
			require.NoError(t, pool.Close())
			require.False(t, create(t, e, dsn), name)
			pool = e.pool(t, dsn)
			exec(t, pool, "INSERT INTO a VALUES (2)")
			require.NoError(t, pool.Close())
		}
		for _, name := range []string{same, strings.ToUpper(same)} {
			dsn := e.dsn(t, name)
			require.True(t, drop(t, e, dsn))
			require.False(t, exists(t, e, dsn))
			require.False(t, drop(t, e, dsn), "it is gone")
		}
	})
}

func TestManyCreateOneDatabase(t *testing.T) {
	t.Parallel()
	dialects(t, func(t *testing.T, e dialect) {
		t.Helper()
		var options []provision.Database
		if e.name != "sqlite" {
			options = []provision.Database{{Grants: []provision.Grant{{To: role(t, e)}}}}
		}
		for round := range 3 {
			dsn := e.dsn(t, fresh("one_"))
			var created, dropped atomic.Int32
			eight(func() {
				did, err := provision.CreateDatabase(t.Context(), e.open, dsn, options...)
				if !assert.NoError(t, err) {
					return
				}
				if did {
					created.Add(1)
				}
				db, err := gorm.Open(e.open(dsn), &gorm.Config{Logger: logger.Discard})
				if assert.NoError(t, err, "it can be used when the call returns") {
					pool, err := db.DB()
					assert.NoError(t, err)
					assert.NoError(t, pool.Close())
				}
			})
			require.EqualValues(t, 1, created.Load(), "round %d", round)
			eight(func() {
				did, err := provision.DropDatabase(t.Context(), e.open, dsn, options...)
				assert.NoError(t, err)
				if did {
					dropped.Add(1)
				}
			})
			require.False(t, exists(t, e, dsn))
			if e.name != "sqlite" { // there more than one may have seen the file
				require.EqualValues(t, 1, dropped.Load(), "round %d", round)
			}
		}
	})
}

func eight(do func()) {
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(do)
	}
	wg.Wait()
}

func TestNamesThatAreRefused(t *testing.T) {
	t.Parallel()
	dialects(t, func(t *testing.T, e dialect) {
		t.Helper()
		refused := map[string][]string{
			"postgres": {"postgres", "template0", "template1", strings.Repeat("x", 64), strings.Repeat("ü", 32), "\xff"},
			"mysql":    {"mysql", "SYS", "information_schema", "Performance_Schema", strings.Repeat("ü", 65), "a ", "smile😀", "a\x00"},
		}[e.name]
		for _, name := range refused {
			dsn, err := provision.WithDatabase(e.name, e.beside, name)
			require.NoError(t, err)
			_, err = provision.CreateDatabase(t.Context(), e.open, dsn)
			require.ErrorIs(t, err, provision.ErrInvalidName, name)
			_, err = provision.DropDatabase(t.Context(), e.open, dsn)
			require.ErrorIs(t, err, provision.ErrInvalidName, name)
			_, err = provision.DatabaseExists(t.Context(), e.open, dsn)
			require.ErrorIs(t, err, provision.ErrInvalidName, name)
		}
		longest := map[string]string{"postgres": fresh(strings.Repeat("x", 55)), "mysql": fresh(strings.Repeat("x", 56)), "sqlite": fresh(strings.Repeat("x", 200))}
		dsn := e.dsn(t, longest[e.name])
		require.True(t, create(t, e, dsn))
		require.True(t, exists(t, e, dsn))
		require.True(t, drop(t, e, dsn))
	})
	e := onMySQL(t)
	none, err := provision.WithDatabase("mysql", e.beside, "")
	require.NoError(t, err)
	_, err = provision.DropDatabase(t.Context(), e.open, none)
	require.ErrorIs(t, err, provision.ErrInvalidName, "the DSN names none")
}

func TestOptionsThatADialectLacks(t *testing.T) {
	t.Parallel()
	dialects(t, func(t *testing.T, e dialect) {
		t.Helper()
		dsn := e.dsn(t, fresh("options"))
		wrong := map[string][]provision.Database{
			"postgres": {
				{Owner: strings.Repeat("x", 64)},
				{Grants: []provision.Grant{{To: ""}}},
				{Grants: []provision.Grant{{To: "a", Privileges: []string{"SELECT; DROP"}}}},
			},
			"mysql": {
				{Template: "a"},
				{Owner: "a"},
				{Encoding: "utf8mb4; DROP"},
				{Collation: "a b"},
				{Grants: []provision.Grant{{To: "a", Privileges: []string{"SELECT ON *.* --"}}}},
			},
			"sqlite": {{Template: "a"}, {Owner: "a"}, {Encoding: "UTF8"}, {Collation: "a"}, {Via: "a"}, {Grants: []provision.Grant{{To: "a"}}}},
		}[e.name]
		for _, o := range wrong {
			_, err := provision.CreateDatabase(t.Context(), e.open, dsn, o)
			require.ErrorIs(t, err, tenancy.ErrInvalidConfig, "%+v", o)
			_, err = provision.DropDatabase(t.Context(), e.open, dsn, o)
			require.ErrorIs(t, err, tenancy.ErrInvalidConfig, "%+v", o)
		}
		_, err := provision.CreateDatabase(t.Context(), e.open, dsn, provision.Database{}, provision.Database{})
		require.ErrorIs(t, err, tenancy.ErrInvalidConfig)
		require.False(t, exists(t, e, dsn))
		_, err = provision.CreateDatabase(t.Context(), nil, dsn)
		require.ErrorIs(t, err, tenancy.ErrInvalidConfig)
		_, err = provision.CreateDatabase(t.Context(), func(string) gorm.Dialector { return nil }, dsn)
		require.ErrorIs(t, err, tenancy.ErrInvalidConfig)
	})
	e := onPostgres(t)
	_, err := provision.CreateDatabase(t.Context(), func(dsn string) gorm.Dialector {
		if strings.Contains(dsn, "via") {
			return sqlite.Open(dsn)
		}
		return e.open(dsn)
	}, e.beside, provision.Database{Via: "via"})
	require.ErrorIs(t, err, tenancy.ErrInvalidConfig)
	_, err = provision.DropDatabase(t.Context(), e.open, e.beside, provision.Database{Via: e.beside})
	require.ErrorIs(t, err, tenancy.ErrInvalidConfig, "it cannot be dropped from within")
}

func TestErrorsShowNoDSN(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		open provision.Opener
		dsn  string
	}{
		{postgres.Open, "postgres://SECRETUSER:SECRET@127.0.0.1:1/SECRETDB?sslmode=disable"},
		{postgres.Open, "postgres://SECRETUSER:SECRET@127.0.0.1:SECRET/SECRETDB"},
		{postgres.Open, "postgres://SECRETUSER:SECRET@127.0.0.1:1/SECRETDB?sslmode=SECRET"},
		{postgres.Open, "host=127.0.0.1 port=1 password=SECRET dbname=SECRETDB sslmode=SECRET"},
		{postgres.Open, "host=127.0.0.1 port=1 password='SECRET"},
		{mysql.Open, "SECRETUSER:SECRET@tcp(127.0.0.1:1)/SECRETDB"},
		{mysql.Open, "SECRETUSER:SECRET@tcp(127.0.0.1:1)/SECRETDB?parseTime=SECRET"},
		{mysql.Open, "SECRETUSER:SECRET@tcp(127.0.0.1:1"},
		{sqlite.Open, "/SECRET/SECRET.db"},
		{sqlite.Open, ":memory:"},
		{sqlite.Open, ""},
		{sqlite.Open, "file:SECRET.db"},
	} {
		ctx := within(t, time.Minute)
		_, err := provision.CreateDatabase(ctx, c.open, c.dsn)
		require.Error(t, err, c.dsn)
		assert.NotContains(t, err.Error(), "SECRET")
		_, err = provision.DropDatabase(ctx, c.open, c.dsn)
		if err != nil { // on SQLite there is nothing to drop
			assert.NotContains(t, err.Error(), "SECRET")
		}
		_, err = provision.DatabaseExists(ctx, c.open, c.dsn)
		if err != nil {
			assert.NotContains(t, err.Error(), "SECRET")
		}
	}
	_, err := provision.CreateDatabase(t.Context(), postgres.Open, "postgres://u:p@127.0.0.1:1/a?sslmode=SECRET")
	require.ErrorIs(t, err, provision.ErrInvalidDSN)
	_, err = provision.CreateDatabase(t.Context(), sqlite.Open, filepath.Join(t.TempDir(), "none", "a.db"))
	require.ErrorContains(t, err, "its folder is not there")
}
