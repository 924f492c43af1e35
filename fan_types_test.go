package tenancy_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy"
)

// TestDynamicTypesOverShards is about promise 5: on SQLite a column can have a type in one row and another in the next, and rows
// over many shards are scanned into maps as those of one database.
func TestDynamicTypesOverShards(t *testing.T) {
	l := newShardedLand(t, sqliteEngine(t), nil, nil)
	values := []any{nil, int64(7), 1.5, "text"}
	for i, v := range values {
		require.NoError(t, l.db.Create(&Sale{ID: int64(i + 1), Customer: int64(i + 1)}).Error)
		require.NoError(t, l.shards[l.where(int64(i+1))].Exec("UPDATE sales SET amount = ? WHERE id = ?", v, i+1).Error)
	}
	rows, err := l.db.WithContext(tenancy.OnAllShards(t.Context())).Model(&Sale{}).Order("id").Rows()
	require.NoError(t, err)
	defer rows.Close() //nolint:errcheck // Err is asked
	var got []any
	for rows.Next() {
		row := map[string]any{}
		require.NoError(t, l.db.ScanRows(rows, &row))
		got = append(got, row["amount"])
	}
	require.NoError(t, rows.Err())
	require.Equal(t, "[<nil> 7 1.5 text]", fmt.Sprint(got))
}

func sqliteEngine(t *testing.T) engine {
	t.Helper()
	for _, e := range engines {
		if e.name == "sqlite" {
			return e
		}
	}
	t.Fatal("there is no SQLite")
	return engine{}
}
