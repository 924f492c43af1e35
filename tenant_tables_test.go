package tenancy_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
)

func TestTenantTables(t *testing.T) {
	t.Parallel()
	_, err := tenancy.New(tenancy.Config{}).TenantTables()
	require.ErrorIs(t, err, tenancy.ErrInvalidConfig)
	l := newLand(t, engines[0], engines[0].fresh(t)(), &gorm.Config{}, tenancy.Config{
		Models:   []any{&Customer{}, &Order{}, &Tag{}, &Machine{}, tenancy.Table{Name: "old_orders", Schema: "archive", TenantColumn: "owner"}},
		Global:   []any{&Country{}},
		Resolver: tenancy.DatabasePerTenant("t_"),
	})
	all, err := l.plugin.TenantTables()
	require.NoError(t, err)
	require.Equal(t, []tenancy.TenantTable{
		{Name: "old_orders", Schema: "archive", TenantColumn: "owner"},
		{Name: "customer_tags", ForeignKeys: []tenancy.TenantForeignKey{
			{Columns: []string{"customer_id"}, Parent: "customers", ParentColumns: []string{"id"}},
			{Columns: []string{"tag_id"}, Parent: "tags", ParentColumns: []string{"id"}},
		}},
		{Name: "customers", TenantColumn: "tenant_id"},
		{Name: "machines", Placed: true},
		{Name: "orders", TenantColumn: "tenant_id", ForeignKeys: []tenancy.TenantForeignKey{
			{Columns: []string{"customer_id"}, Parent: "customers", ParentColumns: []string{"id"}},
		}},
		{Name: "tags", TenantColumn: "tenant_id"},
	}, all)
}

// Machine has no tenant column.
type Machine struct{ ID uint }
