package testdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

const installPostgres = "run `make test`, or install it (Debian: apt-get install postgresql), " +
	"or set TENANCY_TEST_POSTGRES_DSN or TENANCY_TEST_POSTGRES_BIN"

var errNoServer = errors.New("no server programs found")

// sharedPostgres is the cluster of this process: its DSN.
var sharedPostgres = sync.OnceValues(func() (string, error) {
	s, err := startPostgres(freePort)
	if err != nil {
		return "", err
	}
	return postgresURL(s.port, "postgres"), nil
})

// Postgres returns the DSN of a fresh, empty PostgreSQL database. Its role is a
// superuser of a cluster that all tests of the process share; roles that a test
// creates belong to the cluster, so they need names of their own. The database is
// dropped when the test ends, connections to it are closed.
func Postgres(t testing.TB) string {
	t.Helper()
	server := os.Getenv("TENANCY_TEST_POSTGRES_DSN")
	if server == "" {
		var err error
		if server, err = sharedPostgres(); errors.Is(err, errNoServer) {
			missing(t, "PostgreSQL", installPostgres)
		} else if err != nil {
			t.Fatal(err)
		}
	}
	name := freshDatabase(t, func() (*sql.DB, error) { return sql.Open("pgx", server) }, createPostgres,
		func(ctx context.Context, db *sql.DB, name string) error {
			_, err := db.ExecContext(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
			return err
		})
	dsn, err := postgresDSN(server, name)
	if err != nil {
		t.Fatal(err)
	}
	return dsn
}

// createPostgres creates a database. To copy its files takes half the time of the
// usual way, but forces checkpoints, which are dear where they reach a disk.
func createPostgres(ctx context.Context, db *sql.DB, name string) error {
	var copies bool
	if err := db.QueryRowContext(ctx, "SELECT current_setting('server_version_num')::int >= 150000"+
		" AND current_setting('fsync') = 'off'").Scan(&copies); err != nil {
		return err
	}
	create := "CREATE DATABASE " + name + " TEMPLATE template0"
	if copies {
		create += " STRATEGY file_copy"
	}
	_, err := db.ExecContext(ctx, create)
	return err
}

// PostgresCluster starts a PostgreSQL cluster for this test alone and returns the
// DSN of its database "postgres". Settings are "name=value", as in postgresql.conf.
// The cluster is always a local one, whatever TENANCY_TEST_POSTGRES_DSN says.
func PostgresCluster(t testing.TB, settings ...string) string {
	t.Helper()
	s, err := startPostgres(freePort, settings...)
	if errors.Is(err, errNoServer) {
		missing(t, "PostgreSQL", installPostgres)
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.remove)
	return postgresURL(s.port, "postgres")
}

// postgresDSN returns dsn, in either of its forms, with another database.
func postgresDSN(dsn, name string) (string, error) {
	if !strings.HasPrefix(dsn, "postgres://") && !strings.HasPrefix(dsn, "postgresql://") {
		return dsn + " dbname=" + name, nil // the last of several counts
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return "", errors.New("TENANCY_TEST_POSTGRES_DSN is not a URL") // err would show its password
	}
	u.Path = "/" + name
	return u.String(), nil
}

// postgresURL returns the DSN of a database of a server that was started here.
func postgresURL(port int, name string) string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/%s?sslmode=disable", port, name)
}

// postgresPrograms returns the folder of the server's programs, or "".
func postgresPrograms() string {
	return findPrograms("TENANCY_TEST_POSTGRES_BIN", "postgres", "/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin",
		"/opt/homebrew/opt/postgresql*/bin", "/usr/local/opt/postgresql*/bin", "/usr/local/pgsql/bin")
}

// startPostgres makes and starts a cluster.
func startPostgres(port func() (int, error), settings ...string) (*server, error) {
	s, err := newPostgres(settings...)
	if err != nil {
		return nil, err
	}
	return s, s.start(port)
}

// newPostgres returns a cluster that has not been started. Of two settings of one
// name the last counts.
func newPostgres(settings ...string) (*server, error) {
	bin := postgresPrograms()
	if bin == "" {
		return nil, fmt.Errorf("postgres: %w", errNoServer)
	}
	acct, err := serverAccount("postgres")
	if err != nil {
		return nil, err
	}
	return &server{
		kind: "postgres", bin: bin, acct: acct, stopSignal: syscall.SIGQUIT, // SIGQUIT: at once, children too
		fill: func(s *server) error {
			return s.fromTemplate(func(data string) error {
				return s.run(filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
					"--locale=C", "--no-sync", "--wal-segsize=1")
			})
		},
		command: func(s *server) []string {
			args := []string{filepath.Join(bin, "postgres"), "-D", s.data(), "-p", strconv.Itoa(s.port), "-k", s.dir, "-F"}
			for _, set := range append([]string{
				"listen_addresses=127.0.0.1", "full_page_writes=off", "synchronous_commit=off", "wal_level=logical",
				"max_prepared_transactions=64", "max_connections=200", "shared_buffers=32MB", "max_wal_size=256MB",
				"min_wal_size=64MB", "timezone=UTC", "log_min_messages=warning",
			}, settings...) {
				args = append(args, "-c", set)
			}
			return args
		},
		// Over the socket, which no other server can have: a server of another
		// process may have taken the port, and would answer there.
		ping: func(ctx context.Context, s *server) error {
			return ping(ctx, "pgx", fmt.Sprintf("host=%s port=%d user=postgres dbname=postgres sslmode=disable", s.dir, s.port))
		},
	}, nil
}
