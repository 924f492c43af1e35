package shardkey_test

import (
	"math"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/internal/shardkey"
)

func key(t *testing.T, v any) *shardkey.Key {
	t.Helper()
	k, err := shardkey.Of(v)
	require.NoError(t, err)
	return &k
}

func TestKeysHaveOrder(t *testing.T) {
	t.Parallel()
	at := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	for kind, keys := range map[shardkey.Kind][]any{
		shardkey.Integer: {int64(math.MinInt64), -8, -1, 0, 1, 7, int64(math.MaxInt64), uint64(math.MaxInt64 + 1), uint64(math.MaxUint64)},
		shardkey.String:  {"", "\x00", "10", "2", "Z", "a", "ab", "é", "\xff"},
		shardkey.UUID:    {uuid.Nil, uuid.UUID{15: 1}, uuid.UUID{0: 1}, uuid.Max},
		shardkey.Bytes:   {[]byte{}, []byte{0}, []byte{0, 0}, []byte{1}, []byte{255}},
		shardkey.Time:    {time.Time{}, at, at.Add(time.Minute).In(time.FixedZone("", -3600)), at.Add(time.Hour).In(time.FixedZone("", 86400/2))},
	} {
		for i, a := range keys {
			require.Equal(t, kind, key(t, a).Kind())
			for j, b := range keys {
				want := 0
				if i < j {
					want = -1
				} else if i > j {
					want = 1
				}
				require.Equal(t, want, key(t, a).Compare(key(t, b)), "%s %d and %d", kind, i, j)
			}
		}
	}
}

func TestKeysAsText(t *testing.T) {
	t.Parallel()
	for want, v := range map[string]any{
		"0": 0, "-9223372036854775808": int64(math.MinInt64), "18446744073709551615": uint64(math.MaxUint64), "7": uint8(7),
		"": "", "007": "007", "é\x00": "é\x00", "\xff\xfe": []byte{255, 254},
		"6ba7b810-9dad-11d1-80b4-00c04fd430c8": uuid.MustParse("6BA7B810-9DAD-11D1-80B4-00C04FD430C8"),
		"2024-02-29T23:00:00.000000000Z":       time.Date(2024, 3, 1, 0, 0, 0, 0, time.FixedZone("", 3600)),
		"2024-02-29T23:00:00.120000000Z":       time.Date(2024, 2, 29, 23, 0, 0, 120000000, time.UTC),
		"0001-01-01T00:00:00.000000001Z":       time.Time{}.Add(1),
	} {
		require.Equal(t, want, string(key(t, v).Append(nil)))
	}
}

// TestKeysAllocateNothing is about what each statement pays for: only what is behind a pointer is boxed.
func TestKeysAllocateNothing(t *testing.T) {
	var buf [64]byte
	for _, v := range []any{1000, int64(1000), serial(1000), "x", name("x"), uuid.Max, []byte("x"), time.Now()} {
		require.Zero(t, testing.AllocsPerRun(100, func() {
			k, err := shardkey.Of(v)
			if err != nil || len(k.Append(buf[:0])) == 0 || k.Compare(&k) != 0 {
				panic("no key")
			}
		}), "%T", v)
	}
}

func BenchmarkOf(b *testing.B) {
	for kind, v := range map[string]any{
		"int64": int64(1000), "uint32": uint32(1000), "string": "acme", "named string": name("acme"), "UUID": uuid.Max, "pointer": new(1000),
	} {
		b.Run(kind, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := shardkey.Of(v); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
