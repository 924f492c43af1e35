package tenancytest

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy"
)

// walls looks at row-level security without the plugin in between, on the connections that the plugin has: without the
// setting they show no row of a tenant, and with it one tenant's.
func (s *stage) walls(t *testing.T) {
	t.Helper()
	for _, here := range s.all {
		if len(here.owners) == 0 {
			continue
		}
		pool, err := tenancy.DB(s.plugin.WithContext(tenancy.WithTenant(t.Context(), here.owners[0].id)))
		require.NoError(t, err)
		for _, table := range here.tables {
			if table.global {
				continue
			}
			name := here.db.Statement.Quote(table.name)
			if here.at.Schema != "" {
				name = here.db.Statement.Quote(here.at.Schema) + "." + name
			}
			columns := []string{"'a row'"}
			for _, column := range table.tenants {
				columns = append(columns, "CAST("+here.db.Statement.Quote(column)+" AS text)")
			}
			// show reads the tenants of all rows that a tenant is shown.
			show := func(tenant tenancy.ID) (seen []string) {
				tx, err := pool.BeginTx(t.Context(), nil)
				require.NoError(t, err)
				defer func() { _ = tx.Rollback() }()
				if tenant != "" {
					_, err := tx.ExecContext(t.Context(), "SELECT set_config($1, $2, true)", s.setting, string(tenant))
					require.NoError(t, err)
				}
				rows, err := tx.QueryContext(t.Context(), "SELECT "+columns[len(columns)-1]+" FROM "+name)
				require.NoError(t, err)
				defer func() { _ = rows.Close() }()
				for rows.Next() {
					var whose string
					require.NoError(t, rows.Scan(&whose))
					seen = append(seen, whose)
				}
				require.NoError(t, rows.Err())
				return seen
			}
			total := 0
			for _, who := range here.owners {
				seen := show(who.id)
				assert.NotContains(t, seen, "", "%s: the setting shows rows of no tenant", name)
				others := slices.DeleteFunc(slices.Clone(seen), func(whose string) bool { return len(table.tenants) == 0 || whose == string(who.id) })
				assert.Empty(t, others, "%s: the setting of one tenant shows another's rows", name)
				total += len(seen)
			}
			assert.Empty(t, show(""), "%s: rows are shown without the setting", name)
			var all int64
			require.NoError(t, here.db.Table(table.name).Count(&all).Error)
			assert.EqualValues(t, all, total, "%s: each row is shown to one tenant", name)
		}
	}
}
