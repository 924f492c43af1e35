package idgen_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/idgen"
)

// layouts are the default one, and the extremes.
func layouts() map[string]idgen.Layout {
	epoch := time.Date(2024, time.February, 29, 0, 0, 0, 0, time.UTC)
	return map[string]idgen.Layout{
		"default":       idgen.DefaultLayout(),
		"zero":          {},
		"53 bits":       {Epoch: epoch, TimeBits: 39, ShardBits: 6, NodeBits: 4, SequenceBits: 4},
		"most time":     {Epoch: epoch, TimeBits: 62, ShardBits: 1},
		"most shards":   {Epoch: epoch, TimeBits: 32, ShardBits: 31},
		"most nodes":    {Epoch: epoch, TimeBits: 40, ShardBits: 1, NodeBits: 22},
		"most sequence": {Epoch: epoch, TimeBits: 40, ShardBits: 1, SequenceBits: 22},
	}
}

// TestLayoutRoundTrip: what an ID is made from is what it decodes to, and it is positive.
func TestLayoutRoundTrip(t *testing.T) {
	t.Parallel()
	for name, l := range layouts() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bits := l
			if name == "zero" {
				bits = idgen.DefaultLayout()
			}
			dice := rand.New(rand.NewPCG(1, 2))
			below := func(bits int) int64 { // extremes more often than chance has them
				switch top := int64(1) << bits; dice.IntN(4) {
				case 0:
					return 0
				case 1:
					return top - 1
				default:
					return dice.Int64N(top)
				}
			}
			for range 20_000 {
				ms := max(below(bits.TimeBits), 24*60*60*1000)
				want := idgen.Parts{
					Time:     time.UnixMilli(bits.Epoch.UnixMilli() + ms).UTC(),
					Shard:    int(below(bits.ShardBits)),
					Node:     int(below(bits.NodeBits)),
					Sequence: int(below(bits.SequenceBits)),
				}
				id, err := l.Encode(want)
				require.NoError(t, err)
				require.Positive(t, id)
				got, err := l.Decode(id)
				require.NoError(t, err)
				require.Equal(t, want, got)
				shard, err := l.Shard(id)
				require.NoError(t, err)
				require.Equal(t, want.Shard, shard)
			}
		})
	}
}

// TestLayoutRefusesOtherNumbers: negative numbers, those of counters, and those with more bits than the layout are no IDs.
func TestLayoutRefusesOtherNumbers(t *testing.T) {
	t.Parallel()
	for name, l := range layouts() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, id := range []int64{0, 1, 5, 1023, math.MaxUint16, -1, -5, math.MinInt64, math.MinInt64 + 1<<50} {
				_, err := l.Decode(id)
				require.ErrorIs(t, err, idgen.ErrInvalidID)
				_, err = l.Shard(id)
				require.ErrorIs(t, err, idgen.ErrInvalidID)
			}
		})
	}
	for _, id := range []int64{math.MaxInt32, math.MaxUint32, 1_000_000_000_000, 362_387_865_599_999} {
		_, err := idgen.DefaultLayout().Shard(id)
		require.ErrorIs(t, err, idgen.ErrInvalidID, "the doc of Layout says up to 3.6e14")
	}
	_, err := layouts()["53 bits"].Shard(1 << 53)
	require.ErrorIs(t, err, idgen.ErrInvalidID)
	_, err = layouts()["53 bits"].Shard(1<<53 - 1)
	require.NoError(t, err)
}

// TestDefaultLayoutIsWhatItsDocSays holds the end of its time, and the SQL for the shard.
func TestDefaultLayoutIsWhatItsDocSays(t *testing.T) {
	t.Parallel()
	parts, err := idgen.DefaultLayout().Decode(math.MaxInt64)
	require.NoError(t, err)
	require.Equal(t, "2094-09", parts.Time.Format("2006-01"))
	require.Equal(t, idgen.Parts{Time: parts.Time, Shard: 1023, Node: 63, Sequence: 63}, parts)
	id, err := idgen.DefaultLayout().Encode(idgen.Parts{Time: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Shard: 777, Node: 33, Sequence: 11})
	require.NoError(t, err)
	require.EqualValues(t, 777, (id>>6)&1023)
}

// TestLayoutOfTime: the IDs of a millisecond are those from First to Last, and no others.
func TestLayoutOfTime(t *testing.T) {
	t.Parallel()
	for name, l := range layouts() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := time.Date(2024, time.April, 10, 11, 12, 13, 456_789_012, time.FixedZone("", 3600))
			if l == (idgen.Layout{}) || l == idgen.DefaultLayout() {
				at = at.AddDate(2, 0, 0)
			}
			first, err := l.First(at)
			require.NoError(t, err)
			last, err := l.Last(at)
			require.NoError(t, err)
			low, err := l.Decode(first)
			require.NoError(t, err)
			high, err := l.Decode(last)
			require.NoError(t, err)
			require.True(t, low.Time.Equal(at.Truncate(time.Millisecond)))
			require.Equal(t, low.Time, high.Time)
			before, err := l.Decode(first - 1)
			require.NoError(t, err)
			after, err := l.Decode(last + 1)
			require.NoError(t, err)
			require.Equal(t, low.Time.Add(-time.Millisecond), before.Time)
			require.Equal(t, low.Time.Add(time.Millisecond), after.Time)
		})
	}
}

// TestLayoutOfTimeOutOfRange: a range of time that IDs cannot have is an error and not a wrong range.
func TestLayoutOfTimeOutOfRange(t *testing.T) {
	t.Parallel()
	l := idgen.DefaultLayout()
	for _, at := range []time.Time{{}, l.Epoch, l.Epoch.Add(24*time.Hour - 1), time.Date(2094, time.October, 1, 0, 0, 0, 0, time.UTC)} {
		_, err := l.First(at)
		require.ErrorIs(t, err, idgen.ErrTimeRange)
		_, err = l.Last(at)
		require.ErrorIs(t, err, idgen.ErrTimeRange)
		require.ErrorContains(t, err, "from 2025-01-02T00:00:00Z to 2094-09-")
	}
	_, err := l.First(l.Epoch.Add(24 * time.Hour))
	require.NoError(t, err)
}

// TestInvalidLayouts: each fault is found, all at once, by name, and by every method.
func TestInvalidLayouts(t *testing.T) {
	t.Parallel()
	with := func(change func(l *idgen.Layout)) idgen.Layout {
		l := idgen.DefaultLayout()
		change(&l)
		return l
	}
	for name, c := range map[string]struct {
		layout idgen.Layout
		says   []string
	}{
		"bits alone":     {idgen.Layout{TimeBits: 41, ShardBits: 10}, []string{"Layout.Epoch is missing"}},
		"an epoch alone": {idgen.Layout{Epoch: idgen.DefaultLayout().Epoch}, []string{"TimeBits must", "ShardBits must"}},
		"before 1970":    {with(func(l *idgen.Layout) { l.Epoch = time.UnixMilli(-1) }), []string{"Layout.Epoch must be between"}},
		"after 9999":     {with(func(l *idgen.Layout) { l.Epoch = l.Epoch.AddDate(8000, 0, 0) }), []string{"Layout.Epoch must be between"}},
		"a microsecond":  {with(func(l *idgen.Layout) { l.Epoch = l.Epoch.Add(time.Microsecond) }), []string{"whole milliseconds"}},
		"64 bits":        {with(func(l *idgen.Layout) { l.SequenceBits++ }), []string{"are 64 together"}},
		"negative":       {with(func(l *idgen.Layout) { l.NodeBits, l.SequenceBits = -1, 13 }), []string{"NodeBits must"}},
		"all":            {idgen.Layout{TimeBits: 31, ShardBits: 32, NodeBits: 32, SequenceBits: -1}, []string{"Epoch is", "TimeBits must", "ShardBits must", "NodeBits must", "SequenceBits must"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, errDecode := c.layout.Decode(1 << 60)
			_, errShard := c.layout.Shard(1 << 60)
			_, errFirst := c.layout.First(time.Now())
			_, errLast := c.layout.Last(time.Now())
			_, errNew := idgen.New(idgen.Config{Layout: c.layout, Node: idgen.FixedNode(0)})
			for _, err := range []error{errDecode, errShard, errFirst, errLast, errNew} {
				require.ErrorIs(t, err, idgen.ErrInvalidConfig)
				for _, says := range c.says {
					require.ErrorContains(t, err, says)
				}
			}
		})
	}
}
