package rowsecurity

import (
	"database/sql"
	"testing"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"
)

// What a statement costs without a tenant, with one, and in a transaction, which is what a driver other than pgx gets.
func BenchmarkQuery(b *testing.B) {
	dsn, _ := orders(b)
	const query = "SELECT id, note FROM orders WHERE id = $1"
	read := func(b *testing.B, rows *sql.Rows, err error) {
		b.Helper()
		require.NoError(b, err)
		for rows.Next() {
			var id int64
			var note string
			require.NoError(b, rows.Scan(&id, &note))
		}
		require.NoError(b, rows.Err())
		require.NoError(b, rows.Close())
	}
	for _, mode := range modes {
		dsn := with(b, dsn, "default_query_exec_mode", mode)
		b.Run(mode+"/plain", func(b *testing.B) {
			db := open(b, dsn)
			b.ReportAllocs()
			for b.Loop() {
				rows, err := db.QueryContext(b.Context(), query, 1)
				read(b, rows, err)
			}
		})
		b.Run(mode+"/tenant", func(b *testing.B) {
			db, binder := open(b, dsn), newBinder(b)
			b.ReportAllocs()
			for b.Loop() {
				rows, err := binder.Query(b.Context(), db, "a", query, []any{1})
				read(b, rows, err)
			}
		})
	}
	b.Run("other driver/tenant", func(b *testing.B) {
		db, binder := sql.OpenDB(hidden{stdlib.GetDefaultDriver(), dsn, nil}), newBinder(b)
		b.Cleanup(func() { require.NoError(b, db.Close()) })
		b.ReportAllocs()
		for b.Loop() {
			rows, err := binder.Query(b.Context(), db, "a", query, []any{1})
			read(b, rows, err)
		}
	})
}

func BenchmarkExec(b *testing.B) {
	dsn, _ := orders(b)
	const update = "UPDATE orders SET note = $1 WHERE id = $2"
	b.Run("plain", func(b *testing.B) {
		db := open(b, dsn)
		b.ReportAllocs()
		for b.Loop() {
			_, err := db.ExecContext(b.Context(), update, "of a", 1)
			require.NoError(b, err)
		}
	})
	b.Run("tenant", func(b *testing.B) {
		db, binder := open(b, dsn), newBinder(b)
		b.ReportAllocs()
		for b.Loop() {
			_, err := binder.Exec(b.Context(), db, "a", update, []any{"of a", 1})
			require.NoError(b, err)
		}
	})
}
