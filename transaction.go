package tenancy

import (
	"context"
	"database/sql"
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
	turn       sync.Mutex   // of the parts of statements over several places
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
	if pass.Fan() != nil {
		by, err := t.fanBy(pass)
		if err != nil {
			return nil, err
		}
		return t.router.fanExec(ctx, pass, query, args, by)
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
	if pass.Fan() != nil {
		by, err := t.fanBy(pass)
		if err != nil {
			return nil, err
		}
		return t.router.fanQuery(ctx, pass, query, args, by) //nolint:sqlclosecheck // the caller closes them
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
	if pass.Fan() != nil {
		by, err := t.fanBy(pass)
		if err != nil {
			return callbacks.ErrorRow(err)
		}
		return t.router.fanQueryRow(ctx, pass, query, args, by)
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
