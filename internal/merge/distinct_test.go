package merge_test

import (
	"database/sql/driver"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/internal/dialect"
	"github.com/gormtenancy/tenancy/internal/merge"
)

func TestDistinct(t *testing.T) {
	for _, c := range []struct {
		engine    dialect.Engine
		typ       string
		collation merge.Collation
		values    []driver.Value
		want      []driver.Value
	}{
		{dialect.Postgres, "INT8", 0, row(int64(1), nil, int64(1), int64(2), nil), row(int64(1), nil, int64(2))},
		{dialect.Postgres, "NUMERIC", 0, row("1.0", "1.00", "01", "-0.0", "0", "NaN", "NaN", "10"), row("1.0", "-0.0", "NaN", "10")},
		{dialect.Postgres, "FLOAT8", 0, row(0.0, 1.5, 1.5, math.Copysign(0, -1), -0.5), row(0.0, 1.5, -0.5)},
		{dialect.Postgres, "TEXT", merge.CollationDeterministic, row("a", "A", "a ", "a"), row("a", "A", "a ")},
		{dialect.Postgres, "BPCHAR", merge.CollationDeterministic, row("a", "a  ", "b"), row("a", "b")},
		{dialect.MySQL, "VARCHAR", merge.CollationPadded, row([]byte("a"), []byte("a "), []byte("b")), row("a", "b")},
		{dialect.MySQL, "UNSIGNED BIGINT", 0, row(uint64(1<<63), []byte("9223372036854775808"), int64(1)), row(uint64(1<<63), int64(1))},
		{dialect.SQLite, "", merge.CollationBinary, row(int64(1), 1.0, "1", []byte("1"), 1.5), row(int64(1), "1", "1", 1.5)},
	} {
		for _, apart := range []bool{false, true} {
			var answers []*answer
			for _, v := range c.values {
				if !apart && len(answers) > 0 {
					continue
				}
				answers = append(answers, table([]string{"v " + c.typ}, row(v)))
			}
			if !apart {
				answers[0].count = len(c.values)
				answers[0].rows = func(i int) []driver.Value { return row(c.values[i]) }
			}
			d := merge.Description{Engine: c.engine, Collations: []merge.Collation{c.collation}, Distinct: true}
			got, err := mergeAll(t, d, merge.Options{Rows: 1}, answers...)
			require.NoError(t, err)
			require.Equal(t, c.want, column(got, 0), "%+v", c)
		}
	}
}

// TestDistinctPairs: values do not run into each other.
func TestDistinctPairs(t *testing.T) {
	columns := []string{"a TEXT", "b TEXT"}
	rows := [][]driver.Value{
		row("a", "bc"), row("ab", "c"), row("abc", nil), row(nil, "abc"), row("", "abc"),
		row("a\x00\x00\x00\x00tb", "c"), row("a", "b\x00\x00\x00\x00tc"),
	}
	d := merge.Description{Engine: dialect.Postgres, Collations: []merge.Collation{merge.CollationBinary, merge.CollationBinary}, Distinct: true}
	got, err := mergeAll(t, d, merge.Options{}, table(columns, rows...), table(columns, rows...))
	require.NoError(t, err)
	require.Equal(t, rows, got)
}

// TestDistinctMemory: sorted by all columns, distinct rows need no memory; sorted by some, as much as there are ties; else all.
func TestDistinctMemory(t *testing.T) {
	columns := []string{"n INT8", "m INT8"}
	pairs := func() *answer {
		return &answer{columns: columns, count: 3000, rows: func(i int) []driver.Value { return row(int64(i/3), int64(i%3)) }}
	}
	for _, c := range []struct {
		order []merge.Sort
		limit int
		ok    bool
	}{
		{[]merge.Sort{{Column: 0}, {Column: 1}}, 1, true},
		{[]merge.Sort{{Column: 0}}, 3, true},
		{[]merge.Sort{{Column: 0}}, 2, false},
		{nil, 2999, false},
		{nil, 3000, true},
	} {
		d := merge.Description{Engine: dialect.Postgres, Order: c.order, Distinct: true}
		got, err := mergeAll(t, d, merge.Options{Groups: c.limit}, pairs(), pairs())
		if !c.ok {
			var many *merge.TooManyError
			require.ErrorAs(t, err, &many)
			require.Equal(t, c.limit, many.Limit)
			continue
		}
		require.NoError(t, err)
		require.Len(t, got, 3000)
	}
}
