package testdb

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
)

const installPgBouncer = "run `make test`, or install it (Debian: apt-get install pgbouncer), or set TENANCY_TEST_PGBOUNCER_BIN"

// PgBouncer starts a PgBouncer for this test alone in front of the server of dsn and
// returns the DSN of the same database and role through it. It pools transactions,
// on 4 connections to the server for each database; settings are "name=value", as in
// section [pgbouncer] of its file, and override that: "pool_mode=session".
//
// Any database of the server can be reached, but only by the role of dsn: PgBouncer
// refuses others, so that none is taken for another. A test with several roles
// starts one for each; PgBouncer has a pool of each role anyhow. The database
// "pgbouncer" is the role's console (SHOW POOLS), which takes the simple protocol.
func PgBouncer(t testing.TB, dsn string, settings ...string) string {
	t.Helper()
	target, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal(errDSN)
	}
	s, err := newPgBouncer(target, settings)
	if err == nil {
		err = s.start(freePort)
	}
	if errors.Is(err, errNoServer) {
		missing(t, "PgBouncer", installPgBouncer)
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.remove)
	through, err := pooled(dsn, s.port)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	if err := ping(ctx, "pgx", through); err != nil {
		t.Fatalf("PgBouncer: %v\n%v", err, s.withLog(err))
	}
	return through
}

// pooled returns dsn with the address of a PgBouncer, which speaks no TLS here.
func pooled(dsn string, port int) (string, error) {
	through, err := Through(dsn, "127.0.0.1:"+strconv.Itoa(port))
	if err != nil || !isURL(dsn) {
		return through + " sslmode=disable", err
	}
	u, err := url.Parse(through)
	if err != nil {
		return "", errDSN
	}
	q := u.Query()
	q.Set("sslmode", "disable")
	u.RawQuery = q.Encode()
	return u.String(), nil
}

func pgBouncerPrograms() string {
	return findPrograms("TENANCY_TEST_PGBOUNCER_BIN", "pgbouncer", "/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin",
		"/opt/homebrew/bin")
}

func newPgBouncer(target *pgx.ConnConfig, settings []string) (*server, error) {
	bin := pgBouncerPrograms()
	if bin == "" {
		return nil, fmt.Errorf("pgbouncer: %w", errNoServer)
	}
	acct, err := serverAccount("postgres")
	if err != nil {
		return nil, err
	}
	return &server{
		kind: "pgbouncer", bin: bin, acct: acct, stopSignal: syscall.SIGKILL, // it has nothing to put in order
		configure: func(s *server) error {
			quote := func(text string) string { return `"` + strings.ReplaceAll(text, `"`, `""`) + `"` }
			users := quote(target.User) + " " + quote(target.Password) + "\n"
			if err := s.write("users", users); err != nil {
				return err
			}
			lines := append([]string{
				"[databases]", fmt.Sprintf("* = host=%s port=%d", target.Host, target.Port),
				"[pgbouncer]", "listen_addr=127.0.0.1", "listen_port=" + strconv.Itoa(s.port), "unix_socket_dir=",
				"auth_type=trust", "auth_file=" + filepath.Join(s.dir, "users"), "admin_users=" + target.User,
				"server_tls_sslmode=prefer", "pool_mode=transaction", "default_pool_size=4", "max_client_conn=300",
				"ignore_startup_parameters=extra_float_digits",
			}, settings...)
			return s.write("ini", strings.Join(lines, "\n")+"\n")
		},
		command: func(s *server) []string {
			return []string{filepath.Join(bin, "pgbouncer"), filepath.Join(s.dir, "ini")}
		},
		// From its log: who answers at the port may be another one that has taken it.
		ping: func(_ context.Context, s *server) error {
			log, err := os.ReadFile(s.log())
			if err == nil && !strings.Contains(string(log), fmt.Sprintf("listening on 127.0.0.1:%d\n", s.port)) {
				err = errors.New("it does not listen yet")
			}
			return err
		},
	}, nil
}

// write makes a file that only the server's user may read.
func (s *server) write(name, text string) error {
	path := filepath.Join(s.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return err
	}
	return s.acct.chown(path)
}
