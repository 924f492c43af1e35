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

	"github.com/jackc/pgx/v5/pgconn"
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

// makeRoles gives each role what it needs, and no more.
func makeRoles(ctx context.Context, server *pgserver.Server) error {
	for _, role := range []struct{ name, attributes string }{{owner, ""}, {app, ""}, {reports, "BYPASSRLS"}} {
		if err := server.CreateRole(ctx, role.name, role.attributes); err != nil {
			return err
		}
	}
	if err := server.CreateDatabase(ctx, database); err != nil {
		return err
	}
	return server.Exec(ctx, database,
		"GRANT CREATE ON SCHEMA public TO "+owner,
		"ALTER DEFAULT PRIVILEGES FOR ROLE "+owner+" GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO "+app,
		"ALTER DEFAULT PRIVILEGES FOR ROLE "+owner+" GRANT USAGE ON SEQUENCES TO "+app,
		"ALTER DEFAULT PRIVILEGES FOR ROLE "+owner+" GRANT SELECT ON TABLES TO "+reports)
}

// migrate is what runs at a deployment, as the owner.
func migrate(ctx context.Context, p *page.Page, server *pgserver.Server) (err error) {
	p.Title("The owner migrates", "AutoMigrate makes the tables, Plugin.RowSecurityDDL has the policies. Both can be run again.")
	plugin := tenancy.New(config())
	db, pool, err := open(p, server.DSNAs(owner, database), plugin)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, plugin.Close(), pool.Close()) }()
	if err := db.WithContext(ctx).AutoMigrate(&Patient{}); err != nil {
		return err
	}
	ddl, err := plugin.RowSecurityDDL(tenancy.Placement{})
	if err != nil {
		return err
	}
	tx, err := pool.BeginTx(ctx, nil) // beside the plugin, which takes no DDL; at once, so that no policy is missing in between
	if err != nil {
		return err
	}
	for _, text := range ddl {
		p.Step("%s", text)
		if _, err := tx.ExecContext(ctx, text); err != nil {
			return errors.Join(err, tx.Rollback())
		}
	}
	return tx.Commit()
}

// serve is what runs all day, as the role that the policies hold.
func serve(ctx context.Context, p *page.Page, server *pgserver.Server) (err error) {
	cfg := config()
	cfg.Shards = []tenancy.Shard{{Admin: postgres.Open(server.DSNAs(reports, database))}} // of the database that gorm.Open opens
	plugin := tenancy.New(cfg)
	db, pool, err := open(p, server.DSNAs(app, database), plugin)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, plugin.Close(), pool.Close()) }()
	acme, globex := tenancy.WithTenant(ctx, "acme"), tenancy.WithTenant(ctx, "globex")

	p.Title("The application, through the plugin", "Each statement has the tenant's condition, and travels with the setting that the policies read.")
	p.ShowSQL = true
	if err := db.WithContext(acme).Create(&[]Patient{{Name: "Ada"}, {Name: "Bob"}}).Error; err != nil {
		return err
	}
	if err := db.WithContext(globex).Create(&Patient{Name: "Zoe"}).Error; err != nil {
		return err
	}
	for _, tenant := range []context.Context{acme, globex} {
		var patients []Patient
		if err := db.WithContext(tenant).Order("name").Find(&patients).Error; err != nil {
			return err
		}
		id, _ := tenancy.FromContext(tenant)
		p.Row("%s sees %d", id, len(patients))
	}
	p.ShowSQL = false

	p.Title("The application, past the plugin", "Plain SQL on the same pool, with the WHERE forgotten: no setting, so no rows.")
	var count int
	if err := pool.QueryRowContext(ctx, "SELECT count(*) FROM patients").Scan(&count); err != nil {
		return err
	}
	p.Row("SELECT count(*) FROM patients: %d", count)
	result, err := pool.ExecContext(ctx, "DELETE FROM patients")
	if err != nil {
		return err
	}
	deleted, err := result.RowsAffected()
	if err != nil {
		return err
	}
	p.Row("DELETE FROM patients: %d deleted", deleted)
	const insert = "INSERT INTO patients (tenant_id, name) VALUES ('globex', 'Eve')"
	_, err = pool.ExecContext(ctx, insert)
	var answer *pgconn.PgError
	if !errors.As(err, &answer) {
		return fmt.Errorf("a row without the setting: got %w", err)
	}
	if err := p.Refused(insert, err, answer); err != nil {
		return err
	}

	p.Title("A report over all tenants", "WithoutTenant has a connection of its own, of the role "+reports+" in Shard.Admin.")
	everyone := tenancy.WithoutTenant(ctx, "monthly report")
	var totals []struct {
		TenantID string
		Patients int
	}
	p.ShowSQL = true
	if err := db.WithContext(everyone).Raw("SELECT tenant_id, count(*) AS patients FROM patients GROUP BY tenant_id ORDER BY tenant_id").Scan(&totals).Error; err != nil {
		return err
	}
	p.ShowSQL = false
	for _, total := range totals {
		p.Row("%s has %d", total.TenantID, total.Patients)
	}
	return nil
}

// promote shows that the plugin looks whether the policies hold the role at all, before it sends the first statement.
func promote(ctx context.Context, p *page.Page, server *pgserver.Server) (err error) {
	p.Title("Somebody makes the application's role a superuser", "No policy holds a superuser. The plugin looks at the role before its first statement.")
	if err := server.Exec(ctx, database, "ALTER ROLE "+app+" SUPERUSER"); err != nil {
		return err
	}
	plugin := tenancy.New(config())
	db, pool, err := open(p, server.DSNAs(app, database), plugin)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, plugin.Close(), pool.Close()) }()
	acme := tenancy.WithTenant(ctx, "acme")
	return p.Refused("acme reads its patients", db.WithContext(acme).Find(&[]Patient{}).Error, tenancy.ErrInvalidConfig)
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
