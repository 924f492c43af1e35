package provision

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/gormtenancy/tenancy"
)

// quiet is how long nobody has written to a database of SQLite when it is sure that nobody waits to do so: who waits looks again
// after 100 ms at most (sqliteDefaultBusyCallback in SQLite's main.c).
const quiet = 500 * time.Millisecond

// outwaited waits until no statement that began before may still be waiting for other writers of SQLite: until it is quiet, or for as long
// as this process's statements would wait, and half as long again, as SQLite adds up its naps and not the time.
//
// It has one writer at a time, so who has got in holds up the deletes, and who has read before another one wrote cannot write any
// more (sqlite.org/isolation.html). What this does not cover is a transaction without a statement so far that was not begun with BEGIN
// IMMEDIATE, as this module's sqlite.Open does.
func (r tenantRows) outwaited(ctx context.Context) (err error) {
	pool, err := poolOf(at(ctx, tenancy.Placement{Shard: r.tenant.Placement.Shard}), r.cfg.DB)
	if err != nil {
		return err
	}
	conn, err := pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	var patience int64 // in milliseconds
	if err := conn.QueryRowContext(ctx, "PRAGMA busy_timeout").Scan(&patience); err != nil {
		return err
	}
	for end := time.Now().Add(time.Duration(patience) * time.Millisecond * 3 / 2); time.Now().Before(end); {
		if still, err := isQuiet(ctx, conn, patience); err != nil || still {
			return err
		}
	}
	return nil
}

// isQuiet tells whether nobody writes to the database for a while.
func isQuiet(ctx context.Context, conn *sql.Conn, patience int64) (bool, error) {
	var before, after int64
	const version = "PRAGMA data_version" // another one when others have written
	if err := conn.QueryRowContext(ctx, version).Scan(&before); err != nil {
		return false, err
	}
	timer := time.NewTimer(quiet)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return false, ctx.Err()
	}
	if err := conn.QueryRowContext(ctx, version).Scan(&after); err != nil || before != after {
		return false, err
	}
	return isFree(ctx, conn, patience)
}

// isFree tells whether nobody is writing to the database at this moment.
func isFree(ctx context.Context, conn *sql.Conn, patience int64) (free bool, err error) {
	ctx = context.WithoutCancel(ctx) // the connection is left as it was; nothing here waits
	if _, err := conn.ExecContext(ctx, "PRAGMA busy_timeout = 0"); err != nil {
		return false, err
	}
	defer func() {
		_, restored := conn.ExecContext(ctx, fmt.Sprint("PRAGMA busy_timeout = ", patience))
		err = errors.Join(err, restored)
	}()
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return false, nil // somebody is; what else it may be the deletes will say
	}
	_, err = conn.ExecContext(ctx, "ROLLBACK")
	return err == nil, err
}
