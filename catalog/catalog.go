package catalog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
)

// Config says how a catalog chooses places and how fresh its answers are. Its zero value is fit for use, but Connect is
// needed to open shards.
type Config struct {
	// Strategy chooses the shards of new tenants. Zero: [FewestTenants].
	Strategy Strategy
	// SchemaPrefix and DatabasePrefix begin the names of tenants' own schemas and databases; the ID follows. Zero: "tenant_".
	SchemaPrefix, DatabasePrefix string
	// Connect makes the dialectors of a shard, and adds to its DSNs what they do not have, such as passwords. The DSNs of own
	// databases are complete. Zero: [Catalog.OpenShard] refuses.
	Connect func(ctx context.Context, s Shard) (tenancy.Shard, error)
	// MaxStale is how long it takes at most, after a change was committed, until every process with the master in reach acts on
	// it. Processes may differ in it. Zero: 2 s; the least is 100 ms.
	MaxStale time.Duration
	// Outage is how long cached tenants are served while the master cannot be reached. Zero: 1 h; negative: not at all.
	Outage time.Duration
	// NotFoundFor is how long it is remembered that there is no such tenant, at most MaxStale. Zero: 1 s, or MaxStale.
	NotFoundFor time.Duration
	// CacheSize is the most tenants that are cached. Zero: 1,000,000.
	CacheSize int
	// MinVersion refuses tenants whose place has a lower Version, as [tenancy.ErrTenantUnavailable]. Zero: it is not looked at.
	MinVersion int64
	// Models is the fingerprint that a tenant's Models must have, likewise. Zero: it is not looked at.
	Models string
	// Dialect is that of the tenants' databases: postgres, mysql or sqlite, if it is not the master's. All processes must have
	// the same. Zero: the master's.
	Dialect string
	// ReadOnly is for roles that may not create tables: Open fails if the tables of the catalog are not there, or too old.
	ReadOnly bool
}

const (
	defaultPrefix    = "tenant_"
	defaultMaxStale  = 2 * time.Second
	leastMaxStale    = 100 * time.Millisecond
	defaultOutage    = time.Hour
	defaultNotFound  = time.Second
	defaultCacheSize = 1_000_000
)

// filled returns the configuration without zeros, or all that is wrong with it.
func (cfg Config) filled(ctx context.Context) (Config, error) {
	if cfg.Strategy == nil {
		cfg.Strategy = FewestTenants()
	}
	if cfg.SchemaPrefix == "" {
		cfg.SchemaPrefix = defaultPrefix
	}
	if cfg.DatabasePrefix == "" {
		cfg.DatabasePrefix = defaultPrefix
	}
	if cfg.MaxStale == 0 {
		cfg.MaxStale = defaultMaxStale
	}
	if cfg.Outage == 0 {
		cfg.Outage = defaultOutage
	}
	if cfg.NotFoundFor == 0 {
		cfg.NotFoundFor = min(defaultNotFound, cfg.MaxStale)
	}
	if cfg.CacheSize == 0 {
		cfg.CacheSize = defaultCacheSize
	}
	var faults []error
	wrong := func(bad bool, what string) {
		if bad {
			faults = append(faults, fmt.Errorf("%w: catalog: %s", tenancy.ErrInvalidConfig, what))
		}
	}
	wrong(cfg.MaxStale < leastMaxStale, "MaxStale is less than 100 ms")
	wrong(cfg.NotFoundFor < 0 || cfg.NotFoundFor > cfg.MaxStale, "NotFoundFor is negative, or more than MaxStale")
	wrong(cfg.CacheSize < 0, "CacheSize is negative")
	wrong(cfg.Dialect != "" && !knownDialect(cfg.Dialect), "Dialect is none of postgres, mysql and sqlite")
	wrong(cfg.MinVersion < 0, "MinVersion is negative")
	wrong(checkSchemaName(cfg.SchemaPrefix) != nil, "SchemaPrefix does not begin the name of a schema")
	_, err := tenancy.DatabasePerTenant("").Resolve(ctx, tenancy.ID(cfg.DatabasePrefix))
	wrong(err != nil, "DatabasePrefix does not begin the name of a database: it has letters of ASCII, digits, _, - and inner dots")
	return cfg, errors.Join(faults...)
}

// Catalog is the directory of tenants in a master database. It is a [tenancy.ShardResolver], a [tenancy.TenantLister] and a
// [tenancy.PlacementLister], and safe for concurrent use.
type Catalog struct {
	cfg     Config
	store   *store
	cache   *cache
	drained drained
	locks   lockSlots
}

// Open opens the catalog in a master database. It makes its tables, which begin with tenancy_, and upgrades those of older
// versions, unless Config.ReadOnly is set. The master may be the database that the plugin is installed in, but must be opened
// once more, without the plugin. Close the catalog before the master.
func Open(ctx context.Context, master *gorm.DB, cfg Config) (*Catalog, error) {
	cfg, err := cfg.filled(ctx)
	if err != nil {
		return nil, err
	}
	if !knownDialect(master.Name()) {
		return nil, fmt.Errorf("%w: catalog: a master database is PostgreSQL, MySQL, MariaDB or SQLite, not %s", tenancy.ErrInvalidConfig, master.Name())
	}
	if _, ok := master.Plugins[(&tenancy.Plugin{}).Name()]; ok {
		return nil, fmt.Errorf("%w: catalog: the master has the tenancy plugin: open it once more, without", tenancy.ErrInvalidConfig)
	}
	db, err := master.DB()
	if err != nil {
		return nil, err
	}
	c := &Catalog{cfg: cfg, store: newStore(db, master.Name(), cmp.Or(cfg.Dialect, master.Name()))}
	if err := c.store.prepare(ctx, cfg.ReadOnly); err != nil {
		return nil, err
	}
	err = c.store.join(ctx, cfg.MaxStale)
	if err == nil {
		c.cache, err = newCache(ctx, c.store, cfg)
	}
	if err != nil {
		return nil, errors.Join(err, c.store.close())
	}
	return c, nil
}

func knownDialect(name string) bool { return name == "postgres" || name == "mysql" || name == "sqlite" }

// Dialect is that of the tenants' databases, as GORM's dialectors call it: postgres, mysql or sqlite.
func (c *Catalog) Dialect() string { return c.store.tenants }

// Close ends what runs in the background. Look-ups fail from then on.
func (c *Catalog) Close() error {
	c.cache.close()
	return c.store.close()
}

// change makes a change, and applies it to the cache before it returns.
func (c *Catalog) change(ctx context.Context, do func(ctx context.Context, w *writer) error) error {
	changed, err := c.store.change(ctx, do)
	c.cache.apply(changed...)
	return err
}
