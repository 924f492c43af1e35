package migrate_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/catalog"
	"github.com/gormtenancy/tenancy/migrate"
)

// BenchmarkNoop is a run with nothing to do.
func BenchmarkNoop(b *testing.B) {
	for _, e := range engines() {
		b.Run(e.name, func(b *testing.B) {
			const n = 1000
			l := newLand(b, e)
			r := l.runner(b, files(notes[0]))
			for i := range n { // the catalog alone is asked, so there need be no database
				made, err := l.catalog.Create(b.Context(), catalog.NewTenant{ID: tenantID(i), Shape: catalog.OwnDatabase})
				require.NoError(b, err)
				require.NoError(b, l.catalog.SetPlace(b.Context(), made.Placement, r.Target(), ""))
			}
			_, err := r.Run(b.Context()) // the shared tables
			require.NoError(b, err)
			for b.Loop() {
				report, err := r.Run(b.Context())
				require.NoError(b, err)
				require.Equal(b, n+1, report.UpToDate)
			}
		})
	}
}

// BenchmarkMigrate is one step at each of some places.
func BenchmarkMigrate(b *testing.B) {
	for _, e := range engines() {
		for _, shape := range e.shapes[1:] {
			n := 100
			if shape == catalog.OwnDatabase && e.name != "sqlite" {
				n = 20
			}
			l := newLand(b, e)
			l.tenants(b, shape, n)
			version := 0
			for _, workers := range []int{1, 2, 4, 8} {
				b.Run(fmt.Sprintf("%s/%s/workers=%d", e.name, shape, workers), func(b *testing.B) {
					for b.Loop() {
						version++
						steps := make([]string, version)
						for i := range steps {
							steps[i] = fmt.Sprintf("CREATE TABLE bench_%d (id bigint);", i)
						}
						r := l.runner(b, files(steps...), func(cfg *migrate.Config) { cfg.Workers = workers })
						report, err := r.Run(b.Context())
						require.NoError(b, err, report)
						require.Equal(b, n+1, report.Migrated)
					}
					b.ReportMetric(float64(n+1)*float64(b.N)/b.Elapsed().Seconds(), "places/s")
				})
			}
		}
	}
}
