package tenancy_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
)

func TestSuffixedTables(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, e engine) {
		t.Helper()
		l := newLand(t, e, e.fresh(t)(), &gorm.Config{DisableForeignKeyConstraintWhenMigrating: true}, tenancy.Config{
			Global: []any{&Country{}}, Resolver: tenancy.List(map[tenancy.ID]tenancy.Placement{
				"a": {TableSuffix: "_01"}, "b": {TableSuffix: "_02"},
			}),
		})
		pool, err := tenancy.DB(l.db)
		require.NoError(t, err)
		require.NoError(t, l.db.AutoMigrate(&Customer{}, &Order{}, &Tag{}))
		for _, table := range []string{"customers", "orders", "tags", "customer_tags"} {
			for _, suffix := range []string{"_01", "_02"} {
				text := "CREATE TABLE " + table + suffix + " AS SELECT * FROM " + table
				switch e.name {
				case "postgres":
					text = "CREATE TABLE " + table + suffix + " (LIKE " + table + " INCLUDING ALL)"
				case "mysql":
					text = "CREATE TABLE " + table + suffix + " LIKE " + table
				}
				_, err := pool.Exec(text)
				require.NoError(t, err)
			}
			_, err := pool.Exec("ALTER TABLE " + table + " RENAME TO template_of_" + table)
			require.NoError(t, err)
		}
		for _, id := range []tenancy.ID{"a", "b"} {
			require.NoError(t, l.as(id).Create(&Order{ID: 1, Item: "x"}).Error, id)
		}
		require.ErrorIs(t, l.as("a").AutoMigrate(&Tag{}), tenancy.ErrInvalidConfig)
		if e.name != "sqlite" { // CREATE TABLE AS makes no keys there
			require.NoError(t, l.as("a").Where("1 = 1").Delete(&Order{}).Error)
			require.NoError(t, l.as("b").Where("1 = 1").Delete(&Order{}).Error)
			l.live(t, "a", "b")
		}
	})
}
