package main

import (
	"context"
	"errors"

	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/catalog"
	"github.com/gormtenancy/tenancy/examples/internal/page"
)

const (
	sharedDatabase = "tutorial_shared"
	sharedApp      = "tutorial_app" // the role of the application: row-level security does not hold superusers
)

// shared is the tutorial's second part. There, a table of tenants is asked for the tenant of a name, and "SET myapp.tenant_id" tells
// the session, which keeps it when its connection goes back to the pool. Here the catalog is asked, and the setting lives as long
// as the statement.
func shared(ctx context.Context, p *page.Page, where *backend) (err error) {
	p.Title("2. A shared database with a tenant identifier", "The tenant by its name, tenant_id in every table, SET myapp.tenant_id.")
	defer func() { err = errors.Join(err, where.drop(ctx, p, sharedDatabase)) }()
	if err := where.create(ctx, p, sharedDatabase); err != nil {
		return err
	}

	tenants, closeTenants, err := openCatalog(ctx, where.open(where.dsn(sharedDatabase)), catalog.Config{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeTenants()) }()
	if err := tenants.AddShard(ctx, catalog.Shard{Name: ""}); err != nil { // the database that gorm.Open opens
		return err
	}
	for _, n := range []catalog.NewTenant{{ID: "t1", Name: "Acme Corp."}, {ID: "t2", Name: "Globex Inc."}} {
		if _, err := tenants.Create(ctx, n); err != nil {
			return err
		}
		if _, err := tenants.Activate(ctx, n.ID, "signed up"); err != nil {
			return err
		}
	}

	cfg := tenancy.Config{Models: []any{&User{}}, Resolver: tenants, SQL: where.sql()}
	app, err := where.secure(ctx, p, &cfg)
	if err != nil {
		return err
	}
	db, closeAll, err := connect(p, app, tenancy.New(cfg))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeAll()) }()

	for _, name := range []string{"Acme Corp.", "Globex Inc."} {
		tenant, err := tenants.ByName(ctx, name)
		if err != nil {
			return err
		}
		p.Row("%s is tenant %s", name, tenant.ID)
		if err := db.WithContext(tenancy.WithTenant(ctx, tenant.ID)).Create(&User{Name: "Ada of " + name}).Error; err != nil {
			return err
		}
	}
	if err := list(ctx, p, db, "t1", "t2"); err != nil {
		return err
	}
	if cfg.RowSecurity != "" {
		var told string
		if err := db.WithContext(tenancy.WithTenant(ctx, "t1")).Raw("SELECT current_setting('myapp.tenant_id')").Scan(&told).Error; err != nil {
			return err
		}
		p.Row("in a statement of t1, myapp.tenant_id is %s", told)
	}
	_, err = tenants.ByName(ctx, "Initech")
	return p.Refused("the tenant named Initech", err, tenancy.ErrTenantNotFound)
}

// openCatalog opens a catalog in a master database.
func openCatalog(ctx context.Context, master gorm.Dialector, cfg catalog.Config) (*catalog.Catalog, func() error, error) {
	db, err := gorm.Open(master, &gorm.Config{})
	if err != nil {
		return nil, nil, err
	}
	pool, err := db.DB()
	if err != nil {
		return nil, nil, err
	}
	tenants, err := catalog.Open(ctx, db, cfg)
	if err != nil {
		return nil, nil, errors.Join(err, pool.Close())
	}
	return tenants, func() error { return errors.Join(tenants.Close(), pool.Close()) }, nil
}

// secure makes the table of users, and returns what the application connects with. On PostgreSQL that is a role which the
// database itself holds to the tenant of the setting; SQLite has no such guard, and the plugin's condition stands alone.
func (b *backend) secure(ctx context.Context, p *page.Page, cfg *tenancy.Config) (app gorm.Dialector, err error) {
	home := b.open(b.dsn(sharedDatabase))
	if b.server != nil {
		cfg.RowSecurity = "myapp.tenant_id"
	}
	plugin := tenancy.New(*cfg)
	db, closeAll, err := connect(p, home, plugin)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, closeAll()) }()
	if err := db.WithContext(ctx).AutoMigrate(&User{}); err != nil {
		return nil, err
	}
	if b.server == nil {
		return home, nil
	}
	ddl, err := plugin.RowSecurityDDL(tenancy.Placement{})
	if err != nil {
		return nil, err
	}
	if err := b.server.CreateRole(ctx, sharedApp, ""); err != nil {
		return nil, err
	}
	ddl = append(ddl, "GRANT SELECT, INSERT, UPDATE, DELETE ON users TO "+sharedApp, "GRANT USAGE ON SEQUENCE users_id_seq TO "+sharedApp)
	if err := b.server.Exec(ctx, sharedDatabase, ddl...); err != nil {
		return nil, err
	}
	p.Row("policies of the database read the setting myapp.tenant_id")
	return b.open(b.server.DSNAs(sharedApp, sharedDatabase)), nil
}
