package tenancy

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy/callbacks"
	"github.com/gormtenancy/tenancy/internal/pools"
	"github.com/gormtenancy/tenancy/internal/prepared"
)

// target is the pool that a statement goes to, and how it is sent there.
type target struct {
	conn     gorm.ConnPool
	database *pools.Database // leased until done; nil for a pool that is not the plugin's to close
	pool     *pools.Pool     // that conn is of; nil if it is none of the plugin's
	replica  bool
	tenant   string // that row-level security is told of; "" for none
	migrates bool   // the statement is the Migrator's
	schema   string // that is to be the connection's own, for the Migrator; "" for none
	text     string // of the Migrator's statement, with schema in it
	router   *router
}

// route finds the target of an admitted statement.
func (r *router) route(ctx context.Context, pass *callbacks.Pass, query string) (target, error) {
	t := target{conn: r.base, router: r}
	p := r.plugin
	if !p.routes && pass.At() == (callbacks.Place{}) {
		return t, nil
	}
	shard := ""
	if pass.Reach() == callbacks.There {
		shard = pass.At().Shard
	}
	if err := t.lease(ctx, shard, p.binder != nil && pass.Reach() == callbacks.There && pass.Who.Kind == callbacks.Everyone); err != nil {
		return target{}, r.refuse(pass, err)
	}
	t.choose(ctx, pass, shard, query)
	err := t.pick()
	if err == nil {
		err = p.checkSchema(ctx, pass.At(), t.database, plain(t.conn))
	}
	if err == nil {
		err = t.secure(ctx, pass, query)
	}
	if err != nil {
		t.done(ctx, err)
		return target{}, r.refuse(pass, err)
	}
	t.migrates, t.text = pass.Who.Kind == callbacks.System, query
	if t.schema = migrated(pass); t.schema != "" {
		if t.text, err = p.inSchema(pass, query); err != nil {
			t.done(ctx, nil)
			return target{}, err
		}
	}
	return t, nil
}

// choose takes a replica if one is to answer the statement.
func (t *target) choose(ctx context.Context, pass *callbacks.Pass, shard, query string) {
	replicas, w := t.database.HasReplicas(), writesOf(pass.Context)
	if !replicas && w == nil {
		return
	}
	switch reads := pass.Reads(query); {
	case !reads && w != nil:
		w.note(shard)
	case reads && replicas && !t.foreign() && t.pool == nil && (w == nil || !w.has(shard)):
		t.pool = t.database.Replica(ctx)
		t.replica = t.pool != nil
	}
}

// migrated returns the schema that a statement of the Migrator's is for.
func migrated(pass *callbacks.Pass) string {
	if pass.Who.Kind != callbacks.System {
		return ""
	}
	return pass.At().Schema
}

// routeTransaction finds the target of a transaction that begins on a shard.
func (r *router) routeTransaction(ctx context.Context, pass *callbacks.Pass, shard string, admin bool) (target, error) {
	t := target{conn: r.base, router: r}
	if !r.plugin.routes && shard == "" {
		return t, nil
	}
	if err := t.lease(ctx, shard, admin); err != nil {
		return target{}, r.refuse(pass, err)
	}
	err := t.pick()
	if err == nil && !admin {
		err = t.check(ctx, pass)
	}
	if err == nil && pass.Reach() == callbacks.There && pass.At().Shard == shard {
		err = r.plugin.checkSchema(ctx, pass.At(), t.database, plain(t.conn))
	}
	if err != nil {
		t.done(ctx, err)
		return target{}, r.refuse(pass, err)
	}
	return t, nil
}

// lease opens the database of a shard.
func (t *target) lease(ctx context.Context, shard string, admin bool) (err error) {
	r := t.router
	if r.foreign && shard != "" {
		if _, pinned := r.base.(*sql.Conn); pinned {
			return fmt.Errorf("%w: the statement is pinned to a connection of another database", ErrCrossShard)
		}
	}
	if t.database, err = r.plugin.databases.Lease(ctx, shard); err != nil || !admin {
		return err
	}
	if t.pool, err = t.database.Admin(ctx); err == nil && t.pool == nil {
		err = fmt.Errorf("%w: row-level security is on, and shows WithoutTenant no rows: set Shard.Admin, a role that it exempts", ErrInvalidConfig)
	}
	if err != nil {
		t.database.Done()
	}
	return err
}

// foreign tells whether the statement goes to a pool that something else has put in its place: dbresolver, for the default
// database.
func (t *target) foreign() bool { return t.router.foreign && t.database.Name() == "" }

// pick takes the connection pool.
func (t *target) pick() (err error) {
	r := t.router
	switch {
	case t.pool != nil:
		t.conn = r.connOf(t.pool)
	case t.foreign():
	default:
		if t.pool, err = t.database.Primary(); err != nil {
			return err
		}
		if t.database.Name() != "" || r.plugin.spreads() {
			t.conn = r.connOf(t.pool)
		}
	}
	return nil
}

// secure tells row-level security of the tenant of a statement outside transactions.
func (t *target) secure(ctx context.Context, pass *callbacks.Pass, query string) error {
	p := t.router.plugin
	if p.binder == nil {
		return t.check(ctx, pass)
	}
	if pass.Who.Kind == callbacks.System {
		if db, err := t.sqlDB(); err == nil {
			p.forgetTables(pass, db)
		}
	}
	if !p.guards(pass) {
		return nil
	}
	t.tenant = pass.Who.ID
	if pass.Reach() != callbacks.There && pass.Harmless(query) {
		return nil // it reads nothing that a policy would hide
	}
	db, err := t.sqlDB()
	if err == nil {
		err = p.checkRole(ctx, db, plain(t.conn))
	}
	if err == nil {
		err = p.checkTables(pass, db, plain(t.conn))
	}
	return err
}

// check looks once at the pool of a statement that row-level security or the name of a schema is to hold.
func (t *target) check(ctx context.Context, pass *callbacks.Pass) error {
	p := t.router.plugin
	if p.binder == nil && (pass.At().Schema == "" || p.dialect != "postgres") {
		return nil
	}
	db, err := t.sqlDB()
	switch {
	case err != nil:
		return err
	case p.binder != nil && pass.Reach() == callbacks.Home:
		return nil // a transaction's later statements are looked at when they come
	case p.binder != nil:
		p.forgetTables(pass, db)
		return p.checkRole(ctx, db, plain(t.conn))
	}
	return p.checkPooler(ctx, db, plain(t.conn))
}

// sqlDB is the pool that row-level security is checked for.
func (t *target) sqlDB() (*sql.DB, error) {
	if t.pool != nil && t.pool.DB() != nil {
		return t.pool.DB(), nil
	}
	if _, pinned := t.router.base.(*sql.Conn); pinned {
		return t.router.plugin.router.GetDBConn()
	}
	return poolOf(t.conn)
}

// connOf returns a pool of the plugin's as statements are to be sent to it.
func (r *router) connOf(pool *pools.Pool) gorm.ConnPool {
	if r.cached || r.plugin.prepares {
		if cache := pool.Prepared(); cache != nil {
			return cache
		}
	}
	return pool.Plain()
}

// refuse wraps an error of the plugin's own; others, of the context or a driver, pass as they are.
func (r *router) refuse(pass *callbacks.Pass, err error) error {
	if err == nil {
		return nil
	}
	for _, own := range []error{ErrShardNotFound, ErrTenantUnavailable, ErrOverloaded, ErrInvalidConfig, ErrCrossShard, ErrTenantMismatch, ErrTenantNotFound, ErrUnconfinedSQL} {
		if errors.Is(err, own) {
			return r.hooks.Rules.Refuse(pass.Context, callbacks.Refusal{Who: pass.Who, Op: pass.Op, Table: pass.TableName(), At: pass.At(), Cause: err})
		}
	}
	return err
}

// done ends the use of the target with what the statement ended with.
func (t *target) done(ctx context.Context, err error) {
	if t.database == nil {
		return
	}
	if t.pool != nil {
		t.pool.Report(ctx, err)
	}
	t.database.Done()
}

// exec sends a statement without rows.
func (t *target) exec(ctx context.Context, query string, args []any) (sql.Result, error) {
	switch p := t.router.plugin; {
	case t.tenant != "":
		return p.binder.Exec(ctx, plain(t.conn), t.tenant, query, args)
	case t.migrates && p.runner.Concerns(ctx, t.schema, t.text):
		return p.runner.Exec(ctx, plain(t.conn), t.schema, t.text, args)
	}
	return t.conn.ExecContext(ctx, query, args...)
}

// query sends a statement with rows.
func (t *target) query(ctx context.Context, query string, args []any) (*sql.Rows, error) {
	switch p := t.router.plugin; {
	case t.tenant != "":
		return p.binder.Query(ctx, plain(t.conn), t.tenant, query, args)
	case t.migrates && p.runner.Concerns(ctx, t.schema, t.text):
		return p.runner.Query(ctx, plain(t.conn), t.schema, t.text, args)
	}
	return t.conn.QueryContext(ctx, query, args...)
}

// queryRow sends a statement with one row.
func (t *target) queryRow(ctx context.Context, query string, args []any) *sql.Row {
	switch p := t.router.plugin; {
	case t.tenant != "":
		return p.binder.QueryRow(ctx, plain(t.conn), t.tenant, query, args)
	case t.migrates && p.runner.Concerns(ctx, t.schema, t.text):
		return p.runner.QueryRow(ctx, plain(t.conn), t.schema, t.text, args)
	}
	return t.conn.QueryRowContext(ctx, query, args...)
}

// failsOver tells whether a read that failed on a replica is to be sent to the primary, and takes that for the target.
func (t *target) failsOver(ctx context.Context, pass *callbacks.Pass, query string, err error) bool {
	if err == nil || !t.replica || ctx.Err() != nil || !pools.Unreachable(err) {
		return false
	}
	t.pool.Report(ctx, err)
	t.pool, t.replica = nil, false
	return t.pick() == nil && t.secure(ctx, pass, query) == nil
}

// plain returns the pool below a cache of prepared statements.
func plain(pool gorm.ConnPool) gorm.ConnPool {
	switch p := pool.(type) {
	case *gorm.PreparedStmtDB:
		return p.ConnPool
	case *prepared.Cache:
		return p.Plain()
	}
	return pool
}
