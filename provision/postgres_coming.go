package provision

import (
	"context"
	"database/sql"
	"errors"
)

// A server goes on with CREATE DATABASE when its client is gone, and until that has ended the database is not there for others.
// So whoever drops it waits for those who are about to make it: their sessions show their last statement, and the one before
// CREATE DATABASE says what comes. A lock of the session would say so too, but behind a pooler would stay for ever.

// settling is how long a session that has said what comes is waited for. Behind a pooler it may be another one that does it.
const settling = "5 seconds"

// announced returns the connection on which the database is to be made.
func (t *target) announced(ctx context.Context, admin *sql.DB) (*sql.Conn, error) {
	conn, err := admin.Conn(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := conn.ExecContext(ctx, t.announcement()); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

func (t *target) announcement() string {
	return "SELECT" + literal("tenancy: to create "+quote(t.dialect, t.name))
}

// coming tells whether somebody is about to make the database. A role sees the statements of its own sessions, and, with
// pg_read_all_stats, those of others.
func (t *target) coming(ctx context.Context, admin *sql.DB) (is bool, err error) {
	err = admin.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND (
			left(query, length($1::text)) = $1::text AND (state = 'active' OR state_change > clock_timestamp() - interval '`+settling+`')
			OR left(query, length($2::text)) = $2::text AND state = 'active'))`, t.announcement(), t.createStart()).Scan(&is)
	return is, err
}
