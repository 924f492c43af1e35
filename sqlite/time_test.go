package sqlite_test

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/sqlite"
)

type event struct {
	ID        uint
	At        time.Time
	CreatedAt time.Time
	UpdatedAt time.Time
}

func TestTimes(t *testing.T) {
	t.Parallel()

	east, west := time.FixedZone("east", 9*3600+1800), time.FixedZone("west", -8*3600)
	base := time.Date(2026, 3, 1, 23, 30, 0, 0, time.UTC)
	// In order of the instant; as texts with their own offsets they are not.
	instants := []time.Time{
		base.In(east),
		base.Add(time.Nanosecond).In(west),
		base.Add(100 * time.Millisecond),
		base.Add(120 * time.Millisecond).In(east),
		base.Add(time.Second).In(west),
		base.Add(time.Hour),
		time.Now(), // with a monotonic clock, in the local zone
		time.Now().Add(time.Hour).In(west),
	}

	for name, path := range map[string]string{"file": filepath.Join(t.TempDir(), "x.db"), "memory": ":memory:"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			db := open(t, sqlite.Open(path))
			require.NoError(t, db.AutoMigrate(&event{}))

			for i, at := range slices.Backward(instants) {
				require.NoError(t, db.Create(&event{ID: uint(i + 1), At: at}).Error)
			}

			var got []event
			require.NoError(t, db.Order("at").Find(&got).Error)
			require.Len(t, got, len(instants))

			for i, e := range got {
				require.True(t, instants[i].Equal(e.At), "%d: %v, stored as %v", i, instants[i], e.At)
				require.Equal(t, time.UTC, e.At.Location())

				var text string
				require.NoError(t, db.Raw("SELECT CAST(at AS text) FROM events WHERE id = ?", e.ID).Scan(&text).Error)
				require.Regexp(t, `^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,9})?\+00:00$`, text)

				var equal, later int64
				require.NoError(t, db.Model(&event{}).Where("at = ?", instants[i]).Count(&equal).Error)
				require.NoError(t, db.Model(&event{}).Where("at > ?", instants[i]).Count(&later).Error)
				require.EqualValues(t, 1, equal)
				require.EqualValues(t, len(instants)-1-i, later)
			}
		})
	}
}

func TestAutoTimes(t *testing.T) {
	t.Parallel()

	db := openFile(t)
	require.NoError(t, db.AutoMigrate(&event{}))

	before := time.Now()
	e := event{At: before}
	require.NoError(t, db.Create(&e).Error)
	after := time.Now()

	var got event
	require.NoError(t, db.Where("created_at >= ? AND created_at <= ?", before, after).First(&got).Error)
	require.True(t, e.CreatedAt.Equal(got.CreatedAt))
	require.True(t, e.UpdatedAt.Equal(got.UpdatedAt))

	var n int64
	require.NoError(t, db.Model(&event{}).Where("created_at > ?", after).Count(&n).Error)
	require.Zero(t, n)

	// SQLite's own functions understand the text.
	var seconds int64
	require.NoError(t, db.Raw("SELECT unixepoch(created_at) FROM events").Scan(&seconds).Error)
	require.Equal(t, e.CreatedAt.Unix(), seconds)
}
