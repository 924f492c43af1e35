package tenancy

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"

	"gorm.io/gorm"
	"gorm.io/gorm/schema"

	"github.com/gormtenancy/tenancy/callbacks"
	"github.com/gormtenancy/tenancy/internal/pools"
	"github.com/gormtenancy/tenancy/internal/rowsecurity"
	"github.com/gormtenancy/tenancy/internal/schemas"
	"github.com/gormtenancy/tenancy/internal/tables"
	"github.com/gormtenancy/tenancy/sqlproof"
)

// Config says what belongs to whom. Its zero value refuses every table.
type Config struct {
	// Models are the models, or [Table] values, of tenants' data. A field tagged tenancy:"tenant" marks the tenant column.
	// A model without one is confined by its placement alone, which must be exclusive. Join tables of many2many relations
	// are known by themselves. Zero: models are known by their tags when they are first used; list them all the same, so
	// that relations between them are known from the first statement on.
	Models []any
	// Global are models or [Table] values that belong to no tenant. Zero: none.
	Global []any
	// Reference are models or [Table] values with the same rows in every database. They are written with [OnAllShards], or with
	// [WithPlacement] in one. Zero: none.
	Reference []any
	// Unlisted says what to do with tables that are in no list and have no tagged model. Zero: [UnlistedRefuse].
	Unlisted UnlistedPolicy
	// Resolver finds the placement of a tenant. Zero: all tenants are in the database that gorm.Open opened, and are not
	// looked up.
	Resolver ShardResolver
	// Sharding are the sets of models that are spread by a shard key. It needs SQL, which finds the keys in statements. Zero: none.
	Sharding []Sharding
	// Shards are the databases known at start, opened when they are first needed. Zero: the one that gorm.Open opened.
	Shards []Shard
	// Open returns a shard that is in no list, when it is first needed; an unknown name is [ErrShardNotFound]. It must not
	// create a database, and must escape the name where it writes it into a DSN. Its context has the values of one of the
	// statements that wait for the shard. It is called concurrently, once at a time for each name, and again when the shard was closed in the
	// meantime. Zero: there are no other shards.
	Open func(ctx context.Context, shard string) (Shard, error)
	// Pools bounds the databases that are open at once. See [PoolLimits] for its zero value.
	Pools PoolLimits
	// FanOut bounds what a statement over several placements takes. See [FanOutLimits] for its zero value.
	FanOut FanOutLimits
	// RowSecurity is the PostgreSQL setting that row-level security policies read, such as "app.tenant_id". Each statement of a
	// tenant is then sent with the setting bound to the tenant, until the end of its transaction. [Plugin.RowSecurityDDL] has
	// the policies. Zero: off.
	RowSecurity string
	// SQL reads the text of statements: [github.com/gormtenancy/tenancy/sqlproof/postgres.New], mysql.New or sqlite.New, for
	// the database that gorm.Open opened. With it each statement is proven to stay within the tenant before it is sent, and
	// text of the application's own (raw SQL, joins, several tables) is confined. Zero: no text is read, so text that could
	// touch a table is refused.
	SQL sqlproof.Analyzer
	// RawSQL says what to do with text on tenants' tables that SQL has read. Zero: [RawRewrite].
	RawSQL RawSQLPolicy
	// Observer implements one or more of [ScopedObserver], [RefusedObserver] and [WithoutTenantObserver]. Zero: none.
	Observer any
}

// Table is a view, or a table without a model.
type Table struct {
	Name         string
	Schema       string // if it is not the one that names without a schema mean
	TenantColumn string // holds tenant IDs as text; empty for a global table
	ShardKey     string // for [Sharding]: says where each row is
}

// declared returns the table as the registry takes it.
func (t Table) declared() tables.Declared {
	if t.Schema != "" && t.Name != "" {
		t.Name = t.Schema + "." + t.Name
	}
	return tables.Declared{Name: t.Name, TenantColumn: t.TenantColumn, ShardKey: t.ShardKey}
}

// UnlistedPolicy says what to do with tables that nothing is known of.
type UnlistedPolicy int

const (
	// UnlistedRefuse refuses them with [ErrUnknownTable].
	UnlistedRefuse UnlistedPolicy = iota
	// UnlistedGlobal takes them for global, and lets raw SQL pass that names no table of tenants: for an application that is
	// adopting the plugin table by table.
	UnlistedGlobal
)

// RawSQLPolicy says what to do with SQL on tenants' tables that the application wrote itself.
type RawSQLPolicy int

const (
	// RawRewrite lets it run if it is shown to stay within the tenant, if need be with conditions added, and refuses what
	// cannot be shown.
	RawRewrite RawSQLPolicy = iota
	// RawRefuse refuses all raw SQL on tenants' tables, and other statements that would need a condition added.
	RawRefuse
)

// Plugin holds the statements of one *gorm.DB to the tenant of their context. Make it with [New] and install it with
// db.Use; after that it may be used concurrently.
type Plugin struct {
	cfg       Config
	observers observers
	nobody    callbacks.Subject // of contexts without a tenant
	claims    claims
	pure      bool     // the resolver always gives a tenant the same place
	schemas   sync.Map // shard → ownSchemas
	suffixes  sync.Map // those that the registry knows
	dialect   string
	databases *pools.Set
	binder    *rowsecurity.Binder // nil: row-level security is off
	merged    *sql.DB             // hands over what was merged
	runner    *schemas.Runner     // of the Migrator's statements in schemas
	secured   sync.Map            // *sql.DB → *secured
	prepares  bool                // gorm.Config.PrepareStmt
	routes    bool                // statements can go to other pools than the one that gorm.Open opened

	mu     sync.Mutex
	home   map[string]gorm.Plugin // the plugin map of the *gorm.DB that this plugin is installed in
	hooks  *callbacks.Hooks
	router *router
}

var _ gorm.Plugin = (*Plugin)(nil)

// observers are the sides of Config.Observer; nil where it has none.
type observers struct {
	scoped  ScopedObserver
	refused RefusedObserver
	without WithoutTenantObserver
}

// New returns a plugin with a copy of cfg. It cannot fail: db.Use reports every fault of the configuration at once, as
// [ErrInvalidConfig].
func New(cfg Config) *Plugin {
	cfg.Models = slices.Clone(cfg.Models)
	cfg.Global = slices.Clone(cfg.Global)
	cfg.Reference = slices.Clone(cfg.Reference)
	cfg.Shards = slices.Clone(cfg.Shards)
	cfg.Sharding = slices.Clone(cfg.Sharding)
	_, pure := cfg.Resolver.(perTenant)
	return &Plugin{cfg: cfg, pure: pure}
}

// Name implements [gorm.Plugin].
func (p *Plugin) Name() string { return "tenancy" }

// Initialize implements [gorm.Plugin]; db.Use calls it. It sends no SQL.
func (p *Plugin) Initialize(db *gorm.DB) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.hooks != nil {
		if sameMap(p.home, db.Plugins) {
			// dbresolver opens replicas with a copy of the configuration, and gorm.Open then initialises all plugins again
			// (dbresolver v1.6.2 dbresolver.go convertToConnPool). A replica must stay what it is.
			return nil
		}
		return fmt.Errorf("%w: this Plugin is installed in another *gorm.DB already: make one with New for each", ErrInvalidConfig)
	}
	registry := tables.NewRegistry(func(model any) (*schema.Schema, error) {
		stmt := &gorm.Statement{DB: db}
		err := stmt.Parse(model)
		return stmt.Schema, err
	})
	if err := p.configure(registry, db.Name()); err != nil {
		return err
	}
	hooks := &callbacks.Hooks{Rules: rules{p}, Tables: registry, Shards: p.shards(), Parallel: p.cfg.FanOut.Parallel, SQL: p.cfg.SQL, RefuseRaw: p.cfg.RawSQL == RawRefuse}
	builders := maps.Clone(db.ClauseBuilders) // the dialect's own
	if err := hooks.Register(db); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalidConfig, err)
	}
	if len(p.cfg.Sharding) > 0 {
		db.Dialector = &dialector{Dialector: db.Dialector, plugin: p, builders: builders}
	}
	p.router = &router{plugin: p, base: p.openHome(db), hooks: hooks}
	db.ConnPool = p.router
	if db.Statement != nil {
		db.Statement.ConnPool = p.router
	}
	p.hooks, p.home = hooks, db.Plugins
	if db.Statement != nil {
		p.learnSuffixes(db.Statement.Context)
	}
	return nil
}

// configure checks the configuration and classifies its models.
func (p *Plugin) configure(registry *tables.Registry, dialect string) error {
	faults := registry.Declare(declared(p.cfg.Models), declared(p.cfg.Global), declared(p.cfg.Reference), shardSets(p.cfg.Sharding))
	if p.cfg.Resolver == nil {
		for t := range registry.PlacedModels() {
			faults = append(faults, fmt.Errorf("%s has no field tagged tenancy:\"tenant\", and without a Resolver no placement is a tenant's own: tag the field, or list it in Global", "Models: "+t.Describe()))
		}
	}
	if p.cfg.Unlisted != UnlistedRefuse && p.cfg.Unlisted != UnlistedGlobal {
		faults = append(faults, fmt.Errorf("%s: %d is not a policy", "Unlisted", p.cfg.Unlisted))
	}
	if a := p.cfg.SQL; a != nil && a.Dialect() != dialect {
		faults = append(faults, fmt.Errorf("%s: it reads the SQL of %s, and the database is %s: take the analyzer from sqlproof/%[3]s", "SQL", a.Dialect(), dialect))
	}
	if p.cfg.RawSQL != RawRewrite && p.cfg.RawSQL != RawRefuse {
		faults = append(faults, fmt.Errorf("%s: %d is not a policy", "RawSQL", p.cfg.RawSQL))
	}
	p.dialect = dialect
	faults = append(faults, p.shardFaults()...)
	faults = append(faults, resolverFaults("Resolver", p.cfg.Resolver)...)
	faults = append(faults, p.shardingFaults()...)
	if o := p.cfg.Observer; o != nil {
		p.observers.scoped, _ = o.(ScopedObserver)
		p.observers.refused, _ = o.(RefusedObserver)
		p.observers.without, _ = o.(WithoutTenantObserver)
		if p.observers == (observers{}) {
			faults = append(faults, fmt.Errorf("%s: %T implements none of the observer interfaces", "Observer", o))
		}
	}
	if len(faults) == 0 {
		return nil
	}
	for i, fault := range faults {
		faults[i] = fmt.Errorf("%w: %w", ErrInvalidConfig, fault)
	}
	return errors.Join(faults...)
}

// declared translates Table values.
func declared(models []any) []any {
	out := make([]any, len(models))
	for i, m := range models {
		switch t := m.(type) {
		case Table:
			out[i] = t.declared()
		case *Table:
			if t != nil {
				out[i] = t.declared()
			}
		default:
			out[i] = m
		}
	}
	return out
}

func sameMap(a, b map[string]gorm.Plugin) bool {
	return a != nil && b != nil && reflect.ValueOf(a).Pointer() == reflect.ValueOf(b).Pointer()
}
