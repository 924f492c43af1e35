package tenancy

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy/internal/handover"
	"github.com/gormtenancy/tenancy/internal/pools"
	"github.com/gormtenancy/tenancy/internal/rowsecurity"
	"github.com/gormtenancy/tenancy/internal/schemas"
)

// PoolLimits bounds what the plugin opens: the shards of Config.Shards and Config.Open. The pool that gorm.Open opened is
// the application's to bound.
type PoolLimits struct {
	// Databases is how many may be open at once; the one that was not used for the longest time is closed for another, never
	// one in use: while a statement runs, rows are open, or a transaction is. Zero: 100.
	Databases int
	// Connections is how many connections each pool may have: each primary, each replica, each admin role. Zero: 10.
	Connections int
	// Total is how many connections all shards may have together. An open shard reserves its Connections for each of its
	// pools, so Total bounds how many are open. Zero: no further bound.
	Total int
	// IdleTime is how long a shard stays open unused. Zero: 10 minutes.
	IdleTime time.Duration
	// Wait is how long a statement waits, within its context, for a shard to be opened when all that may be open are in use;
	// then it is [ErrOverloaded]. Zero: 30 seconds.
	Wait time.Duration
}

// poolOptions are the options of the set of databases.
func (p *Plugin) poolOptions() pools.Options {
	return pools.Options{
		Limits: pools.Limits{
			Databases: p.cfg.Pools.Databases, Connections: p.cfg.Pools.Connections, Total: p.cfg.Pools.Total,
			IdleTime: p.cfg.Pools.IdleTime, Wait: p.cfg.Pools.Wait,
		},
		Dialect: p.dialect,
		Errors:  pools.Errors{NotFound: ErrShardNotFound, Unavailable: ErrTenantUnavailable, Overloaded: ErrOverloaded, InvalidConfig: ErrInvalidConfig},
	}
}

// specs are the shards known at start.
func (p *Plugin) specs() []pools.Spec {
	specs := make([]pools.Spec, len(p.cfg.Shards))
	for i, s := range p.cfg.Shards {
		specs[i] = s.spec()
	}
	return specs
}

func (s Shard) spec() pools.Spec {
	spec := pools.Spec{Name: s.Name, Primary: s.Primary, Replicas: s.Replicas, Admin: s.Admin, MaxLag: s.MaxLag}
	if s.Policy != nil { // or else a nil Policy in an interface that is not
		spec.Policy = s.Policy
	}
	return spec
}

// shardFaults checks the configuration of databases.
func (p *Plugin) shardFaults() []error {
	faults := pools.Faults(p.poolOptions(), p.specs())
	if p.several() && !p.spreads() {
		faults = append(faults, fmt.Errorf("%s: without Resolver and Sharding nothing is in any of them: set one", "Shards, Open"))
	}
	if p.cfg.RowSecurity == "" {
		return faults
	}
	if p.dialect != "postgres" {
		faults = append(faults, fmt.Errorf("RowSecurity: %s has no row-level security: leave it empty", p.dialect))
	}
	if err := rowsecurity.Setting(p.cfg.RowSecurity).Check(); err != nil {
		faults = append(faults, fmt.Errorf("RowSecurity: %w", err))
	}
	return faults
}

// several tells whether there are, or can be, further databases than the one that gorm.Open opened.
func (p *Plugin) several() bool {
	for _, s := range p.cfg.Shards {
		if s.Name != "" {
			return true
		}
	}
	return p.cfg.Open != nil
}

// spreads tells whether statements are sent to where a resolver says.
func (p *Plugin) spreads() bool { return p.cfg.Resolver != nil || len(p.cfg.Sharding) > 0 }

// openHome makes the set of databases, and returns the pool of the default one.
func (p *Plugin) openHome(db *gorm.DB) gorm.ConnPool {
	base := db.ConnPool
	if cached, ok := base.(*gorm.PreparedStmtDB); ok && p.spreads() {
		base = cached.ConnPool // statements are prepared in the caches of the databases: see target.pick
	}
	o := p.poolOptions()
	o.MostPrepared = db.PrepareStmtMaxSize
	o.Retired = func(pool *sql.DB) { p.secured.Delete(pool) }
	o.Config = func() *gorm.Config { return &gorm.Config{Logger: db.Logger} }
	if open := p.cfg.Open; open != nil {
		o.Open = func(ctx context.Context, name string) (pools.Spec, error) {
			s, err := open(ctx, name)
			if err != nil {
				return pools.Spec{}, err
			}
			s.Name = name
			return s.spec(), nil
		}
	}
	p.databases = pools.New(o, p.specs()...)
	p.databases.Home(base)
	p.runner, p.merged = schemas.New(p.dialect), handover.Open()
	p.prepares = db.PrepareStmt
	p.routes = len(p.cfg.Shards) > 0 || p.cfg.Open != nil || p.cfg.RowSecurity != "" || p.spreads()
	if p.cfg.RowSecurity != "" {
		p.binder = rowsecurity.New(rowsecurity.Setting(p.cfg.RowSecurity))
	}
	return base
}

// Close closes the pools that the plugin has opened; the one that gorm.Open opened is the application's. Statements that
// need one of them fail afterwards. It may be called more than once.
func (p *Plugin) Close() error {
	p.mu.Lock()
	databases, binder, runner, merged := p.databases, p.binder, p.runner, p.merged
	p.mu.Unlock()
	var errs []error
	if databases != nil {
		errs = append(errs, databases.Close())
	}
	if binder != nil {
		errs = append(errs, binder.Close())
	}
	if merged != nil {
		errs = append(errs, merged.Close())
	}
	if runner != nil {
		errs = append(errs, runner.Close())
	}
	return errors.Join(errs...)
}
