package idgen_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/gormtenancy/tenancy/idgen"
)

// endless has more IDs in a millisecond than can be made in one, so that nothing waits.
func endless(tb testing.TB) *idgen.Generator {
	tb.Helper()
	l := idgen.DefaultLayout()
	l.ShardBits, l.NodeBits, l.SequenceBits = 1, 1, 20
	g, err := idgen.New(idgen.Config{Layout: l, Node: idgen.FixedNode(0)})
	if err != nil {
		tb.Fatal(err)
	}
	return g
}

func BenchmarkNext(b *testing.B) {
	b.Run("endless", func(b *testing.B) {
		g := endless(b)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := g.Next(1); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("endless, parallel", func(b *testing.B) {
		g := endless(b)
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := g.Next(1); err != nil {
					b.Error(err)
					return
				}
			}
		})
	})
	b.Run("default layout", func(b *testing.B) { // 64 in a millisecond: 15,625 ns
		g, err := idgen.New(idgen.Config{Node: idgen.FixedNode(0)})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			if _, err := g.Next(1); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkUUIDv7(b *testing.B) {
	b.Run("one", func(b *testing.B) {
		var g idgen.UUIDv7Generator
		b.ReportAllocs()
		for b.Loop() {
			if _, err := g.Next(1); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("parallel", func(b *testing.B) {
		var g idgen.UUIDv7Generator
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := g.Next(1); err != nil {
					b.Error(err)
					return
				}
			}
		})
	})
	b.Run("google/uuid, without a shard", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := uuid.NewV7(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkShard(b *testing.B) {
	g := endless(b)
	id, err := g.Next(1)
	if err != nil {
		b.Fatal(err)
	}
	key, l := any(id), idgen.DefaultLayout()
	b.Run("Layout.Shard", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := l.Shard(id); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Source.ShardOf", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := g.ShardOf(key); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// TestNoAllocation: making an ID and reading one cost no memory.
func TestNoAllocation(t *testing.T) {
	g, uuids := endless(t), new(idgen.UUIDv7Generator)
	id, err := g.Next(1)
	if err != nil {
		t.Fatal(err)
	}
	key := any(id)
	for name, f := range map[string]func(){
		"Next":    func() { _, _ = g.Next(1) },
		"UUID":    func() { _, _ = uuids.Next(1) },
		"Decode":  func() { _, _ = idgen.Layout{}.Decode(id) },
		"ShardOf": func() { _, _ = g.ShardOf(key) },
	} {
		if n := testing.AllocsPerRun(1000, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
