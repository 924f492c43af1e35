package provision

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/catalog"
)

// tenantRows are those of a tenant in tables that others share.
type tenantRows struct {
	*Provisioner
	tenant catalog.Tenant
}

func (r tenantRows) make(context.Context) error { return nil }

// there looks for rows of the tenant.
func (r tenantRows) there(ctx context.Context) (string, error) {
	found, err := r.find(ctx, func(_ context.Context, _ table, err error) error { return err })
	if err != nil || found == "" {
		return "", err
	}
	return "a row of this ID in table " + found, nil
}

// find returns a table with rows of the tenant; "" if there is none. Statements have no model, so that they find what is deleted
// softly too. What they fail with is an error if fault says so.
func (r tenantRows) find(ctx context.Context, fault func(context.Context, table, error) error) (name string, err error) {
	all, err := r.tables(ctx)
	if err != nil {
		return "", err
	}
	_, db := r.of(ctx, r.tenant)
	for _, t := range all {
		var some []int
		if err := fault(ctx, t, db.Table(t.path()).Select("1").Limit(1).Find(&some).Error); err != nil {
			return "", inTable(t, err)
		}
		if len(some) > 0 {
			return t.Name, nil
		}
	}
	return "", nil
}

// remove deletes all rows of the tenant, children before their parents. The statements go through the plugin, which confines
// them; without a model, they delete for good and call no hooks.
func (r tenantRows) remove(ctx context.Context) (gone removed, err error) {
	all, err := r.tables(ctx)
	if err != nil {
		return gone, err
	}
	_, db := r.of(ctx, r.tenant)
	db = db.Session(&gorm.Session{AllowGlobalUpdate: true, SkipHooks: true})
	gone.rows = make(map[string]int64, len(all))
	ordered, knots := childrenFirst(all)
	for _, k := range knots {
		if err := r.unlessNone(ctx, k.child, r.untie(db, k)); err != nil {
			return gone, inTable(k.child, err)
		}
	}
	for _, t := range ordered {
		done := db.Table(t.path()).Delete(nil)
		if err := r.unlessNone(ctx, t, done.Error); err != nil {
			return gone, inTable(t, err)
		}
		gone.rows[t.Name] += done.RowsAffected
	}
	left, err := r.find(ctx, r.unlessNone)
	if err == nil && left != "" {
		err = fmt.Errorf("table %s: rows of the tenant have been written to it meanwhile: call it again", left)
	}
	return gone, err
}

func inTable(t table, err error) error { return fmt.Errorf("table %s: %w", t.Name, err) }

// untie sets a foreign key to NULL that stands in the way of any order of deletes.
func (r tenantRows) untie(db *gorm.DB, k knot) error {
	if k.child.Name == k.parent && r.cfg.DB.Name() != mysqlDialect {
		return nil // rows that one statement deletes may point at each other there; MySQL looks at each row by itself
	}
	set := map[string]any{}
	for _, c := range k.columns {
		if c != k.child.TenantColumn {
			set[c] = nil
		}
	}
	if len(set) == 0 || k.child.TenantColumn == "" {
		return nil
	}
	return db.Table(k.child.path()).Updates(set).Error
}

// tables returns the tables of tenants' rows at the tenant's place. What is not there has no rows, and a view those of its
// tables.
func (r tenantRows) tables(ctx context.Context) ([]table, error) {
	known, err := r.plugin.TenantTables()
	if err != nil {
		return nil, err
	}
	there, err := r.baseTables(ctx, r.tenant.Placement)
	if err != nil {
		return nil, err
	}
	var all []table
	for _, t := range known {
		if !t.Placed && there.has(t.Schema, t.Name+r.tenant.Placement.TableSuffix) {
			all = append(all, table{t})
		}
	}
	return all, nil
}

// table is one with rows of tenants.
type table struct{ tenancy.TenantTable }

// path is what a statement calls the table.
func (t table) path() string {
	if t.Schema != "" {
		return t.Schema + "." + t.Name
	}
	return t.Name
}
