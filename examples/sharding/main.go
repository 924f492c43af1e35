// Command sharding shows orders that are spread over four databases by their customers: a row that goes where its key says, an
// ID that finds its shard, a batch over all of them, and a report that is what one database would say.
//
//	go run ./examples/sharding
//	go run ./examples/sharding -postgres "postgres://user@localhost/postgres?sslmode=disable"
//
// The first makes five SQLite files in a temporary folder. The second creates the databases tenancy_sharding and
// tenancy_sharding_orders0 to 3 on the server, and drops them at the end; the user must be allowed to create databases.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/examples/internal/page"
	"github.com/gormtenancy/tenancy/examples/internal/pgserver"
	"github.com/gormtenancy/tenancy/idgen"
)

func main() {
	dsn := flag.String("postgres", "", "connection string of a PostgreSQL server; without it, SQLite files are made")
	flag.Parse()
	ctx, stop := pgserver.Context()
	err := run(ctx, os.Stdout, *dsn)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "sharding:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, dsn string) (err error) {
	where, err := openStorage(ctx, dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, where.remove(ctx)) }()

	p := page.New(out)
	db, err := gorm.Open(where.home, &gorm.Config{Logger: p})
	if err != nil {
		return err
	}
	home, err := db.DB() // before db.Use: with several databases, tenancy.DB(db.WithContext(ctx)) is the way
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, home.Close()) }()

	ids, err := idgen.New(idgen.Config{Node: idgen.FixedNode(1)}) // each process needs a number of its own
	if err != nil {
		return err
	}
	plugin := tenancy.New(tenancy.Config{
		SQL:    where.sql,
		Shards: where.shards,
		Sharding: []tenancy.Sharding{{
			Models:   []any{&Order{}, &Line{}},
			Resolver: tenancy.Hash(slots, tenancy.EvenSlots(slots, where.placements()...)...),
			IDs:      ids,
		}},
	})
	if err := db.Use(plugin); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, plugin.Close()) }()

	for _, part := range []func(context.Context, *page.Page, *gorm.DB) error{makeTables, oneCustomer, byID, everybody, report, refused} {
		if err := part(ctx, p, db); err != nil {
			return err
		}
	}
	return count(ctx, p, db, where.placements())
}

func makeTables(ctx context.Context, p *page.Page, db *gorm.DB) error {
	p.Title("Four databases", "The tables are made in each.")
	everywhere := db.WithContext(tenancy.OnAllShards(ctx))
	if err := everywhere.AutoMigrate(&Order{}, &Line{}); err != nil {
		return err
	}
	p.Row("orders and lines are on all shards: %t", everywhere.Migrator().HasTable(&Order{}) && everywhere.Migrator().HasTable(&Line{}))
	return nil
}

// oneCustomer works as any GORM program: the customer in the conditions says where.
func oneCustomer(ctx context.Context, p *page.Page, db *gorm.DB) error {
	p.Title("One customer", "All that a customer has is on one shard, so joins, transactions and preloading run there.")
	db = db.WithContext(ctx)
	err := db.Transaction(func(tx *gorm.DB) error {
		order := Order{CustomerID: 42, Country: "NO", Cents: 129_00, Lines: []Line{{Product: "lamp"}, {Product: "chair"}}}
		return tx.Create(&order).Error
	})
	if err != nil {
		return err
	}
	var orders []Order
	if err := db.Preload("Lines").Where("customer_id = ?", 42).Find(&orders).Error; err != nil {
		return err
	}
	p.Row("customer 42 has %d order with %d lines", len(orders), len(orders[0].Lines))

	var products []string
	err = db.Model(&Order{}).Joins("JOIN lines ON lines.customer_id = orders.customer_id AND lines.order_id = orders.id").
		Where("orders.customer_id = ?", 42).Order("lines.product").Pluck("lines.product", &products).Error
	p.Row("with a join: %v", products)
	return err
}

// byID finds an order as a link in a mail would name it.
func byID(ctx context.Context, p *page.Page, db *gorm.DB) error {
	p.Title("An ID that finds its shard", "The primary key carries the number of its slot, so it alone says where the row is.")
	db = db.WithContext(ctx)
	order := Order{CustomerID: 7, Country: "DE", Cents: 15_00}
	if err := db.Create(&order).Error; err != nil {
		return err
	}
	var found Order
	if err := db.First(&found, order.ID).Error; err != nil {
		return err
	}
	p.Row("First(&order, id) found the order of customer %d", found.CustomerID)
	if err := db.Model(&Order{}).Where("id = ?", order.ID).Update("cents", 20_00).Error; err != nil {
		return err
	}
	p.Row("Where(\"id = ?\", id) changed it")
	return nil
}

// everybody creates orders of many customers at once.
func everybody(ctx context.Context, p *page.Page, db *gorm.DB) error {
	p.Title("A batch of many customers", "It is split. Each shard commits its part, so the context has to allow it.")
	orders := make([]Order, 0, 100)
	for customer := range int64(100) {
		orders = append(orders, Order{CustomerID: 100 + customer, Country: []string{"DE", "NO", "SE"}[customer%3], Cents: 1_00 * (customer + 1)})
	}
	if err := p.Refused("without OnAllShards", db.WithContext(ctx).Create(&orders).Error, tenancy.ErrCrossShard); err != nil {
		return err
	}
	tx := db.WithContext(tenancy.OnAllShards(ctx)).Create(&orders)
	if tx.Error != nil {
		return tx.Error
	}
	p.Row("with it: %d orders", tx.RowsAffected)
	return nil
}

// report asks all shards, and prints what one database would have said.
func report(ctx context.Context, p *page.Page, db *gorm.DB) error {
	p.Title("A report over all", "Each shard adds up its own rows; the sums, averages and the order are those of all.")
	p.ShowSQL = true
	defer func() { p.ShowSQL = false }()
	everywhere := db.WithContext(tenancy.OnAllShards(ctx))
	var countries []struct {
		Country string
		Orders  int64
		Cents   int64
		Average float64
	}
	err := everywhere.Model(&Order{}).Select("country, count(*) AS orders, sum(cents) AS cents, avg(cents) AS average").
		Group("country").Having("count(*) > ?", 10).Order("sum(cents) DESC").Scan(&countries).Error
	if err != nil {
		return err
	}
	for _, c := range countries {
		p.Row("%s: %d orders, %.2f in all, %.2f on average", c.Country, c.Orders, float64(c.Cents)/100, c.Average/100)
	}
	var dearest []Order
	if err := everywhere.Order("cents DESC").Offset(1).Limit(3).Find(&dearest).Error; err != nil {
		return err
	}
	for _, o := range dearest {
		p.Row("customer %d paid %.2f", o.CustomerID, float64(o.Cents)/100)
	}
	return nil
}

// refused tries what would give a part of the rows, or need two shards.
func refused(ctx context.Context, p *page.Page, db *gorm.DB) error {
	p.Title("What is refused", "A statement never runs on a part of the rows without saying so.")
	db = db.WithContext(ctx)
	everywhere := db.WithContext(tenancy.OnAllShards(ctx))
	attempts := []struct {
		what string
		err  error
		want error
	}{
		{"all orders, and no word of all shards", db.Find(&[]Order{}).Error, tenancy.ErrMissingShardKey},
		{"an order goes to another customer", db.Model(&Order{}).Where("customer_id = ?", 42).Update("customer_id", 43).Error, tenancy.ErrCrossShard},
		{"a running total over all", everywhere.Raw("SELECT sum(cents) OVER (ORDER BY id) FROM orders").Scan(&[]int64{}).Error, tenancy.ErrUnmergeable},
	}
	for _, a := range attempts {
		if err := p.Refused(a.what, a.err, a.want); err != nil {
			return err
		}
	}
	return nil
}

// count looks into each database by itself.
func count(ctx context.Context, p *page.Page, db *gorm.DB, placements []tenancy.Placement) error {
	p.Title("Where they are", "Each database by itself.")
	for _, at := range placements {
		var n int64
		if err := db.WithContext(tenancy.WithPlacement(ctx, at)).Model(&Order{}).Count(&n).Error; err != nil {
			return err
		}
		p.Row("%s: %d orders", at.Shard, n)
	}
	return nil
}
