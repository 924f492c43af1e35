package merge_test

import (
	"database/sql/driver"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/internal/dialect"
	"github.com/gormtenancy/tenancy/internal/merge"
)

// values of a type, from the least to the greatest.
type scale struct {
	engine    dialect.Engine
	typ       string
	collation merge.Collation
	values    []driver.Value
}

func scales() []scale {
	day := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	berlin := time.FixedZone("CET", 3600)
	bytesOf := func(texts ...string) (values []driver.Value) {
		for _, s := range texts {
			values = append(values, []byte(s))
		}
		return values
	}
	return []scale{
		{dialect.Postgres, "INT8", 0, row(int64(math.MinInt64), int64(-1), int64(0), int64(9), int64(10), int64(math.MaxInt64))},
		{dialect.MySQL, "UNSIGNED BIGINT", 0, row(int64(0), int64(9), int64(math.MaxInt64), uint64(math.MaxInt64+1), []byte("18446744073709551615"))},
		{dialect.Postgres, "NUMERIC", 0, row("-Infinity", "-10", "-9.99", "-0.001", "0.00", "0.0009", "0.01", "0.1", "1", "1.5", "9", "10", "123456789012345678901234567890", "Infinity", "NaN")},
		{dialect.MySQL, "DECIMAL", 0, bytesOf("-12.50", "-2.50", "0.00", "0.10", "2.00", "11.00")},
		{dialect.Postgres, "FLOAT8", 0, row(math.Inf(-1), -1.5, 0.0, 1e-300, 2.0, math.Inf(1), math.NaN())},
		{dialect.MySQL, "DOUBLE", 0, row(-2.0, -0.5, 10.0)},
		{dialect.Postgres, "BOOL", 0, row(false, true)},
		{dialect.Postgres, "TEXT", merge.CollationBinary, row("", "A", "B", "a", "a b", "aa", "b", "ß", "é", "\uffee", "𝄞")},
		{dialect.MySQL, "VARCHAR", merge.CollationBinary, bytesOf("", "\t", " ", "A", "a", "a ", "é", "𝄞")},
		{dialect.MySQL, "VARCHAR", merge.CollationPadded, bytesOf("\t", "", "a\t", "a", "a!", "é")},
		{dialect.Postgres, "BPCHAR", merge.CollationBinary, row("  ", "a   ", "a\t  ", "a b ", "b   ")},
		{dialect.Postgres, "NAME", 0, row("a", "b")},
		{dialect.Postgres, "UUID", 0, row("00000000-0000-0000-0000-000000000001", "0a000000-0000-0000-0000-000000000000", "f0000000-0000-0000-0000-000000000000")},
		{dialect.Postgres, "BYTEA", 0, bytesOf("", "\x00", "\x00\x01", "\x7f", "\xff")},
		{dialect.MySQL, "VARBINARY", 0, bytesOf("", "\x00", " ", "\xff")},
		{dialect.Postgres, "TIMESTAMPTZ", 0, row("-infinity", day.In(berlin), day.Add(time.Microsecond), day.Add(time.Hour), "infinity")},
		{dialect.Postgres, "DATE", 0, row("-infinity", day, day.AddDate(0, 0, 1), "infinity")},
		{dialect.Postgres, "TIME", 0, row("00:00:00.000000", "09:00:00.000000", "09:00:00.500000", "23:00:00.000000")},
		{dialect.MySQL, "TIMESTAMP", 0, row(day, day.Add(1))},
		{dialect.MySQL, "DATETIME", 0, row(time.Time{}, day, time.Date(2026, 3, 1, 12, 30, 0, 0, berlin))},
		{dialect.MySQL, "DATETIME", 0, bytesOf("0000-00-00 00:00:00", "2026-03-01 12:00:00", "2026-10-01 00:00:00")},
		{dialect.MySQL, "TIME", 0, bytesOf("-838:59:59", "-00:00:01.500000", "-00:00:01", "00:00:00", "09:00:00", "10:00:00", "100:00:00")},
		{dialect.SQLite, "", merge.CollationBinary, row(math.Inf(-1), int64(-2), -1.5, float64(1<<53), int64(1)<<53+1, float64(1<<53)+2, int64(math.MaxInt64), float64(1<<63), math.Inf(1), "", "1", "A", "a", []byte("A"), []byte("a"))},
		{dialect.SQLite, "DATETIME", 0, row(day, day.Add(1))},
	}
}

// TestOrder merges values of every type that is compared, and sees that each is strictly less than the next one.
func TestOrder(t *testing.T) {
	for _, s := range scales() {
		t.Run(fmt.Sprintf("%d/%s/%d", s.engine, s.typ, s.collation), func(t *testing.T) {
			for _, descending := range []bool{false, true} {
				values := slices.Clone(s.values)
				if descending {
					slices.Reverse(values)
				}
				d := merge.Description{Engine: s.engine, Collations: []merge.Collation{s.collation}, Order: []merge.Sort{{Column: 0, Descending: descending}}}
				var answers []*answer
				for shard := range 3 {
					var rows [][]driver.Value
					for i := shard; i < len(values); i += 3 {
						rows = append(rows, row(values[i]))
					}
					answers = append(answers, table([]string{"v " + s.typ}, rows...))
				}
				got, err := mergeAll(t, d, merge.Options{}, answers...)
				require.NoError(t, err)
				for i, r := range got {
					require.Equal(t, fmt.Sprintf("%s", values[i]), fmt.Sprintf("%s", r[0]))
				}
				require.Len(t, got, len(values))
				for i := range len(values) - 1 {
					_, err := mergeAll(t, d, merge.Options{}, table([]string{"v " + s.typ}, row(values[i+1]), row(values[i])))
					var refused *merge.UnmergeableError
					require.ErrorAs(t, err, &refused, "%v before %v", values[i+1], values[i])
				}
			}
		})
	}
}

func TestOrderOfNull(t *testing.T) {
	const one = int64(1)
	for _, c := range []struct {
		engine     dialect.Engine
		descending bool
		nulls      merge.Nulls
		first      bool
	}{
		{dialect.Postgres, false, merge.NullsDefault, false},
		{dialect.Postgres, true, merge.NullsDefault, true},
		{dialect.Postgres, true, merge.NullsLast, false},
		{dialect.Postgres, false, merge.NullsFirst, true},
		{dialect.MySQL, false, merge.NullsDefault, true},
		{dialect.MySQL, true, merge.NullsDefault, false},
		{dialect.SQLite, false, merge.NullsDefault, true},
		{dialect.SQLite, true, merge.NullsDefault, false},
		{dialect.SQLite, true, merge.NullsFirst, true},
		{dialect.SQLite, false, merge.NullsLast, false},
	} {
		d := merge.Description{Engine: c.engine, Order: []merge.Sort{{Column: 0, Descending: c.descending, Nulls: c.nulls}}}
		typ := map[dialect.Engine]string{dialect.Postgres: "n INT8", dialect.MySQL: "n BIGINT", dialect.SQLite: "n INTEGER"}[c.engine]
		got, err := mergeAll(t, d, merge.Options{}, table([]string{typ}, row(one)), table([]string{typ}, row(nil)))
		require.NoError(t, err)
		want := row(one, nil)
		if c.first {
			want = row(nil, one)
		}
		require.Equal(t, want, column(got, 0), "%+v", c)
	}
}

// TestTies: equal rows come in the order of the sources, and by the columns that follow.
func TestTies(t *testing.T) {
	columns := []string{"n INT8", "m INT8", "shard TEXT"}
	d := merge.Description{Engine: dialect.Postgres, Order: []merge.Sort{{Column: 0}, {Column: 1, Descending: true}}}
	got, err := mergeAll(t, d, merge.Options{},
		table(columns, row(int64(1), int64(2), "a"), row(int64(1), int64(2), "a"), row(int64(2), int64(0), "a")),
		table(columns, row(int64(1), int64(3), "b"), row(int64(1), int64(2), "b"), row(int64(2), int64(0), "b")),
		table(columns, row(int64(1), int64(2), "c"), row(int64(2), int64(0), "c")))
	require.NoError(t, err)
	require.Equal(t, row("b", "a", "a", "b", "c", "a", "b", "c"), column(got, 2))
}

// TestUnmergeable: what cannot be compared as the database does is refused, each type for itself.
func TestUnmergeable(t *testing.T) {
	for _, c := range []struct {
		engine    dialect.Engine
		typ       string
		collation merge.Collation
		value     driver.Value
		distinct  bool // can be told apart
	}{
		{dialect.Postgres, "TEXT", merge.CollationUnknown, "a", false},
		{dialect.Postgres, "TEXT", merge.CollationDeterministic, "a", true},
		{dialect.Postgres, "BPCHAR", merge.CollationUnknown, "a", false},
		{dialect.Postgres, "JSONB", merge.CollationBinary, []byte("1"), false},
		{dialect.Postgres, "INTERVAL", merge.CollationBinary, "1 day", false},
		{dialect.Postgres, "TIMETZ", merge.CollationBinary, "09:00:00+01", false},
		{dialect.Postgres, "16402", merge.CollationBinary, "an enum", false},
		{dialect.Postgres, "_TEXT", merge.CollationBinary, "{a}", false},
		{dialect.MySQL, "VARCHAR", merge.CollationUnknown, []byte("a"), false},
		{dialect.MySQL, "FLOAT", merge.CollationBinary, float32(1), false},
		{dialect.MySQL, "ENUM", merge.CollationBinary, []byte("a"), false},
		{dialect.MySQL, "JSON", merge.CollationBinary, []byte("1"), false},
		{dialect.SQLite, "TEXT", merge.CollationUnknown, "a", false},
		{dialect.SQLite, "TEXT", merge.CollationDeterministic, "a", true},
		{dialect.Other, "INT8", merge.CollationBinary, int64(1), false},
		{dialect.Postgres, "INT8", merge.CollationBinary, true, false},
		{dialect.Postgres, "FLOAT8", merge.CollationBinary, "1", false},
		{dialect.Postgres, "NUMERIC", merge.CollationBinary, "1e5", false},
		{dialect.MySQL, "TIME", merge.CollationBinary, []byte("noon"), true},
		{dialect.SQLite, "DATETIME", merge.CollationBinary, true, false},
	} {
		d := merge.Description{Engine: c.engine, Collations: []merge.Collation{c.collation}}
		var refused *merge.UnmergeableError
		by := d
		by.Order = []merge.Sort{{Column: 0}}
		_, err := mergeAll(t, by, merge.Options{}, table([]string{"v " + c.typ}, row(c.value)), table([]string{"v " + c.typ}, row(c.value)))
		require.ErrorAs(t, err, &refused, "%+v", c)
		require.Equal(t, "v", refused.Column)
		if s, ok := c.value.(string); ok && len(s) > 1 {
			require.NotContains(t, err.Error(), s)
		}
		d.Distinct = true
		_, err = mergeAll(t, d, merge.Options{}, table([]string{"v " + c.typ}, row(c.value)))
		if c.distinct {
			require.NoError(t, err, "%+v", c)
			continue
		}
		require.ErrorAs(t, err, &refused, "%+v", c)
	}
}

// TestMixedTexts: SQLite's times stand in the text's place, so a time beside another text has no place.
func TestMixedTexts(t *testing.T) {
	d := merge.Description{Engine: dialect.SQLite, Collations: []merge.Collation{merge.CollationBinary}, Order: []merge.Sort{{Column: 0}}}
	_, err := mergeAll(t, d, merge.Options{}, table([]string{"v DATETIME"}, row(time.Now())), table([]string{"v DATETIME"}, row("yesterday")))
	var refused *merge.UnmergeableError
	require.ErrorAs(t, err, &refused)
	got, err := mergeAll(t, d, merge.Options{}, table([]string{"v DATETIME"}, row("yesterday")), table([]string{"v DATETIME"}, row(int64(3))))
	require.NoError(t, err)
	require.Equal(t, row(int64(3), "yesterday"), column(got, 0))
}
