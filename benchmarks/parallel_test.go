package benchmarks

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/sqlite"
	sqliteproof "github.com/gormtenancy/tenancy/sqlproof/sqlite"
)

const (
	shards        = 50
	shardsTenants = 200
)

// BenchmarkParallel reads rows of 200 tenants in 50 databases from several goroutines. Each takes turns as in a [contest], so
// one iteration is three statements. The other side has its databases in a slice, and the tenant by hand.
func BenchmarkParallel(b *testing.B) {
	f := newFleet(b, shards, true)
	on := backend{sql: sqliteproof.New}
	var databases [shards]*gorm.DB
	for i := range databases {
		databases[i] = on.gorm(b, sqlite.Open(f.path(i)))
		pool, err := databases[i].DB()
		check(b, err)
		pool.SetMaxOpenConns(10) // as the plugin's
		pool.SetMaxIdleConns(10)
		closeAtEnd(b, pool)
	}
	places := map[tenancy.ID]tenancy.Placement{}
	for i := range shardsTenants {
		places[name(i)] = tenancy.Placement{Shard: string(name(i % shards))}
	}
	db, tenants := f.use(b, tenancy.Config{Models: []any{&Invoice{}}, Resolver: tenancy.List(places)}), contexts(b, shardsTenants)
	ctx := tenants[0]
	byHand := func(i int) error {
		var xs []Invoice
		return databases[i%shards].WithContext(ctx).Where("tenant_id = ?", string(name(i))).Find(&xs).Error
	}
	through := func(i int) error {
		var xs []Invoice
		return db.WithContext(tenants[i]).Find(&xs).Error
	}
	var mu sync.Mutex
	var times [contestants][]time.Duration
	run := func(b *testing.B) {
		b.Helper()
		times = [contestants][]time.Duration{}
		b.RunParallel(func(pb *testing.PB) {
			var mine [contestants][]time.Duration
			for pb.Next() {
				tenant := rand.IntN(shardsTenants)
				for _, who := range rand.Perm(contestants) {
					start := time.Now()
					err := [contestants]func(int) error{byHand, through, byHand}[who](tenant)
					mine[who] = append(mine[who], time.Since(start))
					if err != nil {
						b.Error(err)
						return
					}
				}
			}
			mu.Lock()
			defer mu.Unlock()
			for who := range times {
				times[who] = append(times[who], mine[who]...)
			}
		})
		b.ReportMetric(middle(times[1])/middle(times[plain]), "ratio")
		b.ReportMetric(middle(times[again])/middle(times[plain]), "noise-ratio")
		b.ReportMetric(middle(times[1]), "tenancy-ns")
	}
	for i := range shardsTenants { // opens them all
		check(b, byHand(i))
		check(b, through(i))
	}
	for _, each := range []int{1, 16} {
		b.Run(fmt.Sprintf("sqlite-proof/parallelism=%d", each), func(b *testing.B) {
			b.SetParallelism(each) // goroutines for each processor
			run(b)
		})
	}
}
