package tenancy_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/sqlite"
	sqlproof "github.com/gormtenancy/tenancy/sqlproof/sqlite"
)

// Invoice is tenant-owned by its tag.
type Invoice struct {
	ID       uint
	TenantID string `tenancy:"tenant"`
	Number   string
	Cents    int64
}

// Currency is global: it belongs to no tenant.
type Currency struct {
	Code string `gorm:"primaryKey"`
}

// openExample returns a database with the plugin in it.
func openExample() *gorm.DB {
	db, err := gorm.Open(sqlite.Open(":memory:"), &gorm.Config{Logger: logger.Discard})
	if err == nil {
		err = db.Use(tenancy.New(tenancy.Config{
			Models: []any{&Invoice{}},
			Global: []any{&Currency{}},
			SQL:    sqlproof.New(),
		}))
	}
	if err == nil {
		err = db.AutoMigrate(&Invoice{}, &Currency{})
	}
	if err != nil {
		panic(err)
	}
	return db
}

func Example() {
	db := openExample()
	ctx := context.Background()

	acme := db.WithContext(tenancy.WithTenant(ctx, "acme"))
	acme.Create(&Invoice{Number: "2026-1", Cents: 4200}) // tenant_id is filled in

	var invoices []Invoice
	acme.Find(&invoices)
	fmt.Println("acme:", len(invoices))

	db.WithContext(tenancy.WithTenant(ctx, "globex")).Find(&invoices)
	fmt.Println("globex:", len(invoices))

	err := db.Find(&invoices).Error
	fmt.Println("nobody:", errors.Is(err, tenancy.ErrNoTenant))

	// Output:
	// acme: 1
	// globex: 0
	// nobody: true
}

func ExampleStatementError() {
	db := openExample()
	ctx := tenancy.WithTenant(context.Background(), "acme")

	err := db.WithContext(ctx).Exec("DROP TABLE invoices").Error

	var refused *tenancy.StatementError
	switch {
	case errors.As(err, &refused) && errors.Is(err, tenancy.ErrUnconfinedSQL):
		fmt.Println("refused:", refused.Op, "for", refused.Tenant)
	case errors.Is(err, gorm.ErrRecordNotFound):
		fmt.Println("not found")
	}

	// Output:
	// refused: raw for acme
}

func ExampleWithoutTenant() {
	db := openExample()
	ctx := context.Background()
	for _, id := range []tenancy.ID{"acme", "globex"} {
		db.WithContext(tenancy.WithTenant(ctx, id)).Create(&Invoice{Number: "1", Cents: 100})
	}

	var total int64
	all := db.WithContext(tenancy.WithoutTenant(ctx, "monthly revenue report"))
	all.Raw("SELECT SUM(cents) FROM invoices").Scan(&total)
	fmt.Println(total)

	// Output:
	// 200
}

func Example_rawSQL() {
	db := openExample()
	acme := db.WithContext(tenancy.WithTenant(context.Background(), "acme"))

	text := acme.ToSQL(func(tx *gorm.DB) *gorm.DB {
		return tx.Raw("SELECT number FROM invoices i WHERE i.cents > ? OR i.number LIKE ?", 100, "A%").Scan(&[]string{})
	})
	fmt.Println(text)

	// Output:
	// SELECT number FROM invoices i WHERE `i`.`tenant_id` = "acme" AND (i.cents > 100 OR i.number LIKE "A%")
}

func ExampleNewSlogObserver() {
	quiet := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == "error" {
			return slog.Attr{}
		}
		return a
	}
	handler := slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: quiet})

	db, _ := gorm.Open(sqlite.Open(":memory:"), &gorm.Config{Logger: logger.Discard})
	_ = db.Use(tenancy.New(tenancy.Config{
		Models:   []any{&Invoice{}},
		Observer: tenancy.NewSlogObserver(slog.New(handler)),
	}))
	_ = db.AutoMigrate(&Invoice{})

	db.Find(&[]Invoice{})
	db.WithContext(tenancy.WithoutTenant(context.Background(), "nightly cleanup")).Delete(&Invoice{}, "cents = 0")

	// Output:
	// level=WARN msg="tenancy: refused" op=query table=invoices
	// level=INFO msg="tenancy: without tenant" op=delete table=invoices rows=0 reason="nightly cleanup"
}

func ExampleWithTenant_upsert() {
	db := openExample()
	acme := db.WithContext(tenancy.WithTenant(context.Background(), "acme"))
	globex := db.WithContext(tenancy.WithTenant(context.Background(), "globex"))

	theirs := Invoice{Number: "G-1"}
	globex.Create(&theirs)

	// GORM's Save inserts a row that it does not find, and updates the one that is in the way.
	err := acme.Save(&Invoice{ID: theirs.ID, Number: "A-1"}).Error
	fmt.Println(errors.Is(err, tenancy.ErrTenantMismatch))

	err = acme.Clauses(clause.OnConflict{UpdateAll: true}).Create(&Invoice{ID: theirs.ID, Number: "A-1"}).Error
	fmt.Println(errors.Is(err, tenancy.ErrTenantMismatch))

	globex.First(&theirs)
	fmt.Println(theirs.Number)

	// Output:
	// true
	// true
	// G-1
}

// Where tenants live: one in a database of its own, the others in shared tables.
func Example_placements() {
	dir, _ := os.MkdirTemp("", "tenancy-example-")
	defer func() { _ = os.RemoveAll(dir) }()
	acmePath := filepath.Join(dir, "acme.db")
	_ = os.WriteFile(acmePath, nil, 0o600) // the plugin opens databases, and makes none
	db, _ := gorm.Open(sqlite.Open(filepath.Join(dir, "shared.db")), &gorm.Config{Logger: logger.Discard})
	ctx := context.Background()

	plugin := tenancy.New(tenancy.Config{
		Models: []any{&Invoice{}},
		SQL:    sqlproof.New(),
		Resolver: tenancy.List(map[tenancy.ID]tenancy.Placement{
			"acme":    {Shard: "acme", Exclusive: true}, // a database of its own
			"globex":  {},                               // the database that gorm.Open opened,
			"initech": {},                               // which these two share
		}),
		Shards: []tenancy.Shard{{Name: "acme", Primary: sqlite.Open(acmePath)}},
	})
	err := db.Use(plugin)
	defer func() { _ = plugin.Close() }()
	if err == nil {
		err = plugin.ForEachTenant(ctx, 1, func(ctx context.Context, id tenancy.ID) error {
			return db.WithContext(ctx).AutoMigrate(&Invoice{}) // where the tenant is
		})
	}
	if err != nil {
		fmt.Println(err)
		return
	}

	for _, id := range []tenancy.ID{"acme", "globex", "initech"} {
		db.WithContext(tenancy.WithTenant(ctx, id)).Create(&Invoice{Number: "1", Cents: 100})
	}
	for _, id := range []tenancy.ID{"acme", "globex", "hooli"} {
		var n int64
		err := db.WithContext(tenancy.WithTenant(ctx, id)).Model(&Invoice{}).Count(&n).Error
		fmt.Println(id, n, errors.Is(err, tenancy.ErrTenantNotFound))
	}

	// Output:
	// acme 1 false
	// globex 1 false
	// hooli 0 true
}
