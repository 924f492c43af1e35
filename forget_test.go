package tenancy_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/sqlite"
)

// TestForget is about databases that are dropped, or made, while the plugin runs.
func TestForget(t *testing.T) {
	t.Parallel()
	dir, opened := t.TempDir(), map[string]int{}
	which := "first"
	l := newLand(t, engines[0], engines[0].fresh(t)(), &gorm.Config{}, tenancy.Config{
		Resolver: tenancy.DatabasePerTenant("t_"),
		Open: func(_ context.Context, name string) (tenancy.Shard, error) {
			opened[name]++
			return tenancy.Shard{Primary: sqlite.Open(filepath.Join(dir, which+"_"+name+".db"))}, nil
		},
	})
	for _, file := range []string{"first", "second"} {
		for _, name := range []string{"t_a", "t_b"} {
			db, err := gorm.Open(sqlite.Open(filepath.Join(dir, file+"_"+name+".db")), &gorm.Config{})
			require.NoError(t, err)
			require.NoError(t, db.AutoMigrate(&Tag{}))
			require.NoError(t, db.Create(&Tag{TenantID: name[2:], Label: file}).Error)
			pool, err := db.DB()
			require.NoError(t, err)
			require.NoError(t, pool.Close())
		}
	}
	label := func(id tenancy.ID) string {
		var tag Tag
		require.NoError(t, l.as(id).First(&tag).Error)
		return tag.Label
	}
	require.Equal(t, "first", label("a"))
	require.Equal(t, "first", label("b"))
	which = "second"
	require.NoError(t, l.as("b").Transaction(func(tx *gorm.DB) error {
		require.NoError(t, tx.First(&Tag{}).Error)
		require.NoError(t, l.plugin.Forget("t_a"))
		require.NoError(t, l.plugin.Forget("t_b"))
		return tx.First(&Tag{}).Error // it goes on where it began
	}))
	require.Equal(t, "second", label("a"))
	require.Equal(t, "second", label("b"))
	require.Equal(t, map[string]int{"t_a": 2, "t_b": 2}, opened)
	require.NoError(t, l.plugin.Forget("never opened"))
	require.ErrorIs(t, l.plugin.Forget(""), tenancy.ErrInvalidConfig)
	require.ErrorIs(t, tenancy.New(tenancy.Config{}).Forget("t_a"), tenancy.ErrInvalidConfig)
}

// TestForgetFreesThePlace is about promise 2: a place that was one tenant's alone is another's, once it was forgotten.
func TestForgetFreesThePlace(t *testing.T) {
	t.Parallel()
	l := newLand(t, engines[0], engines[0].fresh(t)(), &gorm.Config{}, tenancy.Config{
		Resolver: tenancy.ShardResolverFunc(func(context.Context, any) (tenancy.Placement, error) {
			return tenancy.Placement{Shard: "one", Exclusive: true}, nil
		}),
		Open: sqliteFiles(t, "one"),
	})
	require.NoError(t, l.as("a").AutoMigrate(&Tag{}))
	require.ErrorIs(t, l.as("b").Find(&[]Tag{}).Error, tenancy.ErrTenantMismatch)
	require.NoError(t, l.plugin.Forget("one"))
	require.NoError(t, l.as("b").Find(&[]Tag{}).Error)
	require.ErrorIs(t, l.as("a").Find(&[]Tag{}).Error, tenancy.ErrTenantMismatch)
}
