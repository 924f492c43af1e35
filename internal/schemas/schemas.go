// Package schemas runs single statements with another schema as the connection's own. It is for those of GORM's Migrator,
// which names no schemas and asks the database for its own: what it reads and changes is then the tenant's. It also bounds how
// long they wait for locks ([WithLockTimeout]).
//
// PostgreSQL's search_path is set until the end of a transaction, and set back within one that goes on; MySQL's database is
// set back right after the statement, or the connection is dropped. So nothing is left on a connection, and a pooler that
// gives connections out by transaction does no harm.
package schemas

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"

	"github.com/gormtenancy/tenancy/internal/handover"
)

// ErrNotFound means that there is no such schema.
var ErrNotFound = errors.New("the schema is not there")

// Runner runs statements. It may be used concurrently.
type Runner struct {
	mysql  bool
	limits bool // the lock timeout can be set for a statement
	hand   *sql.DB
}

// New returns a Runner for a dialect. Close it.
func New(dialect string) *Runner {
	mysql := dialect == "mysql"
	return &Runner{mysql: mysql, limits: mysql || dialect == "postgres", hand: handover.Open()}
}

// Close ends the Runner.
func (r *Runner) Close() error { return r.hand.Close() }

// Conn is a connection or a transaction.
type Conn interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Exec runs a statement without rows. on is a *sql.DB, or a [Conn].
func (r *Runner) Exec(ctx context.Context, on any, schema, query string, args []any) (result sql.Result, err error) {
	query = r.mark(schema, query)
	err = r.within(ctx, on, schema, func(c Conn) error {
		result, err = c.ExecContext(ctx, query, args...)
		return err
	})
	return result, err
}

// Query runs a query, and reads all its rows.
func (r *Runner) Query(ctx context.Context, on any, schema, query string, args []any) (*sql.Rows, error) {
	rows, err := r.read(ctx, on, schema, query, args)
	if err != nil {
		return nil, err
	}
	return r.hand.QueryContext(ctx, "", rows)
}

// Nothing returns no rows.
func (r *Runner) Nothing(ctx context.Context) (*sql.Rows, error) {
	return r.hand.QueryContext(ctx, "", &buffer{})
}

// QueryRow runs a query of at most one row.
func (r *Runner) QueryRow(ctx context.Context, on any, schema, query string, args []any) *sql.Row {
	rows, err := r.read(ctx, on, schema, query, args)
	if err != nil {
		return r.hand.QueryRowContext(ctx, "", err)
	}
	return r.hand.QueryRowContext(ctx, "", rows)
}

func (r *Runner) read(ctx context.Context, on any, schema, query string, args []any) (driver.Rows, error) {
	var out *buffer
	query = r.mark(schema, query)
	err := r.within(ctx, on, schema, func(c Conn) error {
		rows, err := c.QueryContext(ctx, query, args...)
		if err != nil {
			return err
		}
		out, err = read(rows)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// mark makes the text of a query another one for each schema: what pgx has prepared for one text in one schema fails in
// another where the table has other columns ("cached plan must not change result type").
func (r *Runner) mark(schema, query string) string {
	if r.mysql || schema == "" {
		return query
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(schema))
	return fmt.Sprintf("/* %x */ %s", h.Sum64(), query)
}

// within calls do with a connection whose own schema is the named one.
func (r *Runner) within(ctx context.Context, on any, schema string, do func(Conn) error) error {
	db, pooled := on.(*sql.DB)
	switch {
	case !pooled:
		c, ok := on.(Conn)
		if !ok {
			return fmt.Errorf("%T is no connection", on)
		}
		return r.set(ctx, c, schema, do)
	case r.mysql:
		return r.onConnection(ctx, db, schema, do)
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := r.set(ctx, tx, schema, do); err != nil {
		_ = tx.Rollback() // the other error came first
		return err
	}
	return tx.Commit()
}

// onConnection takes a connection of its own from a pool, and drops it if it cannot be set back.
func (r *Runner) onConnection(ctx context.Context, db *sql.DB, schema string, do func(Conn) error) (err error) {
	c, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }() // sql.ErrConnDone if it was dropped
	var bad *notRestoredError
	if err = r.set(ctx, c, schema, do); errors.As(err, &bad) {
		_ = c.Raw(func(any) error { return driver.ErrBadConn })
	}
	return err
}

// notRestoredError means that a connection still has another schema for its own.
type notRestoredError struct{ err error }

func (e *notRestoredError) Error() string {
	return "the connection's own schema could not be set back: " + e.err.Error()
}
func (e *notRestoredError) Unwrap() error { return e.err }

// set sets the schema and the lock timeout, calls do, and sets both back.
func (r *Runner) set(ctx context.Context, c Conn, schema string, do func(Conn) error) error {
	restore, err := r.limit(ctx, c)
	if err != nil {
		return err
	}
	if schema != "" {
		unlimit := restore
		if restore, err = r.enter(ctx, c, schema); err != nil {
			if back := unlimit(); back != nil && r.mysql { // PostgreSQL rolls back, which sets it back too
				err = errors.Join(err, back)
			}
			return err
		}
		restore = both(unlimit, restore)
	}
	err = do(c)
	if back := restore(); back != nil && err == nil {
		err = back
	} else if back != nil && r.mysql {
		err = errors.Join(err, back)
	}
	return err
}

// enter sets the schema and returns what sets it back.
func (r *Runner) enter(ctx context.Context, c Conn, schema string) (restore func() error, err error) {
	after := context.WithoutCancel(ctx)
	if r.mysql {
		var own sql.NullString
		if err := c.QueryRowContext(ctx, "SELECT DATABASE()").Scan(&own); err != nil {
			return nil, err
		}
		if !own.Valid {
			return nil, errors.New("the connection has no database of its own to be set back to")
		}
		if _, err := c.ExecContext(ctx, "USE "+quote(schema)); err != nil {
			return nil, err
		}
		return func() error {
			if _, err := c.ExecContext(after, "USE "+quote(own.String)); err != nil {
				return &notRestoredError{err}
			}
			return nil
		}, nil
	}
	const set = `SELECT current_setting('search_path'), set_config('search_path', concat_ws(', ', quote_ident($1), NULLIF(current_setting('search_path'), '')), true)`
	var own, now string
	if err := c.QueryRowContext(ctx, set, schema).Scan(&own, &now); err != nil {
		return nil, err
	}
	restore = func() error {
		_, err := c.ExecContext(after, `SELECT set_config('search_path', $1, true)`, own)
		return err
	}
	var current sql.NullString
	err = c.QueryRowContext(ctx, "SELECT current_schema()").Scan(&current)
	if err == nil && current.String != schema {
		err = fmt.Errorf("%w: create schema %s first", ErrNotFound, schema)
	}
	if err != nil {
		_ = restore() // the other error came first
		return nil, err
	}
	return restore, nil
}

func quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }
