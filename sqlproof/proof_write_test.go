package sqlproof_test

import (
	"testing"

	"github.com/gormtenancy/tenancy/sqlproof/sqlite"
)

// TestWrites shows what may be written.
func TestWrites(t *testing.T) {
	check(t, sqlite.New(), []rule{
		{
			"an update has the condition in WHERE",
			"UPDATE orders SET note = ? WHERE id = ? OR id = ?",
			"UPDATE orders SET note = ? WHERE {orders} AND (id = ? OR id = ?)\n" +
				"orders at 1",
		},
		{
			"a delete too",
			"DELETE FROM orders RETURNING id",
			"DELETE FROM orders WHERE {orders} RETURNING id\n" +
				"orders at 0",
		},
		{
			"the conditions of all tables of an update",
			"UPDATE orders AS o SET note = p.method FROM payments p LEFT JOIN customers c ON c.id = p.id WHERE " +
				"p.order_id = o.id",
			"UPDATE orders AS o SET note = p.method FROM payments p LEFT JOIN customers c ON {c} AND (c.id = " +
				"p.id) WHERE {o} AND {p} AND (p.order_id = o.id)\n" +
				"customers at 0; orders at 1; payments at 2",
		},
		{
			"a target is never a common table expression",
			"WITH orders AS (SELECT 1 AS id) DELETE FROM orders WHERE id IN (SELECT id FROM orders)",
			"WITH orders AS (SELECT 1 AS id) DELETE FROM orders WHERE {orders} AND (id IN (SELECT id FROM " +
				"orders))\n" +
				"orders at 0",
		},
		{
			"the tenant may be set to what is the tenant's",
			"UPDATE orders SET tenant_id = ?, note = 'x' WHERE tenant_id = ?",
			"check 0 stored for orders; check 1 for orders",
		},
		{
			"or to a literal, which is looked at",
			"UPDATE orders SET tenant_id = 'b'",
			"UPDATE orders SET tenant_id = 'b' WHERE {orders}\n" +
				"orders at 0; check 'b' stored for orders",
		},
		{
			"or to itself",
			"UPDATE orders AS o SET tenant_id = o.tenant_id, note = 'x' WHERE o.tenant_id = 'a'",
			"check 'a' for orders",
		},
		{
			"not to another column",
			"UPDATE orders SET tenant_id = note",
			"refused: table orders: column tenant_id is to hold another tenant, or SQL that could be one",
		},
		{
			"not to a column of another table",
			"UPDATE orders SET tenant_id = x.tenant_id FROM (SELECT 'b' AS tenant_id) AS x",
			"refused: table orders: column tenant_id is to hold another tenant, or SQL that could be one",
		},
		{
			"nor if that is called excluded",
			"UPDATE orders SET tenant_id = excluded.tenant_id FROM (SELECT 'b' AS tenant_id) AS excluded",
			"refused: table orders: column tenant_id is to hold another tenant, or SQL that could be one",
		},
		{
			"not to an expression",
			"UPDATE orders SET tenant_id = 'a' || ''",
			"refused: table orders: column tenant_id is to hold another tenant, or SQL that could be one",
		},
		{
			"not to a query",
			"UPDATE orders SET tenant_id = (SELECT 'a')",
			"refused: table orders: column tenant_id is to hold another tenant, or SQL that could be one",
		},
		{
			"not with others at once",
			"UPDATE orders SET (note, tenant_id) = ('x', 'a')",
			"refused: table orders: column tenant_id is to hold another tenant, or SQL that could be one",
		},
		{
			"not to NULL",
			"UPDATE orders SET tenant_id = NULL",
			"refused: table orders: column tenant_id is to hold another tenant, or SQL that could be one",
		},
		{
			"the tenant column may have another name",
			"UPDATE notes SET org = 'a', tenant_id = 'x'",
			"UPDATE notes SET org = 'a', tenant_id = 'x' WHERE {notes.org}\n" +
				"notes at 0; check 'a' stored for notes",
		},
		{
			"the column that is part of the key of a join table, too",
			"UPDATE order_tags SET shop = 'b'",
			"UPDATE order_tags SET shop = 'b' WHERE {order_tags.shop} AND EXISTS (SELECT 1 FROM `tags` WHERE " +
				"`tags`.`id` = `order_tags`.`tag_id` AND {tags})\n" +
				"orders at 0; tags at 1; check 'b' stored for orders; needs ends of order_tags",
		},
		{
			"REPLACE deletes rows that may be anybody's",
			"REPLACE INTO orders (id) VALUES (1)",
			"refused: table orders: REPLACE deletes the rows that are in the way, whoever owns them",
		},
		{
			"so does OR REPLACE",
			"INSERT OR REPLACE INTO orders (id) VALUES (1)",
			"refused: table orders: REPLACE deletes the rows that are in the way, whoever owns them",
		},
		{
			"and that of an update",
			"UPDATE OR REPLACE orders SET id = 1",
			"refused: table orders: REPLACE deletes the rows that are in the way, whoever owns them",
		},
		{
			"of a table of nobody it may",
			"REPLACE INTO countries (code) VALUES ('x')",
			"nobody's",
		},
		{
			"an insert is given the column",
			"INSERT INTO orders (id, note) VALUES (?, 'x')",
			"INSERT INTO orders (id, note, `tenant_id`) VALUES (?, 'x', ?)\n" +
				"orders at 1",
		},
		{
			"in each row",
			"INSERT INTO orders (id, note) VALUES (1, ?), (2, (SELECT max(id) FROM customers)), ((3), ?)",
			"INSERT INTO orders (id, note, `tenant_id`) VALUES (1, ?, ?), (2, (SELECT max(id) FROM customers " +
				"WHERE {customers}), ?), ((3), ?, ?)\n" +
				"orders at 1; customers at 2; orders at 3; orders at 5",
		},
		{
			"with the name that it has",
			"INSERT INTO notes (id) VALUES (1)",
			"INSERT INTO notes (id, `org`) VALUES (1, ?)\n" +
				"notes at 0",
		},
		{
			"it must name its columns",
			"INSERT INTO orders VALUES (1)",
			"refused: table orders: an INSERT without the names of its columns",
		},
		{
			"it must not name one twice",
			"INSERT INTO orders (tenant_id, id, tenant_id) VALUES ('a', 1, 'b')",
			"refused: table orders: column tenant_id is given twice",
		},
		{
			"a value that is there already is looked at",
			"INSERT INTO orders (id, tenant_id) VALUES (1, ?), (2, 'b')",
			"check 0 stored for orders; check 'b' stored for orders",
		},
		{
			"all rows must have one",
			"INSERT INTO orders (id, tenant_id) VALUES (1, 'a'), (2)",
			"refused: table orders: column tenant_id is to hold another tenant, or SQL that could be one",
		},
		{
			"an expression could be anything",
			"INSERT INTO orders (id, tenant_id) VALUES (1, lower('A'))",
			"refused: table orders: column tenant_id is to hold another tenant, or SQL that could be one",
		},
		{
			"so could a query",
			"INSERT INTO orders (id, tenant_id) VALUES (1, (SELECT 'a'))",
			"refused: table orders: column tenant_id is to hold another tenant, or SQL that could be one",
		},
		{
			"NULL is nobody",
			"INSERT INTO orders (id, tenant_id) VALUES (1, NULL)",
			"refused: table orders: column tenant_id is to hold another tenant, or SQL that could be one",
		},
		{
			"a number is no text",
			"INSERT INTO orders (id, tenant_id) VALUES (1, 7)",
			"refused: table orders: column tenant_id is to hold another tenant, or SQL that could be one",
		},
		{
			"a query is given the column",
			"INSERT INTO orders (id, note) SELECT c.id, ? FROM customers c WHERE c.id > ?",
			"INSERT INTO orders (id, note, `tenant_id`) SELECT c.id, ?, ? FROM customers c WHERE {c} AND " +
				"(c.id > ?)\n" +
				"orders at 1; customers at 2",
		},
		{
			"each arm of a union",
			"INSERT INTO orders (id) SELECT 1 UNION ALL SELECT c.id FROM customers c UNION SELECT code FROM " +
				"countries",
			"INSERT INTO orders (id, `tenant_id`) SELECT 1, ? UNION ALL SELECT c.id, ? FROM customers c " +
				"WHERE {c} UNION SELECT code, ? FROM countries\n" +
				"orders at 0; orders at 1; customers at 2; orders at 3",
		},
		{
			"without FROM, before WHERE",
			"INSERT INTO orders (id) SELECT 1 WHERE 1 = 1",
			"INSERT INTO orders (id, `tenant_id`) SELECT 1, ? WHERE 1 = 1\n" +
				"orders at 0",
		},
		{
			"and before ORDER BY",
			"INSERT INTO orders (id) SELECT 1 ORDER BY 1 LIMIT 1",
			"INSERT INTO orders (id, `tenant_id`) SELECT 1, ? ORDER BY 1 LIMIT 1\n" +
				"orders at 0",
		},
		{
			"VALUES in a union are not",
			"INSERT INTO orders (id) SELECT 1 UNION ALL VALUES (2)",
			"refused: table orders: the tenant cannot be added to the query that its rows come from",
		},
		{
			"a query may give the tenant",
			"INSERT INTO orders (id, tenant_id) SELECT c.id, 'b' FROM customers c WHERE c.tenant_id = 'a'",
			"check 'b' stored for orders; check 'a' for customers",
		},
		{
			"each arm must",
			"INSERT INTO orders (id, tenant_id) SELECT 1, 'a' UNION ALL SELECT 2, note FROM orders WHERE " +
				"tenant_id = 'a'",
			"refused: table orders: column tenant_id is to hold another tenant, or SQL that could be one",
		},
		{
			"it may give the column of a table that is bound",
			"INSERT INTO orders (tenant_id, id) SELECT c.tenant_id, c.id FROM customers c WHERE c.tenant_id = " +
				"'a'",
			"check 'a' for customers",
		},
		{
			"or that will be",
			"INSERT INTO orders (tenant_id, id) SELECT tenant_id, c.id FROM customers c",
			"INSERT INTO orders (tenant_id, id) SELECT tenant_id, c.id FROM customers c WHERE {c}\n" +
				"customers at 0",
		},
		{
			"not that of one that may be missing",
			"INSERT INTO orders (tenant_id, id) SELECT c.tenant_id, k.id FROM countries k LEFT JOIN customers " +
				"c ON c.id = k.id",
			"refused: table orders: column tenant_id is to hold another tenant, or SQL that could be one",
		},
		{
			"nor on the other side",
			"INSERT INTO orders (tenant_id, id) SELECT c.tenant_id, k.id FROM customers c RIGHT JOIN countries " +
				"k ON c.id = k.id",
			"refused: table orders: column tenant_id is to hold another tenant, or SQL that could be one",
		},
		{
			"of one that is kept it may",
			"INSERT INTO orders (tenant_id, id) SELECT c.tenant_id, k.id FROM customers c LEFT JOIN countries " +
				"k ON c.id = k.id",
			"INSERT INTO orders (tenant_id, id) SELECT c.tenant_id, k.id FROM customers c LEFT JOIN " +
				"countries k ON c.id = k.id WHERE {c}\n" +
				"customers at 0",
		},
		{
			"and on the other side",
			"INSERT INTO orders (tenant_id, id) SELECT c.tenant_id, k.id FROM countries k RIGHT JOIN customers " +
				"c ON c.id = k.id",
			"INSERT INTO orders (tenant_id, id) SELECT c.tenant_id, k.id FROM countries k RIGHT JOIN " +
				"customers c ON c.id = k.id WHERE {c}\n" +
				"customers at 0",
		},
		{
			"not that of a full join",
			"INSERT INTO orders (tenant_id, id) SELECT c.tenant_id, k.id FROM customers c FULL JOIN countries " +
				"k ON c.id = k.id",
			"refused: table orders: column tenant_id is to hold another tenant, or SQL that could be one",
		},
		{
			"not one of a subquery",
			"INSERT INTO orders (tenant_id, id) SELECT d.tenant_id, 1 FROM (SELECT 'b' AS tenant_id) d",
			"refused: table orders: column tenant_id is to hold another tenant, or SQL that could be one",
		},
		{
			"not another column",
			"INSERT INTO orders (tenant_id, id) SELECT c.name, c.id FROM customers c",
			"refused: table orders: column tenant_id is to hold another tenant, or SQL that could be one",
		},
		{
			"not one of another type",
			"INSERT INTO orders (tenant_id, id) SELECT c.tenant_id, c.id FROM counters c",
			"refused: table orders: column tenant_id is to hold another tenant, or SQL that could be one",
		},
		{
			"what comes after a star is not counted",
			"INSERT INTO orders (id, tenant_id) SELECT k.*, 'a' FROM countries k",
			"refused: table orders: column tenant_id is to hold another tenant, or SQL that could be one",
		},
		{
			"a table of everybody is written to as it is",
			"INSERT INTO countries (code) SELECT c.name FROM customers c",
			"INSERT INTO countries (code) SELECT c.name FROM customers c WHERE {c}\n" +
				"customers at 0",
		},
		{
			"of a query with IS DISTINCT FROM",
			"INSERT INTO orders (id) SELECT c.name IS DISTINCT FROM c.email FROM customers c",
			"INSERT INTO orders (id, `tenant_id`) SELECT c.name IS DISTINCT FROM c.email, ? FROM customers c " +
				"WHERE {c}\n" +
				"orders at 0; customers at 1",
		},
	})
}
