package tenancy_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/driver/mysql"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/internal/testdb"
	"github.com/gormtenancy/tenancy/sqlite"
	"github.com/gormtenancy/tenancy/sqlproof"
	mysqlproof "github.com/gormtenancy/tenancy/sqlproof/mysql"
	postgresproof "github.com/gormtenancy/tenancy/sqlproof/postgres"
	sqliteproof "github.com/gormtenancy/tenancy/sqlproof/sqlite"
)

// engine is a kind of database: what makes a fresh one, and what reads its SQL.
type engine struct {
	name  string
	sql   func() sqlproof.Analyzer
	fresh func(t *testing.T) func() gorm.Dialector
}

var engines = []engine{
	{"sqlite", sqliteproof.New, func(t *testing.T) func() gorm.Dialector {
		t.Helper()
		path := filepath.Join(t.TempDir(), "x.db")
		return func() gorm.Dialector { return sqlite.Open(path) }
	}},
	{"postgres", postgresproof.New, func(t *testing.T) func() gorm.Dialector {
		t.Helper()
		dsn := testdb.Postgres(t)
		return func() gorm.Dialector { return postgres.Open(dsn) }
	}},
	{"mysql", mysqlproof.New, func(t *testing.T) func() gorm.Dialector {
		t.Helper()
		dsn := testdb.MySQL(t)
		return func() gorm.Dialector { return mysql.Open(dsn) }
	}},
}

// eachEngine runs a test on each kind of database that has what it needs.
func eachEngine(t *testing.T, test func(t *testing.T, e engine), but ...string) {
	t.Helper()
	for _, e := range engines {
		if len(but) > 0 && e.name == but[0] {
			continue
		}
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			test(t, e)
		})
	}
}

// land is an application whose tenants live in different places.
type land struct {
	*testing.T
	db     *gorm.DB
	plugin *tenancy.Plugin
	log    *recorder
}

func (l *land) as(id tenancy.ID) *gorm.DB { return l.db.WithContext(ctxOf(id)) }

// newLand opens the database home with a plugin; tables are made where the tenants are.
func newLand(t *testing.T, e engine, home gorm.Dialector, gcfg *gorm.Config, cfg tenancy.Config, tenants ...tenancy.ID) *land {
	t.Helper()
	l := &land{T: t, log: &recorder{Interface: logger.Discard}}
	gcfg.Logger = l.log
	var err error
	l.db, err = gorm.Open(home, gcfg)
	require.NoError(t, err)
	if cfg.SQL == nil {
		cfg.SQL = e.sql()
	}
	if cfg.Models == nil {
		cfg.Models = []any{&Customer{}, &Order{}, &Tag{}}
	}
	base := l.db.ConnPool
	l.plugin = tenancy.New(cfg)
	require.NoError(t, l.db.Use(l.plugin))
	t.Cleanup(func() {
		require.NoError(t, l.plugin.Close())
		if closer, ok := unwrapPool(base).(interface{ Close() error }); ok {
			_ = closer.Close()
		}
	})
	if len(cfg.Global) > 0 {
		require.NoError(t, l.db.AutoMigrate(&Country{}))
	}
	for _, id := range tenants {
		for range 2 { // the second time it looks at the tables that are there
			require.NoError(t, l.as(id).AutoMigrate(&Customer{}, &Order{}, &Tag{}), id)
		}
	}
	l.log.take()
	return l
}

func unwrapPool(pool gorm.ConnPool) gorm.ConnPool {
	if p, ok := pool.(*gorm.PreparedStmtDB); ok {
		return p.ConnPool
	}
	return pool
}

// databases are fresh databases by name, as Config.Open wants them.
func databases(t *testing.T, e engine, names ...string) func(context.Context, string) (tenancy.Shard, error) {
	t.Helper()
	known := map[string]func() gorm.Dialector{}
	for _, name := range names {
		known[name] = e.fresh(t)
	}
	return func(_ context.Context, name string) (tenancy.Shard, error) {
		open, ok := known[name]
		if !ok {
			return tenancy.Shard{}, fmt.Errorf("%w: %s", tenancy.ErrShardNotFound, name)
		}
		return tenancy.Shard{Primary: open()}, nil
	}
}

// sqliteFiles are databases in files, as Config.Open wants them.
func sqliteFiles(t *testing.T, names ...string) func(context.Context, string) (tenancy.Shard, error) {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		touch(t, filepath.Join(dir, name))
	}
	return func(_ context.Context, name string) (tenancy.Shard, error) {
		return tenancy.Shard{Primary: sqlite.Open(filepath.Join(dir, name))}, nil
	}
}

// touch makes an empty file, which is an empty database: the plugin makes none.
func touch(t *testing.T, path string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, nil, 0o600))
}

// live lets both tenants do what applications do, and looks that neither sees the other's rows.
func (l *land) live(t *testing.T, tenants ...tenancy.ID) {
	t.Helper()
	for _, id := range tenants {
		db := l.as(id)
		mark := "of " + string(id)
		c := Customer{ID: 1, Name: mark, Orders: []Order{{ID: 1, Item: mark}, {ID: 2, Item: mark}}, Tags: []Tag{{ID: 1, Label: mark}}}
		require.NoError(t, db.Create(&c).Error, id)
		require.Equal(t, string(id), c.TenantID)
		require.NoError(t, db.Transaction(func(tx *gorm.DB) error {
			if err := tx.Create(&Order{ID: 3, Item: mark, CustomerID: &c.ID}).Error; err != nil {
				return err
			}
			return tx.Transaction(func(tx *gorm.DB) error { return tx.Model(&Order{}).Where("id = ?", 3).Update("item", mark).Error })
		}), id)
	}
	for _, id := range tenants {
		db := l.as(id)
		mark := "of " + string(id)
		for _, db := range []*gorm.DB{db, db.Session(&gorm.Session{PrepareStmt: true})} {
			var c Customer
			require.NoError(t, db.Preload("Orders").Preload("Tags").First(&c, 1).Error, id)
			require.Equal(t, mark, c.Name)
			require.Len(t, c.Orders, 3)
			require.Len(t, c.Tags, 1)
			require.Equal(t, mark, c.Tags[0].Label)
			var orders []Order
			require.NoError(t, db.Joins("Customer").Where("item = ?", mark).Or("1 = 1").Find(&orders).Error, id)
			require.Len(t, orders, 3)
			for _, o := range orders {
				require.Equal(t, mark, o.Item)
				require.Equal(t, mark, o.Customer.Name)
			}
			var names []string
			require.NoError(t, db.Raw("SELECT c.name FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.id > ?", 1).Scan(&names).Error, id)
			require.Equal(t, []string{mark, mark}, names)
			var n int64
			require.NoError(t, db.Model(&Customer{}).Where("id IN (?)", db.Model(&Order{}).Select("customer_id")).Count(&n).Error)
			require.EqualValues(t, 1, n)
			require.EqualValues(t, 1, db.Model(&Customer{ID: 1}).Association("Tags").Count())
			require.NoError(t, db.Save(&c).Error)
		}
	}
	require.ErrorIs(t, l.db.First(&Customer{}).Error, tenancy.ErrNoTenant)
}

func TestDatabasePerTenant(t *testing.T) {
	t.Parallel()
	for _, prepare := range []bool{false, true} {
		t.Run(fmt.Sprintf("PrepareStmt %v", prepare), func(t *testing.T) {
			t.Parallel()
			eachEngine(t, func(t *testing.T, e engine) {
				t.Helper()
				open := databases(t, e, "t_a", "t_b")
				if e.name == "sqlite" {
					dir := t.TempDir()
					touch(t, filepath.Join(dir, "t_a"))
					touch(t, filepath.Join(dir, "t_b"))
					open = func(_ context.Context, name string) (tenancy.Shard, error) {
						return tenancy.Shard{Primary: sqlite.Open(filepath.Join(dir, name))}, nil
					}
					t.Cleanup(func() {
						_, err := os.Stat(filepath.Join(dir, "t_c"))
						require.ErrorIs(t, err, os.ErrNotExist, "no file was made for an unknown tenant")
					})
				}
				l := newLand(t, e, e.fresh(t)(), &gorm.Config{PrepareStmt: prepare}, tenancy.Config{
					Global: []any{&Country{}}, Resolver: tenancy.DatabasePerTenant("t_"), Open: open,
				}, "a", "b")
				l.live(t, "a", "b")

				require.ErrorIs(t, l.as("c").First(&Customer{}).Error, tenancy.ErrShardNotFound)
				require.ErrorIs(t, l.as("c").Create(&Customer{}).Error, tenancy.ErrShardNotFound)
				require.ErrorIs(t, l.as("../a").First(&Customer{}).Error, tenancy.ErrInvalidTenant)
				require.ErrorIs(t, l.as(tenancy.ID(strings.Repeat("x", 62))).First(&Customer{}).Error, tenancy.ErrInvalidTenant, "PostgreSQL would cut it off")

				var countries []Country
				require.NoError(t, l.as("a").Find(&countries).Error, "global tables are at home, whoever asks")
				err := l.as("a").Transaction(func(tx *gorm.DB) error {
					require.NoError(t, tx.First(&Customer{}).Error)
					return tx.Find(&countries).Error
				})
				require.ErrorIs(t, err, tenancy.ErrCrossShard)
				require.ErrorIs(t, l.as("a").Raw("SELECT c.name FROM customers c JOIN countries o ON o.id = c.id").Scan(&[]string{}).Error, tenancy.ErrCrossShard)
				err = l.as("a").Transaction(func(tx *gorm.DB) error {
					require.NoError(t, tx.First(&Customer{}).Error)
					return tx.WithContext(ctxOf("b")).First(&Customer{}).Error
				})
				require.ErrorIs(t, err, tenancy.ErrTenantMismatch)
				_, err = l.db.DB()
				require.ErrorContains(t, err, "tenancy.DB")
				require.ErrorIs(t, l.as("a").Connection(func(*gorm.DB) error { return nil }), tenancy.ErrCrossShard)
				pool, err := tenancy.DB(l.as("a"))
				require.NoError(t, err)
				var n int
				require.NoError(t, pool.QueryRow("SELECT count(*) FROM customers").Scan(&n))
				require.Equal(t, 1, n)
				require.Zero(t, pool.Stats().InUse)
			})
		})
	}
}

// inSchemas makes schemas in the database that home opens.
func inSchemas(t *testing.T, e engine, home gorm.Dialector, names ...string) {
	t.Helper()
	db, err := gorm.Open(home, &gorm.Config{Logger: logger.Discard})
	require.NoError(t, err)
	pool, err := db.DB()
	require.NoError(t, err)
	t.Cleanup(func() {
		for _, name := range names {
			if e.name == "mysql" {
				_, err := pool.Exec("DROP DATABASE " + name)
				require.NoError(t, err)
			}
		}
		_ = pool.Close()
	})
	for _, name := range names {
		require.NoError(t, db.Exec("CREATE SCHEMA "+name).Error)
	}
}

func TestSchemaPerTenant(t *testing.T) {
	t.Parallel()
	for _, prepare := range []bool{false, true} {
		t.Run(fmt.Sprintf("PrepareStmt %v", prepare), func(t *testing.T) {
			t.Parallel()
			eachEngine(t, func(t *testing.T, e engine) {
				t.Helper()
				home := e.fresh(t)
				prefix := fmt.Sprintf("s%p_", t)
				inSchemas(t, e, home(), prefix+"a", prefix+"b")
				l := newLand(t, e, home(), &gorm.Config{PrepareStmt: prepare}, tenancy.Config{
					Global: []any{&Country{}}, Resolver: tenancy.SchemaPerTenant("", prefix),
				}, "a", "b")
				require.False(t, l.db.Migrator().HasTable("customers"), "nothing of a tenant's is among the shared tables")
				require.True(t, l.as("a").Migrator().HasTable("customers"))
				l.live(t, "a", "b")

				require.NoError(t, l.db.Create(&Country{ID: 1, Name: "at"}).Error)
				var names []string
				require.NoError(t, l.as("a").Raw("SELECT o.name FROM customers c JOIN countries o ON o.id = c.id").Scan(&names).Error, "global tables keep their schema")
				require.Equal(t, []string{"at"}, names)

				require.NoError(t, l.db.WithContext(tenancy.WithoutTenant(context.Background(), "test")).Session(&gorm.Session{}).
					WithContext(tenancy.WithPlacement(tenancy.WithoutTenant(context.Background(), "test"), tenancy.Placement{Schema: prefix + "a"})).
					Model(&Customer{}).Where("1 = 1").Update("name", "everyone in a").Error)
				var c Customer
				require.NoError(t, l.as("b").First(&c).Error)
				require.Equal(t, "of b", c.Name)
				require.NoError(t, l.as("a").First(&c).Error)

				// The tables are made at home too, and one is gone from the schema.
				require.NoError(t, l.db.AutoMigrate(&Customer{}, &Order{}, &Tag{}))
				require.NoError(t, l.as("a").Migrator().DropTable(&Tag{}))
				require.Error(t, l.as("a").Find(&[]Tag{}).Error, "a missing table is never read elsewhere")
				require.NoError(t, l.as("b").Find(&[]Tag{}).Error)
				require.Error(t, l.as("c").Find(&[]Tag{}).Error)
				require.Error(t, l.as("c").AutoMigrate(&Tag{}), "a schema that is not there")
			}, "sqlite")
		})
	}
}

func TestMixedPlacements(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, e engine) {
		t.Helper()
		home, far := e.fresh(t), e.fresh(t)
		at := map[tenancy.ID]tenancy.Placement{"shared1": {}, "shared2": {}, "own": {Shard: "far", Exclusive: true}}
		if e.name != "sqlite" {
			schema := fmt.Sprintf("m%p", t)
			inSchemas(t, e, home(), schema)
			at["schema"] = tenancy.Placement{Schema: schema}
		} else {
			db, err := gorm.Open(far(), &gorm.Config{Logger: logger.Discard})
			require.NoError(t, err)
			require.NoError(t, db.Exec("CREATE TABLE there (id int)").Error)
			pool, _ := db.DB()
			require.NoError(t, pool.Close())
		}
		resolver := tenancy.List(at)
		l := newLand(t, e, home(), &gorm.Config{}, tenancy.Config{
			Global: []any{&Country{}}, Resolver: resolver, Shards: []tenancy.Shard{{Name: "far", Primary: far()}},
		})
		var migrated sync.Map
		require.NoError(t, l.plugin.ForEachTenant(context.Background(), 1, func(ctx context.Context, id tenancy.ID) error {
			migrated.Store(id, true)
			return l.db.WithContext(ctx).AutoMigrate(&Customer{}, &Order{}, &Tag{})
		}))
		for id := range at {
			_, ok := migrated.Load(id)
			require.True(t, ok, id)
		}
		ids := []tenancy.ID{"own", "shared1"} // one of those that share tables: live makes the same keys for all
		if e.name != "sqlite" {
			ids = append(ids, "schema")
		}
		l.live(t, ids...)
		require.ErrorIs(t, l.as("shared2").First(&Customer{}, 1).Error, gorm.ErrRecordNotFound)

		failed := errors.New("no")
		err := l.plugin.ForEachTenant(context.Background(), 2, func(_ context.Context, id tenancy.ID) error {
			if id == "own" {
				return failed
			}
			if id == "shared1" {
				panic("oh")
			}
			return nil
		})
		require.ErrorIs(t, err, failed)
		var partial *tenancy.PartialError
		require.ErrorAs(t, err, &partial)
		require.Len(t, partial.Failed, 2)
		require.Len(t, partial.Done, len(at)-2)
	})
}

// TestTwoTenantsNeverShareAPlaceOfOne is about promise 2: what is placed exclusively, or in a schema, is one tenant's, until
// it has moved away.
func TestTwoTenantsNeverShareAPlaceOfOne(t *testing.T) {
	t.Parallel()
	e := engines[0]
	var mu sync.Mutex
	at := map[any]tenancy.Placement{}
	move := func(id tenancy.ID, to tenancy.Placement) {
		mu.Lock()
		defer mu.Unlock()
		at[id] = to
	}
	l := newLand(t, e, e.fresh(t)(), &gorm.Config{}, tenancy.Config{
		Global: []any{&Country{}},
		Resolver: tenancy.ShardResolverFunc(func(_ context.Context, key any) (tenancy.Placement, error) {
			mu.Lock()
			defer mu.Unlock()
			return at[key], nil
		}),
	})
	require.NoError(t, l.db.AutoMigrate(&Tag{}))
	one, other := tenancy.Placement{Exclusive: true}, tenancy.Placement{}
	read := func(id tenancy.ID) error { return l.as(id).Find(&[]Tag{}).Error }
	move("a", one)
	move("b", one)
	require.NoError(t, read("a"))
	require.ErrorIs(t, read("b"), tenancy.ErrTenantMismatch)
	move("a", other)
	require.NoError(t, read("b"), "a has gone")
	move("a", one) // without a statement elsewhere in between
	require.ErrorIs(t, read("a"), tenancy.ErrTenantMismatch)
	move("b", other)
	require.NoError(t, read("a"))
	move("A", one)
	require.ErrorIs(t, read("A"), tenancy.ErrTenantMismatch)

	for _, c := range []struct {
		e    engine
		at   tenancy.Placement
		want error
	}{
		{engines[0], tenancy.Placement{Schema: "s"}, tenancy.ErrInvalidConfig},
		{engines[1], tenancy.Placement{Schema: "public"}, tenancy.ErrInvalidConfig},
		{engines[1], tenancy.Placement{Schema: "pg_temp"}, tenancy.ErrInvalidTenant},
		{engines[1], tenancy.Placement{Schema: strings.Repeat("x", 64)}, tenancy.ErrInvalidTenant},
		{engines[1], tenancy.Placement{Schema: "a\x00b"}, tenancy.ErrInvalidTenant},
		{engines[2], tenancy.Placement{Schema: "MySQL"}, tenancy.ErrInvalidTenant},
		{engines[2], tenancy.Placement{Schema: "x "}, tenancy.ErrInvalidTenant},
		{engines[0], tenancy.Placement{TableSuffix: "; DROP"}, tenancy.ErrInvalidConfig},
		{engines[0], tenancy.Placement{Shard: "nowhere"}, tenancy.ErrShardNotFound},
	} {
		l := newLand(t, c.e, c.e.fresh(t)(), &gorm.Config{}, tenancy.Config{Global: []any{&Country{}}, Resolver: tenancy.Single(c.at)})
		require.ErrorIs(t, l.as("a").Find(&[]Tag{}).Error, c.want, "%s %q", c.e.name, c.at)
		require.ErrorIs(t, l.as("a").Create(&Tag{}).Error, c.want, "%s %q", c.e.name, c.at)
		require.Error(t, l.as("a").AutoMigrate(&Tag{}), "%s %q", c.e.name, c.at)
	}
}

// TestHostileSchemaNames is about promise 2: a schema's name is quoted, whatever is in it, and two are never one.
func TestHostileSchemaNames(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, e engine) {
		t.Helper()
		home := e.fresh(t)
		db, err := gorm.Open(home(), &gorm.Config{Logger: logger.Discard})
		require.NoError(t, err)
		pool, err := db.DB()
		require.NoError(t, err)
		t.Cleanup(func() { _ = pool.Close() })
		run := fmt.Sprintf("%p", t)
		names := []string{run + `"; DROP TABLE tags; --`, run + "a.b", run + "select", run + "`tick`", run + "ü ß", run + "'q'", run + "Case", run + "../x"}
		if e.name == "postgres" {
			names = append(names, run+"case") // on MySQL it is the same as Case
		}
		quote := func(name string) string {
			if e.name == "mysql" {
				return "`" + strings.ReplaceAll(name, "`", "``") + "`"
			}
			return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
		}
		at := map[tenancy.ID]tenancy.Placement{}
		var ids []tenancy.ID
		for i, name := range names {
			if e.name == "mysql" && strings.ContainsAny(name, "/") {
				continue
			}
			require.NoError(t, db.Exec("CREATE SCHEMA "+quote(name)).Error)
			if e.name == "mysql" {
				t.Cleanup(func() { require.NoError(t, db.Exec("DROP DATABASE "+quote(name)).Error) })
			}
			id := tenancy.ID(fmt.Sprint("t", i))
			ids = append(ids, id)
			at[id] = tenancy.Placement{Schema: name}
		}
		l := newLand(t, e, home(), &gorm.Config{}, tenancy.Config{Global: []any{&Country{}}, Resolver: tenancy.List(at)}, ids...)
		l.live(t, ids...)
	}, "sqlite")
}

// Flag is global, and Ship belongs to a tenant and points at one.
type Flag struct {
	ID   uint
	Name string `gorm:"uniqueIndex"`
}

// Ship has a foreign key that the database holds.
type Ship struct {
	ID       uint
	TenantID string `tenancy:"tenant"`
	FlagID   uint
	Flag     Flag
}

// TestForeignKeysToGlobalTables is about promise 6: a tenant's schema refers to the global table, and gets no copy of it.
func TestForeignKeysToGlobalTables(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, e engine) {
		t.Helper()
		home := e.fresh(t)
		prefix := fmt.Sprintf("f%p_", t)
		inSchemas(t, e, home(), prefix+"a")
		l := newLand(t, e, home(), &gorm.Config{}, tenancy.Config{
			Models: []any{&Ship{}}, Global: []any{&Flag{}}, Resolver: tenancy.SchemaPerTenant("", prefix),
		})
		require.NoError(t, l.db.AutoMigrate(&Flag{}))
		for range 2 {
			require.NoError(t, l.as("a").AutoMigrate(&Ship{}))
		}
		require.False(t, l.as("a").Migrator().HasTable(&Flag{}))
		require.True(t, l.as("a").Migrator().HasConstraint(&Ship{}, "Flag"))
		require.NoError(t, l.db.Create(&Flag{ID: 1, Name: "at"}).Error)
		require.NoError(t, l.as("a").Create(&Ship{FlagID: 1}).Error)
		require.Error(t, l.as("a").Create(&Ship{FlagID: 2}).Error, "the database holds it")
		var s Ship
		require.NoError(t, l.as("a").Joins("Flag").First(&s).Error)
		require.Equal(t, "at", s.Flag.Name)
		require.NoError(t, l.as("a").Save(&s).Error, "the flag is saved along")
	}, "sqlite")
}
