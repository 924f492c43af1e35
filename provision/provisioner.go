package provision

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/catalog"
)

// Config says how tenants are made.
type Config struct {
	// DB has the tenancy plugin, whose Resolver is Catalog. Its role owns the tables that it makes.
	DB *gorm.DB
	// Catalog has the tenants.
	Catalog *catalog.Catalog
	// Opener makes dialectors for own databases: postgres.Open, mysql.Open or sqlite.Open, or a function around it that adds the
	// password. Zero: there are no own databases.
	Opener Opener
	// Database is how own databases are made. Zero: as the server makes them by itself.
	Database Database
	// Schema is how own schemas are made. Zero: as the server makes them by itself.
	Schema Schema
	// Models are made by AutoMigrate at a new tenant's place, and in shared tables if one of them is missing there. Zero: Tables makes
	// them.
	Models []any
	// Tables makes the tables at the place of t. In its context the tenant resolves, though it is not active yet. It is called
	// for tenants in shared tables too, whose tables may be there already, and then by one process at a time. Zero: Models are made.
	Tables func(ctx context.Context, t catalog.Tenant) error
	// Keys has the database keep foreign keys within a tenant in shared tables: see [tenancy.Plugin.TenantKeysDDL]. Zero: it does not.
	Keys bool
	// Reference are the reference tables that a new database gets, with the rows of the default one. Zero: none.
	Reference []any
	// Seed writes a new tenant's first rows: in the tenant's context, in one transaction, and once for each creation that ends
	// well. Zero: there are none.
	Seed func(ctx context.Context, tx *gorm.DB, t catalog.Tenant) error
	// Observer implements [StepObserver]. Zero: none.
	Observer any
}

// Provisioner makes and drops tenants, with all that they have. It is safe for concurrent use, also by several processes.
type Provisioner struct {
	cfg      Config
	plugin   *tenancy.Plugin
	observer StepObserver
}

// New returns a Provisioner. What is wrong with cfg is [tenancy.ErrInvalidConfig], all of it at once.
func New(cfg Config) (*Provisioner, error) {
	var faults []error
	wrong := func(bad bool, what string) {
		if bad {
			faults = append(faults, fmt.Errorf("%w: provision: %s", tenancy.ErrInvalidConfig, what))
		}
	}
	p := &Provisioner{cfg: cfg}
	p.cfg.Models, p.cfg.Reference = slices.Clone(cfg.Models), slices.Clone(cfg.Reference)
	wrong(cfg.Catalog == nil, "Catalog is missing")
	wrong(cfg.DB == nil, "DB is missing")
	if cfg.DB != nil {
		p.plugin, _ = cfg.DB.Plugins[(&tenancy.Plugin{}).Name()].(*tenancy.Plugin)
		wrong(p.plugin == nil, "DB does not have the tenancy plugin: db.Use it first")
		wrong(cfg.Catalog != nil && cfg.Catalog.Dialect() != cfg.DB.Name(), "the Catalog takes tenants' databases for those of another dialect than DB's: set Dialect in its Config")
	}
	wrong(cfg.Tables == nil && len(cfg.Models) == 0, "there is nothing to make tables of: set Models, or Tables")
	wrong(cfg.Tables != nil && len(cfg.Models) > 0, "Models would not be made, as Tables makes the tables: set one of the two")
	if cfg.Observer != nil {
		p.observer, _ = cfg.Observer.(StepObserver)
		wrong(p.observer == nil, fmt.Sprintf("Observer: %T is no StepObserver", cfg.Observer))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return p, nil
}

// of returns the context in which statements of a tenant run that is not active, and the *gorm.DB with it.
func (p *Provisioner) of(ctx context.Context, t catalog.Tenant) (context.Context, *gorm.DB) {
	ctx = catalog.Maintenance(tenancy.WithTenant(ctx, t.ID))
	return ctx, p.cfg.DB.WithContext(ctx)
}
