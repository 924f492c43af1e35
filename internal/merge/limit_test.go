package merge_test

import (
	"database/sql/driver"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/internal/dialect"
	"github.com/gormtenancy/tenancy/internal/merge"
)

func ascending(step, from int64, count int) *answer {
	return &answer{columns: []string{"n INT8"}, count: count, rows: func(i int) []driver.Value { return row(from + step*int64(i)) }}
}

func byFirst() merge.Description {
	return merge.Description{Engine: dialect.Postgres, Order: []merge.Sort{{Column: 0}}}
}

func TestLimitAndOffset(t *testing.T) {
	for _, c := range []struct {
		offset int64
		limit  *int64
		want   []driver.Value
	}{
		{0, nil, row(int64(0), int64(1), int64(2), int64(3), int64(4), int64(5))},
		{2, nil, row(int64(2), int64(3), int64(4), int64(5))},
		{0, new(int64(2)), row(int64(0), int64(1))},
		{3, new(int64(2)), row(int64(3), int64(4))},
		{5, new(int64(9)), row(int64(5))},
		{6, new(int64(1)), nil},
		{0, new(int64(0)), nil},
	} {
		d := byFirst()
		d.Offset, d.Limit = c.offset, c.limit
		got, err := mergeAll(t, d, merge.Options{}, ascending(2, 0, 3), ascending(2, 1, 3))
		require.NoError(t, err)
		require.Equal(t, c.want, column(got, 0), "%+v", c)
	}
}

// TestEnough: with the last row of the limit the sources are closed, and were not read much further than their buffers.
func TestEnough(t *testing.T) {
	d := byFirst()
	d.Limit = new(int64(10))
	long, longer := ascending(2, 0, 1_000_000), ascending(2, 1, 1_000_000)
	rows, err := merge.Open(t.Context(), d, merge.Options{Rows: 8}, sources(long, longer)...)
	require.NoError(t, err)
	one := make([]driver.Value, 1)
	for range 10 {
		require.NoError(t, rows.Next(one))
	}
	require.Eventually(t, func() bool { return long.closed.Load() && longer.closed.Load() }, waitFor, tick)
	require.LessOrEqual(t, long.read.Load(), int64(4*8))
	require.Error(t, rows.Next(one))
	require.NoError(t, rows.Close())
	nothingLeft(t, long, longer)
}

// TestEnoughOfOne: sources that have given nothing yet are cancelled at once when the answer is complete, those in the midst of
// their rows a moment later.
func TestEnoughOfOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow, never := ascending(1, 0, 2), ascending(1, 0, 2)
		slow.blocks = true
		never.opening = make(chan struct{})
		rows, err := merge.Open(t.Context(), merge.Description{Limit: new(int64(2))}, merge.Options{}, sources(slow, never)...)
		require.NoError(t, err)
		one := make([]driver.Value, 1)
		require.NoError(t, rows.Next(one))
		synctest.Wait()
		require.False(t, never.cancelled.Load())
		require.NoError(t, rows.Next(one))
		synctest.Wait()
		require.True(t, never.cancelled.Load())
		require.False(t, slow.cancelled.Load())
		began := time.Now()
		require.NoError(t, rows.Close())
		require.Equal(t, 50*time.Millisecond, time.Since(began))
		require.True(t, slow.cancelled.Load())
	})
}

// TestVisible: columns behind the visible ones sort and are not given.
func TestVisible(t *testing.T) {
	d := merge.Description{Engine: dialect.Postgres, Order: []merge.Sort{{Column: 1}}, Visible: 1}
	columns := []string{"name TEXT", "n INT8"}
	answers := []*answer{table(columns, row("b", int64(2))), table(columns, row("a", int64(1)))}
	rows, err := merge.Open(t.Context(), d, merge.Options{}, sources(answers...)...)
	require.NoError(t, err)
	require.Equal(t, []string{"name"}, rows.Columns())
	got, err := all(rows)
	require.NoError(t, err)
	require.Equal(t, [][]driver.Value{row("a"), row("b")}, got)
	require.NoError(t, rows.Close())
	nothingLeft(t, answers...)
}

// TestConcatenation: without an order, one source's rows come after the other's, however many are read at a time.
func TestConcatenation(t *testing.T) {
	for _, parallel := range []int{1, 2, 8} {
		got, err := mergeAll(t, merge.Description{}, merge.Options{Parallel: parallel, Rows: 2},
			ascending(1, 0, 5), ascending(1, 5, 0), ascending(1, 5, 5), ascending(1, 10, 1))
		require.NoError(t, err)
		require.Len(t, got, 11)
		for i, r := range got {
			require.Equal(t, int64(i), r[0])
		}
	}
}
