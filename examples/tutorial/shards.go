package main

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/catalog"
	"github.com/gormtenancy/tenancy/examples/internal/page"
	"github.com/gormtenancy/tenancy/provision"
)

// shards is the tutorial's third part: a master database knows the shards and which tenant is on which, and the application
// asks it.
func shards(ctx context.Context, p *page.Page, where *backend) (err error) {
	p.Title("3. A master database and two shards", "The metadata in the master; a tenant is put on a shard when it is created.")
	defer func() {
		err = errors.Join(err, where.drop(ctx, p, "tutorial_master", "tutorial_shard1", "tutorial_shard2", "tutorial_umbrella"))
	}()
	if err := where.create(ctx, p, "tutorial_master", "tutorial_shard1", "tutorial_shard2"); err != nil {
		return err
	}

	master := where.open(where.dsn("tutorial_master"))
	tenants, closeTenants, err := openCatalog(ctx, master, catalog.Config{
		Strategy:       catalog.FewestTenants(),
		MaxStale:       100 * time.Millisecond, // Drop waits until all processes have seen that the tenant is suspended
		DatabasePrefix: "tutorial_",
		Connect: func(_ context.Context, s catalog.Shard) (tenancy.Shard, error) {
			return tenancy.Shard{Primary: where.open(s.DSN)}, nil
		},
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeTenants()) }()
	db, closeAll, err := connect(p, master, tenancy.New(tenancy.Config{
		Models:   []any{&User{}},
		Resolver: tenants,
		Open:     tenants.OpenShard,
		SQL:      where.sql(),
	}))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeAll()) }()

	for _, shard := range []string{"shard1", "shard2"} { // while the application runs
		if err := tenants.AddShard(ctx, catalog.Shard{Name: shard, DSN: where.dsn("tutorial_" + shard)}); err != nil {
			return err
		}
	}
	life, err := provision.New(provision.Config{DB: db, Catalog: tenants, Opener: where.open, Models: []any{&User{}}})
	if err != nil {
		return err
	}
	if err := signUp(ctx, p, db, life); err != nil {
		return err
	}
	return leave(ctx, p, db, life, tenants)
}

// signUp creates tenants: their storage, tables and entries in the catalog, or nothing of it.
func signUp(ctx context.Context, p *page.Page, db *gorm.DB, life *provision.Provisioner) error {
	for _, n := range []catalog.NewTenant{
		{ID: "acme"},
		{ID: "globex"},
		{ID: "initech"},
		{ID: "umbrella", Shape: catalog.OwnDatabase}, // asks for a database of its own
	} {
		tenant, err := life.Create(ctx, n)
		if err != nil {
			return err
		}
		p.Row("%s is on %s (%s)", tenant.ID, tenant.Placement.Shard, tenant.Shape)
		if err := db.WithContext(tenancy.WithTenant(ctx, tenant.ID)).Create(&User{Name: "Ada of " + string(tenant.ID)}).Error; err != nil {
			return err
		}
	}
	return list(ctx, p, db, "acme", "globex", "initech", "umbrella")
}

// leave suspends a tenant, and drops all.
func leave(ctx context.Context, p *page.Page, db *gorm.DB, life *provision.Provisioner, tenants *catalog.Catalog) error {
	if _, err := tenants.Suspend(ctx, "globex", "invoice overdue"); err != nil {
		return err
	}
	err := db.WithContext(tenancy.WithTenant(ctx, "globex")).First(&User{}).Error
	if err := p.Refused("globex reads its users while it is suspended", err, tenancy.ErrTenantUnavailable); err != nil {
		return err
	}
	for _, id := range []tenancy.ID{"acme", "globex", "initech", "umbrella"} {
		dropped, err := life.Drop(ctx, id, "the tutorial is over")
		if err != nil {
			return err
		}
		if dropped.Database != "" {
			p.Row("dropped %s with its database %s", id, dropped.Database)
		} else {
			p.Row("dropped %s with %d user(s)", id, dropped.Rows["users"])
		}
	}
	err = db.WithContext(tenancy.WithTenant(ctx, "acme")).First(&User{}).Error
	return p.Refused("acme reads its users", err, tenancy.ErrTenantNotFound)
}
