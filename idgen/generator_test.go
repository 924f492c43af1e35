package idgen_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/idgen"
)

// narrow has 4 IDs in a millisecond, and an epoch before 2000, when the clock of package synctest begins.
func narrow() idgen.Layout {
	return idgen.Layout{Epoch: time.Date(1999, time.January, 1, 0, 0, 0, 0, time.UTC), TimeBits: 41, ShardBits: 10, NodeBits: 6, SequenceBits: 2}
}

// steppedClock is the clock of package synctest, set wrong by what a test says.
type steppedClock struct{ off time.Duration }

func (c *steppedClock) now() time.Time { return time.Now().Add(c.off) }

// generator is one of narrow IDs, and the clock that it looks at.
type generator struct {
	*testing.T
	*idgen.Generator
	clock *steppedClock
}

func newGenerator(t *testing.T, cfg idgen.Config) *generator {
	t.Helper()
	g := &generator{T: t, clock: &steppedClock{}}
	if cfg.Node == nil {
		cfg.Node = idgen.FixedNode(0)
	}
	cfg.Layout = narrow()
	var err error
	g.Generator, err = idgen.NewWithClock(cfg, g.clock.now)
	require.NoError(t, err)
	return g
}

// next makes an ID that must come, and takes it apart.
func (g *generator) next(shard int) (int64, idgen.Parts) {
	g.Helper()
	id, err := g.Next(shard)
	require.NoError(g, err)
	parts, err := narrow().Decode(id)
	require.NoError(g, err)
	return id, parts
}

// TestNextCarriesItsParts: shard, node and time of an ID are those it was made with.
func TestNextCarriesItsParts(t *testing.T) {
	t.Parallel()
	g, err := idgen.New(idgen.Config{Node: idgen.FixedNode(63)})
	require.NoError(t, err)
	for shard := range 1024 {
		before := time.Now().Truncate(time.Millisecond)
		id, err := g.Next(shard)
		require.NoError(t, err)
		parts, err := idgen.DefaultLayout().Decode(id)
		require.NoError(t, err)
		require.Equal(t, shard, parts.Shard)
		require.Equal(t, 63, parts.Node)
		require.False(t, parts.Time.Before(before) || parts.Time.After(time.Now()), "%s", parts.Time)
	}
}

// TestNextGrows: each ID is greater than the one before, though its shard is lower.
func TestNextGrows(t *testing.T) {
	t.Parallel()
	g, err := idgen.New(idgen.Config{Node: idgen.FixedNode(5)})
	require.NoError(t, err)
	last := int64(0)
	for i := range 5000 {
		id, err := g.Next(1023 - i%1024)
		require.NoError(t, err)
		require.Greater(t, id, last)
		last = id
	}
}

// TestNextRefusesShards that have no room.
func TestNextRefusesShards(t *testing.T) {
	t.Parallel()
	g, err := idgen.New(idgen.Config{Node: idgen.FixedNode(5)})
	require.NoError(t, err)
	for _, shard := range []int{-1, 1024, math.MaxInt} {
		_, err := g.Next(shard)
		require.ErrorIs(t, err, idgen.ErrInvalidShard)
		require.ErrorContains(t, err, "0 to 1023")
	}
}

// TestSequenceUsedUp: the ID after the last one of a millisecond is the next one's first, and the wait for it is no longer
// than that.
func TestSequenceUsedUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGenerator(t, idgen.Config{})
		time.Sleep(10*time.Millisecond + 300*time.Microsecond)
		start := time.Now()
		for i := range 4 {
			_, parts := g.next(7)
			require.Equal(t, i, parts.Sequence)
			require.Equal(t, start.Truncate(time.Millisecond), parts.Time.In(start.Location()))
		}
		require.Zero(t, time.Since(start), "no wait")
		_, parts := g.next(7)
		require.Equal(t, 700*time.Microsecond, time.Since(start))
		require.Zero(t, parts.Sequence)
		require.True(t, parts.Time.Equal(time.Now()))
	})
}

// TestNewStartsInANewMillisecond: a generator does not repeat those that were dropped before it.
func TestNewStartsInANewMillisecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		seen := map[int64]bool{}
		for range 100 {
			id, _ := newGenerator(t, idgen.Config{}).next(1)
			require.False(t, seen[id])
			seen[id] = true
		}
	})
}

// TestClockBackALittle: IDs go on from the newest one's time, without a wait, and use what milliseconds they need.
func TestClockBackALittle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGenerator(t, idgen.Config{})
		time.Sleep(time.Second)
		last, parts := g.next(3)
		newest := parts.Time
		g.clock.off = -500 * time.Millisecond
		start := time.Now()
		for range 20 {
			id, _ := g.next(3)
			require.Greater(t, id, last)
			last = id
		}
		require.Zero(t, time.Since(start), "no wait")
		_, parts = g.next(3)
		require.True(t, parts.Time.After(newest) && parts.Time.Before(newest.Add(10*time.Millisecond)), "%s, after %s", parts.Time, newest)
		time.Sleep(time.Second)
		_, parts = g.next(3)
		require.True(t, parts.Time.Equal(g.clock.now()), "back to the clock's time once it has caught up")
	})
}

// TestClockBackTooFar is an error, until the clock is right again.
func TestClockBackTooFar(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ limit, step time.Duration }{
		"default": {0, 1001 * time.Millisecond},
		"an hour": {time.Hour, time.Hour + time.Millisecond},
		"none":    {1, time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g := newGenerator(t, idgen.Config{MaxBackwards: c.limit})
				last, _ := g.next(3)
				g.clock.off = -c.step
				for range 3 {
					_, err := g.Next(3)
					require.ErrorIs(t, err, idgen.ErrClock)
					require.ErrorContains(t, err, "it is "+c.step.String()+" behind")
				}
				time.Sleep(time.Millisecond)
				id, _ := g.next(3)
				require.Greater(t, id, last)
			})
		})
	}
}

// TestAheadAtMost: with a clock that went back, IDs run ahead of it by no more than MaxBackwards, at the usual pace.
func TestAheadAtMost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGenerator(t, idgen.Config{MaxBackwards: 20 * time.Millisecond})
		g.next(3)
		g.clock.off = -5 * time.Millisecond
		start := time.Now()
		for range 1000 {
			_, parts := g.next(3)
			require.LessOrEqual(t, parts.Time.Sub(g.clock.now()), 20*time.Millisecond)
		}
		require.InDelta(t, 250*time.Millisecond, time.Since(start), float64(25*time.Millisecond), "4 in a millisecond")
	})
}

// TestClockStepsAtRandom: whatever the clock does, IDs grow or there is an error; they are never behind the clock, and ahead of it
// by no more than MaxBackwards.
func TestClockStepsAtRandom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const limit = 10 * time.Millisecond
		g := newGenerator(t, idgen.Config{MaxBackwards: limit})
		dice := rand.New(rand.NewPCG(3, 4))
		last, made, refused := int64(0), 0, 0
		for range 50_000 {
			switch dice.IntN(20) {
			case 0, 1:
				g.clock.off += time.Duration(dice.IntN(24_000)-12_000) * time.Microsecond
			case 2, 3, 4:
				time.Sleep(time.Duration(dice.IntN(3000)) * time.Microsecond)
			}
			id, err := g.Next(dice.IntN(1024))
			if err != nil {
				require.ErrorIs(t, err, idgen.ErrClock)
				refused++
				continue
			}
			made++
			require.Greater(t, id, last)
			last = id
			parts, err := narrow().Decode(id)
			require.NoError(t, err)
			ahead := parts.Time.Sub(g.clock.now().Truncate(time.Millisecond))
			require.True(t, ahead >= 0 && ahead <= limit, "%s ahead", ahead)
		}
		require.Greater(t, made, 10_000)
		require.Greater(t, refused, 1000)
	})
}

// TestClockStandsStill is an error in the end, and no wait for ever.
func TestClockStandsStill(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		still := time.Now()
		g, err := idgen.NewWithClock(idgen.Config{Layout: narrow(), Node: idgen.FixedNode(0)}, func() time.Time { return still })
		require.NoError(t, err)
		start := time.Now()
		_, err = g.Next(1)
		require.ErrorIs(t, err, idgen.ErrClock)
		require.ErrorContains(t, err, "stands still")
		require.LessOrEqual(t, time.Since(start), time.Second)
	})
}

// TestClockOutOfRange: no ID is made that would be decoded to another time, by New or by Next.
func TestClockOutOfRange(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := narrow()
		l.Epoch, l.TimeBits = time.Date(1999, time.December, 1, 0, 0, 0, 0, time.UTC), 32 // for 49 days
		cfg := idgen.Config{Layout: l, Node: idgen.FixedNode(0)}
		g, err := idgen.New(cfg)
		require.NoError(t, err)
		_, err = g.Next(1)
		require.NoError(t, err)
		time.Sleep(19 * 24 * time.Hour)
		_, err = g.Next(1)
		require.ErrorIs(t, err, idgen.ErrTimeRange)
		_, err = idgen.New(cfg)
		require.ErrorIs(t, err, idgen.ErrTimeRange)
		cfg.Layout.Epoch = time.Now().Add(-23 * time.Hour)
		_, err = idgen.New(cfg)
		require.ErrorIs(t, err, idgen.ErrTimeRange)
		require.ErrorContains(t, err, "Layout.Epoch must be at least a day ago")
	})
}

// TestInvalidConfig: all faults are reported at once, by name.
func TestInvalidConfig(t *testing.T) {
	t.Parallel()
	_, err := idgen.New(idgen.Config{})
	require.ErrorIs(t, err, idgen.ErrInvalidConfig)
	require.ErrorContains(t, err, "Config.Node is missing: give each process a number of its own")
	_, err = idgen.New(idgen.Config{MaxBackwards: -1, Layout: idgen.Layout{TimeBits: 41}})
	require.ErrorIs(t, err, idgen.ErrInvalidConfig)
	for _, field := range []string{"Config.Node", "Config.MaxBackwards", "Layout.Epoch", "Layout.ShardBits"} {
		require.ErrorContains(t, err, field)
	}
	for _, number := range []int{-1, 64} {
		_, err = idgen.New(idgen.Config{Node: idgen.FixedNode(number)})
		require.ErrorIs(t, err, idgen.ErrInvalidConfig)
		require.ErrorContains(t, err, "room for 0 to 63")
	}
}
