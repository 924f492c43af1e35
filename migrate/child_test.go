package migrate_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/catalog"
	"github.com/gormtenancy/tenancy/migrate"
)

// childVariable tells a process of the test binary to be a migrator: engine, DSN and prefix, one a line.
const childVariable = "TENANCY_TEST_MIGRATE_CHILD"

// careful is steps that can be killed anywhere: on MySQL a statement that changes a table is there before its step is noted.
var careful = []string{
	"CREATE TABLE IF NOT EXISTS notes (id bigint);",
	"CREATE TABLE IF NOT EXISTS done (step int);",
	"INSERT INTO done VALUES (3);",
	"CREATE TABLE IF NOT EXISTS last (id bigint);",
}

// child migrates, until it is killed.
func child() int {
	words := strings.Split(os.Getenv(childVariable), "\n")
	ctx := context.Background()
	l, err := openLand(ctx, engineOf(words[0]), words[1], words[2], catalog.Config{})
	if err == nil {
		var r *migrate.Runner
		if r, err = migrate.New(migrate.Config{DB: l.db, Catalog: l.catalog, Steps: files(careful...), Models: []any{&Order{}}}); err == nil {
			_, err = r.Run(ctx)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// migrated counts the places that the catalog says are at a version.
func (l *land) migrated(t *testing.T, version int64) (n int) {
	t.Helper()
	for p, err := range l.catalog.Places(t.Context()) {
		require.NoError(t, err)
		if p.Version == version {
			n++
		}
	}
	return n
}

// TestKilledMigrator is about migrators that are killed midway: the next one goes on where they were, and does nothing twice.
func TestKilledMigrator(t *testing.T) {
	t.Parallel()
	eachPlace(t, func(t *testing.T, e engine, shape catalog.Shape) {
		t.Helper()
		if shape == catalog.SharedTables {
			t.Skip("there is one place")
		}
		l := newLand(t, e)
		const n = 40
		tenants := l.tenants(t, shape, n)
		for _, until := range []int{3, 15} {
			cmd := exec.CommandContext(t.Context(), os.Args[0])
			cmd.Env = append(os.Environ(), childVariable+"="+strings.Join([]string{e.name, l.dsn, l.prefix}, "\n"))
			var said strings.Builder
			cmd.Stderr = &said
			require.NoError(t, cmd.Start())
			require.Eventually(t, func() bool { return l.migrated(t, 4) >= until }, time.Minute, time.Millisecond, "%s", &said)
			require.NoError(t, cmd.Process.Kill())
			require.Error(t, cmd.Wait(), "it ended by itself: %s", &said)
		}
		before := l.migrated(t, 4)
		require.Less(t, before, n)
		r := l.runner(t, files(careful...), withModels)
		report, err := r.Run(t.Context())
		require.NoError(t, err, report)
		require.Equal(t, n+1, report.Migrated+report.UpToDate, report)
		require.Equal(t, before, report.UpToDate, report)
		for _, made := range tenants {
			require.Equal(t, 1, l.countAt(t, made, "SELECT count(*) FROM done"), made.ID)
			require.True(t, l.hasTable(t, made, "last") && l.hasTable(t, made, "orders"), made.ID)
		}
	})
}
