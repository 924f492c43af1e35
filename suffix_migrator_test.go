package tenancy_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gormtenancy/tenancy"
)

// Wagon is in tables with a suffix, with all that a tag can name.
type Wagon struct {
	ID     int64  `gorm:"uniqueIndex:of_line,priority:2"`
	Line   string `gorm:"size:20;uniqueIndex:of_line,priority:1" tenancy:"shard_key"`
	Number string `gorm:"size:20;index:by_number;index"`
	Seats  int    `gorm:"check:some_seats,seats > 0"`
	Weight int
	Doors  []Door `gorm:"foreignKey:Line,WagonID;references:Line,ID;constraint:doors_of_wagon,OnDelete:CASCADE"`
}

// Door is where its wagon is.
type Door struct {
	ID      int64
	Line    string `gorm:"size:20" tenancy:"shard_key"`
	WagonID int64
	Code    string `gorm:"size:20;unique"`
}

// Paint is the same everywhere.
type Paint struct {
	Code string `gorm:"primaryKey;size:20"`
}

// TestMigratorOfSuffixes makes tables with suffixes in two databases, one of which is the default one.
func TestMigratorOfSuffixes(t *testing.T) {
	eachEngine(t, func(t *testing.T, e engine) {
		t.Helper()
		home, other := e.fresh(t), e.fresh(t)
		var plain []*gorm.DB
		for _, open := range []func() gorm.Dialector{home, other} {
			db, err := gorm.Open(open(), &gorm.Config{Logger: logger.Discard})
			require.NoError(t, err)
			pool, err := db.DB()
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, pool.Close()) })
			plain = append(plain, db)
		}
		db, err := gorm.Open(home(), &gorm.Config{Logger: logger.Discard})
		require.NoError(t, err)
		own, err := db.DB()
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, own.Close()) })
		at := map[string]tenancy.Placement{
			"a": {TableSuffix: "_00"}, "b": {TableSuffix: "_01"}, "c": {Shard: "two", TableSuffix: "_00"}, "d": {Shard: "two", TableSuffix: "_01"},
		}
		plugin := tenancy.New(tenancy.Config{
			SQL: e.sql(), Reference: []any{&Paint{}}, Shards: []tenancy.Shard{{Name: "two", Primary: other()}},
			Sharding: []tenancy.Sharding{{Models: []any{&Wagon{}, &Door{}}, Resolver: tenancy.List(at)}},
		})
		require.NoError(t, db.Use(plugin))
		t.Cleanup(func() { require.NoError(t, plugin.Close()) })

		everywhere := db.WithContext(tenancy.OnAllShards(t.Context()))
		m := everywhere.Migrator()
		require.False(t, m.HasTable(&Wagon{}))
		for range 2 { // the second time there is nothing to do
			require.NoError(t, everywhere.AutoMigrate(&Wagon{}, &Door{}, &Paint{}))
		}
		for _, p := range plain {
			names, err := p.Migrator().GetTables()
			require.NoError(t, err)
			require.Subset(t, names, []string{"wagons_00", "wagons_01", "doors_00", "doors_01", "paints"})
			require.NotContains(t, names, "wagons")
			for _, suffix := range []string{"_00", "_01"} {
				require.True(t, p.Migrator().HasIndex("wagons"+suffix, "by_number"+suffix))
				require.True(t, p.Migrator().HasIndex("wagons"+suffix, "idx_wagons"+suffix+"_number"))
				require.True(t, p.Migrator().HasConstraint("doors"+suffix, "doors_of_wagon"+suffix))
			}
		}
		for _, name := range []string{"by_number", "idx_wagons_number", "of_line", "Number"} {
			require.True(t, m.HasIndex(&Wagon{}, name), name)
		}
		for _, name := range []string{"some_seats", "doors_of_wagon", "Doors"} {
			require.True(t, m.HasConstraint(&Wagon{}, name), name)
		}
		require.True(t, m.HasTable("wagons"))

		for i, line := range []string{"a", "b", "c", "d"} {
			wagon := Wagon{ID: int64(i + 1), Line: line, Number: "n", Seats: 1, Doors: []Door{{ID: int64(i + 1), Code: line}}}
			require.NoError(t, db.Create(&wagon).Error)
			require.Error(t, db.Create(&Wagon{ID: int64(i + 100), Line: line, Seats: -1}).Error, "the check")
			require.Error(t, db.Create(&Door{ID: int64(i + 100), Line: line, WagonID: 77, Code: "x"}).Error, "the foreign key")
		}
		var n int64
		require.NoError(t, everywhere.Model(&Wagon{}).Count(&n).Error)
		require.EqualValues(t, 4, n)
		require.NoError(t, plain[1].Table("wagons_01").Count(&n).Error)
		require.EqualValues(t, 1, n)

		require.NoError(t, m.DropIndex(&Wagon{}, "by_number"))
		require.False(t, m.HasIndex(&Wagon{}, "by_number"))
		require.False(t, plain[0].Migrator().HasIndex("wagons_01", "by_number_01"))
		require.NoError(t, m.CreateIndex(&Wagon{}, "by_number"))
		require.NoError(t, m.DropColumn(&Wagon{}, "Weight"))
		require.False(t, plain[1].Migrator().HasColumn("wagons_00", "weight"))
		require.NoError(t, everywhere.AutoMigrate(&Wagon{}))
		require.True(t, m.HasColumn(&Wagon{}, "Weight"))
		require.NoError(t, everywhere.Model(&Wagon{}).Count(&n).Error)
		require.EqualValues(t, 4, n, "no row was lost")

		one := db.WithContext(tenancy.WithPlacement(t.Context(), at["d"]))
		require.NoError(t, one.Migrator().DropTable(&Door{}))
		require.False(t, m.HasTable(&Door{}))
		require.True(t, plain[0].Migrator().HasTable("doors_01"))
		require.NoError(t, one.AutoMigrate(&Door{}))
		require.True(t, m.HasTable(&Door{}))
		require.NoError(t, m.DropTable(&Wagon{}, &Door{}))
		for i, p := range plain {
			names, err := p.Migrator().GetTables()
			require.NoError(t, err)
			for _, name := range names {
				require.Contains(t, []string{"paints", "sqlite_sequence"}, name, fmt.Sprint(i))
			}
		}
	})
}
