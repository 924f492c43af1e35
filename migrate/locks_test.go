package migrate_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/catalog"
	"github.com/gormtenancy/tenancy/migrate"
)

// block begins a transaction that uses the table notes of a place, and returns what ends it.
func block(t *testing.T, l *land, made catalog.Tenant) (release func()) {
	t.Helper()
	return blockTable(t, l, made, "notes")
}

func blockTable(t *testing.T, l *land, made catalog.Tenant, table string) (release func()) {
	t.Helper()
	c, leave := l.enter(t, made)
	tx, err := c.BeginTx(context.WithoutCancel(t.Context()), nil)
	require.NoError(t, err)
	_, err = tx.ExecContext(t.Context(), "INSERT INTO "+table+" (id) VALUES (1)")
	require.NoError(t, err)
	var once sync.Once
	release = func() {
		once.Do(func() {
			_ = tx.Rollback()
			leave()
		})
	}
	t.Cleanup(release)
	return release
}

// waits tells whether a statement waits for a lock. SQLite does not say.
func (l *land) waits(t *testing.T) bool {
	t.Helper()
	query := map[string]string{
		"postgres": "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%ALTER TABLE%'",
		"mysql":    "SELECT count(*) FROM information_schema.processlist WHERE state LIKE 'Waiting for table metadata lock' AND info LIKE '%ALTER TABLE%' AND info NOT LIKE '%processlist%'",
	}[l.name]
	var n int
	require.NoError(t, l.home.QueryRowContext(t.Context(), query).Scan(&n))
	return n > 0
}

// TestLockTimeout is about a table in use: the step gives up so that others need not queue behind it, and tries again.
func TestLockTimeout(t *testing.T) { //nolint:paralleltest // it asks the server who waits
	for _, e := range engines() {
		for _, shape := range e.shapes {
			t.Run(e.name+"/"+string(shape), func(t *testing.T) {
				l := newLand(t, e)
				made := l.tenant(t, shape, "a")
				require.NoError(t, l.runner(t, files(notes[0])).Tenant(t.Context(), made))
				with := func(retries int, timeout time.Duration) *migrate.Runner {
					return l.runner(t, files(notes...), func(cfg *migrate.Config) { cfg.LockTimeout, cfg.Retries, cfg.Workers = timeout, retries, 1 })
				}
				release := block(t, l, made)
				report, err := with(-1, 50*time.Millisecond).Run(t.Context())
				require.ErrorContains(t, err, "the table is in use", report)
				require.NotContains(t, err.Error(), "panic")
				if e.name == "mysql" { // the statements before the one that waited have stayed
					l.execAt(t, made, "DROP TABLE done")
				}

				ended := make(chan error, 1)
				go func() {
					report, err = with(100, 200*time.Millisecond).Run(t.Context())
					ended <- err
				}()
				if e.name == "sqlite" {
					time.Sleep(500 * time.Millisecond) // it does not say who waits
				} else { // it waits, gives up, and waits again
					require.Eventually(t, func() bool { return l.waits(t) }, 20*time.Second, time.Millisecond)
					require.Eventually(t, func() bool { return !l.waits(t) }, 20*time.Second, time.Millisecond)
					require.Eventually(t, func() bool { return l.waits(t) }, 20*time.Second, time.Millisecond)
				}
				select {
				case err := <-ended:
					require.Fail(t, "it ended while the table was in use", "%v", err)
				default:
				}
				release()
				require.NoError(t, <-ended, report)
				require.Equal(t, 1, l.countAt(t, made, "SELECT count(*) FROM done"))
				for _, p := range report.Results {
					if p.Placement == made.Placement {
						require.Greater(t, p.Attempts, 1)
					}
				}
			})
		}
	}
}

// TestLockTimeoutOfModels is about AutoMigrate, which meets a table in use likewise.
func TestLockTimeoutOfModels(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"postgres", "mysql"} {
		for _, shape := range engineOf(name).shapes {
			t.Run(name+"/"+string(shape), func(t *testing.T) {
				t.Parallel()
				l := newLand(t, engineOf(name))
				made := l.tenant(t, shape, "a")
				l.execAt(t, made, "CREATE TABLE orders (id bigint PRIMARY KEY)", "CREATE TABLE notes (id bigint)")
				release := blockTable(t, l, made, "orders")
				r := l.runner(t, nil, withModels, func(cfg *migrate.Config) { cfg.LockTimeout, cfg.Retries = 100*time.Millisecond, 1 })
				begun := time.Now()
				require.Error(t, r.Tenant(t.Context(), made))
				require.Less(t, time.Since(begun), 20*time.Second)
				release()
				require.NoError(t, r.Tenant(t.Context(), made))
				require.Equal(t, r.Target().Models, l.placeOf(t, made).Models)
			})
		}
	}
}

// TestTwoMigrators is about migrators that begin at once: each place is migrated by one of them.
func TestTwoMigrators(t *testing.T) {
	t.Parallel()
	eachPlace(t, func(t *testing.T, e engine, shape catalog.Shape) {
		t.Helper()
		l := newLand(t, e)
		n := 10
		tenants := l.tenants(t, shape, n)
		places := n + 1
		if shape == catalog.SharedTables {
			places = 1
		}
		lands := []*land{l, l.again(t, catalog.Config{}), l.again(t, catalog.Config{})}
		reports := make([]migrate.Report, len(lands))
		errs := make([]error, len(lands))
		var all sync.WaitGroup
		for i, other := range lands {
			r := other.runner(t, files(notes...), withModels)
			all.Go(func() { reports[i], errs[i] = r.Run(t.Context()) })
		}
		all.Wait()
		migrated := 0
		for i, report := range reports {
			require.NoError(t, errs[i], report)
			require.Equal(t, places, report.Migrated+report.UpToDate, report)
			migrated += report.Migrated
		}
		require.Equal(t, places, migrated)
		for _, made := range tenants {
			require.Equal(t, 1, l.countAt(t, made, "SELECT count(*) FROM done"))
		}
	})
}
