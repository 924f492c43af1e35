package provision

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/gormtenancy/tenancy"
)

const (
	// transactionsTime is how long transactions are waited for that were open when a tenant had been suspended.
	transactionsTime = time.Minute
	// lookAgain is more than the 100 ms for which InnoDB's list has to be left alone to be made anew (MariaDB 10.11
	// storage/innobase/trx/trx0i_s.cc can_cache_be_updated).
	lookAgain = 150 * time.Millisecond
)

// ended waits for the transactions that have touched tables of tenants and were open when this process was sure that no new
// one is the tenant's. One of them may be the tenant's, and would write rows after all were deleted: a transaction stays with the
// tenant that it began with.
//
// SQLite has no such list: see [tenantRows.outwaited]. What a killed process has begun there is gone with it.
func (r tenantRows) ended(ctx context.Context) error {
	pool, err := poolOf(at(ctx, tenancy.Placement{Shard: r.tenant.Placement.Shard}), r.cfg.DB)
	if err != nil {
		return err
	}
	var query string
	switch r.cfg.DB.Name() {
	case postgresDialect:
		if query, err = r.lockers(ctx); err != nil {
			return err
		}
	case mysqlDialect:
		query = innodbTransactions
	default:
		return nil
	}
	open, err := transactions(ctx, pool, query)
	if err != nil {
		return err
	}
	limit, again := time.NewTimer(transactionsTime), time.NewTicker(lookAgain)
	defer limit.Stop()
	defer again.Stop()
	for len(open) > 0 {
		select {
		case <-again.C:
		case <-limit.C:
			return fmt.Errorf("%w: transactions that were open before the tenant was suspended, and that have touched tables of tenants, are still open after %s: end them, and call it again",
				tenancy.ErrTenantUnavailable, transactionsTime)
		case <-ctx.Done():
			return ctx.Err()
		}
		now, err := transactions(ctx, pool, query)
		if err != nil {
			return err
		}
		for t := range open {
			if !now[t] {
				delete(open, t)
			}
		}
	}
	return nil
}

// lockers is the query for transactions that have locks on tables of tenants: whoever reads a table keeps one until its transaction
// ends. All roles may see them. It is how CREATE INDEX CONCURRENTLY waits (PostgreSQL 15 src/backend/storage/lmgr/lmgr.c
// WaitForLockersMultiple).
func (r tenantRows) lockers(ctx context.Context) (string, error) {
	all, err := r.tables(ctx)
	if err != nil {
		return "", err
	}
	var names []string
	for _, t := range all {
		name := quote(postgresDialect, t.Name+r.tenant.Placement.TableSuffix)
		if t.Schema != "" {
			name = quote(postgresDialect, t.Schema) + "." + name
		}
		names = append(names, "to_regclass("+literal(name)+")")
	}
	if len(names) == 0 {
		names = []string{"NULL"}
	}
	return `SELECT DISTINCT virtualtransaction FROM pg_catalog.pg_locks
		WHERE locktype = 'relation' AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
			AND relation IN (` + strings.Join(names, ", ") + `) AND pid IS DISTINCT FROM pg_backend_pid()`, nil
}

// innodbTransactions is the query for the transactions of a database of MySQL, by connection and beginning: their IDs change.
const innodbTransactions = `SELECT CONCAT(t.trx_mysql_thread_id, ' ', t.trx_started) FROM information_schema.innodb_trx AS t
	JOIN information_schema.processlist AS p ON p.id = t.trx_mysql_thread_id WHERE p.db = DATABASE() AND p.id <> CONNECTION_ID()`

// transactions runs a query for open transactions. On MySQL it takes the privilege PROCESS: without it none are seen, and none
// are waited for.
func transactions(ctx context.Context, pool *sql.DB, query string) (map[string]bool, error) {
	const accessDenied = 1227 // ER_SPECIFIC_ACCESS_DENIED_ERROR
	all, err := read[string](ctx, pool, query)
	if numberOf(err) == accessDenied {
		return nil, nil
	}
	open := make(map[string]bool, len(all))
	for _, t := range all {
		open[t] = true
	}
	return open, err
}
