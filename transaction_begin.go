package tenancy

import (
	"context"
	"database/sql"
	"fmt"

	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy/callbacks"
)

// Where a transaction runs: in the database that its context leads to, or else in that of its first statement.

// begin returns the transaction in the database, and begins it if this is its first statement.
func (t *transaction) begin(pass *callbacks.Pass) (boundTx, error) {
	if t.parent != nil {
		tx, err := t.parent.begin(pass)
		if inner, ok := tx.(gorm.Tx); ok && err == nil {
			if t.router.plugin.spreads() { // the session's own cache would hand out statements of another database
				return t.parent.preparing(inner), nil
			}
			return &gorm.PreparedStmtTX{Tx: inner, PreparedStmtDB: t.prepared}, nil
		}
		return tx, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.done {
		return nil, sql.ErrTxDone
	}
	if err := t.join(pass); err != nil {
		return nil, err
	}
	if err := t.reach(pass); err != nil {
		return nil, err
	}
	return t.bound, t.show(pass)
}

// join refuses statements of a second tenant, unless the transaction was begun for all of them.
func (t *transaction) join(pass *callbacks.Pass) error {
	if pass.Who.Kind != callbacks.Tenant {
		return nil
	}
	if t.tenant == "" && t.ctx != nil {
		switch s := scopeOf(t.ctx); {
		case s == nil:
		case s.who.Kind == callbacks.Tenant:
			t.tenant = s.who.ID
		case s.who.Kind == callbacks.Everyone:
			return nil
		}
	}
	if t.tenant == "" {
		t.tenant = pass.Who.ID
	}
	if t.tenant != pass.Who.ID {
		return t.router.hooks.Rules.Refuse(pass.Context, callbacks.Refusal{
			Who: pass.Who, Op: pass.Op, Reason: callbacks.Mismatch,
			Why: "the transaction belongs to another tenant: begin one in this tenant's context",
		})
	}
	return nil
}

// reach begins the transaction in the database that its context leads to, or else its first statement, and refuses
// statements that need another one.
func (t *transaction) reach(pass *callbacks.Pass) error {
	if t.bound != nil && t.ctx == nil {
		return t.adopted(pass)
	}
	shard, admin := "", false
	if pass.Reach() == callbacks.There {
		shard, admin = pass.At().Shard, t.router.plugin.binder != nil && pass.Who.Kind == callbacks.Everyone
		if pass.Who.Kind == callbacks.Tenant && pass.Who.ID == t.tenant && !t.placed && !pass.Keyed() {
			t.at, t.placed = Placement(pass.At()), true
		}
	}
	if t.bound == nil {
		begin, role := shard, admin
		if at, ok, err := t.own(pass.Reach() != callbacks.Anywhere); err != nil {
			return t.router.refuse(pass, err)
		} else if ok {
			begin, role = at.Shard, role || t.everyone()
		}
		if err := t.start(pass, begin, role); err != nil {
			return err
		}
	}
	switch {
	case pass.Reach() == callbacks.Anywhere:
		return nil
	case shard != t.shard:
		return t.router.refuse(pass, fmt.Errorf("%w: the transaction runs on another one than the statement needs: begin one in the statement's own context, read global tables before, or leave an association out with Omit", ErrCrossShard))
	case admin && !t.admin:
		return t.router.refuse(pass, fmt.Errorf("%w: row-level security shows this transaction the rows of one tenant: begin one in the context of WithoutTenant", ErrCrossShard))
	}
	return t.router.refuse(pass, t.router.plugin.checkSchema(pass.Context, pass.At(), nil, withoutCache(t.bound)))
}

// own finds the placement that the transaction's context leads to, if it does. Where models are sharded, a tenant alone does not
// lead anywhere: if the first statement has a place, that counts.
func (t *transaction) own(placed bool) (at Placement, ok bool, err error) {
	if t.placed {
		return t.at, true, nil
	}
	if callbacks.DefaultTransactionAtHome(t.ctx) {
		return Placement{}, true, nil
	}
	s, sets := scopeOf(t.ctx), t.router.plugin.cfg.Sharding
	if s != nil && len(sets) > 0 {
		switch where := s.who.Where; {
		case where == callbacks.AtPlace:
			return s.at, true, nil
		case where == callbacks.ByKey && len(sets) == 1:
			at, err = t.router.plugin.placeByKey(t.ctx, &s.who)
			return at, err == nil, err
		case placed:
			return Placement{}, false, nil
		}
	}
	if s == nil || s.who.Kind != callbacks.Tenant && !s.who.Placed() {
		return Placement{}, false, nil
	}
	if s.err != nil {
		return Placement{}, false, s.err
	}
	at, err = t.router.plugin.place(t.ctx, &s.who)
	if err == nil && s.who.Kind == callbacks.Tenant {
		t.at, t.placed, t.tenant = at, true, s.who.ID
	}
	return at, err == nil, err
}

// everyone tells whether the transaction was begun for all tenants under row-level security.
func (t *transaction) everyone() bool {
	s := scopeOf(t.ctx)
	return t.router.plugin.binder != nil && s != nil && s.who.Kind == callbacks.Everyone
}

// placeOf returns the placement of a tenant whose transaction this is.
func (t *transaction) placeOf(who *callbacks.Subject) (at Placement, known bool) {
	if t.parent != nil {
		return t.parent.placeOf(who)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.at, t.placed && who.Kind == callbacks.Tenant && who.ID == t.tenant
}

// start begins the transaction on a shard, and sets its savepoints.
func (t *transaction) start(pass *callbacks.Pass, shard string, admin bool) error {
	target, err := t.router.routeTransaction(t.ctx, pass, shard, admin)
	if err != nil {
		return err
	}
	bound, err := beginOn(t.ctx, target.conn, t.opts)
	target.done(t.ctx, err)
	if err != nil {
		return err
	}
	t.bound, t.shard, t.admin, t.pool = bound, shard, admin, target.pool
	if err = t.show(pass); err == nil {
		for _, text := range t.savepoints {
			if _, err = withoutCache(bound).ExecContext(t.ctx, text); err != nil {
				break
			}
		}
	}
	if err != nil {
		_ = bound.Rollback()
		t.bound = nil
		return err
	}
	t.savepoints = nil
	return nil
}

// adopted refuses statements of other databases in a transaction that the plugin has not begun.
func (t *transaction) adopted(pass *callbacks.Pass) error {
	if pass.Reach() == callbacks.There && pass.At().Shard != "" {
		return t.router.refuse(pass, fmt.Errorf("%w: the transaction was begun by something else, and the tenant's rows are in another database", ErrCrossShard))
	}
	return nil
}

// beginOn begins a transaction in the database.
func beginOn(ctx context.Context, pool gorm.ConnPool, opts *sql.TxOptions) (boundTx, error) {
	switch b := pool.(type) {
	case gorm.TxBeginner:
		return b.BeginTx(ctx, opts)
	case gorm.ConnPoolBeginner:
		tx, err := b.BeginTx(ctx, opts)
		if err != nil {
			return nil, err
		}
		if bound, ok := tx.(boundTx); ok {
			return bound, nil
		}
	}
	return nil, fmt.Errorf("%w: the pool below the plugin cannot begin transactions", gorm.ErrInvalidTransaction)
}

// reachable fails if the database cannot be reached. The end of a transaction without statements, which never began, asks
// it: an application that begins one to see whether the database is there still sees it.
func (t *transaction) reachable(ctx context.Context) error {
	if callbacks.Apart(ctx) {
		return nil // its statement was not in it
	}
	at, _, err := t.own(false)
	if err != nil {
		return err
	}
	database, err := t.router.plugin.databases.Lease(ctx, at.Shard)
	if err != nil {
		return err
	}
	defer database.Done()
	pool, err := database.Primary()
	if err != nil {
		return err
	}
	db, err := poolOf(pool.Plain())
	if err != nil {
		return nil // a pool that is no *sql.DB cannot be asked
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	return conn.Close()
}
