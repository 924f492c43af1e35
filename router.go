package tenancy

import (
	"context"
	"database/sql"
	"fmt"
	"sync"

	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy/callbacks"
)

// router is the outermost pool of a *gorm.DB, the only layer that sees transactions begin and statements whose callbacks
// were removed. It sends a statement only with the pass that the callbacks issued for it, and binds the tenant in its
// arguments. GORM's cache of prepared statements is below it: above, it would send statements around it.
//
// It must not be a gorm.TxBeginner: GORM asks for that first, and would get a *sql.Tx that asks for no pass
// (gorm v1.31.2 finisher_api.go Begin).
type router struct {
	base  gorm.ConnPool
	hooks *callbacks.Hooks
	gate  bool // base may be a pool around another router, which must not ask again

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
	return &router{base: pool, hooks: r.hooks, gate: true}
}

// withCache returns a router that prepares statements in the cache of p.
func (r *router) withCache(p *gorm.PreparedStmtDB) gorm.ConnPool {
	if _, ok := r.base.(*gorm.PreparedStmtDB); ok {
		return r
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.prepared == nil || r.prepared.Stmts != p.Stmts {
		r.prepared = &gorm.PreparedStmtDB{ConnPool: r.base, Mux: p.Mux, Stmts: p.Stmts}
	}
	return &router{base: r.prepared, hooks: r.hooks}
}

// PrepareContext implements [gorm.ConnPool]. GORM itself prepares below the router.
func (r *router) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	_, query, _, err := r.hooks.Admit(ctx, query, nil)
	if err != nil {
		return nil, err
	}
	return r.base.PrepareContext(ctx, query)
}

// ExecContext implements [gorm.ConnPool].
func (r *router) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	pass, query, args, err := r.hooks.Admit(ctx, query, args)
	if err != nil {
		return nil, err
	}
	if r.gate {
		pass.Enter()
		defer pass.Leave()
	}
	return r.base.ExecContext(ctx, query, args...)
}

// QueryContext implements [gorm.ConnPool].
func (r *router) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	pass, query, args, err := r.hooks.Admit(ctx, query, args)
	if err != nil {
		return nil, err
	}
	if r.gate {
		pass.Enter()
		defer pass.Leave()
	}
	return r.base.QueryContext(ctx, query, args...) //nolint:sqlclosecheck // the caller closes them
}

// QueryRowContext implements [gorm.ConnPool].
func (r *router) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	pass, query, args, err := r.hooks.Admit(ctx, query, args)
	if err != nil {
		return callbacks.ErrorRow(err)
	}
	if r.gate {
		pass.Enter()
		defer pass.Leave()
	}
	return r.base.QueryRowContext(ctx, query, args...)
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

// GetDBConn implements [gorm.GetDBConnector]: db.DB, and so Connection, serve the one database.
func (r *router) GetDBConn() (*sql.DB, error) { return poolOf(r.base) }

// Ping asks the database below whether it is there; gorm.Open does.
func (r *router) Ping() error {
	if p, ok := r.base.(interface{ Ping() error }); ok {
		return p.Ping()
	}
	return nil
}

// reachable fails if the database cannot be reached. The end of a transaction without statements, which never began, asks
// it: an application that begins one to see whether the database is there still sees it.
func (r *router) reachable(ctx context.Context) error {
	db, err := r.GetDBConn()
	if err != nil {
		return nil //nolint:nilerr // a pool that is no *sql.DB cannot be asked
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	return conn.Close()
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

// DB returns the pool of the database that db's context leads to. Statements on it bypass the plugin.
func DB(db *gorm.DB) (*sql.DB, error) {
	p, ok := db.Plugins["tenancy"].(*Plugin)
	if !ok {
		return nil, fmt.Errorf("%w: the plugin is not installed in this *gorm.DB", ErrInvalidConfig)
	}
	ctx := db.Statement.Context
	who, err := rules{p}.Identify(ctx)
	if err == nil && who.Kind != callbacks.Nobody {
		_, err = p.place(ctx, who)
	}
	if err != nil {
		return nil, err
	}
	return p.router.GetDBConn()
}

func canBegin(pool gorm.ConnPool) bool {
	switch pool.(type) {
	case gorm.TxBeginner, gorm.ConnPoolBeginner:
		return true
	}
	return false
}
