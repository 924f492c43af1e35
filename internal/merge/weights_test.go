package merge_test

import (
	"database/sql/driver"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/internal/dialect"
	"github.com/gormtenancy/tenancy/internal/merge"
)

// TestWeights shows that the shorter weight is filled up with that of a space, which stands before a letter and behind a tab.
func TestWeights(t *testing.T) {
	columns := []string{"id BIGINT", "w BLOB"}
	for c, w := range map[merge.Collation]struct{ tab, letter string }{
		merge.CollationWeightsGeneral:    {"\x00A\x00\x09", "\x00A\x00A"},
		merge.CollationWeightsUnicode:    {"\x0E\x33\x02\x01", "\x0E\x33\x0E\x33"},
		merge.CollationWeightsUnicode520: {"\x12\x0F\x02\x01", "\x12\x0F\x12\x0F"},
	} {
		d := merge.Description{Engine: dialect.MySQL, Hidden: 1, HiddenCollations: []merge.Collation{c}, Order: []merge.Sort{{Column: -1}}}
		rows, err := mergeAll(t, d, merge.Options{},
			table(columns, row(int64(1), []byte(w.tab)), row(int64(3), []byte(w.letter))),
			table(columns, row(int64(2), []byte(w.tab[:2]))))
		require.NoError(t, err)
		require.Equal(t, []driver.Value{int64(1), int64(2), int64(3)}, column(rows, 0))
	}
}
