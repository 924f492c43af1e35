package provision_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/provision"
)

// BenchmarkDatabase makes a database and drops it.
func BenchmarkDatabase(b *testing.B) {
	for name, of := range map[string]func(testing.TB) dialect{"postgres": onPostgres, "mysql": onMySQL, "sqlite": onSQLite} {
		k := of(b)
		dsn := k.dsn(b, fresh("bench_"))
		b.Run(name+"/create", func(b *testing.B) {
			for b.Loop() {
				create(b, k, dsn)
				b.StopTimer()
				drop(b, k, dsn)
				b.StartTimer()
			}
		})
		b.Run(name+"/drop", func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				create(b, k, dsn)
				b.StartTimer()
				drop(b, k, dsn)
			}
		})
	}
}

// BenchmarkSchema makes a schema and drops it.
func BenchmarkSchema(b *testing.B) {
	for name, of := range map[string]func(testing.TB) dialect{"postgres": onPostgres, "mysql": onMySQL} {
		k := of(b)
		db, schema := k.gorm(b, k.beside), fresh("bench_")
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_, err := provision.CreateSchema(b.Context(), db, schema)
				require.NoError(b, err)
				_, err = provision.DropSchema(b.Context(), db, schema)
				require.NoError(b, err)
			}
		})
	}
}
