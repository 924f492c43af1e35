package tenancy

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"sync"

	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy/callbacks"
	"github.com/gormtenancy/tenancy/internal/pools"
	"github.com/gormtenancy/tenancy/internal/prepared"
	"github.com/gormtenancy/tenancy/internal/sqltext"
)

// boundTx is a transaction that has begun.
type boundTx interface {
	gorm.ConnPool
	gorm.TxCommitter
}

// transaction begins when its first statement comes, and belongs to the tenant of that statement, or of the context it was
// begun with: a statement of another tenant in it is [ErrTenantMismatch]. Savepoints that are set before it has begun are
// set when it does. Like *sql.Tx it may be used concurrently, and is over with Commit or Rollback.
type transaction struct {
	router *router
	ctx    context.Context
	opts   *sql.TxOptions

	mu         sync.Mutex
	bound      boundTx
	done       bool
	savepoints []string // texts, while it has not begun
	tenant     string   // the first one
	at         Placement
	placed     bool   // at is the tenant's
	shard      string // that it has begun on
	admin      bool   // with the role that row-level security exempts
	pool       *pools.Pool
	vetted     bool   // its role is one that row-level security holds
	shown      string // the tenant that row-level security was told of
	prepared   *gorm.PreparedStmtDB
	parent     *transaction // that this one prepares statements for
}

var (
	_ gorm.Tx             = (*transaction)(nil)
	_ gorm.GetDBConnector = (*transaction)(nil)
)

// withCache returns the transaction with statements prepared in the cache of p.
func (t *transaction) withCache(p *gorm.PreparedStmtDB) gorm.ConnPool {
	if _, ok := t.router.base.(*gorm.PreparedStmtDB); ok || t.parent != nil {
		return t
	}
	return &transaction{router: t.router, parent: t, prepared: &gorm.PreparedStmtDB{ConnPool: t.router.base, Mux: p.Mux, Stmts: p.Stmts}}
}

// begin returns the transaction in the database, and begins it if this is its first statement.
func (t *transaction) begin(pass *callbacks.Pass) (boundTx, error) {
	if t.parent != nil {
		tx, err := t.parent.begin(pass)
		if inner, ok := tx.(gorm.Tx); ok && err == nil {
			if t.router.plugin.cfg.Resolver != nil { // the session's own cache would hand out statements of another database
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

// preparing returns the transaction with the statements that are prepared for its database.
func (t *transaction) preparing(bound gorm.Tx) boundTx {
	if _, already := bound.(*prepared.Tx); already || t.pool == nil {
		return bound
	}
	if cache := t.pool.Prepared(); cache != nil {
		return cache.In(bound)
	}
	return bound
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
		if pass.Who.Kind == callbacks.Tenant && pass.Who.ID == t.tenant && !t.placed {
			t.at, t.placed = Placement(pass.At()), true
		}
	}
	if t.bound == nil {
		begin, role := shard, admin
		if at, ok, err := t.own(); err != nil {
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

// own finds the placement that the transaction's context leads to, if it does.
func (t *transaction) own() (at Placement, ok bool, err error) {
	if t.placed {
		return t.at, true, nil
	}
	if callbacks.DefaultTransactionAtHome(t.ctx) {
		return Placement{}, true, nil
	}
	s := scopeOf(t.ctx)
	if s == nil || s.who.Kind != callbacks.Tenant && !s.who.Placed {
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

// note remembers a write for reads of the same context outside the transaction. It need not have been committed.
func (t *transaction) note(pass *callbacks.Pass, query string) {
	if w := writesOf(pass.Context); w != nil && !pass.Reads(query) {
		shard := t.shard
		if t.parent != nil {
			shard = t.parent.shard
		}
		w.note(shard)
	}
}

// database is the pool that row-level security is checked for.
func (t *transaction) database() *sql.DB {
	if t.pool != nil {
		return t.pool.DB()
	}
	base := t.router.base
	if _, pinned := base.(*sql.Conn); pinned {
		base = t.router.plugin.router.base
	}
	db, _ := poolOf(base) // nil: what is found out is not kept apart
	return db
}

// adopted refuses statements of other databases in a transaction that the plugin has not begun.
func (t *transaction) adopted(pass *callbacks.Pass) error {
	if pass.Reach() == callbacks.There && pass.At().Shard != "" {
		return t.router.refuse(pass, fmt.Errorf("%w: the transaction was begun by something else, and the tenant's rows are in another database", ErrCrossShard))
	}
	return nil
}

// show tells row-level security of the tenant: once, and again after a rollback to a savepoint.
func (t *transaction) show(pass *callbacks.Pass) error {
	p := t.router.plugin
	if p.binder == nil || t.admin {
		return nil
	}
	p.forgetTables(pass, t.database())
	if pass.Reach() == callbacks.There && p.guards(pass) {
		db := t.database()
		if !t.vetted {
			if err := p.checkRoleIn(pass.Context, db, withoutCache(t.bound)); err != nil {
				return t.router.refuse(pass, err)
			}
			t.vetted = true
		}
		if err := p.checkTables(pass, db, withoutCache(t.bound)); err != nil {
			return t.router.refuse(pass, err)
		}
	}
	tenant := t.tenant
	if pass.Who.Kind == callbacks.Tenant {
		tenant = pass.Who.ID
	}
	if tenant == "" || tenant == t.shown {
		return nil
	}
	if err := p.binder.Bind(pass.Context, withoutCache(t.bound), tenant); err != nil {
		return err
	}
	t.shown = tenant
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

// withoutCache returns the transaction below a cache of prepared statements: MySQL cannot prepare savepoints
// (gorm v1.31.2 finisher_api.go SavePoint).
func withoutCache(tx boundTx) gorm.ConnPool {
	switch p := tx.(type) {
	case *gorm.PreparedStmtTX:
		return p.Tx
	case *prepared.Tx:
		return p.Plain()
	}
	return tx
}

// savepoint keeps a savepoint statement for later if the transaction has not begun, and drops what a rollback undoes.
func (t *transaction) savepoint(s sqltext.Savepoint, query string) (kept bool, err error) {
	if t.parent != nil {
		return t.parent.savepoint(s, query)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.done:
		return true, sql.ErrTxDone
	case t.bound != nil:
		return false, nil
	}
	if s.Op == "SAVEPOINT" {
		t.savepoints = append(t.savepoints, query)
		return true, nil
	}
	for i, text := range slices.Backward(t.savepoints) {
		if set, _ := sqltext.SavepointOf(text); set.Name == s.Name {
			if s.Op == "RELEASE" {
				t.savepoints = t.savepoints[:i]
			} else {
				t.savepoints = t.savepoints[:i+1]
			}
			return true, nil
		}
	}
	return false, nil // the database says that there is no such savepoint
}

// ExecContext implements [gorm.ConnPool].
func (t *transaction) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	pass, query, args, err := t.router.hooks.Admit(ctx, query, args)
	if err != nil {
		return nil, err
	}
	point, isSavepoint := sqltext.SavepointOf(query)
	if isSavepoint {
		if kept, err := t.savepoint(point, query); kept || err != nil {
			return noRows{}, err
		}
	}
	if pass.Needless() {
		return noRows{}, nil
	}
	tx, err := t.begin(pass)
	if err != nil {
		return nil, err
	}
	t.note(pass, query)
	pass.Enter()
	defer pass.Leave()
	if isSavepoint {
		defer t.forgetShown(point)
		return withoutCache(tx).ExecContext(ctx, query, args...)
	}
	if schema := migrated(pass); schema != "" {
		if query, err = t.router.plugin.inSchema(pass, query); err != nil {
			return nil, err
		}
		return t.router.plugin.runner.Exec(ctx, withoutCache(tx), schema, query, args)
	}
	return tx.ExecContext(ctx, query, args...)
}

// forgetShown has row-level security told of the tenant again after a rollback to a savepoint: what was set after the
// savepoint is undone.
func (t *transaction) forgetShown(s sqltext.Savepoint) {
	if t.parent != nil {
		t.parent.forgetShown(s)
		return
	}
	if s.Op == "SAVEPOINT" || s.Op == "RELEASE" {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.shown = ""
}

// noRows is the result of a savepoint that is kept for later.
type noRows struct{}

// LastInsertId implements [sql.Result].
func (noRows) LastInsertId() (int64, error) { return 0, nil }

// RowsAffected implements [sql.Result].
func (noRows) RowsAffected() (int64, error) { return 0, nil }

// QueryContext implements [gorm.ConnPool].
func (t *transaction) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	pass, query, args, err := t.router.hooks.Admit(ctx, query, args)
	if err != nil {
		return nil, err
	}
	if pass.Needless() {
		return t.router.plugin.runner.Nothing(ctx) //nolint:sqlclosecheck // the caller closes them
	}
	tx, err := t.begin(pass)
	if err != nil {
		return nil, err
	}
	t.note(pass, query)
	pass.Enter()
	defer pass.Leave()
	if schema := migrated(pass); schema != "" {
		if query, err = t.router.plugin.inSchema(pass, query); err != nil {
			return nil, err
		}
		return t.router.plugin.runner.Query(ctx, withoutCache(tx), schema, query, args) //nolint:sqlclosecheck // the caller closes them
	}
	return tx.QueryContext(ctx, query, args...) //nolint:sqlclosecheck // the caller closes them
}

// QueryRowContext implements [gorm.ConnPool].
func (t *transaction) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	pass, query, args, err := t.router.hooks.Admit(ctx, query, args)
	if err != nil {
		return callbacks.ErrorRow(err)
	}
	tx, err := t.begin(pass)
	if err != nil {
		return callbacks.ErrorRow(err)
	}
	t.note(pass, query)
	pass.Enter()
	defer pass.Leave()
	if schema := migrated(pass); schema != "" {
		if query, err = t.router.plugin.inSchema(pass, query); err != nil {
			return callbacks.ErrorRow(err)
		}
		return t.router.plugin.runner.QueryRow(ctx, withoutCache(tx), schema, query, args)
	}
	return tx.QueryRowContext(ctx, query, args...)
}

// PrepareContext implements [gorm.ConnPool].
func (t *transaction) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	pass, query, _, err := t.router.hooks.Admit(ctx, query, nil)
	if err != nil {
		return nil, err
	}
	tx, err := t.begin(pass)
	if err != nil {
		return nil, err
	}
	return tx.PrepareContext(ctx, query)
}

// StmtContext implements [gorm.Tx]: without it GORM would run prepared statements without the transaction, and lose its
// connection (gorm v1.31.2 prepare_stmt.go BeginTx).
func (t *transaction) StmtContext(ctx context.Context, stmt *sql.Stmt) *sql.Stmt {
	if t.parent != nil {
		return t.parent.StmtContext(ctx, stmt)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if tx, ok := t.bound.(gorm.Tx); ok {
		return tx.StmtContext(ctx, stmt)
	}
	return stmt
}

// GetDBConn implements [gorm.GetDBConnector].
func (t *transaction) GetDBConn() (*sql.DB, error) { return t.router.GetDBConn() }

// Commit implements [gorm.TxCommitter].
func (t *transaction) Commit() error {
	if t.parent != nil {
		return t.parent.Commit()
	}
	return t.end(boundTx.Commit, t.reachable)
}

// reachable fails if the database cannot be reached. The end of a transaction without statements, which never began, asks
// it: an application that begins one to see whether the database is there still sees it.
func (t *transaction) reachable(ctx context.Context) error {
	at, _, err := t.own()
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

// Rollback implements [gorm.TxCommitter].
func (t *transaction) Rollback() error {
	if t.parent != nil {
		return t.parent.Rollback()
	}
	return t.end(boundTx.Rollback, func(context.Context) error { return nil })
}

// end ends the transaction, in the database if it has begun there.
func (t *transaction) end(how func(boundTx) error, unbegun func(context.Context) error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.done {
		return sql.ErrTxDone
	}
	t.done = true
	if t.bound == nil {
		return unbegun(t.ctx)
	}
	return how(t.bound)
}
