package tenancy

import (
	"database/sql"
	"fmt"

	"github.com/gormtenancy/tenancy/callbacks"
)

// sender sends a part of a statement to its place.
type sender interface {
	send(part *callbacks.Pass, query string, args []any) (*sql.Rows, error)
	sendExec(part *callbacks.Pass, query string, args []any) (sql.Result, error)
}

// send implements sender: outside of transactions.
func (r *router) send(part *callbacks.Pass, query string, args []any) (*sql.Rows, error) {
	t, err := r.route(part, part, query)
	if err != nil {
		return nil, err
	}
	rows, err := t.query(part, query, args)
	if t.failsOver(part, part, query, err) {
		rows, err = t.query(part, query, args)
	}
	t.done(part, err)
	return rows, err
}

// sendExec implements sender.
func (r *router) sendExec(part *callbacks.Pass, query string, args []any) (sql.Result, error) {
	t, err := r.route(part, part, query)
	if err != nil {
		return nil, err
	}
	result, err := t.exec(part, query, args)
	t.done(part, err)
	return result, err
}

// fanBy decides who sends the parts of a statement over several places in a transaction: the transaction, if all are in its
// database; nobody, unless GORM began it for the statement alone.
func (t *transaction) fanBy(pass *callbacks.Pass) (sender, error) {
	places := pass.Fan().Places
	for _, at := range places[1:] {
		if at.Shard == places[0].Shard {
			continue
		}
		if t.pinned() {
			return nil, t.router.refuse(pass, fmt.Errorf("%w: the statement is for several databases, and a transaction is on one: run it outside of the transaction", ErrCrossShard))
		}
		return t.router, nil
	}
	return t, nil
}

// pinned tells whether the transaction is the application's, or has begun.
func (t *transaction) pinned() bool {
	if t.parent != nil {
		return t.parent.pinned()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.bound != nil || t.ctx == nil || !callbacks.BeganForStatement(t.ctx)
}

// send implements sender: in the transaction, whose connection has one answer open at a time. So each is read to its end.
func (t *transaction) send(part *callbacks.Pass, query string, args []any) (*sql.Rows, error) {
	t.turn.Lock()
	defer t.turn.Unlock()
	tx, err := t.begin(part)
	if err != nil {
		return nil, err
	}
	t.note(part, query)
	rows, err := tx.QueryContext(part, query, args...)
	if err != nil {
		return nil, err
	}
	kept, err := keep(rows)
	if err != nil {
		return nil, err
	}
	return t.router.handOver(part, kept) //nolint:sqlclosecheck // the caller closes them
}

// sendExec implements sender.
func (t *transaction) sendExec(part *callbacks.Pass, query string, args []any) (sql.Result, error) {
	t.turn.Lock()
	defer t.turn.Unlock()
	tx, err := t.begin(part)
	if err != nil {
		return nil, err
	}
	t.note(part, query)
	return tx.ExecContext(part, query, args...)
}

var (
	_ sender = (*router)(nil)
	_ sender = (*transaction)(nil)
)
