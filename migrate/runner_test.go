package migrate_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/catalog"
	"github.com/gormtenancy/tenancy/migrate"
)

// notes is two steps that run everywhere. Each leaves a row for each time it was run.
var notes = []string{
	"CREATE TABLE notes (id bigint, body varchar(100));",
	"CREATE TABLE done (step int);\nINSERT INTO done VALUES (2);\nALTER TABLE notes ADD COLUMN author varchar(20);",
}

func withModels(cfg *migrate.Config) { cfg.Models = []any{&Order{}} }

// watcher notes the events of a run.
type watcher struct{ events []migrate.Event }

func (w *watcher) PlaceMigrated(_ context.Context, e migrate.Event) { w.events = append(w.events, e) }

func TestRun(t *testing.T) {
	t.Parallel()
	eachPlace(t, func(t *testing.T, e engine, shape catalog.Shape) {
		t.Helper()
		l := newLand(t, e)
		tenants := l.tenants(t, shape, 3)
		seen := &watcher{}
		after := map[tenancy.Placement]int{}
		r := l.runner(t, files(notes...), withModels, func(cfg *migrate.Config) {
			cfg.Workers, cfg.Observer = 1, seen
			cfg.After = func(_ context.Context, at tenancy.Placement) error {
				after[at]++
				return nil
			}
		})
		require.EqualValues(t, 2, r.Target().Version)
		require.NotEmpty(t, r.Target().Models)
		places := 4 // the shared one is there too
		if shape == catalog.SharedTables {
			places = 1
		}

		status, err := r.Status(t.Context())
		require.NoError(t, err)
		require.Equal(t, places, status.NotBegun)
		report, err := r.Run(t.Context())
		require.NoError(t, err, report)
		require.Equal(t, places, report.Migrated, report)
		require.Len(t, seen.events, places)
		last := seen.events[places-1]
		require.Equal(t, [4]int{places, 0, 0, places}, [4]int{last.Done, last.Failed, last.UpToDate, last.Total})
		for _, made := range tenants {
			for _, table := range []string{"notes", "done", "orders", "goose_db_version"} {
				require.True(t, l.hasTable(t, made, table), "%s of %s", table, made.ID)
			}
			require.Equal(t, 1, l.countAt(t, made, "SELECT count(*) FROM done"))
			require.Equal(t, 1, after[made.Placement])
			known := l.placeOf(t, made)
			require.Equal(t, r.Target().Version, known.Version)
			require.Equal(t, r.Target().Models, known.Models)
			require.Empty(t, known.Err)
			// The application finds the tables that were made.
			mine := l.db.WithContext(tenancy.WithTenant(t.Context(), made.ID))
			require.NoError(t, mine.Create(&Order{Code: string(made.ID)}).Error)
			var found []Order
			require.NoError(t, mine.Find(&found).Error)
			require.Len(t, found, 1)
		}

		report, err = r.Run(t.Context())
		require.NoError(t, err)
		require.Equal(t, places, report.UpToDate, report)
		require.Len(t, seen.events, places, "nothing was tried")
		verify := l.runner(t, files(notes...), withModels, func(cfg *migrate.Config) { cfg.Verify = true })
		report, err = verify.Run(tenancy.WithTenant(t.Context(), "a stranger")) // whoever calls
		require.NoError(t, err)
		require.Equal(t, places, report.Migrated, report)
		require.Equal(t, 1, l.countAt(t, tenants[0], "SELECT count(*) FROM done"))
	})
}

func TestFailures(t *testing.T) {
	t.Parallel()
	eachPlace(t, func(t *testing.T, e engine, shape catalog.Shape) {
		t.Helper()
		if shape == catalog.SharedTables {
			t.Skip("there is one place")
		}
		l := newLand(t, e)
		tenants := l.tenants(t, shape, 4)
		bad := tenants[1]
		l.execAt(t, bad, "CREATE TABLE done (old int)") // in the way of step 2
		r := l.runner(t, files(notes...))
		report, err := r.Run(t.Context())
		var partial *tenancy.PartialError
		require.ErrorAs(t, err, &partial)
		require.Len(t, partial.Failed, 1)
		require.Equal(t, string(bad.ID), partial.Failed[0].Name)
		require.Len(t, partial.Done, 4)
		require.Equal(t, [2]int{4, 1}, [2]int{report.Migrated, report.Failed}, report)

		var step *migrate.StepError
		require.ErrorAs(t, err, &step)
		require.Equal(t, "00002_step.sql", step.File)
		require.EqualValues(t, 2, step.Version)
		require.Equal(t, bad.Placement, step.Placement)
		for _, text := range []string{err.Error(), report.String(), l.placeOf(t, bad).Err} {
			require.Contains(t, text, "00002_step.sql")
			require.Contains(t, text, bad.Placement.Schema+bad.Placement.Shard)
			require.NotContains(t, text, l.dsn)
			require.NotContains(t, text, "password")
		}
		failed := report.Results[slices.IndexFunc(report.Results, func(p migrate.Result) bool { return p.State == migrate.Failed })]
		require.Equal(t, bad.ID, failed.Tenant)
		require.EqualValues(t, 1, failed.To.Version)
		require.Less(t, l.placeOf(t, bad).Version, r.Target().Version)
		status, err := r.Status(t.Context())
		require.NoError(t, err)
		require.Equal(t, [2]int{4, 1}, [2]int{status.UpToDate, status.Failed}, status)

		l.execAt(t, bad, "DROP TABLE done")
		report, err = r.Run(t.Context())
		require.NoError(t, err, report)
		require.Equal(t, [2]int{1, 4}, [2]int{report.Migrated, report.UpToDate}, report)
		require.Equal(t, 1, l.countAt(t, bad, "SELECT count(*) FROM done"))
		require.Empty(t, l.placeOf(t, bad).Err)
	})
}

// TestClosedByDefault is about places where something fails after the last step: the catalog must not let tenants in.
func TestClosedByDefault(t *testing.T) {
	t.Parallel()
	l := newLand(t, engineOf("sqlite"))
	made := l.tenant(t, catalog.OwnDatabase, "a")
	fails := errors.New("not yet")
	r := l.runner(t, files(notes...), func(cfg *migrate.Config) {
		cfg.After = func(context.Context, tenancy.Placement) error { return fails }
	})
	_, err := r.Run(t.Context())
	require.ErrorIs(t, err, fails)
	require.Less(t, l.placeOf(t, made).Version, r.Target().Version)
	fails = nil
	report, err := r.Run(t.Context())
	require.NoError(t, err)
	require.Equal(t, 2, report.Migrated, report)
	require.Equal(t, r.Target().Version, l.placeOf(t, made).Version)

	broken := l.runner(t, files(append(notes, "SELECT 1;")...), func(cfg *migrate.Config) {
		cfg.After = func(context.Context, tenancy.Placement) error { panic("oh") }
	})
	report, err = broken.Run(t.Context())
	require.ErrorContains(t, err, "panic")
	require.Equal(t, 2, report.Failed, report)
}

func TestCanaries(t *testing.T) {
	t.Parallel()
	l := newLand(t, engineOf("sqlite"))
	tenants := l.tenants(t, catalog.OwnDatabase, 5)
	l.execAt(t, tenants[3], "CREATE TABLE done (old int)")
	seen := &watcher{}
	with := func(ids ...tenancy.ID) *migrate.Runner {
		return l.runner(t, files(notes...), func(cfg *migrate.Config) { cfg.Canary, cfg.Observer = ids, seen })
	}
	report, err := with(tenants[2].ID, tenants[3].ID).Run(t.Context())
	require.ErrorIs(t, err, migrate.ErrStopped)
	require.ErrorContains(t, err, "00002_step.sql")
	require.Equal(t, [3]int{1, 1, 4}, [3]int{report.Migrated, report.Failed, report.NotBegun}, report)
	require.Equal(t, tenants[2].ID, seen.events[0].Result.Tenant)
	require.Equal(t, 4, strings.Count(report.String(), "not begun")-1)

	_, err = with("nobody").Run(t.Context())
	require.ErrorIs(t, err, tenancy.ErrTenantNotFound)
	l.execAt(t, tenants[3], "DROP TABLE done")
	report, err = with(tenants[3].ID).Run(t.Context())
	require.NoError(t, err)
	require.Equal(t, 5, report.Migrated, report)
}

func TestStopAt(t *testing.T) {
	t.Parallel()
	l := newLand(t, engineOf("sqlite"))
	tenants := l.tenants(t, catalog.OwnDatabase, 20)
	for _, made := range tenants[:10] {
		l.execAt(t, made, "CREATE TABLE done (old int)")
	}
	at := func(share float64) func(*migrate.Config) {
		return func(cfg *migrate.Config) { cfg.StopAt, cfg.Workers = share, 1 }
	}
	report, err := l.runner(t, files(notes...), at(0.95)).Run(t.Context())
	require.NotErrorIs(t, err, migrate.ErrStopped)
	require.Equal(t, 10, report.Failed, report)
	report, err = l.runner(t, files(append(notes, "SELECT 1;")...), at(0.5)).Run(t.Context())
	require.ErrorIs(t, err, migrate.ErrStopped)
	require.Equal(t, 10, report.Migrated+report.Failed, report)
	require.Equal(t, 11, report.NotBegun, report)
}

// TestShared is about places that many tenants share, or none has come to yet.
func TestShared(t *testing.T) {
	t.Parallel()
	for _, e := range engines() {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			l := newLand(t, e)
			r := l.runner(t, files(notes...), withModels)
			report, err := r.Run(t.Context())
			require.NoError(t, err)
			require.Equal(t, 1, report.Migrated, report)
			tenants := l.tenants(t, catalog.SharedTables, 20)
			report, err = r.Run(t.Context())
			require.NoError(t, err)
			require.Len(t, report.Results, 1)
			require.EqualValues(t, 20, report.Results[0].Tenants)
			require.Equal(t, 1, report.UpToDate, report)
			require.Equal(t, 1, l.countAt(t, tenants[7], "SELECT count(*) FROM done"))
		})
	}
}

func TestTenant(t *testing.T) {
	t.Parallel()
	eachPlace(t, func(t *testing.T, e engine, shape catalog.Shape) {
		t.Helper()
		l := newLand(t, e)
		others := l.tenants(t, shape, 2)
		made, err := l.catalog.Create(t.Context(), catalog.NewTenant{ID: "new", Shape: shape})
		require.NoError(t, err)
		l.store(t, made)
		r := l.runner(t, files(notes...), withModels)
		ctx := catalog.Maintenance(tenancy.WithTenant(t.Context(), made.ID))
		for range 2 {
			require.NoError(t, r.Tenant(ctx, made))
		}
		require.Equal(t, 1, l.countAt(t, made, "SELECT count(*) FROM done"))
		require.True(t, l.hasTable(t, made, "orders"))
		require.Equal(t, r.Target().Version, l.placeOf(t, made).Version)
		require.Equal(t, shape == catalog.SharedTables, l.hasTable(t, others[0], "orders"), "another tenant's place")
	})
}

// TestComing is about tenants that are being created: whoever does that calls Runner.Tenant, which fails if there is nothing yet.
func TestComing(t *testing.T) {
	t.Parallel()
	eachPlace(t, func(t *testing.T, e engine, shape catalog.Shape) {
		t.Helper()
		if shape == catalog.SharedTables {
			t.Skip("its place is there")
		}
		l := newLand(t, e)
		l.tenant(t, shape, "a")
		made, err := l.catalog.Create(t.Context(), catalog.NewTenant{ID: "new", Shape: shape})
		require.NoError(t, err)
		r := l.runner(t, files(notes...))
		report, err := r.Run(t.Context())
		require.NoError(t, err, report)
		require.Equal(t, [2]int{2, 1}, [2]int{report.Migrated, report.NotBegun}, report)
		require.Empty(t, l.placeOf(t, made).Err)
		l.store(t, made)
		require.NoError(t, r.Tenant(t.Context(), made))

		gone, err := l.catalog.Create(t.Context(), catalog.NewTenant{ID: "gone", Shape: shape})
		require.NoError(t, err)
		require.Error(t, r.Tenant(t.Context(), gone))
	})
}

// TestAhead is about places that a newer program has migrated.
func TestAhead(t *testing.T) {
	t.Parallel()
	eachPlace(t, func(t *testing.T, e engine, shape catalog.Shape) {
		t.Helper()
		l := newLand(t, e)
		made := l.tenant(t, shape, "a")
		newer := l.runner(t, files(append(notes, "CREATE TABLE more (id int);")...))
		require.NoError(t, newer.Tenant(t.Context(), made))
		older := l.runner(t, files(notes...), withModels)
		report, err := older.Run(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, report.Ahead, report)
		require.False(t, l.hasTable(t, made, "orders"))
		require.EqualValues(t, 3, l.placeOf(t, made).Version)
		require.Contains(t, report.String(), "ahead")

		report, err = l.runner(t, nil, withModels).Run(t.Context()) // a program that has no steps
		require.NoError(t, err)
		require.Zero(t, report.Migrated, report)
		require.False(t, l.hasTable(t, made, "orders"))

		// A newer program was killed before the catalog knew.
		require.NoError(t, l.catalog.SetPlace(t.Context(), made.Placement, catalog.Target{Version: 1}, ""))
		report, err = older.Run(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, report.Ahead, report)
		require.False(t, l.hasTable(t, made, "orders"))
	})
}

// TestGate is about programs that need a version.
func TestGate(t *testing.T) {
	t.Parallel()
	eachPlace(t, func(t *testing.T, e engine, shape catalog.Shape) {
		t.Helper()
		l := newLand(t, e)
		made := l.tenant(t, shape, "a")
		_, err := l.runner(t, files(notes[0])).Run(t.Context())
		require.NoError(t, err)
		r := l.runner(t, files(notes...), withModels)
		gated := l.again(t, catalog.Config{MinVersion: r.Target().Version, Models: r.Target().Models})
		mine := gated.db.WithContext(tenancy.WithTenant(t.Context(), made.ID))
		require.ErrorIs(t, mine.Find(&[]Order{}).Error, tenancy.ErrTenantUnavailable)
		// The gated program can migrate by itself.
		_, err = gated.runner(t, files(notes...), withModels, func(cfg *migrate.Config) {
			cfg.After = func(ctx context.Context, at tenancy.Placement) error {
				if at != made.Placement {
					return nil
				}
				return gated.db.WithContext(tenancy.WithTenant(ctx, made.ID)).Create(&Order{Code: "first"}).Error
			}
		}).Run(t.Context())
		require.NoError(t, err)
		require.NoError(t, mine.Find(&[]Order{}).Error)
		// A program of the same version and other models is refused too.
		other := l.again(t, catalog.Config{MinVersion: 2, Models: "other"})
		require.ErrorIs(t, other.db.WithContext(tenancy.WithTenant(t.Context(), made.ID)).Find(&[]Order{}).Error, tenancy.ErrTenantUnavailable)
	})
}

func TestCancel(t *testing.T) {
	t.Parallel()
	eachPlace(t, func(t *testing.T, e engine, shape catalog.Shape) {
		t.Helper()
		l := newLand(t, e)
		tenants := l.tenants(t, shape, 3)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		r := l.runner(t, files(notes...), func(cfg *migrate.Config) {
			cfg.Workers = 1
			cfg.After = func(ctx context.Context, _ tenancy.Placement) error {
				cancel()
				<-ctx.Done()
				return ctx.Err()
			}
		})
		report, err := r.Run(ctx)
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, 1, report.Failed, report)
		require.Equal(t, len(report.Results)-1, report.NotBegun, report)
		for _, made := range tenants {
			require.Zero(t, l.placeOf(t, made).Version)
			require.Empty(t, l.placeOf(t, made).Err, "a run that was ended is no fault of the place's")
		}
		report, err = l.runner(t, files(notes...)).Run(t.Context()) // no lock was left
		require.NoError(t, err)
		require.Zero(t, report.NotBegun+report.Failed, report)
		require.Equal(t, 1, l.countAt(t, tenants[0], "SELECT count(*) FROM done"))
	})
}
