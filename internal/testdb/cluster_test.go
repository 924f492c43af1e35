package testdb

import (
	"context"
	"database/sql"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A restartableServer is what the handles of both kinds of server have in common.
type restartableServer interface {
	DSN() string
	Database(t testing.TB) string
	Kill(t testing.TB)
	Stop(t testing.TB)
	Start(t testing.TB)
	Pause(t testing.TB)
	Resume(t testing.TB)
}

type replica interface {
	restartableServer
	On(t testing.TB, dsn string) string
	PauseReplay(t testing.TB)
	ResumeReplay(t testing.TB)
	CatchUp(t testing.TB)
}

var restartables = []struct {
	engine, driver string
	start          func(t testing.TB) (primary restartableServer, server *server, replica func() replica)
}{
	{"postgres", "pgx", func(t testing.TB) (restartableServer, *server, func() replica) {
		t.Helper()
		c := StartPostgres(t)
		return c, c.server, func() replica { return c.Standby(t) }
	}},
	{"mysql", "mysql", func(t testing.TB) (restartableServer, *server, func() replica) {
		t.Helper()
		m := StartMariaDB(t)
		return m, m.server, func() replica { return m.Replica(t) }
	}},
}

func connect(t *testing.T, driver, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func run(t *testing.T, db *sql.DB, text string) {
	t.Helper()
	_, err := db.ExecContext(t.Context(), text)
	require.NoError(t, err, text)
}

func count(t *testing.T, db *sql.DB) (n int) {
	t.Helper()
	require.NoError(t, db.QueryRowContext(t.Context(), "SELECT count(*) FROM kept").Scan(&n))
	return n
}

// Each end comes while a client is in a transaction, and what has been committed
// the moment before is there afterwards.
func TestKillAndStartInARow(t *testing.T) {
	t.Parallel()
	for _, e := range restartables {
		t.Run(e.engine, func(t *testing.T) {
			t.Parallel()
			needsOwn(t, e.engine)
			c, s, _ := e.start(t)
			dsn := c.Database(t)
			run(t, connect(t, e.driver, dsn), "CREATE TABLE kept (id int)")
			for i := range 6 {
				db := connect(t, e.driver, dsn)
				tx, err := db.BeginTx(t.Context(), nil)
				require.NoError(t, err)
				_, err = tx.ExecContext(t.Context(), "INSERT INTO kept VALUES (-1)")
				require.NoError(t, err)
				for range 3 {
					run(t, db, "INSERT INTO kept VALUES (1)")
				}
				pid := s.proc.Pid
				if i%3 == 2 {
					c.Stop(t)
				} else {
					c.Kill(t)
				}
				assert.True(t, gone(pid))
				require.Error(t, tx.Commit())
				require.Error(t, ping(t.Context(), e.driver, dsn))
				c.Start(t)
				assert.Equal(t, 3*(i+1), count(t, connect(t, e.driver, dsn)))
			}
		})
	}
}

func TestKillTakesTheChildren(t *testing.T) {
	t.Parallel()
	needsOwn(t, "postgres")
	c := StartPostgres(t)
	conn, err := pgx.Connect(t.Context(), c.DSN())
	require.NoError(t, err)
	pid := int(conn.PgConn().PID())
	busy := make(chan error)
	go func() { // a computation that does not look whether its parent lives
		_, err := conn.Exec(context.Background(), "SELECT count(*) FROM generate_series(1, 1e9)")
		busy <- err
	}()
	require.Eventually(t, func() bool {
		return query(t, "pgx", c.DSN(), "SELECT state FROM pg_stat_activity WHERE pid = "+strconv.Itoa(pid)) == "active"
	}, startTimeout, 10*time.Millisecond)
	c.Kill(t)
	assert.True(t, gone(pid))
	require.Error(t, <-busy)
	c.Kill(t) // nothing to do
	c.Stop(t) // likewise
}

func TestPause(t *testing.T) {
	t.Parallel()
	for _, e := range restartables {
		t.Run(e.engine, func(t *testing.T) {
			t.Parallel()
			needsOwn(t, e.engine)
			c, _, _ := e.start(t)
			db := connect(t, e.driver, c.DSN())
			conn, err := db.Conn(t.Context())
			require.NoError(t, err)
			ask := func(limit time.Duration) error {
				ctx, cancel := context.WithTimeout(t.Context(), limit)
				defer cancel()
				return db.PingContext(ctx)
			}
			require.NoError(t, conn.PingContext(t.Context()))
			c.Pause(t)
			c.Pause(t) // it is
			require.ErrorIs(t, ask(100*time.Millisecond), context.DeadlineExceeded, "a new connection")
			answer := make(chan error)
			go func() { answer <- conn.PingContext(t.Context()) }()
			select {
			case err := <-answer:
				t.Fatal("an answer in spite of the pause", err)
			case <-time.After(100 * time.Millisecond):
			}
			c.Resume(t)
			require.NoError(t, <-answer, "an open connection goes on")
			require.NoError(t, ask(time.Minute))
			c.Resume(t) // nothing to do

			c.Pause(t)
			c.Kill(t)
			c.Start(t)
			c.Pause(t)
			c.Stop(t)
			c.Start(t)
			require.NoError(t, ask(time.Minute))
			c.Pause(t) // until the end of the test
		})
	}
}

func TestReplica(t *testing.T) {
	t.Parallel()
	for _, e := range restartables {
		t.Run(e.engine, func(t *testing.T) {
			t.Parallel()
			needsOwn(t, e.engine)
			c, _, start := e.start(t)
			dsn := c.Database(t)
			primary := connect(t, e.driver, dsn)
			run(t, primary, "CREATE TABLE kept (id int)")
			run(t, primary, "INSERT INTO kept VALUES (1)")
			r := start()
			onReplica := r.On(t, dsn)
			assert.NotEqual(t, dsn, onReplica)
			standby := connect(t, e.driver, onReplica)
			assert.Equal(t, 1, count(t, standby), "what was there before it")

			run(t, primary, "INSERT INTO kept VALUES (2)")
			r.CatchUp(t)
			assert.Equal(t, 2, count(t, standby))

			r.PauseReplay(t)
			run(t, primary, "INSERT INTO kept VALUES (3)")
			assert.Never(t, func() bool { return count(t, standby) != 2 }, 100*time.Millisecond, 10*time.Millisecond)
			r.ResumeReplay(t)
			r.CatchUp(t)
			assert.Equal(t, 3, count(t, standby))

			r.Kill(t)
			run(t, primary, "INSERT INTO kept VALUES (4)")
			r.Start(t)
			r.CatchUp(t)
			assert.Equal(t, 4, count(t, connect(t, e.driver, onReplica)))

			c.Kill(t)
			assert.Equal(t, 4, count(t, connect(t, e.driver, onReplica)), "reads without a primary")
			c.Start(t)
			run(t, connect(t, e.driver, dsn), "INSERT INTO kept VALUES (5)")
			r.CatchUp(t)
			assert.Equal(t, 5, count(t, connect(t, e.driver, onReplica)))
		})
	}
}

func TestStandbysAreReadOnly(t *testing.T) {
	t.Parallel()
	needsOwn(t, "postgres")
	c := StartPostgres(t, "work_mem=7MB")
	for range 2 {
		s := c.Standby(t)
		db := connect(t, "pgx", s.DSN())
		_, err := db.ExecContext(t.Context(), "CREATE TABLE refused (id int)")
		require.ErrorContains(t, err, "25006")
		var memory string
		require.NoError(t, db.QueryRowContext(t.Context(), "SELECT current_setting('work_mem')").Scan(&memory))
		assert.Equal(t, "7MB", memory, "the primary's settings")
	}
}

func TestMariaDBSettings(t *testing.T) {
	t.Parallel()
	needsOwn(t, "mysql")
	m := StartMariaDB(t, "sort-buffer-size=1M")
	assert.Equal(t, "1048576", query(t, "mysql", m.DSN(), "SELECT @@sort_buffer_size"))
	assert.Equal(t, "1048576", query(t, "mysql", m.Replica(t).DSN(), "SELECT @@sort_buffer_size"))
}

// Nothing is left of a server whose test has ended, whatever state it was in then.
func TestRestartablesLeaveNothing(t *testing.T) {
	t.Parallel()
	for _, e := range restartables {
		for state, bring := range map[string]func(t *testing.T, c restartableServer){
			"running": func(*testing.T, restartableServer) {},
			"killed":  func(t *testing.T, c restartableServer) { t.Helper(); c.Kill(t) },
			"stopped": func(t *testing.T, c restartableServer) { t.Helper(); c.Stop(t) },
			"paused":  func(t *testing.T, c restartableServer) { t.Helper(); c.Pause(t) },
		} {
			t.Run(e.engine+" "+state, func(t *testing.T) {
				t.Parallel()
				needsOwn(t, e.engine)
				var s *server
				var segment string
				t.Run("server", func(t *testing.T) {
					var c restartableServer
					c, s, _ = e.start(t)
					if lock, err := os.ReadFile(s.data() + "/postmaster.pid"); err == nil {
						segment = strings.Fields(strings.Split(string(lock), "\n")[6])[1]
						assert.Contains(t, segments(t), segment)
					}
					bring(t, c)
				})
				assert.NoDirExists(t, s.dir)
				assert.True(t, gone(s.proc.Pid))
				assert.NotContains(t, segments(t), segment)
			})
		}
	}
}

// segments returns the numbers of the segments of shared memory that there are.
func segments(t *testing.T) []string {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("segments of shared memory are listed on Linux")
	}
	table, err := os.ReadFile("/proc/sysvipc/shm")
	require.NoError(t, err)
	var numbers []string
	for line := range strings.Lines(string(table)) {
		numbers = append(numbers, strings.Fields(line)[1])
	}
	return numbers
}
