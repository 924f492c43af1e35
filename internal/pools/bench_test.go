package pools_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy/internal/pools"
)

func BenchmarkLease(b *testing.B) {
	s := newSet(b, pools.Options{Dialect: "stub"},
		pools.Spec{Name: "a", Primary: &stub{server: new(server)}}, pools.Spec{Name: "b", Primary: &stub{server: new(server)}})
	base := primary(b, lease(b, s, "a")).Plain()
	s.Home(base)
	for _, name := range []string{"a", ""} {
		b.Run("name="+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				d, err := s.Lease(b.Context(), name)
				if err != nil {
					b.Fatal(err)
				}
				d.Done()
			}
		})
	}
	b.Run("parallel", func(b *testing.B) {
		ctx := b.Context()
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				d, err := s.Lease(ctx, "a")
				if err != nil {
					b.Error(err)
					return
				}
				d.Done()
			}
		})
	})
	b.Run("statement", func(b *testing.B) { // all that one costs when all is well
		b.ReportAllocs()
		for b.Loop() {
			d, err := s.Lease(b.Context(), "a")
			if err != nil {
				b.Fatal(err)
			}
			p, err := d.Primary()
			if err != nil {
				b.Fatal(err)
			}
			p.Report(b.Context(), nil)
			d.Done()
		}
	})
}

func BenchmarkReplica(b *testing.B) {
	for name, policy := range map[string]pools.Policy{"random": nil, "policy": first{}} {
		b.Run(name, func(b *testing.B) {
			s := newSet(b, pools.Options{Dialect: "stub"}, pools.Spec{
				Name: "a", Primary: &stub{server: new(server)}, Policy: policy,
				Replicas: []gorm.Dialector{&stub{server: new(server)}, &stub{server: new(server)}},
			})
			d := lease(b, s, "a")
			require.NotNil(b, d.Replica(b.Context()))
			b.ReportAllocs()
			for b.Loop() {
				if d.Replica(b.Context()) == nil {
					b.Fatal("no replica")
				}
			}
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	files(b, dir, 2, 1)
	s := newSet(b, pools.Options{Dialect: "sqlite", Open: fromFiles(dir), Limits: pools.Limits{Databases: 1}})
	i := 0
	for b.Loop() { // each closes the other one
		d := lease(b, s, shard(i%2))
		d.Done()
		i++
	}
}
