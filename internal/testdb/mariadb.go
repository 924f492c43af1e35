package testdb

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strconv"
	"syscall"
	"testing"
)

// A MariaDB is a MariaDB server of one test, which may end it, start it again, pause
// it and put replicas beside it. Its methods are for one goroutine at a time; they
// end the test when they fail, so it must be the test's own.
type MariaDB struct {
	restartable

	options []string
	primary *MariaDB // nil: it is one
}

// StartMariaDB starts a MariaDB server for this test alone and returns a handle for
// it. Settings are "name=value", as in the server's option file. It writes a binary
// log, and what has been committed survives a kill. The server is always a local
// one, whatever TENANCY_TEST_MYSQL_DSN says.
func StartMariaDB(t testing.TB, settings ...string) *MariaDB {
	t.Helper()
	return startOwnMariaDB(t, append([]string{
		"log-bin=binlog", "log-slave-updates", "relay-log=relay", "binlog-format=ROW",
		"innodb-flush-log-at-trx-commit=2", "innodb-doublewrite=1",
	}, settings...), nil)
}

func startOwnMariaDB(t testing.TB, options []string, primary *MariaDB) *MariaDB {
	t.Helper()
	s, err := newMariaDB(options...)
	if err == nil {
		err = s.start(steadyPort)
	}
	if errors.Is(err, errNoServer) {
		missing(t, "MariaDB", installMySQL)
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.remove)
	return &MariaDB{restartable: restartable{s, syscall.SIGTERM}, options: options, primary: primary}
}

// DSN returns the DSN of the server, without a database. It stays the same.
func (m *MariaDB) DSN() string { return mariaDBDSN(m.server.port, "") }

// Database creates an empty database and returns its DSN. It is there as long as the
// server is.
func (m *MariaDB) Database(t testing.TB) string {
	t.Helper()
	name := newDatabase(t, func() (*sql.DB, error) { return sql.Open("mysql", m.DSN()) }, createMySQL)
	return mariaDBDSN(m.server.port, name)
}

// On returns the DSN of the database of this server that has the same name as the
// one of dsn: a replica has the databases of its primary.
func (m *MariaDB) On(t testing.TB, dsn string) string {
	t.Helper()
	through, err := Through(dsn, "127.0.0.1:"+strconv.Itoa(m.server.port))
	if err != nil {
		t.Fatal(err)
	}
	return through
}

// Replica starts another server that follows this one by its global transaction IDs,
// and returns when it has caught up. It is read-only, but not for root, whom
// MariaDB lets write in spite of that.
func (m *MariaDB) Replica(t testing.TB) *MariaDB {
	t.Helper()
	r := startOwnMariaDB(t, append(slices.Clip(m.options), "read-only=1"), m)
	for _, text := range []string{
		"CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=" + strconv.Itoa(m.server.port) +
			", MASTER_USER='root', MASTER_USE_GTID=slave_pos, MASTER_CONNECT_RETRY=1",
		"START SLAVE",
	} {
		statement(t, r.DSN(), text)
	}
	r.CatchUp(t)
	return r
}

// PauseReplay keeps a replica as it is: it answers, and sees nothing newer.
func (m *MariaDB) PauseReplay(t testing.TB) {
	t.Helper()
	m.needsPrimary(t)
	statement(t, m.DSN(), "STOP SLAVE SQL_THREAD")
}

// ResumeReplay lets a replica go on. It does not wait, [MariaDB.CatchUp] does.
func (m *MariaDB) ResumeReplay(t testing.TB) {
	t.Helper()
	m.needsPrimary(t)
	statement(t, m.DSN(), "START SLAVE SQL_THREAD")
}

// CatchUp waits until a replica shows all that has been committed on its primary
// before.
func (m *MariaDB) CatchUp(t testing.TB) {
	t.Helper()
	m.needsPrimary(t)
	written := query(t, "mysql", m.primary.DSN(), "SELECT @@global.gtid_binlog_pos")
	if got := query(t, "mysql", m.DSN(), "SELECT MASTER_GTID_WAIT('"+written+"', 60)"); got != "0" {
		t.Fatal("the replica does not catch up; see SHOW SLAVE STATUS")
	}
}

func (m *MariaDB) needsPrimary(t testing.TB) {
	t.Helper()
	if m.primary == nil {
		t.Fatal("this server is no replica")
	}
}

// statement runs a statement over a connection of its own.
func statement(t testing.TB, dsn, text string) {
	t.Helper()
	if err := administer(t.Context(), func() (*sql.DB, error) { return sql.Open("mysql", dsn) },
		func(ctx context.Context, db *sql.DB, text string) error {
			_, err := db.ExecContext(ctx, text)
			return err
		}, text); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}
