package merge_test

import (
	"bytes"
	"database/sql/driver"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/internal/dialect"
	"github.com/gormtenancy/tenancy/internal/merge"
)

// heap returns how many bytes are in use.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestMemory streams a million rows, of 200 megabytes, through buffers of less than one.
func TestMemory(t *testing.T) {
	const shards = 4
	rows := 250_000
	if raceDetector {
		rows = 50_000 // it takes ten times as long
	}
	payload := bytes.Repeat([]byte("x"), 200)
	for name, d := range map[string]merge.Description{
		"concatenated": {}, "ordered": byFirst(), "distinct": {Engine: dialect.Postgres, Order: []merge.Sort{{Column: 0}, {Column: 1}}, Distinct: true},
	} {
		t.Run(name, func(t *testing.T) {
			var answers []*answer
			for shard := range shards {
				answers = append(answers, &answer{columns: []string{"n INT8", "p BYTEA"}, count: rows, rows: func(i int) []driver.Value {
					return row(int64(i*shards+shard), payload)
				}})
			}
			before := heap()
			merged, err := merge.Open(t.Context(), d, merge.Options{Rows: 256, Bytes: 1 << 20}, sources(answers...)...)
			require.NoError(t, err)
			var most uint64
			one := make([]driver.Value, 2)
			for i := range shards * rows {
				require.NoError(t, merged.Next(one))
				if i%100_000 == 50_000 {
					most = max(most, heap())
				}
			}
			require.Error(t, merged.Next(one))
			require.NoError(t, merged.Close())
			require.Less(t, most-min(most, before), uint64(2<<20))
		})
	}
}

// TestLargeRows: a buffer is full with its bytes as with its rows.
func TestLargeRows(t *testing.T) {
	payload := bytes.Repeat([]byte("x"), 100_000)
	large := &answer{columns: []string{"n INT8", "p BYTEA"}, count: 1000, rows: func(i int) []driver.Value { return row(int64(i), payload) }}
	merged, err := merge.Open(t.Context(), byFirst(), merge.Options{Bytes: 1 << 20}, sources(large)...)
	require.NoError(t, err)
	require.NoError(t, merged.Next(make([]driver.Value, 2)))
	require.Never(t, func() bool { return large.read.Load() > 2*11+2 }, 20*tick, tick)
	require.NoError(t, merged.Close())
	nothingLeft(t, large)
}
