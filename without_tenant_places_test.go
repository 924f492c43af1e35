package tenancy_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gormtenancy/tenancy"
)

// TestWithoutTenantInAllPlaces has statements for all tenants of all placements, or of the one where a tenant is.
func TestWithoutTenantInAllPlaces(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		t.Helper()
		open, home := e.fresh(t), e.fresh(t)
		for _, d := range []func() gorm.Dialector{open, home} {
			plain, err := gorm.Open(d(), &gorm.Config{Logger: logger.Discard})
			require.NoError(t, err)
			require.NoError(t, plain.AutoMigrate(&Invoice{}))
			pool, err := plain.DB()
			require.NoError(t, err)
			require.NoError(t, pool.Close())
		}
		db, err := gorm.Open(home(), &gorm.Config{Logger: logger.Discard})
		require.NoError(t, err)
		plugin := tenancy.New(tenancy.Config{
			Models: []any{&Invoice{}}, SQL: e.sql(),
			Shards:   []tenancy.Shard{{Name: "two", Primary: open()}},
			Resolver: tenancy.List(map[tenancy.ID]tenancy.Placement{"acme": {}, "globex": {Shard: "two"}, "initech": {Shard: "two"}}),
		})
		require.NoError(t, db.Use(plugin))
		t.Cleanup(func() { require.NoError(t, plugin.Close()) })
		for i, id := range []tenancy.ID{"acme", "globex", "initech"} {
			require.NoError(t, db.WithContext(ctxOf(id)).Create(&Invoice{ID: uint(i + 1), Cents: int64(100 * (i + 1))}).Error)
		}
		all := tenancy.WithoutTenant(t.Context(), "a report")
		require.ErrorIs(t, db.WithContext(all).Find(&[]Invoice{}).Error, tenancy.ErrMissingShardKey)

		everywhere := db.WithContext(tenancy.OnAllShards(all))
		var ids []string
		require.NoError(t, everywhere.Model(&Invoice{}).Order("cents DESC").Pluck("tenant_id", &ids).Error)
		require.Equal(t, []string{"initech", "globex", "acme"}, ids)
		var sum int64
		require.NoError(t, everywhere.Raw("SELECT sum(cents) FROM invoices").Scan(&sum).Error)
		require.EqualValues(t, 600, sum)
		var n int64
		require.NoError(t, everywhere.Model(&Invoice{}).Where("tenant_id IN ?", []string{"acme", "initech"}).Count(&n).Error)
		require.EqualValues(t, 2, n)
		tx := everywhere.Model(&Invoice{}).Where("cents > ?", 0).Update("number", "x")
		require.NoError(t, tx.Error)
		require.EqualValues(t, 3, tx.RowsAffected)

		there := db.WithContext(tenancy.WithShardKey(all, tenancy.ID("globex")))
		require.NoError(t, there.Model(&Invoice{}).Count(&n).Error)
		require.EqualValues(t, 2, n)
		require.ErrorIs(t, db.WithContext(tenancy.WithShardKey(all, "hooli")).Model(&Invoice{}).Count(&n).Error, tenancy.ErrTenantNotFound)

		var own []Invoice
		require.NoError(t, db.WithContext(tenancy.OnAllShards(ctxOf("globex"))).Find(&own).Error)
		require.Len(t, own, 1, "a tenant in the context stays a condition")
	})
}
