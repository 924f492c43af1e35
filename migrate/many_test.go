package migrate_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/catalog"
	"github.com/gormtenancy/tenancy/migrate"
)

// TestMany is about a thousand tenants in each shape. A database of a server takes long to make, so there are fewer of them.
func TestMany(t *testing.T) {
	if testing.Short() {
		t.Skip("a thousand tenants")
	}
	t.Parallel()
	eachPlace(t, func(t *testing.T, e engine, shape catalog.Shape) {
		t.Helper()
		l := newLand(t, e)
		n := 1000
		if shape == catalog.OwnDatabase && e.name != "sqlite" {
			n = 50
		}
		places := n + 1
		if shape == catalog.SharedTables {
			places = 1
		}
		tenants := l.tenants(t, shape, n)
		r := l.runner(t, files(notes...), withModels, func(cfg *migrate.Config) { cfg.Workers = 8 })
		report, err := r.Run(t.Context())
		require.NoError(t, err, report)
		require.Equal(t, places, report.Migrated)
		t.Logf("%d places in %s", places, report.Took)
		for i := 0; i < n; i += n/10 + 1 {
			require.Equal(t, 1, l.countAt(t, tenants[i], "SELECT count(*) FROM done"))
		}
		report, err = r.Run(t.Context())
		require.NoError(t, err)
		require.Equal(t, places, report.UpToDate)
		t.Logf("%d places up to date in %s", places, report.Took)
	})
}
