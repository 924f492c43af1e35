package faults_test

import (
	"context"
	"database/sql"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/internal/faults"
	"github.com/gormtenancy/tenancy/internal/testdb"
)

func TestMain(m *testing.M) { testdb.Main(m) }

func connect(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// ask asks for an answer within the limit and returns how long that took.
func ask(t *testing.T, conn *pgx.Conn, limit time.Duration) (time.Duration, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	start := time.Now()
	var n int
	err := conn.QueryRow(ctx, "SELECT 1", pgx.QueryExecModeExec).Scan(&n)
	return time.Since(start), err
}

func TestWithoutFaults(t *testing.T) {
	t.Parallel()
	_, dsn := faults.ProxyDSN(t, testdb.Postgres(t))
	_, err := ask(t, connect(t, dsn), time.Minute)
	require.NoError(t, err)
}

func TestCut(t *testing.T) {
	t.Parallel()
	proxy, dsn := faults.ProxyDSN(t, testdb.Postgres(t))
	conn := connect(t, dsn)
	proxy.Cut()
	_, err := ask(t, conn, time.Minute)
	require.Error(t, err)
	assert.NotErrorIs(t, err, context.DeadlineExceeded)
	assert.True(t, conn.IsClosed())
	_, err = pgx.Connect(t.Context(), dsn)
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	proxy.Restore()
	_, err = ask(t, connect(t, dsn), time.Minute)
	require.NoError(t, err)
}

func TestLatency(t *testing.T) {
	t.Parallel()
	proxy, dsn := faults.ProxyDSN(t, testdb.Postgres(t))
	conn := connect(t, dsn)
	proxy.Latency(100 * time.Millisecond)
	took, err := ask(t, conn, time.Minute)
	require.NoError(t, err)
	assert.GreaterOrEqual(t, took, 100*time.Millisecond)

	proxy.Latency(150 * time.Millisecond)
	took, err = ask(t, conn, time.Minute)
	require.NoError(t, err)
	assert.GreaterOrEqual(t, took, 150*time.Millisecond)

	proxy.Clear()
	require.Eventually(t, func() bool {
		took, err := ask(t, conn, time.Minute)
		return err == nil && took < 100*time.Millisecond
	}, 10*time.Second, time.Millisecond, "the connection goes on, and is fast again")

	proxy.Latency(time.Minute)
	took, err = ask(t, conn, 100*time.Millisecond)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Less(t, took, 30*time.Second)
}

func TestBlackHole(t *testing.T) {
	t.Parallel()
	proxy, dsn := faults.ProxyDSN(t, testdb.Postgres(t))
	conn := connect(t, dsn)
	proxy.BlackHole()
	took, err := ask(t, conn, 100*time.Millisecond)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.GreaterOrEqual(t, took, 100*time.Millisecond)

	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = pgx.Connect(ctx, dsn)
	require.ErrorIs(t, err, context.DeadlineExceeded, "a new connection is taken and hears nothing")

	proxy.Clear()
	_, err = ask(t, connect(t, dsn), time.Minute)
	require.NoError(t, err)
}

// What was swallowed is missing from the protocol, so the connection cannot go on.
func TestEndOfBlackHoleEndsConnections(t *testing.T) {
	t.Parallel()
	proxy, _ := faults.ProxyDSN(t, testdb.Postgres(t))
	client, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", proxy.Address())
	require.NoError(t, err)
	defer client.Close() //nolint:errcheck // the end of the test
	require.NoError(t, client.SetDeadline(time.Now().Add(10*time.Second)))
	_, err = client.Write([]byte{0, 0, 0, 8, 4, 210, 22, 47}) // asks for TLS
	require.NoError(t, err)
	_, err = client.Read(make([]byte, 1))
	require.NoError(t, err)
	proxy.BlackHole()
	_, err = client.Write([]byte("lost"))
	require.NoError(t, err)
	proxy.Clear()
	_, err = client.Read(make([]byte, 1))
	require.Error(t, err)
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded)
}

// A statement that goes into a black hole does not reach the server.
func TestBlackHoleSwallowsStatements(t *testing.T) {
	t.Parallel()
	direct := testdb.Postgres(t)
	proxy, dsn := faults.ProxyDSN(t, direct)
	server, conn := connect(t, direct), connect(t, dsn)
	_, err := server.Exec(t.Context(), "CREATE TABLE swallowed (id int)")
	require.NoError(t, err)
	proxy.BlackHole()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = conn.Exec(ctx, "INSERT INTO swallowed VALUES (1)")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	proxy.Clear()
	var n int
	require.NoError(t, server.QueryRow(t.Context(), "SELECT count(*) FROM swallowed").Scan(&n))
	assert.Zero(t, n)
}

func TestReset(t *testing.T) {
	t.Parallel()
	proxy, dsn := faults.ProxyDSN(t, testdb.Postgres(t))
	conn := connect(t, dsn)
	proxy.Reset()
	_, err := ask(t, conn, time.Minute)
	require.ErrorIs(t, err, syscall.ECONNRESET, "an open connection")
	_, err = pgx.Connect(t.Context(), dsn)
	require.ErrorIs(t, err, syscall.ECONNRESET, "a new connection")
	proxy.Clear()
	_, err = ask(t, connect(t, dsn), time.Minute)
	require.NoError(t, err)
}

func TestFaultsOutlastACut(t *testing.T) {
	t.Parallel()
	proxy, dsn := faults.ProxyDSN(t, testdb.Postgres(t))
	proxy.Cut()
	proxy.Latency(20 * time.Millisecond)
	proxy.Reset()
	proxy.Restore()
	_, err := pgx.Connect(t.Context(), dsn)
	require.ErrorIs(t, err, syscall.ECONNRESET)
	proxy.Clear()
	took, err := ask(t, connect(t, dsn), time.Minute)
	require.NoError(t, err)
	assert.Less(t, took, 20*time.Second)
}

// What a server says before it ends a connection arrives, late or not.
func TestLastWordsArrive(t *testing.T) {
	t.Parallel()
	direct := testdb.Postgres(t)
	proxy, dsn := faults.ProxyDSN(t, direct)
	server := connect(t, direct)
	for _, latency := range []time.Duration{0, 50 * time.Millisecond} {
		conn := connect(t, dsn)
		proxy.Latency(latency)
		_, err := server.Exec(t.Context(), "SELECT pg_terminate_backend($1, 60000)", conn.PgConn().PID())
		require.NoError(t, err)
		_, err = ask(t, conn, time.Minute)
		var said *pgconn.PgError
		require.ErrorAs(t, err, &said)
		assert.Equal(t, "57P01", said.Code)
	}
}

func TestMariaDB(t *testing.T) {
	t.Parallel()
	proxy, dsn := faults.ProxyDSN(t, testdb.MySQL(t))
	db, err := sql.Open("mysql", dsn)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	require.NoError(t, db.PingContext(t.Context()))
	proxy.BlackHole()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, db.PingContext(ctx), context.DeadlineExceeded)
	proxy.Cut()
	require.ErrorIs(t, db.PingContext(t.Context()), syscall.ECONNREFUSED)
	proxy.Clear()
	require.NoError(t, db.PingContext(t.Context()))
}

// Faults change while many connections are in use, and none is left hanging.
func TestFaultsUnderLoad(t *testing.T) {
	t.Parallel()
	proxy, dsn := faults.ProxyDSN(t, testdb.Postgres(t))
	db, err := sql.Open("pgx", dsn)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	ctx, stop := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			for ctx.Err() == nil {
				one, cancel := context.WithTimeout(ctx, 15*time.Millisecond)
				var n int
				_ = db.QueryRowContext(one, "SELECT 1").Scan(&n) // what it meets is chance
				// It goes away in the middle of the answer.
				_, _ = db.ExecContext(one, "SELECT repeat('x', 1000) FROM generate_series(1, 100000)") // likewise
				cancel()
			}
		})
	}
	for i := range 60 {
		[]func(){
			proxy.Cut, proxy.Restore, proxy.Reset, proxy.BlackHole, func() { proxy.Latency(time.Millisecond) }, proxy.Clear,
			func() { proxy.Latency(2 * time.Millisecond) }, func() { proxy.Latency(0) }, proxy.BlackHole, proxy.Clear, proxy.Reset, proxy.Clear,
		}[i%12]()
		time.Sleep(5 * time.Millisecond)
	}
	stop()
	clients.Wait()
	proxy.Clear()
	require.NoError(t, db.PingContext(t.Context()))
}
