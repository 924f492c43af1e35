package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"time"

	"github.com/gormtenancy/tenancy"
)

// writer is the transaction of one change. It holds the row of tenancy_catalog from its first statement on, so that there
// is one writer at a time: what it reads stays as it is, and epochs are committed in their order.
type writer struct {
	*store
	tx    *sql.Tx
	epoch int64
	at    time.Time
	noted *change
}

// longestChange is the most that a transaction may take, so that a hanging one does not hold up all others.
const longestChange = time.Minute

// change runs do in a transaction of the next epoch. If do notes nothing, nothing has changed and the epoch stays.
//
// What it returns is to be taken out of the caches even with an error: a connection that is lost during COMMIT leaves it
// open whether the change has been made.
func (s *store) change(ctx context.Context, do func(ctx context.Context, w *writer) error) (changed []change, err error) {
	select {
	case s.writing <- struct{}{}: // wait here, and not with one of the master's connections each
		defer func() { <-s.writing }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	err = s.retry(ctx, func() error {
		changed, err = s.attempt(ctx, do)
		return err
	})
	return changed, err
}

func (s *store) attempt(ctx context.Context, do func(ctx context.Context, w *writer) error) ([]change, error) {
	// The transaction has a context of its own: one that ends during COMMIT would leave it open whether it was committed.
	detached, cancel := context.WithTimeout(context.WithoutCancel(ctx), longestChange)
	defer cancel()
	conn, tx, err := s.beginTx(ctx, detached)
	if err != nil {
		return nil, err
	}
	defer conn.Close()  //nolint:errcheck // it goes back to the pool, or is broken
	defer tx.Rollback() //nolint:errcheck // it does nothing after the end, and ends the transaction if a Strategy panics: until then it holds up all others
	w := &writer{store: s, tx: tx, at: time.Now().UTC().Truncate(time.Microsecond)}
	err = w.begin(ctx)
	if err == nil {
		err = do(ctx, w)
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil || w.noted == nil {
		_ = tx.Rollback() // the error that matters is err
		return nil, err
	}
	if err := tx.Commit(); err != nil {
		if s.dialect == "sqlite" { // a COMMIT that finds the file busy leaves the transaction open (sqlite.org/lang_transaction.html), and sql.Tx forgets it (go1.26, database/sql/sql.go, Tx.Commit)
			_, _ = conn.ExecContext(detached, "ROLLBACK")
		}
		if retryable(err) {
			return nil, err
		}
		return []change{*w.noted}, fmt.Errorf("catalog: the connection was lost when the change was committed, read it again to see whether it was made: %w", err)
	}
	return []change{*w.noted}, nil
}

// mostBegins is how many of the pool's connections are tried. They all are dead when the master was started anew.
const mostBegins = 10

// beginTx begins a transaction in the context detached. It waits for a connection in ctx.
func (s *store) beginTx(ctx, detached context.Context) (*sql.Conn, *sql.Tx, error) {
	for n := 1; ; n++ {
		conn, err := s.db.Conn(ctx)
		if err != nil {
			return nil, nil, err
		}
		tx, err := conn.BeginTx(detached, s.isolation())
		if err == nil {
			return conn, tx, nil
		}
		_ = conn.Close() // it goes back to the pool if it is alive
		if n == mostBegins || ctx.Err() != nil || retryable(err) {
			return nil, nil, err
		}
	}
}

// isolation is that in which a statement sees what was committed before it began: after the writer has got the row of
// tenancy_catalog, that is everything. MySQL's default does, as its snapshot is that of the first consistent read
// (MySQL 8.0 manual, 17.7.2.3), and so does SQLite's only one.
func (s *store) isolation() *sql.TxOptions {
	if s.dialect == "postgres" {
		return &sql.TxOptions{Isolation: sql.LevelReadCommitted}
	}
	return nil
}

// begin takes the row of tenancy_catalog, and with it the next epoch.
func (w *writer) begin(ctx context.Context) error {
	const take = `UPDATE tenancy_catalog SET epoch = epoch + 1 WHERE id = 1`
	var stalest int64
	var err error
	if w.dialect == "postgres" { // the notification leaves when the transaction is committed
		var told bool
		err = w.tx.QueryRowContext(ctx, take+` RETURNING epoch, max_stale_ms, pg_notify('`+notifyChannel+`', epoch::text) IS NULL`).Scan(&w.epoch, &stalest, &told)
	} else {
		if _, err = w.tx.ExecContext(ctx, take); err == nil {
			err = w.tx.QueryRowContext(ctx, `SELECT epoch, max_stale_ms FROM tenancy_catalog WHERE id = 1`).Scan(&w.epoch, &stalest)
		}
	}
	if err != nil {
		return explainNoRow(err)
	}
	w.noteStalest(stalest)
	return nil
}

func (w *writer) exec(ctx context.Context, query string, args ...any) error {
	_, err := w.tx.ExecContext(ctx, w.bind(query), args...)
	return err
}

// exists tells whether a query has a row.
func (w *writer) exists(ctx context.Context, query string, args ...any) (bool, error) {
	var one int
	err := w.tx.QueryRowContext(ctx, w.bind(query), args...).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// entry is what a change writes into the history.
type entry struct {
	What
	tenant   Tenant // after the change; its Reason is the change's
	domains  []string
	from, to State
	shard    string // if the change is one of a shard alone
	reason   string
	everyone bool
}

// note writes the one row of the history that each epoch has.
func (w *writer) note(ctx context.Context, e entry) error {
	at := e.tenant.Placement
	aShard := at.Exclusive && at.Schema == ""
	if e.What.ofShard() {
		at, aShard = tenancy.Placement{Shard: e.shard}, true
	}
	domains, err := pack(e.domains)
	if err != nil {
		return err
	}
	w.noted = &change{epoch: w.epoch, tenant: e.tenant.ID, name: e.tenant.Name, domains: e.domains, all: e.everyone}
	if aShard {
		w.noted.shard, w.noted.aShard = at.Shard, true
	}
	return w.exec(ctx, `INSERT INTO tenancy_history
		(epoch, at_us, what, tenant_id, name, domains, from_state, to_state, shard, schema_name, table_suffix, exclusive_place, shard_changed, everyone, reason)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		w.epoch, micros(w.at), string(e.What), string(e.tenant.ID), e.tenant.Name, domains, string(e.from), string(e.to),
		at.Shard, at.Schema, at.TableSuffix, bit(at.Exclusive), bit(aShard), bit(e.everyone), plainText(e.reason))
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// longestRetry is how long something is tried that others get in the way of.
const (
	longestRetry  = 15 * time.Second
	longestPause  = 250 * time.Millisecond
	shortestPause = 2 * time.Millisecond
)

// retry runs do again when nothing was wrong but that others were in the way. Readers can be in the way of a writer too, and it in
// theirs: in SQLite without WAL.
func (s *store) retry(ctx context.Context, do func() error) error {
	began := time.Now()
	for pause := shortestPause; ; pause = min(2*pause, longestPause) {
		err := do()
		if err == nil || !retryable(err) || time.Since(began) > longestRetry {
			return err
		}
		timer := time.NewTimer(pause/2 + rand.N(pause)) //nolint:gosec // it spreads attempts, and keeps no secret
		select {
		case <-ctx.Done():
			timer.Stop()
			return err
		case <-timer.C:
		}
	}
}

// retryable tells whether err means that nothing was done since others were in the way.
func retryable(err error) bool {
	var state interface{ SQLState() string }
	if errors.As(err, &state) {
		switch state.SQLState() {
		case "40001", "40P01", "55P03": // serialization_failure, deadlock_detected, lock_not_available
			return true
		}
	}
	switch mysqlNumber(err) {
	case 1020, 1205, 1213: // ER_CHECKREAD, ER_LOCK_WAIT_TIMEOUT, ER_LOCK_DEADLOCK
		return true
	}
	var code interface{ Code() int }
	if errors.As(err, &code) { // of SQLite; the rest is its extended code
		switch code.Code() & 0xff {
		case 5, 6: // SQLITE_BUSY, SQLITE_LOCKED
			return true
		}
	}
	return strings.HasPrefix(err.Error(), "database is locked") || strings.HasPrefix(err.Error(), "database table is locked") // github.com/mattn/go-sqlite3
}

// mysqlNumber returns the Number of a MySQLError in err's chain, or 0. The type is not imported, as nobody who has another
// database should have to link MySQL's driver.
func mysqlNumber(err error) uint64 {
	for ; err != nil; err = errors.Unwrap(err) {
		v := reflect.Indirect(reflect.ValueOf(err))
		if v.Kind() == reflect.Struct && v.Type().Name() == "MySQLError" {
			if n := v.FieldByName("Number"); n.IsValid() && n.CanUint() {
				return n.Uint()
			}
		}
	}
	return 0
}
