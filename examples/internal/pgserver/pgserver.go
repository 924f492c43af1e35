// Package pgserver lets an example make databases and roles on a PostgreSQL server of its reader's, and leaves the server as
// it was.
package pgserver

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// timeout bounds what is done even if the reader has pressed Ctrl-C: what was begun is made, and then removed. A server that
// takes a checkpoint for each database needs a while.
const timeout = time.Minute

// Context returns a context that ends when the reader stops the program, or what reads its output ends: a pager, head. By
// default either would end the program at once, and leave on the server what it has made.
func Context() (context.Context, context.CancelFunc) {
	return signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
}

// Server is a server on which an example makes things. It is for one goroutine at a time. Close it.
type Server struct {
	dsn       string
	admin     *sql.DB
	passwords map[string]string // by role
	removals  []string          // statements that remove what was made, the oldest first
}

// Connect connects to the server that dsn names, a URL or "key=value" pairs. Its role must be allowed to make what the
// example makes.
func Connect(ctx context.Context, dsn string) (*Server, error) {
	if _, err := pgx.ParseConfig(dsn); err != nil {
		return nil, errors.New("-postgres has no connection string: write postgres://user@host/database") // err may show a password
	}
	admin, err := sql.Open("pgx", dsn)
	if err != nil {
		return nil, err
	}
	if err := admin.PingContext(ctx); err != nil {
		return nil, errors.Join(err, admin.Close())
	}
	return &Server{dsn: dsn, admin: admin, passwords: map[string]string{}}, nil
}

// DSN returns the connection string of a database on the server.
func (s *Server) DSN(database string) string { return s.with(database, "") }

// DSNAs returns the connection string of a database for a role that CreateRole has made.
func (s *Server) DSNAs(role, database string) string { return s.with(database, role) }

// with keeps the rest of the connection string: the host, TLS.
func (s *Server) with(database, role string) string {
	password := s.passwords[role]
	if u, err := url.Parse(s.dsn); err == nil && u.Scheme != "" {
		u.Path = "/" + database
		settings := u.Query()
		settings.Del("dbname") // it would count more than the path
		if role != "" {
			settings.Del("user")
			settings.Del("password")
			u.User = url.UserPassword(role, password)
		}
		u.RawQuery = settings.Encode()
		return u.String()
	}
	dsn := s.dsn + " dbname=" + value(database) // the last of several counts
	if role != "" {
		dsn += " user=" + value(role) + " password=" + value(password)
	}
	return dsn
}

// CreateDatabase makes a database, which Close drops.
func (s *Server) CreateDatabase(ctx context.Context, name string) error {
	if err := s.execToTheEnd(ctx, "CREATE DATABASE "+quote(name)); err != nil {
		return left(err, "database", name)
	}
	s.removals = append(s.removals, "DROP DATABASE IF EXISTS "+quote(name)+" WITH (FORCE)")
	return nil
}

// CreateRole makes a role that can log in, which Close drops: after its databases, so that nothing of it is left in them.
func (s *Server) CreateRole(ctx context.Context, name, attributes string) error {
	password := rand.Text()
	if err := s.execToTheEnd(ctx, "CREATE ROLE "+quote(name)+" LOGIN "+attributes+" PASSWORD '"+password+"'"); err != nil {
		return left(err, "role", name)
	}
	s.passwords[name] = password
	s.removals = slices.Insert(s.removals, 0, "DROP ROLE IF EXISTS "+quote(name))
	return nil
}

// HasDatabase tells whether there is a database of that name.
func (s *Server) HasDatabase(ctx context.Context, name string) (found bool, err error) {
	err = s.admin.QueryRowContext(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&found)
	return found, err
}

// Exec runs statements in a database, with the role of the server's own connection string.
func (s *Server) Exec(ctx context.Context, database string, statements ...string) error {
	db, err := sql.Open("pgx", s.DSN(database))
	if err != nil {
		return err
	}
	for _, text := range statements {
		if _, err := db.ExecContext(ctx, text); err != nil {
			return errors.Join(fmt.Errorf("%s: %w", text, err), db.Close())
		}
	}
	return db.Close()
}

// execToTheEnd runs a statement whose outcome must be known, even if ctx has ended.
func (s *Server) execToTheEnd(ctx context.Context, text string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	defer cancel()
	_, err := s.admin.ExecContext(ctx, text)
	return err
}

// Close removes what was made, the newest first.
func (s *Server) Close(ctx context.Context) error {
	var errs []error
	for _, text := range slices.Backward(s.removals) {
		if err := s.execToTheEnd(ctx, text); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", text, err))
		}
	}
	return errors.Join(append(errs, s.admin.Close())...)
}

// left explains what is in the way. It is not removed: it may be the reader's own.
func left(err error, kind, name string) error {
	const duplicateDatabase, duplicateObject = "42P04", "42710"
	var refused *pgconn.PgError
	if errors.As(err, &refused) && (refused.Code == duplicateDatabase || refused.Code == duplicateObject) {
		return fmt.Errorf("the server has a %s %s already, of your own, of a run that was killed, or of one at this moment: "+
			"if you do not need it, run DROP %s %s", kind, name, strings.ToUpper(kind), quote(name))
	}
	return fmt.Errorf("create %s %s: %w", kind, name, err)
}

// value quotes what stands behind an equals sign, so that no other setting can begin in it.
func value(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(text) + "'"
}

// quote quotes a name in SQL.
func quote(name string) string { return pgx.Identifier{name}.Sanitize() }
