package provision

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
)

// makeTables makes the tables at the tenant's place. In shared tables that is done by one process at a time.
func (c *creation) makeTables(ctx context.Context) error {
	if c.shared() {
		lock, err := c.lockPlace(ctx, c.tenant.Placement)
		if err != nil {
			return err
		}
		defer lock.release(ctx)
		if c.cfg.Tables == nil {
			if missing, err := c.tableIsMissing(ctx); err != nil || !missing {
				return err
			}
		}
	}
	if err := c.runTables(ctx); err != nil {
		return err
	}
	return c.fits(ctx)
}

func (c *creation) runTables(ctx context.Context) error {
	ctx, db := c.of(ctx, c.tenant)
	if c.cfg.Tables != nil {
		return c.cfg.Tables(ctx, c.tenant)
	}
	if c.cfg.DB.Name() == mysqlDialect { // it commits each table by itself
		return db.AutoMigrate(c.models()...)
	}
	return db.Transaction(func(tx *gorm.DB) error { return tx.AutoMigrate(c.models()...) })
}

// models are those whose tables are made. A schema has no reference tables of its own.
func (c *creation) models() []any { return slices.Concat(c.cfg.Reference, c.cfg.Models) }

// tableIsMissing tells whether a table of a model is not there yet, or a join table.
func (c *creation) tableIsMissing(ctx context.Context) (bool, error) {
	suffix := c.tenant.Placement.TableSuffix
	there, err := c.baseTables(ctx, c.tenant.Placement)
	if err != nil {
		return false, err
	}
	for _, model := range c.cfg.Models {
		stmt := &gorm.Statement{DB: c.cfg.DB}
		if err := stmt.Parse(model); err != nil {
			return false, err
		}
		if !there.hasPath(stmt.Schema.Table + suffix) {
			return true, nil
		}
		for _, r := range stmt.Schema.Relationships.Many2Many {
			if r.JoinTable != nil && !there.hasPath(r.JoinTable.Table+suffix) {
				return true, nil
			}
		}
	}
	return false, nil
}

// makeKeys has the database keep foreign keys within the tenant.
func (c *creation) makeKeys(ctx context.Context) error {
	ddl, err := c.plugin.TenantKeysDDL(c.tenant.Placement)
	if err != nil {
		return err
	}
	return c.runThere(ctx, ddl)
}

// secure puts row-level security on the tenant's tables. Shared ones that have policies are left alone: to make them anew would
// stop all tenants for a moment.
func (c *creation) secure(ctx context.Context) error {
	if c.plugin.RowSecurity() == "" {
		return nil
	}
	if c.shared() {
		if bare, err := c.hasBareTable(ctx); err != nil || !bare {
			return err
		}
	}
	ddl, err := c.plugin.RowSecurityDDL(c.tenant.Placement)
	if err != nil {
		return err
	}
	return c.runThere(ctx, ddl)
}

// bareTables are those that are not under row-level security.
const bareTables = `SELECT n.nspname, c.relname, n.nspname = current_schema() FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
	WHERE c.relkind IN ('r', 'p') AND NOT (c.relrowsecurity AND c.relforcerowsecurity AND EXISTS (SELECT FROM pg_catalog.pg_policy AS p WHERE p.polrelid = c.oid))`

// hasBareTable tells whether a shared table has no policies.
func (c *creation) hasBareTable(ctx context.Context) (bool, error) {
	known, err := c.plugin.TenantTables()
	if err != nil {
		return false, err
	}
	bare, err := c.listTables(ctx, c.tenant.Placement, bareTables)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(known, func(t tenancy.TenantTable) bool {
		return !t.Placed && bare.has(t.Schema, t.Name+c.tenant.Placement.TableSuffix)
	}), nil
}

// runThere runs statements at the tenant's place on one connection, on PostgreSQL in one transaction.
func (c *creation) runThere(ctx context.Context, statements []string) (err error) {
	pool, err := poolOf(at(ctx, c.tenant.Placement), c.cfg.DB)
	if err != nil {
		return err
	}
	conn, err := pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if c.cfg.DB.Name() != postgresDialect {
		return runOn(ctx, conn, statements)
	}
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := runOn(ctx, tx, statements); err != nil {
		_ = tx.Rollback() // the other error came first
		return err
	}
	return tx.Commit()
}

func runOn(ctx context.Context, conn interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}, statements []string,
) error {
	for _, text := range statements {
		if _, err := conn.ExecContext(ctx, text); err != nil {
			return err
		}
	}
	return nil
}
