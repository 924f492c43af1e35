package provision

import (
	"context"
	"database/sql"
	"errors"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gormtenancy/tenancy"
)

// fits makes sure that the columns of the tables that were made tell the tenant's ID from others: one for which the plugin refuses
// all statements would be good for nothing. That a table is not there is no fault, for Tables may have left it out.
func (c *creation) fits(ctx context.Context) error {
	known, err := c.plugin.TenantTables()
	if err != nil {
		return err
	}
	_, db := c.of(ctx, c.tenant)
	db = db.Session(&gorm.Session{Logger: logger.Discard})
	for _, t := range known {
		if t.TenantColumn == "" {
			continue
		}
		var some []int
		t := table{t}
		if err := db.Table(t.path()).Select("1").Limit(1).Find(&some).Error; errors.Is(err, tenancy.ErrInvalidTenant) {
			return inTable(t, err)
		}
	}
	return nil
}

// unlessNone is err, unless it is that the plugin refuses the tenant's ID for a table in which the tenant has no rows: then there is
// nothing to be done there.
func (r tenantRows) unlessNone(ctx context.Context, t table, err error) error {
	if !errors.Is(err, tenancy.ErrInvalidTenant) {
		return err
	}
	if t.TenantColumn == "" { // it has none if the tables have none that it points at
		return nil
	}
	has, looked := r.hasExactly(ctx, t)
	if looked == nil && !has {
		return nil
	}
	return errors.Join(err, looked)
}

// hasExactly looks for rows of the tenant past the plugin, whatever the column takes for equal.
func (r tenantRows) hasExactly(ctx context.Context, t table) (has bool, err error) {
	pool, err := poolOf(at(ctx, tenancy.Placement{Shard: r.tenant.Placement.Shard}), r.cfg.DB)
	if err != nil {
		return false, err
	}
	dialect := r.cfg.DB.Name()
	name, column := quote(dialect, t.Name+r.tenant.Placement.TableSuffix), quote(dialect, t.TenantColumn)
	if t.Schema != "" {
		name = quote(dialect, t.Schema) + "." + name
	}
	var equal string
	switch dialect {
	case postgresDialect:
		equal = "CAST(" + column + ` AS text) COLLATE "C" = $1`
	case mysqlDialect:
		equal = "CAST(CONVERT(" + column + " USING utf8mb4) AS BINARY) = CAST(CONVERT(? USING utf8mb4) AS BINARY)"
	default:
		equal = "CAST(" + column + " AS BLOB) = CAST(? AS BLOB)"
	}
	tx, err := pool.BeginTx(ctx, nil)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, ended(tx.Rollback())) }()
	if setting := r.plugin.RowSecurity(); setting != "" {
		if _, err := tx.ExecContext(ctx, "SELECT set_config($1, $2, true)", setting, string(r.tenant.ID)); err != nil {
			return false, err
		}
	}
	var one int
	err = tx.QueryRowContext(ctx, "SELECT 1 FROM "+name+" WHERE "+equal+" LIMIT 1", string(r.tenant.ID)).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}
