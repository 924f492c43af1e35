package tenancy_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gormtenancy/tenancy"
)

// Booking has a tenant, and is sharded by its room.
type Booking struct {
	ID       int64  `gorm:"primaryKey;autoIncrement:false"`
	TenantID string `tenancy:"tenant"`
	Room     int64  `tenancy:"shard_key"`
	Guests   int
}

// TestTextOnShardsOfTenants is about promise 2: text on sharded rows of tenants gets their condition, as on others.
func TestTextOnShardsOfTenants(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		t.Helper()
		first, second := e.fresh(t), e.fresh(t)
		for _, open := range []func() gorm.Dialector{first, second} {
			plain, err := gorm.Open(open(), &gorm.Config{Logger: logger.Discard})
			require.NoError(t, err)
			require.NoError(t, plain.AutoMigrate(&Booking{}))
			pool, err := plain.DB()
			require.NoError(t, err)
			require.NoError(t, pool.Close())
		}
		db, err := gorm.Open(e.fresh(t)(), &gorm.Config{Logger: logger.Discard})
		require.NoError(t, err)
		plugin := tenancy.New(tenancy.Config{
			SQL: e.sql(), Shards: []tenancy.Shard{{Name: "s0", Primary: first()}, {Name: "s1", Primary: second()}},
			Sharding: []tenancy.Sharding{{Models: []any{&Booking{}}, Resolver: tenancy.Range(
				tenancy.Bound{To: int64(10), At: tenancy.Placement{Shard: "s0"}}, tenancy.Bound{From: int64(10), At: tenancy.Placement{Shard: "s1"}},
			)}},
		})
		require.NoError(t, db.Use(plugin))
		t.Cleanup(func() { require.NoError(t, plugin.Close()) })
		a, b := db.WithContext(ctxOf("a")), db.WithContext(ctxOf("b"))
		for i, room := range []int64{1, 11} {
			require.NoError(t, a.Create(&Booking{ID: int64(i), Room: room, Guests: 1}).Error)
			require.NoError(t, b.Create(&Booking{ID: int64(10 + i), Room: room, Guests: 5}).Error)
		}
		var guests int
		require.NoError(t, a.Raw("SELECT guests FROM bookings WHERE guests > ? AND room = ?", 0, 11).Scan(&guests).Error)
		require.Equal(t, 1, guests)
		tx := a.Exec("UPDATE bookings SET guests = guests + ? WHERE room = ?", 1, 1)
		require.NoError(t, tx.Error)
		require.EqualValues(t, 1, tx.RowsAffected)
		tx = db.WithContext(tenancy.OnAllShards(ctxOf("a"))).Exec("UPDATE bookings SET guests = ? WHERE guests > ?", 7, 0)
		require.NoError(t, tx.Error)
		require.EqualValues(t, 2, tx.RowsAffected)
		require.NoError(t, b.Raw("SELECT guests FROM bookings WHERE room = ? AND guests <> 7", 1).Scan(&guests).Error)
		require.Equal(t, 5, guests)
		require.ErrorIs(t, a.Exec("UPDATE bookings SET guests = ? WHERE guests > ?", 7, 0).Error, tenancy.ErrMissingShardKey)
	})
}
