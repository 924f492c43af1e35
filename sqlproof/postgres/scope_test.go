package postgres

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/sqlproof"
)

// TestTrusted has conditions of the application's own. Those that bind a table are left to be checked.
func TestTrusted(t *testing.T) {
	t.Parallel()
	p := sqlproof.NewProver(New(), tables(), 0)
	for _, c := range []struct {
		sql    string
		checks []sqlproof.Check // of them the argument and the literal
	}{
		{`SELECT * FROM users WHERE tenant_id = $2 AND id = $1`, []sqlproof.Check{{Argument: 1}}},
		{`SELECT * FROM users WHERE 'a' = users.tenant_id`, []sqlproof.Check{{Argument: -1, Literal: "a"}}},
		{`SELECT * FROM users WHERE tenant_id = $1::text AND tenant_id = $2::uuid`, []sqlproof.Check{{}}},
		{`SELECT * FROM users WHERE tenant_id = CAST($1 AS pg_catalog.varchar)`, []sqlproof.Check{{}}},
		{`SELECT * FROM users WHERE tenant_id = int8 '12'`, []sqlproof.Check{{Argument: -1, Literal: "12"}}},
		{`SELECT * FROM users WHERE tenant_id IN ($1, 'b')`, []sqlproof.Check{{}, {Argument: -1, Literal: "b"}}},
		{`SELECT * FROM users WHERE tenant_id OPERATOR(pg_catalog.=) $1`, []sqlproof.Check{{}}},
		{`SELECT * FROM public.users WHERE public.users.tenant_id = $1`, []sqlproof.Check{{}}},
		{`SELECT * FROM users u JOIN orders o ON o.tenant_id = u.tenant_id AND u.tenant_id = $1`, []sqlproof.Check{{}}},
		{`SELECT * FROM users u LEFT JOIN orders o ON o.tenant_id = $1 WHERE u.tenant_id = $1`, []sqlproof.Check{{}, {}}},
		{`SELECT * FROM users u WHERE u.tenant_id = $1 AND EXISTS (SELECT 1 FROM orders o WHERE o.tenant_id = u.tenant_id)`, []sqlproof.Check{{}}},
		{`SELECT * FROM users u, LATERAL (SELECT * FROM orders o WHERE o.tenant_id = u.tenant_id) x WHERE u.tenant_id = $1`, []sqlproof.Check{{}}},
		{`UPDATE users SET a = 1 WHERE tenant_id = $1`, []sqlproof.Check{{}}},
		{`DELETE FROM users u USING orders o WHERE u.tenant_id = $1 AND o.tenant_id = u.tenant_id`, []sqlproof.Check{{}}},
	} {
		t.Run(c.sql, func(t *testing.T) {
			plan := p.Prove(c.sql)
			require.Nil(t, plan.Refusal)
			require.Equal(t, c.sql, plan.SQL)
			require.Len(t, plan.Checks, len(c.checks))
			for i, want := range c.checks {
				assert.Equal(t, want.Argument, plan.Checks[i].Argument)
				assert.Equal(t, want.Literal, plan.Checks[i].Literal)
			}
		})
	}
}

// TestNotTrusted has conditions that look as if they bound a table, and do not. Each gets a condition that does.
func TestNotTrusted(t *testing.T) {
	t.Parallel()
	known := tables()
	shops := known["users"]
	shops.Name, shops.Column = "shops", "shop_id"
	known["shops"] = shops
	p := sqlproof.NewProver(New(), known, 0)
	for _, c := range []struct{ why, sql, added string }{
		{"one of two may hold", `SELECT * FROM users WHERE tenant_id = $1 OR true`, `"users"."tenant_id" = $2 AND`},
		{"it holds for all others", `SELECT * FROM users WHERE NOT tenant_id = $1`, `"users"."tenant_id" = $2 AND`},
		{"it holds for all others", `SELECT * FROM users WHERE tenant_id NOT IN ($1)`, `"users"."tenant_id" = $2 AND`},
		{"it is another operator", `SELECT * FROM users WHERE tenant_id OPERATOR(my.=) $1`, `"users"."tenant_id" = $2 AND`},
		{"the argument may be a list of tenants", `SELECT * FROM users WHERE tenant_id = ANY($1)`, `"users"."tenant_id" = $2 AND`},
		{"the cast cuts the value", `SELECT * FROM users WHERE tenant_id = $1::varchar(2)`, `"users"."tenant_id" = $2 AND`},
		{"the cast pads the value", `SELECT * FROM users WHERE tenant_id = $1::char`, `"users"."tenant_id" = $2 AND`},
		{"the cast is to a type of the application's", `SELECT * FROM users WHERE tenant_id = $1::my.text`, `"users"."tenant_id" = $2 AND`},
		{"the cast is to an array", `SELECT * FROM users WHERE tenant_id = $1::text[]`, `"users"."tenant_id" = $2 AND`},
		{"the column is cast", `SELECT * FROM users WHERE tenant_id::varchar(1) = $1`, `"users"."tenant_id" = $2 AND`},
		{"the collation may say what is equal", `SELECT * FROM users WHERE tenant_id = $1 COLLATE ci`, `"users"."tenant_id" = $2 AND`},
		{"the name has another case", `SELECT * FROM users WHERE "Tenant_id" = $1`, `"users"."tenant_id" = $2 AND`},
		{"an outer join keeps the rows", `SELECT * FROM users u LEFT JOIN countries c ON u.tenant_id = $1`, `WHERE "u"."tenant_id" = $2`},
		{"a full join keeps the rows", `SELECT * FROM users u FULL JOIN countries c ON u.tenant_id = $1`, `(SELECT * FROM users WHERE "users"."tenant_id" = $2) u`},
		{
			"u is seen from LATERAL if it stands before it",
			`SELECT 1 FROM (SELECT 'b' AS tenant_id) u WHERE EXISTS (SELECT 1 FROM LATERAL (SELECT * FROM orders o WHERE o.tenant_id = u.tenant_id) x, companies u WHERE u.tenant_id = $1)`,
			`WHERE "o"."tenant_id" = $2 AND (o.tenant_id = u.tenant_id)`,
		},
		{
			"u is seen from a function's arguments if it stands before it",
			`SELECT 1 FROM (SELECT 'b' AS tenant_id) u WHERE EXISTS (SELECT 1 FROM unnest((SELECT o.ids FROM orders o WHERE o.tenant_id = u.tenant_id)) x, companies u WHERE u.tenant_id = $1)`,
			`WHERE "o"."tenant_id" = $2 AND (o.tenant_id = u.tenant_id)`,
		},
		{
			"c is seen from ON if it is joined there",
			`SELECT 1 FROM (SELECT 'b' AS tenant_id) c WHERE EXISTS (SELECT 1 FROM countries x JOIN orders o ON o.tenant_id = c.tenant_id, companies c WHERE c.tenant_id = $1)`,
			`WHERE "o"."tenant_id" = $2 AND (c.tenant_id = $1)`,
		},
		{
			"c is seen from a query in ON if it is joined there",
			`SELECT 1 FROM (SELECT 'b' AS tenant_id) c WHERE EXISTS (SELECT 1 FROM companies c, countries x JOIN countries y ON EXISTS (SELECT 1 FROM orders o WHERE o.tenant_id = c.tenant_id) WHERE c.tenant_id = $1)`,
			`WHERE "o"."tenant_id" = $2 AND (o.tenant_id = c.tenant_id)`,
		},
		{
			"x may have such a column too",
			`SELECT 1 FROM shops s WHERE s.shop_id = $1 AND EXISTS (SELECT 1 FROM orders o, LATERAL (SELECT 'b' AS shop_id) x WHERE o.tenant_id = shop_id)`,
			`WHERE "o"."tenant_id" = $2 AND (o.tenant_id = shop_id)`,
		},
		{
			"a name with a schema may be that of the nearer table",
			`SELECT 1 FROM public.orders WHERE orders.tenant_id = $1 AND EXISTS (SELECT 1 FROM orders WHERE orders.tenant_id = public.orders.tenant_id)`,
			`WHERE "orders"."tenant_id" = $2 AND (orders.tenant_id = public.orders.tenant_id)`,
		},
		{
			"j is a join here",
			`SELECT 1 FROM users j WHERE j.tenant_id = $1 AND EXISTS (SELECT 1 FROM orders o, (countries x JOIN countries y ON true) AS j WHERE o.tenant_id = j.tenant_id)`,
			`WHERE "o"."tenant_id" = $2 AND (o.tenant_id = j.tenant_id)`,
		},
		{
			"j is what USING has merged here",
			`SELECT 1 FROM users j WHERE j.tenant_id = $1 AND EXISTS (SELECT 1 FROM orders o, countries x JOIN countries y USING (tenant_id) AS j WHERE o.tenant_id = j.tenant_id)`,
			`WHERE "o"."tenant_id" = $2 AND (o.tenant_id = j.tenant_id)`,
		},
		{
			"a derived table sees nothing of those beside it",
			`SELECT 1 FROM users u, (SELECT * FROM orders o WHERE o.tenant_id = u.tenant_id) x WHERE u.tenant_id = $1`,
			`WHERE "o"."tenant_id" = $2 AND (o.tenant_id = u.tenant_id)`,
		},
	} {
		t.Run(c.sql, func(t *testing.T) {
			plan := p.Prove(c.sql)
			require.Nil(t, plan.Refusal)
			assert.Contains(t, plan.SQL, c.added, c.why)
		})
	}
}
