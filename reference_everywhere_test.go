package tenancy_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
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

// Tariff is a reference row, whose database makes much of it: its ID, Token, and two columns that the model does not have.
type Tariff struct {
	ID        int64
	Code      string
	Price     float64
	Raw       []byte
	Token     string `gorm:"default:(-)"`
	Version   int
	CreatedAt time.Time
	UpdatedAt time.Time
	DeletedAt gorm.DeletedAt
}

// Coin has a key that no database makes.
type Coin struct {
	Code   string `gorm:"primaryKey;size:3"`
	Number int    `gorm:"uniqueIndex"`
	Name   string
}

// Ride is sharded by its customer, and belongs to a tariff.
type Ride struct {
	ID       int64
	Customer int64 `tenancy:"shard_key"`
	TariffID int64
	Tariff   Tariff
}

var tariffTables = map[string]string{
	"sqlite": `CREATE TABLE tariffs (id integer PRIMARY KEY AUTOINCREMENT, code text NOT NULL UNIQUE, price real, raw blob,
		token text DEFAULT (hex(randomblob(8))), hidden text DEFAULT (hex(randomblob(8))), version integer, twice integer GENERATED ALWAYS AS (version * 2) STORED,
		created_at datetime, updated_at datetime, deleted_at datetime)`,
	"postgres": `CREATE TABLE tariffs (id bigserial PRIMARY KEY, code text NOT NULL UNIQUE, price double precision, raw bytea,
		token text DEFAULT gen_random_uuid()::text, hidden uuid DEFAULT gen_random_uuid(), version bigint, twice bigint GENERATED ALWAYS AS (version * 2) STORED,
		created_at timestamptz, updated_at timestamptz, deleted_at timestamptz)`,
	"mysql": `CREATE TABLE tariffs (id bigint PRIMARY KEY AUTO_INCREMENT, code varchar(100) NOT NULL UNIQUE, price double, raw varbinary(100),
		token varchar(64) DEFAULT (uuid()), hidden varchar(64) DEFAULT (uuid()), version bigint, twice bigint AS (version * 2) STORED,
		created_at datetime(3), updated_at datetime(3), deleted_at datetime(3))`,
}

// tariffLand is an application with tariffs in the default database and on two shards.
type tariffLand struct {
	*testing.T
	db    *gorm.DB // with the plugin
	plain []*gorm.DB
	names []string
}

// on returns a *gorm.DB for all databases.
func (l *tariffLand) everywhere() *gorm.DB {
	return l.db.WithContext(tenancy.OnAllShards(l.Context()))
}

func newTariffLand(t *testing.T, e engine, gcfg *gorm.Config) *tariffLand {
	t.Helper()
	return openTariffLand(t, e, gcfg, e.fresh(t), e.fresh(t), e.fresh(t))
}

func openTariffLand(t *testing.T, e engine, gcfg *gorm.Config, opens ...func() gorm.Dialector) *tariffLand {
	t.Helper()
	l := &tariffLand{T: t, names: []string{"default", "s1", "s2"}}
	var shards []tenancy.Shard
	for i, open := range opens {
		if i > 0 {
			shards = append(shards, tenancy.Shard{Name: l.names[i], Primary: open()})
		}
		plain, err := gorm.Open(open(), &gorm.Config{Logger: logger.Discard})
		require.NoError(t, err)
		require.NoError(t, plain.Exec(tariffTables[e.name]).Error)
		require.NoError(t, plain.Exec("CREATE TABLE rides (id bigint PRIMARY KEY, customer bigint, tariff_id bigint)").Error)
		require.NoError(t, plain.AutoMigrate(&Coin{}))
		l.plain = append(l.plain, plain)
		t.Cleanup(func() { closePlain(t, plain) })
	}
	var ticks atomic.Int64
	gcfg.Logger, gcfg.NowFunc = logger.Discard, func() time.Time { return time.Unix(1_800_000_000+ticks.Add(1), 0) } // never the same
	db, err := gorm.Open(opens[0](), gcfg)
	require.NoError(t, err)
	plugin := tenancy.New(tenancy.Config{
		SQL: e.sql(), Shards: shards, Reference: []any{&Tariff{}, &Coin{}},
		Sharding: []tenancy.Sharding{{
			Models:   []any{&Ride{}},
			Resolver: tenancy.Hash(32, tenancy.EvenSlots(32, tenancy.Placement{Shard: "s1"}, tenancy.Placement{Shard: "s2"})...),
		}},
	})
	require.NoError(t, db.Use(plugin))
	t.Cleanup(func() { require.NoError(t, plugin.Close()) })
	l.db = db
	return l
}

func closePlain(t *testing.T, db *gorm.DB) {
	t.Helper()
	pool, err := db.DB()
	require.NoError(t, err)
	require.NoError(t, pool.Close())
}

// rows returns the rows of one database, in text, with all their columns.
func (l *tariffLand) rows(i int) (all []map[string]any) {
	l.Helper()
	read := l.plain[i].Table("tariffs").Order("id")
	if l.plain[i].Name() == "sqlite" { // where a time may be written in more than one way
		read = read.Select("*, quote(created_at) AS exactly")
	}
	require.NoError(l, read.Find(&all).Error)
	return all
}

// same asserts that all databases have the same rows, and returns how many.
func (l *tariffLand) same(after string) int {
	l.Helper()
	home := l.rows(0)
	for i := range l.plain {
		require.Equal(l, home, l.rows(i), "%s: rows of %s", after, l.names[i])
	}
	return len(home)
}

func TestCreateReferenceRowsEverywhere(t *testing.T) {
	t.Parallel()
	for _, gcfg := range []gorm.Config{{}, {SkipDefaultTransaction: true, PrepareStmt: true}} {
		eachEngine(t, func(t *testing.T, e engine) {
			t.Helper()
			gcfg := gcfg
			l := newTariffLand(t, e, &gcfg)
			db := l.everywhere()

			one := Tariff{Code: "a", Price: 0.1, Raw: []byte{0, 255, 7}}
			tx := db.Create(&one)
			require.NoError(t, tx.Error)
			require.EqualValues(t, 1, tx.RowsAffected)
			require.NotZero(t, one.ID)
			require.NotEmpty(t, one.Token)
			require.Equal(t, 1, l.same("a struct"))

			several := []Tariff{{Code: "b"}, {Code: "c"}, {ID: 50, Code: "d"}}
			tx = db.Create(&several)
			require.NoError(t, tx.Error)
			require.EqualValues(t, 3, tx.RowsAffected)
			pointers := []*Tariff{{Code: "e"}, {Code: "f"}}
			require.NoError(t, db.Create(pointers).Error)
			require.Equal(t, 6, l.same("slices"))
			require.NoError(t, gorm.G[Tariff](l.db).Create(tenancy.OnAllShards(t.Context()), &Tariff{Code: "g"}))
			require.Equal(t, 7, l.same("generics"))

			m := map[string]any{"code": "h", "version": 3, "created_at": "2020-01-01"}
			require.NoError(t, db.Model(&Tariff{}).Create(m).Error)
			maps := []map[string]any{{"code": "i"}, {"Code": "j"}}
			tx = db.Model(&Tariff{}).Create(maps)
			require.NoError(t, tx.Error)
			require.EqualValues(t, 2, tx.RowsAffected)
			require.Equal(t, 10, l.same("maps"))

			require.NoError(t, db.Select("Code").Create(&Tariff{Code: "k", Price: 5}).Error)
			require.NoError(t, db.Model(&Tariff{}).Create(map[string]any{"code": "l", "updated_at": gorm.Expr("CURRENT_TIMESTAMP")}).Error)
			require.Equal(t, 12, l.same("Select, and an expression"))

			batch := []Tariff{{Code: "m"}, {Code: "n"}, {Code: "o"}}
			tx = db.Session(&gorm.Session{SkipDefaultTransaction: true}).CreateInBatches(&batch, 2)
			require.NoError(t, tx.Error)
			require.EqualValues(t, 3, tx.RowsAffected)
			require.Equal(t, 15, l.same("CreateInBatches"))

			one.Price, one.Version = 7, 2
			require.NoError(t, db.Save(&one).Error)
			l.same("Save of a row")
			require.NoError(t, db.Save(&Tariff{ID: 90, Code: "p"}).Error)
			require.Equal(t, 16, l.same("Save of a new row"))
			batch[0].Price, batch[1].Price = 3, 4
			long := time.Unix(1700000000, 0)
			batch[0].UpdatedAt = long
			require.NoError(t, db.Save(&batch).Error)
			require.Greater(t, batch[0].UpdatedAt, long)
			var saved Tariff
			require.NoError(t, db.First(&saved, batch[0].ID).Error)
			require.Equal(t, saved.UpdatedAt.Unix(), batch[0].UpdatedAt.Unix(), "it is the time that was written")
			l.same("Save of several")

			require.NoError(t, db.Clauses(clause.OnConflict{DoNothing: true}).Create(&[]Tariff{{ID: one.ID, Code: "a", Price: 99}, {ID: 91, Code: "q"}}).Error)
			require.Equal(t, 17, l.same("DO NOTHING"))
			if e.name != "mysql" { // where an upsert meets rows by any key
				upsert := Tariff{Code: "a", Price: 11}
				require.NoError(t, db.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "code"}}, DoUpdates: clause.AssignmentColumns([]string{"price"})}).Create(&upsert).Error)
				require.InDelta(t, 11, l.rows(2)[0]["price"], 0)
			}
			require.Equal(t, 17, l.same("an upsert by another key"))

			ride := Ride{ID: 1, Customer: 1, Tariff: Tariff{Code: "r"}}
			require.NoError(t, db.Create(&ride).Error)
			require.Equal(t, ride.Tariff.ID, ride.TariffID)
			require.Equal(t, 18, l.same("an association"))
			ride.ID = 2
			require.NoError(t, db.Create(&ride).Error, "whose tariff is there")
			require.NoError(t, db.Create(&[]Ride{{ID: 3, Customer: 1, Tariff: Tariff{Code: "s"}}, {ID: 4, Customer: 2, Tariff: Tariff{Code: "t"}}}).Error)
			require.Equal(t, 20, l.same("associations"))

			// What is created in one database alone does not get an ID that was copied.
			there := l.db.WithContext(tenancy.WithPlacement(t.Context(), tenancy.Placement{Shard: "s2"}))
			for i := range 3 {
				require.NoError(t, there.Create(&Tariff{Code: fmt.Sprintf("alone %d", i)}).Error)
			}
		})
	}
}

func TestWriteReferenceRowsEverywhere(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, e engine) {
		t.Helper()
		l := newTariffLand(t, e, &gorm.Config{})
		db := l.everywhere()
		all := []Tariff{{Code: "a"}, {Code: "b"}, {Code: "c"}, {Code: "d"}}
		require.NoError(t, db.Create(&all).Error)
		for _, w := range []struct {
			name  string
			rows  int64
			write func(db *gorm.DB) *gorm.DB
		}{
			{"Update", 1, func(db *gorm.DB) *gorm.DB { return db.Model(&all[0]).Update("price", 3) }},
			{"Updates", 1, func(db *gorm.DB) *gorm.DB { return db.Model(&all[1]).Updates(Tariff{Price: 4, Raw: []byte{1}}) }},
			{"UpdateColumn", 1, func(db *gorm.DB) *gorm.DB {
				return db.Model(&Tariff{}).Where("code = ?", "c").UpdateColumn("version", gorm.Expr("version + ?", 2))
			}},
			{"a function", 4, func(db *gorm.DB) *gorm.DB {
				return db.Model(&Tariff{}).Where("id > ?", 0).Update("token", gorm.Expr("upper(code)"))
			}},
			{"an optimistic lock", 1, func(db *gorm.DB) *gorm.DB {
				return db.Model(&Tariff{}).Where("code = ? AND version = ?", "c", 2).Updates(map[string]any{"version": 3, "price": 1})
			}},
			{"soft delete", 1, func(db *gorm.DB) *gorm.DB { return db.Delete(&all[0]) }},
			{"raw", 3, func(db *gorm.DB) *gorm.DB {
				return db.Exec("UPDATE tariffs SET price = price + ? WHERE deleted_at IS NULL", 1.5)
			}},
			{"raw insert", 1, func(db *gorm.DB) *gorm.DB {
				return db.Exec("INSERT INTO tariffs (id, code, price, raw, token, hidden, version, created_at, updated_at, deleted_at) VALUES (?, 'x', 1.5, NULL, 't', '70b8d1a4-5c5f-4f80-9ad5-8fd7a2b1a7d5', 1, ?, NULL, NULL)", 70, time.Unix(1700000000, 0))
			}},
			{"raw upsert", map[string]int64{"sqlite": 1, "postgres": 1, "mysql": 2}[e.name], func(db *gorm.DB) *gorm.DB {
				insert := "INSERT INTO tariffs(id, code, price, raw, token, hidden, version, created_at, updated_at, deleted_at) VALUES (70, 'x', ?, NULL, 't', '70b8d1a4-5c5f-4f80-9ad5-8fd7a2b1a7d5', 1, NULL, NULL, NULL)"
				if e.name == "mysql" {
					return db.Exec(insert+" ON DUPLICATE KEY UPDATE price = VALUES(price)", 8)
				}
				return db.Exec(insert+" ON CONFLICT (id) DO UPDATE SET price = excluded.price", 8)
			}},
			{"delete", 1, func(db *gorm.DB) *gorm.DB { return db.Unscoped().Where("code = ?", "b").Delete(&Tariff{}) }},
			{"raw delete", 1, func(db *gorm.DB) *gorm.DB { return db.Exec("DELETE FROM tariffs WHERE code IN ('d')") }},
			{"none", 0, func(db *gorm.DB) *gorm.DB { return db.Model(&Tariff{}).Where("id = 0").Update("price", 3) }},
		} {
			before := fmt.Sprint(l.rows(0))
			tx := w.write(db)
			require.NoError(t, tx.Error, w.name)
			require.Equal(t, w.rows, tx.RowsAffected, w.name)
			require.Equal(t, w.rows == 0, before == fmt.Sprint(l.rows(0)), w.name)
			l.same(w.name)
		}
		if e.name != "mysql" { // MariaDB has no UPDATE … RETURNING
			var back []Tariff
			require.NoError(t, db.Model(&back).Clauses(clause.Returning{}).Where("code = ?", "c").Update("price", 9).Error)
			require.Len(t, back, 1)
			require.InDelta(t, 9, back[0].Price, 0)
			l.same("RETURNING")
		}
		var found Tariff
		require.NoError(t, db.First(&found, "code = ?", "c").Error, "reads are as before")
	})
}

func TestReferenceWritesThatVary(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, e engine) {
		t.Helper()
		l := newTariffLand(t, e, &gorm.Config{})
		db := l.everywhere()
		require.NoError(t, db.Create(&[]Tariff{{ID: 1, Code: "a"}, {ID: 2, Code: "b"}}).Error)
		model := func() *gorm.DB { return db.Model(&Tariff{}).Where("id > 0") }
		random := map[string]string{"sqlite": "random()", "postgres": "random()", "mysql": "rand()"}[e.name]
		refused := map[string]func() *gorm.DB{
			"CURRENT_TIMESTAMP":   func() *gorm.DB { return model().Update("updated_at", gorm.Expr("CURRENT_TIMESTAMP")) },
			"random":              func() *gorm.DB { return model().Update("price", gorm.Expr(random)) },
			"an unknown function": func() *gorm.DB { return db.Exec("UPDATE tariffs SET code = f(code)") },
			"a subquery":          func() *gorm.DB { return model().Update("price", db.Model(&Tariff{}).Select("count(id)")) },
			"a condition":         func() *gorm.DB { return model().Where("price < "+random).Update("price", 1) },
			"a query in WHERE": func() *gorm.DB {
				return db.Exec("DELETE FROM tariffs WHERE id IN (SELECT max(id) FROM tariffs)")
			},
			"a column left out": func() *gorm.DB { return db.Exec("INSERT INTO tariffs (id, code) VALUES (7, 'x')") },
			"rows of a query":   func() *gorm.DB { return db.Exec("INSERT INTO tariffs (id, code) SELECT id + 10, code FROM tariffs") },
		}
		own := map[string]map[string]string{
			"sqlite": {
				"datetime": "UPDATE tariffs SET updated_at = datetime('now')", "rowid": "DELETE FROM tariffs WHERE rowid = 1", "quoted rowid": "DELETE FROM tariffs WHERE `rowid` = 1",
				"NULL for an ID": "INSERT INTO tariffs (id, code, price, raw, token, hidden, version, created_at, updated_at, deleted_at) VALUES (NULL, 'x', 1, NULL, 't', 'h', 1, NULL, NULL, NULL)",
			},
			"postgres": {
				"now": "UPDATE tariffs SET updated_at = now()", "a clock": "UPDATE tariffs SET updated_at = 'now'", "a cast clock": "UPDATE tariffs SET updated_at = ' NOW '::timestamptz",
				"DEFAULT": "UPDATE tariffs SET token = DEFAULT", "FROM": "UPDATE tariffs SET price = o.price FROM tariffs o", "USING": "DELETE FROM tariffs USING tariffs o WHERE o.id = 1",
				"ctid": "DELETE FROM tariffs WHERE ctid = '(0,1)'", "user": "UPDATE tariffs SET code = current_user", "nextval": "UPDATE tariffs SET version = nextval('tariffs_id_seq')",
				"a name":        "UPDATE tariffs SET version = 'tariffs'::regclass::bigint",
				"a quoted call": `UPDATE tariffs SET updated_at = "now"()`, "a schema": "UPDATE tariffs SET updated_at = pg_catalog.now()",
			},
			"mysql": {
				"LIMIT": "DELETE FROM tariffs LIMIT 1", "LIMIT of an order": "DELETE FROM tariffs ORDER BY price LIMIT 1", "now": "UPDATE tariffs SET updated_at = now()", "uuid": "UPDATE tariffs SET token = uuid()",
				"default":       "UPDATE tariffs SET token = DEFAULT(token)",
				"0 for an ID":   "INSERT INTO tariffs (id, code, price, raw, token, hidden, version, created_at, updated_at, deleted_at) VALUES (0, 'x', 1, NULL, 't', 'h', 1, NULL, NULL, NULL)",
				"two tables":    "UPDATE tariffs, tariffs AS o SET tariffs.price = o.price",
				"a join":        "DELETE tariffs FROM tariffs JOIN tariffs AS o ON o.id > tariffs.id",
				"utc_timestamp": "UPDATE tariffs SET updated_at = UTC_TIMESTAMP",
			},
		}[e.name]
		for name, text := range own {
			refused[name] = func() *gorm.DB { return db.Exec(text) }
		}
		if e.name == "postgres" {
			refused["a bound clock"] = func() *gorm.DB { return db.Exec("UPDATE tariffs SET updated_at = ?", "today 10:00") }
		}
		before := l.rows(0)
		for name, write := range refused {
			require.ErrorIs(t, write().Error, tenancy.ErrUnmergeable, name)
		}
		if e.name == "mysql" {
			for _, tenant := range []*gorm.DB{db, l.db.WithContext(tenancy.OnAllShards(tenancy.WithoutTenant(t.Context(), "all")))} {
				require.Error(t, tenant.Exec("UPDATE tariffs SET version = @x").Error)
				require.Error(t, tenant.Exec("UPDATE tariffs SET version = @@server_id").Error)
			}
		}
		require.ErrorIs(t, db.Model(&Tariff{}).Create(map[string]any{"id": gorm.Expr("1 + 6"), "code": "x"}).Error, tenancy.ErrUnmergeable)
		require.ErrorIs(t, db.Table("tariffs").Create(map[string]any{"id": 8, "code": "x"}).Error, tenancy.ErrUnmergeable, "without a model")
		for name, write := range map[string]func(*gorm.DB) error{
			"create":          func(db *gorm.DB) error { return db.Create(&Tariff{Code: "x"}).Error },
			"update":          func(db *gorm.DB) error { return db.Model(&Tariff{ID: 1}).Update("price", 9).Error },
			"raw":             func(db *gorm.DB) error { return db.Exec("UPDATE tariffs SET price = 9").Error },
			"CreateInBatches": func(db *gorm.DB) error { return db.CreateInBatches(&[]Tariff{{Code: "y"}, {Code: "z"}}, 1).Error },
		} {
			err := l.db.Transaction(func(tx *gorm.DB) error { return write(tx.WithContext(tenancy.OnAllShards(t.Context()))) })
			require.ErrorIs(t, err, tenancy.ErrCrossShard, name)
			require.ErrorIs(t, write(l.db), tenancy.ErrCrossShard, name+" without OnAllShards")
		}
		require.ErrorIs(t, db.CreateInBatches(&[]Tariff{{Code: "y"}, {Code: "z"}}, 1).Error, tenancy.ErrCrossShard)
		require.Error(t, db.Create(&Tariff{ID: 1, Code: "again"}).Error, "the default database refuses it")
		require.Equal(t, before, l.rows(0))
		require.Equal(t, 2, l.same("refusals"))
	})
}

// TestReferenceWritesFailInOneDatabase is about a write that one of several databases refuses.
func TestReferenceWritesFailInOneDatabase(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, e engine) {
		t.Helper()
		l := newTariffLand(t, e, &gorm.Config{})
		db := l.everywhere()
		require.NoError(t, db.Create(&Tariff{Code: "a"}).Error)
		broken := l.plain[1]
		require.NoError(t, broken.Exec("ALTER TABLE tariffs RENAME TO gone").Error)
		partial := func(err error) {
			t.Helper()
			var p *tenancy.PartialError
			require.ErrorAs(t, err, &p)
			require.Equal(t, []string{"default", "s2"}, p.Done)
			require.Len(t, p.Failed, 1)
			require.Equal(t, "s1", p.Failed[0].Name)
		}
		created := Tariff{Code: "b"}
		partial(db.Create(&created).Error)
		partial(db.Model(&Tariff{}).Where("id = 1").Update("price", 2).Error)
		partial(db.Exec("UPDATE tariffs SET version = 5 WHERE id = 1").Error)
		require.Equal(t, l.rows(0), l.rows(2))
		require.Len(t, l.rows(2), 2)
		require.NoError(t, broken.Exec("ALTER TABLE gone RENAME TO tariffs").Error)

		// Again: rows by an upsert, an update as it was.
		require.NoError(t, db.Clauses(clause.OnConflict{UpdateAll: true}).Create(&created).Error)
		require.NoError(t, db.Model(&Tariff{}).Where("id = 1").Updates(map[string]any{"price": 2, "version": 5}).Error)
		require.Equal(t, 2, l.same("writing again"))
		if e.name != "mysql" {
			require.NoError(t, broken.Exec("DELETE FROM tariffs WHERE id = 1").Error)
			partial(db.Model(&Tariff{}).Where("id = 1").Update("price", 3).Error)
			require.NoError(t, db.Clauses(clause.OnConflict{UpdateAll: true}).Create(&Tariff{ID: 1, Code: "a"}).Error)
			require.Equal(t, 2, l.same("a row that was missing"))
		}

		require.NoError(t, l.plain[0].Exec("ALTER TABLE tariffs RENAME TO gone").Error)
		for _, write := range []func() error{
			func() error { return db.Create(&Tariff{Code: "c"}).Error },
			func() error { return db.Model(&Tariff{}).Where("id = 1").Update("price", 7).Error },
		} {
			err := write()
			var p *tenancy.PartialError
			require.Error(t, err)
			require.NotErrorAs(t, err, &p, "nothing is done anywhere")
		}
		require.NoError(t, l.plain[0].Exec("ALTER TABLE gone RENAME TO tariffs").Error)
		require.Equal(t, 2, l.same("a failure in the default database"))
	})
}

// TestReferenceWritesWithAShardDown stops a server, and locks a file.
func TestReferenceWritesWithAShardDown(t *testing.T) {
	t.Parallel()
	down := func(t *testing.T, l *tariffLand, stop, start func()) {
		t.Helper()
		require.NoError(t, l.everywhere().Create(&Tariff{Code: "a"}).Error)
		stop()
		created := Tariff{Code: "b"}
		for _, err := range []error{l.everywhere().Create(&created).Error, l.everywhere().Model(&Tariff{}).Where("id = 1").Update("price", 2).Error} {
			var p *tenancy.PartialError
			require.ErrorAs(t, err, &p)
			require.Equal(t, []string{"default", "s1"}, p.Done)
			require.Len(t, p.Failed, 1)
			require.Equal(t, "s2", p.Failed[0].Name)
		}
		require.Equal(t, l.rows(0), l.rows(1))
		start()
		require.Eventually(t, func() bool {
			return l.everywhere().Clauses(clause.OnConflict{UpdateAll: true}).Create(&created).Error == nil
		}, 30*time.Second, 50*time.Millisecond)
		require.NoError(t, l.everywhere().Model(&Tariff{}).Where("id = 1").Update("price", 2).Error)
		require.Len(t, l.rows(2), 2)
	}
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		e, c := engines[1], testdb.StartPostgres(t)
		dsn := c.Database(t)
		last := func() gorm.Dialector { return postgres.Open(dsn) }
		l := openTariffLand(t, e, &gorm.Config{}, e.fresh(t), e.fresh(t), last)
		pool, err := l.plain[2].DB()
		require.NoError(t, err)
		pool.SetMaxIdleConns(0) // those that are kept do not outlive the server
		down(t, l, func() { c.Stop(t) }, func() { c.Start(t) })
	})
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(t.TempDir(), "here")
		require.NoError(t, os.Mkdir(dir, 0o700))
		e, path := engines[0], filepath.Join(dir, "x.db")
		l := openTariffLand(t, e, &gorm.Config{}, e.fresh(t), e.fresh(t), func() gorm.Dialector { return sqlite.Open(path + "?_pragma=busy_timeout(100)") })
		var lock *gorm.DB
		down(t, l, func() {
			lock = l.plain[2].Begin()
			require.NoError(t, lock.Exec("UPDATE tariffs SET version = version").Error)
		}, func() { require.NoError(t, lock.Rollback().Error) })
	})
}

// TestReferenceWritesNeedAllDatabases is about databases that nobody lists.
func TestReferenceWritesNeedAllDatabases(t *testing.T) {
	t.Parallel()
	e := engines[0]
	home := e.fresh(t)
	for name, cfg := range map[string]tenancy.Config{
		"tenants": {Resolver: tenancy.DatabasePerTenant("t_")},
		"keys":    {Sharding: []tenancy.Sharding{{Models: []any{&Ride{}}, Resolver: tenancy.Single(tenancy.Placement{Shard: "x"})}}},
	} {
		db, err := gorm.Open(home(), &gorm.Config{Logger: logger.Discard})
		require.NoError(t, err)
		cfg.SQL, cfg.Reference = e.sql(), []any{&Tariff{}}
		cfg.Open = func(context.Context, string) (tenancy.Shard, error) { return tenancy.Shard{Primary: home()}, nil }
		plugin := tenancy.New(cfg)
		require.NoError(t, db.Use(plugin))
		t.Cleanup(func() { require.NoError(t, plugin.Close()) })
		everywhere := db.WithContext(tenancy.OnAllShards(t.Context()))
		require.ErrorIs(t, everywhere.Create(&Tariff{Code: "a"}).Error, tenancy.ErrMissingShardKey, name)
		require.ErrorIs(t, everywhere.Model(&Tariff{ID: 1}).Update("price", 1).Error, tenancy.ErrMissingShardKey, name)
	}
}

// TestReferenceWritesSayWhere is about text without a tenant, of which nobody else would notice that it reaches one database alone.
func TestReferenceWritesSayWhere(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		t.Helper()
		l := newTariffLand(t, e, &gorm.Config{})
		for _, ctx := range []context.Context{t.Context(), tenancy.WithoutTenant(t.Context(), "a job"), tenancy.WithTenant(t.Context(), "acme")} {
			require.ErrorIs(t, l.db.WithContext(ctx).Exec("UPDATE tariffs SET price = 1").Error, tenancy.ErrCrossShard)
			require.ErrorIs(t, l.db.WithContext(ctx).Exec("DELETE FROM tariffs").Error, tenancy.ErrCrossShard)
		}
		at := tenancy.WithPlacement(tenancy.WithoutTenant(t.Context(), "a job"), tenancy.Placement{Shard: "s1"})
		require.NoError(t, l.db.WithContext(at).Exec("UPDATE tariffs SET price = 1").Error)
	})
}

// TestReferenceWritesMeetRowsByAnotherKey is about upserts whose rows are found by what they met.
func TestReferenceWritesMeetRowsByAnotherKey(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, e engine) {
		t.Helper()
		l := newTariffLand(t, e, &gorm.Config{})
		db := l.everywhere()
		same := func(want ...Coin) {
			t.Helper()
			for i, plain := range l.plain {
				var all []Coin
				require.NoError(t, plain.Order("code").Find(&all).Error)
				require.Equal(t, want, all, l.names[i])
			}
		}
		require.NoError(t, db.Create(&Coin{"EUR", 978, "euro"}).Error)
		by := func(set clause.Set) *gorm.DB {
			return db.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "number"}}, DoUpdates: set})
		}
		require.NoError(t, by(clause.AssignmentColumns([]string{"name"})).Create(&Coin{"XXX", 978, "Euro"}).Error)
		same(Coin{"EUR", 978, "Euro"})
		err := by(clause.Assignments(map[string]any{"number": 1})).Create(&Coin{"XXX", 978, "lost"}).Error
		require.ErrorIs(t, err, tenancy.ErrUnmergeable, "the row is not found by what it was met by")
		require.ErrorIs(t, db.Table("tariffs_of_old").Create(&Tariff{Code: "x"}).Error, tenancy.ErrUnknownTable)
		require.ErrorIs(t, db.Table("tariffs AS x").Create(&Tariff{Code: "x"}).Error, tenancy.ErrUnmergeable)
		same(Coin{"EUR", 978, "Euro"})
	})
}

// TestReferenceWritesAreInOneOrder is about two writers of one row: the last of them is the last in all databases.
func TestReferenceWritesAreInOneOrder(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, e engine) {
		t.Helper()
		l := newTariffLand(t, e, &gorm.Config{})
		db := l.everywhere()
		row := Tariff{Code: "a"}
		require.NoError(t, db.Create(&row).Error)
		held := l.plain[1].Begin() // by whom s1 is slow
		require.NoError(t, held.Exec("UPDATE tariffs SET version = version").Error)
		written := make(chan error, 1)
		go func() { written <- db.Model(&Tariff{ID: row.ID}).Update("version", 7).Error }()
		open := func() bool { return l.plain[0].Exec("SELECT id FROM tariffs FOR UPDATE NOWAIT").Error == nil }
		require.Eventually(t, func() bool { return !open() }, 10*time.Second, time.Millisecond)
		require.Never(t, open, 200*time.Millisecond, 10*time.Millisecond, "another writer would be the first on s1")
		require.NoError(t, held.Rollback().Error)
		require.NoError(t, <-written)
		l.same("a slow shard")

		errs := make(chan error, 4)
		for i := range 4 {
			go func() {
				var err error
				for n := range 15 {
					err = errors.Join(err, db.Model(&Tariff{ID: row.ID}).Update("version", 100*i+n).Error,
						db.Create(&Tariff{Code: fmt.Sprintf("%d of %d", n, i)}).Error)
				}
				errs <- err
			}()
		}
		for range 4 {
			require.NoError(t, <-errs)
		}
		require.Equal(t, 61, l.same("writers at once"))
	}, "sqlite") // which locks the whole file
}

// TestTenantsWriteReferenceRowsEverywhere is about contexts with a tenant, and with all.
func TestTenantsWriteReferenceRowsEverywhere(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, e engine) {
		t.Helper()
		fresh := map[string]func() gorm.Dialector{"": e.fresh(t), "a": e.fresh(t), "b": e.fresh(t)}
		l := newLand(t, e, fresh[""](), &gorm.Config{}, tenancy.Config{
			Models: []any{&Part{}}, Reference: []any{&Unit{}},
			Resolver: tenancy.List(map[tenancy.ID]tenancy.Placement{"a": {Shard: "a"}, "b": {Shard: "b"}, "c": {}}),
			Open: func(_ context.Context, name string) (tenancy.Shard, error) {
				return tenancy.Shard{Primary: fresh[name]()}, nil
			},
		})
		for _, open := range fresh {
			plain, err := gorm.Open(open(), &gorm.Config{Logger: logger.Discard})
			require.NoError(t, err)
			require.NoError(t, plain.AutoMigrate(&Unit{}, &Part{}))
			closePlain(t, plain)
		}
		same := func(want ...Unit) {
			t.Helper()
			for name, open := range fresh {
				plain, err := gorm.Open(open(), &gorm.Config{Logger: logger.Discard})
				require.NoError(t, err)
				var all []Unit
				require.NoError(t, plain.Order("id").Find(&all).Error)
				require.Equal(t, want, all, "units of %q", name)
				closePlain(t, plain)
			}
		}
		a := l.db.WithContext(tenancy.OnAllShards(ctxOf("a")))
		require.NoError(t, a.Create(&Unit{Name: "kg"}).Error)
		require.NoError(t, a.Model(&Unit{ID: 1}).Update("name", "kilogram").Error)
		require.NoError(t, a.Exec("UPDATE units SET name = upper(name)").Error)
		same(Unit{1, "KILOGRAM"})
		p := Part{Unit: Unit{Name: "t"}}
		require.NoError(t, a.Create(&p).Error)
		require.NoError(t, a.Create(&Part{Unit: p.Unit}).Error)
		same(Unit{1, "KILOGRAM"}, Unit{2, "t"})
		require.NoError(t, a.Transaction(func(tx *gorm.DB) error {
			if err := tx.Create(&Part{UnitID: 1}).Error; err != nil {
				return err
			}
			return tx.Create(&Part{Unit: p.Unit}).Error
		}), "an association that is there")
		require.ErrorIs(t, a.Transaction(func(tx *gorm.DB) error {
			if err := tx.Create(&Part{UnitID: 1}).Error; err != nil {
				return err
			}
			return tx.Create(&Part{Unit: Unit{Name: "new"}}).Error
		}), tenancy.ErrCrossShard)

		all := l.db.WithContext(tenancy.OnAllShards(tenancy.WithoutTenant(t.Context(), "reference rows")))
		require.NoError(t, all.Exec("UPDATE units SET name = ? WHERE id = ?", "ton", 2).Error)
		require.NoError(t, all.Model(&Unit{}).Where("id = 1").Update("name", "kg").Error)
		require.NoError(t, all.Create(&Unit{ID: 9, Name: "m"}).Error)
		require.ErrorIs(t, all.Exec("UPDATE units SET name = (SELECT 'x')").Error, tenancy.ErrUnmergeable)
		same(Unit{1, "kg"}, Unit{2, "ton"}, Unit{9, "m"})
		require.NoError(t, all.Delete(&Unit{ID: 9}).Error)
		dry := all.Session(&gorm.Session{DryRun: true})
		require.NoError(t, dry.Create(&Unit{Name: "dry"}).Error)
		require.NoError(t, dry.Model(&Unit{ID: 1}).Update("name", "dry").Error)
		same(Unit{1, "kg"}, Unit{2, "ton"})
	})
}
