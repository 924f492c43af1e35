package tenancy_test

import (
	"bytes"
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy"
)

func TestRange(t *testing.T) {
	t.Parallel()
	at := places("a", "b", "c")
	first := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	cet := time.FixedZone("", 3600)
	low, high := uuid.MustParse("40000000-0000-0000-0000-000000000000"), uuid.MustParse("80000000-0000-0000-0000-000000000000")
	key := 100
	for name, c := range map[string]struct {
		bounds []tenancy.Bound
		keys   map[string][]any // by the shard that they are on; "" for none
	}{
		"integers": {
			[]tenancy.Bound{{From: 100, To: 200, At: at[1]}, {To: int8(100), At: at[0]}, {From: uint64(200), To: uint64(math.MaxUint64), At: at[2]}},
			map[string][]any{
				"a": {int64(math.MinInt64), -1, 0, 99, uint8(99)}, "b": {100, &key, int16(150), uint64(199)}, "c": {200, int64(math.MaxInt64), uint64(math.MaxUint64 - 1)},
				"": {uint64(math.MaxUint64)},
			},
		},
		"strings": {
			[]tenancy.Bound{{From: "B", To: "a", At: at[0]}, {From: "a", To: "b", At: at[1]}, {From: "b", At: at[2]}},
			map[string][]any{
				"": {"", "A", "10", tenancy.ID("A")}, "a": {"B", "Z", "_", tenancy.ID("Zeta")}, "b": {"a", "aé", "a\xff", tenancy.ID("acme")}, "c": {"b", "é", "\xff"},
			},
		},
		"times": {
			[]tenancy.Bound{{To: first, At: at[0]}, {From: first, To: first.AddDate(0, 1, 0).In(cet), At: at[1]}},
			map[string][]any{
				"a": {time.Time{}, first.Add(-1), first.Add(-1).In(cet)}, "b": {first, first.In(cet), first.AddDate(0, 1, 0).Add(-1)}, "": {first.AddDate(0, 1, 0)},
			},
		},
		"UUIDs": {
			[]tenancy.Bound{{To: low, At: at[0]}, {From: &low, To: [16]byte(high), At: at[1]}, {From: high, At: at[2]}},
			map[string][]any{"a": {uuid.Nil, [16]byte{0: 0x3f, 15: 0xff}}, "b": {low, &low, uuid.NullUUID{UUID: low, Valid: true}}, "c": {high, uuid.Max}},
		},
		"bytes": {
			[]tenancy.Bound{{From: []byte{}, To: []byte{1}, At: at[0]}, {From: []byte{1}, To: []byte{1, 0, 0}, At: at[1]}},
			map[string][]any{"a": {[]byte{}, []byte{0, 255}}, "b": {[]byte{1}, []byte{1, 0}}, "": {[]byte{1, 0, 0}, []byte{255}}},
		},
		"all keys": {[]tenancy.Bound{{At: at[0]}}, map[string][]any{"a": {1, "x", uuid.Max, []byte{1}, first, tenancy.ID("acme")}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := tenancy.Range(c.bounds...)
			for shard, keys := range c.keys {
				for _, key := range keys {
					got, err := r.Resolve(t.Context(), key)
					if shard == "" {
						require.ErrorIs(t, err, tenancy.ErrShardNotFound, key)
						require.ErrorContains(t, err, "add a Bound that")
						continue
					}
					require.NoError(t, err, key)
					require.Equal(t, shard, got.Shard, key)
				}
			}
		})
	}
}

// TestRangeKeepsItsBounds: nothing that the caller changes later changes the resolver.
func TestRangeKeepsItsBounds(t *testing.T) {
	t.Parallel()
	begin, end := []byte("a"), 5
	bounds := []tenancy.Bound{{From: begin, At: tenancy.Placement{Shard: "x"}}}
	ofBytes, ofInts := tenancy.Range(bounds...), tenancy.Range(tenancy.Bound{To: &end})
	begin[0], end, bounds[0].At.Shard = 'c', 9, "y"
	require.Equal(t, "x", resolve(t, ofBytes, []byte("b")))
	_, err := ofInts.Resolve(t.Context(), 7)
	require.ErrorIs(t, err, tenancy.ErrShardNotFound)
}

func TestPlacementsOfRange(t *testing.T) {
	t.Parallel()
	at := places("z", "y", "x")
	r := tenancy.Range(tenancy.Bound{From: 3, To: 4, At: at[0]}, tenancy.Bound{From: 2, To: 3, At: at[2]}, tenancy.Bound{To: 1, At: at[0]}, tenancy.Bound{From: 1, To: 2, At: at[1]})
	for range 5 {
		got, err := listed(t, r)
		require.NoError(t, err)
		require.Equal(t, at, got, "each once, in the order of the keys")
	}
	lister, _ := r.(tenancy.PlacementLister)
	for p, err := range lister.Placements(t.Context()) {
		require.NoError(t, err)
		require.Equal(t, at[0], p)
		break
	}
}

// TestRangeAgainstOracle compares a Range with a walk through its bounds, for keys of each type.
func TestRangeAgainstOracle(t *testing.T) {
	t.Parallel()
	epoch := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	text := func(r *rand.Rand) []byte {
		b := make([]byte, r.IntN(4))
		for i := range b {
			b[i] = "\x00aZ\xff"[r.IntN(4)]
		}
		return b
	}
	oracle(t, "integers", func(r *rand.Rand) int64 { return r.Int64N(60) - 30 }, cmp.Compare[int64])
	oracle(t, "large integers", func(r *rand.Rand) uint64 { return math.MaxInt64 - 30 + r.Uint64N(60) }, cmp.Compare[uint64])
	oracle(t, "strings", func(r *rand.Rand) string { return string(text(r)) }, cmp.Compare[string])
	oracle(t, "bytes", text, bytes.Compare)
	oracle(t, "times", func(r *rand.Rand) time.Time {
		return epoch.Add(time.Duration(r.IntN(60))).In(time.FixedZone("", r.IntN(86400)))
	}, time.Time.Compare)
	oracle(t, "UUIDs", func(r *rand.Rand) (id uuid.UUID) {
		id[r.IntN(len(id))] = byte(r.IntN(3))
		return id
	}, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
}

// oracle makes bounds between random keys, and looks up random keys and the ends.
func oracle[K any](t *testing.T, name string, draw func(*rand.Rand) K, compare func(a, b K) int) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		const seed = 20240229
		dice := rand.New(rand.NewPCG(seed, uint64(len(name))))
		for round := range 300 {
			ends := make([]K, 2+dice.IntN(12))
			for i := range ends {
				ends[i] = draw(dice)
			}
			slices.SortFunc(ends, compare)
			ends = slices.CompactFunc(ends, func(a, b K) bool { return compare(a, b) == 0 })
			type part struct {
				from, to         K
				beginning, noEnd bool
				shard            string
			}
			var parts []part
			for i := range len(ends) - 1 {
				parts = append(parts, part{from: ends[i], to: ends[i+1], shard: strconv.Itoa(i)})
			}
			if dice.IntN(2) == 0 {
				parts = append(parts, part{beginning: true, to: ends[0], shard: "beginning"})
			}
			if dice.IntN(2) == 0 || len(parts) == 0 {
				parts = append(parts, part{from: ends[len(ends)-1], noEnd: true, shard: "end"})
			}
			dice.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
			bounds := make([]tenancy.Bound, len(parts))
			for i, p := range parts {
				bounds[i].At.Shard = p.shard
				if !p.beginning {
					bounds[i].From = p.from
				}
				if !p.noEnd {
					bounds[i].To = p.to
				}
			}
			r := tenancy.Range(bounds...)
			keys := slices.Clone(ends)
			for range 40 {
				keys = append(keys, draw(dice))
			}
			for _, key := range keys {
				want := ""
				for _, p := range parts {
					if (p.beginning || compare(p.from, key) <= 0) && (p.noEnd || compare(key, p.to) < 0) {
						want = p.shard
					}
				}
				got, err := r.Resolve(t.Context(), key)
				if want == "" {
					require.ErrorIs(t, err, tenancy.ErrShardNotFound, "round %d: %v in %v", round, key, bounds)
					continue
				}
				require.NoError(t, err, "round %d: %v in %v", round, key, bounds)
				require.Equal(t, want, got.Shard, "round %d: %v in %v", round, key, bounds)
			}
		}
	})
}

func BenchmarkRange(b *testing.B) {
	const parts = 64
	id := uuid.MustParse("6ba7b810-9dad-11d1-80b4-00c04fd430c8")
	ends := map[string]func(i int) any{
		"integer": func(i int) any { return i * 1000 },
		"string":  func(i int) any { return "tenant-" + strconv.Itoa(1000+i) },
		"UUID":    func(i int) any { return uuid.UUID{byte(i * 4)} },
	}
	for name, key := range map[string]any{"integer": int64(31500), "string": tenancy.ID("tenant-1031x"), "UUID": id} {
		var bounds []tenancy.Bound
		for i := range parts {
			bounds = append(bounds, tenancy.Bound{From: ends[name](i), To: ends[name](i + 1)})
		}
		bounds[parts-1].To = nil
		benchmarkResolver(b, name, tenancy.Range(bounds...), key)
	}
}

func benchmarkResolver(b *testing.B, name string, r tenancy.ShardResolver, key any) {
	b.Helper()
	b.Run(name, func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := r.Resolve(b.Context(), key); err != nil {
				b.Fatal(err)
			}
		}
	})
}
