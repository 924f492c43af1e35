package tenancy_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/internal/testdb"
	"github.com/gormtenancy/tenancy/sqlite"
)

// schemaLand is an application on PostgreSQL with tenants a and b in schemas, and one in the shared tables.
func schemaLand(t *testing.T, gcfg *gorm.Config) *land {
	t.Helper()
	dsn := testdb.Postgres(t)
	inSchemas(t, engines[1], postgres.Open(dsn), "s_a", "s_b")
	l := newLand(t, engines[1], postgres.Open(dsn), gcfg, tenancy.Config{
		Global: []any{&Country{}}, Resolver: tenancy.List(map[tenancy.ID]tenancy.Placement{
			"a": {Schema: "s_a"}, "b": {Schema: "s_b"}, "shared": {}, "postgres": {Schema: "postgres"}, "pub": {Schema: "public"},
		}),
	}, "a", "b")
	require.NoError(t, l.db.AutoMigrate(&Customer{}, &Order{}, &Tag{}))
	return l
}

// TestMigratorStaysInItsSchema is about promise 4: what is not in the tenant's schema is not changed in another one.
func TestMigratorStaysInItsSchema(t *testing.T) {
	t.Parallel()
	l := schemaLand(t, &gorm.Config{})
	type tagX struct {
		ID    uint
		Label string `gorm:"index:idx_lab"`
		Extra string
	}
	require.NoError(t, l.as("shared").Create(&Tag{Label: "kept"}).Error)
	a := l.as("a").Migrator()
	require.NoError(t, a.DropTable(&Tag{}, "customer_tags"))
	require.NoError(t, a.DropTable(&Tag{}, "customer_tags"), "once more")
	require.Error(t, l.as("a").Table("tags").Migrator().AddColumn(&tagX{}, "Extra"))
	require.Error(t, l.as("a").Table("tags").Migrator().CreateIndex(&tagX{}, "idx_lab"))
	require.Error(t, a.RenameTable("tags", "tags2"))
	require.Error(t, a.DropIndex(&Customer{}, "idx_customers_none"))
	var n int64
	require.NoError(t, l.as("shared").Model(&Tag{}).Count(&n).Error)
	require.EqualValues(t, 1, n)
	require.False(t, l.db.Migrator().HasColumn(&Tag{}, "extra"))
	require.False(t, l.db.Migrator().HasTable("tags2"))
	require.NoError(t, l.as("a").AutoMigrate(&Tag{}))
	require.NoError(t, l.as("a").Transaction(func(tx *gorm.DB) error { return tx.AutoMigrate(&Customer{}, &Order{}, &Tag{}) }))
	l.live(t, "a", "b")
}

// TestSchemasOfTheConnection is about promise 2: where names without a schema are looked for, no tenant lives.
func TestSchemasOfTheConnection(t *testing.T) {
	t.Parallel()
	l := schemaLand(t, &gorm.Config{})
	require.ErrorIs(t, l.as("postgres").Find(&[]Tag{}).Error, tenancy.ErrInvalidConfig, "$user, whose schema is not there yet")
	require.ErrorIs(t, l.as("pub").Find(&[]Tag{}).Error, tenancy.ErrInvalidConfig)
}

// TestNamesOfOtherPlaces is about promise 4: a text names no other place than the tenant's.
func TestNamesOfOtherPlaces(t *testing.T) {
	t.Parallel()
	l := schemaLand(t, &gorm.Config{})
	for _, id := range []tenancy.ID{"shared", "a"} {
		db := l.as(id)
		for name, err := range map[string]error{
			"read":     db.Raw("SELECT * FROM s_b.tags").Scan(&[]Tag{}).Error,
			"write":    db.Exec("INSERT INTO s_b.tags (tenant_id, label) VALUES (?, 'x')", string(id)).Error,
			"table":    db.Table("s_b.tags").Create(&Tag{Label: "y"}).Error,
			"find":     db.Table("s_b.tags").Find(&[]Tag{}).Error,
			"sequence": db.Raw("SELECT nextval('s_b.tags_id_seq')").Scan(new(int)).Error,
		} {
			require.ErrorIs(t, err, tenancy.ErrUnconfinedSQL, "%s as %s", name, id)
		}
	}
	var n int64
	require.NoError(t, l.as("b").Model(&Tag{}).Count(&n).Error)
	require.Zero(t, n)
}

// TestPlacementInsideATransaction is about promise 4.
func TestPlacementInsideATransaction(t *testing.T) {
	t.Parallel()
	l := schemaLand(t, &gorm.Config{})
	require.ErrorIs(t, l.as("a").Transaction(func(tx *gorm.DB) error {
		require.NoError(t, tx.Find(&[]Tag{}).Error)
		return tx.WithContext(tenancy.WithPlacement(ctxOf("a"), tenancy.Placement{Schema: "s_b"})).Find(&[]Tag{}).Error
	}), tenancy.ErrTenantMismatch)
	for _, exclusive := range []bool{true, false} { // whether others are there is not for the caller to say
		there := tenancy.WithPlacement(ctxOf("a"), tenancy.Placement{Schema: "s_a", Exclusive: exclusive})
		require.NoError(t, l.db.WithContext(there).Find(&[]Tag{}).Error)
	}
}

// TestOneConnection is about promise 6: nothing waits for a second connection while it holds one.
func TestOneConnection(t *testing.T) {
	t.Parallel()
	for name, l := range map[string]*land{"schemas": schemaLand(t, &gorm.Config{}), "row security": func() *land {
		g := newGuarded(t)
		g.protect(t)
		again := newLand(t, engines[1], postgres.Open(g.dsn), &gorm.Config{}, tenancy.Config{Global: []any{&Country{}}, RowSecurity: "app.tenant_id"})
		return again
	}()} {
		for _, prepare := range []bool{false, true} {
			pool, err := tenancy.DB(l.db)
			require.NoError(t, err)
			pool.SetMaxOpenConns(1)
			ctx, cancel := context.WithTimeout(ctxOf("a"), 20*time.Second)
			db := l.db.WithContext(ctx).Session(&gorm.Session{PrepareStmt: prepare})
			require.NoError(t, db.Connection(func(tx *gorm.DB) error { return tx.Find(&[]Tag{}).Error }), name)
			require.NoError(t, db.Transaction(func(tx *gorm.DB) error {
				if err := tx.Create(&Customer{Name: fmt.Sprint(prepare), Tags: []Tag{{Label: "x"}}}).Error; err != nil {
					return err
				}
				return tx.Preload("Tags").Find(&[]Customer{}).Error
			}), name)
			require.NoError(t, db.Save(&Tag{Label: "y"}).Error, name)
			cancel()
		}
	}
}

// TestChecksPassErrorsOn is about promise 6: what the driver says is the driver's, and no fault of the configuration.
func TestChecksPassErrorsOn(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	g.protect(t)
	ctx, cancel := context.WithCancel(ctxOf("a"))
	cancel()
	err := g.db.WithContext(ctx).Find(&[]Tag{}).Error
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, tenancy.ErrInvalidConfig)
}

// TestFunctionsUnderRowSecurity is about promise 6: a function that relies on the policies sees the same rows everywhere.
func TestFunctionsUnderRowSecurity(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	g.protect(t)
	_, err := g.owner.Exec("CREATE FUNCTION n_tags() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM tags'")
	require.NoError(t, err)
	require.NoError(t, g.as("a").Create(&Tag{Label: "x"}).Error)
	count := func(db *gorm.DB) (n int) {
		require.NoError(t, db.Raw("SELECT n_tags()").Scan(&n).Error)
		return n
	}
	require.Equal(t, 1, count(g.as("a")))
	require.Equal(t, 0, count(g.as("b")))
	require.NoError(t, g.as("a").Transaction(func(tx *gorm.DB) error {
		require.Equal(t, 1, count(tx))
		return nil
	}))
}

// TestRollbackToASavepoint is about promise 4: what the database was told of the tenant after a savepoint is undone with it.
func TestRollbackToASavepoint(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	g.protect(t)
	require.NoError(t, g.as("a").Create(&Tag{Label: "x"}).Error)
	require.NoError(t, g.db.Transaction(func(tx *gorm.DB) error {
		require.NoError(t, tx.Find(&[]Country{}).Error)
		for _, tx := range []*gorm.DB{tx, tx.Session(&gorm.Session{PrepareStmt: true})} {
			require.NoError(t, tx.SavePoint("early").Error)
			for range 2 {
				var n int64
				require.NoError(t, tx.WithContext(ctxOf("a")).Model(&Tag{}).Count(&n).Error)
				require.EqualValues(t, 1, n)
				require.NoError(t, tx.RollbackTo("early").Error)
			}
		}
		return nil
	}))
}

// TestTablesMadeAnew is about promise 1: a table that was made anew has no policy.
func TestTablesMadeAnew(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	g.protect(t)
	require.NoError(t, g.as("a").Find(&[]Tag{}).Error)
	require.NoError(t, g.db.Migrator().DropTable(&Tag{}))
	require.NoError(t, g.db.AutoMigrate(&Tag{}))
	require.ErrorIs(t, g.as("a").Find(&[]Tag{}).Error, tenancy.ErrInvalidConfig)
	g.protect(t)
	require.NoError(t, g.as("a").Transaction(func(tx *gorm.DB) error { return tx.Find(&[]Tag{}).Error }))
	for range 2 {
		require.NoError(t, g.db.Clauses(clause.Locking{Strength: "UPDATE"}).AutoMigrate(&Tag{}), "whatever clauses are there")
	}
}

// TestOperatorsInSchemas is about promise 7: what cannot be put into a schema says how to do it.
func TestOperatorsInSchemas(t *testing.T) {
	t.Parallel()
	l := schemaLand(t, &gorm.Config{})
	there := l.db.WithContext(tenancy.WithPlacement(tenancy.WithoutTenant(context.Background(), "test"), tenancy.Placement{Schema: "s_a"}))
	err := there.Exec("TRUNCATE tags").Error
	require.ErrorIs(t, err, tenancy.ErrUnconfinedSQL)
	require.ErrorContains(t, err, "tenancy.DB")
	require.NoError(t, there.Exec("CREATE SCHEMA another").Error, "it names no tenant's table")
	require.NoError(t, there.Exec("DELETE FROM tags").Error)
}

// TestFailedScans is about promise 2: GORM fills a destination that could not be read with what others have read.
func TestFailedScans(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	type secret struct {
		ID       uint
		TenantID string `tenancy:"tenant"`
		N        int
		Text     string
	}
	db, err := gorm.Open(engines[0].fresh(t)(), &gorm.Config{Logger: logger.Discard})
	require.NoError(t, err)
	require.NoError(t, db.Exec("CREATE TABLE secrets (id integer primary key, tenant_id text, n, text text)").Error)
	require.NoError(t, db.Exec("INSERT INTO secrets VALUES (1, 'b', 7, 'b''s secret'), (2, 'a', 'x', 'mine')").Error)
	require.NoError(t, db.Use(tenancy.New(tenancy.Config{Models: []any{&secret{}}})))
	var mine, theirs secret
	require.NoError(t, db.WithContext(ctxOf("b")).First(&theirs).Error)
	require.Error(t, db.WithContext(ctxOf("a")).First(&mine).Error)
	require.Zero(t, mine)
	require.NoError(t, db.WithContext(ctxOf("b")).First(&theirs).Error)
	var all []secret
	require.Error(t, db.WithContext(ctxOf("a")).Find(&all).Error)
	require.Empty(t, all)
	var c Customer
	require.NoError(t, s.a.First(&c).Error)
	require.ErrorIs(t, s.a.First(&c, 99).Error, gorm.ErrRecordNotFound)
	require.Equal(t, "ann", c.Name, "not found is no failed scan")
}

// TestForeignKeysOutOfADatabase is about promise 1: what no database could hold is refused when tables are made.
func TestForeignKeysOutOfADatabase(t *testing.T) {
	t.Parallel()
	e := engines[1]
	open := databases(t, e, "a")
	cfg := tenancy.Config{Models: []any{&Ship{}}, Global: []any{&Flag{}}, Resolver: tenancy.DatabasePerTenant(""), Open: open}
	l := newLand(t, e, e.fresh(t)(), &gorm.Config{}, cfg)
	require.ErrorIs(t, l.as("a").AutoMigrate(&Ship{}), tenancy.ErrCrossShard)
	l = newLand(t, e, e.fresh(t)(), &gorm.Config{DisableForeignKeyConstraintWhenMigrating: true}, cfg)
	require.NoError(t, l.as("a").AutoMigrate(&Ship{}))
	require.NoError(t, l.as("a").Create(&Ship{FlagID: 1}).Error)
}

// TestWhatElseAStatementTouches is about promise 4: tables of tenants in subqueries and joins of a statement on a global table.
func TestWhatElseAStatementTouches(t *testing.T) {
	t.Parallel()
	for _, proven := range []bool{true, false} {
		t.Run(fmt.Sprintf("SQL %v", proven), func(t *testing.T) {
			t.Parallel()
			e := engines[0]
			dir := t.TempDir()
			touch(t, dir+"/a")
			cfg := tenancy.Config{
				Models: []any{&Ship{}}, Global: []any{&Flag{}},
				Resolver: tenancy.DatabasePerTenant(""), Open: func(_ context.Context, name string) (tenancy.Shard, error) {
					return tenancy.Shard{Primary: sqlite.Open(dir + "/" + name)}, nil
				},
			}
			l := newLand(t, e, e.fresh(t)(), &gorm.Config{DisableForeignKeyConstraintWhenMigrating: true}, cfg)
			if !proven {
				l = newLandUnproven(t, e, cfg)
			}
			require.NoError(t, l.db.AutoMigrate(&Flag{}, &Ship{}))
			require.NoError(t, l.as("a").AutoMigrate(&Ship{}))
			require.NoError(t, l.db.Create(&[]Flag{{ID: 1, Name: "at"}, {ID: 2, Name: "cz"}}).Error)

			// GORM saves the flag along, which is in another database: it is there, and nothing need be written.
			require.NoError(t, l.as("a").Create(&Ship{ID: 1, FlagID: 1, Flag: Flag{ID: 1, Name: "at"}}).Error)
			var ship Ship
			require.NoError(t, l.as("a").Preload("Flag").First(&ship).Error)
			require.Equal(t, "at", ship.Flag.Name)
			require.NoError(t, l.as("a").Save(&ship).Error)
			err := l.as("a").Create(&Ship{ID: 2, Flag: Flag{ID: 3, Name: "de"}}).Error
			require.ErrorIs(t, err, tenancy.ErrCrossShard)
			require.ErrorContains(t, err, "Omit")
			err = l.as("a").Create(&[]Ship{{ID: 3, Flag: Flag{ID: 1, Name: "at"}}, {ID: 4, Flag: Flag{Name: "new"}}}).Error
			require.ErrorIs(t, err, tenancy.ErrCrossShard, "one that is there, and one without a key")

			all := tenancy.WithoutTenant(context.Background(), "clean up")
			there := tenancy.WithPlacement(all, tenancy.Placement{Shard: "a", Exclusive: true})
			of := func(ctx context.Context) *gorm.DB { return l.db.WithContext(ctx) }
			require.ErrorIs(t, of(all).Where("id NOT IN (SELECT flag_id FROM ships)").Delete(&Flag{}).Error, tenancy.ErrMissingShardKey)
			require.ErrorIs(t, of(there).Where("id NOT IN (SELECT flag_id FROM ships)").Delete(&Flag{}).Error, tenancy.ErrCrossShard)
			require.ErrorIs(t, of(there).Where("id IN (?)", of(there).Model(&Ship{}).Select("flag_id")).Find(&[]Flag{}).Error, tenancy.ErrCrossShard)
			require.ErrorIs(t, l.as("a").Where("id IN (?)", l.as("a").Model(&Ship{}).Select("flag_id")).Find(&[]Flag{}).Error, tenancy.ErrCrossShard)
			require.ErrorIs(t, l.db.Where("id IN (?)", l.as("a").Model(&Ship{}).Select("flag_id")).Find(&[]Flag{}).Error, tenancy.ErrNoTenant)
			require.ErrorIs(t, l.db.Table("(?) AS ships", l.as("a").Model(&Ship{})).Scan(&[]Ship{}).Error, tenancy.ErrNoTenant)
			var n int64
			require.NoError(t, l.as("a").Table("(?) AS x", l.as("a").Model(&Ship{})).Count(&n).Error)
			require.EqualValues(t, 1, n)
			require.NoError(t, l.db.Model(&Flag{}).Count(&n).Error)
			require.EqualValues(t, 2, n)
		})
	}
}

// newLandUnproven has no reader of SQL.
func newLandUnproven(t *testing.T, e engine, cfg tenancy.Config) *land {
	t.Helper()
	db, err := gorm.Open(e.fresh(t)(), &gorm.Config{Logger: logger.Discard, DisableForeignKeyConstraintWhenMigrating: true})
	require.NoError(t, err)
	l := &land{T: t, db: db, plugin: tenancy.New(cfg)}
	require.NoError(t, db.Use(l.plugin))
	t.Cleanup(func() { require.NoError(t, l.plugin.Close()) })
	return l
}

// TestSubqueryOfAnotherPlace is about promise 4: a tenant's subquery is not run where others are.
func TestSubqueryOfAnotherPlace(t *testing.T) {
	t.Parallel()
	l := schemaLand(t, &gorm.Config{})
	require.NoError(t, l.as("b").Create(&Tag{Label: "b's"}).Error)
	inB := l.db.WithContext(tenancy.WithPlacement(tenancy.WithoutTenant(context.Background(), "test"), tenancy.Placement{Schema: "s_b"}))
	require.ErrorIs(t, inB.Where("id IN (?)", l.as("a").Model(&Tag{}).Select("id")).Find(&[]Tag{}).Error, tenancy.ErrTenantMismatch)
	require.NoError(t, inB.Where("id IN (?)", l.as("b").Model(&Tag{}).Select("id")).Find(&[]Tag{}).Error)
}

// TestGlobalTablesAreWrittenFromTenants is about promise 6: a handler has the tenant's context, and writes to an audit log.
func TestGlobalTablesAreWrittenFromTenants(t *testing.T) {
	t.Parallel()
	e := engines[0]
	dir := t.TempDir()
	touch(t, dir+"/a")
	l := newLand(t, e, e.fresh(t)(), &gorm.Config{}, tenancy.Config{
		Models: []any{&Ship{}}, Global: []any{&Flag{}}, Resolver: tenancy.DatabasePerTenant(""),
		Open: func(_ context.Context, name string) (tenancy.Shard, error) {
			return tenancy.Shard{Primary: sqlite.Open(dir + "/" + name)}, nil
		},
	})
	require.NoError(t, l.db.AutoMigrate(&Flag{}))
	a := l.as("a")
	f := Flag{Name: "at"}
	require.NoError(t, a.Create(&f).Error)
	f.Name = "cz"
	require.NoError(t, a.Save(&f).Error)
	require.NoError(t, a.Model(&Flag{}).Where("name = ?", "cz").Update("name", "de").Error)
	require.NoError(t, l.db.First(&f).Error)
	require.Equal(t, "de", f.Name)
	require.NoError(t, a.Delete(&f).Error)
}

// TestFailedScanKeepsTheKey is about promise 6: what was not read is not emptied, so that a query can be tried again.
func TestFailedScanKeepsTheKey(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	ctx, cancel := context.WithCancel(ctxOf("a"))
	cancel()
	tag := Tag{ID: 4}
	require.ErrorIs(t, s.db.WithContext(ctx).First(&tag).Error, context.Canceled)
	require.EqualValues(t, 4, tag.ID)
}

// TestSequences is about promise 2: numbers of another tenant's sequence are not to be had by a computed name.
func TestSequences(t *testing.T) {
	t.Parallel()
	l := schemaLand(t, &gorm.Config{})
	for _, name := range []string{
		"concat('s_b', chr(46), 'tags_id_seq')::regclass", "('s_b' || chr(46) || 'tags_id_seq')::regclass", "16462", "'16462'",
		"lower('S_B.tags_id_seq')::regclass", "'s_b.tags_id_seq'::regclass", "pg_get_serial_sequence('s_b.tags', 'id')", "?",
	} {
		args := []any{"s_b.tags_id_seq"}[:strings.Count(name, "?")]
		require.ErrorIs(t, l.as("shared").Raw("SELECT nextval("+name+")", args...).Scan(new(int)).Error, tenancy.ErrUnconfinedSQL, name)
	}
	for _, name := range []string{"'tags_id_seq'", "'tags_id_seq'::regclass", "pg_get_serial_sequence('tags', 'id')"} {
		require.NoError(t, l.as("shared").Raw("SELECT nextval("+name+")").Scan(new(int)).Error, name)
	}
}

// TestForEachTenantCountsAll is about promise 1: a tenant whose work ends its goroutine has failed.
func TestForEachTenantCountsAll(t *testing.T) {
	t.Parallel()
	l := schemaLand(t, &gorm.Config{})
	err := l.plugin.ForEachTenant(context.Background(), 2, func(_ context.Context, id tenancy.ID) error {
		if id == "b" {
			runtime.Goexit()
		}
		return nil
	})
	var partial *tenancy.PartialError
	require.ErrorAs(t, err, &partial)
	require.Equal(t, "b", partial.Failed[0].Name)
	require.Len(t, partial.Done, 4)
	require.Error(t, l.as("a").Migrator().DropTable("s_b.tags"), "a name of another place")
	require.NoError(t, l.as("b").Find(&[]Tag{}).Error)
}

// TestOneConnectionThatBeginsAtHome is about promise 6: a transaction that begins with a global table looks at its role later.
func TestOneConnectionThatBeginsAtHome(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	g.protect(t)
	for range 2 {
		l := newLand(t, engines[1], postgres.Open(g.dsn), &gorm.Config{}, tenancy.Config{Global: []any{&Country{}}, RowSecurity: "app.tenant_id"})
		pool, err := tenancy.DB(l.db)
		require.NoError(t, err)
		pool.SetMaxOpenConns(1)
		ctx, cancel := context.WithTimeout(ctxOf("a"), 20*time.Second)
		db := l.db.WithContext(ctx)
		require.NoError(t, db.Transaction(func(tx *gorm.DB) error {
			require.NoError(t, tx.Find(&[]Country{}).Error)
			return tx.Create(&Tag{Label: "x"}).Error
		}))
		require.NoError(t, db.Connection(func(tx *gorm.DB) error {
			return tx.Transaction(func(tx *gorm.DB) error { return tx.Find(&[]Tag{}).Error })
		}))
		cancel()
	}
}

// Plan is global, and has a column that is called like a tenant's table.
type Plan struct {
	ID    uint
	Ships int
}

// TestColumnsCalledLikeTables is about promise 6.
func TestColumnsCalledLikeTables(t *testing.T) {
	t.Parallel()
	l := newLandUnproven(t, engines[0], tenancy.Config{
		Models: []any{&Ship{}}, Global: []any{&Flag{}, &Plan{}}, Resolver: tenancy.Single(tenancy.Placement{}),
	})
	require.NoError(t, l.db.AutoMigrate(&Flag{}, &Plan{}))
	require.NoError(t, l.db.Create(&Plan{Ships: 3}).Error)
	require.NoError(t, l.db.Where("ships = 3").First(&Plan{}).Error)
	require.NoError(t, l.as("a").Select("ships").Find(&[]Plan{}).Error)
}

// TestUniqueKeysByPlace is about promise 3 on MariaDB, whose upserts meet rows over any unique key: the keys are asked for where
// the tenant is, and kept apart.
func TestUniqueKeysByPlace(t *testing.T) {
	t.Parallel()
	e := engines[2]
	home := e.fresh(t)
	prefix := fmt.Sprintf("k%p_", t)
	inSchemas(t, e, home(), prefix+"a", prefix+"b")
	plain, err := gorm.Open(home(), &gorm.Config{Logger: logger.Discard})
	require.NoError(t, err)
	for id, more := range map[string]string{"a": ", UNIQUE (label)", "b": ""} {
		require.NoError(t, plain.Exec("CREATE TABLE "+prefix+id+".tags (id int, tenant_id varchar(63), label varchar(20), PRIMARY KEY (tenant_id, id)"+more+")").Error)
	}
	pool, err := plain.DB()
	require.NoError(t, err)
	require.NoError(t, pool.Close())
	l := newLand(t, e, home(), &gorm.Config{}, tenancy.Config{Models: []any{&Tag{}}, Global: []any{&Country{}}, Resolver: tenancy.SchemaPerTenant("", prefix)})
	upsert := func(id tenancy.ID) error {
		return l.as(id).Exec("INSERT INTO tags (id, label) VALUES (1, 'x') ON DUPLICATE KEY UPDATE label = 'y'").Error
	}
	for range 2 {
		require.NoError(t, upsert("b"))
		require.ErrorIs(t, upsert("a"), tenancy.ErrUnconfinedSQL)
	}
	save := func(id tenancy.ID) error {
		return l.as(id).Clauses(clause.OnConflict{UpdateAll: true}).Create(&Tag{ID: 1, Label: "z"}).Error
	}
	require.NoError(t, save("b"))
	require.NoError(t, save("a"))
}

// TestTenantsThatMove is about promise 4: the resolver is asked for each statement, and its last word counts.
func TestTenantsThatMove(t *testing.T) {
	t.Parallel()
	var at atomic.Value
	at.Store("x")
	l := newLand(t, engines[0], engines[0].fresh(t)(), &gorm.Config{}, tenancy.Config{
		Models: []any{&Tag{}}, Global: []any{&Country{}}, Open: sqliteFiles(t, "x", "y"),
		Resolver: tenancy.ShardResolverFunc(func(context.Context, any) (tenancy.Placement, error) {
			shard, _ := at.Load().(string)
			return tenancy.Placement{Shard: shard, Exclusive: true}, nil
		}),
	})
	for range 2 {
		for _, shard := range []string{"x", "y"} {
			at.Store(shard)
			require.NoError(t, l.as("a").AutoMigrate(&Tag{}))
			require.NoError(t, l.as("a").Create(&Tag{Label: shard}).Error)
			var labels []string
			require.NoError(t, l.as("a").Model(&Tag{}).Distinct().Pluck("label", &labels).Error)
			require.Equal(t, []string{shard}, labels)
			require.NoError(t, l.as("a").Transaction(func(tx *gorm.DB) error {
				if err := tx.Create(&Tag{Label: shard}).Error; err != nil {
					return err
				}
				at.Store("x") // a transaction stays where it began
				return tx.Create(&Tag{Label: shard}).Error
			}))
		}
	}
}
