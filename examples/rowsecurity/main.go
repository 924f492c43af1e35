// Command rowsecurity shows tables that tenants share on PostgreSQL, guarded twice: the plugin confines each statement, and
// row-level security confines what gets past the plugin, such as plain SQL on the same pool.
//
//	go run ./examples/rowsecurity -postgres "postgres://postgres@localhost/postgres?sslmode=disable"
//
// It creates the database tenancy_rowsecurity and three roles whose names begin like that, and drops them all at the end. The
// user must be a superuser, as only one can make roles with BYPASSRLS.
package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"gorm.io/driver/postgres"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/examples/internal/page"
	"github.com/gormtenancy/tenancy/examples/internal/pgserver"
	postgresproof "github.com/gormtenancy/tenancy/sqlproof/postgres"
)

const (
	database = "tenancy_rowsecurity"
	owner    = database + "_owner"   // makes the tables and their policies; no request has its password
	app      = database + "_app"     // serves requests; the policies hold it
	reports  = database + "_reports" // sees all tenants; only WithoutTenant uses it
)

// Patient is owned by a tenant. With row-level security a tenant column is needed: the policies go by it.
type Patient struct {
	ID       uint
	TenantID string `tenancy:"tenant" gorm:"index"`
	Name     string
}

// config is the same for the program that migrates and the one that serves.
func config() tenancy.Config {
	return tenancy.Config{
		Models:      []any{&Patient{}},
		RowSecurity: "app.tenant_id",
		SQL:         postgresproof.New(),
	}
}

func main() {
	dsn := flag.String("postgres", "", "connection string of a PostgreSQL server, of a superuser")
	flag.Parse()
	if *dsn == "" {
		fmt.Fprintln(os.Stderr, `rowsecurity: only PostgreSQL has row-level security, so say which server to use: -postgres "postgres://postgres@localhost/postgres"`)
		os.Exit(2)
	}
	ctx, stop := pgserver.Context()
	err := run(ctx, os.Stdout, *dsn)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "rowsecurity:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, dsn string) (err error) {
	server, err := pgserver.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close(ctx)) }()
	if err := makeRoles(ctx, server); err != nil {
		return err
	}
	p := page.New(out)
	if err := migrate(ctx, p, server); err != nil {
		return err
	}
	if err := serve(ctx, p, server); err != nil {
		return err
	}
	return promote(ctx, p, server)
}

// open opens a database with the plugin. The pool is for what runs beside the plugin.
func open(p *page.Page, dsn string, plugin *tenancy.Plugin) (*gorm.DB, *sql.DB, error) {
	db, err := gorm.Open(postgres.Open(dsn), &gorm.Config{Logger: p})
	if err != nil {
		return nil, nil, err
	}
	pool, err := db.DB()
	if err != nil {
		return nil, nil, err
	}
	if err := db.Use(plugin); err != nil {
		return nil, nil, errors.Join(err, pool.Close())
	}
	return db, pool, nil
}
