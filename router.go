package tenancy

import (
	"context"
	"database/sql"
	"fmt"
	"sync"

	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy/callbacks"
	"github.com/gormtenancy/tenancy/internal/pools"
)

// router is the outermost pool of a *gorm.DB, the only layer that sees transactions begin and statements whose callbacks
// were removed. It sends a statement only with the pass that the callbacks issued for it, and binds the tenant in its
// arguments. GORM's cache of prepared statements is below it: above, it would send statements around it.
//
// It must not be a gorm.TxBeginner: GORM asks for that first, and would get a *sql.Tx that asks for no pass
// (gorm v1.31.2 finisher_api.go Begin).
type router struct {
	plugin  *Plugin
	base    gorm.ConnPool // of the default database, or what something else has put into a statement
	hooks   *callbacks.Hooks
	gate    bool // base may be a pool around another router, which must not ask again
	foreign bool // base was put into the statement by something else
	cached  bool // statements are prepared: Session{PrepareStmt: true}

	mu       sync.Mutex
	prepared *gorm.PreparedStmtDB // base with the cache of Session{PrepareStmt: true}
}

var (
	_ gorm.ConnPool         = (*router)(nil)
	_ gorm.ConnPoolBeginner = (*router)(nil)
	_ gorm.GetDBConnector   = (*router)(nil)
)

// adopt returns pool, or one around it, that asks for the pass.
func (r *router) adopt(pool gorm.ConnPool) gorm.ConnPool {
	switch p := pool.(type) {
	case *router:
		return p
	case *transaction:
		return p
	case *gorm.PreparedStmtDB: // Session{PrepareStmt: true} puts its cache around the router
		if inner, ok := p.ConnPool.(*router); ok {
			return inner.withCache(p)
		}
	case *gorm.PreparedStmtTX:
		if inner, ok := p.Tx.(*transaction); ok {
			return inner.withCache(p.PreparedStmtDB)
		}
		return &transaction{router: r, bound: p}
	case *sql.Tx:
		return &transaction{router: r, bound: p}
	case gorm.TxCommitter:
		if inner, ok := pool.(boundTx); ok {
			return &transaction{router: r, bound: inner}
		}
	}
	return &router{plugin: r.plugin, base: pool, hooks: r.hooks, gate: true, foreign: true}
}

// withCache returns a router that prepares statements in the cache of p.
func (r *router) withCache(p *gorm.PreparedStmtDB) gorm.ConnPool {
	if _, ok := r.base.(*gorm.PreparedStmtDB); ok {
		return r
	}
	if r.plugin.spreads() { // the database has a cache of its own, which is bounded
		return &router{plugin: r.plugin, base: r.base, hooks: r.hooks, gate: r.gate, foreign: r.foreign, cached: true}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.prepared == nil || r.prepared.Stmts != p.Stmts {
		r.prepared = &gorm.PreparedStmtDB{ConnPool: r.base, Mux: p.Mux, Stmts: p.Stmts}
	}
	return &router{plugin: r.plugin, base: r.prepared, hooks: r.hooks, gate: r.gate, foreign: r.foreign, cached: true}
}

// PrepareContext implements [gorm.ConnPool]. GORM itself prepares below the router. What is prepared here runs without a
// look at its arguments, and where it was prepared.
func (r *router) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	pass, query, _, err := r.hooks.Admit(ctx, query, nil)
	if err == nil && pass.Fan() != nil {
		err = r.refuse(pass, fmt.Errorf("%w: a statement is prepared for one", ErrCrossShard))
	}
	if err != nil {
		return nil, err
	}
	t, err := r.route(ctx, pass, query)
	if err != nil {
		return nil, err
	}
	stmt, err := t.conn.PrepareContext(ctx, query)
	t.done(ctx, err)
	return stmt, err
}

// ExecContext implements [gorm.ConnPool].
func (r *router) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	pass, query, args, err := r.hooks.Admit(ctx, query, args)
	if err != nil {
		return nil, err
	}
	if pass.Needless() {
		return noRows{}, nil
	}
	if pass.Fan() != nil {
		return r.fanExec(ctx, pass, query, args, r)
	}
	t, err := r.route(ctx, pass, query)
	if err != nil {
		return nil, err
	}
	if r.gate {
		pass.Enter()
		defer pass.Leave()
	}
	result, err := t.exec(ctx, query, args)
	t.done(ctx, err)
	return result, err
}

// QueryContext implements [gorm.ConnPool].
func (r *router) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	pass, query, args, err := r.hooks.Admit(ctx, query, args)
	if err != nil {
		return nil, err
	}
	if pass.Needless() {
		return r.plugin.runner.Nothing(ctx) //nolint:sqlclosecheck // the caller closes them
	}
	if pass.Fan() != nil {
		return r.fanQuery(ctx, pass, query, args, r) //nolint:sqlclosecheck // the caller closes them
	}
	t, err := r.route(ctx, pass, query)
	if err != nil {
		return nil, err
	}
	if r.gate {
		pass.Enter()
		defer pass.Leave()
	}
	rows, err := t.query(ctx, query, args)
	if t.failsOver(ctx, pass, query, err) {
		rows, err = t.query(ctx, query, args)
	}
	t.done(ctx, err)
	return rows, err
}

// QueryRowContext implements [gorm.ConnPool].
func (r *router) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	pass, query, args, err := r.hooks.Admit(ctx, query, args)
	if err != nil {
		return callbacks.ErrorRow(err)
	}
	if pass.Fan() != nil {
		return r.fanQueryRow(ctx, pass, query, args, r)
	}
	t, err := r.route(ctx, pass, query)
	if err != nil {
		return callbacks.ErrorRow(err)
	}
	if r.gate {
		pass.Enter()
		defer pass.Leave()
	}
	row := t.queryRow(ctx, query, args)
	if t.failsOver(ctx, pass, query, row.Err()) {
		row = t.queryRow(ctx, query, args)
	}
	t.done(ctx, row.Err())
	return row
}

// BeginTx implements [gorm.ConnPoolBeginner]: the transaction begins with its first statement.
func (r *router) BeginTx(ctx context.Context, opts *sql.TxOptions) (gorm.ConnPool, error) {
	if !canBegin(r.base) {
		return nil, gorm.ErrInvalidTransaction
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return &transaction{router: r, ctx: ctx, opts: opts}, nil
}

// GetDBConn implements [gorm.GetDBConnector] for db.DB, and so for Connection, which have no context: they serve the default
// database if it is the only one.
func (r *router) GetDBConn() (*sql.DB, error) {
	if !r.foreign && r.plugin.several() {
		return nil, fmt.Errorf("%w: db.DB and Connection do not know which of the databases is meant: use tenancy.DB(db.WithContext(ctx))", ErrCrossShard)
	}
	return poolOf(r.base)
}

// Ping asks the default database whether it is there; gorm.Open does.
func (r *router) Ping() error {
	if p, ok := r.base.(interface{ Ping() error }); ok {
		return p.Ping()
	}
	return nil
}

func poolOf(pool gorm.ConnPool) (*sql.DB, error) {
	if db, ok := pool.(*sql.DB); ok {
		return db, nil
	}
	if c, ok := pool.(gorm.GetDBConnector); ok {
		return c.GetDBConn()
	}
	return nil, gorm.ErrInvalidDB
}

// DB returns the pool of the database that db's context leads to: the tenant's, or the default one without a tenant.
// Statements on it bypass the plugin. The pool of a shard is closed when it was not used for a while, or for others to be
// opened (see [PoolLimits]): ask for it anew each time, or use [LeaseDB].
func DB(db *gorm.DB) (*sql.DB, error) {
	pool, done, err := LeaseDB(db)
	if err == nil {
		done()
	}
	return pool, err
}

// LeaseDB is [DB] for who uses the pool for longer, or with pauses: it stays open until done is called, which must be, but for the
// calls of [Plugin.Close] and [Plugin.Forget]. It counts as a database in use (see [PoolLimits]), for which others may have to wait.
func LeaseDB(db *gorm.DB) (pool *sql.DB, done func(), err error) {
	p, ok := db.Plugins["tenancy"].(*Plugin)
	if !ok {
		return nil, nil, fmt.Errorf("%w: the plugin is not installed in this *gorm.DB", ErrInvalidConfig)
	}
	ctx := db.Statement.Context
	who, err := rules{p}.Identify(ctx)
	at := Placement{}
	switch {
	case err != nil:
	case who.Where == callbacks.ByKey:
		at, err = p.placeByKey(ctx, who)
	case who.Where == callbacks.Everywhere:
		err = fmt.Errorf("%w: OnAllShards means several databases: use WithPlacement or WithShardKey", ErrCrossShard)
	case who.Kind != callbacks.Nobody || who.Placed():
		at, err = p.place(ctx, who)
	}
	if err != nil {
		return nil, nil, err
	}
	database, err := p.databases.Lease(ctx, at.Shard)
	if err != nil {
		return nil, nil, err
	}
	pool, err = usable(ctx, database)
	if err != nil {
		database.Done()
		return nil, nil, err
	}
	return pool, sync.OnceFunc(database.Done), nil
}

// usable returns the primary's pool. One that has been out of reach is tried, as nobody will report how statements on it end.
func usable(ctx context.Context, database *pools.Database) (*sql.DB, error) {
	pool, err := database.Primary()
	if err != nil {
		return nil, err
	}
	own, err := poolOf(pool.Plain())
	if err != nil || !pool.OnTrial() {
		return own, err
	}
	err = own.PingContext(ctx)
	pool.Report(ctx, err)
	if err == nil {
		return own, nil
	}
	if _, refused := database.Primary(); refused != nil {
		err = refused
	}
	return nil, err
}

func canBegin(pool gorm.ConnPool) bool {
	switch pool.(type) {
	case gorm.TxBeginner, gorm.ConnPoolBeginner:
		return true
	}
	return false
}
