package testdb

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A Cluster is a PostgreSQL cluster of one test, which may end it, start it again,
// pause it and put standbys beside it. Its methods are for one goroutine at a time;
// they end the test when they fail, so it must be the test's own.
type Cluster struct {
	restartable

	settings []string
	primary  *Cluster // nil: it is one
}

// surviving are settings for a cluster that is killed: what has been committed is
// there afterwards. Neither a pause nor a standby's long query ends replication.
func surviving() []string {
	return []string{
		"synchronous_commit=on", "full_page_writes=on", "checkpoint_timeout=1h",
		"dynamic_shared_memory_type=mmap", // in the cluster's folder, so that nothing is left of it
		"wal_retrieve_retry_interval=100ms", "max_standby_streaming_delay=-1",
		"wal_sender_timeout=0", "wal_receiver_timeout=0",
	}
}

// StartPostgres starts a PostgreSQL cluster for this test alone, as [PostgresCluster]
// does, and returns a handle for it.
func StartPostgres(t testing.TB, settings ...string) *Cluster {
	t.Helper()
	settings = append(surviving(), settings...)
	s, err := newPostgres(settings...)
	if err == nil {
		err = s.start(steadyPort)
	}
	if errors.Is(err, errNoServer) {
		missing(t, "PostgreSQL", installPostgres)
	} else if err != nil {
		t.Fatal(err)
	}
	return newCluster(t, s, settings, nil)
}

func newCluster(t testing.TB, s *server, settings []string, primary *Cluster) *Cluster {
	t.Helper()
	c := &Cluster{restartable: restartable{s, syscall.SIGQUIT}, settings: settings, primary: primary}
	t.Cleanup(func() {
		s.stop()
		c.forgetMemory()
		s.remove()
	})
	return c
}

// DSN returns the DSN of the cluster's database "postgres". It stays the same.
func (c *Cluster) DSN() string { return postgresURL(c.server.port, "postgres") }

// Database creates an empty database and returns its DSN. It is there as long as the
// cluster is.
func (c *Cluster) Database(t testing.TB) string {
	t.Helper()
	name := newDatabase(t, func() (*sql.DB, error) { return sql.Open("pgx", c.DSN()) }, createPostgres)
	return postgresURL(c.server.port, name)
}

// On returns the DSN of the database of this cluster that has the same name as the
// one of dsn: a standby has the databases of its primary.
func (c *Cluster) On(t testing.TB, dsn string) string {
	t.Helper()
	through, err := Through(dsn, "127.0.0.1:"+strconv.Itoa(c.server.port))
	if err != nil {
		t.Fatal(err)
	}
	return through
}

// Standby starts a streaming standby of the cluster and returns when it has caught
// up. It takes over the cluster's settings and, with a replication slot of its own,
// all that the cluster writes while the standby is down.
func (c *Cluster) Standby(t testing.TB) *Cluster {
	t.Helper()
	backup := findProgram("pg_basebackup", c.server.bin)
	if backup == "" {
		missing(t, "PostgreSQL standby", "pg_basebackup is not beside the server program; install it (Debian: apt-get install postgresql-client)")
	}
	slot := databaseName()
	s, err := newPostgres(c.settings...)
	if err != nil {
		t.Fatal(err)
	}
	s.fill = func(s *server) error {
		return s.run(backup, "-D", s.data(), "-h", c.server.dir, "-p", strconv.Itoa(c.server.port), "-U", "postgres",
			"-R", "-X", "stream", "-c", "fast", "--no-sync", "-C", "-S", slot)
	}
	if err := s.start(steadyPort); err != nil {
		t.Fatal(err)
	}
	standby := newCluster(t, s, c.settings, c)
	standby.CatchUp(t)
	return standby
}

// PauseReplay keeps a standby as it is: it answers, and sees nothing newer. It does
// not return before replay stands still.
func (c *Cluster) PauseReplay(t testing.TB) {
	t.Helper()
	c.needsPrimary(t)
	query(t, "pgx", c.DSN(), "SELECT pg_wal_replay_pause()::text")
	c.await(t, "a pause of replay", "SELECT pg_get_wal_replay_pause_state() = 'paused'")
}

// ResumeReplay lets a standby go on. It does not wait, [Cluster.CatchUp] does.
func (c *Cluster) ResumeReplay(t testing.TB) {
	t.Helper()
	c.needsPrimary(t)
	query(t, "pgx", c.DSN(), "SELECT pg_wal_replay_resume()::text")
}

// CatchUp waits until a standby shows all that has been committed on its primary
// before. A pause of replay makes it fail at once.
func (c *Cluster) CatchUp(t testing.TB) {
	t.Helper()
	c.needsPrimary(t)
	written := query(t, "pgx", c.primary.DSN(), "SELECT pg_current_wal_flush_lsn()::text")
	if query(t, "pgx", c.DSN(), "SELECT pg_get_wal_replay_pause_state()") != "not paused" {
		t.Fatal("CatchUp: replay is paused")
	}
	c.await(t, "replay", "SELECT coalesce(pg_last_wal_replay_lsn() >= '"+written+"'::pg_lsn, false)")
}

func (c *Cluster) needsPrimary(t testing.TB) {
	t.Helper()
	if c.primary == nil {
		t.Fatal("this cluster is no standby")
	}
}

// await asks the question until the answer is true.
func (c *Cluster) await(t testing.TB, what, question string) {
	t.Helper()
	for start := time.Now(); query(t, "pgx", c.DSN(), "SELECT ("+strings.TrimPrefix(question, "SELECT ")+")::text") != "true"; {
		if time.Since(start) > startTimeout {
			t.Fatalf("no %s within %v", what, startTimeout)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// query returns the one value that a statement answers, over a connection of its own.
func query(t testing.TB, driver, dsn, text string) (value string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), adminTimeout)
	defer cancel()
	db, err := sql.Open(driver, dsn)
	if err == nil {
		defer db.Close() //nolint:errcheck // its only statement has answered
		err = db.QueryRowContext(ctx, text).Scan(&value)
	}
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return value
}

// forgetMemory removes the segment of shared memory that the cluster had if it was
// killed. The next start does so too, but there is none.
//
// Source: PostgreSQL 15, src/include/utils/pidfile.h: the seventh line of
// postmaster.pid is the key and the number of the segment.
func (c *Cluster) forgetMemory() {
	lock, err := os.ReadFile(filepath.Join(c.server.data(), "postmaster.pid"))
	if err != nil {
		return // it has ended in order
	}
	if lines := strings.Split(string(lock), "\n"); len(lines) > 6 {
		if segment := strings.Fields(lines[6]); len(segment) == 2 {
			_ = c.server.run("ipcrm", "-m", segment[1]) // a few bytes that can be gone already
		}
	}
}
