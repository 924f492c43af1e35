package sqlproof_test

import (
	"testing"

	"github.com/gormtenancy/tenancy/sqlproof/sqlite"
)

// TestNames shows which table a name is taken for.
func TestNames(t *testing.T) {
	check(t, sqlite.New(), []rule{
		{
			"USING makes one column of two, which need not be the table's",
			"SELECT o.id FROM countries c LEFT JOIN orders o USING (tenant_id) WHERE tenant_id = 'a'",
			"SELECT o.id FROM countries c LEFT JOIN (SELECT * FROM orders WHERE {orders}) o USING " +
				"(tenant_id) WHERE tenant_id = 'a'\n" +
				"orders at 0",
		},
		{
			"so does NATURAL",
			"SELECT o.id FROM countries c NATURAL LEFT JOIN orders o WHERE tenant_id = 'a'",
			"SELECT o.id FROM countries c NATURAL LEFT JOIN (SELECT * FROM orders WHERE {orders}) o WHERE " +
				"tenant_id = 'a'\n" +
				"orders at 0",
		},
		{
			"USING of other columns does not",
			"SELECT o.id FROM countries c JOIN orders o USING (id) WHERE tenant_id = 'a'",
			"check 'a' for orders",
		},
		{
			"two tables that have a bare column make it nobody's",
			"SELECT o.id FROM orders o, payments p WHERE tenant_id = 'a'",
			"SELECT o.id FROM orders o, payments p WHERE {o} AND {p} AND (tenant_id = 'a')\n" +
				"orders at 0; payments at 1",
		},
		{
			"an inner query sees the tables outside",
			"SELECT c.id FROM customers c WHERE c.tenant_id = 'a' AND EXISTS (SELECT 1 FROM orders o WHERE " +
				"o.tenant_id = c.tenant_id)",
			"check 'a' for customers",
		},
		{
			"through several queries",
			"SELECT c.id FROM customers c WHERE c.tenant_id = 'a' AND EXISTS (SELECT 1 FROM countries WHERE " +
				"EXISTS (SELECT 1 FROM orders o WHERE o.tenant_id = c.tenant_id))",
			"check 'a' for customers",
		},
		{
			"and in the SELECT list",
			"SELECT (SELECT count(*) FROM orders o WHERE o.tenant_id = c.tenant_id) AS n FROM customers c " +
				"WHERE c.tenant_id = 'a'",
			"check 'a' for customers",
		},
		{
			"a table outside that is not bound binds nothing",
			"SELECT (SELECT count(*) FROM orders o WHERE o.tenant_id = c.tenant_id) AS n FROM countries c",
			"SELECT (SELECT count(*) FROM orders o WHERE {o} AND (o.tenant_id = c.tenant_id)) AS n FROM " +
				"countries c\n" +
				"orders at 0",
		},
		{
			"a subquery in FROM does not see its neighbours",
			"SELECT x.n FROM customers c, (SELECT count(*) AS n FROM orders o WHERE o.tenant_id = c.tenant_id) " +
				"x WHERE c.tenant_id = 'a'",
			"SELECT x.n FROM customers c, (SELECT count(*) AS n FROM orders o WHERE {o} AND (o.tenant_id = " +
				"c.tenant_id)) x WHERE c.tenant_id = 'a'\n" +
				"orders at 0; check 'a' for customers",
		},
		{
			"but what is outside of the whole query",
			"SELECT (SELECT x.n FROM (SELECT count(*) AS n FROM orders o WHERE o.tenant_id = c.tenant_id) x) " +
				"AS n FROM customers c WHERE c.tenant_id = 'a'",
			"check 'a' for customers",
		},
		{
			"a common table expression does not see the tables of its query",
			"WITH q AS (SELECT o.id FROM orders o WHERE o.tenant_id = c.tenant_id) SELECT q.id FROM q, " +
				"customers c WHERE c.tenant_id = 'a'",
			"WITH q AS (SELECT o.id FROM orders o WHERE {o} AND (o.tenant_id = c.tenant_id)) SELECT q.id " +
				"FROM q, customers c WHERE c.tenant_id = 'a'\n" +
				"orders at 0; check 'a' for customers",
		},
		{
			"an arm of a union does not see the other",
			"SELECT o.id FROM orders o WHERE o.tenant_id = 'a' UNION SELECT c.id FROM customers c WHERE " +
				"o.tenant_id = 'a'",
			"SELECT o.id FROM orders o WHERE o.tenant_id = 'a' UNION SELECT c.id FROM customers c WHERE {c} " +
				"AND (o.tenant_id = 'a')\n" +
				"customers at 0; check 'a' for orders",
		},
		{
			"a name means the innermost table that has it",
			"SELECT c.id FROM customers c WHERE c.tenant_id = 'a' AND EXISTS (SELECT 1 FROM orders o, (SELECT " +
				"'b' AS tenant_id) c WHERE o.tenant_id = c.tenant_id)",
			"SELECT c.id FROM customers c WHERE c.tenant_id = 'a' AND EXISTS (SELECT 1 FROM orders o, " +
				"(SELECT 'b' AS tenant_id) c WHERE {o} AND (o.tenant_id = c.tenant_id))\n" +
				"orders at 0; check 'a' for customers",
		},
		{
			"ON names nothing but the two sides, and so means a table outside",
			"SELECT (SELECT count(*) FROM orders o JOIN countries k ON o.tenant_id = c.tenant_id JOIN " +
				"customers c ON c.tenant_id = 'a') AS n FROM (SELECT 'b' AS tenant_id) c",
			"SELECT (SELECT count(*) FROM orders o JOIN countries k ON o.tenant_id = c.tenant_id JOIN " +
				"customers c ON c.tenant_id = 'a' WHERE {o}) AS n FROM (SELECT 'b' AS tenant_id) c\n" +
				"orders at 0; check 'a' for customers",
		},
		{
			"nor does a query in ON",
			"SELECT (SELECT count(*) FROM countries k JOIN countries l ON EXISTS (SELECT 1 FROM orders o WHERE " +
				"o.tenant_id = c.tenant_id) JOIN customers c ON c.tenant_id = 'a') AS n FROM (SELECT 'b' AS " +
				"tenant_id) c",
			"SELECT (SELECT count(*) FROM countries k JOIN countries l ON EXISTS (SELECT 1 FROM orders o " +
				"WHERE {o} AND (o.tenant_id = c.tenant_id)) JOIN customers c ON c.tenant_id = 'a') AS n FROM " +
				"(SELECT 'b' AS tenant_id) c\n" +
				"orders at 0; check 'a' for customers",
		},
		{
			"a bare column may be any source's in between",
			"SELECT n.id FROM notes n WHERE n.org = 'a' AND EXISTS (SELECT 1 FROM orders o, (SELECT 'b' AS " +
				"org) d WHERE o.tenant_id = org)",
			"SELECT n.id FROM notes n WHERE n.org = 'a' AND EXISTS (SELECT 1 FROM orders o, (SELECT 'b' AS " +
				"org) d WHERE {o} AND (o.tenant_id = org))\n" +
				"orders at 0; check 'a' for notes",
		},
		{
			"a schema before the table makes it uncertain which is meant",
			"SELECT (SELECT count(*) FROM orders WHERE orders.tenant_id = main.orders.tenant_id) AS n FROM " +
				"main.orders WHERE main.orders.tenant_id = 'a'",
			"SELECT (SELECT count(*) FROM orders WHERE {orders} AND (orders.tenant_id = " +
				"main.orders.tenant_id)) AS n FROM main.orders WHERE main.orders.tenant_id = 'a'\n" +
				"orders at 0; check 'a' for orders",
		},
		{
			"so does an alias of that name",
			"SELECT (SELECT count(*) FROM payments p, countries AS orders WHERE p.tenant_id = " +
				"main.orders.tenant_id) AS n FROM main.orders WHERE main.orders.tenant_id = 'a'",
			"SELECT (SELECT count(*) FROM payments p, countries AS orders WHERE {p} AND (p.tenant_id = " +
				"main.orders.tenant_id)) AS n FROM main.orders WHERE main.orders.tenant_id = 'a'\n" +
				"payments at 0; check 'a' for orders",
		},
		{
			"the schema that the text names twice is the same",
			"SELECT orders.id FROM main.orders WHERE main.orders.tenant_id = 'a'",
			"check 'a' for orders",
		},
		{
			"a table of another schema is another one",
			"SELECT (SELECT count(*) FROM temp.orders JOIN payments p ON p.tenant_id = main.orders.tenant_id " +
				"WHERE temp.orders.tenant_id = 'a') AS n FROM main.orders WHERE main.orders.tenant_id = 'a'",
			"check 'a' for orders",
		},
		{
			"two sources of one name are refused",
			"SELECT orders.id FROM orders, payments AS orders",
			"refused: table orders: another source goes by the same name",
		},
		{
			"two of one name in different case too",
			"SELECT o.id FROM orders o, payments O",
			"refused: table orders: another source goes by the same name",
		},
		{
			"a common table expression hides the table",
			"WITH orders AS (SELECT 1 AS id) SELECT orders.id FROM orders",
			"nobody's",
		},
		{
			"but not the one with a schema",
			"WITH orders AS (SELECT 1 AS id) SELECT orders.id FROM main.orders",
			"WITH orders AS (SELECT 1 AS id) SELECT orders.id FROM main.orders WHERE {orders}\n" +
				"orders at 0",
		},
		{
			"a table of no list is refused",
			"SELECT x.id FROM secrets x",
			"refused: table secrets is in none of Config.Models, Global and Reference",
		},
		{
			"a name where no table was expected is refused",
			"SELECT c.code FROM countries c INDEXED BY orders",
			"refused: the name orders, which is a tenant's table, stands where no table was expected",
		},
		{
			"aliases may have the name of a table",
			"SELECT orders.code AS payments FROM countries AS orders ORDER BY payments",
			"nobody's",
		},
		{
			"without AS too",
			"SELECT orders.code payments FROM countries orders, (SELECT 1 AS x) customers",
			"nobody's",
		},
		{
			"a table that its placement confines",
			"SELECT p.id FROM places p JOIN orders o ON o.id = p.id",
			"SELECT p.id FROM places p JOIN orders o ON o.id = p.id WHERE {o}\n" +
				"orders at 0; placed",
		},
		{
			"a recursive expression is bound in both arms",
			"WITH RECURSIVE r AS (SELECT c.id FROM customers c WHERE c.tenant_id = 'a' UNION ALL SELECT c.id " +
				"FROM customers c JOIN r ON c.referred_by = r.id) SELECT r.id FROM r",
			"WITH RECURSIVE r AS (SELECT c.id FROM customers c WHERE c.tenant_id = 'a' UNION ALL SELECT c.id " +
				"FROM customers c JOIN r ON c.referred_by = r.id WHERE {c}) SELECT r.id FROM r\n" +
				"customers at 0; check 'a' for customers",
		},
		{
			"USING further in counts too",
			"SELECT o.id FROM (countries c LEFT JOIN orders o USING (tenant_id)) JOIN countries k ON k.code = " +
				"c.code WHERE tenant_id = 'a'",
			"SELECT o.id FROM (countries c LEFT JOIN (SELECT * FROM orders WHERE {orders}) o USING " +
				"(tenant_id)) JOIN countries k ON k.code = c.code WHERE tenant_id = 'a'\n" +
				"orders at 0",
		},
	})
}
