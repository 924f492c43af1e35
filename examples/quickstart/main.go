// Command quickstart shows two tenants in one SQLite database: the same handler code sees only the rows of its tenant, and
// what would cross the line is refused. It needs nothing but Go:
//
//	go run ./examples/quickstart
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/sqlite"
	sqliteproof "github.com/gormtenancy/tenancy/sqlproof/sqlite"
)

// Customer and Order are owned by tenants: the tag names the tenant column. Country belongs to nobody.
type Customer struct {
	ID       uint
	TenantID string `tenancy:"tenant" gorm:"index"`
	Name     string
	Orders   []Order
}

type Order struct {
	ID         uint
	TenantID   string `tenancy:"tenant" gorm:"index"`
	CustomerID uint
	Item       string
}

type Country struct {
	Code string `gorm:"primaryKey"`
	Name string
}

func main() {
	dir, err := os.MkdirTemp("", "tenancy-quickstart-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	err = run(os.Stdout, filepath.Join(dir, "shop.db"))
	_ = os.RemoveAll(dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

// listCustomers is an ordinary handler: it knows nothing of tenants. The context does.
func listCustomers(ctx context.Context, db *gorm.DB) ([]Customer, error) {
	var customers []Customer
	err := db.WithContext(ctx).Preload("Orders").Where("name LIKE ?", "%").Or("1 = 1").Order("name").Find(&customers).Error
	return customers, err
}

func run(out io.Writer, path string) error {
	p := &page{out: out}
	db, err := gorm.Open(sqlite.Open(path), &gorm.Config{Logger: p})
	if err != nil {
		return err
	}
	if err := db.Use(tenancy.New(tenancy.Config{
		Models: []any{&Customer{}, &Order{}},
		Global: []any{&Country{}},
		SQL:    sqliteproof.New(),
	})); err != nil {
		return err
	}
	if err := db.AutoMigrate(&Customer{}, &Order{}, &Country{}); err != nil {
		return err
	}
	defer func() {
		if pool, err := db.DB(); err == nil {
			_ = pool.Close()
		}
	}()

	acme := tenancy.WithTenant(context.Background(), "acme")
	globex := tenancy.WithTenant(context.Background(), "globex")

	p.title("Two tenants, one database", "acme and globex create customers; nobody writes tenant_id by hand.")
	p.sql = true
	if err := db.WithContext(acme).Create(&[]Customer{{Name: "Ada", Orders: []Order{{Item: "anvil"}}}, {Name: "Bob"}}).Error; err != nil {
		return err
	}
	theirs := Customer{Name: "Zoe", Orders: []Order{{Item: "doughnut"}}}
	if err := db.WithContext(globex).Create(&theirs).Error; err != nil {
		return err
	}

	for _, tenant := range []context.Context{acme, globex} {
		id, _ := tenancy.FromContext(tenant)
		p.title("The same handler, as "+string(id), "It even says OR 1 = 1. The tenant condition stands outside of it.")
		customers, err := listCustomers(tenant, db)
		if err != nil {
			return err
		}
		for _, c := range customers {
			p.row("#%d %s, %d order(s), tenant_id %q", c.ID, c.Name, len(c.Orders), c.TenantID)
		}
	}

	p.title("Raw SQL, as acme", "The text says nothing of tenants. It is read, and each table in it is held to acme.")
	var report []struct {
		Name   string
		Orders int
	}
	const text = "SELECT c.name, count(o.id) AS orders FROM customers c LEFT JOIN orders o ON o.customer_id = c.id GROUP BY c.id ORDER BY c.name"
	if err := db.WithContext(acme).Raw(text).Scan(&report).Error; err != nil {
		return err
	}
	for _, r := range report {
		p.row("%s has %d order(s)", r.Name, r.Orders)
	}

	p.title("What is refused", "Every refusal is a typed error, and nothing is left of the statement.")
	asAcme := db.WithContext(acme)
	refusals := []struct {
		what string
		do   func() error
		want error
	}{
		{"no tenant in the context", func() error { return db.Find(&[]Customer{}).Error }, tenancy.ErrNoTenant},
		{"globex's customer, by its id", func() error { return asAcme.First(&Customer{}, theirs.ID).Error }, gorm.ErrRecordNotFound},
		{"Save over globex's customer", func() error { return asAcme.Save(&Customer{ID: theirs.ID, Name: "Mine now"}).Error }, tenancy.ErrTenantMismatch},
		{"an order for globex's customer", func() error { return asAcme.Create(&Order{CustomerID: theirs.ID, Item: "trap"}).Error }, tenancy.ErrTenantMismatch},
		{"raw SQL that gives rows away", func() error { return asAcme.Exec("UPDATE customers SET tenant_id = 'globex'").Error }, tenancy.ErrTenantMismatch},
		{"raw SQL that is not understood", func() error { return asAcme.Exec("DROP TABLE customers").Error }, tenancy.ErrUnconfinedSQL},
		{"a table nobody has listed", func() error { return asAcme.Table("salaries").Find(&[]map[string]any{}).Error }, tenancy.ErrUnknownTable},
	}
	for _, r := range refusals {
		err := r.do()
		if !errors.Is(err, r.want) {
			return fmt.Errorf("%s: got %w, want %w", r.what, err, r.want)
		}
		p.refused(r.what, err)
	}

	p.title("Global tables, and all tenants at once", "Countries need no tenant. A report over all tenants says why.")
	if err := db.Create(&Country{Code: "IS", Name: "Iceland"}).Error; err != nil {
		return err
	}
	var all int64
	if err := db.WithContext(tenancy.WithoutTenant(context.Background(), "monthly report")).Model(&Customer{}).Count(&all).Error; err != nil {
		return err
	}
	p.row("%d customers of all tenants", all)
	return nil
}
