// Package notify hears what PostgreSQL notifies of. What it tells comes soon or not at all: who relies on it must look for
// himself as well.
package notify

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// ErrUnsupported means that a pool will never hear anything.
var ErrUnsupported = errors.New("notify: this pool cannot listen")

const (
	// silence is how long nothing is heard before the connection is tried.
	silence = time.Minute
	// patience is how long the server may take to answer.
	patience = 10 * time.Second
)

// Listen calls heard when it has begun to listen to a channel, and after each notification. It returns when ctx ends or the
// connection is lost, and at once with [ErrUnsupported] if listening cannot work: with another driver than pgx, through a
// pooler, whose server connections are not ours alone, or where the pool has no more than one connection.
//
// It takes a connection of the pool for as long as it runs, and closes it then.
func Listen(ctx context.Context, db *sql.DB, channel string, heard func()) (err error) {
	if db.Stats().MaxOpenConnections == 1 {
		return fmt.Errorf("%w: it has one connection, which others need", ErrUnsupported)
	}
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, err := db.Conn(limited)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // it is closed already
	_ = conn.Raw(func(driverConn any) error {
		own, ok := driverConn.(*stdlib.Conn)
		if !ok {
			err = fmt.Errorf("%w: its driver is not pgx", ErrUnsupported)
			return nil
		}
		err = listen(ctx, own.Conn(), channel, heard)
		// It makes the pool close the connection: nobody else shall listen (go1.26, database/sql/sql.go, Conn.Raw).
		return driver.ErrBadConn
	})
	return err
}

func listen(ctx context.Context, conn *pgx.Conn, channel string, heard func()) error {
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := direct(limited, conn); err != nil {
		return err
	}
	if _, err := conn.PgConn().Exec(limited, "LISTEN "+pgx.Identifier{channel}.Sanitize()).ReadAll(); err != nil {
		return err
	}
	heard()
	for {
		told, err := next(ctx, conn)
		if err != nil {
			return err
		}
		if told {
			heard()
		}
	}
}

// direct refuses a pooler: it gives its clients keys of its own making for their requests to cancel, and so another process
// ID than that of the server's process. (PgBouncer 1.18, src/proto.c, welcome_client.)
func direct(ctx context.Context, conn *pgx.Conn) error {
	results, err := conn.PgConn().Exec(ctx, "SELECT pg_backend_pid()").ReadAll()
	if err != nil {
		return err
	}
	if len(results) != 1 || len(results[0].Rows) != 1 || string(results[0].Rows[0][0]) != strconv.FormatUint(uint64(conn.PgConn().PID()), 10) {
		return fmt.Errorf("%w: there is a pooler in front of the server", ErrUnsupported)
	}
	return nil
}

// next waits for a notification; told is false if it took too long, and the server is still there.
//
// A context that ends does not close the connection while it waits. (pgx v5.11.0, pgconn/pgconn.go, peekMessage: it closes it
// after all errors but timeouts.)
func next(ctx context.Context, conn *pgx.Conn) (told bool, err error) {
	quiet, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	if _, err = conn.WaitForNotification(quiet); err == nil {
		return true, nil
	}
	if ctx.Err() != nil || quiet.Err() == nil {
		return false, err
	}
	limited, stop := context.WithTimeout(ctx, patience)
	defer stop()
	return false, conn.PgConn().Ping(limited)
}
