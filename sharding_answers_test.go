package tenancy_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/sqlite"
	sqliteproof "github.com/gormtenancy/tenancy/sqlproof/sqlite"
)

// Reading is sharded by bytes, which Go cannot compare with ==.
type Reading struct {
	ID     int64
	Sensor []byte `tenancy:"shard_key"`
}

// TestCreateAsksOnceForAKey is about a directory that is asked for each row: a key that moves meanwhile has one place all the same.
func TestCreateAsksOnceForAKey(t *testing.T) {
	t.Parallel()
	asked := map[string]int{}
	db, err := gorm.Open(sqlite.Open(filepath.Join(t.TempDir(), "home.db")), &gorm.Config{})
	require.NoError(t, err)
	resolver := tenancy.ShardResolverFunc(func(_ context.Context, key any) (tenancy.Placement, error) {
		k := fmt.Sprint(key)
		asked[k]++
		if asked[k] > 1 {
			return tenancy.Placement{Shard: "elsewhere"}, nil
		}
		return tenancy.Placement{}, nil
	})
	plugin := tenancy.New(tenancy.Config{
		SQL:      sqliteproof.New(),
		Sharding: []tenancy.Sharding{{Models: []any{&Sale{}, &SaleLine{}}, Resolver: resolver}},
	})
	require.NoError(t, db.Use(plugin))
	t.Cleanup(func() { require.NoError(t, plugin.Close()) })
	require.NoError(t, db.WithContext(tenancy.WithPlacement(t.Context(), tenancy.Placement{})).AutoMigrate(&Sale{}))

	sales := []Sale{{ID: 1, Customer: 7}, {ID: 2, Customer: 8}, {ID: 3, Customer: 7}, {ID: 4, Customer: 9}, {ID: 5, Customer: 8}}
	require.NoError(t, db.Create(&sales).Error)
	require.Equal(t, map[string]int{"7": 1, "8": 1, "9": 1}, asked)
}

func TestCreateWithKeysOfBytes(t *testing.T) {
	t.Parallel()
	db, err := gorm.Open(sqlite.Open(filepath.Join(t.TempDir(), "home.db")), &gorm.Config{})
	require.NoError(t, err)
	plugin := tenancy.New(tenancy.Config{
		SQL:      sqliteproof.New(),
		Sharding: []tenancy.Sharding{{Models: []any{&Reading{}}, Resolver: tenancy.Single(tenancy.Placement{})}},
	})
	require.NoError(t, db.Use(plugin))
	t.Cleanup(func() { require.NoError(t, plugin.Close()) })
	require.NoError(t, db.WithContext(tenancy.WithPlacement(t.Context(), tenancy.Placement{})).AutoMigrate(&Reading{}))
	require.NoError(t, db.Create(&[]Reading{{ID: 1, Sensor: []byte{1}}, {ID: 2, Sensor: []byte{1}}, {ID: 3, Sensor: []byte{2}}}).Error)
	var n int64
	require.NoError(t, db.Model(&Reading{}).Where("sensor = ?", []byte{1}).Count(&n).Error)
	require.EqualValues(t, 2, n)
}
