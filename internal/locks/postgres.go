package locks

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
)

// postgresLease is a transaction that holds an advisory lock. Between its statements it has no snapshot, as its isolation is
// READ COMMITTED, and no transaction ID: it holds back neither VACUUM nor anybody else.
type postgresLease struct {
	conn *sql.Conn
	tx   *sql.Tx
	end  context.CancelFunc // of its context
}

// takePostgres sends one text without arguments, which every driver sends as it is: a prepared statement may be in the way
// behind a pooler. How many rows it has says whether the lock was free.
//
//   - READ WRITE fails on a standby, whose locks are its own: the primary knows nothing of them.
//   - A transaction that does nothing for a long time must not be ended for that (transaction_timeout: from PostgreSQL 17 on).
func takePostgres(ctx context.Context, db *sql.DB, name string) (l lease, err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer func() {
		if l == nil {
			err = errors.Join(err, conn.Close())
		}
	}()
	// The transaction lives as long as its context: that is ctx until the lock is ours.
	living, end := context.WithCancel(context.WithoutCancel(ctx))
	outlive := context.AfterFunc(ctx, end)
	tx, err := conn.BeginTx(living, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		end()
		return nil, cmp.Or(ctx.Err(), err) // that of living does not say whether it was cancelled or too late
	}
	key := digest(name)
	result, err := tx.ExecContext(ctx, fmt.Sprintf("SET TRANSACTION READ WRITE;"+
		" SELECT set_config(name, '0', true) FROM pg_settings WHERE name IN ('idle_in_transaction_session_timeout', 'transaction_timeout');"+
		" SELECT 1 WHERE pg_try_advisory_xact_lock(%d)", int64(binary.BigEndian.Uint64(key[:])))) //nolint:gosec // any 64 bits will do
	var rows int64
	if err == nil {
		rows, err = result.RowsAffected()
	}
	if err == nil && rows == 0 {
		err = ErrHeld
	}
	if !outlive() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		_ = tx.Rollback() // before its context ends, which would take the connection along
		end()
		return nil, cmp.Or(ctx.Err(), err)
	}
	return &postgresLease{conn, tx, end}, nil
}

// check asks within the transaction: as long as that is, the lock is.
func (l *postgresLease) check(ctx context.Context) error {
	_, err := l.tx.ExecContext(ctx, "SELECT 1")
	return lost(err)
}

func (l *postgresLease) release(ctx context.Context) error {
	err := l.check(ctx)
	_ = l.tx.Rollback()
	l.end()
	_ = l.conn.Close()
	return err
}
