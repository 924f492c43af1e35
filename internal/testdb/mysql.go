package testdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"

	"github.com/go-sql-driver/mysql"
)

const installMySQL = "run `make test`, or install MariaDB (Debian: apt-get install mariadb-server), " +
	"or set TENANCY_TEST_MYSQL_DSN or TENANCY_TEST_MARIADB_BIN"

// sharedMariaDB is the server of this process: its DSN.
var sharedMariaDB = sync.OnceValues(func() (string, error) {
	s, err := startMariaDB(freePort)
	if err != nil {
		return "", err
	}
	return mariaDBDSN(s.port, ""), nil
})

// MySQL returns the DSN of a fresh, empty database on a MariaDB server that all
// tests of the process share. Its character set is utf8mb4, its user may do
// anything. The database is dropped when the test ends, connections to it are
// closed.
func MySQL(t testing.TB) string {
	t.Helper()
	server := os.Getenv("TENANCY_TEST_MYSQL_DSN")
	if server == "" {
		var err error
		if server, err = sharedMariaDB(); errors.Is(err, errNoServer) {
			missing(t, "MariaDB", installMySQL)
		} else if err != nil {
			t.Fatal(err)
		}
	}
	cfg, err := mysql.ParseDSN(server)
	if err != nil {
		t.Fatalf("TENANCY_TEST_MYSQL_DSN: %v", err)
	}
	cfg.ParseTime = true
	cfg.DBName = freshDatabase(t, func() (*sql.DB, error) { return sql.Open("mysql", server) },
		createMySQL, dropMySQL)
	return cfg.FormatDSN()
}

func createMySQL(ctx context.Context, db *sql.DB, name string) error {
	_, err := db.ExecContext(ctx, "CREATE DATABASE "+name+" CHARACTER SET utf8mb4")
	return err
}

// dropMySQL drops a database. DROP would wait for transactions that a test left
// open, so their connections go first.
func dropMySQL(ctx context.Context, db *sql.DB, name string) error {
	rows, err := db.QueryContext(ctx, "SELECT id FROM information_schema.processlist WHERE db = ?", name)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // Err is asked below
	var ids []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return err
		}
		ids = append(ids, id)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, id := range ids {
		_, _ = db.ExecContext(ctx, "KILL "+strconv.FormatInt(id, 10)) // it may have gone by itself
	}
	_, err = db.ExecContext(ctx, "DROP DATABASE IF EXISTS "+name)
	return err
}

// mariaDBDSN returns the DSN of a database of a server that was started here.
func mariaDBDSN(port int, name string) string {
	return fmt.Sprintf("root@tcp(127.0.0.1:%d)/%s?parseTime=true&charset=utf8mb4&loc=UTC", port, name)
}

// mariaDBPrograms returns the folder of the server program and the path of the one
// that makes its data, or "".
func mariaDBPrograms() (bin, install string) {
	bin = findPrograms("TENANCY_TEST_MARIADB_BIN", "mariadbd", "/usr/sbin", "/usr/local/sbin", "/usr/libexec",
		"/opt/homebrew/opt/mariadb*/bin", "/usr/local/opt/mariadb*/bin", "/usr/local/mysql/bin")
	if bin == "" {
		return "", ""
	}
	return bin, findProgram("mariadb-install-db", bin, "/usr/bin", "/usr/local/bin", filepath.Join(filepath.Dir(bin), "scripts"))
}

// startMariaDB makes and starts a server.
func startMariaDB(port func() (int, error)) (*server, error) {
	s, err := newMariaDB()
	if err != nil {
		return nil, err
	}
	return s, s.start(port)
}

// newMariaDB returns a server that has not been started. Of two options of one name
// the last counts.
func newMariaDB(options ...string) (*server, error) {
	bin, install := mariaDBPrograms()
	if install == "" {
		return nil, fmt.Errorf("mariadbd: %w", errNoServer)
	}
	acct, err := serverAccount("mysql")
	if err != nil {
		return nil, err
	}
	return &server{
		kind: "mariadb", bin: bin, acct: acct, stopSignal: syscall.SIGKILL, // nothing in it is worth a shutdown
		fill: func(s *server) error {
			return s.fromTemplate(func(data string) error {
				return s.run(install, "--no-defaults", "--datadir="+data, "--auth-root-authentication-method=normal",
					"--skip-test-db", "--skip-name-resolve", "--innodb-log-file-size=8M")
			})
		},
		command: func(s *server) []string {
			args := []string{
				filepath.Join(bin, "mariadbd"), "--no-defaults", "--datadir=" + s.data(), "--tmpdir=" + s.dir,
				"--socket=" + s.socket(), "--pid-file=" + filepath.Join(s.dir, "pid"), "--port=" + strconv.Itoa(s.port),
				"--server-id=" + strconv.Itoa(s.port), "--bind-address=127.0.0.1", "--skip-name-resolve", "--skip-log-bin", "--max-connections=300",
				"--innodb-flush-log-at-trx-commit=0", "--innodb-flush-method=nosync", "--innodb-doublewrite=0",
				"--innodb-buffer-pool-size=32M", "--innodb-log-file-size=8M", "--performance-schema=OFF",
				"--character-set-server=utf8mb4", "--default-time-zone=+00:00",
			}
			for _, option := range options {
				args = append(args, "--"+option)
			}
			return args
		},
		// Over the socket, as for PostgreSQL; it opens after the port.
		ping: func(ctx context.Context, s *server) error {
			return ping(ctx, "mysql", "root@unix("+s.socket()+")/")
		},
	}, nil
}

func (s *server) socket() string { return filepath.Join(s.dir, "s") }
