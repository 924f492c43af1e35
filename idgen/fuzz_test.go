package idgen_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/idgen"
)

// FuzzDecode: a number is refused, or decodes to parts that make the same number.
func FuzzDecode(f *testing.F) {
	f.Add(int64(0), uint8(41), uint8(10), uint8(6), uint8(6))
	f.Add(int64(1<<62), uint8(41), uint8(10), uint8(6), uint8(6))
	f.Add(int64(-1), uint8(39), uint8(6), uint8(4), uint8(4))
	f.Add(int64(1<<51), uint8(39), uint8(6), uint8(4), uint8(4))
	f.Fuzz(func(t *testing.T, id int64, timeBits, shardBits, nodeBits, sequenceBits uint8) {
		l := idgen.Layout{
			Epoch:        idgen.DefaultLayout().Epoch,
			TimeBits:     int(timeBits) % 64,
			ShardBits:    int(shardBits) % 32,
			NodeBits:     int(nodeBits) % 32,
			SequenceBits: int(sequenceBits) % 32,
		}
		parts, err := l.Decode(id)
		if err != nil {
			return
		}
		require.False(t, parts.Time.Before(l.Epoch))
		again, err := l.Encode(parts)
		require.NoError(t, err)
		require.Equal(t, id, again)
		first, err := l.First(parts.Time)
		require.NoError(t, err)
		last, err := l.Last(parts.Time)
		require.NoError(t, err)
		require.True(t, first <= id && id <= last)
	})
}

// FuzzUUID: a UUID of any time and shard has that time and shard, as bytes and as text, and is within its millisecond.
func FuzzUUID(f *testing.F) {
	f.Add(int64(1_700_000_000_123_456_789), 5)
	f.Add(int64(0), idgen.MaxUUIDShard)
	f.Add(int64(-1), -1)
	f.Fuzz(func(t *testing.T, ns int64, shard int) {
		at := time.Unix(0, ns)
		g := idgen.UUIDv7WithClock(func() time.Time { return at })
		id, err := g.Next(shard)
		if err != nil {
			require.True(t, shard < 0 || shard > idgen.MaxUUIDShard || ns < 0)
			return
		}
		for _, form := range []any{id, uuid.UUID(id).String()} {
			got, err := g.ShardOf(form)
			require.NoError(t, err)
			require.Equal(t, shard, got)
		}
		made, err := idgen.TimeOfUUID(id)
		require.NoError(t, err)
		require.Equal(t, at.UnixMilli(), made.UnixMilli())
	})
}

// FuzzShardOf: text and bytes that are not a UUID of version 7 are refused, and nothing panics.
func FuzzShardOf(f *testing.F) {
	f.Add("018bcfe5-6800-7fff-8005-0242ac120002")
	f.Add("018bcfe5-6800-4fff-8005-0242ac120002")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		_, err := new(idgen.UUIDv7Generator).ShardOf(text)
		id, parsed := uuid.Parse(text)
		ours := parsed == nil && len(text) == 36 && id.Version() == 7 && id.Variant() == uuid.RFC4122
		require.Equal(t, ours, err == nil, "%q", text)
	})
}
