package tenancy_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/gormtenancy/tenancy"
)

// TestShardKeyStays gives rows that are there another shard key, by all that ends in an upsert.
func TestShardKeyStays(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		t.Helper()
		for _, skip := range []bool{false, true} {
			l := newShardedLand(t, e, nil, &gorm.Config{SkipDefaultTransaction: skip})
			here := l.neighbours()
			first := Sale{ID: 1, Customer: here[0], Note: "first"}
			require.NoError(t, l.db.Create(&first).Error)
			for _, other := range []int64{here[1], here[2]} { // on the same shard, and on another
				err := l.db.Save(&Sale{ID: 1, Customer: other, Note: "taken"}).Error
				require.ErrorIs(t, err, tenancy.ErrCrossShard, "customer %d", other)
			}
			err := l.db.Clauses(clause.OnConflict{UpdateAll: true}).Create(&Sale{ID: 1, Customer: here[1], Note: "taken"}).Error
			require.ErrorIs(t, err, tenancy.ErrCrossShard)
			err = l.db.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "id"}}, DoUpdates: clause.AssignmentColumns([]string{"note"})}).
				Create(&[]Sale{{ID: 2, Customer: here[1], Note: "new"}, {ID: 1, Customer: here[1], Note: "taken"}}).Error
			require.ErrorIs(t, err, tenancy.ErrCrossShard)
			var all []Sale
			for _, s := range l.shards {
				var some []Sale
				require.NoError(t, s.Find(&some).Error)
				all = append(all, some...)
			}
			require.Equal(t, []Sale{first}, all)
			require.NoError(t, l.db.Save(&Sale{ID: 1, Customer: here[0], Note: "mine"}).Error)
			require.NoError(t, l.db.Save(&Sale{ID: 3, Customer: here[2], Note: "new"}).Error)
			require.NoError(t, l.db.Clauses(clause.OnConflict{UpdateAll: true}).Create(&[]Sale{{ID: 4, Customer: here[1]}, {ID: 1, Customer: here[0], Note: "again"}}).Error)
		}
	})
}

// neighbours returns two customers of one shard, and one of another.
func (l *shardedLand) neighbours() [3]int64 {
	l.Helper()
	on := map[int][]int64{}
	for c := int64(1); ; c++ {
		require.NoError(l, l.db.Create(&Sale{ID: 9000 + c, Customer: c}).Error)
		at := l.where(9000 + c)
		require.NoError(l, l.db.Where("customer = ?", c).Delete(&Sale{}).Error)
		on[at] = append(on[at], c)
		for other, customers := range on {
			if other != at && len(on[at]) >= 2 {
				return [3]int64{on[at][0], on[at][1], customers[0]}
			}
		}
	}
}
