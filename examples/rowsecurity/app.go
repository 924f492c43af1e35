package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/examples/internal/page"
	"github.com/gormtenancy/tenancy/examples/internal/pgserver"
)

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

	if err := passBy(ctx, p, pool); err != nil {
		return err
	}
	return report(ctx, p, db)
}

// passBy is what must not happen, and will one day: SQL on the pool itself.
func passBy(ctx context.Context, p *page.Page, pool *sql.DB) error {
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
	return p.Refused(insert, err, answer)
}

// report is for the operator.
func report(ctx context.Context, p *page.Page, db *gorm.DB) error {
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
