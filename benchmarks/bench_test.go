package benchmarks

import "testing"

// A family is a group of statements on one table.
type family struct {
	name       string // of the benchmark
	title      string // of the table
	backends   []backend
	open       func(testing.TB, backend) *site
	statements []statement
}

func families() []family {
	return append([]family{
		{"tenant", "Tenant's table: tenant by hand, or by the plugin", backends(), rowsSite(true), ownedStatements()},
		{"global", "Global table: without the plugin, or with it", backends(), rowsSite(false), globalStatements()},
	}, append(places(), sharded()...)...)
}

// each runs fn as a benchmark for every statement on every backend.
func each(b *testing.B, fn func(b *testing.B, s *site, st statement)) {
	b.Helper()
	for _, kind := range families() {
		for _, on := range kind.backends {
			b.Run(kind.name+"/"+on.name, func(b *testing.B) {
				s := kind.open(b, on)
				for _, st := range kind.statements {
					b.Run(st.name, func(b *testing.B) { fn(b, s, st) })
				}
			})
		}
	}
}

// BenchmarkStatement gives the absolute figures of both sides.
func BenchmarkStatement(b *testing.B) {
	each(b, func(b *testing.B, s *site, st statement) {
		b.Helper()
		for _, side := range []struct {
			name string
			contestant
		}{
			{"plain", contestant{s.plain, st.plain}},
			{"tenancy", contestant{s.tenancy, st.tenancy}},
		} {
			b.Run(side.name, func(b *testing.B) {
				c := &contest{tb: b, site: s, before: st.before}
				c.prepare(b.N + 1)
				c.once(side.contestant) // fills GORM's caches
				b.ReportAllocs()
				b.ResetTimer()
				for range b.N { // not b.Loop: the rows are made for this many
					if err := side.run(side.session).Error; err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	})
}

// BenchmarkRatio gives the ratio of the two sides. Each of its iterations is a round of a [contest], so ns/op says nothing
// and is left out.
func BenchmarkRatio(b *testing.B) {
	each(b, func(b *testing.B, s *site, st statement) {
		b.Helper()
		contend(b, s, st)
	})
}

// contend reports what a contest finds.
func contend(b *testing.B, s *site, st statement) {
	b.Helper()
	c, found := newContest(b, s, st), result{}
	for b.Loop() {
		found.add(c.round())
	}
	found.weigh(c)
	b.ReportMetric(found.Plugin.median(), "ratio")
	b.ReportMetric(found.Noise.median(), "noise-ratio")
	b.ReportMetric(found.Nanoseconds.median(), "tenancy-ns")
	b.ReportMetric(found.Extra.Allocs, "extra-allocs/op")
	b.ReportMetric(found.Extra.Bytes, "extra-B/op")
	b.ReportMetric(0, "ns/op")
}
