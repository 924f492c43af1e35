// Package testdb gives tests empty databases on real servers.
//
// [Postgres] and [MySQL] start one throw-away server per test binary, on first
// use, and answer with the DSN of a fresh database on it; [PostgresCluster],
// [StartPostgres] and [StartMariaDB] start a server for one test alone. The last two
// give a handle that kills, restarts and pauses it and puts replicas beside it.
// [PgBouncer] puts a pooler in front of a server, [CountRoundTrips] a proxy that
// counts. A server dies with the test binary, on Linux even when that is killed. A package that uses this one should call
// [Main] from its TestMain: it stops the servers and removes their files. What a
// binary without it leaves behind is removed when the next one starts.
//
// Environment:
//
//   - TENANCY_TEST_POSTGRES_DSN and TENANCY_TEST_MYSQL_DSN name servers to use
//     instead; the role must be allowed to create databases.
//   - TENANCY_TEST_POSTGRES_BIN, TENANCY_TEST_MARIADB_BIN and
//     TENANCY_TEST_PGBOUNCER_BIN name the folders of the server programs, where they
//     are not found by themselves.
//   - TENANCY_TEST_REQUIRE=1 makes a test fail, not skip, when there is no server.
package testdb

import (
	"context"
	"crypto/rand"
	"database/sql"
	"os"
	"strings"
	"testing"
	"time"
)

const (
	startTimeout = 60 * time.Second // generous: machines that test are loaded
	adminTimeout = 60 * time.Second // to create or drop one database
)

// Main runs the tests of m, stops every server that they started and removes its
// files. A TestMain that calls it need not call os.Exit.
func Main(m *testing.M) {
	defer shutdown()
	m.Run() // keeps its exit code in m, for the caller of TestMain
}

// missing ends the test: there is no server of this kind.
func missing(t testing.TB, kind, how string) {
	t.Helper()
	if os.Getenv("TENANCY_TEST_REQUIRE") == "1" {
		t.Fatalf("no %s server, and TENANCY_TEST_REQUIRE=1: %s", kind, how)
	}
	t.Skipf("no %s server: %s", kind, how)
}

// databaseName returns a name that no other database has, on a shared server too.
func databaseName() string {
	return "tenancy_" + strings.ToLower(rand.Text()[:16])
}

// freshDatabase creates a database through the admin connection that open makes
// and has it dropped at the end of the test.
func freshDatabase(t testing.TB, open func() (*sql.DB, error), create, drop func(context.Context, *sql.DB, string) error) string {
	t.Helper()
	name := newDatabase(t, open, create)
	t.Cleanup(func() {
		if err := administer(context.WithoutCancel(t.Context()), open, drop, name); err != nil {
			t.Logf("drop database %s: %v", name, err)
		}
	})
	return name
}

// newDatabase creates a database and leaves it there.
func newDatabase(t testing.TB, open func() (*sql.DB, error), create func(context.Context, *sql.DB, string) error) string {
	t.Helper()
	name := databaseName()
	if err := administer(t.Context(), open, create, name); err != nil {
		t.Fatalf("create database %s: %v", name, err)
	}
	return name
}

// administer does one thing to the database of the name, on a connection that is
// made for it.
func administer(ctx context.Context, open func() (*sql.DB, error), do func(context.Context, *sql.DB, string) error, name string) error {
	ctx, cancel := context.WithTimeout(ctx, adminTimeout)
	defer cancel()
	db, err := open()
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // the connection's only statement has answered
	return do(ctx, db, name)
}
