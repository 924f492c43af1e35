package testdb

import (
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRoundTrips(t *testing.T) {
	t.Parallel()
	trips, dsn := CountRoundTrips(t, Postgres(t))
	assert.Zero(t, trips.Count())
	conn, err := pgx.Connect(t.Context(), dsn)
	require.NoError(t, err)
	assert.Equal(t, 1, trips.Count(), "to connect, with no password")

	ask := func(mode pgx.QueryExecMode) func() {
		return func() {
			var n int
			require.NoError(t, conn.QueryRow(t.Context(), "SELECT $1::int", mode, 1).Scan(&n))
		}
	}
	exec := func(text string) {
		_, err := conn.Exec(t.Context(), text)
		require.NoError(t, err)
	}
	batch := func() {
		var batch pgx.Batch
		for range 3 {
			batch.Queue("SELECT 1")
		}
		require.NoError(t, conn.SendBatch(t.Context(), &batch).Close())
	}
	for _, c := range []struct {
		what  string
		want  int
		doing func()
	}{
		{"nothing", 0, func() {}},
		{"simple protocol", 1, ask(pgx.QueryExecModeSimpleProtocol)},
		{"without a plan of its own", 1, ask(pgx.QueryExecModeExec)},
		{"describe, then execute", 2, ask(pgx.QueryExecModeDescribeExec)},
		{"prepare, then execute", 2, ask(pgx.QueryExecModeCacheStatement)},
		{"execute what is prepared", 1, ask(pgx.QueryExecModeCacheStatement)},
		{"a transaction", 3, func() { exec("BEGIN"); exec("SELECT 1"); exec("COMMIT") }},
		{"several statements in one", 1, func() { exec("BEGIN; SELECT 1; COMMIT") }},
		{"a batch, prepare and execute", 2, batch},
		{"a batch that is prepared", 1, batch},
		{"more than one packet each way", 1, func() {
			var got string
			long := strings.Repeat("long ", 200_000)
			require.NoError(t, conn.QueryRow(t.Context(), "SELECT $1::text", pgx.QueryExecModeSimpleProtocol, long).Scan(&got))
			assert.Len(t, got, len(long))
		}},
	} {
		trips.Reset()
		c.doing()
		assert.Equal(t, c.want, trips.Count(), c.what)
	}

	trips.Reset()
	second, err := pgx.Connect(t.Context(), dsn)
	require.NoError(t, err)
	exec("SELECT 1")
	assert.Equal(t, 2, trips.Count(), "two connections")
	require.NoError(t, second.Close(t.Context()))
	require.NoError(t, conn.Close(t.Context()))
	assert.Never(t, func() bool { return trips.Count() != 2 }, 50*time.Millisecond, 10*time.Millisecond, "to close")
}

func TestRoundTripsToMariaDB(t *testing.T) {
	t.Parallel()
	trips, dsn := CountRoundTrips(t, MySQL(t))
	db := connect(t, "mysql", dsn)
	require.NoError(t, db.PingContext(t.Context()))
	trips.Reset()
	run(t, db, "SET @a = 1")
	assert.Equal(t, 1, trips.Count())
	trips.Reset()
	var n int
	require.NoError(t, db.QueryRowContext(t.Context(), "SELECT ?", 1).Scan(&n))
	assert.Equal(t, 2, trips.Count(), "prepare, then execute")
}
