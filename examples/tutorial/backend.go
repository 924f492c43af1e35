package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"gorm.io/driver/postgres"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy/examples/internal/page"
	"github.com/gormtenancy/tenancy/examples/internal/pgserver"
	"github.com/gormtenancy/tenancy/provision"
	"github.com/gormtenancy/tenancy/sqlite"
	"github.com/gormtenancy/tenancy/sqlproof"
	postgresproof "github.com/gormtenancy/tenancy/sqlproof/postgres"
	sqliteproof "github.com/gormtenancy/tenancy/sqlproof/sqlite"
)

// backend is all that differs between the databases that the tutorial runs on.
type backend struct {
	open   provision.Opener
	dsn    func(database string) string
	sql    func() sqlproof.Analyzer
	server *pgserver.Server // nil: SQLite
	close  func(ctx context.Context) error
}

func openBackend(ctx context.Context, dsn string) (*backend, error) {
	if dsn == "" {
		folder, err := os.MkdirTemp("", "tutorial-")
		if err != nil {
			return nil, err
		}
		return &backend{
			open:  sqlite.Open,
			dsn:   func(database string) string { return filepath.Join(folder, database+".db") },
			sql:   sqliteproof.New,
			close: func(context.Context) error { return os.RemoveAll(folder) },
		}, nil
	}
	server, err := pgserver.Connect(ctx, dsn)
	if err != nil {
		return nil, err
	}
	return &backend{open: postgres.Open, dsn: server.DSN, sql: postgresproof.New, server: server, close: server.Close}, nil
}

// create makes databases. Drop them, even if it fails.
func (b *backend) create(ctx context.Context, p *page.Page, names ...string) error {
	for _, name := range names {
		if _, err := provision.CreateDatabase(ctx, b.open, b.dsn(name)); err != nil {
			return err
		}
		p.Row("created database %s", name)
	}
	return nil
}

// drop drops those of the databases that are there, even if ctx has ended.
func (b *backend) drop(ctx context.Context, p *page.Page, names ...string) error {
	var errs []error
	for _, name := range names {
		dropped, err := provision.DropDatabase(context.WithoutCancel(ctx), b.open, b.dsn(name))
		if dropped {
			p.Row("dropped database %s", name)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// connect opens a database with a plugin in it. What it returns closes both.
func connect(p *page.Page, dialector gorm.Dialector, plugin interface {
	gorm.Plugin
	Close() error
},
) (db *gorm.DB, closeAll func() error, err error) {
	db, err = gorm.Open(dialector, &gorm.Config{Logger: p})
	if err != nil {
		return nil, nil, err
	}
	pool, err := db.DB() // before db.Use: with several databases, tenancy.DB(db.WithContext(ctx)) is the way
	if err != nil {
		return nil, nil, err
	}
	if err := db.Use(plugin); err != nil {
		return nil, nil, errors.Join(err, pool.Close())
	}
	return db, func() error { return errors.Join(plugin.Close(), pool.Close()) }, nil
}
