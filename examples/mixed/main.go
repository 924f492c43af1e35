// Command mixed shows one application whose tenants are in different places: a big one in a database of its own with a
// replica, one in a schema of its own, the rest in tables that they share. No handler knows which.
//
//	go run ./examples/mixed
//	go run ./examples/mixed -postgres "postgres://user@localhost/postgres?sslmode=disable"
//
// The first makes two SQLite files in a temporary folder, and so has neither schemas nor replicas. The second has both: it
// creates the databases tenancy_mixed and tenancy_mixed_hooli on the server, and drops them at the end; the user must be
// allowed to create databases.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/examples/internal/page"
	"github.com/gormtenancy/tenancy/examples/internal/pgserver"
)

func main() {
	dsn := flag.String("postgres", "", "connection string of a PostgreSQL server; without it, SQLite files are made")
	flag.Parse()
	ctx, stop := pgserver.Context()
	err := run(ctx, os.Stdout, *dsn)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "mixed:", err)
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

	plugin := tenancy.New(tenancy.Config{
		Models:    []any{&Device{}},
		Reference: []any{&Product{}},
		Global:    []any{&Alert{}},
		Resolver:  tenancy.List(where.placements),
		Shards:    []tenancy.Shard{where.hooli},
		SQL:       where.sql,
	})
	if err := db.Use(plugin); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, plugin.Close()) }()

	if err := migrate(ctx, p, db, plugin, where.placements); err != nil {
		return err
	}
	if err := writeProducts(ctx, p, db); err != nil {
		return err
	}
	if err := useDevices(ctx, p, db, plugin); err != nil {
		return err
	}
	if err := cross(ctx, p, db); err != nil {
		return err
	}
	return list(ctx, p, db, plugin)
}

func migrate(ctx context.Context, p *page.Page, db *gorm.DB, plugin *tenancy.Plugin, placements map[tenancy.ID]tenancy.Placement) error {
	p.Title("Everybody's tables", "ForEachTenant goes to each tenant, wherever it is. Those that share tables find them made.")
	if err := db.WithContext(ctx).AutoMigrate(&Product{}, &Alert{}); err != nil { // where nobody is named: at home
		return err
	}
	return plugin.ForEachTenant(ctx, 1, func(ctx context.Context, id tenancy.ID) error {
		if err := db.WithContext(ctx).AutoMigrate(&Product{}, &Device{}); err != nil {
			return err
		}
		p.Row("%s: %s", id, describe(placements[id]))
		return nil
	})
}

// writeProducts writes the reference rows, the same ones to each database.
func writeProducts(ctx context.Context, p *page.Page, db *gorm.DB) error {
	p.Title("A reference table", "It is written in all databases at once, if the context says so. A write that does not is refused.")
	products := []Product{{Code: "s1", Name: "Sensor"}, {Code: "c4", Name: "Camera"}}
	if err := db.WithContext(tenancy.OnAllShards(ctx)).Create(&products).Error; err != nil {
		return err
	}
	for _, at := range []tenancy.Placement{{}, {Shard: hooli}} {
		var n int64
		if err := db.WithContext(tenancy.WithPlacement(ctx, at)).Model(&Product{}).Count(&n).Error; err != nil {
			return err
		}
		p.Row("%s: %d products", describe(at), n)
	}
	acme := tenancy.WithTenant(ctx, "acme")
	return p.Refused("acme adds a product", db.WithContext(acme).Create(&Product{Code: "x"}).Error, tenancy.ErrCrossShard)
}

func useDevices(ctx context.Context, p *page.Page, db *gorm.DB, plugin *tenancy.Plugin) error {
	p.Title("The same handlers for all", "A device is added and all are listed, with a join as text.")
	p.ShowSQL = true
	defer func() { p.ShowSQL = false }()
	return plugin.ForEachTenant(ctx, 1, func(ctx context.Context, id tenancy.ID) error {
		// A replica may not have yet what was just written, so the rest of the request reads the primary.
		ctx = tenancy.ReadYourWrites(ctx)
		p.Step("%s:", id)
		if err := addDevice(ctx, db, "at the door", "c4"); err != nil {
			return err
		}
		names, err := listDevices(ctx, db)
		if err != nil {
			return err
		}
		for _, name := range names {
			p.Row("%s", name)
		}
		return nil
	})
}

// cross writes to a tenant's table and to a global one in one transaction.
func cross(ctx context.Context, p *page.Page, db *gorm.DB) error {
	p.Title("One transaction, one database", "What would need two is refused and rolled back, not half done.")
	report := func(ctx context.Context) error {
		return db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
			if err := addDevice(ctx, tx, "in the yard", "s1"); err != nil {
				return err
			}
			return tx.Create(&Alert{Text: "somebody is in the yard"}).Error
		})
	}
	if err := report(tenancy.WithTenant(ctx, "acme")); err != nil {
		return err
	}
	p.Row("acme adds a device and an alert: both are in the home database")
	return p.Refused("hooli does the same", report(tenancy.WithTenant(ctx, hooli)), tenancy.ErrCrossShard)
}

func list(ctx context.Context, p *page.Page, db *gorm.DB, plugin *tenancy.Plugin) error {
	p.Title("What is there in the end", "Nothing of hooli's transaction was left.")
	return plugin.ForEachTenant(ctx, 1, func(ctx context.Context, id tenancy.ID) error {
		names, err := listDevices(ctx, db)
		if err != nil {
			return err
		}
		p.Row("%s: %s", id, strings.Join(names, ", "))
		return nil
	})
}
