package tenancy

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gormtenancy/tenancy/internal/sqltext"
	"github.com/gormtenancy/tenancy/internal/tables"
	"github.com/gormtenancy/tenancy/internal/tenantkeys"
)

// TenantKeysDDL returns the statements that have the database itself refuse a row whose foreign key points at another tenant's
// row: for each relation between two tables with a tenant column, a unique key of the parent (tenant column, key) and a
// foreign key (tenant column, foreign key) to it. They are for shared tables: for those with a suffix, or in a schema, say
// where; the zero Placement is for the plain ones. The statements can be run again; run them in their order, on one
// connection, as the tables' owner, after each migration that makes tables, and before those of [Plugin.RowSecurityDDL]. They lock the tables while
// they look at the rows that are there.
//
// GORM's own foreign keys may stay. A row whose foreign key is NULL stays possible. What a relation's tag says of OnDelete
// and OnUpdate holds for the new key too, but for SET NULL, which would set the tenant column NULL as well: that is left to GORM's own
// key, and the new one is checked at the end of the transaction. Left out are polymorphic relations, which have no foreign key,
// join tables without a tenant column, relations tagged gorm:"constraint:-", and those whose foreign key has the tenant column
// already.
//
// It fails with [ErrInvalidConfig] before db.Use; on SQLite, which adds no foreign key to a table, if there are relations whose foreign key
// lacks the tenant: declare it there, and AutoMigrate makes it; and on MySQL for SET NULL, which does not go together with another
// key there.
func (p *Plugin) TenantKeysDDL(at Placement) ([]string, error) {
	p.mu.Lock()
	hooks := p.hooks
	p.mu.Unlock()
	if hooks == nil {
		return nil, fmt.Errorf("%w: TenantKeysDDL needs an installed plugin: db.Use it first", ErrInvalidConfig)
	}
	if err := p.checkNames(at); err != nil {
		return nil, err
	}
	d := sqltext.DialectOf(p.dialect)
	var keys []tenantkeys.Key
	var faults []error
	for _, child := range hooks.Tables.ConfinedTables() {
		if child.Class != tables.Owned {
			continue
		}
		foreign := hooks.Tables.ForeignKeys(child)
		for i := range foreign {
			k := &foreign[i]
			if k.TypeColumn != "" || k.Carries != "" || k.Actions.None {
				continue
			}
			if why := keyFault(d, k); why != "" {
				faults = append(faults, fmt.Errorf("%w: relation %s: %s", ErrInvalidConfig, k.Relation, why))
				continue
			}
			keys = append(keys, tenantkeys.Key{
				Child: keyTable(child, at), Parent: keyTable(k.Parent, at), Columns: k.Columns, Keys: k.Keys,
				OnDelete: k.Actions.OnDelete, OnUpdate: k.Actions.OnUpdate,
			})
		}
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return tenantkeys.Statements(d, keys), nil
}

// keyFault says why the database cannot have a key with the tenant; "" if it can.
func keyFault(d sqltext.Dialect, k *tables.ForeignKey) string {
	switch {
	case d == sqltext.SQLite:
		tenant := "the tenant's field"
		if f := k.Parent.Tenant.Field; f != nil {
			tenant = f.Name
		}
		return fmt.Sprintf("SQLite adds no foreign key to a table: declare it with the tenant column (columns %s), as gorm:\"foreignKey:%s,…;references:%s,…\" "+
			"with a uniqueIndex over both in the parent, and AutoMigrate makes it; or turn the keys off", strings.Join(k.Columns, ", "), tenant, tenant)
	case d == sqltext.MySQL && (tenantkeys.SetsColumns(k.Actions.OnDelete) || tenantkeys.SetsColumns(k.Actions.OnUpdate)):
		return "MySQL would set the tenant column NULL as well as the foreign key: tag it OnDelete:CASCADE or OnDelete:RESTRICT, or constraint:- to leave it without"
	case d == sqltext.Unknown:
		return "nothing is known of the database's foreign keys"
	}
	return ""
}

// keyTable is a table with a tenant column at a place.
func keyTable(t *tables.Table, at Placement) tenantkeys.Table {
	schema := at.Schema
	if schema == "" {
		schema = t.Schema()
	}
	return tenantkeys.Table{Schema: schema, Name: t.Name + at.TableSuffix, Tenant: t.Tenant.Name}
}
