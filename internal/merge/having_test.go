package merge_test

import (
	"database/sql/driver"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/internal/dialect"
	"github.com/gormtenancy/tenancy/internal/merge"
)

// kept tells whether a group of one value passes a condition.
func kept(t *testing.T, e dialect.Engine, typ string, c merge.Collation, v driver.Value, p merge.Predicate) (bool, error) {
	t.Helper()
	d := merge.Description{Engine: e, Collations: []merge.Collation{c}, Groups: &merge.Groups{
		Keys: []int{0}, Results: []merge.Result{{Func: merge.Key, Column: 0}}, Having: p,
	}}
	got, err := mergeAll(t, d, merge.Options{}, table([]string{"v " + typ}, row(v)))
	return len(got) == 1, err
}

func is(op merge.Op, v any) merge.Predicate {
	return merge.Comparison{Left: merge.Column(0), Op: op, Right: merge.Constant(v)}
}

// TestHavingLogic is SQL's: what is unknown is not kept, and its negation neither.
func TestHavingLogic(t *testing.T) {
	yes, no, unknown := is(merge.Equal, 1), is(merge.Equal, 2), is(merge.Equal, nil)
	for _, c := range []struct {
		p    merge.Predicate
		want bool
	}{
		{yes, true},
		{no, false},
		{unknown, false},
		{merge.Not{Predicate: no}, true},
		{merge.Not{Predicate: unknown}, false},
		{merge.And{}, true},
		{merge.Or{}, false},
		{merge.And{yes, yes}, true},
		{merge.And{yes, unknown}, false},
		{merge.Not{Predicate: merge.And{yes, unknown}}, false},
		{merge.Not{Predicate: merge.And{no, unknown}}, true},
		{merge.Or{unknown, yes}, true},
		{merge.Or{unknown, no}, false},
		{merge.Not{Predicate: merge.Or{unknown, no}}, false},
		{merge.In{Operand: merge.Column(0), List: []merge.Operand{merge.Constant(nil), merge.Constant(1)}}, true},
		{merge.In{Operand: merge.Column(0), List: []merge.Operand{merge.Constant(2)}}, false},
		{merge.Not{Predicate: merge.In{Operand: merge.Column(0), List: []merge.Operand{merge.Constant(nil), merge.Constant(2)}}}, false},
		{merge.In{Operand: merge.Column(0)}, false},
		{merge.IsNull{Operand: merge.Column(0)}, false},
		{merge.IsNull{Operand: merge.Constant(nil)}, true},
		{merge.Comparison{Left: merge.Column(0), Op: merge.Equal, Right: merge.Column(0)}, true},
		{merge.Comparison{Left: merge.Constant(2), Op: merge.Greater, Right: merge.Column(0)}, true},
	} {
		got, err := kept(t, dialect.Postgres, "INT8", 0, int64(1), c.p)
		require.NoError(t, err)
		require.Equal(t, c.want, got, "%+v", c.p)
	}
	got, err := kept(t, dialect.Postgres, "INT8", 0, nil, merge.Or{is(merge.Equal, 1), is(merge.NotEqual, 1)})
	require.NoError(t, err)
	require.False(t, got)
}

func TestHavingConstants(t *testing.T) {
	day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	type number int32
	for _, c := range []struct {
		engine    dialect.Engine
		typ       string
		collation merge.Collation
		value     driver.Value
		p         merge.Predicate
		want      bool
	}{
		{dialect.Postgres, "INT8", 0, int64(2), is(merge.Greater, number(1)), true},
		{dialect.Postgres, "INT8", 0, int64(2), is(merge.Less, 2.5), true},
		{dialect.Postgres, "NUMERIC", 0, "0.1", is(merge.Equal, 0.1), true},
		{dialect.Postgres, "NUMERIC", 0, "10", is(merge.Greater, 9), true},
		{dialect.Postgres, "NUMERIC", 0, "10.00", is(merge.Equal, "10"), true},
		{dialect.MySQL, "DECIMAL", 0, []byte("10.00"), is(merge.Equal, 10), true},
		{dialect.MySQL, "UNSIGNED BIGINT", 0, []byte("18446744073709551615"), is(merge.Equal, uint64(1<<64-1)), true},
		{dialect.MySQL, "TINYINT", 0, int64(1), is(merge.Equal, true), true},
		{dialect.Postgres, "FLOAT8", 0, 1.5, is(merge.GreaterOrEqual, 1), true},
		{dialect.Postgres, "BOOL", 0, true, is(merge.NotEqual, false), true},
		{dialect.Postgres, "TEXT", merge.CollationBinary, "b", is(merge.Greater, "a"), true},
		{dialect.Postgres, "TEXT", merge.CollationDeterministic, "b", is(merge.NotEqual, "b "), true},
		{dialect.MySQL, "VARCHAR", merge.CollationPadded, []byte("b"), is(merge.Equal, "b "), true},
		{dialect.Postgres, "BYTEA", 0, []byte("b"), is(merge.LessOrEqual, []byte("b")), true},
		{dialect.Postgres, "TIMESTAMPTZ", 0, day, is(merge.Equal, day.In(time.FixedZone("", 60))), true},
		{dialect.SQLite, "", merge.CollationBinary, int64(2), is(merge.Less, "1"), true},
		{dialect.SQLite, "", merge.CollationBinary, 2.5, is(merge.Greater, 2), true},
		{dialect.SQLite, "", merge.CollationBinary, int64(1), is(merge.Equal, true), true},
	} {
		got, err := kept(t, c.engine, c.typ, c.collation, c.value, c.p)
		require.NoError(t, err, "%+v", c)
		require.Equal(t, c.want, got, "%+v", c)
	}
	for _, c := range []struct {
		engine    dialect.Engine
		typ       string
		collation merge.Collation
		value     driver.Value
		p         merge.Predicate
	}{
		{dialect.Postgres, "INT8", 0, int64(2), is(merge.Equal, "a")},
		{dialect.MySQL, "INT", 0, int64(2), is(merge.Equal, "2")},
		{dialect.Postgres, "INT8", 0, int64(2), is(merge.Equal, struct{}{})},
		{dialect.Postgres, "INT8", 0, int64(2), is(merge.Equal, true)},
		{dialect.Postgres, "FLOAT8", 0, 2.0, is(merge.Equal, "2")},
		{dialect.Postgres, "BOOL", 0, true, is(merge.Equal, 1)},
		{dialect.Postgres, "TEXT", merge.CollationDeterministic, "a", is(merge.Less, "b")},
		{dialect.Postgres, "TEXT", merge.CollationBinary, "a", is(merge.Equal, 1)},
		{dialect.Postgres, "DATE", 0, day, is(merge.Equal, "2026-03-01")},
		{dialect.SQLite, "DATETIME", 0, day, is(merge.Equal, day)},
	} {
		_, err := kept(t, c.engine, c.typ, c.collation, c.value, c.p)
		var refused *merge.UnmergeableError
		require.ErrorAs(t, err, &refused, "%+v", c)
	}
}

// TestHavingColumns: columns are compared if their values are of one kind.
func TestHavingColumns(t *testing.T) {
	columns := []string{"n INT8", "d NUMERIC", "t TEXT", "s TEXT"}
	for _, c := range []struct {
		left, right int
		ok          bool
	}{{0, 1, true}, {1, 0, true}, {0, 2, false}, {1, 2, false}, {2, 3, false}, {2, 2, true}} {
		d := merge.Description{
			Engine: dialect.Postgres, Collations: []merge.Collation{0, 0, merge.CollationBinary, merge.CollationDeterministic},
			Groups: &merge.Groups{Keys: []int{0, 1, 2, 3}, Having: merge.Comparison{Left: merge.Column(c.left), Op: merge.LessOrEqual, Right: merge.Column(c.right)}},
		}
		for i := range columns {
			d.Groups.Results = append(d.Groups.Results, merge.Result{Func: merge.Key, Column: i})
		}
		got, err := mergeAll(t, d, merge.Options{}, table(columns, row(int64(1), "1.0", "1", "1")))
		if !c.ok {
			var refused *merge.UnmergeableError
			require.ErrorAs(t, err, &refused)
			continue
		}
		require.NoError(t, err)
		require.Len(t, got, 1)
	}
}
