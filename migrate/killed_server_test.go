package migrate_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/catalog"
	"github.com/gormtenancy/tenancy/internal/testdb"
	"github.com/gormtenancy/tenancy/migrate"
)

// server is one that a test kills.
type server interface {
	Database(t testing.TB) string
	Kill(t testing.TB)
	Start(t testing.TB)
}

// killer kills something once, when some places have been migrated.
type killer struct {
	after int
	once  sync.Once
	kill  func()
}

func (k *killer) PlaceMigrated(_ context.Context, e migrate.Event) {
	if e.Done >= k.after {
		k.once.Do(k.kill)
	}
}

// TestKilledServer is about a server that is killed midway, and comes back.
func TestKilledServer(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(t testing.TB) server{
		"postgres": func(t testing.TB) server { t.Helper(); return testdb.StartPostgres(t) },
		"mysql":    func(t testing.TB) server { t.Helper(); return testdb.StartMariaDB(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			l := newLandAt(t, engineOf(name), s.Database(t))
			tenants := l.tenants(t, catalog.OwnSchema, 40)
			r := l.runner(t, files(careful...), withModels, func(cfg *migrate.Config) {
				cfg.Observer = &killer{after: 10, kill: func() { s.Kill(t) }}
			})
			report, err := r.Run(t.Context())
			var partial *tenancy.PartialError
			require.ErrorAs(t, err, &partial)
			require.NotContains(t, err.Error(), l.dsn)
			require.Greater(t, report.Failed, 20, report)
			s.Start(t)
			require.Eventually(t, func() bool { // the plugin tries a database that was away again by and by
				_, err := tenancy.DB(l.db)
				return err == nil
			}, time.Minute, time.Millisecond)
			report, err = r.Run(t.Context())
			require.NoError(t, err, report)
			require.Zero(t, report.Failed+report.NotBegun, report)
			require.GreaterOrEqual(t, report.UpToDate, 10, report)
			for _, made := range tenants {
				require.Equal(t, 1, l.countAt(t, made, "SELECT count(*) FROM done"), made.ID)
				require.True(t, l.hasTable(t, made, "last") && l.hasTable(t, made, "orders"), made.ID)
			}
		})
	}
}
