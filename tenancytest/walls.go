package tenancytest

import (
	"context"
	"database/sql"
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
			total := 0
			for _, who := range here.owners {
				seen := s.shown(t, pool, here, table, who.id)
				others := slices.DeleteFunc(slices.Clone(seen), func(whose string) bool { return len(table.tenants) == 0 || whose == string(who.id) })
				assert.Empty(t, others, "%s: the setting of one tenant shows another's rows", table.name)
				total += len(seen)
			}
			assert.Empty(t, s.shown(t, pool, here, table, ""), "%s: rows are shown without the setting", table.name)
			var all int64
			require.NoError(t, here.db.Table(table.name).Count(&all).Error)
			assert.EqualValues(t, all, total, "%s: each row is shown to one tenant", table.name)
		}
	}
}

// shown reads whose rows of a table the database shows while the setting has a value; empty: none.
func (s *stage) shown(t *testing.T, pool *sql.DB, at *site, table *table, value tenancy.ID) []string {
	t.Helper()
	quote := at.db.Statement.Quote
	name, whose := quote(table.name), "''"
	if at.at.Schema != "" {
		name = quote(at.at.Schema) + "." + name
	}
	for _, column := range table.tenants {
		whose = "CAST(" + quote(column) + " AS text)"
	}
	ctx := t.Context()
	tx, err := pool.BeginTx(ctx, nil)
	require.NoError(t, err)
	defer func() { _ = tx.Rollback() }()
	if value != "" {
		_, err := tx.ExecContext(ctx, "SELECT set_config($1, $2, true)", s.setting, string(value))
		require.NoError(t, err)
	}
	return column(ctx, t, tx, "SELECT "+whose+" FROM "+name)
}

// column reads the only column of a query.
func column(ctx context.Context, t *testing.T, tx *sql.Tx, query string) (values []string) {
	t.Helper()
	rows, err := tx.QueryContext(ctx, query)
	require.NoError(t, err)
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var value string
		require.NoError(t, rows.Scan(&value))
		values = append(values, value)
	}
	require.NoError(t, rows.Err())
	return values
}
