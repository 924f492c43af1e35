package rowsecurity

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// FaultError says what is wrong with a role, a table or the settings of a driver, and what to do. Other errors of the checks
// are those of the database or the context.
type FaultError struct{ faults []error }

// Error implements error.
func (e *FaultError) Error() string { return errors.Join(e.faults...).Error() }

// Unwrap returns the faults, one by one.
func (e *FaultError) Unwrap() []error { return e.faults }

// found makes an error of faults, if there are any.
func found(faults []error) error {
	if len(faults) == 0 {
		return nil
	}
	return &FaultError{faults}
}

// CheckRole refuses a role that policies do not hold for, and a session that would rather fail than apply them. Behind a
// pooler it also refuses what breaks there: prepared statements, if they get mixed up, and pgx's mode describe_exec, if
// clients share server connections. prepared says that the program has prepared statements of its own, as GORM has with
// PrepareStmt. Without a pooler it takes one connection and one round trip.
func CheckRole(ctx context.Context, pool any, prepared bool) error {
	l, err := borrow(ctx, pool)
	if err != nil {
		return err
	}
	defer l.release()
	var mode pgx.QueryExecMode
	var args []any
	if l.pgx != nil {
		mode = sessionOf(l.pgx).mode
		args = append(args, unprepared(mode))
	}
	faults, process, err := roleFaults(ctx, l.conn, args...)
	if err != nil {
		return err
	}
	mixed, err := mixedUp(ctx, l, mode, prepared, process)
	if err != nil {
		return err
	}
	return found(append(faults, mixed...))
}

// CheckRoleIn looks at the role alone, on a connection that is in use already, such as a transaction.
func CheckRoleIn(ctx context.Context, conn rower) error {
	faults, _, err := roleFaults(ctx, conn)
	if err != nil {
		return err
	}
	return found(faults)
}

// rower answers with one row.
type rower interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// roleFaults returns what is wrong with a connection's role, and the server's process.
func roleFaults(ctx context.Context, conn rower, args ...any) (faults []error, process int64, err error) {
	var role, rowSecurity string
	var super, bypass bool
	if err := conn.QueryRowContext(ctx, "SELECT rolname, rolsuper, rolbypassrls, current_setting('row_security'), pg_backend_pid()"+
		" FROM pg_catalog.pg_roles WHERE rolname = current_user", args...).Scan(&role, &super, &bypass, &rowSecurity, &process); err != nil {
		return nil, 0, err
	}
	if super {
		faults = append(faults, fmt.Errorf("role %q is a superuser, for whom policies do not hold: connect with another role, "+
			"or run ALTER ROLE %s NOSUPERUSER", role, identifier(role)))
	}
	if bypass {
		faults = append(faults, fmt.Errorf("role %q has BYPASSRLS, so policies do not hold for it: connect with another role, "+
			"or run ALTER ROLE %s NOBYPASSRLS", role, identifier(role)))
	}
	if rowSecurity != "on" {
		faults = append(faults, fmt.Errorf("row_security is %s, so that statements fail where policies would hold: "+
			"run ALTER ROLE %s SET row_security = on", rowSecurity, identifier(role)))
	}
	return faults, process, nil
}

// CheckPooler refuses what breaks behind a pooler, as CheckRole does, whatever the role.
func CheckPooler(ctx context.Context, pool any, prepared bool) error {
	l, err := borrow(ctx, pool)
	if err != nil {
		return err
	}
	defer l.release()
	if l.pgx == nil {
		return nil
	}
	mode := sessionOf(l.pgx).mode
	var process int64
	if err := l.conn.QueryRowContext(ctx, "SELECT pg_backend_pid()", unprepared(mode)).Scan(&process); err != nil {
		return err
	}
	mixed, err := mixedUp(ctx, l, mode, prepared, process)
	if err != nil {
		return err
	}
	return found(mixed)
}

// mixedUp returns what a pooler would mix up, if there is one. process is that of the server.
func mixedUp(ctx context.Context, l *lease, mode pgx.QueryExecMode, prepared bool, process int64) ([]error, error) {
	// A pooler gives each client a key of its own, in which the process is another.
	// Source: PgBouncer 1.18 src/proto.c welcome_client.
	pooled := l.pgx != nil && int64(l.pgx.PgConn().PID()) != process
	if !pooled || !prepared && mode != pgx.QueryExecModeCacheStatement && mode != pgx.QueryExecModeDescribeExec {
		return nil, nil
	}
	p, err := probe(ctx, l.pgx)
	if err != nil {
		return nil, err
	}
	return p.faults(mode, prepared), nil
}

// unprepared returns a mode that needs no prepared statement: that is what may be broken.
func unprepared(mode pgx.QueryExecMode) pgx.QueryExecMode {
	if mode == pgx.QueryExecModeSimpleProtocol {
		return mode
	}
	return pgx.QueryExecModeExec
}

// faults returns what does not work behind the pooler, and what to do.
func (p *pooler) faults(mode pgx.QueryExecMode, prepared bool) (faults []error) {
	const dsn = "put default_query_exec_mode=cache_describe or =exec into the DSN, or set PreferSimpleProtocol of GORM's postgres.Config"
	const track = ", or have the pooler keep track of them (PgBouncer 1.21: max_prepared_statements)"
	if prepared && p.mixes {
		faults = append(faults, errors.New("a pooler gives one server connection to several clients, and their prepared statements get "+
			"mixed up: set PrepareStmt of gorm.Config to false"+track))
	}
	if mode == pgx.QueryExecModeCacheStatement && p.mixes {
		faults = append(faults, errors.New("a pooler gives one server connection to several clients, and pgx's prepared statements get "+
			"mixed up: "+dsn+track))
	}
	// Source: pgx v5.11.0 conn.go Conn.Query: Parse goes in one flight, Bind in the next, and that may meet the statement
	// of somebody else.
	if mode == pgx.QueryExecModeDescribeExec && p.shares {
		faults = append(faults, errors.New("a pooler gives one server connection to several clients, and in the mode describe_exec "+
			"pgx may run the statement of another one: "+dsn))
	}
	return faults
}
