package dsn_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/internal/dsn"
)

func TestPostgres(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct{ was, is string }{
		"postgres://u:p@db.test:5433/orders?sslmode=disable":          {"orders", "postgres://u:p@db.test:5433/new?sslmode=disable"},
		"postgresql://db.test":                                        {"", "postgresql://db.test/new"},
		"postgres://":                                                 {"", "postgres:///new"},
		"postgres://db.test?sslmode=require":                          {"", "postgres://db.test/new?sslmode=require"},
		"postgres://a:1,b:2,[::1]:3/orders":                           {"orders", "postgres://a:1,b:2,[::1]:3/new"},
		"postgres:///orders?host=/run/postgresql&user=u":              {"orders", "postgres:///new?host=/run/postgresql&user=u"},
		"postgres://%2Frun%2Fpostgresql/orders":                       {"orders", "postgres://%2Frun%2Fpostgresql/new"},
		"postgres://u:p?w@db.test/my%20orders%3F":                     {"my orders?", "postgres://u:p?w@db.test/new"},
		"postgres://db.test/a?dbname=b&database=c&application_name=x": {"c", "postgres://db.test/new?application_name=x"},
		"postgres://db.test/a?%64bname=b":                             {"b", "postgres://db.test/new"},
		"host=db.test dbname=orders user=u":                           {"orders", "dbname='new' host=db.test user=u"},
		`host=a dbname='my '' \'orders' user=u`:                       {"", ""},
		`host=a dbname='my \'orders\\' user = u`:                      {`my 'orders\`, `dbname='new' host=a user = u`},
		"host=a,b port=1,2 dbname = one database=two":                 {"two", "dbname='new' host=a,b port=1,2 "},
		"host=/run/postgresql":                                        {"", "dbname='new' host=/run/postgresql"},
		`user=a\ b password=c\`:                                       {"", `dbname='new' user=a\ b password=c\`},
		"":                                                            {"", "dbname='new'"},
	} {
		if want.is == "" {
			_, err := dsn.WithDatabase("postgres", text, "new")
			require.ErrorIs(t, err, dsn.ErrInvalid, text)
			continue
		}
		name, err := dsn.Database("postgres", text)
		require.NoError(t, err, text)
		assert.Equal(t, want.was, name, text)
		is, err := dsn.WithDatabase("postgres", text, "new")
		require.NoError(t, err, text)
		assert.Equal(t, want.is, is)
	}
}

func TestMySQL(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct{ was, is string }{
		"u:p@tcp(db.test:3306)/orders?parseTime=true": {"orders", "u:p@tcp(db.test:3306)/new?parseTime=true"},
		"u:p/w@x@unix(/run/mysqld.sock)/a%2Fb":        {"a/b", "u:p/w@x@unix(/run/mysqld.sock)/new"},
		"/":                                           {"", "/new"},
		"":                                            {"", "/new"},
		"tcp/orders?loc=Europe%2FBerlin":              {"orders", "tcp/new?loc=Europe%2FBerlin"},
	} {
		name, err := dsn.Database("mysql", text)
		require.NoError(t, err, text)
		assert.Equal(t, want.was, name, text)
		is, err := dsn.WithDatabase("mysql", text, "new")
		require.NoError(t, err, text)
		assert.Equal(t, want.is, is)
	}
	is, err := dsn.WithDatabase("mysql", "u@tcp(h)/orders?parseTime=true", "")
	require.NoError(t, err)
	assert.Equal(t, "u@tcp(h)/?parseTime=true", is, "no database is chosen")
}

func TestSQLite(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct{ was, is, file string }{
		"main.db":                            {"main", "new 1.db", "new 1.db"},
		"/data/main.sqlite3":                 {"main", "/data/new 1.sqlite3", "/data/new 1.sqlite3"},
		"?x":                                 {"?x", "new 1.db", "new 1.db"},
		"/data.d/main":                       {"main", "/data.d/new 1.db", "/data.d/new 1.db"},
		"/data/.main":                        {".main", "/data/new 1.db", "/data/new 1.db"},
		"/data/main.v2.db?_txlock=immediate": {"main.v2", "/data/new 1.db?_txlock=immediate", "/data/new 1.db"},
		"file:main.db?cache=private":         {"main", "file:new%201.db?cache=private", "new 1.db"},
		"file:/data/ma%20in.db#x":            {"ma in", "file:/data/new%201.db#x", "/data/new 1.db"},
		"file:///data%2Fmain.db":             {"main", "file:///data/new%201.db", "/data/new 1.db"},
		"file://localhost/data/main?x=/":     {"main", "file://localhost/data/new%201.db?x=/", "/data/new 1.db"},
	} {
		name, err := dsn.Database("sqlite", text)
		require.NoError(t, err, text)
		assert.Equal(t, want.was, name, text)
		is, err := dsn.WithDatabase("sqlite", text, "new 1")
		require.NoError(t, err, text)
		assert.Equal(t, want.is, is)
		path, memory := dsn.SQLiteFile(is)
		assert.Equal(t, filepath.FromSlash(want.file), path)
		assert.False(t, memory)
	}
}

// What cannot be read is refused, and no error shows a part of the DSN.
func TestErrorsShowNoDSN(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ dialect, text string }{
		{"postgres", "postgres://u:SECRET@db.test/a?SECRET"},
		{"postgres", "postgres://u:SECRET@db.test/a?x=1=SECRET"},
		{"postgres", "postgres://u:SECRET@db.test/a?SECRET%zz=1"},
		{"postgres", "password='SECRET"},
		{"postgres", "password=x SECRET"},
		{"postgres", "SECRET"},
		{"postgres", "pass SECRET=x"},
		{"postgres", "password=SECRET\x00"},
		{"mysql", "u:SECRET@tcp(db.test:3306)"},
		{"mysql", "u:SECRET@tcp(db.test:3306)/orders?loc=Europe/SECRET"},
		{"mysql", "u:SECRET@tcp(db.test:3306)/SECRET%zz"},
		{"sqlite", ":memory:"},
		{"sqlite", ""},
		{"sqlite", "file::memory:?SECRET"},
		{"sqlite", "file:SECRET?mode=memory"},
		{"sqlite", "file:/SECRET?vfs=memdb"},
		{"sqlite", "/SECRET/"},
		{"sqlite", "file:/SECRET%zz"},
		{"oracle", "u/SECRET@db.test"},
	} {
		is, err := dsn.WithDatabase(c.dialect, c.text, "new")
		require.ErrorIs(t, err, dsn.ErrInvalid, c.text)
		assert.Empty(t, is)
		assert.NotContains(t, err.Error(), "SECRET")
		if c.text == "password=SECRET\x00" {
			continue // Database has no need to look there
		}
		if !strings.Contains(c.text, "?SECRET") && !strings.Contains(c.text, "x=1") {
			_, err = dsn.Database(c.dialect, c.text)
			require.ErrorIs(t, err, dsn.ErrInvalid, c.text)
			assert.NotContains(t, err.Error(), "SECRET")
		}
	}
	for _, name := range []string{"../a", `a\b`, "a\x00", ""} {
		_, err := dsn.WithDatabase("sqlite", "main.db", name)
		require.ErrorIs(t, err, dsn.ErrInvalid, name)
	}
	_, err := dsn.WithDatabase("sqlite", "main.db", "a?b")
	require.ErrorContains(t, err, "URI")
}

// FuzzWithDatabase holds that a DSN with another database differs in nothing else, as its driver reads it.
func FuzzWithDatabase(f *testing.F) {
	for _, text := range []string{
		"postgres://u:p@a:1,b:2/orders?sslmode=disable&dbname=x", "postgres://u:p?w@h", "postgres:///d?host=/run", "postgres://",
		`host=a dbname='my \'o' password=a\`, "host= dbname=x", "host='a'dbname=b user=c", "", "sslmode=disable host=a,b port=1,2",
		"u:p@tcp(db.test:3306)/orders?parseTime=true", "u:p/w@x@unix(/run/m.sock)/a%2Fb?loc=UTC", "/", "a/b/c", "tcp/orders?tls=true",
		"main.db", "/data/main.sqlite3?x=y", "file:/data/a%20b.db?cache=private#x", "file://localhost/data/main",
	} {
		for _, name := range []string{"new", `q'"\ ?#&%/=`, "Ünï", " a ", ".."} {
			f.Add(text, name)
		}
	}
	f.Fuzz(func(t *testing.T, text, name string) {
		if is, err := dsn.WithDatabase("postgres", text, name); err == nil {
			samePostgres(t, text, is, name)
		}
		if is, err := dsn.WithDatabase("mysql", text, name); err == nil {
			sameMySQL(t, text, is, name)
		}
		if is, err := dsn.WithDatabase("sqlite", text, name); err == nil {
			sameFolder(t, text, is, name)
		}
	})
}

func samePostgres(t *testing.T, text, is, name string) {
	t.Helper()
	was, err := pgx.ParseConfig(text)
	if err != nil {
		return
	}
	now, err := pgx.ParseConfig(is)
	require.NoError(t, err, "%q", is)
	require.Equal(t, name, now.Database, "%q", is)
	read, err := dsn.Database("postgres", text)
	require.NoError(t, err)
	if read != "" {
		require.Equal(t, was.Database, read, "%q", text)
	}
	read, err = dsn.Database("postgres", is)
	require.NoError(t, err)
	require.Equal(t, name, read, "%q", is)
	type rest struct {
		host, user, password string
		port                 uint16
		parameters           map[string]string
		fallbacks            int
		mode                 pgx.QueryExecMode
		secure               bool
	}
	restOf := func(c *pgx.ConnConfig) rest {
		return rest{c.Host, c.User, c.Password, c.Port, c.RuntimeParams, len(c.Fallbacks), c.DefaultQueryExecMode, c.TLSConfig != nil}
	}
	require.Equal(t, restOf(was), restOf(now), "%q", is)
	for i := range was.Fallbacks {
		require.Equal(t, was.Fallbacks[i].Host, now.Fallbacks[i].Host)
		require.Equal(t, was.Fallbacks[i].Port, now.Fallbacks[i].Port)
	}
}

func sameMySQL(t *testing.T, text, is, name string) {
	t.Helper()
	if strings.Contains(text, "strict") {
		return // the driver panics
	}
	was, err := mysql.ParseDSN(text)
	if err != nil {
		return
	}
	now, err := mysql.ParseDSN(is)
	require.NoError(t, err, "%q", is)
	require.Equal(t, name, now.DBName, "%q", is)
	read, err := dsn.Database("mysql", text)
	require.NoError(t, err)
	require.Equal(t, was.DBName, read, "%q", text)
	was.DBName = name
	require.Equal(t, was.FormatDSN(), now.FormatDSN(), "%q", is)
}

func sameFolder(t *testing.T, text, is, name string) {
	t.Helper()
	read, err := dsn.Database("sqlite", is)
	require.NoError(t, err, "%q", is)
	require.Equal(t, name, read, "%q", is)
	was, _ := dsn.SQLiteFile(text)
	now, memory := dsn.SQLiteFile(is)
	require.False(t, memory, "%q", is)
	if was == "" { // a file system of the program's own
		require.Empty(t, now, "%q", is)
		return
	}
	cut := func(path string) string { return path[:strings.LastIndexByte(path, '/')+1] }
	require.Equal(t, cut(was), cut(now), "%q", is)
	require.True(t, strings.HasPrefix(now[len(cut(now)):], name+"."), "%q", is)
}
