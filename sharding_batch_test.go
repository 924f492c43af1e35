package tenancy_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"

	"github.com/gormtenancy/tenancy"
)

// TestBatchesOverShards is about promise 5: a batch that is split is written as it would be in one database.
func TestBatchesOverShards(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		t.Helper()
		l := newShardedLand(t, e, nil, nil)
		db := l.db.WithContext(tenancy.OnAllShards(t.Context()))
		read := func() (all []Sale) {
			t.Helper()
			for _, s := range l.shards {
				part := []Sale{}
				require.NoError(t, s.Find(&part).Error)
				all = append(all, part...)
			}
			return all
		}
		sales := func(note string) []Sale {
			var all []Sale
			for id := int64(1); id <= 8; id++ {
				all = append(all, Sale{ID: id, Customer: id, Note: note})
			}
			return all
		}
		batch := sales("first")
		for i := range batch {
			batch[i].Lines = []SaleLine{{ID: 10 + int64(i)}}
		}
		require.NoError(t, db.Create(&batch).Error)
		lines := int64(0)
		for _, s := range l.shards {
			var n int64
			require.NoError(t, s.Model(&SaleLine{}).Count(&n).Error)
			lines += n
		}
		require.EqualValues(t, 8, lines)

		again := sales("second")
		require.NoError(t, db.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "id"}}, DoNothing: true}).Create(&again).Error)
		found := read()
		require.Len(t, found, 8)
		for _, s := range found {
			require.Equal(t, "first", s.Note)
		}
		again = sales("third")
		require.NoError(t, db.Clauses(clause.OnConflict{UpdateAll: true}).Create(&again).Error)
		found = read()
		require.Len(t, found, 8)
		for _, s := range found {
			require.Equal(t, "third", s.Note)
		}

		maps := []map[string]any{{"id": 21, "customer": 1, "note": "map", "amount": 0}, {"id": 22, "customer": 2, "note": "map", "amount": 0}, {"id": 23, "customer": 3, "note": "map", "amount": 0}}
		tx := db.Model(&Sale{}).Create(&maps)
		require.NoError(t, tx.Error)
		require.EqualValues(t, 3, tx.RowsAffected)

		some := []Sale{{ID: 31, Customer: 1, Note: "left out", Amount: 5}, {ID: 32, Customer: 2, Note: "left out", Amount: 5}, {ID: 33, Customer: 3, Note: "left out", Amount: 5}}
		require.NoError(t, db.Session(&gorm.Session{}).Omit("Note").Create(&some).Error)
		found = read()
		for _, s := range found {
			if s.ID > 30 {
				require.Empty(t, s.Note)
				require.Equal(t, 5, s.Amount)
			}
		}
	})
}

// Visit has a time of its last change.
type Visit struct {
	ID        int64
	Customer  int64 `tenancy:"shard_key"`
	UpdatedAt time.Time
}

// TestSaveOfRowsOnSeveralShards has in the rows the times that were written.
func TestSaveOfRowsOnSeveralShards(t *testing.T) {
	t.Parallel()
	e := engines[0]
	var ticks atomic.Int64
	var shards []tenancy.Shard
	at := map[int64]tenancy.Placement{}
	for i := range int64(2) {
		name := fmt.Sprintf("v%d", i)
		shards = append(shards, tenancy.Shard{Name: name, Primary: e.fresh(t)()})
		at[i] = tenancy.Placement{Shard: name}
	}
	for _, s := range shards { // a database is there as soon as its file is
		plain, err := gorm.Open(s.Primary, &gorm.Config{Logger: logger.Discard})
		require.NoError(t, err)
		require.NoError(t, plain.AutoMigrate(&Visit{}))
		closePlain(t, plain)
	}
	db, err := gorm.Open(e.fresh(t)(), &gorm.Config{
		Logger: logger.Discard, NowFunc: func() time.Time { return time.Unix(1_800_000_000+ticks.Add(1), 0).UTC() }, // never the same
	})
	require.NoError(t, err)
	plugin := tenancy.New(tenancy.Config{
		SQL: e.sql(), Shards: shards, Sharding: []tenancy.Sharding{{Models: []any{&Visit{}}, Resolver: tenancy.List(at)}},
	})
	require.NoError(t, db.Use(plugin))
	t.Cleanup(func() { require.NoError(t, plugin.Close()) })
	everywhere := db.WithContext(tenancy.OnAllShards(t.Context()))
	visits := []Visit{{ID: 1, Customer: 0}, {ID: 2, Customer: 1}}
	require.NoError(t, everywhere.Create(&visits).Error)
	require.NoError(t, everywhere.Save(&visits).Error)
	var stored []Visit
	require.NoError(t, everywhere.Order("id").Find(&stored).Error)
	for i := range stored {
		require.True(t, stored[i].UpdatedAt.Equal(visits[i].UpdatedAt), "%v is stored, %v in the row", stored[i].UpdatedAt, visits[i].UpdatedAt)
	}
}
