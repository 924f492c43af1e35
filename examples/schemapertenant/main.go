// Command schemapertenant shows tenants that have a PostgreSQL schema each, in one database. A statement names the tenant's
// schema itself: no search_path is set, so nothing is left on a connection, and a pooler may stand in between.
//
//	go run ./examples/schemapertenant -postgres "postgres://user@localhost/postgres?sslmode=disable"
//
// It creates the database tenancy_schemapertenant on the server, and drops it at the end; the user must be allowed to create
// databases.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"gorm.io/driver/postgres"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/examples/internal/page"
	"github.com/gormtenancy/tenancy/examples/internal/pgserver"
	postgresproof "github.com/gormtenancy/tenancy/sqlproof/postgres"
)

const database = "tenancy_schemapertenant"

// Currency is a table of all tenants: it stays in the schema public.
type Currency struct {
	Code string `gorm:"primaryKey"`
	Name string
}

// Invoice needs no tenant column: its schema is one tenant's alone.
type Invoice struct {
	ID           uint
	Number       string
	Cents        int64
	CurrencyCode string
	Currency     Currency
}

func main() {
	dsn := flag.String("postgres", "", "connection string of a PostgreSQL server")
	flag.Parse()
	if *dsn == "" {
		fmt.Fprintln(os.Stderr, `schemapertenant: SQLite has no schemas, so say which PostgreSQL server to use: -postgres "postgres://user@localhost/postgres"`)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Stdout, *dsn)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "schemapertenant:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, dsn string) (err error) {
	server, err := pgserver.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close(ctx)) }()
	if err := server.CreateDatabase(ctx, database); err != nil {
		return err
	}

	p := page.New(out)
	db, err := gorm.Open(postgres.Open(server.DSN(database)), &gorm.Config{Logger: p})
	if err != nil {
		return err
	}
	pool, err := db.DB()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	plugin := tenancy.New(tenancy.Config{
		Models:   []any{&Invoice{}},
		Global:   []any{&Currency{}},
		Resolver: tenancy.SchemaPerTenant("", "tenant_"),
		SQL:      postgresproof.New(),
	})
	if err := db.Use(plugin); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, plugin.Close()) }()

	tenants := []tenancy.ID{"acme", "globex"}
	if err := db.AutoMigrate(&Currency{}); err != nil {
		return err
	}
	if err := db.Create(&[]Currency{{"EUR", "Euro"}, {"ISK", "Icelandic króna"}}).Error; err != nil {
		return err
	}
	p.Title("A schema for each tenant", "To make one is the application's own work. Its tables are made in the tenant's context.")
	for _, id := range tenants {
		if _, err := pool.ExecContext(ctx, "CREATE SCHEMA tenant_"+string(id)); err != nil {
			return err
		}
		if err := db.WithContext(tenancy.WithTenant(ctx, id)).AutoMigrate(&Invoice{}); err != nil {
			return err
		}
	}
	rows, err := pool.QueryContext(ctx, "SELECT table_schema||'.'||table_name FROM information_schema.tables WHERE table_schema NOT IN ('pg_catalog','information_schema') ORDER BY 1")
	if err != nil {
		return err
	}
	for rows.Next() {
		var s string
		_ = rows.Scan(&s)
		p.Row("%s", s)
	}
	var def []string
	db.WithContext(tenancy.WithoutTenant(ctx, "x"))
	r2, err := pool.QueryContext(ctx, "SELECT conrelid::regclass||' '||pg_get_constraintdef(oid) FROM pg_constraint WHERE contype='f'")
	for err == nil && r2.Next() {
		var s string
		_ = r2.Scan(&s)
		def = append(def, s)
	}
	fmt.Println(def)
	p.ShowSQL = true
	for _, id := range tenants {
		if err := db.WithContext(tenancy.WithTenant(ctx, id)).Create(&Invoice{Number: "1", Cents: 3, CurrencyCode: "EUR"}).Error; err != nil {
			fmt.Println(err)
		}
		var inv []Invoice
		if err := db.WithContext(tenancy.WithTenant(ctx, id)).Preload("Currency").Find(&inv).Error; err != nil {
			fmt.Println(err)
		}
		fmt.Println(inv)
	}
	return nil
}
