package tenancy

import (
	"fmt"
	"slices"

	"github.com/gormtenancy/tenancy/internal/tables"
)

// TenantTable is a table with rows of tenants. [Plugin.TenantTables] has those that the plugin knows.
type TenantTable struct {
	Name   string // as GORM spells it
	Schema string // if its model names one
	// TenantColumn says whose a row is. It is empty for a join table, whose rows are the tenant's that owns what its
	// ForeignKeys point at, and for a table that is confined by its placement alone.
	TenantColumn string
	// Placed tells that it is confined by its placement alone.
	Placed bool
	// ForeignKeys are its columns that point at rows with a tenant column, be they constraints of the database or not.
	ForeignKeys []TenantForeignKey
}

// TenantForeignKey points from a [TenantTable] at rows of another, or of itself.
type TenantForeignKey struct {
	Columns       []string
	Parent        string // TenantTable.Name
	ParentColumns []string
}

// TenantTables returns the tables with rows of tenants that the plugin knows: those of Config.Models and their join tables, and
// those of models that it has met since, in the order of their names. It is for programs that copy or delete what a tenant
// has. It fails with [ErrInvalidConfig] before db.Use.
func (p *Plugin) TenantTables() ([]TenantTable, error) {
	p.mu.Lock()
	hooks := p.hooks
	p.mu.Unlock()
	if hooks == nil {
		return nil, fmt.Errorf("%w: the plugin is not installed: db.Use it first", ErrInvalidConfig)
	}
	var all []TenantTable
	for _, t := range hooks.Tables.ConfinedTables() {
		table := TenantTable{Name: t.Name, Schema: t.Schema(), Placed: t.Class == tables.Placed}
		if t.Tenant != nil {
			table.TenantColumn = t.Tenant.Name
		}
		keys := hooks.Tables.ForeignKeys(t)
		for i := range keys {
			table.ForeignKeys = append(table.ForeignKeys, TenantForeignKey{
				Columns: slices.Clone(keys[i].Columns), Parent: keys[i].Parent.Name, ParentColumns: slices.Clone(keys[i].Keys),
			})
		}
		all = append(all, table)
	}
	return all, nil
}
