package merge_test

import (
	"database/sql/driver"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/internal/dialect"
	"github.com/gormtenancy/tenancy/internal/merge"
)

// mergeColumn merges one column of sources with one function, without groups.
func mergeColumn(t *testing.T, d merge.Description, f merge.Func, typ string, values ...driver.Value) (driver.Value, error) {
	t.Helper()
	d.Groups = &merge.Groups{Results: []merge.Result{{Func: f, Column: 0, Count: 1}}}
	var answers []*answer
	for _, v := range values {
		var count driver.Value = int64(1)
		if v == nil {
			count = int64(0)
		}
		answers = append(answers, table([]string{"v " + typ, "c " + typ}, row(v, count)))
	}
	got, err := mergeAll(t, d, merge.Options{}, answers...)
	if err != nil {
		return nil, err
	}
	require.Len(t, got, 1)
	return got[0][0], nil
}

func TestAggregates(t *testing.T) {
	const most = int64(math.MaxInt64)
	for _, c := range []struct {
		engine dialect.Engine
		f      merge.Func
		typ    string
		values []driver.Value
		want   driver.Value
	}{
		{dialect.Postgres, merge.Count, "INT8", row(int64(2), int64(3)), int64(5)},
		{dialect.MySQL, merge.Count, "BIGINT", row([]byte("2"), int64(3)), int64(5)},
		{dialect.Postgres, merge.Sum, "INT8", row(int64(2), nil, int64(-3)), int64(-1)},
		{dialect.Postgres, merge.Sum, "INT8", row(most, int64(-1), int64(1)), most},
		{dialect.Postgres, merge.Sum, "INT8", row(int64(math.MinInt64), most, int64(0)), int64(-1)},
		{dialect.Postgres, merge.Sum, "INT8", row(nil, nil), nil},
		{dialect.Postgres, merge.Sum, "NUMERIC", row("9223372036854775807", "1"), "9223372036854775808"},
		{dialect.Postgres, merge.Sum, "NUMERIC", row("0.10", "0.2", "-0.300"), "0.000"},
		{dialect.Postgres, merge.Sum, "NUMERIC", row("-0.05", "0.01"), "-0.04"},
		{dialect.Postgres, merge.Sum, "NUMERIC", row("1", "NaN", "Infinity"), "NaN"},
		{dialect.Postgres, merge.Sum, "NUMERIC", row("Infinity", "-Infinity"), "NaN"},
		{dialect.Postgres, merge.Sum, "NUMERIC", row("1", "-Infinity", "-Infinity"), "-Infinity"},
		{dialect.MySQL, merge.Sum, "DECIMAL", row([]byte("1.50"), []byte("2.25")), "3.75"},
		{dialect.SQLite, merge.Sum, "", row(int64(1), int64(2)), int64(3)},
		{dialect.SQLite, merge.Sum, "", row(most, int64(1), int64(-1)), most},
		{dialect.Postgres, merge.Min, "NUMERIC", row("10", nil, "9"), "9"},
		{dialect.Postgres, merge.Max, "FLOAT8", row(math.Inf(1), math.NaN(), nil), math.NaN()},
		{dialect.MySQL, merge.Max, "TIME", row([]byte("99:00:00"), []byte("100:00:00")), "100:00:00"},
		{dialect.Postgres, merge.Min, "INT4", row(nil), nil},
		{dialect.Postgres, merge.Avg, "INT8", row(int64(1), int64(2), nil), "1.5000000000000000"},
		{dialect.Postgres, merge.Avg, "INT8", row(most, most), "9223372036854775807"},
		{dialect.Postgres, merge.Avg, "INT8", row(nil, nil), nil},
		{dialect.Postgres, merge.Avg, "NUMERIC", row("NaN", "1"), "NaN"},
		{dialect.MySQL, merge.Avg, "DECIMAL", row([]byte("1"), []byte("2")), "1.5000"},
		{dialect.MySQL, merge.Avg, "DECIMAL", row([]byte("-2"), []byte("0"), []byte("0")), "-0.6667"},
		{dialect.SQLite, merge.Avg, "", row(int64(1), int64(2)), 1.5},
		{dialect.SQLite, merge.Avg, "", row(most, most), 9223372036854775807.0},
		{dialect.Postgres, merge.CountDistinct, "INT8", row(int64(1), nil, int64(1), int64(2)), int64(2)},
		{dialect.Postgres, merge.CountDistinct, "INT8", row(nil), int64(0)},
		{dialect.Postgres, merge.SumDistinct, "INT4", row(int64(1), int64(1), int64(2)), int64(3)},
		{dialect.Postgres, merge.SumDistinct, "INT8", row(int64(1), int64(1), int64(2)), "3"},
		{dialect.Postgres, merge.SumDistinct, "INT8", row(nil), nil},
		{dialect.MySQL, merge.SumDistinct, "INT", row(int64(1), int64(1), int64(2)), "3"},
		{dialect.MySQL, merge.AvgDistinct, "UNSIGNED BIGINT", row(int64(1), int64(1), uint64(math.MaxUint64)), "9223372036854775808.0000"},
		{dialect.SQLite, merge.SumDistinct, "", row(int64(1), int64(1), int64(2)), int64(3)},
	} {
		got, err := mergeColumn(t, merge.Description{Engine: c.engine}, c.f, c.typ, c.values...)
		require.NoError(t, err, "%+v", c)
		require.Equal(t, fmt.Sprintf("%T %v", c.want, c.want), fmt.Sprintf("%T %v", got, got), "%+v", c)
	}
}

// TestFloats: their sums are refused unless they may be rounded.
func TestFloats(t *testing.T) {
	for _, c := range []struct {
		engine dialect.Engine
		f      merge.Func
		typ    string
		want   driver.Value // nil: refused in any case
	}{
		{dialect.Postgres, merge.Sum, "FLOAT8", 4.0},
		{dialect.Postgres, merge.Sum, "FLOAT4", 4.0},
		{dialect.Postgres, merge.Avg, "FLOAT8", 2.0},
		{dialect.Postgres, merge.Avg, "FLOAT4", nil},
		{dialect.Postgres, merge.AvgDistinct, "FLOAT4", 2.0},
		{dialect.MySQL, merge.Sum, "DOUBLE", 4.0},
		{dialect.MySQL, merge.Avg, "DOUBLE", 2.0},
		{dialect.MySQL, merge.Sum, "FLOAT", nil},
		{dialect.SQLite, merge.Sum, "", 4.0},
		{dialect.SQLite, merge.Avg, "", 2.0},
		{dialect.SQLite, merge.SumDistinct, "", 4.0},
	} {
		var refused *merge.UnmergeableError
		_, err := mergeColumn(t, merge.Description{Engine: c.engine}, c.f, c.typ, 1.5, 2.5)
		require.ErrorAs(t, err, &refused, "%+v", c)
		got, err := mergeColumn(t, merge.Description{Engine: c.engine, RoundedFloats: true}, c.f, c.typ, 1.5, 2.5)
		if c.want == nil {
			require.ErrorAs(t, err, &refused, "%+v", c)
			continue
		}
		require.NoError(t, err, "%+v", c)
		require.Equal(t, c.want, got)
	}
	got, err := mergeColumn(t, merge.Description{Engine: dialect.SQLite, RoundedFloats: true}, merge.Sum, "", 1e100, 1.0, -1e100, int64(1))
	require.NoError(t, err)
	require.InDelta(t, 2.0, got, 0, "what is rounded off is added in the end")
}

func TestOverflow(t *testing.T) {
	digits := make([]byte, 65)
	for i := range digits {
		digits[i] = '9'
	}
	for _, c := range []struct {
		engine dialect.Engine
		f      merge.Func
		typ    string
		values []driver.Value
	}{
		{dialect.Postgres, merge.Sum, "INT8", row(int64(math.MaxInt64), int64(1))},
		{dialect.Postgres, merge.Sum, "INT8", row(int64(math.MinInt64), int64(-1))},
		{dialect.Postgres, merge.Count, "INT8", row(int64(math.MaxInt64), int64(1))},
		{dialect.Postgres, merge.Sum, "FLOAT8", row(math.MaxFloat64, math.MaxFloat64)},
		{dialect.MySQL, merge.Sum, "DECIMAL", row(digits, digits)},
		{dialect.SQLite, merge.Sum, "", row(int64(math.MaxInt64), int64(1))},
	} {
		_, err := mergeColumn(t, merge.Description{Engine: c.engine, RoundedFloats: true}, c.f, c.typ, c.values...)
		var over *merge.OverflowError
		require.ErrorAs(t, err, &over, "%+v", c)
		require.Equal(t, "v", over.Column)
	}
}

// TestNoSum: what no sum is made of is refused.
func TestNoSum(t *testing.T) {
	for typ, value := range map[string]driver.Value{"INT4": int64(1), "TEXT": "1", "INTERVAL": "1 day", "BOOL": true} {
		for _, f := range []merge.Func{merge.Sum, merge.Avg} {
			_, err := mergeColumn(t, merge.Description{Engine: dialect.Postgres, RoundedFloats: true}, f, typ, value)
			var refused *merge.UnmergeableError
			require.ErrorAs(t, err, &refused, "%s", typ)
		}
	}
}

// TestGroups: a group's parts are found on all sources, NULL is a group, and a group without rows is none.
func TestGroups(t *testing.T) {
	columns := []string{"k VARCHAR", "c BIGINT"}
	k := func(s string) []byte { return []byte(s) }
	d := merge.Description{
		Engine: dialect.MySQL, Collations: []merge.Collation{merge.CollationPadded},
		Groups: &merge.Groups{Keys: []int{0}, Results: []merge.Result{{Func: merge.Key, Column: 0}, {Name: "total", Func: merge.Count, Column: 1}}},
	}
	got, err := mergeAll(t, d, merge.Options{Rows: 1},
		table(columns, row(k("a"), int64(1)), row(nil, int64(2)), row(k("b"), int64(3))),
		table(columns, row(k("b "), int64(4)), row(nil, int64(5))), table(columns))
	require.NoError(t, err)
	require.Equal(t, [][]driver.Value{row("a", int64(1)), row(nil, int64(7)), row("b", int64(7))}, got)

	got, err = mergeAll(t, d, merge.Options{}, table(columns), table(columns))
	require.NoError(t, err)
	require.Empty(t, got)

	d.Groups.Keys, d.Groups.Results = nil, d.Groups.Results[1:]
	got, err = mergeAll(t, d, merge.Options{}, table(columns), table(columns))
	require.NoError(t, err)
	require.Equal(t, [][]driver.Value{row(int64(0))}, got)
}

// TestGroupsAreBounded: groups and the values of DISTINCT aggregates count together.
func TestGroupsAreBounded(t *testing.T) {
	columns := []string{"k INT8", "v INT8"}
	rows := func() *answer {
		return &answer{columns: columns, count: 100, rows: func(i int) []driver.Value { return row(int64(i%10), int64(i)) }}
	}
	results := []merge.Result{{Func: merge.Key, Column: 0}, {Func: merge.CountDistinct, Column: 1}}
	for _, c := range []struct{ results, limit, ok int }{{1, 10, 1}, {1, 9, 0}, {2, 110, 1}, {2, 109, 0}} {
		d := merge.Description{Engine: dialect.Postgres, Groups: &merge.Groups{Keys: []int{0}, Results: results[:c.results]}}
		got, err := mergeAll(t, d, merge.Options{Groups: c.limit}, rows(), rows())
		if c.ok == 0 {
			var many *merge.TooManyError
			require.ErrorAs(t, err, &many)
			continue
		}
		require.NoError(t, err)
		require.Len(t, got, 10)
	}
}

// TestGroupsKeepTheirValues: they stay while a driver's memory, and the merge's own, is used again.
func TestGroupsKeepTheirValues(t *testing.T) {
	columns := []string{"k VARBINARY", "v VARBINARY"}
	rows := &answer{columns: columns, count: 1000, rows: func(i int) []driver.Value {
		return row([]byte(fmt.Sprintf("k%03d", i/10)), []byte(fmt.Sprintf("v%03d", i)))
	}}
	d := merge.Description{Engine: dialect.MySQL, Order: []merge.Sort{{Column: 0}}, Groups: &merge.Groups{Keys: []int{0}, Results: []merge.Result{
		{Func: merge.Key, Column: 0}, {Func: merge.Min, Column: 1}, {Func: merge.Max, Column: 1}, {Func: merge.CountDistinct, Column: 1},
	}}}
	got, err := mergeAll(t, d, merge.Options{Rows: 3}, rows, table(columns))
	require.NoError(t, err)
	require.Len(t, got, 100)
	for i, r := range got {
		require.Equal(t, row(fmt.Sprintf("k%03d", i), fmt.Sprintf("v%03d", 10*i), fmt.Sprintf("v%03d", 10*i+9), int64(10)), r)
	}
}
