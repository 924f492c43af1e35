package sqlproof_test

import (
	"testing"

	"github.com/gormtenancy/tenancy/sqlproof/sqlite"
)

// TestJoins shows which conditions count for the tables of a join, and where in it one is added.
func TestJoins(t *testing.T) {
	check(t, sqlite.New(), []rule{
		{
			"ON of an inner join binds both sides",
			"SELECT o.id FROM orders o JOIN payments p ON o.tenant_id = 'a' AND p.tenant_id = 'a'",
			"check 'a' for orders; check 'a' for payments",
		},
		{
			"ON of a left join binds the right side alone",
			"SELECT o.id FROM orders o LEFT JOIN payments p ON o.tenant_id = 'a' AND p.tenant_id = 'a'",
			"SELECT o.id FROM orders o LEFT JOIN payments p ON o.tenant_id = 'a' AND p.tenant_id = 'a' WHERE " +
				"{o}\n" +
				"orders at 0; check 'a' for payments",
		},
		{
			"ON of a right join binds the left side alone",
			"SELECT o.id FROM orders o RIGHT JOIN payments p ON o.tenant_id = 'a' AND p.tenant_id = 'a'",
			"SELECT o.id FROM orders o RIGHT JOIN payments p ON o.tenant_id = 'a' AND p.tenant_id = 'a' " +
				"WHERE {p}\n" +
				"payments at 0; check 'a' for orders",
		},
		{
			"ON of a full join binds nothing",
			"SELECT o.id FROM orders o FULL JOIN payments p ON o.tenant_id = 'a' AND p.tenant_id = 'a'",
			"SELECT o.id FROM (SELECT * FROM orders WHERE {orders}) o FULL JOIN (SELECT * FROM payments " +
				"WHERE {payments}) p ON o.tenant_id = 'a' AND p.tenant_id = 'a'\n" +
				"orders at 0; payments at 1",
		},
		{
			"WHERE binds both sides of an outer join",
			"SELECT o.id FROM orders o LEFT JOIN payments p ON p.order_id = o.id WHERE o.tenant_id = 'a' AND " +
				"p.tenant_id = 'a'",
			"check 'a' for orders; check 'a' for payments",
		},
		{
			"WHERE binds both sides of a full join",
			"SELECT o.id FROM orders o FULL JOIN payments p ON p.order_id = o.id WHERE o.tenant_id = 'a' AND " +
				"p.tenant_id = 'a'",
			"check 'a' for orders; check 'a' for payments",
		},
		{
			"ON of the join around binds what is in parentheses",
			"SELECT c.id FROM countries c LEFT JOIN (orders o JOIN payments p ON p.order_id = o.id) ON " +
				"o.tenant_id = 'a' AND p.tenant_id = o.tenant_id",
			"check 'a' for orders",
		},
		{
			"ON of a join on the other side binds nothing",
			"SELECT o.id FROM orders o LEFT JOIN (customers c JOIN payments p ON c.tenant_id = 'a' AND " +
				"p.tenant_id = 'a') ON o.tenant_id = c.tenant_id",
			"SELECT o.id FROM orders o LEFT JOIN (customers c JOIN payments p ON c.tenant_id = 'a' AND " +
				"p.tenant_id = 'a') ON o.tenant_id = c.tenant_id WHERE {o}\n" +
				"orders at 0; check 'a' for customers; check 'a' for payments",
		},
		{
			"a right join binds nothing of what is before it and not in it",
			"SELECT o.id FROM countries k LEFT JOIN orders o ON o.tenant_id = 'a' RIGHT JOIN payments p ON " +
				"p.tenant_id = o.tenant_id",
			"SELECT o.id FROM countries k LEFT JOIN orders o ON o.tenant_id = 'a' RIGHT JOIN payments p ON " +
				"p.tenant_id = o.tenant_id WHERE {p}\n" +
				"payments at 0; check 'a' for orders",
		},
		{
			"the condition of the right side of a left join goes to ON",
			"SELECT o.id FROM orders o LEFT JOIN payments p ON p.order_id = o.id OR p.id = ? WHERE o.tenant_id " +
				"= ?",
			"SELECT o.id FROM orders o LEFT JOIN payments p ON {p} AND (p.order_id = o.id OR p.id = ?) WHERE " +
				"o.tenant_id = ?\n" +
				"payments at 0; check 2 for orders",
		},
		{
			"the condition of the left side of a right join goes to ON",
			"SELECT o.id FROM payments p RIGHT JOIN orders o ON p.order_id = o.id WHERE o.tenant_id = 'a'",
			"SELECT o.id FROM payments p RIGHT JOIN orders o ON {p} AND (p.order_id = o.id) WHERE " +
				"o.tenant_id = 'a'\n" +
				"payments at 0; check 'a' for orders",
		},
		{
			"the condition of what a left join keeps goes to WHERE",
			"SELECT o.id FROM orders o LEFT JOIN countries c ON c.code = o.status",
			"SELECT o.id FROM orders o LEFT JOIN countries c ON c.code = o.status WHERE {o}\n" +
				"orders at 0",
		},
		{
			"the condition of what is in parentheses goes to the ON around them",
			"SELECT c.code FROM countries c LEFT JOIN (orders o JOIN payments p ON p.order_id = o.id) ON " +
				"o.status = c.code",
			"SELECT c.code FROM countries c LEFT JOIN (orders o JOIN payments p ON p.order_id = o.id) ON {o} " +
				"AND {p} AND (o.status = c.code)\n" +
				"orders at 0; payments at 1",
		},
		{
			"of what a join in parentheses keeps too",
			"SELECT c.code FROM countries c LEFT JOIN (orders o LEFT JOIN payments p ON p.order_id = o.id) ON " +
				"o.status = c.code",
			"SELECT c.code FROM countries c LEFT JOIN (orders o LEFT JOIN payments p ON {p} AND (p.order_id " +
				"= o.id)) ON {o} AND (o.status = c.code)\n" +
				"payments at 0; orders at 1",
		},
		{
			"of a chain, each goes to its own ON",
			"SELECT o.id FROM orders o LEFT JOIN payments p ON p.order_id = o.id LEFT JOIN customers c ON c.id " +
				"= o.customer_id",
			"SELECT o.id FROM orders o LEFT JOIN payments p ON {p} AND (p.order_id = o.id) LEFT JOIN " +
				"customers c ON {c} AND (c.id = o.customer_id) WHERE {o}\n" +
				"payments at 0; customers at 1; orders at 2",
		},
		{
			"a left join before a right join is restricted by the latter",
			"SELECT k.code FROM orders o LEFT JOIN payments p ON p.order_id = o.id RIGHT JOIN countries k ON " +
				"k.code = o.status",
			"SELECT k.code FROM orders o LEFT JOIN payments p ON {p} AND (p.order_id = o.id) RIGHT JOIN " +
				"countries k ON {o} AND (k.code = o.status)\n" +
				"payments at 0; orders at 1",
		},
		{
			"an inner join before a right join too",
			"SELECT k.code FROM orders o JOIN payments p ON p.order_id = o.id RIGHT JOIN countries k ON k.code " +
				"= o.status",
			"SELECT k.code FROM orders o JOIN payments p ON p.order_id = o.id RIGHT JOIN countries k ON {o} " +
				"AND {p} AND (k.code = o.status)\n" +
				"orders at 0; payments at 1",
		},
		{
			"tables of a full join are put in subqueries",
			"SELECT o.id FROM orders FULL JOIN payments AS p ON p.order_id = orders.id",
			"SELECT o.id FROM (SELECT * FROM orders WHERE {orders}) AS `orders` FULL JOIN (SELECT * FROM " +
				"payments WHERE {payments}) AS p ON p.order_id = orders.id\n" +
				"orders at 0; payments at 1",
		},
		{
			"with the schema that the text names",
			"SELECT o.id FROM main.orders FULL JOIN countries c ON c.code = orders.status",
			"SELECT o.id FROM (SELECT * FROM main.orders WHERE {orders}) AS `orders` FULL JOIN countries c " +
				"ON c.code = orders.status\n" +
				"orders at 0",
		},
		{
			"nothing else is bound through a subquery around a table",
			"SELECT o.id FROM orders o FULL JOIN payments p ON p.order_id = o.id JOIN customers c ON " +
				"c.tenant_id = o.tenant_id",
			"SELECT o.id FROM (SELECT * FROM orders WHERE {orders}) o FULL JOIN (SELECT * FROM payments " +
				"WHERE {payments}) p ON p.order_id = o.id JOIN customers c ON c.tenant_id = o.tenant_id WHERE {c}\n" +
				"orders at 0; payments at 1; customers at 2",
		},
		{
			"a left join with USING puts the right side in a subquery",
			"SELECT o.id FROM orders o LEFT JOIN payments p USING (id) WHERE o.tenant_id = 'a'",
			"SELECT o.id FROM orders o LEFT JOIN (SELECT * FROM payments WHERE {payments}) p USING (id) " +
				"WHERE o.tenant_id = 'a'\n" +
				"payments at 0; check 'a' for orders",
		},
		{
			"a table with an index hint cannot be put in a subquery",
			"SELECT o.id FROM orders o FULL JOIN payments AS p INDEXED BY i ON p.order_id = o.id",
			"refused: table payments: its condition has no place, in a FULL JOIN",
		},
		{
			"a name of a join hides those inside",
			"SELECT j.id FROM (orders o JOIN countries c ON c.code = o.status) AS j WHERE o.tenant_id = 'a'",
			"SELECT j.id FROM ((SELECT * FROM orders WHERE {orders}) o JOIN countries c ON c.code = " +
				"o.status) AS j WHERE o.tenant_id = 'a'\n" +
				"orders at 0",
		},
	})
}
