package pgserver_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/examples/internal/pgserver"
	"github.com/gormtenancy/tenancy/internal/testdb"
)

// The tests of this package make the same names, so they do not run in parallel.
func TestMain(m *testing.M) { testdb.Main(m) }

// databases and roles on the server that begin like those of this test.
func made(t *testing.T, dsn string) (names []string) {
	t.Helper()
	admin, err := sql.Open("pgx", dsn)
	require.NoError(t, err)
	defer func() { require.NoError(t, admin.Close()) }()
	rows, err := admin.Query("SELECT datname FROM pg_database WHERE datname LIKE 'pgserver%' UNION ALL SELECT rolname FROM pg_roles WHERE rolname LIKE 'pgserver%'")
	require.NoError(t, err)
	for rows.Next() {
		var name string
		require.NoError(t, rows.Scan(&name))
		names = append(names, name)
	}
	require.NoError(t, rows.Err())
	return names
}

func TestNothingIsLeft(t *testing.T) {
	dsn := testdb.Postgres(t)
	ctx, cancel := context.WithCancel(t.Context())
	server, err := pgserver.Connect(ctx, dsn)
	require.NoError(t, err)
	require.NoError(t, server.CreateDatabase(ctx, "pgserver_test"))
	require.NoError(t, server.CreateRole(ctx, "pgserver_role", "BYPASSRLS"))
	require.NoError(t, server.Exec(ctx, "pgserver_test", "CREATE TABLE t ()", "GRANT ALL ON t TO pgserver_role"))
	require.ErrorContains(t, server.Exec(ctx, "pgserver_test", "NONSENSE"), "NONSENSE")
	found, err := server.HasDatabase(ctx, "pgserver_test")
	require.NoError(t, err)
	require.True(t, found)

	role, err := sql.Open("pgx", server.DSNAs("pgserver_role", "pgserver_test"))
	require.NoError(t, err)
	defer func() { require.NoError(t, role.Close()) }()
	require.NoError(t, role.Ping(), "somebody is still connected")

	cancel() // the reader has pressed Ctrl-C
	require.NoError(t, server.CreateDatabase(ctx, "pgserver_late"), "what was begun is made")
	require.ElementsMatch(t, []string{"pgserver_test", "pgserver_late", "pgserver_role"}, made(t, dsn))
	require.NoError(t, server.Close(ctx))
	require.Empty(t, made(t, dsn))
}

func TestWhatWasThereStays(t *testing.T) {
	dsn := testdb.Postgres(t)
	first, err := pgserver.Connect(t.Context(), dsn)
	require.NoError(t, err)
	require.NoError(t, first.CreateDatabase(t.Context(), "pgserver_test"))
	require.NoError(t, first.CreateRole(t.Context(), "pgserver_role", ""))

	second, err := pgserver.Connect(t.Context(), dsn)
	require.NoError(t, err)
	require.ErrorContains(t, second.CreateDatabase(t.Context(), "pgserver_test"), `DROP DATABASE "pgserver_test"`)
	require.ErrorContains(t, second.CreateRole(t.Context(), "pgserver_role", ""), `DROP ROLE "pgserver_role"`)
	require.NoError(t, second.Close(t.Context()))
	require.Len(t, made(t, dsn), 2)

	require.NoError(t, first.Close(t.Context()))
	require.Empty(t, made(t, dsn))
}

func whoAndWhere(t *testing.T, dsn string) (answer string) {
	t.Helper()
	db, err := sql.Open("pgx", dsn)
	require.NoError(t, err)
	require.NoError(t, db.QueryRow("SELECT current_user || ' in ' || current_database()").Scan(&answer))
	require.NoError(t, db.Close())
	return answer
}

// keywords writes a connection string in PostgreSQL's other form.
func keywords(t *testing.T, dsn string) string {
	t.Helper()
	c, err := pgx.ParseConfig(dsn)
	require.NoError(t, err)
	return fmt.Sprintf("host=%s port=%d user=%s password='%s' dbname=%s", c.Host, c.Port, c.User, c.Password, c.Database)
}

// overruled writes it as a URL whose settings count more than what is before them.
func overruled(t *testing.T, dsn string) string {
	t.Helper()
	c, err := pgx.ParseConfig(dsn)
	require.NoError(t, err)
	settings := url.Values{"user": {c.User}, "password": {c.Password}, "dbname": {c.Database}}
	return fmt.Sprintf("postgres://nobody@%s:%d/nowhere?%s", c.Host, c.Port, settings.Encode())
}

func TestConnectionStrings(t *testing.T) {
	for _, wrong := range []string{"postgres://me:secret@[/x", "postgres me secret"} {
		_, err := pgserver.Connect(t.Context(), wrong)
		require.Error(t, err)
		require.NotContains(t, err.Error(), "secret")
	}

	dsn := testdb.Postgres(t)
	for _, form := range []string{dsn, keywords(t, dsn), overruled(t, dsn)} {
		server, err := pgserver.Connect(t.Context(), form)
		require.NoError(t, err)
		require.NoError(t, server.CreateRole(t.Context(), "pgserver_role", ""))
		require.Contains(t, whoAndWhere(t, server.DSN("template1")), " in template1")
		require.Equal(t, "pgserver_role in template1", whoAndWhere(t, server.DSNAs("pgserver_role", "template1")))

		const hostile = `pgserver_' host=elsewhere \`
		require.NoError(t, server.CreateDatabase(t.Context(), hostile))
		require.Contains(t, whoAndWhere(t, server.DSN(hostile)), " in "+hostile)
		require.NoError(t, server.Close(t.Context()))
	}
}
