package merge_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/internal/dialect"
	"github.com/gormtenancy/tenancy/internal/handover"
	"github.com/gormtenancy/tenancy/internal/merge"
	"github.com/gormtenancy/tenancy/internal/testdb"
)

// slowServer is a database, a query that runs until it is ended, and what finds and ends it.
type slowServer struct {
	engine                        dialect.Engine
	driver, dsn, slow, find, kill string
}

func slowServers(t *testing.T) map[string]slowServer {
	t.Helper()
	return map[string]slowServer{
		"postgres": {
			dialect.Postgres, "pgx", testdb.Postgres(t), "SELECT 1 AS n FROM pg_sleep(600)",
			"SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query LIKE '%sleep(601)%' AND pid <> pg_backend_pid()",
			"SELECT pg_terminate_backend(%d)",
		},
		"mariadb": {dialect.MySQL, "mysql", testdb.MySQL(t), "SELECT SLEEP(600) AS n", "SELECT id FROM information_schema.processlist WHERE info LIKE '%SLEEP(601)%' AND id <> CONNECTION_ID()", "KILL %d"},
		"sqlite":  {dialect.SQLite, "sqlite", "file:" + t.TempDir() + "/a.db", "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT max(n) AS n FROM c", "", ""},
	}
}

func query(db *sql.DB, text string) merge.Source {
	return merge.Source{Name: text, Open: func(ctx context.Context) (driver.Rows, error) {
		rows, err := db.QueryContext(ctx, text) //nolint:rowserrcheck // the merge reads them
		if err != nil {
			return nil, err
		}
		return merge.SQLRows(rows)
	}}
}

// TestServersAreLeft: when the caller goes, or another source fails, queries that run are cancelled and their connections come
// back to the pool.
func TestServersAreLeft(t *testing.T) {
	t.Parallel()
	for name, s := range slowServers(t) {
		t.Run(name, func(t *testing.T) {
			d := merge.Description{Engine: s.engine, Order: []merge.Sort{{Column: 0}}}
			db, err := sql.Open(s.driver, s.dsn)
			require.NoError(t, err)
			defer func() { require.NoError(t, db.Close()) }()

			_, err = merge.Open(t.Context(), d, merge.Options{}, query(db, s.slow), query(db, "SELECT nothing"))
			var source *merge.SourceError
			require.ErrorAs(t, err, &source)
			require.Equal(t, "SELECT nothing", source.Source)
			require.Zero(t, db.Stats().InUse)

			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() {
				_, err := merge.Open(ctx, d, merge.Options{}, query(db, s.slow), query(db, s.slow))
				done <- err
			}()
			require.Eventually(t, func() bool { return db.Stats().InUse == 2 }, waitFor, tick)
			cancel()
			require.ErrorIs(t, <-done, context.Canceled)
			require.Zero(t, db.Stats().InUse)

			if s.find == "" {
				return
			}
			var id int
			other := strings.Replace(s.slow, "600", "601", 1) // the others may not have gone yet
			go func() {
				rows, err := merge.Open(t.Context(), d, merge.Options{}, query(db, "SELECT 1 AS n"), query(db, other))
				if err == nil {
					_, err = all(rows)
					err = errors.Join(err, rows.Close())
				}
				done <- err
			}()
			require.Eventually(t, func() bool { return db.QueryRowContext(t.Context(), s.find).Scan(&id) == nil }, waitFor, tick)
			_, err = db.ExecContext(t.Context(), fmt.Sprintf(s.kill, id))
			require.NoError(t, err)
			require.ErrorAs(t, <-done, &source)
			require.Equal(t, other, source.Source)
			require.Zero(t, db.Stats().InUse)
		})
	}
}

// TestThroughAPool: as *sql.Rows, the merge ends with the context of the query too.
func TestThroughAPool(t *testing.T) {
	t.Parallel()
	pool := handover.Open()
	defer func() { require.NoError(t, pool.Close()) }()
	ctx, cancel := context.WithCancel(t.Context())
	endless := ascending(1, 0, 3)
	endless.blocks = true
	merged, err := merge.Open(ctx, byFirst(), merge.Options{}, sources(endless)...)
	require.NoError(t, err)
	rows, err := pool.QueryContext(ctx, "", merged)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	for range 3 {
		require.True(t, rows.Next())
	}
	cancel()
	require.False(t, rows.Next())
	require.ErrorIs(t, rows.Err(), context.Canceled)
	require.Eventually(t, endless.closed.Load, waitFor, tick)
}
