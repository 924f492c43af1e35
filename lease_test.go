package tenancy_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/provision"
	"github.com/gormtenancy/tenancy/sqlite"
)

// TestLeaseDB is about a pool that is used with pauses, while others want its place.
func TestLeaseDB(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := func(name string) string { return filepath.Join(folder, name+".db") }
	shards := make([]tenancy.Shard, 2)
	for i, name := range []string{"acme", "globex"} {
		_, err := provision.CreateDatabase(t.Context(), sqlite.Open, path(name))
		require.NoError(t, err)
		shards[i] = tenancy.Shard{Name: name, Primary: sqlite.Open(path(name))}
	}
	db, err := gorm.Open(sqlite.Open(":memory:"), &gorm.Config{})
	require.NoError(t, err)
	plugin := tenancy.New(tenancy.Config{
		Models: []any{&Invoice{}}, Resolver: tenancy.DatabasePerTenant(""), Shards: shards,
		Pools: tenancy.PoolLimits{Databases: 1, Wait: 50 * time.Millisecond},
	})
	require.NoError(t, db.Use(plugin))
	t.Cleanup(func() { require.NoError(t, plugin.Close()) })
	of := func(id tenancy.ID) *gorm.DB { return db.WithContext(tenancy.WithTenant(t.Context(), id)) }

	pool, done, err := tenancy.LeaseDB(of("acme"))
	require.NoError(t, err)
	_, err = tenancy.DB(of("globex"))
	require.ErrorIs(t, err, tenancy.ErrOverloaded)
	require.NoError(t, pool.PingContext(t.Context()))
	done()
	done() // does nothing
	_, err = tenancy.DB(of("globex"))
	require.NoError(t, err)
	require.Error(t, pool.PingContext(t.Context()), "it was closed for the other one")

	_, done, err = tenancy.LeaseDB(of("../x"))
	require.ErrorIs(t, err, tenancy.ErrInvalidTenant)
	require.Nil(t, done)
}
