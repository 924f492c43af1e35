package testdb

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// needsPgBouncer ends the test if there is none, or no server of our own for it.
func needsPgBouncer(t *testing.T) {
	t.Helper()
	needsOwn(t, "postgres")
	if pgBouncerPrograms() == "" {
		missing(t, "PgBouncer", installPgBouncer)
	}
}

// clients connects so many clients, and returns the server connections that they
// have when they ask one after the other.
func clients(t *testing.T, dsn string, n int) (conns []*pgx.Conn, backends map[int]bool) {
	t.Helper()
	backends = map[int]bool{}
	for range n {
		cfg, err := pgx.ParseConfig(dsn)
		require.NoError(t, err)
		cfg.DefaultQueryExecMode = pgx.QueryExecModeExec
		conn, err := pgx.ConnectConfig(t.Context(), cfg)
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close(context.Background()) })
		var pid int
		require.NoError(t, conn.QueryRow(t.Context(), "SELECT pg_backend_pid()").Scan(&pid))
		backends[pid] = true
		conns = append(conns, conn)
	}
	return conns, backends
}

func TestPgBouncerPoolsTransactions(t *testing.T) {
	t.Parallel()
	needsPgBouncer(t)
	dsn := Postgres(t)
	_, backends := clients(t, PgBouncer(t, dsn, "pool_mode=session", "default_pool_size=8"), 8)
	assert.Len(t, backends, 8)

	conns, backends := clients(t, PgBouncer(t, dsn), 8)
	assert.Len(t, backends, 1)
	for _, conn := range conns[:4] {
		_, err := conn.Exec(t.Context(), "BEGIN")
		require.NoError(t, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := conns[4].Exec(ctx, "BEGIN")
	require.ErrorIs(t, err, context.DeadlineExceeded, "the fifth transaction waits")
	_, err = conns[0].Exec(t.Context(), "COMMIT")
	require.NoError(t, err)
	_, err = conns[5].Exec(t.Context(), "BEGIN")
	require.NoError(t, err)
}

// A connection's settings reach the next client: what makes session state wrong
// behind a pooler is there for tests to meet.
func TestPgBouncerSharesSessions(t *testing.T) {
	t.Parallel()
	conns, _ := clients(t, PgBouncer(t, Postgres(t), "default_pool_size=1"), 2)
	_, err := conns[0].Exec(t.Context(), "SET app.tenant = 'acme'")
	require.NoError(t, err)
	var seen string
	require.NoError(t, conns[1].QueryRow(t.Context(), "SELECT current_setting('app.tenant', true)").Scan(&seen))
	assert.Equal(t, "acme", seen)
}

func TestPgBouncerIsForOneRole(t *testing.T) {
	t.Parallel()
	needsPgBouncer(t)
	cluster := StartPostgres(t)
	dsn := cluster.Database(t)
	db, err := sql.Open("pgx", dsn)
	require.NoError(t, err)
	defer db.Close() //nolint:errcheck // the end of the test
	_, err = db.ExecContext(t.Context(), `CREATE ROLE app LOGIN PASSWORD 'it''s "secret"'`)
	require.NoError(t, err)
	role := func(dsn, user string) string { return regexp.MustCompile(`//.*@`).ReplaceAllString(dsn, "//"+user+"@") }

	var user, name string
	through := PgBouncer(t, role(dsn, "app:it's%20%22secret%22"))
	app, err := sql.Open("pgx", through+"&default_query_exec_mode=exec")
	require.NoError(t, err)
	defer app.Close() //nolint:errcheck // the end of the test
	require.NoError(t, app.QueryRowContext(t.Context(), "SELECT current_user, current_database()").Scan(&user, &name))
	assert.Equal(t, "app", user)
	assert.Contains(t, dsn, name)

	require.Error(t, ping(t.Context(), "pgx", role(through, "postgres")), "not taken for app, and not let through")
}

func TestPgBouncerTakesBothForms(t *testing.T) {
	t.Parallel()
	needsPgBouncer(t)
	s, err := startPostgres(freePort)
	require.NoError(t, err)
	t.Cleanup(s.remove)
	for _, form := range []string{
		postgresURL(s.port, "postgres"),
		fmt.Sprintf("host=127.0.0.1 port=%d user=postgres dbname=postgres", s.port),
		fmt.Sprintf("host=%s port=%d user=postgres dbname=postgres sslmode=prefer", s.dir, s.port),
	} {
		through := PgBouncer(t, form)
		assert.NotContains(t, through+" ", fmt.Sprintf(":%d", s.port))
		clients(t, through, 1)
	}
	through, err := pooled("postgres://app@db.test/orders?sslmode=require", 9)
	require.NoError(t, err)
	assert.Equal(t, "postgres://app@127.0.0.1:9/orders?sslmode=disable", through)
}

func TestPgBouncerWrongSettingFails(t *testing.T) {
	t.Parallel()
	needsPgBouncer(t)
	s, err := newPgBouncer(&pgx.ConnConfig{}, []string{"no_such_setting=1"})
	require.NoError(t, err)
	require.ErrorContains(t, s.start(freePort), "no_such_setting")
	assert.NoDirExists(t, s.dir)
}

func TestPgBouncerTakenPort(t *testing.T) {
	t.Parallel()
	needsPgBouncer(t)
	target, err := pgx.ParseConfig(Postgres(t))
	require.NoError(t, err)
	first, err := newPgBouncer(target, nil)
	require.NoError(t, err)
	require.NoError(t, first.start(freePort))
	t.Cleanup(first.remove)
	second, err := newPgBouncer(target, nil)
	require.NoError(t, err)
	asked := 0
	require.NoError(t, second.start(func() (int, error) {
		if asked++; asked <= 2 {
			return first.port, nil
		}
		return freePort()
	}))
	t.Cleanup(second.remove)
	assert.Equal(t, 3, asked)
	assert.NotEqual(t, first.port, second.port)
}
