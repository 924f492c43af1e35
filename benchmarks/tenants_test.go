package benchmarks

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"gorm.io/driver/postgres"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
	postgresproof "github.com/gormtenancy/tenancy/sqlproof/postgres"
	sqliteproof "github.com/gormtenancy/tenancy/sqlproof/sqlite"
)

// BenchmarkTenants reads a row by its key, each time another tenant's: what it costs must not depend on how many there are.
// In rows and schemas the other side is plain GORM with the tenant, or the schema, by hand, and with the same contexts, which
// are too many for a processor's caches; for more databases than may be open it has no counterpart.
func BenchmarkTenants(b *testing.B) {
	for _, on := range []backend{
		{name: "stub-proof", open: openStub, stub: true, sql: postgresproof.New},
		{name: "sqlite-proof", open: openSQLite, sql: sqliteproof.New},
	} {
		for _, n := range []int{1, 100, 10_000} {
			b.Run(fmt.Sprintf("rows/%s/tenants=%d", on.name, n), func(b *testing.B) { benchmarkRows(b, on, n) })
		}
	}
	for _, n := range []int{1, 100, 10_000} {
		b.Run(fmt.Sprintf("schemas/stub-proof/tenants=%d", n), func(b *testing.B) {
			pool := newStub(false)
			closeAtEnd(b, pool)
			benchmarkSchemas(b, postgres.Config{Conn: pool, WithoutReturning: true}, n)
		})
	}
	for _, n := range []int{1, fullOr(1000, 100)} {
		b.Run(fmt.Sprintf("schemas/postgres-proof/tenants=%d", n), func(b *testing.B) {
			benchmarkSchemas(b, postgres.Config{Conn: makeSchemas(b, n)}, n)
		})
	}
	for _, fashion := range []string{"uniform", "skewed"} {
		b.Run("databases/sqlite-proof/tenants=2000/open=50/"+fashion, func(b *testing.B) {
			benchmarkDatabases(b, 2000, 50, fashion)
		})
	}
}

// benchmarkRows has a row for each tenant in one table.
func benchmarkRows(b *testing.B, on backend, n int) {
	b.Helper()
	pool, dialector := on.open(b, true)
	closeAtEnd(b, pool)
	plain := on.gorm(b, dialector(pool))
	if !on.stub {
		check(b, plain.AutoMigrate(&Invoice{}))
		rows := make([]Invoice, n)
		for i := range rows {
			rows[i] = Invoice{ID: uint(i + 1), TenantID: string(name(i)), Number: "7", Status: "open"}
		}
		check(b, plain.CreateInBatches(&rows, 1000).Error)
	}
	through := on.use(b, dialector(pool), tenancy.Config{Models: []any{&Invoice{}}})
	tenants := contexts(b, n)
	contend(b, newSite(b, true, plain, on.gorm(b, dialector(pool)), through, pool), statement{
		plain: func(s *session) *gorm.DB {
			var x Invoice
			i := rand.IntN(n)
			return s.db.WithContext(tenants[i]).Where("tenant_id = ?", string(name(i))).First(&x, i+1)
		},
		tenancy: func(s *session) *gorm.DB {
			var x Invoice
			i := rand.IntN(n)
			return s.db.WithContext(tenants[i]).First(&x, i+1)
		},
	})
}

// benchmarkSchemas has a schema for each tenant. By hand it is written before the name of the table.
func benchmarkSchemas(b *testing.B, at postgres.Config, n int) {
	b.Helper()
	on := backend{sql: postgresproof.New}
	through := on.use(b, postgres.New(at), tenancy.Config{Models: []any{&Rate{}}, Resolver: tenancy.SchemaPerTenant("", "")})
	tenants := contexts(b, n)
	for _, ctx := range tenants { // a tenant's first statement claims its schema
		check(b, through.WithContext(ctx).First(&Rate{}, 7).Error)
	}
	contend(b, newSite(b, false, on.gorm(b, postgres.New(at)), on.gorm(b, postgres.New(at)), through), statement{
		plain: func(s *session) *gorm.DB {
			var x Rate
			i := rand.IntN(n)
			return s.db.WithContext(tenants[i]).Table(string(name(i))+".rates").First(&x, 7)
		},
		tenancy: func(s *session) *gorm.DB {
			var x Rate
			return s.db.WithContext(tenants[rand.IntN(n)]).First(&x, 7)
		},
	})
}

// benchmarkDatabases has a database for each tenant, of which a few are open. Uniform is the worst there is: hardly a
// tenant's is. Where tenants are asked for as in life, a few of them often, most are.
func benchmarkDatabases(b *testing.B, n, open int, fashion string) {
	b.Helper()
	f := newFleet(b, n, false)
	db := f.use(b, tenancy.Config{
		Models: []any{&Rate{}}, Resolver: tenancy.DatabasePerTenant(""), Pools: tenancy.PoolLimits{Databases: open},
	})
	dice := rand.New(rand.NewPCG(1, 2))
	zipf := rand.NewZipf(dice, 1.5, 1, uint64(n-1))
	tenants := contexts(b, n)
	next := func() int {
		if fashion == "skewed" {
			return int(zipf.Uint64())
		}
		return dice.IntN(n)
	}
	read := func(i int) {
		var x Rate
		check(b, db.WithContext(tenants[i]).First(&x, 7).Error)
	}
	for range open {
		read(next())
	}
	before := f.misses.Load()
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N { // not b.Loop: the misses are of this many
		read(next())
	}
	b.ReportMetric(float64(f.misses.Load()-before)/float64(b.N), "misses/op")
}
