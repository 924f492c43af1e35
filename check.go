package tenancy

import (
	"context"
	"errors"
	"fmt"

	"github.com/gormtenancy/tenancy/callbacks"
	"github.com/gormtenancy/tenancy/internal/tables"
)

// Check looks at the default database and at those of Config.Shards, for a program that would rather not start than refuse its
// first statements: whether they can be reached, and with Config.RowSecurity whether policies hold the role, and each shared
// table of tenants that is there. What it finds is returned at once; a fault of the configuration is [ErrInvalidConfig].
// Tenants in schemas, and databases of Config.Open, are looked at when they are first used.
func (p *Plugin) Check(ctx context.Context) error {
	p.mu.Lock()
	installed := p.hooks != nil
	p.mu.Unlock()
	if !installed {
		return fmt.Errorf("%w: the plugin is not installed: db.Use it first", ErrInvalidConfig)
	}
	errs := []error{p.checkShard(ctx, "")}
	for _, s := range p.cfg.Shards {
		if s.Name != "" {
			errs = append(errs, p.checkShard(ctx, s.Name))
		}
	}
	return errors.Join(errs...)
}

// checkShard looks at one database.
func (p *Plugin) checkShard(ctx context.Context, name string) (err error) {
	defer func() {
		if err != nil && name != "" {
			err = fmt.Errorf("shard %q: %w", name, err)
		}
	}()
	database, err := p.databases.Lease(ctx, name)
	if err != nil {
		return err
	}
	defer database.Done()
	pool, err := database.Primary()
	if err != nil {
		return err
	}
	db, err := poolOf(pool.Plain())
	if err != nil {
		return err
	}
	err = db.PingContext(ctx)
	pool.Report(ctx, err)
	if err != nil || p.binder == nil {
		return err
	}
	var names []string
	for _, t := range p.hooks.Tables.ConfinedTables() {
		if t.Class != tables.Placed {
			names = append(names, quotedAt(t, callbacks.Place{}))
		}
	}
	_, err = p.binder.CheckTables(ctx, db, names)
	return errors.Join(p.checkRole(ctx, db, db), insecure("RowSecurity", err))
}
