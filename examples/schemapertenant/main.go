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
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/examples/internal/page"
	"github.com/gormtenancy/tenancy/examples/internal/pgserver"
	postgresproof "github.com/gormtenancy/tenancy/sqlproof/postgres"
)

const (
	database = "tenancy_schemapertenant"
	prefix   = "tenant_"
)

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
	ctx, stop := pgserver.Context()
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
		Resolver: tenancy.SchemaPerTenant("", prefix),
		SQL:      postgresproof.New(),
	})
	if err := db.Use(plugin); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, plugin.Close()) }()

	return show(ctx, p, db, pool)
}

func show(ctx context.Context, p *page.Page, db *gorm.DB, pool *sql.DB) error {
	acme, globex := tenancy.WithTenant(ctx, "acme"), tenancy.WithTenant(ctx, "globex")

	p.Title("A schema for each tenant", "To make one is the application's own work. Its tables are made in the tenant's context.")
	if err := db.WithContext(ctx).AutoMigrate(&Currency{}); err != nil {
		return err
	}
	for _, tenant := range []context.Context{acme, globex} {
		id, _ := tenancy.FromContext(tenant)
		if _, err := pool.ExecContext(ctx, "CREATE SCHEMA "+pgx.Identifier{prefix + string(id)}.Sanitize()); err != nil {
			return err
		}
		if err := db.WithContext(tenant).AutoMigrate(&Invoice{}); err != nil {
			return err
		}
	}
	var tables string // asked beside the plugin
	if err := pool.QueryRowContext(ctx, "SELECT string_agg(schemaname || '.' || tablename, ', ' ORDER BY schemaname)"+
		" FROM pg_tables WHERE schemaname = 'public' OR starts_with(schemaname, $1)", prefix).Scan(&tables); err != nil {
		return err
	}
	p.Row("the tables: %s", tables)

	p.Title("What is sent", "The code names no schema. The statements do; those on the global table stay as they are.")
	p.ShowSQL = true
	p.Step("the operator:")
	if err := db.WithContext(ctx).Create(&[]Currency{{Code: "EUR", Name: "Euro"}, {Code: "ISK", Name: "Icelandic króna"}}).Error; err != nil {
		return err
	}
	p.Step("acme:")
	if err := db.WithContext(acme).Create(&Invoice{Number: "A-1", Cents: 4200, CurrencyCode: "EUR"}).Error; err != nil {
		return err
	}
	p.Step("globex:")
	if err := db.WithContext(globex).Create(&Invoice{Number: "G-1", Cents: 990, CurrencyCode: "ISK"}).Error; err != nil {
		return err
	}

	p.Title("A tenant's table joined with a global one", "By GORM, and as text that names neither schema.")
	var invoices []Invoice
	if err := db.WithContext(acme).Joins("Currency").Find(&invoices).Error; err != nil {
		return err
	}
	for _, invoice := range invoices {
		p.Row("acme's invoice %s: %.2f %s", invoice.Number, float64(invoice.Cents)/100, invoice.Currency.Name)
	}
	const totals = "SELECT c.name, sum(i.cents) AS cents FROM invoices i JOIN currencies c ON c.code = i.currency_code GROUP BY c.name"
	for _, tenant := range []context.Context{acme, globex} {
		id, _ := tenancy.FromContext(tenant)
		var total struct {
			Name  string
			Cents int64
		}
		if err := db.WithContext(tenant).Raw(totals).Scan(&total).Error; err != nil {
			return err
		}
		p.Row("%s has invoiced %.2f %s", id, float64(total.Cents)/100, total.Name)
	}

	p.Title("What is refused", "A text cannot leave the schema, and a missing table is never looked for in another one.")
	asAcme := db.WithContext(acme)
	if err := p.Refused("acme names globex's schema", asAcme.Raw("SELECT * FROM tenant_globex.invoices").Scan(&invoices).Error, tenancy.ErrUnconfinedSQL); err != nil {
		return err
	}
	if err := p.Refused("acme sets a search_path", asAcme.Exec("SET search_path = tenant_globex").Error, tenancy.ErrUnconfinedSQL); err != nil {
		return err
	}
	p.ShowSQL = false
	missing := db.WithContext(tenancy.WithTenant(ctx, "initech")).Find(&invoices).Error
	var answer *pgconn.PgError
	if !errors.As(missing, &answer) {
		return fmt.Errorf("initech has no schema: got %w", missing)
	}
	return p.Refused("initech, whose schema nobody has made: PostgreSQL answers", missing, answer)
}
