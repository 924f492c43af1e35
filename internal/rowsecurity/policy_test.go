package rowsecurity

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/internal/testdb"
)

func TestPoliciesOfEachType(t *testing.T) {
	dsn := testdb.Postgres(t)
	admin := open(t, dsn)
	user := role(t, admin, "")
	db, b := open(t, as(t, dsn, user)), newBinder(t)
	tenants := map[string][2]string{
		"":                     {"a", "b"},
		"text":                 {"a", "b"},
		"varchar(20)":          {"a", "b"},
		"char(3)":              {"a", "b"},
		"bigint":               {"1", "2"},
		"smallint":             {"1", "2"},
		"numeric":              {"1", "2"},
		"uuid":                 {"7b9c6f2e-4c0f-4d8e-9f8a-3b6d5e4f3a2b", "7b9c6f2e-4c0f-4d8e-9f8a-3b6d5e4f3a2c"},
		`"My ""type"""`:        {"a", "b"},
		`"public"."My Domain"`: {"1", "2"},
	}
	exec(t, admin, `CREATE TYPE "My ""type""" AS ENUM ('a', 'b')`, `CREATE DOMAIN "My Domain" AS bigint`, `CREATE SCHEMA "Sch'ema"`,
		`GRANT USAGE ON SCHEMA "Sch'ema" TO `+user)
	n := 0
	for typ, two := range tenants {
		t.Run(typ, func(t *testing.T) {
			n++
			column := typ
			if column == "" {
				column = "text"
			}
			table := Table{Quoted: fmt.Sprintf(`"Sch'ema"."T ""%d"`, n), Column: `ten"ant`, Type: typ}
			exec(t, admin, "CREATE TABLE "+table.Quoted+` ("ten""ant" `+column+` NOT NULL, id bigint)`, "ALTER TABLE "+table.Quoted+" OWNER TO "+user)
			for range 2 { // they may be run again
				exec(t, admin, setting.Policies(table)...)
			}
			for i, tenant := range two {
				_, err := b.Exec(t.Context(), db, tenant, "INSERT INTO "+table.Quoted+` VALUES ($1, $2)`, []any{tenant, i})
				require.NoError(t, err)
				_, err = b.Exec(t.Context(), db, tenant, "INSERT INTO "+table.Quoted+` VALUES ($1, $2)`, []any{two[1-i], i})
				require.ErrorContains(t, err, "row-level security")
			}
			for i, tenant := range two {
				rows, err := b.Query(t.Context(), db, tenant, "SELECT id FROM "+table.Quoted, nil)
				assert.Equal(t, []int64{int64(i)}, ids(t, rows, err))
				_, err = b.Exec(t.Context(), db, tenant, "UPDATE "+table.Quoted+` SET "ten""ant" = $1`, []any{two[1-i]})
				require.ErrorContains(t, err, "row-level security")
			}
			// Without a tenant, whether the session has had one or not, there are no rows and no error.
			for range 2 {
				rows, err := db.QueryContext(t.Context(), "SELECT id FROM "+table.Quoted)
				assert.Empty(t, ids(t, rows, err))
				rows, err = b.Query(t.Context(), db, "", "SELECT id FROM "+table.Quoted, nil)
				assert.Empty(t, ids(t, rows, err))
			}
			fresh := open(t, as(t, dsn, user))
			rows, err := fresh.QueryContext(t.Context(), "SELECT id FROM "+table.Quoted)
			assert.Empty(t, ids(t, rows, err))
		})
	}
}

func TestPoliciesOfAJoinTable(t *testing.T) {
	dsn := testdb.Postgres(t)
	admin := open(t, dsn)
	user := role(t, admin, "")
	db, b := open(t, as(t, dsn, user)), newBinder(t)
	exec(t, admin,
		"CREATE TABLE posts (tenant_id text, id bigint, PRIMARY KEY (tenant_id, id))",
		"CREATE TABLE tags (id bigint PRIMARY KEY, tenant_id text)",
		"CREATE TABLE post_tags (post_tenant text, post_id bigint, tag_id bigint)",
		"INSERT INTO posts VALUES ('a', 1), ('b', 1), ('b', 2)",
		"INSERT INTO tags VALUES (10, 'a'), (20, 'b')",
		"INSERT INTO post_tags VALUES ('a', 1, 10), ('b', 2, 20), ('a', 1, 20), ('b', 1, 10)", // the last two join rows of two tenants
		"GRANT ALL ON ALL TABLES IN SCHEMA public TO "+user)
	exec(t, admin, setting.Policies(Table{Quoted: "posts", Column: "tenant_id"})...)
	exec(t, admin, setting.Policies(Table{Quoted: "tags", Column: "tenant_id"})...)
	exec(t, admin, setting.Policies(Table{Quoted: `"public"."post_tags"`, Ends: []End{
		{Columns: []string{"post_tenant", "post_id"}, Parent: `"posts"`, Keys: []string{"tenant_id", "id"}},
		{Columns: []string{"tag_id"}, Parent: `"public"."tags"`, Keys: []string{"id"}},
	}})...)
	found, err := b.CheckTables(t.Context(), db, []string{"posts", "tags", "post_tags"})
	require.NoError(t, err)
	assert.Len(t, found, 3)

	for tenant, want := range map[string][]int64{"a": {10}, "b": {20}} {
		rows, err := b.Query(t.Context(), db, tenant, "SELECT tag_id FROM post_tags", nil)
		assert.Equal(t, want, ids(t, rows, err))
	}
	rows, err := db.QueryContext(t.Context(), "SELECT tag_id FROM post_tags")
	assert.Empty(t, ids(t, rows, err))
	_, err = b.Exec(t.Context(), db, "a", "INSERT INTO post_tags VALUES ('a', 1, 20)", nil)
	require.ErrorContains(t, err, "row-level security")
	_, err = b.Exec(t.Context(), db, "a", "INSERT INTO post_tags VALUES ('b', 1, 10)", nil)
	require.ErrorContains(t, err, "row-level security")
	_, err = b.Exec(t.Context(), db, "a", "INSERT INTO post_tags VALUES ('a', 1, 10)", nil)
	require.NoError(t, err)
	result, err := b.Exec(t.Context(), db, "a", "DELETE FROM post_tags", nil)
	require.NoError(t, err)
	n, err := result.RowsAffected()
	require.NoError(t, err)
	assert.EqualValues(t, 2, n)

	assert.Nil(t, setting.Policies(Table{Quoted: "plain"}))
}

// A policy must neither keep an index from being used nor read the setting once per row.
func TestPoliciesUseIndexes(t *testing.T) {
	dsn := testdb.Postgres(t)
	admin := open(t, dsn)
	user := role(t, admin, "")
	db, b := open(t, as(t, dsn, user)), newBinder(t)
	for typ, tenant := range map[string]string{"text": "7", "bigint": "7", "varchar(20)": "7", "uuid": "00000000-0000-0000-0000-000000000007"} {
		name := "big_" + typ[:4]
		made := "(g % 100)::text"
		if typ == "uuid" {
			made = "lpad((g % 100)::text, 32, '0')"
		}
		exec(t, admin, "CREATE TABLE "+name+" (tenant_id "+typ+" NOT NULL, id bigint NOT NULL, v text, PRIMARY KEY (tenant_id, id))",
			"INSERT INTO "+name+" SELECT ("+made+")::"+typ+", g, 'x' FROM generate_series(1, 20000) AS g",
			"ANALYZE "+name, "GRANT ALL ON "+name+" TO "+user)
		exec(t, admin, setting.Policies(Table{Quoted: name, Column: "tenant_id", Type: typ})...)
		for query, want := range map[string]string{
			"SELECT * FROM " + name + " WHERE id = 107": "((tenant_id = $0) AND (id = 107))",
			"SELECT count(*) FROM " + name:              "(tenant_id = $0)",
		} {
			rows, err := b.Query(t.Context(), db, tenant, "EXPLAIN (COSTS off) "+query, nil)
			require.NoError(t, err)
			var lines []string
			for rows.Next() {
				var line string
				require.NoError(t, rows.Scan(&line))
				lines = append(lines, line)
			}
			require.NoError(t, rows.Err())
			require.NoError(t, rows.Close())
			plan := strings.NewReplacer("(tenant_id)::text", "tenant_id", "($0)::text", "$0", "((InitPlan 1).col1)::text", "$0", "(InitPlan 1).col1", "$0").Replace(strings.Join(lines, "\n"))
			assert.Contains(t, plan, "Index Cond: "+want, "%s\n%s", typ, plan)
			assert.NotContains(t, plan, "Seq Scan")
			assert.Equal(t, 1, strings.Count(plan, "InitPlan 1"), plan) // once per statement
		}
	}
}
