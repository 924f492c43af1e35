package merge_test

import (
	"database/sql/driver"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/internal/dialect"
	"github.com/gormtenancy/tenancy/internal/merge"
)

// TestHiddenColumns shows that what stands at the end sorts the rows and is not given, however many columns there are.
func TestHiddenColumns(t *testing.T) {
	d := merge.Description{
		Engine: dialect.Postgres, Hidden: 2, HiddenCollations: []merge.Collation{merge.CollationBinary, merge.CollationUnknown},
		Order: []merge.Sort{{Column: -2}, {Column: -1, Descending: true}},
	}
	columns := []string{"id INT4", "a TEXT", "b INT4"}
	rows, err := mergeAll(t, d, merge.Options{},
		table(columns, row(int64(1), "x", int64(3)), row(int64(2), "z", int64(1))),
		table(columns, row(int64(3), "x", int64(4)), row(int64(4), "y", int64(1))))
	require.NoError(t, err)
	require.Equal(t, [][]driver.Value{{int64(3)}, {int64(1)}, {int64(4)}, {int64(2)}}, rows)

	d.Hidden, d.Order = 3, nil
	_, err = mergeAll(t, d, merge.Options{}, table(columns), table(columns))
	require.ErrorIs(t, err, merge.ErrDescription)
}

// TestNamedCollations shows that columns of which the number is not known have collations by their names.
func TestNamedCollations(t *testing.T) {
	columns := []string{"a TEXT"}
	d := merge.Description{Engine: dialect.Postgres, Distinct: true, Named: map[string]merge.Collation{"a": merge.CollationDeterministic}}
	rows, err := mergeAll(t, d, merge.Options{}, table(columns, row("x")), table(columns, row("x"), row("y")))
	require.NoError(t, err)
	require.Equal(t, []driver.Value{"x", "y"}, column(rows, 0))
	d.Named = nil
	_, err = mergeAll(t, d, merge.Options{}, table(columns, row("x")), table(columns))
	var unmergeable *merge.UnmergeableError
	require.ErrorAs(t, err, &unmergeable)
}

// TestCollationsOfSQLite shows how NOCASE and RTRIM compare.
func TestCollationsOfSQLite(t *testing.T) {
	columns := []string{"a TEXT"}
	for _, c := range []struct {
		collation     merge.Collation
		sorted, equal []driver.Value
	}{
		{merge.CollationNoCase, []driver.Value{"A", "b", "C", "Ä"}, []driver.Value{"aB", "Ab"}},
		{merge.CollationTrimmed, []driver.Value{"a ", "a  b", "b"}, []driver.Value{"a", "a  "}},
	} {
		d := merge.Description{Engine: dialect.SQLite, Collations: []merge.Collation{c.collation}, Order: []merge.Sort{{Column: 0}}}
		var odd, even [][]driver.Value
		for i, v := range c.sorted {
			if i%2 == 0 {
				even = append(even, row(v))
			} else {
				odd = append(odd, row(v))
			}
		}
		rows, err := mergeAll(t, d, merge.Options{}, table(columns, odd...), table(columns, even...))
		require.NoError(t, err)
		require.Equal(t, c.sorted, column(rows, 0))
		d.Distinct = true
		rows, err = mergeAll(t, d, merge.Options{}, table(columns, row(c.equal[0])), table(columns, row(c.equal[1])))
		require.NoError(t, err)
		require.Len(t, rows, 1)
	}
}

// TestAlike shows that a key of SQLite's is not compared with a value of another type, which its affinity may change.
func TestAlike(t *testing.T) {
	columns := []string{"a TEXT"}
	for alike, fails := range map[bool]bool{true: true, false: false} {
		d := merge.Description{Engine: dialect.SQLite, Groups: &merge.Groups{
			Keys: []int{0}, Results: []merge.Result{{Func: merge.Key}},
			Having: merge.Comparison{Left: merge.Column(0), Op: merge.Equal, Right: merge.Constant("5"), Alike: alike},
		}, Collations: []merge.Collation{merge.CollationBinary}}
		_, err := mergeAll(t, d, merge.Options{}, table(columns, row(int64(5))), table(columns))
		var unmergeable *merge.UnmergeableError
		if fails {
			require.ErrorAs(t, err, &unmergeable)
			continue
		}
		require.NoError(t, err)
	}
}
