package schemas_test

import (
	"database/sql"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql" // the driver "mysql"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/internal/schemas"
	"github.com/gormtenancy/tenancy/internal/testdb"
)

func TestMain(m *testing.M) { testdb.Main(m) }

// TestNothingStays is about what a statement leaves on its connection, which is the pool's only one.
func TestNothingStays(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ driver, dsn, own string }{
		"postgres": {"pgx", testdb.Postgres(t), "SELECT current_setting('search_path')"},
		"mysql":    {"mysql", testdb.MySQL(t), "SELECT DATABASE()"},
	} {
		t.Run(name, func(t *testing.T) {
			pool, err := sql.Open(c.driver, c.dsn)
			require.NoError(t, err)
			t.Cleanup(func() { _ = pool.Close() })
			pool.SetMaxOpenConns(1)
			own := func() (s string) {
				require.NoError(t, pool.QueryRow(c.own).Scan(&s))
				return s
			}
			const schema = "tenancy_here"
			_, err = pool.Exec("CREATE SCHEMA " + schema)
			require.NoError(t, err)
			t.Cleanup(func() { _, _ = pool.Exec("DROP SCHEMA " + schema) })
			before := own()
			r := schemas.New(name)
			t.Cleanup(func() { require.NoError(t, r.Close()) })
			ctx := t.Context()

			_, err = r.Exec(ctx, pool, schema, "CREATE TABLE x (a int, b varchar(20))", nil)
			require.NoError(t, err)
			require.Equal(t, before, own())
			_, err = r.Exec(ctx, pool, schema, "INSERT INTO x VALUES (1, 'one'), (2, NULL)", nil)
			require.NoError(t, err)
			rows, err := r.Query(ctx, pool, schema, "SELECT * FROM x ORDER BY a", nil)
			require.NoError(t, err)
			types, err := rows.ColumnTypes()
			require.NoError(t, err)
			require.Len(t, types, 2)
			require.NotEmpty(t, types[1].DatabaseTypeName())
			n := 0
			for ; rows.Next(); n++ {
				var a int
				var b sql.NullString
				require.NoError(t, rows.Scan(&a, &b))
				require.Equal(t, a == 1, b.Valid)
			}
			require.NoError(t, rows.Err())
			require.NoError(t, rows.Close())
			require.Equal(t, 2, n)
			require.Equal(t, before, own())

			_, err = r.Exec(ctx, pool, schema, "INSERT INTO nothing VALUES (1)", nil)
			require.Error(t, err)
			require.Equal(t, before, own(), "after an error")
			require.Error(t, r.QueryRow(ctx, pool, schema, "SELECT nothing FROM x", nil).Err())
			_, err = r.Exec(ctx, pool, "tenancy_nowhere", "CREATE TABLE y (a int)", nil)
			require.Error(t, err, "a schema that is not there")
			require.Equal(t, before, own())

			tx, err := pool.Begin()
			require.NoError(t, err)
			var a int
			require.NoError(t, r.QueryRow(ctx, tx, schema, "SELECT max(a) FROM x", nil).Scan(&a))
			require.Equal(t, 2, a)
			var s string
			require.NoError(t, tx.QueryRow(c.own).Scan(&s))
			require.Equal(t, before, s, "within a transaction that goes on")
			require.NoError(t, tx.Commit())
			_, err = r.Exec(ctx, pool, schema, "DROP TABLE x", nil)
			require.NoError(t, err)
		})
	}
}

// TestLockTimeout is about statements that meet a table in use: they give up, and leave their connection as it was.
func TestLockTimeout(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ driver, dsn, own, lock, code string }{
		"postgres": {"pgx", testdb.Postgres(t), "SELECT current_setting('lock_timeout')", "LOCK TABLE x", "55P03"},
		"mysql":    {"mysql", testdb.MySQL(t), "SELECT CONCAT(@@lock_wait_timeout, ' ', @@innodb_lock_wait_timeout, DATABASE())", "INSERT INTO x VALUES (1)", "1205"},
	} {
		t.Run(name, func(t *testing.T) {
			pool, err := sql.Open(c.driver, c.dsn)
			require.NoError(t, err)
			t.Cleanup(func() { _ = pool.Close() })
			_, err = pool.Exec("CREATE TABLE x (a int)")
			require.NoError(t, err)
			other, err := sql.Open(c.driver, c.dsn)
			require.NoError(t, err)
			t.Cleanup(func() { _ = other.Close() })
			pool.SetMaxOpenConns(1)
			own := func() (s string) {
				require.NoError(t, pool.QueryRow(c.own).Scan(&s))
				return s
			}
			before := own()
			user, err := other.Begin()
			require.NoError(t, err)
			_, err = user.Exec(c.lock)
			require.NoError(t, err)
			r := schemas.New(name)
			t.Cleanup(func() { require.NoError(t, r.Close()) })
			ctx := schemas.WithLockTimeout(t.Context(), 50*time.Millisecond)
			const change = "ALTER TABLE x ADD COLUMN b int"
			require.True(t, r.Concerns(ctx, "", change))
			require.False(t, r.Concerns(t.Context(), "", change))
			require.True(t, r.Concerns(t.Context(), "x", change))
			_, err = r.Exec(ctx, pool, "", change, nil)
			require.ErrorContains(t, err, c.code)
			require.Equal(t, before, own())
			require.NoError(t, user.Rollback())
			_, err = r.Exec(ctx, pool, "", change, nil)
			require.NoError(t, err)
			require.Equal(t, before, own())
			rows, err := r.Query(ctx, pool, "", "SELECT b FROM x", nil)
			require.NoError(t, err)
			require.NoError(t, rows.Close())
			require.NoError(t, rows.Err())
		})
	}
}
