package tenancy_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"

	"github.com/gormtenancy/tenancy"
)

// What plugins for sharding get wrong, each as a test: a statement goes to the right shard, or it is a typed error.

// newSales is an application with eight customers, each with a sale of its number, on three of four shards.
func newSales(t *testing.T, e engine, gcfg *gorm.Config) *shardedLand {
	t.Helper()
	l := newShardedLand(t, e, nil, gcfg)
	for c := int64(1); c <= 8; c++ {
		require.NoError(t, l.db.Create(&Sale{ID: c, Customer: c, Amount: int(c) * 10, Lines: []SaleLine{{ID: c * 10, Quantity: 1}}}).Error)
	}
	require.NotEqual(t, l.where(1), l.where(2))
	return l
}

// everything returns all sales, shard by shard.
func (l *shardedLand) everything() (all []string) {
	l.Helper()
	for i, s := range l.shards {
		var sales []Sale
		require.NoError(l, s.Order("id").Find(&sales).Error)
		for _, r := range sales {
			all = append(all, fmt.Sprintf("s%d: %d of %d: %d %s", i, r.ID, r.Customer, r.Amount, r.Note))
		}
	}
	return all
}

// sameShardAs returns a customer without sales whose rows are where those of another one are.
func (l *shardedLand) sameShardAs(customer int64) int64 {
	l.Helper()
	for c := int64(100); ; c++ {
		require.NoError(l, l.db.Create(&Sale{ID: c, Customer: c}).Error)
		at := l.where(c)
		require.NoError(l, l.shards[at].Delete(&Sale{}, c).Error)
		if at == l.where(customer) {
			return c
		}
	}
}

// unchanged runs f, which must change nothing.
func (l *shardedLand) unchanged(f func()) {
	l.Helper()
	before := l.everything()
	f()
	require.Equal(l, before, l.everything())
}

func TestPeerWritesOverSeveralShardsAreRefused(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		t.Helper()
		l := newSales(t, e, nil)
		l.unchanged(func() {
			for name, tx := range map[string]*gorm.DB{
				"OR":           l.db.Model(&Sale{}).Where("customer = ? OR customer = ?", 1, 2).Update("note", "x"),
				"Or":           l.db.Model(&Sale{}).Where("customer = ?", 1).Or("customer = ?", 2).Update("note", "x"),
				"IN":           l.db.Where("customer IN ?", []int{1, 2}).Delete(&Sale{}),
				"rows":         l.db.Delete(&[]Sale{{ID: 1, Customer: 1}, {ID: 2, Customer: 2}}),
				"Save of rows": l.db.Save(&[]Sale{{ID: 1, Customer: 1}, {ID: 2, Customer: 2}}),
				"batch":        l.db.Create(&[]Sale{{ID: 91, Customer: 1}, {ID: 92, Customer: 2}}),
				"values":       l.db.Exec("INSERT INTO sales (id, customer) VALUES (91, 1), (92, 2)"),
			} {
				require.ErrorIs(t, tx.Error, tenancy.ErrCrossShard, name)
			}
		})
	})
}

func TestPeerFormsAreUnderstoodOrRefused(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		t.Helper()
		l := newSales(t, e, nil)
		two, db := int64(2), l.db
		fresh := func() *gorm.DB { return db.Session(&gorm.Session{NewDB: true}) }
		for name, tx := range map[string]*gorm.DB{
			"IN of one":           db.Where("customer IN (?)", []int{2}),
			"value first":         db.Where("? = customer", 2),
			"uint":                db.Where("customer = ?", uint(2)),
			"int32":               db.Where("customer = ?", int32(2)),
			"pointer":             db.Where("customer = ?", &two),
			"struct":              db.Where(&Sale{Customer: 2}),
			"map":                 db.Where(map[string]any{"customer": 2}),
			"tuple":               db.Where("(customer, id) IN ?", [][]any{{2, 2}}),
			"alias":               db.Table("sales AS o").Where("o.customer = ?", 2),
			"locking":             db.Clauses(clause.Locking{Strength: "UPDATE"}).Where("customer = ?", 2),
			"comment":             db.Where("customer = 2 /* nosharding */"),
			"grouped":             db.Where("customer = ?", 2).Group("sales.id").Having("count(*) > 0"),
			"subquery in FROM":    db.Table("(?) AS sales", fresh().Model(&Sale{}).Where("customer = ?", 2)),
			"join":                db.Joins("JOIN sale_lines l ON l.customer = sales.customer AND l.sale_id = sales.id").Where("sales.customer = ?", 2),
			"CTE":                 db.Raw("WITH x AS (SELECT * FROM sales WHERE customer = ?) SELECT * FROM x", 2),
			"UNION on one shard":  db.Raw("SELECT * FROM sales WHERE customer = 2 UNION SELECT * FROM sales WHERE customer = 2"),
			"window function":     db.Select("*, row_number() OVER (ORDER BY id) AS amount").Where("customer = ?", 2),
			"subquery of the key": db.Where("customer = ? AND id IN (?)", 2, fresh().Model(&SaleLine{}).Select("sale_id").Where("customer = ?", 2)),
		} {
			var got []Sale
			require.NoError(t, tx.Find(&got).Error, name)
			require.Len(t, got, 1, name)
			require.EqualValues(t, 2, got[0].ID, name)
		}
		for name, tx := range map[string]*gorm.DB{
			"nothing":                 db,
			"Not":                     db.Not("customer = ?", 2),
			"OR with anything":        db.Where("customer = 2 OR 1 = 1"),
			"OR with another column":  db.Where("customer = 2 OR amount = 10"),
			"inside CASE":             db.Where("CASE WHEN customer = 2 THEN 1 ELSE 0 END = 1"),
			"arithmetic":              db.Where("customer + 0 = 2"),
			"function":                db.Where("abs(customer) = 2"),
			"expression":              db.Where("customer = ?", gorm.Expr("1 + 1")),
			"boolean":                 db.Where("customer = ?", true),
			"BETWEEN":                 db.Where("customer BETWEEN 2 AND 2"),
			"subquery of its key":     db.Where("id IN (?)", fresh().Model(&SaleLine{}).Select("sale_id").Where("customer = ?", 2)),
			"join beside its key":     db.Joins("JOIN sale_lines l ON l.sale_id = sales.id").Where("sales.customer = ?", 2),
			"outer join's other side": db.Joins("LEFT JOIN sale_lines l ON l.customer = 2 AND sales.customer = 2"),
			"CTE without it":          db.Raw("WITH x AS (SELECT * FROM sales) SELECT * FROM x WHERE customer = 2"),
			"HAVING":                  db.Raw("SELECT customer FROM sales GROUP BY customer HAVING customer = 2"),
		} {
			err := tx.Find(&[]Sale{}).Error
			require.Error(t, err, name)
			require.True(t, errors.Is(err, tenancy.ErrMissingShardKey) || errors.Is(err, tenancy.ErrCrossShard), "%s: %v", name, err)
		}
		require.ErrorIs(t, db.Raw("SELECT * FROM sales WHERE customer = 1 UNION SELECT * FROM sales WHERE customer = 2").Find(&[]Sale{}).Error, tenancy.ErrCrossShard)
		for name, tx := range map[string]*gorm.DB{
			"contradiction": db.Where("customer = ? AND customer = ?", 1, 2),
			"IN of none":    db.Where("customer IN ?", []int{}),
			"NULL":          db.Where("customer = ?", nil),
		} {
			var got []Sale
			require.NoError(t, tx.Find(&got).Error, name)
			require.Empty(t, got, name)
		}
	})
}

func TestPeerKeysBelowZero(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		t.Helper()
		l := newShardedLand(t, e, nil, nil)
		for _, c := range []int64{-3, -1 << 63, 0, 1<<63 - 1} {
			require.NoError(t, l.db.Create(&Sale{ID: 7, Customer: c}).Error)
			var got Sale
			require.NoError(t, l.db.Where("customer = ?", c).First(&got).Error)
			require.Equal(t, c, got.Customer)
			require.NoError(t, l.db.Where("customer = ?", c).Delete(&Sale{}).Error)
		}
	})
}

// errRefused is what a hook returns.
var errRefused = errors.New("refused by the hook")

// AfterCreate is GORM's hook: it refuses lines that are written already.
func (l *SaleLine) AfterCreate(*gorm.DB) error {
	if l.Quantity < 0 {
		return errRefused
	}
	return nil
}

func TestPeerDefaultTransactionRollsBack(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		t.Helper()
		l := newSales(t, e, nil)
		l.unchanged(func() {
			require.ErrorIs(t, l.db.Create(&Sale{ID: 91, Customer: 1, Lines: []SaleLine{{ID: 911, Quantity: 1}, {ID: 912, Quantity: -1}}}).Error, errRefused)
			require.ErrorIs(t, l.db.Create(&SaleLine{ID: 913, SaleID: 1, Customer: 1, Quantity: -1}).Error, errRefused)
		})
		var lines int64
		require.NoError(t, l.db.Model(&SaleLine{}).Where("customer = ?", 1).Count(&lines).Error)
		require.EqualValues(t, 1, lines)
	})
}

func TestPeerFailingExecIsAnError(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		t.Helper()
		l := newSales(t, e, nil)
		l.db.Logger = logger.New(nowhere{}, logger.Config{LogLevel: logger.Info, SlowThreshold: time.Nanosecond})
		l.unchanged(func() {
			require.Error(t, l.db.Exec("INSERT INTO sales (id, customer) VALUES (?, ?)", 1, 1).Error)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			require.ErrorIs(t, l.db.WithContext(ctx).Exec("INSERT INTO sales (id, customer) VALUES (?, ?)", 91, 1).Error, context.Canceled)
		})
	})
}

// nowhere is a log that is not read.
type nowhere struct{}

func (nowhere) Printf(string, ...any) {}

func TestPeerInsertFromSelect(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		t.Helper()
		l := newSales(t, e, nil)
		require.NoError(t, l.db.Exec("INSERT INTO sales (id, customer, amount) SELECT 91, customer, amount FROM sales WHERE customer = 1").Error)
		require.Equal(t, l.where(1), l.where(91))
		l.unchanged(func() {
			for name, text := range map[string]string{
				"another key":   "INSERT INTO sales (id, customer, amount) SELECT 92, 2, amount FROM sales WHERE customer = 1",
				"unnamed":       "INSERT INTO sales SELECT id + 100, customer, amount, note FROM sales WHERE customer = 1",
				"without a key": "INSERT INTO sales (id, amount) VALUES (92, 3)",
			} {
				for _, ctx := range []context.Context{t.Context(), tenancy.OnAllShards(t.Context())} {
					err := l.db.WithContext(ctx).Exec(text).Error
					require.True(t, errors.Is(err, tenancy.ErrMissingShardKey) || errors.Is(err, tenancy.ErrCrossShard), "%s: %v", name, err)
				}
			}
		})
	})
}

func TestPeerSecondStatementIsNotDropped(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		t.Helper()
		l := newSales(t, e, nil)
		l.unchanged(func() {
			require.Error(t, l.db.Exec("UPDATE sales SET note = 'x' WHERE customer = 1; DELETE FROM sales WHERE customer = 2").Error)
			require.Error(t, l.db.Exec("TRUNCATE TABLE sales").Error)
			require.Error(t, l.db.Exec("DROP TABLE sales").Error)
		})
	})
}

func TestPeerKeyIsNotUpdated(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		t.Helper()
		l := newSales(t, e, nil)
		same := l.sameShardAs(1)
		conflict := clause.OnConflict{Columns: []clause.Column{{Name: "id"}}, DoUpdates: clause.Assignments(map[string]any{"customer": 2})}
		l.unchanged(func() {
			for name, tx := range map[string]*gorm.DB{
				"Update":            l.db.Model(&Sale{}).Where("customer = ?", 1).Update("customer", 2),
				"to the same shard": l.db.Model(&Sale{}).Where("customer = ?", 1).Update("customer", same),
				"an expression":     l.db.Model(&Sale{}).Where("customer = ?", 1).Update("customer", gorm.Expr("customer + 1")),
				"a map":             l.db.Model(&Sale{ID: 1, Customer: 1}).Updates(map[string]any{"customer": 2, "note": "x"}),
				"a struct":          l.db.Model(&Sale{ID: 1, Customer: 1}).Updates(Sale{Customer: 2, Note: "x"}),
				"UpdateColumn":      l.db.Model(&Sale{ID: 1, Customer: 1}).UpdateColumn("customer", 2),
				"on all shards":     l.db.WithContext(tenancy.OnAllShards(t.Context())).Model(&Sale{}).Where("id = ?", 1).Update("customer", 2),
				"raw":               l.db.Exec("UPDATE sales SET customer = 2 WHERE customer = 1"),
				"an upsert":         l.db.Clauses(conflict).Create(&Sale{ID: 1, Customer: 1}),
			} {
				require.ErrorIs(t, tx.Error, tenancy.ErrCrossShard, name)
			}
		})
	})
}

func TestPeerPreparedStatementsAreOfTheShard(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		t.Helper()
		l := newSales(t, e, &gorm.Config{PrepareStmt: true})
		for range 2 {
			for c := int64(1); c <= 8; c++ {
				var got Sale
				require.NoError(t, l.db.Where("customer = ?", c).First(&got).Error)
				require.Equal(t, c, got.ID)
			}
		}
		l.unchanged(func() {
			require.ErrorIs(t, l.db.Transaction(func(tx *gorm.DB) error {
				require.NoError(t, tx.Create(&Sale{ID: 91, Customer: 1}).Error)
				require.NoError(t, tx.Where("customer = ?", 1).First(&Sale{}).Error)
				return errRefused
			}), errRefused)
		})
	})
}

func TestPeerChainIsReused(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		t.Helper()
		l := newSales(t, e, nil)
		chain := l.db.Model(&Sale{}).Where("customer = ?", 1).Session(&gorm.Session{})
		for range 5 {
			var n int64
			require.NoError(t, chain.Count(&n).Error)
			require.EqualValues(t, 1, n)
			var got []Sale
			require.NoError(t, chain.Find(&got).Error)
			require.Len(t, got, 1)
		}
		var got []Sale
		require.NoError(t, chain.Where("amount = ?", 10).Find(&got).Error)
		require.Len(t, got, 1)
	})
}

func TestPeerIDsAreBound(t *testing.T) {
	l := newSales(t, engines[1], nil)
	pool, err := tenancy.DB(l.db.WithContext(tenancy.WithShardKey(t.Context(), 1)))
	require.NoError(t, err)
	pool.SetMaxOpenConns(1)
	prepared := func() (n int) {
		require.NoError(t, pool.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_prepared_statements").Scan(&n))
		return n
	}
	require.NoError(t, l.db.Create(&Sale{ID: 900, Customer: 1}).Error)
	before := prepared()
	for i := range int64(20) {
		require.NoError(t, l.db.Create(&Sale{ID: 901 + i, Customer: 1}).Error)
	}
	require.Equal(t, before, prepared())
}

func TestPeerResolverAnswersAreChecked(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		t.Helper()
		answers := map[string]tenancy.ShardResolverFunc{
			"nowhere": func(context.Context, any) (tenancy.Placement, error) {
				return tenancy.Placement{Shard: "unknown"}, nil
			},
			"a bad suffix": func(context.Context, any) (tenancy.Placement, error) {
				return tenancy.Placement{TableSuffix: "_x; --"}, nil
			},
			"an error": func(context.Context, any) (tenancy.Placement, error) { return tenancy.Placement{}, errRefused },
		}
		for name, r := range answers {
			db, err := gorm.Open(e.fresh(t)(), &gorm.Config{Logger: logger.Discard})
			require.NoError(t, err)
			plugin := tenancy.New(tenancy.Config{SQL: e.sql(), Sharding: []tenancy.Sharding{{Models: []any{&Sale{}, &SaleLine{}}, Resolver: r}}})
			require.NoError(t, db.Use(plugin))
			t.Cleanup(func() { require.NoError(t, plugin.Close()) })
			for _, err := range []error{
				db.Create(&Sale{ID: 1, Customer: 1}).Error,
				db.Where("customer = ?", 1).First(&Sale{}).Error,
				db.Model(&Sale{}).Where("customer = ?", 1).Update("note", "x").Error,
			} {
				var typed *tenancy.StatementError
				require.ErrorAs(t, err, &typed, name)
			}
			require.ErrorIs(t, db.WithContext(tenancy.OnAllShards(t.Context())).Find(&[]Sale{}).Error, tenancy.ErrMissingShardKey, "no list of placements")
		}
	})
}

func TestBatchOverShardsKeepsItsClauses(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		t.Helper()
		l := newSales(t, e, nil)
		everywhere := l.db.WithContext(tenancy.OnAllShards(t.Context()))
		batch := func(id int64) []Sale {
			return []Sale{
				{ID: id + 1, Customer: 1, Amount: 1, Note: "n", Lines: []SaleLine{{ID: id*10 + 1}}},
				{ID: id + 2, Customer: 2, Amount: 1, Note: "n", Lines: []SaleLine{{ID: id*10 + 2}}},
			}
		}
		old := batch(0)
		l.unchanged(func() {
			tx := everywhere.Clauses(clause.OnConflict{DoNothing: true}).Omit("Lines").Create(&old)
			require.NoError(t, tx.Error)
			if e.name != "mysql" { // which counts rows that are found
				require.Zero(t, tx.RowsAffected)
			}
		})
		tx := everywhere.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "id"}}, DoUpdates: clause.AssignmentColumns([]string{"note"})}).Omit("Lines").Create(&old)
		require.NoError(t, tx.Error)
		for c := range int64(2) {
			var got Sale
			require.NoError(t, l.db.First(&got, "customer = ?", c+1).Error)
			require.Equal(t, "n", got.Note)
			require.EqualValues(t, (c+1)*10, got.Amount)
		}

		omitted, selected, lines := batch(100), batch(200), batch(300)
		require.NoError(t, everywhere.Omit("Note", "Lines").Create(&omitted).Error)
		require.NoError(t, everywhere.Select("ID", "Customer", "Amount").Create(&selected).Error)
		for _, made := range [][]Sale{omitted, selected} {
			for _, s := range made {
				var got Sale
				require.NoError(t, l.db.Preload("Lines").First(&got, "customer = ? AND id = ?", s.Customer, s.ID).Error)
				require.Empty(t, got.Note)
				require.Empty(t, got.Lines)
				require.Equal(t, 1, got.Amount)
			}
		}
		require.NoError(t, everywhere.Create(&lines).Error)
		for _, s := range lines {
			var got Sale
			require.NoError(t, l.db.Preload("Lines").First(&got, "customer = ? AND id = ?", s.Customer, s.ID).Error)
			require.Equal(t, s, got)
		}
		maps := []map[string]any{{"id": 401, "customer": 1}, {"id": 402, "customer": 2}}
		require.NoError(t, everywhere.Model(&Sale{}).Create(&maps).Error)
		maps = []map[string]any{{"id": 403, "customer": 1}, {"id": 404, "customer": 2}}
		require.NoError(t, everywhere.Table("sales").Create(maps).Error)
		for id := int64(401); id <= 404; id++ {
			require.Equal(t, l.where(2-id%2), l.where(id))
		}
	})
}
