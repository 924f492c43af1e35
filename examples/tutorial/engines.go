package main

import (
	"context"
	"errors"

	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/examples/internal/page"
)

// engines is the tutorial's first part. There, a dictionary has an engine for each tenant, and each request picks the session
// of its own. Here the context names the tenant, and the plugin opens the tenant's pool when it is first needed.
func engines(ctx context.Context, p *page.Page, where *backend) (err error) {
	p.Title("1. An engine for each tenant", "create_engine for each tenant, create_database, drop_database.")
	defer func() {
		err = errors.Join(err, where.drop(ctx, p, "tutorial_home", "tutorial_acme", "tutorial_globex"))
	}()
	if err := where.create(ctx, p, "tutorial_home", "tutorial_acme", "tutorial_globex"); err != nil {
		return err
	}

	db, closeAll, err := connect(p, where.open(where.dsn("tutorial_home")), tenancy.New(tenancy.Config{
		Models:   []any{&User{}},
		Resolver: tenancy.DatabasePerTenant("tutorial_"),
		Open: func(_ context.Context, name string) (tenancy.Shard, error) {
			return tenancy.Shard{Primary: where.open(where.dsn(name))}, nil
		},
		SQL: where.sql(),
	}))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeAll()) }()

	for _, id := range []tenancy.ID{"acme", "globex"} {
		tenant := db.WithContext(tenancy.WithTenant(ctx, id))
		if err := tenant.AutoMigrate(&User{}); err != nil {
			return err
		}
		if err := tenant.Create(&User{Name: "Ada of " + string(id)}).Error; err != nil {
			return err
		}
	}
	return list(ctx, p, db, "acme", "globex")
}

// list shows the users of some tenants.
func list(ctx context.Context, p *page.Page, db *gorm.DB, tenants ...tenancy.ID) error {
	for _, id := range tenants {
		var users []User
		if err := db.WithContext(tenancy.WithTenant(ctx, id)).Order("name").Find(&users).Error; err != nil {
			return err
		}
		for _, u := range users {
			p.Row("%s has user #%d %s", id, u.ID, u.Name)
		}
	}
	return nil
}
