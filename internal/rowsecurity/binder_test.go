package rowsecurity

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/internal/testdb"
)

// current is the setting as the session has it; a Binder must never change that.
func current(t testing.TB, db *sql.DB) string {
	t.Helper()
	var s string
	require.NoError(t, db.QueryRowContext(t.Context(), "SELECT coalesce(current_setting('app.tenant_id', true), '')").Scan(&s))
	return s
}

func TestEachStatementHasItsTenant(t *testing.T) {
	dsn, admin := orders(t)
	for _, d := range drivers() {
		t.Run(d.name, func(t *testing.T) {
			db := d.open(t, dsn)
			b, ctx := newBinder(t), t.Context()
			for range 2 { // the second time, the statements are known
				for i, tenant := range []string{"a", "b", "c"} {
					rows, err := b.Query(ctx, db, tenant, "SELECT id FROM orders ORDER BY id", nil)
					assert.Equal(t, []int64{int64(i + 1)}, ids(t, rows, err))
					assert.Empty(t, current(t, db))

					var note string
					require.NoError(t, b.QueryRow(ctx, db, tenant, "SELECT note FROM orders WHERE id = $1", []any{i + 1}).Scan(&note))
					assert.Equal(t, "of "+tenant, note)
					assert.Empty(t, current(t, db))

					result, err := b.Exec(ctx, db, tenant, "UPDATE orders SET note = $1", []any{"of " + tenant})
					require.NoError(t, err)
					n, err := result.RowsAffected()
					require.NoError(t, err)
					assert.EqualValues(t, 1, n)
					_, err = result.LastInsertId()
					assert.ErrorContains(t, err, "LastInsertId is not supported by this driver")
					assert.Empty(t, current(t, db))

					result, err = b.Exec(ctx, db, tenant, "UPDATE orders SET note = note; UPDATE orders SET note = note WHERE id < 0", nil)
					require.NoError(t, err)
					n, err = result.RowsAffected()
					require.NoError(t, err)
					assert.Zero(t, n) // of the last one, as pgx has it
					assert.Empty(t, current(t, db))
				}
			}
			rows, err := db.QueryContext(ctx, "SELECT id FROM orders")
			assert.Empty(t, ids(t, rows, err))

			_, err = b.Exec(ctx, db, "a", "INSERT INTO orders VALUES ('b', 9, '')", nil)
			assert.ErrorContains(t, err, "row-level security")
			err = failure(b.Query(ctx, db, "a", "INSERT INTO orders VALUES ($1, 9, '') RETURNING id", []any{"b"}))
			assert.ErrorContains(t, err, "row-level security")
		})
	}
	var n int
	require.NoError(t, admin.QueryRowContext(t.Context(), "SELECT count(*) FROM orders").Scan(&n))
	assert.Equal(t, 3, n)
}

func TestTextThatIsNoPlainName(t *testing.T) {
	dsn := testdb.Postgres(t)
	for _, d := range drivers() {
		t.Run(d.name, func(t *testing.T) {
			db := d.open(t, dsn)
			for _, literal := range []bool{false, true} {
				b := newBinder(t)
				b.Literal = literal
				for _, tenant := range []string{"it's", `back\slash`, `\'); DROP TABLE orders; --`, "ä€𝄞", "a\nb\tc", "$1", `"`, " a ", "?", "E'"} {
					var got string
					require.NoError(t, b.QueryRow(t.Context(), db, tenant, "SELECT current_setting('app.tenant_id')", nil).Scan(&got))
					assert.Equal(t, tenant, got)
					_, err := b.Exec(t.Context(), db, tenant, "CREATE TABLE IF NOT EXISTS seen (t text); DELETE FROM seen; "+
						"INSERT INTO seen SELECT current_setting('app.tenant_id')", nil)
					if err != nil {
						require.ErrorContains(t, err, "42601") // several statements, in a transaction of another driver
					} else {
						require.NoError(t, db.QueryRowContext(t.Context(), "SELECT t FROM seen").Scan(&got))
						assert.Equal(t, tenant, got)
					}
				}
				for _, tenant := range []string{"\xff", "a\x00b"} {
					err := b.QueryRow(t.Context(), db, tenant, "SELECT current_setting('app.tenant_id')", nil).Scan(new(string))
					assert.Error(t, err)
					_, err = b.Exec(t.Context(), db, tenant, "SELECT 1", nil)
					assert.Error(t, err)
				}
			}
		})
	}
}

func TestOneRoundTrip(t *testing.T) {
	dsn, _ := orders(t)
	cold := map[string]int{"cache_statement": 2, "cache_describe": 2, "describe_exec": 2, "exec": 1, "simple_protocol": 1}
	warm := map[string]int{"cache_statement": 1, "cache_describe": 1, "describe_exec": 2, "exec": 1, "simple_protocol": 1}
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			trips, through := testdb.CountRoundTrips(t, with(t, dsn, "default_query_exec_mode", mode))
			db, b, ctx := open(t, through), newBinder(t), t.Context()
			for range 2 { // pgx looks after a connection when it is used for the second time
				require.NoError(t, db.PingContext(ctx))
			}
			count := func(do func()) int {
				trips.Reset()
				do()
				return trips.Count()
			}
			query := func() {
				rows, err := b.Query(ctx, db, "a", "SELECT id FROM orders WHERE id = $1", []any{1})
				assert.Equal(t, []int64{1}, ids(t, rows, err))
			}
			assert.Equal(t, cold[mode], count(query))
			assert.Equal(t, warm[mode], count(query))
			update := func() {
				_, err := b.Exec(ctx, db, "a", "UPDATE orders SET note = $1", []any{"of a"})
				require.NoError(t, err)
			}
			assert.Equal(t, cold[mode], count(update))
			assert.Equal(t, warm[mode], count(update))
			assert.Equal(t, 1, count(func() {
				_, err := b.Exec(ctx, db, "a", "UPDATE orders SET note = 'of a'", nil)
				require.NoError(t, err)
			}))
			tx, err := db.BeginTx(ctx, nil)
			require.NoError(t, err)
			bind := func() { require.NoError(t, b.Bind(ctx, tx, "a")) }
			assert.Equal(t, cold[mode], count(bind))
			assert.Equal(t, warm[mode], count(bind))
			literal := &Binder{Setting: setting, Literal: true}
			assert.Equal(t, 1, count(func() { require.NoError(t, literal.Bind(ctx, tx, "a")) }))
			require.NoError(t, tx.Rollback())
		})
	}
}

// In a transaction for each statement there are four: what a driver other than pgx takes, and Citus.
func TestFourRoundTrips(t *testing.T) {
	dsn, _ := orders(t)
	for _, literal := range []bool{false, true} {
		trips, through := testdb.CountRoundTrips(t, with(t, dsn, "default_query_exec_mode", "exec"))
		db, b := open(t, through), newBinder(t)
		if b.Literal = literal; !literal {
			db = sql.OpenDB(hidden{stdlib.GetDefaultDriver(), through, nil})
			t.Cleanup(func() { require.NoError(t, db.Close()) })
		}
		for range 2 { // pgx looks after a connection when it is used for the second time
			require.NoError(t, db.PingContext(t.Context()))
		}
		trips.Reset()
		rows, err := b.Query(t.Context(), db, "a", "SELECT id FROM orders WHERE id = $1", []any{1})
		assert.Equal(t, []int64{1}, ids(t, rows, err))
		assert.Equal(t, 4, trips.Count())
		_, err = b.Exec(t.Context(), db, "a", "UPDATE orders SET note = $1", []any{"of a"})
		require.NoError(t, err)
		assert.Equal(t, 8, trips.Count())
	}
}

// What comes after the end of the Binder fails, and gives its connection back.
func TestClosedBinder(t *testing.T) {
	dsn, _ := orders(t)
	db, b, ctx := open(t, dsn), New(setting), t.Context()
	open, err := b.Query(ctx, db, "a", "SELECT id FROM orders", nil)
	require.NoError(t, err)
	require.NoError(t, b.Close())
	assert.Equal(t, []int64{1}, ids(t, open, nil))
	for range 2 {
		require.ErrorContains(t, failure(b.Query(ctx, db, "a", "SELECT id FROM orders", nil)), "closed")
		require.ErrorContains(t, b.QueryRow(ctx, db, "a", "SELECT id FROM orders", nil).Scan(new(int)), "closed")
	}
	assert.Zero(t, db.Stats().InUse)
}

func TestBind(t *testing.T) {
	dsn, _ := orders(t)
	for _, d := range drivers() {
		t.Run(d.name, func(t *testing.T) {
			db := d.open(t, dsn)
			for _, literal := range []bool{false, true} {
				b := newBinder(t)
				b.Literal = literal
				tx, err := db.BeginTx(t.Context(), nil)
				require.NoError(t, err)
				require.NoError(t, b.Bind(t.Context(), tx, "b"))
				for range 2 {
					rows, err := tx.QueryContext(t.Context(), "SELECT id FROM orders")
					assert.Equal(t, []int64{2}, ids(t, rows, err))
				}
				require.NoError(t, tx.Commit())
				assert.Empty(t, current(t, db))
			}
		})
	}
}

// Errors of the server are what pgx's driver returns, at the same time, and the connection is used again.
func TestErrorsOfTheServer(t *testing.T) {
	dsn, admin := orders(t)
	exec(t, admin, "CREATE TABLE late (id bigint UNIQUE DEFERRABLE INITIALLY DEFERRED)",
		"CREATE TABLE few (id bigint)", "INSERT INTO few SELECT generate_series(0, 999)", "GRANT ALL ON late, few TO PUBLIC")
	for _, d := range drivers() {
		t.Run(d.name, func(t *testing.T) {
			db := d.open(t, dsn)
			b, ctx := newBinder(t), t.Context()
			pid := func() (n int64) {
				require.NoError(t, b.QueryRow(ctx, db, "a", "SELECT pg_backend_pid()", nil).Scan(&n))
				return n
			}
			first := pid()
			is := func(err error, code string) {
				t.Helper()
				refused, ok := err.(*pgconn.PgError) //nolint:errorlint // not wrapped: GORM's translator does not look deeper
				if !ok && t.Name() == "TestErrorsOfTheServer/other_driver" {
					ok = errors.As(err, &refused) // pgx's own driver wraps it in PrepareError
				}
				require.True(t, ok, "%T %v", err, err)
				assert.Equal(t, code, refused.Code)
				assert.Equal(t, first, pid())
			}
			for range 2 {
				_, err := b.Exec(ctx, db, "a", "INSERT INTO orders VALUES ('a', $1, '')", []any{1})
				is(err, "23505")
				_, err = b.Exec(ctx, db, "a", "INSERT INTO orders VALUES ('a', 1, '')", nil)
				is(err, "23505")
				err = failure(b.Query(ctx, db, "a", "INSERT INTO orders VALUES ('a', $1, '') RETURNING id", []any{1}))
				is(err, "23505")
				is(b.QueryRow(ctx, db, "a", "INSERT INTO orders VALUES ('a', $1, '') RETURNING id", []any{1}).Scan(new(int)), "23505")
				err = failure(b.Query(ctx, db, "a", "SELECT nothing FROM orders", nil))
				is(err, "42703")
				err = failure(b.Query(ctx, db, "a", "SELEC", nil))
				is(err, "42601")
				_, err = b.Exec(ctx, db, "a", "SELEC", nil)
				is(err, "42601")
				err = failure(b.Query(ctx, db, "a", "SELECT 1/$1::int", []any{0}))
				is(err, "22012")

				// At the end of the transaction.
				_, err = b.Exec(ctx, db, "a", "INSERT INTO late VALUES ($1), ($1)", []any{1})
				is(err, "23505")
				_, err = b.Exec(ctx, db, "a", "INSERT INTO late VALUES (1), (1)", nil)
				is(err, "23505")

				// After some rows.
				rows, err := b.Query(ctx, db, "a", "SELECT 1/(id-900) FROM few WHERE id >= $1", []any{0})
				require.NoError(t, err)
				n := 0
				for rows.Next() {
					n++
				}
				assert.Equal(t, 900, n)
				is(rows.Err(), "22012")
				require.NoError(t, rows.Close())
			}
		})
	}
}

// A constraint that is looked at when the transaction ends must not be missed by those who read rows.
func TestErrorAtTheEndOfRows(t *testing.T) {
	dsn, admin := orders(t)
	exec(t, admin, "CREATE TABLE late (id bigint UNIQUE DEFERRABLE INITIALLY DEFERRED)", "GRANT ALL ON late TO PUBLIC")
	for _, d := range drivers() {
		t.Run(d.name, func(t *testing.T) {
			db := d.open(t, dsn)
			b := newBinder(t)
			for _, query := range []string{"INSERT INTO late VALUES (1), ($1) RETURNING id", "WITH n AS (INSERT INTO late VALUES (1), ($1)) SELECT 1 WHERE false"} {
				rows, err := b.Query(t.Context(), db, "a", query, []any{1})
				if err == nil {
					for rows.Next() {
					}
					err = rows.Err()
					_ = rows.Close()
				}
				var refused *pgconn.PgError
				require.ErrorAs(t, err, &refused, query)
				assert.Equal(t, "23505", refused.Code)

				// Whoever closes early is told by Close.
				require.ErrorAs(t, failure(b.Query(t.Context(), db, "a", query, []any{1})), &refused, query)
			}
			_, err := b.Exec(t.Context(), db, "a", "SELECT 1", nil)
			require.NoError(t, err)
		})
	}
}

type failing struct{}

var errValue = errors.New("no value")

func (failing) Value() (driver.Value, error) { return nil, errValue }

type doubled int

func (d doubled) Value() (driver.Value, error) { return int64(d) * 2, nil }

func TestArguments(t *testing.T) {
	dsn, admin := orders(t)
	exec(t, admin, "CREATE TABLE calls (id bigint)", "GRANT ALL ON calls TO PUBLIC")
	for _, d := range drivers() {
		t.Run(d.name, func(t *testing.T) {
			db := d.open(t, dsn)
			b, ctx := newBinder(t), t.Context()
			for range 2 {
				var n int64
				require.NoError(t, b.QueryRow(ctx, db, "a", "SELECT $1::bigint", []any{doubled(21)}).Scan(&n))
				assert.EqualValues(t, 42, n)
				require.NoError(t, b.QueryRow(ctx, db, "a", "SELECT $1::bigint", []any{sql.Named("n", 42)}).Scan(&n))
				assert.EqualValues(t, 42, n)
				var s sql.NullString
				require.NoError(t, b.QueryRow(ctx, db, "a", "SELECT $1::text", []any{nil}).Scan(&s))
				assert.False(t, s.Valid)
				var missing *string
				require.NoError(t, b.QueryRow(ctx, db, "a", "SELECT $1::text", []any{missing}).Scan(&s))
				assert.False(t, s.Valid)
				require.NoError(t, b.QueryRow(ctx, db, "a", "SELECT $1::text", []any{sql.NullString{String: "x", Valid: true}}).Scan(&s))
				assert.Equal(t, "x", s.String)
				var when time.Time
				now := time.Now().Truncate(time.Microsecond)
				require.NoError(t, b.QueryRow(ctx, db, "a", "SELECT $1::timestamptz", []any{now}).Scan(&when))
				assert.True(t, now.Equal(when))
				require.NoError(t, b.QueryRow(ctx, db, "a", "SELECT @n::bigint", []any{pgx.NamedArgs{"n": 42}}).Scan(&n))
				assert.EqualValues(t, 42, n)
				require.NoError(t, b.QueryRow(ctx, db, "a", "SELECT $1::bigint", []any{pgx.QueryExecModeExec, 42}).Scan(&n))
				assert.EqualValues(t, 42, n)
				require.NoError(t, b.QueryRow(ctx, db, "a", "SELECT $1::bigint", []any{pgx.QueryExecModeSimpleProtocol, 42}).Scan(&n))
				assert.EqualValues(t, 42, n)

				_, err := b.Exec(ctx, db, "a", "INSERT INTO calls VALUES (1), ($1)", []any{failing{}})
				require.ErrorIs(t, err, errValue)
				err = failure(b.Query(ctx, db, "a", "INSERT INTO calls VALUES (1), ($1) RETURNING id", []any{failing{}}))
				require.ErrorIs(t, err, errValue)
				_, err = b.Exec(ctx, db, "a", "INSERT INTO calls VALUES (1), ($1)", []any{1, 2})
				require.Error(t, err)
				err = failure(b.Query(ctx, db, "a", "INSERT INTO calls VALUES (1), ($1) RETURNING id", []any{1, 2}))
				require.Error(t, err)
				require.NoError(t, b.QueryRow(ctx, db, "a", "SELECT count(*) FROM calls", nil).Scan(&n))
				assert.Zero(t, n)
			}
		})
	}
}

func TestQueriesWithoutRows(t *testing.T) {
	dsn, _ := orders(t)
	for _, d := range drivers() {
		t.Run(d.name, func(t *testing.T) {
			db := d.open(t, dsn)
			b, ctx := newBinder(t), t.Context()
			for range 2 {
				rows, err := b.Query(ctx, db, "a", "SELECT id, note FROM orders WHERE id < $1", []any{0})
				require.NoError(t, err)
				columns, err := rows.Columns()
				require.NoError(t, err)
				assert.Equal(t, []string{"id", "note"}, columns)
				types, err := rows.ColumnTypes()
				require.NoError(t, err)
				assert.Equal(t, "INT8", types[0].DatabaseTypeName())
				assert.Empty(t, ids(t, rows, nil))
				assert.ErrorIs(t, b.QueryRow(ctx, db, "a", "SELECT id FROM orders WHERE id < $1", []any{0}).Scan(new(int)), sql.ErrNoRows)

				rows, err = b.Query(ctx, db, "a", "UPDATE orders SET note = note", nil) // no row set at all
				assert.Empty(t, ids(t, rows, err))
				rows, err = b.Query(ctx, db, "a", "", nil)
				assert.Empty(t, ids(t, rows, err))
				_, err = b.Exec(ctx, db, "a", " ", nil)
				require.NoError(t, err)
			}
		})
	}
}

// awaitSleep returns when the server runs a pg_sleep, or none any more. A context that ends before one has begun leaves
// the connection as it is.
func awaitSleep(ctx context.Context, admin *sql.DB, want bool) {
	const sleeping = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep')"
	for found := !want; found != want && ctx.Err() == nil; time.Sleep(time.Millisecond) {
		if admin.QueryRowContext(ctx, sleeping).Scan(&found) != nil {
			return
		}
	}
}

func TestContextEnds(t *testing.T) {
	dsn, admin := orders(t)
	for _, d := range drivers() {
		t.Run(d.name, func(t *testing.T) {
			db := d.open(t, dsn)
			b := newBinder(t)
			var pid int64
			require.NoError(t, b.QueryRow(t.Context(), db, "a", "SELECT pg_backend_pid()", nil).Scan(&pid))

			t.Run("before", func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				err := failure(b.Query(ctx, db, "a", "SELECT 1", nil))
				require.ErrorIs(t, err, context.Canceled)
				require.ErrorIs(t, b.QueryRow(ctx, db, "a", "SELECT 1", nil).Scan(new(int)), context.Canceled)
				_, err = b.Exec(ctx, db, "a", "SELECT 1", nil)
				require.ErrorIs(t, err, context.Canceled)
				var same int64
				require.NoError(t, b.QueryRow(t.Context(), db, "a", "SELECT pg_backend_pid()", nil).Scan(&same))
				assert.Equal(t, pid, same)
			})
			for name, send := range map[string]func(context.Context) error{
				"query": func(ctx context.Context) error {
					return failure(b.Query(ctx, db, "a", "SELECT pg_sleep($1)", []any{600}))
				},
				"exec": func(ctx context.Context) error {
					_, err := b.Exec(ctx, db, "a", "SELECT pg_sleep($1)", []any{600})
					return err
				},
				"exec without arguments": func(ctx context.Context) error {
					_, err := b.Exec(ctx, db, "a", "SELECT pg_sleep(600)", nil)
					return err
				},
			} {
				t.Run(name, func(t *testing.T) {
					ctx, cancel := context.WithCancel(t.Context())
					go func() {
						defer cancel()
						awaitSleep(t.Context(), admin, true)
					}()
					require.ErrorIs(t, send(ctx), context.Canceled)
					awaitSleep(t.Context(), admin, false) // or else the next one takes this one's for its own
					if d.name != "other driver" {
						assert.Zero(t, db.Stats().OpenConnections) // pgx has closed it
					}
				})
			}
			t.Run("deadline", func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
				defer cancel()
				_, err := b.Exec(ctx, db, "a", "SELECT pg_sleep($1)", []any{600})
				require.ErrorIs(t, err, context.DeadlineExceeded)
			})
			t.Run("rows", func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				rows, err := b.Query(ctx, db, "a", "SELECT generate_series(1, $1::int)", []any{100_000_000})
				require.NoError(t, err)
				require.True(t, rows.Next())
				cancel()
				for rows.Next() {
				}
				require.ErrorIs(t, rows.Err(), context.Canceled)
				_ = rows.Close()
			})
			// Connections that pgx has closed have left the pool; a new one works.
			var now int64
			require.NoError(t, b.QueryRow(t.Context(), db, "a", "SELECT pg_backend_pid()", nil).Scan(&now))
			assert.NotEqual(t, pid, now)
			assert.Equal(t, 1, db.Stats().OpenConnections)
		})
	}
	require.NoError(t, admin.PingContext(t.Context()))
}

// The server has closed pooled connections meanwhile: others are taken.
func TestPooledConnectionIsBroken(t *testing.T) {
	dsn, admin := orders(t)
	for _, d := range drivers() {
		t.Run(d.name, func(t *testing.T) {
			db := d.open(t, dsn)
			b, ctx := newBinder(t), t.Context()
			const many = 6
			db.SetMaxOpenConns(many)
			db.SetMaxIdleConns(many)
			each := func(do func(conn any) error) {
				var all []*sql.Conn
				for range many {
					c, err := db.Conn(ctx)
					require.NoError(t, err)
					require.NoError(t, c.Raw(do))
					all = append(all, c)
				}
				for _, c := range all {
					require.NoError(t, c.Close())
				}
			}
			for range 2 { // pgx looks after a connection when it is used for the second time
				each(func(any) error { return nil })
			}
			each(func(conn any) error {
				if h, ok := conn.(hiddenConn); ok {
					conn = h.wholeConn
				}
				socket, ok := unwrap(conn).PgConn().Conn().(*net.TCPConn)
				require.True(t, ok)
				return socket.CloseWrite() // pgx does not know of it, and its write fails with nothing sent
			})
			for range many {
				var n int
				require.NoError(t, b.QueryRow(ctx, db, "a", "SELECT count(*) FROM orders", nil).Scan(&n))
				assert.Equal(t, 1, n)
				_, err := b.Exec(ctx, db, "a", "UPDATE orders SET note = $1", []any{"of a"})
				require.NoError(t, err)
			}
			assert.LessOrEqual(t, db.Stats().OpenConnections, many)
		})
	}
	require.NoError(t, admin.PingContext(t.Context()))
}

// Other drivers say so with driver.ErrBadConn.
func TestPooledConnectionIsBadToItsDriver(t *testing.T) {
	dsn, _ := orders(t)
	bad := &atomic.Int32{}
	db, b := sql.OpenDB(hidden{stdlib.GetDefaultDriver(), dsn, bad}), newBinder(t)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	bad.Store(3)
	rows, err := b.Query(t.Context(), db, "a", "SELECT id FROM orders", nil)
	assert.Equal(t, []int64{1}, ids(t, rows, err))
	bad.Store(3)
	_, err = b.Exec(t.Context(), db, "a", "UPDATE orders SET note = $1", []any{"of a"})
	require.NoError(t, err)
	bad.Store(1000)
	_, err = b.Exec(t.Context(), db, "a", "UPDATE orders SET note = $1", []any{"of a"})
	require.ErrorIs(t, err, driver.ErrBadConn)
}

// A statement that may have been sent is not sent again.
func TestConnectionBreaksDuringTheStatement(t *testing.T) {
	dsn, admin := orders(t)
	for _, d := range drivers() {
		t.Run(d.name, func(t *testing.T) {
			db := d.open(t, dsn)
			b, ctx := newBinder(t), t.Context()
			for range 2 {
				_, err := b.Exec(ctx, db, "a", "SELECT pg_terminate_backend(pg_backend_pid()), pg_sleep($1)", []any{60})
				require.Error(t, err)
				require.NotErrorIs(t, err, driver.ErrBadConn)
				err = failure(b.Query(ctx, db, "a", "SELECT pg_terminate_backend(pg_backend_pid()), pg_sleep($1)", []any{60}))
				require.Error(t, err)
				require.NotErrorIs(t, err, driver.ErrBadConn)
			}
			var n int
			require.NoError(t, b.QueryRow(ctx, db, "a", "SELECT count(*) FROM orders", nil).Scan(&n))
			assert.Equal(t, 1, n)
		})
	}
	require.NoError(t, admin.PingContext(t.Context()))
}

func TestPools(t *testing.T) {
	dsn, _ := orders(t)
	b, ctx := newBinder(t), t.Context()
	t.Run("pinned connection", func(t *testing.T) {
		db := open(t, dsn)
		c, err := db.Conn(ctx)
		require.NoError(t, err)
		for range 2 {
			rows, err := b.Query(ctx, c, "a", "SELECT id FROM orders", nil)
			assert.Equal(t, []int64{1}, ids(t, rows, err))
			_, err = b.Exec(ctx, c, "a", "UPDATE orders SET note = $1", []any{"of a"})
			require.NoError(t, err)
		}
		ended, cancel := context.WithCancel(ctx)
		cancel()
		_, err = b.Exec(ended, c, "a", "SELECT $1::int", []any{1})
		require.ErrorIs(t, err, context.Canceled)
		require.NotErrorIs(t, err, driver.ErrBadConn)
		_, err = b.Exec(ctx, c, "a", "SELECT $1::int", []any{1})
		require.NoError(t, err)
		require.NoError(t, c.Close())
		err = failure(b.Query(ctx, c, "a", "SELECT id FROM orders", nil))
		require.ErrorIs(t, err, sql.ErrConnDone)
		_, err = b.Exec(ctx, c, "a", "SELECT 1", nil)
		require.ErrorIs(t, err, sql.ErrConnDone)
		require.ErrorIs(t, b.QueryRow(ctx, c, "a", "SELECT 1", nil).Scan(new(int)), sql.ErrConnDone)
	})
	t.Run("pinned connection that is broken", func(t *testing.T) {
		db := open(t, dsn)
		c, err := db.Conn(ctx)
		require.NoError(t, err)
		require.NoError(t, c.Raw(func(conn any) error { return unwrap(conn).Close(ctx) }))
		_, err = b.Exec(ctx, c, "a", "SELECT 1", nil)
		require.ErrorIs(t, err, driver.ErrBadConn)
		require.ErrorIs(t, b.QueryRow(ctx, c, "a", "SELECT 1", nil).Scan(new(int)), driver.ErrBadConn)
		_ = c.Close()
	})
	t.Run("something else", func(t *testing.T) {
		db := open(t, dsn)
		tx, err := db.BeginTx(ctx, nil)
		require.NoError(t, err)
		_, err = b.Exec(ctx, tx, "a", "SELECT 1", nil)
		require.ErrorContains(t, err, "*sql.Tx gives out no connections")
		require.NoError(t, tx.Rollback())
	})
	t.Run("closed pool", func(t *testing.T) {
		db := open(t, dsn)
		require.NoError(t, db.Close())
		_, err := b.Exec(ctx, db, "a", "SELECT 1", nil)
		require.ErrorContains(t, err, "database is closed")
	})
	t.Run("wrapper that shows its driver", func(t *testing.T) {
		db := sql.OpenDB(shown{hidden{stdlib.GetDefaultDriver(), dsn, nil}})
		t.Cleanup(func() { require.NoError(t, db.Close()) })
		l, err := borrow(ctx, db)
		require.NoError(t, err)
		assert.NotNil(t, l.pgx)
		l.release()
		rows, err := b.Query(ctx, db, "a", "SELECT id FROM orders", nil)
		assert.Equal(t, []int64{1}, ids(t, rows, err))
	})
	t.Run("wrapper that hides its driver", func(t *testing.T) {
		db := sql.OpenDB(hidden{stdlib.GetDefaultDriver(), dsn, nil})
		t.Cleanup(func() { require.NoError(t, db.Close()) })
		l, err := borrow(ctx, db)
		require.NoError(t, err)
		assert.Nil(t, l.pgx)
		l.release()
	})
}

// Rows are read as they come: a big result neither fills the memory nor is waited for.
func TestRowsAreNotBuffered(t *testing.T) {
	dsn, _ := orders(t)
	for _, d := range drivers() {
		t.Run(d.name, func(t *testing.T) {
			db := d.open(t, dsn)
			b := newBinder(t)
			heap := func() uint64 {
				runtime.GC()
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				return m.HeapAlloc
			}
			before := heap()
			rows, err := b.Query(t.Context(), db, "a", "SELECT g, repeat('x', 100) FROM generate_series(1, $1::int) AS g", []any{1_000_000})
			require.NoError(t, err)
			for i := range 10 {
				require.True(t, rows.Next())
				var n int
				var s string
				require.NoError(t, rows.Scan(&n, &s))
				assert.Equal(t, i+1, n)
			}
			assert.Less(t, heap(), before+10<<20) // the result has 100 MB
			require.NoError(t, rows.Close())
			require.NoError(t, rows.Err())
			_, err = b.Exec(t.Context(), db, "a", "SELECT 1", nil)
			require.NoError(t, err)
		})
	}
}

// Rows hold their connection until they are closed, and one statement more does not get it meanwhile.
func TestConnectionIsHeldByItsRows(t *testing.T) {
	dsn, _ := orders(t)
	db, b := open(t, dsn), newBinder(t)
	rows, err := b.Query(t.Context(), db, "a", "SELECT id FROM orders", nil)
	require.NoError(t, err)
	assert.Equal(t, 1, db.Stats().InUse)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = b.Exec(ctx, db, "b", "SELECT 1", nil)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Equal(t, []int64{1}, ids(t, rows, nil))
	assert.Zero(t, db.Stats().InUse)
}

func TestTableChangesUnderAKnownStatement(t *testing.T) {
	dsn, admin := orders(t)
	for _, d := range drivers() {
		t.Run(d.name, func(t *testing.T) {
			db := d.open(t, dsn)
			b := newBinder(t)
			columns := func() (int, error) {
				rows, err := b.Query(t.Context(), db, "a", "SELECT * FROM orders WHERE id = $1", []any{1})
				if err != nil {
					return 0, err
				}
				all, err := rows.Columns()
				require.NoError(t, err)
				require.NoError(t, rows.Close())
				return len(all), rows.Err()
			}
			n, err := columns()
			require.NoError(t, err)
			assert.Equal(t, 3, n)
			exec(t, admin, "ALTER TABLE orders ADD more text")
			if n, err = columns(); err != nil { // once, as with pgx
				n, err = columns()
			}
			require.NoError(t, err)
			assert.Equal(t, 4, n)
			exec(t, admin, "ALTER TABLE orders DROP more")
		})
	}
}

func TestPreparedStatementsAreFew(t *testing.T) {
	dsn, _ := orders(t)
	b, ctx := newBinder(t), t.Context()
	conn, err := open(t, with(t, dsn, "statement_cache_capacity", "3")).Conn(ctx)
	require.NoError(t, err)
	ended, cancel := context.WithCancel(ctx)
	cancel()
	for i := range 20 {
		var n int
		for range 2 {
			require.NoError(t, b.QueryRow(ctx, conn, "a", fmt.Sprintf("SELECT %d + $1::int", i), []any{1}).Scan(&n))
			assert.Equal(t, i+1, n)
		}
		_, err := b.Exec(ctx, conn, "a", "INSERT INTO orders VALUES ('a', $1, '')", []any{1})
		require.Error(t, err) // forgotten, and freed the next time that something is sent
		require.ErrorIs(t, b.QueryRow(ended, conn, "a", fmt.Sprintf("SELECT %d + $1::int", i), []any{1}).Scan(&n), context.Canceled)
	}
	var n int
	require.NoError(t, b.QueryRow(ctx, conn, "a", "SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'tenancy%'", nil).Scan(&n))
	assert.LessOrEqual(t, n, 4)
	assert.NotZero(t, n)
	require.NoError(t, conn.Raw(func(c any) error {
		assert.Empty(t, sessionOf(unwrap(c)).stale) // they are freed once
		return nil
	}))
	require.NoError(t, conn.Close())
}

type traced struct {
	began []string
	ended []error
}

func (tr *traced) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	tr.began = append(tr.began, data.SQL)
	return ctx
}

func (tr *traced) TraceQueryEnd(_ context.Context, _ *pgx.Conn, data pgx.TraceQueryEndData) {
	tr.ended = append(tr.ended, data.Err)
}

func TestTracerOfPgxIsTold(t *testing.T) {
	dsn, _ := orders(t)
	config, err := pgx.ParseConfig(dsn)
	require.NoError(t, err)
	tr := &traced{}
	config.Tracer = tr
	db, b := stdlib.OpenDB(*config), newBinder(t)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	rows, err := b.Query(t.Context(), db, "a", "SELECT id FROM orders", nil)
	assert.Equal(t, []int64{1}, ids(t, rows, err))
	_, err = b.Exec(t.Context(), db, "a", "UPDATE orders SET note = note", nil)
	require.NoError(t, err)
	err = failure(b.Query(t.Context(), db, "a", "SELEC", nil))
	require.Error(t, err)
	_, err = b.Exec(t.Context(), db, "a", "INSERT INTO orders VALUES ('a', $1, '')", []any{1})
	require.Error(t, err)
	assert.Equal(t, []string{"SELECT id FROM orders", "UPDATE orders SET note = note", "SELEC", "INSERT INTO orders VALUES ('a', $1, '')"}, tr.began)
	require.Len(t, tr.ended, 4)
	require.NoError(t, tr.ended[0])
	require.NoError(t, tr.ended[1])
	require.Error(t, tr.ended[2])
	require.Error(t, tr.ended[3])
}
