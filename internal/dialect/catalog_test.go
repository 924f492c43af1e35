package dialect_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/internal/dialect"
)

func TestCatalog(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		engine        dialect.Engine
		schema, name  string
		open, catalog bool
	}{
		{dialect.Postgres, "", "pg_class", true, true},
		{dialect.Postgres, "pg_catalog", "PG_TABLES", true, true},
		{dialect.Postgres, "information_schema", "columns", true, true},
		{dialect.Postgres, "", "pg_stats", false, true},
		{dialect.Postgres, "", "pg_stat_activity", false, true},
		{dialect.Postgres, "pg_catalog", "pg_authid", false, true},
		{dialect.Postgres, "information_schema", "triggers", false, true},
		{dialect.Postgres, "pg_toast", "pg_toast_1234", false, true},
		{dialect.Postgres, "", "columns", false, false},
		{dialect.Postgres, "shop", "pg_class", false, false},
		{dialect.MySQL, "information_schema", "tables", true, true},
		{dialect.MySQL, "INFORMATION_SCHEMA", "PROCESSLIST", false, true},
		{dialect.MySQL, "mysql", "user", false, true},
		{dialect.MySQL, "performance_schema", "threads", false, true},
		{dialect.MySQL, "", "tables", false, false},
		{dialect.SQLite, "", "sqlite_master", true, true},
		{dialect.SQLite, "main", "sqlite_schema", true, true},
		{dialect.SQLite, "", "sqlite_sequence", false, true},
		{dialect.SQLite, "", "sqlite_stat4", false, true},
		{dialect.SQLite, "", "orders", false, false},
		{dialect.Other, "information_schema", "tables", false, false},
	} {
		open, catalog := c.engine.Catalog(c.schema, c.name)
		require.Equal(t, [2]bool{c.open, c.catalog}, [2]bool{open, catalog}, "%v %s.%s", c.engine, c.schema, c.name)
	}
	require.True(t, dialect.Postgres.DefaultSchema("public"))
	require.True(t, dialect.SQLite.DefaultSchema("MAIN"))
	require.False(t, dialect.MySQL.DefaultSchema("shop"))
	require.False(t, dialect.Postgres.DefaultSchema("shop"))
}
