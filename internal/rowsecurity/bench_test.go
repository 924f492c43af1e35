package rowsecurity

import (
	"database/sql"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"
)

// read reads rows to their end.
func read(rows *sql.Rows, err error) error {
	if err != nil {
		return err
	}
	for rows.Next() {
		var id int64
		var note string
		if err := rows.Scan(&id, &note); err != nil {
			return errors.Join(err, rows.Close())
		}
	}
	return errors.Join(rows.Err(), rows.Close())
}

// What a statement costs without a tenant, with one, and in a transaction, which is what a driver other than pgx gets.
func BenchmarkQuery(b *testing.B) {
	dsn, _ := orders(b)
	const query = "SELECT id, note FROM orders WHERE id = $1"
	for _, mode := range modes {
		dsn := with(b, dsn, "default_query_exec_mode", mode)
		b.Run(mode+"/plain", func(b *testing.B) {
			db := open(b, dsn)
			b.ReportAllocs()
			for b.Loop() {
				require.NoError(b, read(db.QueryContext(b.Context(), query, 1)))
			}
		})
		b.Run(mode+"/tenant", func(b *testing.B) {
			db, binder := open(b, dsn), newBinder(b)
			b.ReportAllocs()
			for b.Loop() {
				require.NoError(b, read(binder.Query(b.Context(), db, "a", query, []any{1})))
			}
		})
	}
	b.Run("other driver/tenant", func(b *testing.B) {
		db, binder := sql.OpenDB(hidden{stdlib.GetDefaultDriver(), dsn, nil}), newBinder(b)
		b.Cleanup(func() { require.NoError(b, db.Close()) })
		b.ReportAllocs()
		for b.Loop() {
			require.NoError(b, read(binder.Query(b.Context(), db, "a", query, []any{1})))
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
