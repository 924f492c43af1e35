package benchmarks

import (
	"bytes"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"testing"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/sqlite"
)

// BenchmarkMemory gives the memory that a tenant takes: one that has been seen and whose database is closed again, one whose
// database is open, and what plain GORM takes for an open one. Each iteration measures all tenants once. B/tenant is Go's
// heap; what SQLite takes itself is in rss-B/tenant alone, where the system tells.
func BenchmarkMemory(b *testing.B) {
	known, open := fullOr(1000, 200), fullOr(200, 50)
	b.Run("rows", func(b *testing.B) {
		benchmarkMemory(b, known, func(b *testing.B, _ *fleet) func(int) any {
			b.Helper()
			on := backend{open: openStub}
			pool, dialector := openStub(b, true)
			closeAtEnd(b, pool)
			db := on.use(b, dialector(pool), tenancy.Config{Models: []any{&Invoice{}}})
			return func(i int) any {
				var x Invoice
				check(b, db.WithContext(tenancy.WithTenant(b.Context(), name(i))).First(&x, 7).Error)
				return nil
			}
		})
	})
	b.Run("known", func(b *testing.B) { benchmarkMemory(b, known, throughPlugin(1)) })
	b.Run("open", func(b *testing.B) { benchmarkMemory(b, open, throughPlugin(open)) })
	b.Run("open-plain", func(b *testing.B) {
		benchmarkMemory(b, open, func(b *testing.B, f *fleet) func(int) any {
			b.Helper()
			return func(i int) any {
				db, err := gorm.Open(sqlite.Open(f.path(i)), &gorm.Config{Logger: logger.Discard})
				check(b, err)
				pool, err := db.DB()
				check(b, err)
				closeAtEnd(b, pool)
				var x Rate
				check(b, db.WithContext(b.Context()).First(&x, 7).Error)
				return db
			}
		})
	})
}

// throughPlugin reads a row of each tenant, with a plugin that keeps some of the databases open.
func throughPlugin(open int) func(*testing.B, *fleet) func(int) any {
	return func(b *testing.B, f *fleet) func(int) any {
		b.Helper()
		db := f.use(b, tenancy.Config{
			Models: []any{&Rate{}}, Resolver: tenancy.DatabasePerTenant(""), Pools: tenancy.PoolLimits{Databases: open},
		})
		return func(i int) any {
			var x Rate
			check(b, db.WithContext(tenancy.WithTenant(b.Context(), name(i))).First(&x, 7).Error)
			return nil
		}
	}
}

// benchmarkMemory visits n tenants, and reports how much more memory is in use afterwards. The first is visited before: what
// is made once is no tenant's.
func benchmarkMemory(b *testing.B, n int, open func(*testing.B, *fleet) func(int) any) {
	b.Helper()
	f := newFleet(b, n+1, false)
	var total footprint
	for b.Loop() {
		b.StopTimer()
		visit := open(b, f)
		kept := make([]any, 0, n+1)
		kept = append(kept, visit(n))
		before := footprintNow()
		b.StartTimer()
		for i := range n {
			kept = append(kept, visit(i))
		}
		b.StopTimer()
		after := footprintNow()
		total.heap += after.heap - before.heap
		total.resident += after.resident - before.resident
		total.goroutines += after.goroutines - before.goroutines
		runtime.KeepAlive(kept)
		b.StartTimer()
	}
	tenants := float64(n) * float64(b.N)
	b.ReportMetric(float64(total.heap)/tenants, "B/tenant")
	b.ReportMetric(float64(total.goroutines)/tenants, "goroutines/tenant")
	if total.resident != 0 {
		b.ReportMetric(float64(total.resident)/tenants, "rss-B/tenant")
	}
	b.ReportMetric(0, "ns/op")
}

// footprint is what a process has in use.
type footprint struct{ heap, resident, goroutines int64 }

// footprintNow collects garbage first.
func footprintNow() footprint {
	runtime.GC()
	debug.FreeOSMemory() // collects again: what finalizers have let go of
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return footprint{heap: int64(m.HeapAlloc), resident: resident(), goroutines: int64(runtime.NumGoroutine())}
}

// resident is the memory that the system has given the process, on Linux; elsewhere 0.
func resident() int64 {
	data, err := os.ReadFile("/proc/self/statm")
	fields := bytes.Fields(data)
	if err != nil || len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}
