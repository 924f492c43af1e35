package tenancy_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gormtenancy/tenancy"
)

// Ticket is in one of three tables of one database.
type Ticket struct {
	ID     int64
	Region string `gorm:"size:20" tenancy:"shard_key"`
	Price  int
}

// TestSuffixesAreKnown names the table of another placement in text, where tables that nobody knows pass for global.
func TestSuffixesAreKnown(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		t.Helper()
		open := e.fresh(t)
		plain, err := gorm.Open(open(), &gorm.Config{Logger: logger.Discard})
		require.NoError(t, err)
		pool, err := plain.DB()
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, pool.Close()) })
		for _, name := range []string{"tickets_0", "tickets_1", "tickets_old"} {
			require.NoError(t, plain.Table(name).AutoMigrate(&Ticket{}))
		}
		db, err := gorm.Open(open(), &gorm.Config{Logger: logger.Discard})
		require.NoError(t, err)
		own, err := db.DB()
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, own.Close()) })
		require.NoError(t, db.Use(tenancy.New(tenancy.Config{
			SQL: e.sql(), Unlisted: tenancy.UnlistedGlobal,
			Sharding: []tenancy.Sharding{{Models: []any{&Ticket{}}, Resolver: tenancy.List(map[string]tenancy.Placement{
				"east": {TableSuffix: "_0"}, "west": {TableSuffix: "_1"},
			})}},
		})))
		var n int64
		require.NoError(t, db.Raw("SELECT count(*) FROM tickets_old").Scan(&n).Error, "a table of the application's")
		for _, name := range []string{"tickets_0", "TICKETS_1"} {
			require.ErrorIs(t, db.Raw("SELECT count(*) FROM "+name).Scan(&n).Error, tenancy.ErrUnknownTable, name)
			require.ErrorIs(t, db.Table(name).Count(&n).Error, tenancy.ErrUnknownTable, name)
			require.Error(t, db.Exec("DELETE FROM "+name).Error, name)
			require.Error(t, db.Exec("TRUNCATE "+name).Error, name)
		}
	})
}

// TestSuffixesOfOneDatabase has statements over several tables of one database, which a transaction holds together.
func TestSuffixesOfOneDatabase(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		t.Helper()
		open := e.fresh(t)
		plain, err := gorm.Open(open(), &gorm.Config{Logger: logger.Discard})
		require.NoError(t, err)
		pool, err := plain.DB()
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, pool.Close()) })
		at := map[string]tenancy.Placement{}
		for i, region := range []string{"east", "west", "north"} {
			at[region] = tenancy.Placement{TableSuffix: fmt.Sprintf("_%d", i)}
			require.NoError(t, plain.Table(fmt.Sprintf("tickets_%d", i)).AutoMigrate(&Ticket{}))
		}
		db, err := gorm.Open(open(), &gorm.Config{Logger: logger.Discard})
		require.NoError(t, err)
		own, err := db.DB()
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, own.Close()) })
		require.NoError(t, db.Use(tenancy.New(tenancy.Config{
			SQL:      e.sql(),
			Sharding: []tenancy.Sharding{{Models: []any{&Ticket{}}, Resolver: tenancy.List(at)}},
		})))
		everywhere := db.WithContext(tenancy.OnAllShards(t.Context()))
		tickets := []Ticket{{ID: 1, Region: "east", Price: 3}, {ID: 2, Region: "west", Price: 2}, {ID: 3, Region: "north", Price: 1}, {ID: 4, Region: "east", Price: 4}}
		require.NoError(t, everywhere.Create(&tickets).Error)
		var n int64
		require.NoError(t, plain.Table("tickets_0").Count(&n).Error)
		require.EqualValues(t, 2, n)

		prices := func(db *gorm.DB) (all []int) {
			require.NoError(t, db.Model(&Ticket{}).Order("price DESC").Pluck("price", &all).Error)
			return all
		}
		require.Equal(t, []int{4, 3, 2, 1}, prices(everywhere))
		failed := errors.New("the application's")
		err = everywhere.Transaction(func(tx *gorm.DB) error {
			raised := tx.Model(&Ticket{}).Where("price > ?", 0).Update("price", gorm.Expr("price + ?", 10))
			require.NoError(t, raised.Error)
			require.EqualValues(t, 4, raised.RowsAffected)
			require.Equal(t, []int{14, 13, 12, 11}, prices(tx), "the transaction's own rows")
			return failed
		})
		require.ErrorIs(t, err, failed)
		require.Equal(t, []int{4, 3, 2, 1}, prices(everywhere), "rolled back in all tables")
		require.NoError(t, everywhere.Transaction(func(tx *gorm.DB) error {
			return tx.Where("price < ?", 3).Delete(&Ticket{}).Error
		}))
		require.Equal(t, []int{4, 3}, prices(everywhere))
		require.ErrorIs(t, db.Where("region = ?", "south").Find(&tickets).Error, tenancy.ErrShardNotFound)
		var west []Ticket
		require.NoError(t, db.Where("region IN ?", []string{"west", "east"}).Order("id").Find(&west).Error)
		require.Len(t, west, 2)
	})
}
