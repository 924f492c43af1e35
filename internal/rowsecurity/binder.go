// Package rowsecurity runs statements of PostgreSQL with the tenant in a setting that the policies of row-level security
// read, makes those policies, and checks that a database and its role heed them.
//
// The setting is local to the transaction, so it leaves nothing behind on the connection and is safe behind a pooler that
// gives server connections out by transaction. Outside a transaction of the caller it travels in one flight with the
// statement: everything up to one Sync message is one implicit transaction.
// Source: PostgreSQL 15 documentation, 55.2.3 Extended Query and 55.2.4 Pipelining; src/backend/tcop/postgres.c
// exec_execute_message, which ends no transaction before Sync.
package rowsecurity

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/gormtenancy/tenancy/internal/handover"
)

// A Binder runs statements with a tenant in its setting. It is safe for concurrent use.
type Binder struct {
	// Setting is what policies read.
	Setting Setting
	// Literal binds by SET LOCAL and in a transaction of its own for each statement, where set_config and one flight
	// would do: Citus sends only SET LOCAL on to its workers, and only that of a transaction.
	Literal bool

	hand *sql.DB // makes *sql.Rows of ours
}

// New returns a Binder. Close it.
func New(setting Setting) *Binder {
	return &Binder{Setting: setting, hand: handover.Open()}
}

// Close ends the Binder. Rows that it has returned must be closed before.
func (b *Binder) Close() error { return b.hand.Close() }

// Bind sets the tenant until the end of the transaction: one round trip.
func (b *Binder) Bind(ctx context.Context, tx interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}, tenant string,
) error {
	if !b.Literal {
		_, err := tx.ExecContext(ctx, setConfig, string(b.Setting), tenant)
		return err
	}
	text, err := literal(tenant)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "SET LOCAL "+b.Setting.quoted()+" = "+text)
	return err
}

// Query runs a query. pool is a *sql.DB, a *sql.Conn or anything with the former's Conn method.
func (b *Binder) Query(ctx context.Context, pool any, tenant, query string, args []any) (*sql.Rows, error) {
	from, err := b.rows(ctx, pool, tenant, query, args)
	if err != nil {
		return nil, err
	}
	rows, err := b.hand.QueryContext(ctx, "", from)
	if err != nil { // the context is done, or the Binder closed
		_ = from.Close() // the other error came first
		return nil, err
	}
	return rows, nil
}

// QueryRow runs a query of at most one row.
func (b *Binder) QueryRow(ctx context.Context, pool any, tenant, query string, args []any) *sql.Row {
	from, err := b.rows(ctx, pool, tenant, query, args)
	if err != nil {
		return b.hand.QueryRowContext(context.WithoutCancel(ctx), "", err)
	}
	row := b.hand.QueryRowContext(ctx, "", from)
	if row.Err() != nil {
		_ = from.Close() // the other error came first
	}
	return row
}

// Exec runs a statement that returns no rows.
func (b *Binder) Exec(ctx context.Context, pool any, tenant, query string, args []any) (sql.Result, error) {
	return run(ctx, pool, func(l *lease) (sql.Result, error) {
		defer l.release()
		if l.pgx == nil || b.Literal {
			return b.execInTransaction(ctx, l, tenant, query, args)
		}
		r, err := b.send(ctx, l, statement{text: query, args: args, exec: true}, tenant)
		if err != nil {
			return nil, err
		}
		tag, err := r.close()
		if err != nil {
			return nil, err
		}
		return driver.RowsAffected(tag.RowsAffected()), nil
	})
}

// rows runs a query and reads as far as its first row, as pgx's driver does, so that errors show at once.
// Source: pgx v5.11.0 stdlib/sql.go Conn.QueryContext.
func (b *Binder) rows(ctx context.Context, pool any, tenant, query string, args []any) (driver.Rows, error) {
	return run(ctx, pool, func(l *lease) (driver.Rows, error) {
		if l.pgx == nil || b.Literal {
			return b.queryInTransaction(ctx, l, tenant, query, args)
		}
		r, err := b.send(ctx, l, statement{text: query, args: args}, tenant)
		if err != nil {
			l.release()
			return nil, err
		}
		more := r.next()
		if r.err != nil {
			l.release()
			return nil, r.err
		}
		return &rows{lease: l, reply: r, types: l.pgx.TypeMap(), ahead: true, more: more}, nil
	})
}

// badConnections is how many pooled connections may turn out to be broken before anything was sent. It is more than
// database/sql tries, which then opens one for sure; its Conn method has no way to ask for that.
const badConnections = 8

// run runs a statement on a connection of the pool, and on another one if it was certainly not sent.
// Source: Go 1.26 database/sql/sql.go DB.retry; pgx v5.11.0 stdlib/sql.go Conn.ExecContext, which answers
// driver.ErrBadConn where SafeToRetry holds.
func run[T any](ctx context.Context, pool any, do func(*lease) (T, error)) (result T, err error) {
	for range badConnections {
		var l *lease
		if l, err = borrow(ctx, pool); err != nil {
			return result, err
		}
		result, err = do(l)
		if err == nil || !l.broken && !pgconn.SafeToRetry(err) {
			return result, err
		}
		if ctx.Err() != nil {
			return result, ctx.Err()
		}
		if !l.pooled {
			break
		}
	}
	return result, errors.Join(driver.ErrBadConn, err)
}
