package notify_test

import (
	"context"
	"database/sql"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/internal/notify"
	"github.com/gormtenancy/tenancy/internal/testdb"
)

func TestMain(m *testing.M) { testdb.Main(m) }

func open(t *testing.T, driver, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// listening is a call of Listen that has begun to listen.
type listening struct {
	heard chan struct{}
	err   chan error
	stop  context.CancelFunc
}

func listen(t *testing.T, db *sql.DB, channel string) listening {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	l := listening{make(chan struct{}, 100), make(chan error, 1), cancel}
	go func() { l.err <- notify.Listen(ctx, db, channel, func() { l.heard <- struct{}{} }) }()
	l.hears(t)
	return l
}

func (l listening) hears(t *testing.T) {
	t.Helper()
	select {
	case <-l.heard:
	case err := <-l.err:
		require.NoError(t, err)
		t.Fatal("it has ended")
	case <-time.After(30 * time.Second):
		t.Fatal("nothing is heard")
	}
}

func (l listening) ends(t *testing.T) error {
	t.Helper()
	select {
	case err := <-l.err:
		return err
	case <-time.After(30 * time.Second):
		t.Fatal("it does not end")
		return nil
	}
}

func exec(t *testing.T, db *sql.DB, text string) {
	t.Helper()
	_, err := db.ExecContext(t.Context(), text)
	require.NoError(t, err)
}

func TestListen(t *testing.T) {
	t.Parallel()
	db := open(t, "pgx", testdb.Postgres(t))
	const channel = `a "channel"`
	l := listen(t, db, channel)
	for range 3 {
		exec(t, db, `NOTIFY "a ""channel"""`)
		l.hears(t)
	}
	exec(t, db, "NOTIFY another")
	exec(t, db, `NOTIFY "a ""channel"""`)
	l.hears(t)
	require.Empty(t, l.heard)

	l.stop()
	require.ErrorIs(t, l.ends(t), context.Canceled)
	require.Zero(t, db.Stats().InUse)
	var listens int
	for range 5 { // on whatever connection of the pool
		require.NoError(t, db.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_listening_channels()").Scan(&listens))
		require.Zero(t, listens, "the connection is not given back")
	}
}

func TestLostConnection(t *testing.T) {
	t.Parallel()
	db := open(t, "pgx", testdb.Postgres(t))
	l := listen(t, db, "channel")
	exec(t, db, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'")
	err := l.ends(t)
	require.Error(t, err)
	require.NotErrorIs(t, err, notify.ErrUnsupported)
	listen(t, db, "channel") // again
}

// TestUnsupported is about pools that would never hear anything.
func TestUnsupported(t *testing.T) {
	t.Parallel()
	one := open(t, "pgx", testdb.Postgres(t))
	one.SetMaxOpenConns(1)
	for name, db := range map[string]*sql.DB{
		"another driver":     open(t, "mysql", testdb.MySQL(t)),
		"transaction pooler": open(t, "pgx", testdb.PgBouncer(t, testdb.Postgres(t))+"&default_query_exec_mode=exec"),
		"session pooler":     open(t, "pgx", testdb.PgBouncer(t, testdb.Postgres(t), "pool_mode=session")),
		"one connection":     one,
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		t.Cleanup(cancel)
		err := notify.Listen(ctx, db, "channel", func() { t.Error("it has heard") })
		require.ErrorIs(t, err, notify.ErrUnsupported, name)
		require.Zero(t, db.Stats().InUse, name)
	}
}
