package fanout

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/sqlproof/sqlite"
)

// TestReread shows that a text for placements is refused that is not what was meant.
func TestReread(t *testing.T) {
	t.Parallel()
	const before = "SELECT a, ? FROM orders o JOIN items i ON i.x = o.x WHERE o.b = ? OR o.c = 'x'"
	meant := shape{items: 2}
	for now, want := range map[string]bool{
		"SELECT a, ? FROM orders o JOIN items i ON i.x = o.x WHERE o.b = ? OR o.c = 'x'":            true,
		"SELECT a, ?, b FROM orders o JOIN items i ON i.x = o.x WHERE o.b = ? OR o.c = 'x'":         false,
		"SELECT a, ? FROM orders o JOIN items i ON i.x = o.x WHERE o.b = ? OR o.c = 'y'":            false,
		"SELECT a, ? FROM orders o JOIN items i ON i.x = o.x WHERE o.b = ? AND o.c = 'x'":           false,
		"SELECT ?, a FROM orders o JOIN items i ON i.x = o.x WHERE o.c = 'x' OR o.b = ?":            false,
		"SELECT a, ? FROM orders o LEFT JOIN items i ON i.x = o.x WHERE o.b = ? OR o.c = 'x'":       false,
		"SELECT a, ? FROM orders o JOIN items i ON i.x = o.y WHERE o.b = ? OR o.c = 'x'":            false,
		"SELECT a, ? FROM others o JOIN items i ON i.x = o.x WHERE o.b = ? OR o.c = 'x'":            false,
		"SELECT a, ? FROM orders o JOIN items i ON i.x = o.x WHERE o.b = ? OR o.c = 'x' LIMIT 1":    false,
		"SELECT a, ? FROM orders o JOIN items i ON i.x = o.x WHERE o.b = ? OR o.c = 'x' ORDER BY a": false,
		"SELECT a, ? FROM orders o JOIN items i ON i.x = o.x WHERE o.b = ? OR o.c = 'x' GROUP BY a": false,
	} {
		first, err := sqlite.New().Analyze(before)
		require.NoError(t, err)
		text, why := newText(first, 2)
		require.Empty(t, why)
		b := builder{plan: &Plan{sql: now, args: []int{0, 1}}, text: text, main: first.Main, expected: meant}
		assert.Equal(t, want, b.reread(sqlite.New(), first) == nil, now)
	}
	first, err := sqlite.New().Analyze(before)
	require.NoError(t, err)
	b := builder{plan: &Plan{sql: before, args: []int{1, 0}}, text: &text{}, main: first.Main, expected: meant}
	assert.NotNil(t, b.reread(sqlite.New(), first), "the arguments of others")
}
