package sqlproof_test

import (
	"testing"

	"github.com/gormtenancy/tenancy/sqlproof/sqlite"
)

// TestConditions shows which conditions bind a table, and where one is added.
func TestConditions(t *testing.T) {
	check(t, sqlite.New(), []rule{
		{
			"an equality with a value binds",
			"SELECT o.id FROM orders o WHERE o.tenant_id = 'a'",
			"check 'a' for orders",
		},
		{
			"the value may come first",
			"SELECT o.id FROM orders o WHERE ? = o.tenant_id",
			"check 0 for orders",
		},
		{
			"a bare column is that of the one table that has it",
			"SELECT id FROM orders WHERE tenant_id = ? AND id = ?",
			"check 0 for orders",
		},
		{
			"nothing binds, so the condition goes to WHERE",
			"SELECT o.id FROM orders o",
			"SELECT o.id FROM orders o WHERE {o}\n" +
				"orders at 0",
		},
		{
			"WHERE is put in parentheses",
			"SELECT o.id FROM orders o WHERE o.status = ? OR o.id = ? ORDER BY o.id LIMIT ?",
			"SELECT o.id FROM orders o WHERE {o} AND (o.status = ? OR o.id = ?) ORDER BY o.id LIMIT ?\n" +
				"orders at 0",
		},
		{
			"WHERE goes before the clauses behind it",
			"SELECT o.status FROM orders o GROUP BY o.status HAVING count(*) > 1 ORDER BY 1",
			"SELECT o.status FROM orders o WHERE {o} GROUP BY o.status HAVING count(*) > 1 ORDER BY 1\n" +
				"orders at 0",
		},
		{
			"FROM is not that of IS DISTINCT FROM",
			"SELECT o.note IS DISTINCT FROM o.status FROM orders o",
			"SELECT o.note IS DISTINCT FROM o.status FROM orders o WHERE {o}\n" +
				"orders at 0",
		},
		{
			"a window has its name before AS",
			"SELECT sum(o.id) OVER w FROM orders o WINDOW w AS (ORDER BY o.id)",
			"SELECT sum(o.id) OVER w FROM orders o WHERE {o} WINDOW w AS (ORDER BY o.id)\n" +
				"orders at 0",
		},
		{
			"one side of OR binds nothing",
			"SELECT o.id FROM orders o WHERE o.tenant_id = 'a' OR o.id = 1",
			"SELECT o.id FROM orders o WHERE {o} AND (o.tenant_id = 'a' OR o.id = 1)\n" +
				"orders at 0",
		},
		{
			"both sides of OR bind nothing either",
			"SELECT o.id FROM orders o WHERE o.tenant_id = 'a' OR o.tenant_id = 'a'",
			"SELECT o.id FROM orders o WHERE {o} AND (o.tenant_id = 'a' OR o.tenant_id = 'a')\n" +
				"orders at 0",
		},
		{
			"a term of AND within OR binds nothing",
			"SELECT o.id FROM orders o WHERE (o.tenant_id = 'a' AND o.id = 1) OR o.id = 2",
			"SELECT o.id FROM orders o WHERE {o} AND ((o.tenant_id = 'a' AND o.id = 1) OR o.id = 2)\n" +
				"orders at 0",
		},
		{
			"NOT binds nothing",
			"SELECT o.id FROM orders o WHERE NOT (o.tenant_id = 'a')",
			"SELECT o.id FROM orders o WHERE {o} AND (NOT (o.tenant_id = 'a'))\n" +
				"orders at 0",
		},
		{
			"NOT of NOT binds nothing",
			"SELECT o.id FROM orders o WHERE NOT (NOT (o.tenant_id = 'a'))",
			"SELECT o.id FROM orders o WHERE {o} AND (NOT (NOT (o.tenant_id = 'a')))\n" +
				"orders at 0",
		},
		{
			"CASE binds nothing",
			"SELECT o.id FROM orders o WHERE CASE WHEN o.tenant_id = 'a' THEN 1 ELSE 1 END",
			"SELECT o.id FROM orders o WHERE {o} AND (CASE WHEN o.tenant_id = 'a' THEN 1 ELSE 1 END)\n" +
				"orders at 0",
		},
		{
			"another comparison binds nothing",
			"SELECT o.id FROM orders o WHERE o.tenant_id <> 'b' AND o.tenant_id >= 'a' AND o.tenant_id LIKE " +
				"'a' AND o.tenant_id IS 'a'",
			"SELECT o.id FROM orders o WHERE {o} AND (o.tenant_id <> 'b' AND o.tenant_id >= 'a' AND " +
				"o.tenant_id LIKE 'a' AND o.tenant_id IS 'a')\n" +
				"orders at 0",
		},
		{
			"an equality that is compared binds nothing",
			"SELECT o.id FROM orders o WHERE (o.tenant_id = 'a') = 0",
			"SELECT o.id FROM orders o WHERE {o} AND ((o.tenant_id = 'a') = 0)\n" +
				"orders at 0",
		},
		{
			"a collation binds nothing",
			"SELECT o.id FROM orders o WHERE o.tenant_id = 'a' COLLATE NOCASE",
			"SELECT o.id FROM orders o WHERE {o} AND (o.tenant_id = 'a' COLLATE NOCASE)\n" +
				"orders at 0",
		},
		{
			"a function of the column binds nothing",
			"SELECT o.id FROM orders o WHERE lower(o.tenant_id) = 'a'",
			"SELECT o.id FROM orders o WHERE {o} AND (lower(o.tenant_id) = 'a')\n" +
				"orders at 0",
		},
		{
			"HAVING binds nothing",
			"SELECT o.tenant_id FROM orders o GROUP BY o.tenant_id HAVING o.tenant_id = 'a'",
			"SELECT o.tenant_id FROM orders o WHERE {o} GROUP BY o.tenant_id HAVING o.tenant_id = 'a'\n" +
				"orders at 0",
		},
		{
			"the SELECT list binds nothing",
			"SELECT o.tenant_id = 'a' AS mine FROM orders o",
			"SELECT o.tenant_id = 'a' AS mine FROM orders o WHERE {o}\n" +
				"orders at 0",
		},
		{
			"a subquery beside it binds nothing",
			"SELECT o.id FROM orders o WHERE EXISTS (SELECT 1 FROM customers c WHERE c.tenant_id = 'a')",
			"SELECT o.id FROM orders o WHERE {o} AND (EXISTS (SELECT 1 FROM customers c WHERE c.tenant_id = " +
				"'a'))\n" +
				"orders at 0; check 'a' for customers",
		},
		{
			"a subquery on the table itself binds nothing",
			"SELECT o.id FROM orders o WHERE EXISTS (SELECT 1 FROM countries WHERE o.tenant_id = 'a')",
			"SELECT o.id FROM orders o WHERE {o} AND (EXISTS (SELECT 1 FROM countries WHERE o.tenant_id = " +
				"'a'))\n" +
				"orders at 0",
		},
		{
			"another table's condition binds nothing",
			"SELECT o.id FROM orders o, customers c WHERE c.tenant_id = 'a'",
			"SELECT o.id FROM orders o, customers c WHERE {o} AND (c.tenant_id = 'a')\n" +
				"orders at 0; check 'a' for customers",
		},
		{
			"another column binds nothing",
			"SELECT o.id FROM orders o WHERE o.status = 'a'",
			"SELECT o.id FROM orders o WHERE {o} AND (o.status = 'a')\n" +
				"orders at 0",
		},
		{
			"a list of values binds",
			"SELECT o.id FROM orders o WHERE o.tenant_id IN (?, 'a')",
			"check 0 for orders; check 'a' for orders",
		},
		{
			"a list with a column in it binds nothing, and leaves no check",
			"SELECT o.id FROM orders o WHERE o.tenant_id IN ('b', ?, o.status) AND o.tenant_id = 'a'",
			"check 'a' for orders",
		},
		{
			"a list with NULL binds nothing",
			"SELECT o.id FROM orders o WHERE o.tenant_id IN ('a', NULL)",
			"SELECT o.id FROM orders o WHERE {o} AND (o.tenant_id IN ('a', NULL))\n" +
				"orders at 0",
		},
		{
			"NOT IN binds nothing",
			"SELECT o.id FROM orders o WHERE o.tenant_id NOT IN ('b')",
			"SELECT o.id FROM orders o WHERE {o} AND (o.tenant_id NOT IN ('b'))\n" +
				"orders at 0",
		},
		{
			"a list of another column binds nothing",
			"SELECT o.id FROM orders o WHERE o.status IN ('a')",
			"SELECT o.id FROM orders o WHERE {o} AND (o.status IN ('a'))\n" +
				"orders at 0",
		},
		{
			"a list in which the column is binds nothing",
			"SELECT o.id FROM orders o WHERE 'a' IN (o.tenant_id)",
			"SELECT o.id FROM orders o WHERE {o} AND ('a' IN (o.tenant_id))\n" +
				"orders at 0",
		},
		{
			"a query binds nothing",
			"SELECT o.id FROM orders o WHERE o.tenant_id IN (SELECT 'a') AND o.tenant_id = (SELECT 'a')",
			"SELECT o.id FROM orders o WHERE {o} AND (o.tenant_id IN (SELECT 'a') AND o.tenant_id = (SELECT " +
				"'a'))\n" +
				"orders at 0",
		},
		{
			"a number is not compared with text",
			"SELECT o.id FROM orders o WHERE o.tenant_id = 1",
			"SELECT o.id FROM orders o WHERE {o} AND (o.tenant_id = 1)\n" +
				"orders at 0",
		},
		{
			"a number is compared with a number",
			"SELECT c.id FROM counters c WHERE c.tenant_id = 7",
			"check '7' for counters",
		},
		{
			"NULL binds nothing",
			"SELECT o.id FROM orders o WHERE o.tenant_id = NULL",
			"SELECT o.id FROM orders o WHERE {o} AND (o.tenant_id = NULL)\n" +
				"orders at 0",
		},
		{
			"a double-quoted name that is no column is a string, and binds nothing",
			"SELECT o.id FROM orders o WHERE o.tenant_id = \"a\"",
			"SELECT o.id FROM orders o WHERE {o} AND (o.tenant_id = \"a\")\n" +
				"orders at 0",
		},
		{
			"a list of placeholders has one check",
			"SELECT o.id FROM orders o WHERE o.id IN (?, ?) AND o.tenant_id IN (?, ?, ?) AND o.status = ?",
			"check 2+2×1 for orders",
		},
		{
			"two tables are bound by one condition and a join",
			"SELECT o.id FROM orders o JOIN customers c ON c.tenant_id = o.tenant_id WHERE c.tenant_id = 'a'",
			"check 'a' for customers",
		},
		{
			"one condition is enough for what is joined by it",
			"SELECT o.id FROM orders o JOIN customers c ON c.tenant_id = o.tenant_id JOIN payments p ON " +
				"p.tenant_id = c.tenant_id",
			"SELECT o.id FROM orders o JOIN customers c ON c.tenant_id = o.tenant_id JOIN payments p ON " +
				"p.tenant_id = c.tenant_id WHERE {o}\n" +
				"orders at 0",
		},
		{
			"a column is not bound through itself",
			"SELECT o.id FROM orders o WHERE o.tenant_id = o.tenant_id",
			"SELECT o.id FROM orders o WHERE {o} AND (o.tenant_id = o.tenant_id)\n" +
				"orders at 0",
		},
		{
			"two columns are not bound through each other",
			"SELECT o.id FROM orders o, customers c WHERE o.tenant_id = c.tenant_id AND c.tenant_id = " +
				"o.tenant_id",
			"SELECT o.id FROM orders o, customers c WHERE {o} AND (o.tenant_id = c.tenant_id AND c.tenant_id " +
				"= o.tenant_id)\n" +
				"orders at 0",
		},
		{
			"a column is not bound through another column of a table that is bound",
			"SELECT o.id FROM orders o JOIN customers c ON o.tenant_id = c.name WHERE c.tenant_id = 'a'",
			"SELECT o.id FROM orders o JOIN customers c ON o.tenant_id = c.name WHERE {o} AND (c.tenant_id = " +
				"'a')\n" +
				"orders at 0; check 'a' for customers",
		},
		{
			"nor through a subquery, whatever its columns are called",
			"SELECT o.id FROM orders o JOIN (SELECT 'b' AS tenant_id) c ON o.tenant_id = c.tenant_id",
			"SELECT o.id FROM orders o JOIN (SELECT 'b' AS tenant_id) c ON o.tenant_id = c.tenant_id WHERE " +
				"{o}\n" +
				"orders at 0",
		},
		{
			"nor through a table of everybody",
			"SELECT o.id FROM orders o JOIN countries c ON o.tenant_id = c.tenant_id",
			"SELECT o.id FROM orders o JOIN countries c ON o.tenant_id = c.tenant_id WHERE {o}\n" +
				"orders at 0",
		},
		{
			"nor through a tenant column of another type",
			"SELECT o.id FROM orders o JOIN counters c ON o.tenant_id = c.tenant_id WHERE c.tenant_id = 7",
			"SELECT o.id FROM orders o JOIN counters c ON o.tenant_id = c.tenant_id WHERE {o} AND " +
				"(c.tenant_id = 7)\n" +
				"orders at 0; check '7' for counters",
		},
		{
			"the tenant column has another name",
			"SELECT n.id FROM notes n JOIN orders o ON n.org = o.tenant_id WHERE o.tenant_id = ?",
			"check 0 for orders",
		},
		{
			"a condition on a column that is no tenant column of the table",
			"SELECT n.id FROM notes n WHERE n.tenant_id = 'a'",
			"SELECT n.id FROM notes n WHERE {n.org} AND (n.tenant_id = 'a')\n" +
				"notes at 0",
		},
	})
}
