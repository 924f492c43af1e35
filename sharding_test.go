package tenancy_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/idgen"
)

// Sale is sharded by its customer.
type Sale struct {
	ID       int64 `gorm:"uniqueIndex:of_customer,priority:2"`
	Customer int64 `gorm:"uniqueIndex:of_customer,priority:1" tenancy:"shard_key"`
	Amount   int
	Note     string
	Lines    []SaleLine `gorm:"foreignKey:Customer,SaleID;references:Customer,ID"`
}

// SaleLine is sharded as sales are.
type SaleLine struct {
	ID       int64
	SaleID   int64
	Customer int64 `tenancy:"shard_key"`
	Quantity int
}

// shardedLand is an application with sales on four shards.
type shardedLand struct {
	*testing.T
	db     *gorm.DB
	plugin *tenancy.Plugin
	shards []*gorm.DB // without the plugin
	log    *recorder
}

func newShardedLand(t *testing.T, e engine, ids idgen.Source, gcfg *gorm.Config) *shardedLand {
	t.Helper()
	l := &shardedLand{T: t, log: &recorder{Interface: logger.Discard}}
	var shards []tenancy.Shard
	var at []tenancy.Placement
	for i := range 4 {
		open := e.fresh(t)
		name := fmt.Sprintf("s%d", i)
		shards = append(shards, tenancy.Shard{Name: name, Primary: open()})
		at = append(at, tenancy.Placement{Shard: name})
		plain, err := gorm.Open(open(), &gorm.Config{Logger: logger.Discard})
		require.NoError(t, err)
		require.NoError(t, plain.AutoMigrate(&Sale{}, &SaleLine{}))
		l.shards = append(l.shards, plain)
		t.Cleanup(func() {
			pool, err := plain.DB()
			require.NoError(t, err)
			require.NoError(t, pool.Close())
		})
	}
	if gcfg == nil {
		gcfg = &gorm.Config{}
	}
	gcfg.Logger = l.log
	db, err := gorm.Open(e.fresh(t)(), gcfg)
	require.NoError(t, err)
	l.db = db
	l.plugin = tenancy.New(tenancy.Config{
		SQL: e.sql(), Shards: shards,
		Sharding: []tenancy.Sharding{{
			Models: []any{&Sale{}, &SaleLine{}}, IDs: ids,
			Resolver: tenancy.Hash(32, tenancy.EvenSlots(32, at...)...),
		}},
	})
	require.NoError(t, db.Use(l.plugin))
	t.Cleanup(func() { require.NoError(t, l.plugin.Close()) })
	return l
}

// where returns the number of the shard that has a sale; -1 for none.
func (l *shardedLand) where(id int64) int {
	l.Helper()
	found := -1
	for i, s := range l.shards {
		var n int64
		require.NoError(l, s.Model(&Sale{}).Where("id = ?", id).Count(&n).Error)
		if n > 0 {
			require.Negative(l, found, "sale %d is on two shards", id)
			found = i
		}
	}
	return found
}

func TestShardedStatements(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		t.Helper()
		l := newShardedLand(t, e, nil, nil)
		used := map[int]bool{}
		for c := int64(-3); c < 20; c++ {
			sale := Sale{ID: 100 + c, Customer: c, Amount: int(c), Lines: []SaleLine{{ID: 1000 + c, Quantity: 1}}}
			require.NoError(t, l.db.Create(&sale).Error)
			used[l.where(sale.ID)] = true
			var got Sale
			require.NoError(t, l.db.Preload("Lines").Where("customer = ?", c).First(&got).Error)
			require.Equal(t, sale, got)
			if c == 0 { // a model's zero value says nothing
				require.ErrorIs(t, l.db.Model(&got).Update("note", "x").Error, tenancy.ErrMissingShardKey)
				continue
			}
			require.NoError(t, l.db.Model(&got).Update("note", "x").Error)
			got.Amount, got.Note = 7, "saved"
			require.NoError(t, l.db.Save(&got).Error)
			var again Sale
			require.NoError(t, l.db.First(&again, "customer = ? AND id = ?", c, sale.ID).Error)
			require.Equal(t, "saved", again.Note)
			require.Equal(t, 7, again.Amount)
			require.NoError(t, l.db.Clauses(clause.OnConflict{UpdateAll: true}).Create(&Sale{ID: 100 + c, Customer: c, Note: "upserted"}).Error)
			require.NoError(t, l.db.Transaction(func(tx *gorm.DB) error {
				if err := tx.Create(&Sale{ID: 500 + c, Customer: c}).Error; err != nil {
					return err
				}
				return tx.Where("customer = ? AND id = ?", c, 500+c).Delete(&Sale{}).Error
			}))
			require.NoError(t, l.db.First(&again, "customer = ?", c).Error)
			require.Equal(t, "upserted", again.Note)
		}
		require.Len(t, used, 4)

		var all []Sale
		err := l.db.Find(&all).Error
		require.ErrorIs(t, err, tenancy.ErrMissingShardKey)
		require.ErrorContains(t, err, "sales.customer")
		require.ErrorIs(t, l.db.Where("id = ?", 101).First(&Sale{}).Error, tenancy.ErrMissingShardKey)
		require.ErrorIs(t, l.db.Model(&Sale{}).Where("customer = ?", 1).Update("customer", 2).Error, tenancy.ErrCrossShard)
		require.ErrorIs(t, l.db.Create(&[]Sale{{ID: 1, Customer: 1}, {ID: 2, Customer: 2}, {ID: 3, Customer: 3}}).Error, tenancy.ErrCrossShard)
		ctx := tenancy.WithShardKey(t.Context(), 5)
		require.NoError(t, l.db.WithContext(ctx).Where("id = ?", 105).First(&Sale{}).Error)
		require.ErrorIs(t, l.db.WithContext(ctx).Where("id = ?", 104).First(&Sale{}).Error, gorm.ErrRecordNotFound)
		require.ErrorIs(t, l.db.WithContext(ctx).Create(&Sale{ID: 9, Customer: 4}).Error, tenancy.ErrCrossShard)

		batch := []Sale{{ID: 1, Customer: 1}, {ID: 2, Customer: 2}, {ID: 3, Customer: 3}, {ID: 4, Customer: 4}}
		everywhere := l.db.WithContext(tenancy.OnAllShards(t.Context()))
		tx := everywhere.Create(&batch)
		require.NoError(t, tx.Error)
		require.EqualValues(t, 4, tx.RowsAffected)
		tx = everywhere.Model(&Sale{}).Where("customer < ?", 2).Update("amount", 99)
		require.NoError(t, tx.Error)
		require.EqualValues(t, 6, tx.RowsAffected)
		require.ErrorIs(t, l.db.Transaction(func(tx *gorm.DB) error {
			return tx.WithContext(tenancy.OnAllShards(context.Background())).Create(&[]Sale{{ID: 11, Customer: 1}, {ID: 12, Customer: 2}, {ID: 13, Customer: 3}}).Error
		}), tenancy.ErrCrossShard)
		_ = errors.Is
	})
}

// TestAmbiguousRow has rows with one primary key on two shards, which one database would not.
func TestAmbiguousRow(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		t.Helper()
		l := newShardedLand(t, e, nil, nil)
		here := l.neighbours()
		for i, c := range []int64{here[0], here[2]} {
			require.NoError(t, l.db.Create(&Sale{ID: 7, Customer: c}).Error)
			require.NoError(t, l.db.Create(&Sale{ID: int64(20 + i), Customer: c}).Error)
		}
		everywhere := l.db.WithContext(tenancy.OnAllShards(t.Context()))
		require.ErrorIs(t, everywhere.First(&Sale{}, 7).Error, tenancy.ErrAmbiguousRow)
		require.ErrorIs(t, everywhere.First(&Sale{}).Error, tenancy.ErrAmbiguousRow)
		var batch []Sale
		require.ErrorIs(t, everywhere.FindInBatches(&batch, 1, func(*gorm.DB, int) error { return nil }).Error, tenancy.ErrAmbiguousRow)
		var last Sale
		require.NoError(t, everywhere.Last(&last).Error)
		require.EqualValues(t, 21, last.ID)
		require.NoError(t, everywhere.Order("id").Find(&batch).Error)
		require.Len(t, batch, 4)
	})
}

// TestMigratorOfShards makes tables where rows will be, and nowhere else.
func TestMigratorOfShards(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		t.Helper()
		l := newShardedLand(t, e, nil, &gorm.Config{TranslateError: true})
		for _, ctx := range []context.Context{t.Context(), tenancy.WithShardKey(t.Context(), 1)} {
			require.ErrorIs(t, l.db.WithContext(ctx).AutoMigrate(&Sale{}), tenancy.ErrMissingShardKey)
		}
		require.NoError(t, l.shards[1].Migrator().DropTable(&SaleLine{}, &Sale{}))
		everywhere := l.db.WithContext(tenancy.OnAllShards(tenancy.WithTenant(t.Context(), "acme")))
		require.False(t, everywhere.Migrator().HasTable(&Sale{}), "it is missing on one shard")
		at := tenancy.WithPlacement(t.Context(), tenancy.Placement{Shard: "s1"})
		require.False(t, l.db.WithContext(at).Migrator().HasTable("sales"))
		require.NoError(t, everywhere.AutoMigrate(&Sale{}, &SaleLine{}))
		require.NoError(t, everywhere.AutoMigrate(&Sale{}, &SaleLine{}), "again")
		require.True(t, everywhere.Migrator().HasTable("sales"))
		require.True(t, everywhere.Migrator().HasIndex(&Sale{}, "of_customer"))
		for _, s := range l.shards {
			require.True(t, s.Migrator().HasTable(&SaleLine{}))
		}
		plain, err := tenancy.DB(l.db)
		require.NoError(t, err)
		_, err = plain.ExecContext(t.Context(), "SELECT 1 FROM sales")
		require.Error(t, err, "it is not in the default database")

		require.NoError(t, everywhere.Migrator().DropTable(&SaleLine{})) // whose foreign key needs the index
		require.NoError(t, everywhere.Migrator().DropIndex(&Sale{}, "of_customer"))
		require.False(t, everywhere.Migrator().HasIndex(&Sale{}, "of_customer"))
		require.NoError(t, everywhere.Migrator().CreateIndex(&Sale{}, "of_customer"))
		require.True(t, l.shards[3].Migrator().HasIndex(&Sale{}, "of_customer"))
		require.NoError(t, everywhere.Migrator().RenameColumn(&Sale{}, "note", "remark"))
		require.True(t, l.shards[2].Migrator().HasColumn(&Sale{}, "remark"))
		require.NoError(t, l.shards[2].Migrator().RenameColumn(&Sale{}, "remark", "note"))
		err = everywhere.Migrator().RenameColumn(&Sale{}, "remark", "note")
		partial := (*tenancy.PartialError)(nil)
		require.ErrorAs(t, err, &partial)
		require.Len(t, partial.Failed, 1)
		require.Equal(t, "s2", partial.Failed[0].Name)
		require.ElementsMatch(t, []string{"s0", "s1", "s3"}, partial.Done)
		types, err := everywhere.Migrator().ColumnTypes(&Sale{})
		require.NoError(t, err)
		require.Len(t, types, 4)
		require.NoError(t, everywhere.AutoMigrate(&SaleLine{}))
		require.NoError(t, everywhere.Migrator().DropTable(&Sale{}, &SaleLine{}))
		require.False(t, l.shards[0].Migrator().HasTable(&Sale{}))
	})
}
