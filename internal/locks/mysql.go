package locks

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// idleLimit is for how many seconds a connection may be idle; more than that is not taken on every system.
const idleLimit = 2147483

// mysqlLease is a session that has taken a lock with GET_LOCK.
type mysqlLease struct {
	conn *sql.Conn
	key  string
}

func takeMySQL(ctx context.Context, db *sql.DB, name string) (l lease, err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer func() {
		if l == nil {
			err = errors.Join(err, conn.Close())
		}
	}()
	// A lock is known to the whole server, and its name may have 64 characters.
	var database sql.NullString
	var replica bool
	if err := conn.QueryRowContext(ctx, "SELECT DATABASE(), @@GLOBAL.read_only").Scan(&database, &replica); err != nil {
		return nil, err
	}
	if replica {
		return nil, errors.New("tenancy: the server is read-only: its locks are its own, and the primary knows nothing of them")
	}
	sum := digest(strings.ToLower(database.String), name) // some servers know a database by several spellings
	key := hex.EncodeToString(sum[:])
	var got sql.NullBool
	if err := conn.QueryRowContext(ctx, fmt.Sprintf("SELECT GET_LOCK('%s', 0)", key)).Scan(&got); err != nil {
		return nil, err
	}
	if !got.Bool {
		return nil, ErrHeld
	}
	if _, err := conn.ExecContext(ctx, fmt.Sprintf("SET SESSION wait_timeout = %d", idleLimit)); err != nil {
		discard(conn)
		return nil, err
	}
	return &mysqlLease{conn: conn, key: key}, nil
}

func (l *mysqlLease) check(ctx context.Context) error {
	return l.ask(ctx, "SELECT IS_USED_LOCK('%s') = CONNECTION_ID()")
}

func (l *mysqlLease) release(ctx context.Context) error {
	defer discard(l.conn)
	return l.ask(ctx, "SELECT RELEASE_LOCK('%s')")
}

// ask sends a query that answers 1 if the lock was ours.
func (l *mysqlLease) ask(ctx context.Context, query string) error {
	var ours sql.NullBool
	if err := l.conn.QueryRowContext(ctx, fmt.Sprintf(query, l.key)).Scan(&ours); err != nil {
		return lost(err)
	}
	if !ours.Bool {
		return ErrLost
	}
	return nil
}

// discard closes a connection, and does not give it back to the pool: its settings were changed.
func discard(conn *sql.Conn) { _ = conn.Raw(func(any) error { return driver.ErrBadConn }) }
