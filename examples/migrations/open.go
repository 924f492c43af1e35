package main

import (
	"context"
	"errors"
	"path/filepath"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/catalog"
	"github.com/gormtenancy/tenancy/sqlite"
	sqliteproof "github.com/gormtenancy/tenancy/sqlproof/sqlite"
)

// open opens the catalog and the application. The catalog is in the file home.db; tenants' files are beside it.
func open(ctx context.Context, folder string, cfg catalog.Config) (a *app, err error) {
	a = &app{}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.close())
		}
	}()
	home := filepath.Join(folder, "home.db")
	if a.master, err = a.gorm(home); err != nil {
		return nil, err
	}
	cfg.Connect = func(_ context.Context, s catalog.Shard) (tenancy.Shard, error) {
		return tenancy.Shard{Primary: sqlite.Open(s.DSN)}, nil
	}
	if a.catalog, err = catalog.Open(ctx, a.master, cfg); err != nil {
		return nil, err
	}
	a.closers = append(a.closers, a.catalog.Close)
	if err := a.catalog.AddShard(ctx, catalog.Shard{DSN: home}); err != nil && !errors.Is(err, catalog.ErrShardExists) {
		return nil, err
	}
	if a.db, err = a.gorm(home); err != nil {
		return nil, err
	}
	a.plugin = tenancy.New(tenancy.Config{
		Models: []any{&Invoice{}}, Resolver: a.catalog, Open: a.catalog.OpenShard, SQL: sqliteproof.New(),
		Pools: tenancy.PoolLimits{Databases: 20},
	})
	a.closers = append(a.closers, a.plugin.Close)
	return a, a.db.Use(a.plugin)
}

// gorm opens a file.
func (a *app) gorm(path string) (*gorm.DB, error) {
	db, err := gorm.Open(sqlite.Open(path), &gorm.Config{Logger: logger.Discard})
	if err != nil {
		return nil, err
	}
	pool, err := db.DB()
	if err == nil {
		a.closers = append(a.closers, pool.Close)
	}
	return db, err
}
