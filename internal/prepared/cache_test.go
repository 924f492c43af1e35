package prepared_test

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy/internal/prepared"
	"github.com/gormtenancy/tenancy/internal/testdb"
)

func TestMain(m *testing.M) { testdb.Main(m) }

func open(t *testing.T, connections int) *sql.DB {
	t.Helper()
	pool, err := sql.Open("pgx", testdb.Postgres(t)+"&default_query_exec_mode=exec") // prepares nothing itself
	require.NoError(t, err)
	pool.SetMaxOpenConns(connections)
	t.Cleanup(func() { _ = pool.Close() })
	return pool
}

// onServer counts the prepared statements of the pool's connection, which must be the only one.
func onServer(t *testing.T, pool *sql.DB) (n int) {
	t.Helper()
	require.NoError(t, pool.QueryRow("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%mine%'").Scan(&n))
	return n
}

func TestStatementsArePreparedOnceAndBounded(t *testing.T) {
	t.Parallel()
	pool := open(t, 1)
	c := prepared.New(pool, 5)
	ctx := t.Context()
	for i := range 40 {
		for range 3 {
			var n int
			require.NoError(t, c.QueryRowContext(ctx, fmt.Sprintf("SELECT $1::int + %d /* mine */", i%8), 1).Scan(&n))
			require.Equal(t, i%8+1, n)
		}
		require.LessOrEqual(t, c.Len(), 5)
	}
	require.Equal(t, 5, onServer(t, pool))
	_, err := c.ExecContext(ctx, "SELECT 1/$1::int /* mine */", 0)
	require.Error(t, err)
	_, err = c.QueryContext(ctx, "SELECT nonsense /* mine */") //nolint:rowserrcheck // there are none
	require.Error(t, err)
	require.Error(t, c.QueryRowContext(ctx, "SELECT nonsense /* mine */").Err())
	require.LessOrEqual(t, c.Len(), 5, "what failed is not kept")
	require.NoError(t, c.Close())
	require.Zero(t, onServer(t, pool))
	require.NoError(t, c.QueryRowContext(ctx, "SELECT 1 /* mine */").Err(), "it goes on without")
	require.Zero(t, c.Len())
}

func TestTransactionsWaitForNothing(t *testing.T) {
	t.Parallel()
	pool := open(t, 1)
	c := prepared.New(pool, 5)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tx, err := c.BeginTx(ctx, nil)
	require.NoError(t, err)
	waiting := make(chan error)
	go func() { // wants to prepare, and the transaction has the only connection
		_, err := c.ExecContext(ctx, "SELECT 1 /* mine */")
		waiting <- err
	}()
	require.Eventually(t, func() bool { return c.Len() == 1 }, 10*time.Second, time.Millisecond)
	_, err = tx.ExecContext(ctx, "SELECT 1 /* mine */")
	require.NoError(t, err, "GORM's own cache would wait here for ever")
	_, err = tx.ExecContext(ctx, "SELECT 2 /* mine */")
	require.NoError(t, err)
	committer, ok := tx.(gorm.TxCommitter)
	require.True(t, ok)
	require.NoError(t, committer.Commit())
	require.NoError(t, <-waiting)
	require.Equal(t, 1, onServer(t, pool))
	tx, err = c.BeginTx(ctx, nil)
	require.NoError(t, err)
	_, err = tx.ExecContext(ctx, "SELECT 2 /* mine */")
	require.NoError(t, err)
	committer, ok = tx.(gorm.TxCommitter)
	require.True(t, ok)
	require.NoError(t, committer.Commit())
	require.Equal(t, 2, onServer(t, pool), "prepared for the next time")

	tx, err = c.BeginTx(ctx, nil)
	require.NoError(t, err)
	for range 3 {
		rows, err := tx.QueryContext(ctx, "SELECT 2 /* mine */")
		require.NoError(t, err)
		require.True(t, rows.Next())
		require.NoError(t, rows.Err())
		require.NoError(t, rows.Close())
	}
	committer, ok = tx.(gorm.TxCommitter)
	require.True(t, ok)
	require.NoError(t, committer.Rollback())
	require.Equal(t, 2, onServer(t, pool))
}

func TestStaleStatementsAreDropped(t *testing.T) {
	t.Parallel()
	pool := open(t, 1)
	c := prepared.New(pool, 5)
	ctx := t.Context()
	run := func(query string) error {
		_, err := c.ExecContext(ctx, query)
		return err
	}
	require.NoError(t, run("CREATE TABLE x (a int)"))
	require.NoError(t, run("SELECT * FROM x"))
	require.NoError(t, run("ALTER TABLE x ADD COLUMN b int"))
	require.Error(t, run("SELECT * FROM x"), "PostgreSQL: cached plan must not change result type")
	require.NoError(t, run("SELECT * FROM x"))
	require.NoError(t, run("DEALLOCATE ALL"))
	_ = run("SELECT * FROM x")
	require.NoError(t, run("SELECT * FROM x"))
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	pool := open(t, 4)
	c := prepared.New(pool, 3)
	var wg sync.WaitGroup
	for g := range 16 {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(1, uint64(g)))
			for range 100 {
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				if rng.IntN(5) == 0 {
					cancel()
				}
				var conn gorm.ConnPool = c
				end := func() error { return nil }
				if rng.IntN(3) == 0 {
					if tx, err := c.BeginTx(ctx, nil); err == nil {
						conn = tx
						if committer, ok := tx.(gorm.TxCommitter); ok {
							end = committer.Rollback
						}
					}
				}
				k, n := rng.IntN(9), 0
				err := conn.QueryRowContext(ctx, fmt.Sprintf("SELECT $1::int + %d", k), 1).Scan(&n)
				_ = end()
				if ctx.Err() == nil && (err != nil || n != k+1) {
					t.Errorf("%d, want %d: %v", n, k+1, err)
				}
				cancel()
			}
		})
	}
	wg.Wait()
	require.LessOrEqual(t, c.Len(), 3)
	require.Eventually(t, func() bool { return pool.Stats().InUse == 0 }, 10*time.Second, time.Millisecond)
	require.NoError(t, c.Close())
}
