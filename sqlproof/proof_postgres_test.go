package sqlproof_test

import (
	"testing"

	"github.com/gormtenancy/tenancy/sqlproof/postgres"
)

// TestPostgresRules shows what PostgreSQL alone has, or has in another way.
func TestPostgresRules(t *testing.T) {
	check(t, postgres.New(), []rule{
		{
			"a placeholder is used for all conditions on one table",
			"SELECT o.id FROM orders o LEFT JOIN orders p ON p.id = o.id LEFT JOIN payments q ON q.order_id = " +
				"o.id WHERE o.status = $2 OR o.id = $1",
			"SELECT o.id FROM orders o LEFT JOIN orders p ON {p $3} AND (p.id = o.id) LEFT JOIN payments q " +
				"ON {q $4} AND (q.order_id = o.id) WHERE {o $3} AND (o.status = $2 OR o.id = $1)\n" +
				"orders at 2; payments at 3",
		},
		{
			"a placeholder that stands twice is one argument",
			"SELECT o.id FROM orders o JOIN payments p ON p.tenant_id = $1 WHERE o.tenant_id = $1 AND o.id = $2",
			"check 0 for orders; check 0 for payments",
		},
		{
			"a placeholder comes directly before a word",
			"SELECT \"orders\".id FROM\"orders\"order by 1",
			"SELECT \"orders\".id FROM\"orders\" WHERE {orders $1} order by 1\n" +
				"orders at 0",
		},
		{
			"a cast of a value is that value",
			"SELECT o.id FROM orders o WHERE o.tenant_id = $1::text AND o.id = 1",
			"check 0 for orders",
		},
		{
			"a cast of the column is not the column",
			"SELECT o.id FROM orders o WHERE o.tenant_id::varchar(1) = 'a'",
			"SELECT o.id FROM orders o WHERE {o $1} AND (o.tenant_id::varchar(1) = 'a')\n" +
				"orders at 0",
		},
		{
			"ANY of a list binds nothing",
			"SELECT o.id FROM orders o WHERE o.tenant_id = ANY (ARRAY['a', 'b'])",
			"SELECT o.id FROM orders o WHERE {o $1} AND (o.tenant_id = ANY (ARRAY['a', 'b']))\n" +
				"orders at 0",
		},
		{
			"ALL of a query neither",
			"SELECT o.id FROM orders o WHERE o.tenant_id = ALL (SELECT 'a')",
			"SELECT o.id FROM orders o WHERE {o $1} AND (o.tenant_id = ALL (SELECT 'a'))\n" +
				"orders at 0",
		},
		{
			"IS NOT DISTINCT FROM is true of two NULLs",
			"SELECT o.id FROM orders o WHERE o.tenant_id IS NOT DISTINCT FROM 'a'",
			"SELECT o.id FROM orders o WHERE {o $1} AND (o.tenant_id IS NOT DISTINCT FROM 'a')\n" +
				"orders at 0",
		},
		{
			"another operator of that name is another one",
			"SELECT o.id FROM orders o WHERE o.tenant_id OPERATOR(shop.=) 'a'",
			"SELECT o.id FROM orders o WHERE {o $1} AND (o.tenant_id OPERATOR(shop.=) 'a')\n" +
				"orders at 0",
		},
		{
			"names are folded by the parser alone",
			"SELECT O.id FROM ORDERS O WHERE \"o\".Tenant_ID = 'a'",
			"check 'a' for orders",
		},
		{
			"a name in quotes is another one",
			"SELECT o.id FROM orders o WHERE o.\"TENANT_ID\" = 'a'",
			"SELECT o.id FROM orders o WHERE {o $1} AND (o.\"TENANT_ID\" = 'a')\n" +
				"orders at 0",
		},
		{
			"LATERAL sees what is before it",
			"SELECT c.id, x.n FROM customers c, LATERAL (SELECT count(*) AS n FROM orders o WHERE o.tenant_id " +
				"= c.tenant_id) x WHERE c.tenant_id = 'a'",
			"check 'a' for customers",
		},
		{
			"not what is behind it",
			"SELECT x.n FROM LATERAL (SELECT count(*) AS n FROM orders o WHERE o.tenant_id = c.tenant_id) x " +
				"JOIN customers c ON c.tenant_id = 'a'",
			"SELECT x.n FROM LATERAL (SELECT count(*) AS n FROM orders o WHERE {o $1} AND (o.tenant_id = " +
				"c.tenant_id)) x JOIN customers c ON c.tenant_id = 'a'\n" +
				"orders at 0; check 'a' for customers",
		},
		{
			"a subquery without LATERAL sees nothing",
			"SELECT c.id, x.n FROM customers c, (SELECT count(*) AS n FROM orders o WHERE o.tenant_id = " +
				"c.tenant_id) x WHERE c.tenant_id = 'a'",
			"SELECT c.id, x.n FROM customers c, (SELECT count(*) AS n FROM orders o WHERE {o $1} AND " +
				"(o.tenant_id = c.tenant_id)) x WHERE c.tenant_id = 'a'\n" +
				"orders at 0; check 'a' for customers",
		},
		{
			"LATERAL means what is outside if the name comes later",
			"SELECT (SELECT count(*) FROM LATERAL (SELECT o.id FROM orders o WHERE o.tenant_id = c.tenant_id) " +
				"x JOIN customers c ON c.tenant_id = 'a') AS n FROM (SELECT 'b' AS tenant_id) c",
			"SELECT (SELECT count(*) FROM LATERAL (SELECT o.id FROM orders o WHERE {o $1} AND (o.tenant_id = " +
				"c.tenant_id)) x JOIN customers c ON c.tenant_id = 'a') AS n FROM (SELECT 'b' AS tenant_id) c\n" +
				"orders at 0; check 'a' for customers",
		},
		{
			"the name of a join hides a table outside",
			"SELECT c.name FROM customers c WHERE c.tenant_id = 'a' AND EXISTS (SELECT 1 FROM (countries k " +
				"CROSS JOIN (SELECT 'b' AS tenant_id) d) AS c, payments p WHERE p.tenant_id = c.tenant_id)",
			"SELECT c.name FROM customers c WHERE c.tenant_id = 'a' AND EXISTS (SELECT 1 FROM (countries k " +
				"CROSS JOIN (SELECT 'b' AS tenant_id) d) AS c, payments p WHERE {p $1} AND (p.tenant_id = " +
				"c.tenant_id))\n" +
				"payments at 0; check 'a' for customers",
		},
		{
			"so does that of USING",
			"SELECT c.name FROM customers c WHERE c.tenant_id = 'a' AND EXISTS (SELECT 1 FROM countries k JOIN " +
				"(SELECT 'b' AS tenant_id) d USING (tenant_id) AS c, payments p WHERE p.tenant_id = c.tenant_id)",
			"SELECT c.name FROM customers c WHERE c.tenant_id = 'a' AND EXISTS (SELECT 1 FROM countries k " +
				"JOIN (SELECT 'b' AS tenant_id) d USING (tenant_id) AS c, payments p WHERE {p $1} AND " +
				"(p.tenant_id = c.tenant_id))\n" +
				"payments at 0; check 'a' for customers",
		},
		{
			"columns with other names are refused",
			"SELECT o.id FROM orders o (id, note) WHERE o.tenant_id = 'a'",
			"refused: table orders: its columns have other names here",
		},
		{
			"a row type is no table",
			"SELECT NULL::orders",
			"nobody's",
		},
		{
			"a query that is a table has no place",
			"TABLE orders",
			"refused: table orders: its query has no place for a condition",
		},
		{
			"a common table expression that deletes",
			"WITH gone AS (DELETE FROM orders RETURNING id) UPDATE customers c SET note = 'x' FROM gone WHERE " +
				"gone.id = c.id",
			"WITH gone AS (DELETE FROM orders WHERE {orders $1} RETURNING id) UPDATE customers c SET note = " +
				"'x' FROM gone WHERE {c $2} AND (gone.id = c.id)\n" +
				"orders at 0; customers at 1",
		},
		{
			"one that inserts",
			"WITH n AS (INSERT INTO orders (id) SELECT c.id FROM customers c RETURNING id) SELECT n.id FROM n",
			"WITH n AS (INSERT INTO orders (id, \"tenant_id\") SELECT c.id, $1 FROM customers c WHERE {c $2} " +
				"RETURNING id) SELECT n.id FROM n\n" +
				"orders at 0; customers at 1",
		},
		{
			"the arms of a union share a placeholder",
			"INSERT INTO orders (id) SELECT 1 UNION SELECT 2",
			"INSERT INTO orders (id, \"tenant_id\") SELECT 1, $1 UNION SELECT 2, $1\n" +
				"orders at 0",
		},
		{
			"an upsert over a constraint",
			"INSERT INTO orders (id) VALUES ($1) ON CONFLICT ON CONSTRAINT k DO UPDATE SET note = $2",
			"INSERT INTO orders (id, \"tenant_id\") VALUES ($1, $3) ON CONFLICT ON CONSTRAINT k DO UPDATE " +
				"SET note = $2 WHERE {orders $4}\n" +
				"orders at 2; orders at 3",
		},
		{
			"a delete with other tables",
			"DELETE FROM orders o USING payments p LEFT JOIN customers c ON c.id = p.id WHERE p.order_id = o.id",
			"DELETE FROM orders o USING payments p LEFT JOIN customers c ON {c $1} AND (c.id = p.id) WHERE " +
				"{o $2} AND {p $3} AND (p.order_id = o.id)\n" +
				"customers at 0; orders at 1; payments at 2",
		},
		{
			"several columns at once",
			"UPDATE orders SET (note, tenant_id) = (SELECT 'x', 'a')",
			"refused: table orders: column tenant_id is to hold another tenant, or SQL that could be one",
		},
		{
			"a join table",
			"SELECT l.tag_id FROM product_tags l WHERE l.tag_id = $1",
			"SELECT l.tag_id FROM product_tags l WHERE {link l $2 $3} AND (l.tag_id = $1)\n" +
				"products at 1; tags at 2",
		},
		{
			"a locking clause comes last",
			"SELECT o.id FROM orders o WHERE o.id = 1 FOR UPDATE OF o SKIP LOCKED",
			"SELECT o.id FROM orders o WHERE {o $1} AND (o.id = 1) FOR UPDATE OF o SKIP LOCKED\n" +
				"orders at 0",
		},
		{
			"a table without its heirs cannot be put in a subquery",
			"SELECT o.id FROM ONLY orders o FULL JOIN product_tags l ON l.tag_id = o.id",
			"refused: table orders: its condition has no place, in a FULL JOIN",
		},
		{
			"a stored tenant has a placeholder of its own",
			"INSERT INTO orders (id) SELECT o.id FROM orders o WHERE o.id = $1",
			"INSERT INTO orders (id, \"tenant_id\") SELECT o.id, $2 FROM orders o WHERE {o $3} AND (o.id = " +
				"$1)\n" +
				"orders at 1; orders at 2",
		},
		{
			"one of a number is cast in a union",
			"INSERT INTO counters (id) SELECT 1 UNION SELECT 2",
			"INSERT INTO counters (id, \"tenant_id\") SELECT 1, CAST($1 AS bigint) UNION SELECT 2, CAST($1 " +
				"AS bigint)\n" +
				"counters at 0",
		},
		{
			"ON names nothing before the join",
			"SELECT (SELECT count(*) FROM customers c, orders o JOIN countries k ON o.tenant_id = c.tenant_id " +
				"WHERE c.tenant_id = 'a') AS n FROM (SELECT 'b' AS tenant_id) c",
			"SELECT (SELECT count(*) FROM customers c, orders o JOIN countries k ON o.tenant_id = " +
				"c.tenant_id WHERE {o $1} AND (c.tenant_id = 'a')) AS n FROM (SELECT 'b' AS tenant_id) c\n" +
				"orders at 0; check 'a' for customers",
		},
		{
			"nor does a query in ON",
			"SELECT (SELECT count(*) FROM customers c, countries k JOIN countries l ON EXISTS (SELECT 1 FROM " +
				"orders o WHERE o.tenant_id = c.tenant_id) WHERE c.tenant_id = 'a') AS n FROM (SELECT 'b' AS " +
				"tenant_id) c",
			"SELECT (SELECT count(*) FROM customers c, countries k JOIN countries l ON EXISTS (SELECT 1 FROM " +
				"orders o WHERE {o $1} AND (o.tenant_id = c.tenant_id)) WHERE c.tenant_id = 'a') AS n FROM " +
				"(SELECT 'b' AS tenant_id) c\n" +
				"orders at 0; check 'a' for customers",
		},
	})
}
