package benchmarks

import (
	"fmt"
	"runtime"
	"testing"
)

// BenchmarkFanMemory reads all rows of four shards through Rows(). peak-B is the most that the heap has grown by meanwhile, and
// live-B the most that a collection left of that. It fails if the latter is more than batches take.
func BenchmarkFanMemory(b *testing.B) {
	const bound = 8 << 20 // far less than the rows
	for _, on := range fanBackends() {
		for _, rows := range []int{fullOr(100_000, 10_000), fullOr(1_000_000, 100_000)} {
			b.Run(fmt.Sprintf("%s/rows=%d", on.name, rows), func(b *testing.B) {
				s := newFanSite(b, on, 4, rows)
				var peak, live uint64
				for b.Loop() {
					before := heap(true)
					n, _, err := stream(s.through, func(n int) {
						if n%(rows/10) == 0 {
							live = max(live, grown(heap(true), before))
						} else if n%1000 == 0 {
							peak = max(peak, grown(heap(false), before))
						}
					})
					check(b, err)
					if n != s.rows {
						b.Fatalf("%d rows, not %d", n, s.rows)
					}
				}
				b.ReportMetric(float64(peak), "peak-B")
				b.ReportMetric(float64(live), "live-B")
				if live > bound {
					b.Fatalf("%d bytes are held", live)
				}
			})
		}
	}
}

// heap is what is in use, after a collection if it is asked for.
func heap(collected bool) uint64 {
	if collected {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func grown(to, from uint64) uint64 { return max(to, from) - from }
