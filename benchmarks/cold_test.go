package benchmarks

import (
	"context"
	"database/sql"
	"testing"

	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/internal/testdb"
	"github.com/gormtenancy/tenancy/sqlite"
	postgresproof "github.com/gormtenancy/tenancy/sqlproof/postgres"
	sqliteproof "github.com/gormtenancy/tenancy/sqlproof/sqlite"
)

// BenchmarkColdTenant is the time from the first statement of a tenant, whose database is not open, to its answer. The other
// side is gorm.Open, which pings, and the same statement. Where the plugin must close another database for it ("evicting"),
// so does the other side.
func BenchmarkColdTenant(b *testing.B) {
	for _, on := range []struct {
		backend
		database func(*testing.B) func() gorm.Dialector
	}{
		{backend{name: "sqlite", sql: sqliteproof.New}, func(b *testing.B) func() gorm.Dialector {
			b.Helper()
			path := newFleet(b, 1, false).path(0)
			return func() gorm.Dialector { return sqlite.Open(path) }
		}},
		{backend{name: "postgres", sql: postgresproof.New}, func(b *testing.B) func() gorm.Dialector {
			b.Helper()
			dsn := testdb.Postgres(b)
			pool := openPool(b, "pgx", dsn)
			check(b, seed(backend{}.gorm(b, postgres.New(postgres.Config{Conn: pool})), false))
			return func() gorm.Dialector { return postgres.Open(dsn) }
		}},
	} {
		b.Run(on.name, func(b *testing.B) { benchmarkCold(b, &cold{backend: on.backend, database: on.database(b), room: 100}) })
		b.Run(on.name+"-evicting", func(b *testing.B) {
			benchmarkCold(b, &cold{backend: on.backend, database: on.database(b), room: 1})
		})
	}
}

// cold is one database, which is a new tenant's each time.
type cold struct {
	backend

	database func() gorm.Dialector
	room     int // how many may be open at once
	tenants  int // so far

	plugin *tenancy.Plugin
	plain  []*sql.DB // opened by the other side
}

func benchmarkCold(b *testing.B, c *cold) {
	b.Helper()
	home, err := gorm.Open(c.database(), &gorm.Config{Logger: logger.Discard})
	check(b, err)
	pool, err := home.DB()
	check(b, err)
	closeAtEnd(b, pool)
	s := newSite(b, false, home, home, nil)
	b.Cleanup(func() { check(b, c.closeAll()) })
	contend(b, s, statement{
		before: c.renew, most: 20, // connections are not free
		plain: func(s *session) *gorm.DB {
			db, err := gorm.Open(c.database(), &gorm.Config{Logger: logger.Discard})
			check(b, err)
			var x Rate
			found := db.WithContext(s.ctx).First(&x, 7)
			check(b, c.keep(db))
			return found
		},
		tenancy: func(s *session) *gorm.DB {
			c.tenants++
			var x Rate
			return s.db.WithContext(tenancy.WithTenant(s.ctx, name(c.tenants))).First(&x, 7)
		},
	})
}

// keep leaves a database open for as long as the plugin would.
func (c *cold) keep(db *gorm.DB) error {
	pool, err := db.DB()
	if err != nil {
		return err
	}
	if c.room == 1 {
		return pool.Close()
	}
	c.plain = append(c.plain, pool)
	return nil
}

// renew closes all that was opened, and makes a new plugin, as the last one's is closed for good.
func (c *cold) renew(s *site, _ int) error {
	if err := c.closeAll(); err != nil {
		return err
	}
	db, err := gorm.Open(c.database(), &gorm.Config{Logger: logger.Discard})
	if err != nil {
		return err
	}
	pool, err := db.DB()
	if err != nil {
		return err
	}
	c.plain = append(c.plain, pool)
	c.plugin = tenancy.New(tenancy.Config{
		Models: []any{&Rate{}}, Resolver: tenancy.DatabasePerTenant(""), SQL: c.sql(), Pools: tenancy.PoolLimits{Databases: c.room},
		Open: func(context.Context, string) (tenancy.Shard, error) { return tenancy.Shard{Primary: c.database()}, nil },
	})
	if err := db.Use(c.plugin); err != nil {
		return err
	}
	s.tenancy.db = db
	c.tenants++ // the plans of texts are made once, not for each tenant
	var x Rate
	return db.WithContext(tenancy.WithTenant(s.plain.ctx, name(c.tenants))).First(&x, 7).Error
}

func (c *cold) closeAll() error {
	if c.plugin != nil {
		if err := c.plugin.Close(); err != nil {
			return err
		}
	}
	for _, pool := range c.plain {
		if err := pool.Close(); err != nil {
			return err
		}
	}
	c.plain = nil
	return nil
}
