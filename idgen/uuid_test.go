package idgen_test

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/idgen"
)

// TestUUIDCarriesItsShard, its time and what RFC 9562 asks for; others read it.
func TestUUIDCarriesItsShard(t *testing.T) {
	t.Parallel()
	var g idgen.UUIDv7Generator
	for shard := range idgen.MaxUUIDShard + 1 {
		before := time.Now().Truncate(time.Millisecond)
		id, err := g.Next(shard)
		require.NoError(t, err)
		got, err := idgen.ShardOfUUID(id)
		require.NoError(t, err)
		require.Equal(t, shard, got)
		at, err := idgen.TimeOfUUID(id)
		require.NoError(t, err)
		require.False(t, at.Before(before) || at.After(time.Now().Add(time.Millisecond)), "%s", at)

		parsed, err := uuid.Parse(uuid.UUID(id).String())
		require.NoError(t, err)
		require.Equal(t, uuid.Version(7), parsed.Version())
		require.Equal(t, uuid.RFC4122, parsed.Variant())
		require.Equal(t, uuid.UUID(id), parsed)
	}
}

// TestUUIDRefusesShards that have no room.
func TestUUIDRefusesShards(t *testing.T) {
	t.Parallel()
	var g idgen.UUIDv7Generator
	for _, shard := range []int{-1, 1 << 14, math.MaxInt} {
		_, err := g.Next(shard)
		require.ErrorIs(t, err, idgen.ErrInvalidShard)
		require.ErrorContains(t, err, "0 to 16383")
	}
}

// TestUUIDBits: at the same time, fraction by fraction, UUIDs have the bits that their doc says; the last 48 are random, each of
// them as often 0 as 1.
func TestUUIDBits(t *testing.T) {
	t.Parallel()
	const rounds = 20_000
	var ones [48]int
	for range rounds / 4000 {
		at := time.UnixMilli(1_700_000_000_000)
		g := idgen.UUIDv7WithClock(func() time.Time { return at })
		for i := range int64(4000) {
			id, err := g.Next(5)
			require.NoError(t, err)
			require.Equal(t, "018bcfe5-6800-7", uuid.UUID(id).String()[:15])
			require.Equal(t, i, int64(id[6]&0xf)<<8|int64(id[7]), "the fraction counts on")
			require.Equal(t, "-8005-", uuid.UUID(id).String()[18:24])
			for bit := range ones {
				ones[bit] += int(id[10+bit/8] >> (bit % 8) & 1)
			}
		}
	}
	for bit, n := range ones {
		require.InDelta(t, rounds/2, n, 600, "bit %d: more than 8 standard deviations off", bit)
	}
}

// TestUUIDFraction: the 12 bits behind the version are the fraction of the millisecond.
func TestUUIDFraction(t *testing.T) {
	t.Parallel()
	for ns, want := range map[int64]int{0: 0, 243: 0, 245: 1, 250_000: 1024, 500_000: 2048, 999_999: 4095} {
		g := idgen.UUIDv7WithClock(func() time.Time { return time.Unix(1_700_000_000, ns) })
		id, err := g.Next(0)
		require.NoError(t, err)
		require.Equal(t, want, int(id[6]&0xf)<<8|int(id[7]), "%d ns", ns)
	}
}

// TestUUIDGrows whatever the clock does and the shards are.
func TestUUIDGrows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var clock steppedClock
		g := idgen.UUIDv7WithClock(clock.now)
		dice := rand.New(rand.NewPCG(7, 8))
		var last [16]byte
		for range 50_000 {
			switch dice.IntN(50) {
			case 0:
				clock.off += time.Duration(dice.IntN(20_000)-10_000) * time.Microsecond
			case 1:
				time.Sleep(time.Duration(dice.IntN(100)) * time.Microsecond)
			}
			id, err := g.Next(dice.IntN(idgen.MaxUUIDShard))
			require.NoError(t, err)
			require.Positive(t, bytes.Compare(id[:], last[:]))
			last = id
		}
	})
}

// TestUUIDClockOutOfRange: a time that UUIDs cannot hold is an error, of the clock's and of a question's.
func TestUUIDClockOutOfRange(t *testing.T) {
	t.Parallel()
	for _, at := range []time.Time{{}, time.UnixMilli(-1), time.UnixMilli(1 << 48)} {
		_, err := idgen.UUIDv7WithClock(func() time.Time { return at }).Next(1)
		require.ErrorIs(t, err, idgen.ErrTimeRange)
		_, err = idgen.FirstUUID(at)
		require.ErrorIs(t, err, idgen.ErrTimeRange)
		_, err = idgen.LastUUID(at)
		require.ErrorIs(t, err, idgen.ErrTimeRange)
	}
	_, err := idgen.UUIDv7WithClock(func() time.Time { return time.UnixMilli(1<<48 - 1) }).Next(1)
	require.NoError(t, err)
}

// TestUUIDOfTime: the UUIDs of a millisecond are those from First to Last.
func TestUUIDOfTime(t *testing.T) {
	t.Parallel()
	at := time.UnixMilli(1_700_000_000_123)
	first, err := idgen.FirstUUID(at.Add(456 * time.Microsecond))
	require.NoError(t, err)
	last, err := idgen.LastUUID(at)
	require.NoError(t, err)
	require.Equal(t, "018bcfe5-687b-7000-8000-000000000000", uuid.UUID(first).String())
	require.Equal(t, "018bcfe5-687b-7fff-bfff-ffffffffffff", uuid.UUID(last).String())
	for _, id := range [][16]byte{first, last} {
		got, err := idgen.TimeOfUUID(id)
		require.NoError(t, err)
		require.True(t, got.Equal(at))
	}
}

// TestUUIDRefusesOthers: what is not of version 7 has no shard.
func TestUUIDRefusesOthers(t *testing.T) {
	t.Parallel()
	v6, err := uuid.NewV6()
	require.NoError(t, err)
	for name, id := range map[string][16]byte{
		"nil":             uuid.Nil,
		"max":             uuid.Max,
		"version 4":       uuid.New(),
		"version 6":       v6,
		"another variant": uuid.MustParse("018bcfe5-687b-7000-c000-000000000000"),
		"the old variant": uuid.MustParse("018bcfe5-687b-7000-0000-000000000000"),
	} {
		_, err := idgen.ShardOfUUID(id)
		require.ErrorIs(t, err, idgen.ErrInvalidID, name)
		_, err = idgen.TimeOfUUID(id)
		require.ErrorIs(t, err, idgen.ErrInvalidID, name)
	}
}
