package migrate

import (
	"context"
	"database/sql"
	"database/sql/driver"
)

// whole is what a connection of MySQL's driver can do. Another one is left as it is.
type whole interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.NamedValueChecker
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// patient is a connection to MySQL that tries a statement again which met the lock timeout. MySQL has undone that statement and
// nothing else, and cannot undo the ones before it in a step, for it commits with each that changes a table: so the statement is
// what is to be tried again, not the step.
type patient struct {
	whole

	retries  int
	attempts *attempts
}

// ExecContext implements [driver.ExecerContext].
func (p *patient) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	for tried := 1; ; tried++ {
		result, err := p.whole.ExecContext(ctx, query, args)
		p.attempts.note(tried)
		if err == nil || tried > p.retries || !waitedInVain(err) {
			return result, err
		}
		if ctxErr := pause(ctx, tried); ctxErr != nil {
			return nil, err
		}
	}
}

// attempts is how often something was tried at most.
type attempts int

func (a *attempts) note(n int) { *a = max(*a, attempts(n)) }

// learn gives up trying again where the server undoes more than a statement.
func (p *patient) learn(ctx context.Context, one *sql.DB) error {
	var undoesAll bool
	if err := one.QueryRowContext(ctx, "SELECT @@innodb_rollback_on_timeout").Scan(&undoesAll); err != nil {
		return err
	}
	if undoesAll {
		p.retries = 0
	}
	return nil
}
