package rowsecurity

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// A lease is a connection that is ours for one statement.
//
// pgx's connection is used outside of sql.Conn.Raw while rows are read. Nobody else can have it until release:
// Source: Go 1.26 database/sql/sql.go Conn holds its driverConn until Close; DB.Close, connectionCleaner and SetMaxIdleConns
// close idle ones only.
type lease struct {
	conn   *sql.Conn
	pooled bool      // to be given back
	pgx    *pgx.Conn // nil if the driver is another
	broken bool      // the driver has said so, before anything was sent
}

// borrow takes a connection of the pool. That it is alive has been looked at: pgx's ResetSession pings one that was idle
// for more than a second.
// Source: Go 1.26 database/sql/sql.go DB.conn; pgx v5.11.0 stdlib/sql.go Conn.ResetSession.
func borrow(ctx context.Context, pool any) (*lease, error) {
	l := &lease{}
	switch p := pool.(type) {
	case *sql.Conn:
		l.conn = p
	case interface {
		Conn(ctx context.Context) (*sql.Conn, error)
	}:
		var err error
		if l.conn, err = p.Conn(ctx); err != nil {
			return nil, err
		}
		l.pooled = true
	default:
		return nil, fmt.Errorf("%T gives out no connections: row-level security needs a *sql.DB, or a pool with its Conn method", pool)
	}
	if err := l.conn.Raw(func(conn any) error {
		l.pgx = unwrap(conn)
		return nil
	}); err != nil {
		l.release()
		return nil, err
	}
	return l, nil
}

// unwrap returns pgx's connection of a driver connection, or nil. It looks through wrappers, such as
// github.com/XSAM/otelsql's, that show what they wrap.
func unwrap(conn any) *pgx.Conn {
	for {
		switch c := conn.(type) {
		case interface{ Conn() *pgx.Conn }: // *stdlib.Conn, whose package would register a driver
			return c.Conn()
		case interface{ Raw() driver.Conn }:
			conn = c.Raw()
		default:
			return nil
		}
	}
}

// release gives the connection back. One that pgx has closed, as it does when a context ends, leaves the pool.
func (l *lease) release() {
	if !l.pooled {
		return
	}
	if l.pgx != nil && l.pgx.IsClosed() {
		_ = l.conn.Raw(func(any) error { return driver.ErrBadConn }) // it says so of itself
	}
	_ = l.conn.Close() // sql.ErrConnDone if that has closed it
}
