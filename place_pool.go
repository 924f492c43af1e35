package tenancy

import (
	"context"
	"database/sql"
	"errors"

	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy/callbacks"
)

// placePool sends the Migrator's statements to the database of a placement, whose tables they name as they are there.
type placePool struct {
	ctx    context.Context //nolint:containedctx // of the session, for GetDBConn, which gets none
	router *router
	at     callbacks.Place
}

var (
	_ gorm.ConnPool         = (*placePool)(nil)
	_ gorm.ConnPoolBeginner = (*placePool)(nil)
	_ gorm.GetDBConnector   = (*placePool)(nil)
)

// open leases the database of the place.
func (p *placePool) open(ctx context.Context) (target, error) {
	t := target{conn: p.router.base, router: p.router}
	if err := t.lease(ctx, p.at.Shard, false); err != nil {
		return target{}, err
	}
	if err := t.pick(); err != nil {
		t.done(ctx, err)
		return target{}, err
	}
	t.conn = plain(t.conn)
	return t, nil
}

// ExecContext implements [gorm.ConnPool].
func (p *placePool) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	needless, err := p.router.hooks.MigratesAt(ctx, p.at, query)
	if needless || err != nil {
		return noRows{}, err
	}
	t, err := p.open(ctx)
	if err != nil {
		return nil, err
	}
	result, err := t.conn.ExecContext(ctx, query, args...)
	t.done(ctx, err)
	return result, err
}

// QueryContext implements [gorm.ConnPool].
func (p *placePool) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	t, err := p.open(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := t.conn.QueryContext(ctx, query, args...)
	t.done(ctx, err)
	return rows, err
}

// QueryRowContext implements [gorm.ConnPool].
func (p *placePool) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	t, err := p.open(ctx)
	if err != nil {
		return callbacks.ErrorRow(err)
	}
	row := t.conn.QueryRowContext(ctx, query, args...)
	t.done(ctx, row.Err())
	return row
}

// PrepareContext implements [gorm.ConnPool].
func (p *placePool) PrepareContext(context.Context, string) (*sql.Stmt, error) {
	return nil, errors.ErrUnsupported // the Migrator prepares nothing
}

// BeginTx implements [gorm.ConnPoolBeginner].
func (p *placePool) BeginTx(ctx context.Context, opts *sql.TxOptions) (gorm.ConnPool, error) {
	t, err := p.open(ctx)
	if err != nil {
		return nil, err
	}
	tx, err := beginOn(ctx, t.conn, opts)
	t.done(ctx, err)
	if err != nil {
		return nil, err
	}
	return tx, nil
}

// GetDBConn implements [gorm.GetDBConnector], for Connection.
func (p *placePool) GetDBConn() (*sql.DB, error) {
	t, err := p.open(p.ctx)
	if err != nil {
		return nil, err
	}
	db, err := poolOf(t.conn)
	t.done(p.ctx, err)
	return db, err
}
