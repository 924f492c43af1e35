package provision_test

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	mysqldriver "github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
	"gorm.io/driver/mysql"
	"gorm.io/driver/postgres"

	"github.com/gormtenancy/tenancy/internal/testdb"
	"github.com/gormtenancy/tenancy/provision"
)

// role makes a role that can log in, and may do nothing.
func role(t testing.TB, e dialect) string {
	t.Helper()
	name := fresh("role_")
	pool := e.pool(t, e.beside)
	if e.name == "mysql" {
		exec(t, pool, "CREATE USER "+name)
		t.Cleanup(func() { _, _ = e.pool(t, e.beside).ExecContext(context.WithoutCancel(t.Context()), "DROP USER "+name) })
		return name
	}
	exec(t, pool, "CREATE ROLE "+name+" LOGIN")
	return name
}

// as is dsn with another role.
func (e dialect) as(t testing.TB, dsn, role string) string {
	t.Helper()
	if e.name == "mysql" {
		cfg, err := mysqldriver.ParseDSN(dsn)
		require.NoError(t, err)
		cfg.User, cfg.Passwd = role, ""
		return cfg.FormatDSN()
	}
	return regexp.MustCompile(`//.*@`).ReplaceAllString(dsn, "//"+role+"@")
}

func TestOwnerEncodingCollation(t *testing.T) {
	t.Parallel()
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		e := onPostgres(t)
		owner, template := role(t, e), fresh("template_")
		from := e.dsn(t, template)
		require.True(t, create(t, e, from))
		pool := e.pool(t, from)
		exec(t, pool, "CREATE TABLE a (id int)")
		require.NoError(t, pool.Close())

		dsn := e.dsn(t, fresh("copy_"))
		require.True(t, create(t, e, dsn, provision.Database{Template: template, Owner: owner}))
		pool = e.pool(t, dsn)
		exec(t, pool, "INSERT INTO a VALUES (1)")
		var is string
		require.NoError(t, pool.QueryRowContext(t.Context(), "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()").Scan(&is))
		require.Equal(t, owner, is)
		require.NoError(t, pool.Close())
		require.True(t, drop(t, e, dsn))

		dsn = e.dsn(t, fresh("latin_"))
		require.True(t, create(t, e, dsn, provision.Database{Encoding: "LATIN1", Collation: "C"}))
		var collation string
		require.NoError(t, e.pool(t, dsn).QueryRowContext(t.Context(), "SELECT pg_encoding_to_char(encoding), datcollate FROM pg_database WHERE datname = current_database()").Scan(&is, &collation))
		require.Equal(t, "LATIN1", is)
		require.Equal(t, "C", collation)

		_, err := provision.CreateDatabase(t.Context(), e.open, e.dsn(t, fresh("x")), provision.Database{Encoding: "UTF8' CONNECTION LIMIT 7 --"})
		require.ErrorContains(t, err, "SQLSTATE", "it is no encoding")
	})
	t.Run("mysql", func(t *testing.T) {
		t.Parallel()
		server := testdb.StartMariaDB(t, "character-set-server=latin1")
		e := dialect{"mysql", mysql.Open, server.Database(t)}
		for want, o := range map[string]provision.Database{
			"utf8mb4":             {},
			"latin1 latin1_bin":   {Encoding: "latin1", Collation: "latin1_bin"},
			"utf8mb4 utf8mb4_bin": {Collation: "utf8mb4_bin"},
		} {
			dsn := e.dsn(t, fresh("characters_"))
			require.True(t, create(t, e, dsn, o))
			var encoding, collation string
			require.NoError(t, e.pool(t, dsn).QueryRowContext(t.Context(), "SELECT @@character_set_database, @@collation_database").Scan(&encoding, &collation))
			require.Contains(t, encoding+" "+collation, want)
		}
	})
}

// TestGrants holds that a role may use the tables of a database or a schema that are made later, and nothing else.
func TestGrants(t *testing.T) {
	t.Parallel()
	for name, of := range map[string]func(testing.TB) dialect{"postgres": onPostgres, "mysql": onMySQL} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := of(t)
			app, reader := role(t, e), role(t, e)
			grants := []provision.Grant{{To: app}, {To: reader, Privileges: []string{"select"}}}
			name := fresh("grants_")
			dsn := e.dsn(t, name)
			require.True(t, create(t, e, dsn, provision.Database{Grants: grants}))
			pool := e.pool(t, dsn)
			exec(t, pool, map[string]string{"postgres": "CREATE TABLE a (id bigserial, n int)", "mysql": "CREATE TABLE a (id bigint AUTO_INCREMENT PRIMARY KEY, n int)"}[e.name])
			mine, theirs := e.pool(t, e.as(t, dsn, app)), e.pool(t, e.as(t, dsn, reader))
			exec(t, mine, "INSERT INTO a (n) VALUES (1)", "UPDATE a SET n = 2", "DELETE FROM a", "SELECT * FROM a")
			_, err := mine.ExecContext(t.Context(), "DROP TABLE a")
			require.Error(t, err)
			exec(t, theirs, "SELECT * FROM a")
			_, err = theirs.ExecContext(t.Context(), "INSERT INTO a (n) VALUES (1)")
			require.Error(t, err)

			// A schema has its own.
			db := e.gorm(t, dsn)
			schema := fresh("gra_ts_")
			created, err := provision.CreateSchema(t.Context(), db, schema, provision.Schema{Grants: grants[:1]})
			require.NoError(t, err)
			require.True(t, created)
			exec(t, pool, "CREATE TABLE "+schema+".b (id int)")
			exec(t, mine, "INSERT INTO "+schema+".b VALUES (1)")
			_, err = theirs.ExecContext(t.Context(), "SELECT * FROM "+schema+".b")
			require.Error(t, err)
			if e.name == "mysql" {
				onlyItsName(t, e, mine, schema)
				_, err = provision.DropSchema(t.Context(), db, schema, provision.Schema{Grants: grants[:1]})
				require.NoError(t, err)
				exec(t, pool, "CREATE DATABASE "+schema, "CREATE TABLE "+schema+".b (id int)")
				_, err = mine.ExecContext(t.Context(), "SELECT * FROM "+schema+".b")
				require.Error(t, err, "the next of the name is not theirs")
			}
			_, err = provision.DropSchema(t.Context(), db, schema)
			require.NoError(t, err)
		})
	}
}

// onlyItsName holds that an underscore in the name is one: MySQL takes it for any letter.
func onlyItsName(t *testing.T, e dialect, mine *sql.DB, schema string) {
	t.Helper()
	like := regexp.MustCompile("_").ReplaceAllString(schema, "x")
	db := e.gorm(t, e.beside)
	_, err := provision.CreateSchema(t.Context(), db, like)
	require.NoError(t, err)
	exec(t, e.pool(t, e.beside), "CREATE TABLE "+like+".b (id int)")
	_, err = mine.ExecContext(t.Context(), "SELECT * FROM "+like+".b")
	require.Error(t, err)
	_, err = provision.DropSchema(t.Context(), db, like)
	require.NoError(t, err)
}

// TestGrantsReachTheOwnersTables holds that a role may use what the owner makes, who is not the one that made the database.
func TestGrantsReachTheOwnersTables(t *testing.T) {
	t.Parallel()
	e := onPostgres(t)
	owner, app := role(t, e), role(t, e)
	dsn := e.dsn(t, fresh("owned_"))
	require.True(t, create(t, e, dsn, provision.Database{Owner: owner, Grants: []provision.Grant{{To: app}}}))
	created, err := provision.CreateSchema(t.Context(), e.gorm(t, dsn), "own", provision.Schema{Owner: owner, Grants: []provision.Grant{{To: app}}})
	require.NoError(t, err)
	require.True(t, created)
	exec(t, e.pool(t, e.as(t, dsn, owner)), "CREATE TABLE own.a (id serial, n int)")
	exec(t, e.pool(t, dsn), "CREATE TABLE a (id serial, n int)", "CREATE TABLE own.b (id int)")
	exec(t, e.pool(t, e.as(t, dsn, app)), "INSERT INTO own.a (n) VALUES (1)", "INSERT INTO a (n) VALUES (1)", "INSERT INTO own.b VALUES (1)")
}

// TestGrantsAreMadeAgain is about a process that was killed when the database was there and the grants were not.
func TestGrantsAreMadeAgain(t *testing.T) {
	t.Parallel()
	e := onPostgres(t)
	app := role(t, e)
	dsn := e.dsn(t, fresh("again_"))
	require.True(t, create(t, e, dsn))
	exec(t, e.pool(t, dsn), "CREATE TABLE a (id serial, n int)")
	require.False(t, create(t, e, dsn, provision.Database{Grants: []provision.Grant{{To: app}}}))
	exec(t, e.pool(t, e.as(t, dsn, app)), "INSERT INTO a (n) VALUES (1)")
}

// PostgreSQL copies no template that others are in: whoever creates a database waits.
func TestTemplateInUse(t *testing.T) {
	t.Parallel()
	e := onPostgres(t)
	template := fresh("template_")
	from := e.dsn(t, template)
	require.True(t, create(t, e, from))
	pool := e.pool(t, from)
	conn, err := pool.Conn(t.Context())
	require.NoError(t, err)

	_, err = provision.CreateDatabase(within(t, 7*time.Second), e.open, e.dsn(t, fresh("copy_")), provision.Database{Template: template})
	require.ErrorIs(t, err, provision.ErrInUse)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "55006")

	leaving := time.AfterFunc(6*time.Second, func() { // PostgreSQL itself waits for 5 s
		_ = conn.Close()
		_ = pool.Close()
	})
	defer leaving.Stop()
	require.True(t, create(t, e, e.dsn(t, fresh("copy_")), provision.Database{Template: template}))
}

// TestDropInUse holds that sessions of all dialects are ended.
func TestDropInUse(t *testing.T) {
	t.Parallel()
	dialects(t, func(t *testing.T, e dialect) {
		t.Helper()
		dsn := e.dsn(t, fresh("in use "))
		require.True(t, create(t, e, dsn))
		pool := e.pool(t, dsn)
		exec(t, pool, "CREATE TABLE a (id int)")
		idle, err := pool.Conn(t.Context())
		require.NoError(t, err)
		var tx *sql.Tx
		if e.name != "sqlite" {
			tx, err = pool.BeginTx(t.Context(), nil)
			require.NoError(t, err)
			exec(t, tx, "INSERT INTO a VALUES (1)")
		}
		require.True(t, drop(t, e, dsn))
		require.False(t, exists(t, e, dsn))
		if tx != nil {
			_, err = idle.ExecContext(t.Context(), "SELECT 1")
			require.Error(t, err)
			require.Error(t, tx.Commit())
		}
		require.True(t, create(t, e, dsn))
		_, err = e.pool(t, dsn).ExecContext(t.Context(), "SELECT * FROM a")
		require.Error(t, err, "the new one is empty")
	})
}

// TestDropTerminated is what servers before 13 get, on one that could do better.
func TestDropTerminated(t *testing.T) {
	t.Parallel()
	e := onPostgres(t)
	name := fresh("old ")
	dsn := e.dsn(t, name)
	require.True(t, create(t, e, dsn))
	conn, err := e.pool(t, dsn).Conn(t.Context())
	require.NoError(t, err)
	require.NoError(t, provision.DropTerminated(t.Context(), e.pool(t, e.beside), name))
	require.False(t, exists(t, e, dsn))
	_, err = conn.ExecContext(t.Context(), "SELECT 1")
	require.Error(t, err)
}

// TestDropUsedFromElsewhere is about a transaction that names the database's tables from another database, as tenants with
// schemas of their own do on MySQL.
func TestDropUsedFromElsewhere(t *testing.T) {
	t.Parallel()
	server := testdb.StartMariaDB(t, "performance_schema=ON", "performance_schema_instrument=wait/lock/metadata/sql/mdl=ON")
	e := dialect{"mysql", mysql.Open, server.Database(t)}
	dsn := e.dsn(t, "elsewhere")
	require.True(t, create(t, e, dsn))
	exec(t, e.pool(t, dsn), "CREATE TABLE a (id int) ENGINE=InnoDB")
	tx, err := e.pool(t, e.beside).BeginTx(t.Context(), nil)
	require.NoError(t, err)
	exec(t, tx, "INSERT INTO elsewhere.a VALUES (1)")
	require.True(t, drop(t, e, dsn))
	require.Error(t, tx.Commit())
}

// TestDropLeavesOthersAlone holds that the sessions of a database whose name differs in one letter's case go on.
func TestDropLeavesOthersAlone(t *testing.T) {
	t.Parallel()
	dialects(t, func(t *testing.T, e dialect) {
		t.Helper()
		name := fresh("same")
		dsn, other := e.dsn(t, name), e.dsn(t, strings.ToUpper(name))
		require.True(t, create(t, e, dsn))
		require.True(t, create(t, e, other))
		conn, err := e.pool(t, other).Conn(t.Context())
		require.NoError(t, err)
		exec(t, conn, "CREATE TABLE a (id int)")
		require.True(t, drop(t, e, dsn))
		exec(t, conn, "INSERT INTO a VALUES (1)")
		require.True(t, exists(t, e, other))
	})
}

// Where the server does not tell who is in the way, the drop waits, and then says so.
func TestDropWaits(t *testing.T) {
	t.Parallel()
	e := onMySQL(t)
	name := fresh("waits_")
	dsn := e.dsn(t, name)
	require.True(t, create(t, e, dsn))
	exec(t, e.pool(t, dsn), "CREATE TABLE a (id int) ENGINE=InnoDB")
	tx, err := e.pool(t, e.beside).BeginTx(t.Context(), nil)
	require.NoError(t, err)
	exec(t, tx, "INSERT INTO "+name+".a VALUES (1)")
	_, err = provision.DropDatabase(within(t, 3*time.Second), e.open, dsn)
	require.ErrorIs(t, err, provision.ErrInUse)
	time.AfterFunc(time.Second, func() { _ = tx.Rollback() })
	require.True(t, drop(t, e, dsn))
}

// PostgreSQL marks a database whose drop was cut short, and lets nobody in.
func TestBrokenDatabase(t *testing.T) {
	t.Parallel()
	e := onPostgres(t)
	name := fresh("broken_")
	dsn := e.dsn(t, name)
	require.True(t, create(t, e, dsn))
	exec(t, e.pool(t, e.beside), "UPDATE pg_database SET datconnlimit = -2 WHERE datname = '"+name+"'")
	_, err := provision.CreateDatabase(t.Context(), e.open, dsn)
	require.ErrorIs(t, err, provision.ErrBroken)
	require.True(t, exists(t, e, dsn))
	require.True(t, drop(t, e, dsn))
	require.True(t, create(t, e, dsn))
}

func TestNoPermission(t *testing.T) {
	t.Parallel()
	e := onPostgres(t)
	app := role(t, e)
	dsn := e.dsn(t, fresh("refused_"))
	_, err := provision.CreateDatabase(t.Context(), e.open, e.as(t, dsn, app))
	var answer *pgconn.PgError
	require.ErrorAs(t, err, &answer, "the driver's error is there")
	require.Equal(t, "42501", answer.Code)
	require.False(t, exists(t, e, dsn))

	_, err = provision.CreateDatabase(t.Context(), e.open, e.as(t, dsn, app), provision.Database{Via: e.beside})
	require.NoError(t, err, "somebody else may")
	_, err = provision.DropDatabase(t.Context(), e.open, e.as(t, dsn, app))
	require.ErrorAs(t, err, &answer)
	require.True(t, exists(t, e, dsn))
}

// A server that never answers is waited for no longer than the context lasts.
func TestContextEnds(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = silent.Close() })
	for dialect, e := range map[string]dialect{
		"postgres": {"postgres", postgres.Open, "postgres://u@" + silent.Addr().String() + "/a?sslmode=disable"},
		"mysql":    {"mysql", mysql.Open, "u@tcp(" + silent.Addr().String() + ")/a"},
	} {
		_, err := provision.CreateDatabase(within(t, 100*time.Millisecond), e.open, e.beside)
		require.ErrorIs(t, err, context.DeadlineExceeded, dialect)
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errors.New("why"))
		_, err = provision.DropDatabase(ctx, e.open, e.beside)
		require.ErrorIs(t, err, context.Canceled, dialect)
	}
}

func TestThroughPooler(t *testing.T) {
	t.Parallel()
	direct := onPostgres(t)
	e := dialect{"postgres", postgres.Open, testdb.PgBouncer(t, direct.beside) + "&default_query_exec_mode=exec"}
	app := role(t, direct)
	dsn := e.dsn(t, fresh("pooled_"))
	options := provision.Database{Grants: []provision.Grant{{To: app}}}
	require.True(t, create(t, e, dsn, options))
	require.True(t, exists(t, e, dsn))
	require.False(t, create(t, e, dsn, options))
	created, err := provision.CreateSchema(t.Context(), e.gorm(t, dsn), "a b")
	require.NoError(t, err)
	require.True(t, created)
	dropped, err := provision.DropSchema(t.Context(), e.gorm(t, dsn), "a b")
	require.NoError(t, err)
	require.True(t, dropped)
	require.True(t, drop(t, e, dsn))
}
