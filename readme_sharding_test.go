package tenancy_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/idgen"
	"github.com/gormtenancy/tenancy/sqlite"
	sqlproof "github.com/gormtenancy/tenancy/sqlproof/sqlite"
)

type Payment struct {
	ID       int64 // made by Sharding.IDs: it carries the number of its shard
	Customer int64 `tenancy:"shard_key"`
	Cents    int64
}

// Payments are spread over two databases by their customers.
func Example_sharding() {
	dir, _ := os.MkdirTemp("", "tenancy-example-")
	defer func() { _ = os.RemoveAll(dir) }()
	if err := runSharding(context.Background(), dir); err != nil {
		fmt.Println(err)
	}

	// Output:
	// without a key: true
	// dearest: [9900 8800]
	// by customer: [{7 2 12000} {8 1 8800}]
}

func runSharding(ctx context.Context, dir string) error {
	var paths []string
	for _, name := range []string{"s0.db", "s1.db"} {
		paths = append(paths, filepath.Join(dir, name))
		if err := os.WriteFile(paths[len(paths)-1], nil, 0o600); err != nil {
			return err
		}
	}
	db, err := gorm.Open(sqlite.Open(filepath.Join(dir, "home.db")), &gorm.Config{Logger: logger.Discard})
	if err != nil {
		return err
	}
	numbers, err := idgen.New(idgen.Config{Node: idgen.FixedNode(1)}) // each process has a number of its own
	if err != nil {
		return err
	}
	s0, s1 := tenancy.Placement{Shard: "s0"}, tenancy.Placement{Shard: "s1"}
	plugin := tenancy.New(tenancy.Config{
		SQL: sqlproof.New(),
		Sharding: []tenancy.Sharding{{
			Models:   []any{&Payment{}},
			Resolver: tenancy.Hash(64, tenancy.EvenSlots(64, s0, s1)...),
			IDs:      numbers,
		}},
		Shards: []tenancy.Shard{
			{Name: "s0", Primary: sqlite.Open(paths[0])},
			{Name: "s1", Primary: sqlite.Open(paths[1])},
		},
	})
	if err := db.Use(plugin); err != nil {
		return err
	}
	defer func() { _ = plugin.Close() }()

	if err := db.WithContext(tenancy.OnAllShards(ctx)).AutoMigrate(&Payment{}); err != nil {
		return err
	}

	payments := []Payment{{Customer: 7, Cents: 9900}, {Customer: 7, Cents: 2100}, {Customer: 8, Cents: 8800}}
	err = db.WithContext(tenancy.OnAllShards(ctx)).Create(&payments).Error // split; each shard commits its part
	if err != nil {
		return err
	}

	db.Where("customer = ?", 7).Find(&payments) // asks the shard of customer 7
	var payment Payment
	db.First(&payment, payments[0].ID) // asks the shard that the ID carries
	err = db.Where("cents > ?", 5000).Find(&payments).Error
	fmt.Println("without a key:", errors.Is(err, tenancy.ErrMissingShardKey))

	everywhere := db.WithContext(tenancy.OnAllShards(ctx))
	var dearest []int64
	everywhere.Model(&Payment{}).Order("cents DESC").Limit(2).Pluck("cents", &dearest)
	fmt.Println("dearest:", dearest)

	var totals []struct{ Customer, N, Cents int64 }
	everywhere.Model(&Payment{}).Select("customer, count(*) AS n, sum(cents) AS cents").
		Group("customer").Having("sum(cents) > ?", 5000).Order("sum(cents) DESC").Scan(&totals)
	fmt.Println("by customer:", totals)
	return nil
}
