package locks_test

import (
	"context"
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/internal/locks"
	"github.com/gormtenancy/tenancy/internal/testdb"
)

// A server ends idle sessions, but not one that has a lock.
func TestIdleTimeouts(t *testing.T) {
	t.Parallel()
	dialects(t, func(t *testing.T, d database) {
		t.Helper()
		idle := "BEGIN"
		switch d.dialect {
		case "postgres":
			d.dsn += "&idle_in_transaction_session_timeout=1s"
		case "mysql":
			d.dsn += "&wait_timeout=1"
			idle = "SELECT 1"
		default:
			t.Skip("it has no sessions")
		}
		held := d.acquire(t, d.open(t), "one")
		conn, err := d.open(t).Conn(t.Context())
		require.NoError(t, err)
		_, err = conn.ExecContext(t.Context(), idle)
		require.NoError(t, err)
		time.Sleep(3 * time.Second) // to ask would be no idleness
		_, err = conn.ExecContext(t.Context(), "SELECT 1")
		require.Error(t, err, "one that has no lock has been ended")
		require.NoError(t, held.Check(t.Context()))
		release(t, held)
	})
}

// TestHolderIsInNobodysWay holds that the open transaction keeps no snapshot, for the sake of which old rows would have to stay.
func TestHolderIsInNobodysWay(t *testing.T) {
	t.Parallel()
	d := database{"postgres", "pgx", testdb.Postgres(t) + "&default_transaction_isolation=serializable&default_transaction_read_only=on"}
	held := d.acquire(t, d.open(t), "one")
	require.NoError(t, held.Check(t.Context()))
	var state string
	var snapshot, id sql.NullString
	require.NoError(t, d.open(t).QueryRowContext(t.Context(), "SELECT state, backend_xmin::text, backend_xid::text FROM pg_stat_activity"+
		" WHERE pid = (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))").
		Scan(&state, &snapshot, &id))
	require.Equal(t, "idle in transaction", state)
	require.False(t, snapshot.Valid)
	require.False(t, id.Valid)
	release(t, held)
}

// A pooler hands the server's connection to the next client whenever no transaction is open.
func TestBehindPooler(t *testing.T) {
	t.Parallel()
	dsn := testdb.Postgres(t)
	d := database{"postgres", "pgx", testdb.PgBouncer(t, dsn, "default_pool_size=2")}
	direct := database{"postgres", "pgx", dsn}
	first, second := d.open(t), d.open(t)
	held := d.acquire(t, first, "one")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := locks.Acquire(ctx, second, "postgres", "one")
	require.ErrorIs(t, err, locks.ErrHeld)
	_, err = direct.try(t, direct.open(t), "one")
	require.ErrorIs(t, err, locks.ErrHeld)
	require.NoError(t, held.Check(t.Context()))
	release(t, held)
	release(t, direct.acquire(t, direct.open(t), "one"))
	release(t, d.acquire(t, second, "one"))
}

// The locks of a standby are its own.
func TestReplicasAreRefused(t *testing.T) {
	t.Parallel()
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		standby := testdb.StartPostgres(t).Standby(t)
		d := database{"postgres", "pgx", standby.DSN()}
		_, err := d.try(t, d.open(t), "one")
		require.ErrorContains(t, err, "recovery")
		require.NotErrorIs(t, err, locks.ErrHeld)
	})
	t.Run("mysql", func(t *testing.T) {
		t.Parallel()
		replica := testdb.StartMariaDB(t, "read_only=1")
		d := database{"mysql", "mysql", replica.DSN()}
		_, err := d.try(t, d.open(t), "one")
		require.ErrorContains(t, err, "read-only")
	})
}

// A server that is killed has no locks any more, and whoever held one is told.
func TestKilledServer(t *testing.T) {
	t.Parallel()
	server := testdb.StartPostgres(t)
	d := database{"postgres", "pgx", server.DSN()}
	held := d.acquire(t, d.open(t), "one")
	server.Kill(t)
	err := held.Check(t.Context())
	require.ErrorIs(t, err, locks.ErrLost)
	require.NotContains(t, strings.ToLower(err.Error()), d.dsn)
	server.Start(t)
	release(t, d.acquire(t, d.open(t), "one"))
	require.ErrorIs(t, held.Release(t.Context()), locks.ErrLost)
}
