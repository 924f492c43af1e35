package merge_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/internal/dialect"
	"github.com/gormtenancy/tenancy/internal/merge"
)

const (
	waitFor = 5 * time.Second
	tick    = time.Millisecond
)

var errDown = errors.New("down")

// everyWay is the three ways in which sources are read.
func everyWay() map[string]merge.Description {
	return map[string]merge.Description{
		"concatenated": {},
		"ordered":      byFirst(),
		"grouped": {Engine: dialect.Postgres, Groups: &merge.Groups{
			Keys: []int{0}, Results: []merge.Result{{Func: merge.Key, Column: 0}},
		}},
	}
}

// TestFailure: one source that fails ends the others, which give nothing, and is named.
func TestFailure(t *testing.T) {
	for name, d := range everyWay() {
		for _, panics := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				waits, opens, fails := ascending(1, 0, 0), ascending(1, 0, 0), ascending(1, 0, 3)
				waits.blocks, opens.opening = true, make(chan struct{})
				fails.fails, fails.panics = errDown, panics
				_, err := mergeAll(t, d, merge.Options{}, waits, opens, fails)
				var source *merge.SourceError
				require.ErrorAs(t, err, &source)
				require.Equal(t, "shard c", source.Source)
				require.Equal(t, !panics, errors.Is(err, errDown))
				require.True(t, waits.cancelled.Load())
				require.True(t, opens.cancelled.Load())
			})
		}
	}
}

// TestFailureIsPrompt: the others are cancelled by the failure itself, whether or not anybody reads.
func TestFailureIsPrompt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gives, waits, fails := ascending(1, 0, 1), ascending(1, 0, 0), ascending(1, 0, 0)
		gives.blocks, waits.blocks, fails.fails, fails.opening = true, true, errDown, make(chan struct{})
		rows, err := merge.Open(t.Context(), byFirst(), merge.Options{}, sources(gives, waits, fails)...)
		require.NoError(t, err)
		synctest.Wait()
		require.False(t, waits.cancelled.Load())
		close(fails.opening)
		synctest.Wait()
		require.True(t, gives.cancelled.Load() && waits.cancelled.Load())
		began := time.Now()
		require.ErrorIs(t, rows.Next(make([]driver.Value, 1)), errDown)
		require.NoError(t, rows.Close())
		require.Zero(t, time.Since(began))
	})
}

// TestFailureToOpen: as a pool's query fails, so does Open.
func TestFailureToOpen(t *testing.T) {
	for name, d := range everyWay() {
		t.Run(name, func(t *testing.T) {
			waits := ascending(1, 0, 0)
			waits.blocks = true
			all := append(sources(waits), merge.Source{Name: "shard b", Open: func(context.Context) (driver.Rows, error) { return nil, errDown }})
			_, err := merge.Open(t.Context(), d, merge.Options{}, all...)
			require.ErrorIs(t, err, errDown)
			require.ErrorContains(t, err, "shard b")
			nothingLeft(t, waits)

			all[1].Open = func(context.Context) (driver.Rows, error) { return nil, nil }
			_, err = merge.Open(t.Context(), d, merge.Options{}, all...)
			require.ErrorContains(t, err, "shard b")
		})
	}
}

// TestFailureOfLast: rows that came before are not an answer that is complete.
func TestFailureOfLast(t *testing.T) {
	for name, d := range everyWay() {
		t.Run(name, func(t *testing.T) {
			fails := ascending(1, 3, 3)
			fails.fails = errDown
			_, err := mergeAll(t, d, merge.Options{}, ascending(1, 0, 3), fails)
			require.ErrorIs(t, err, errDown)
		})
	}
}

// TestFailureAmidGroups: a source fails while rows of another are being grouped, which takes longer than to read them.
func TestFailureAmidGroups(t *testing.T) {
	d := everyWay()["grouped"]
	for range 20 {
		d.Groups.Results = append(d.Groups.Results, merge.Result{Func: merge.CountDistinct, Column: 0})
	}
	reads, fails := ascending(1, 0, 2000), ascending(1, 0, 0)
	fails.fails, fails.opening = errDown, make(chan struct{})
	rows := reads.rows
	reads.rows = func(i int) []driver.Value {
		if i == reads.count-1 {
			close(fails.opening)
		}
		return rows(i)
	}
	_, err := mergeAll(t, d, merge.Options{Rows: reads.count}, reads, fails)
	require.ErrorIs(t, err, errDown)
}

// TestCancellation: the context's end is the answer's, while it is opened, read, or left alone.
func TestCancellation(t *testing.T) {
	for name, d := range everyWay() {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			waits, opens := ascending(1, 0, 3), ascending(1, 0, 0)
			waits.blocks, opens.opening = true, make(chan struct{})
			done := make(chan error, 1)
			go func() {
				rows, err := merge.Open(ctx, d, merge.Options{}, sources(waits, opens)...)
				if err == nil {
					_, err = all(rows)
					err = errors.Join(err, rows.Close())
				}
				done <- err
			}()
			require.Eventually(t, func() bool { return waits.read.Load() == 3 && opens.opened.Load() }, waitFor, tick)
			cancel()
			require.ErrorIs(t, <-done, context.Canceled)
			nothingLeft(t, waits, opens)
		})
	}
}

// TestCancellationIsTheCallers: what the sources say of it is not said of them.
func TestCancellationIsTheCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		waits := ascending(1, 0, 3)
		waits.blocks = true
		rows, err := merge.Open(ctx, byFirst(), merge.Options{}, sources(waits)...)
		require.NoError(t, err)
		cancel()
		synctest.Wait()
		require.True(t, waits.closed.Load())
		require.Equal(t, context.Canceled, rows.Next(make([]driver.Value, 1))) // with nothing around it
		require.NoError(t, rows.Close())
	})
}

// TestAbandoned: Close ends sources in the midst of their rows, and is not held up by a reader that has stopped.
func TestAbandoned(t *testing.T) {
	for name, d := range everyWay() {
		t.Run(name, func(t *testing.T) {
			answers := []*answer{ascending(2, 0, 1_000_000), ascending(2, 1, 1_000_000)}
			answers[1].blocks = true
			rows, err := merge.Open(t.Context(), d, merge.Options{Groups: 1 << 30}, sources(answers...)...)
			require.NoError(t, err)
			if d.Groups == nil {
				require.NoError(t, rows.Next(make([]driver.Value, 1)))
			}
			require.NoError(t, rows.Close())
			require.NoError(t, rows.Close())
			nothingLeft(t, answers...)
		})
	}
}

// TestErrorStays: what has failed does not go on.
func TestErrorStays(t *testing.T) {
	fails := ascending(1, 0, 1)
	fails.fails = errDown
	rows, err := merge.Open(t.Context(), merge.Description{}, merge.Options{}, sources(fails, ascending(1, 0, 1))...)
	require.NoError(t, err)
	_, err = all(rows)
	require.ErrorIs(t, err, errDown)
	require.ErrorIs(t, rows.Next(make([]driver.Value, 1)), errDown)
	require.NoError(t, rows.Close())
}

// TestParallel: no more sources than allowed run their queries at a time, and all are opened in the end.
func TestParallel(t *testing.T) {
	for name, d := range everyWay() {
		t.Run(name, func(t *testing.T) {
			var answers []*answer
			for range 6 {
				a := ascending(1, 0, 2)
				a.opening = make(chan struct{})
				answers = append(answers, a)
			}
			opened := func() (n int) {
				for _, a := range answers {
					if a.opened.Load() {
						n++
					}
				}
				return n
			}
			done := make(chan error, 1)
			go func() {
				rows, err := merge.Open(t.Context(), d, merge.Options{Parallel: 2}, sources(answers...)...)
				if err == nil {
					_, err = all(rows)
					err = errors.Join(err, rows.Close())
				}
				done <- err
			}()
			for i, a := range answers {
				require.Eventually(t, func() bool { return opened() == min(i+2, 6) }, waitFor, tick)
				require.Never(t, func() bool { return opened() > i+2 }, 5*tick, tick)
				close(a.opening)
			}
			require.NoError(t, <-done)
			nothingLeft(t, answers...)
		})
	}
}

// TestParallelOrdered: sources that are merged by an order are all open, though they run one at a time.
func TestParallelOrdered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // it ends when nothing can go on
		got, err := merge.Open(t.Context(), byFirst(), merge.Options{Parallel: 1, Rows: 1}, sources(ascending(2, 0, 20), ascending(2, 1, 20))...)
		require.NoError(t, err)
		rows, err := all(got)
		require.NoError(t, err)
		require.Len(t, rows, 40)
		require.NoError(t, got.Close())
	})
}

// TestOtherColumns: sources whose columns differ from those of the first one are refused by name.
func TestOtherColumns(t *testing.T) {
	first := []string{"n INT8", "m TEXT"}
	values := row(int64(1), "a")
	for _, c := range []struct {
		columns []string
		values  []driver.Value
		ok      bool
	}{
		{[]string{"n INT8", "m TEXT", "o TEXT"}, row(int64(1), "a", "b"), false},
		{[]string{"n INT8", "other TEXT"}, values, false},
		{[]string{"n TEXT", "m TEXT"}, row("1", "a"), false},
		{[]string{"n INT4", "m TEXT"}, values, true},
		{[]string{"n INT8", "m JSONB"}, values, true}, // nobody compares it
	} {
		for _, order := range [][]merge.Sort{{{Column: 0}}, nil} {
			d := merge.Description{Engine: dialect.Postgres, Order: order}
			_, err := mergeAll(t, d, merge.Options{}, table(first, values), table(c.columns, c.values))
			if c.ok || order == nil && c.columns[0] == "n TEXT" {
				require.NoError(t, err)
				continue
			}
			var source *merge.SourceError
			require.ErrorAs(t, err, &source, "%+v", c)
			require.Equal(t, "shard b", source.Source)
		}
	}
}

func TestDescription(t *testing.T) {
	one := func() *answer { return ascending(1, 0, 1) }
	group := func(g merge.Groups) merge.Description {
		return merge.Description{Engine: dialect.Postgres, Groups: &g}
	}
	key := []merge.Result{{Func: merge.Key, Column: 0}}
	for i, d := range []merge.Description{
		{Offset: -1},
		{Limit: new(int64(-1))},
		{Visible: -1},
		{Visible: 2},
		{DivisionScale: -1},
		{Engine: dialect.Postgres, Order: []merge.Sort{{Column: 1}}},
		{Engine: dialect.Postgres, Order: []merge.Sort{{Column: -2}}},
		{Engine: dialect.Postgres, Order: []merge.Sort{{Column: 0, Nulls: 9}}},
		group(merge.Groups{}),
		group(merge.Groups{Results: key}),
		group(merge.Groups{Keys: []int{1}, Results: key}),
		group(merge.Groups{Keys: []int{0}, Results: []merge.Result{{Func: merge.Key, Column: 1}}}),
		group(merge.Groups{Results: []merge.Result{{}}}),
		group(merge.Groups{Results: []merge.Result{{Func: merge.Avg, Column: 0, Count: 1}}}),
		group(merge.Groups{Keys: []int{0}, Results: key, Having: merge.And{nil}}),
		group(merge.Groups{Keys: []int{0}, Results: key, Having: merge.Not{}}),
		group(merge.Groups{Keys: []int{0}, Results: key, Having: merge.IsNull{Operand: merge.Column(1)}}),
		group(merge.Groups{Keys: []int{0}, Results: key, Having: merge.Comparison{Left: merge.Column(0), Right: merge.Column(0)}}),
		group(merge.Groups{Keys: []int{0}, Results: key, Having: merge.Comparison{Left: merge.Constant(1), Op: merge.Equal, Right: merge.Constant(1)}}),
	} {
		_, err := mergeAll(t, d, merge.Options{}, one(), one())
		require.ErrorIs(t, err, merge.ErrDescription, "%d", i)
	}
	_, err := merge.Open(t.Context(), merge.Description{}, merge.Options{})
	require.ErrorIs(t, err, merge.ErrDescription)
	_, err = merge.Open(t.Context(), merge.Description{}, merge.Options{}, merge.Source{Name: "a"})
	require.ErrorIs(t, err, merge.ErrDescription)
	two := table([]string{"n INT8", "m INT8"}, row(int64(1), int64(1)))
	_, err = mergeAll(t, merge.Description{Engine: dialect.Postgres, Distinct: true, Visible: 1}, merge.Options{}, two)
	require.ErrorIs(t, err, merge.ErrDescription)
}
