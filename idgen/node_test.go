package idgen_test

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/idgen"
)

// lentNode is a number that is lent for a span of time.
type lentNode struct{ from, until time.Time }

func (n *lentNode) Number() int                   { return 9 }
func (n *lentNode) Held() (from, until time.Time) { return n.from, n.until }

// TestNodeNotHeld: no ID has a time at or after the end of the span, and IDs go on when it is lent again.
func TestNodeNotHeld(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		node := &lentNode{from: time.Now(), until: time.Now().Add(10*time.Millisecond + 500*time.Microsecond)}
		g := newGenerator(t, idgen.Config{Node: node})
		time.Sleep(9*time.Millisecond + 900*time.Microsecond)
		g.next(1)
		time.Sleep(100 * time.Microsecond)
		_, err := g.Next(1)
		require.ErrorIs(t, err, idgen.ErrNodeNotHeld, "this millisecond is not held to its end")
		time.Sleep(time.Hour)
		_, err = g.Next(1)
		require.ErrorIs(t, err, idgen.ErrNodeNotHeld)
		node.until = time.Now().Add(time.Second)
		_, parts := g.next(1)
		require.Equal(t, 9, parts.Node)
		*node = lentNode{}
		_, err = g.Next(1)
		require.ErrorIs(t, err, idgen.ErrNodeNotHeld, "the zero span holds nothing")
	})
}

// TestNodeNotHeldYet: no ID has a time before the span. A clock that is a little behind it does not matter, one that is far
// behind it is an error, and so is a span that is far ahead by mistake, until it is mended.
func TestNodeNotHeldYet(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		from := time.Now().Add(800*time.Millisecond + 1)
		node := &lentNode{from: from, until: from.Add(time.Hour)}
		g := newGenerator(t, idgen.Config{Node: node})
		for range 10 {
			_, parts := g.next(1)
			require.False(t, parts.Time.Before(from))
		}
		require.True(t, time.Now().Before(from), "no wait")
		node.from = time.Now().Add(24 * time.Hour)
		_, err := g.Next(1)
		require.ErrorIs(t, err, idgen.ErrClock)
		node.from = from
		g.next(1)
	})
}

// TestHoldersDoNotMeet: a number that goes from hand to hand makes no ID twice, however wrong the clocks of its holders are,
// since their spans do not overlap.
func TestHoldersDoNotMeet(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dice := rand.New(rand.NewPCG(5, 6))
		seen := map[int64]bool{}
		from := time.Now()
		for range 200 {
			node := &lentNode{from: from, until: from.Add(20 * time.Millisecond)}
			g := newGenerator(t, idgen.Config{Node: node, MaxBackwards: 40 * time.Millisecond})
			g.clock.off = time.Duration(dice.IntN(60_000)-30_000) * time.Microsecond
			for range 100 {
				id, err := g.Next(1)
				if err != nil {
					break // it has come to its end
				}
				require.False(t, seen[id])
				seen[id] = true
			}
			from = node.until
			time.Sleep(time.Until(from))
		}
		require.Greater(t, len(seen), 1000)
	})
}

// TestFixedNodeAfter: a process that is started again with a clock that went back makes no ID again.
func TestFixedNodeAfter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGenerator(t, idgen.Config{})
		time.Sleep(time.Second)
		last, parts := g.next(1)
		clock := steppedClock{off: -time.Second + 2*time.Millisecond}
		g2, err := idgen.NewWithClock(idgen.Config{Layout: narrow(), Node: idgen.FixedNodeAfter(0, parts.Time)}, clock.now)
		require.NoError(t, err)
		start := time.Now()
		id, err := g2.Next(1)
		require.NoError(t, err)
		require.Greater(t, id, last)
		require.Zero(t, time.Since(start), "no wait")
		parts2, err := narrow().Decode(id)
		require.NoError(t, err)
		require.Equal(t, parts.Time.Add(time.Millisecond), parts2.Time)
	})
}
