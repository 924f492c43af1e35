package sqlproof

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// textOf makes texts of some length that differ.
func textOf(i int) string { return fmt.Sprintf("SELECT %d -- %s", i, strings.Repeat("x", 200)) }

func TestCacheIsBounded(t *testing.T) {
	t.Parallel()
	var c cache
	c.init(64 << 10)
	for i := range 10_000 {
		c.put(textOf(i), &Plan{SQL: textOf(i)})
		require.LessOrEqual(t, c.bytes, 64<<10)
	}
	entries, bytes := 0, 0
	for i := range c.sets {
		for j := range c.sets[i] {
			if e := c.sets[i][j].Load(); e != nil {
				entries++
				bytes += e.size
			}
		}
	}
	assert.Equal(t, c.bytes, bytes, "the count is right")
	assert.Greater(t, entries, 50, "it is used")
	c.put(strings.Repeat("x", 9<<10), &Plan{})
	assert.Nil(t, c.get(strings.Repeat("x", 9<<10)), "one text does not take an eighth")
}

func TestCacheKeepsWhatIsUsed(t *testing.T) {
	t.Parallel()
	var c cache
	c.init(256 << 10)
	for i := range 20 {
		c.put(textOf(-i), &Plan{Arguments: i})
	}
	for i := range 20_000 { // a flood of texts that are seen once
		c.put(textOf(i), &Plan{})
		for j := range 20 {
			c.get(textOf(-j))
		}
	}
	kept := 0
	for i := range 20 {
		if p := c.get(textOf(-i)); p != nil {
			kept++
			assert.Equal(t, i, p.Arguments)
		}
	}
	assert.GreaterOrEqual(t, kept, 19)
}

func TestCacheIsSharedByGoroutines(t *testing.T) {
	t.Parallel()
	var c cache
	c.init(128 << 10)
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			for i := range 5000 {
				n := (i*7 + g) % 400
				if p := c.get(textOf(n)); p != nil && p.SQL != textOf(n) {
					t.Errorf("the plan of another text: %s", p.SQL)
					return
				}
				c.put(textOf(n), &Plan{SQL: textOf(n)})
			}
		})
	}
	all.Wait()
}

func TestCachePutReplaces(t *testing.T) {
	t.Parallel()
	var c cache
	c.init(64 << 10)
	c.put("a", &Plan{Arguments: 1})
	before := c.bytes
	c.put("a", &Plan{Arguments: 2})
	assert.Equal(t, before, c.bytes)
	assert.Equal(t, 2, c.get("a").Arguments)
}
