package tenancy_test

import (
	"database/sql"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy"
)

// TestByDate: a period is in UTC, whatever the zone of the key. testdata/placements/by_date.txt has more dates.
func TestByDate(t *testing.T) {
	t.Parallel()
	for unit, want := range map[tenancy.DateUnit]time.Time{
		tenancy.Day:     time.Date(2024, 12, 31, 0, 0, 0, 0, time.UTC),
		tenancy.Week:    time.Date(2024, 12, 30, 0, 0, 0, 0, time.UTC),
		tenancy.Month:   time.Date(2024, 12, 1, 0, 0, 0, 0, time.UTC),
		tenancy.Quarter: time.Date(2024, 10, 1, 0, 0, 0, 0, time.UTC),
		tenancy.Year:    time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		key := time.Date(2025, 1, 1, 0, 59, 59, 999, time.FixedZone("", 3600))
		for _, key := range []any{key, &key, key.UTC(), sql.NullTime{Time: key, Valid: true}} {
			r := tenancy.ByDate(unit, func(begin time.Time) tenancy.Placement {
				require.Equal(t, want.String(), begin.String()) // not only the same instant
				return tenancy.Placement{TableSuffix: begin.Format("_2006_01")}
			})
			at, err := r.Resolve(t.Context(), key)
			require.NoError(t, err)
			require.Equal(t, tenancy.Placement{TableSuffix: want.Format("_2006_01")}, at)
			_, lists := r.(tenancy.PlacementLister)
			require.False(t, lists, "it does not know its periods")
		}
	}
}
