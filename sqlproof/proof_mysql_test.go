package sqlproof_test

import (
	"testing"

	"github.com/gormtenancy/tenancy/sqlproof/mysql"
)

// TestMySQLRules shows what MySQL alone has, or has in another way.
func TestMySQLRules(t *testing.T) {
	check(t, mysql.New(), []rule{
		{
			"an upsert meets rows over any unique key",
			"INSERT INTO orders (id) VALUES (?) ON DUPLICATE KEY UPDATE note = ?",
			"INSERT INTO orders (id, `tenant_id`) VALUES (?, ?) ON DUPLICATE KEY UPDATE note = ?\n" +
				"orders at 1; needs unique keys of orders",
		},
		{
			"unless it leaves those of others alone",
			"INSERT INTO orders (id, note) VALUES (?, ?) ON DUPLICATE KEY UPDATE note = IF(orders.tenant_id = " +
				"?, VALUES(note), orders.note), id = id",
			"INSERT INTO orders (id, note, `tenant_id`) VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE note = " +
				"IF(orders.tenant_id = ?, VALUES(note), orders.note), id = id\n" +
				"orders at 2; check 3 for orders",
		},
		{
			"all of its assignments must",
			"INSERT INTO orders (id, note) VALUES (?, ?) ON DUPLICATE KEY UPDATE note = IF(orders.tenant_id = " +
				"'a', VALUES(note), orders.note), status = 'x'",
			"INSERT INTO orders (id, note, `tenant_id`) VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE note = " +
				"IF(orders.tenant_id = 'a', VALUES(note), orders.note), status = 'x'\n" +
				"orders at 2; check 'a' for orders; needs unique keys of orders",
		},
		{
			"with the column itself otherwise",
			"INSERT INTO orders (id, note) VALUES (?, ?) ON DUPLICATE KEY UPDATE note = IF(orders.tenant_id = " +
				"'a', VALUES(note), orders.status)",
			"INSERT INTO orders (id, note, `tenant_id`) VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE note = " +
				"IF(orders.tenant_id = 'a', VALUES(note), orders.status)\n" +
				"orders at 2; needs unique keys of orders",
		},
		{
			"and a condition that binds",
			"INSERT INTO orders (id, note) VALUES (?, ?) ON DUPLICATE KEY UPDATE note = IF(orders.tenant_id <> " +
				"'b', VALUES(note), orders.note)",
			"INSERT INTO orders (id, note, `tenant_id`) VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE note = " +
				"IF(orders.tenant_id <> 'b', VALUES(note), orders.note)\n" +
				"orders at 2; needs unique keys of orders",
		},
		{
			"REPLACE does too",
			"REPLACE INTO orders (id) VALUES (?)",
			"REPLACE INTO orders (id, `tenant_id`) VALUES (?, ?)\n" +
				"orders at 1; needs unique keys of orders",
		},
		{
			"IGNORE may cut the tenant",
			"INSERT IGNORE INTO orders (id) VALUES (1)",
			"refused: table orders: IGNORE cuts values to fit, and the tenant's with them",
		},
		{
			"the tenant of the row that is met stays",
			"INSERT INTO orders (id) VALUES (?) ON DUPLICATE KEY UPDATE tenant_id = 'b'",
			"INSERT INTO orders (id, `tenant_id`) VALUES (?, ?) ON DUPLICATE KEY UPDATE tenant_id = 'b'\n" +
				"orders at 1; check 'b' stored for orders; needs unique keys of orders",
		},
		{
			"all targets of an update",
			"UPDATE orders o JOIN payments p ON p.order_id = o.id SET o.note = ?, p.method = ? WHERE o.id = ?",
			"UPDATE orders o JOIN payments p ON p.order_id = o.id SET o.note = ?, p.method = ? WHERE {o} AND " +
				"{p} AND (o.id = ?)\n" +
				"orders at 2; payments at 3",
		},
		{
			"none may change its tenant",
			"UPDATE orders o JOIN payments p ON p.order_id = o.id SET o.note = 'x', p.tenant_id = o.note",
			"refused: table payments: column tenant_id is to hold another tenant, or SQL that could be one",
		},
		{
			"what a left join keeps",
			"UPDATE customers c LEFT JOIN orders o ON o.customer_id = c.id SET c.name = 'x' WHERE o.id IS NULL",
			"UPDATE customers c LEFT JOIN orders o ON {o} AND (o.customer_id = c.id) SET c.name = 'x' WHERE " +
				"{c} AND (o.id IS NULL)\n" +
				"orders at 0; customers at 1",
		},
		{
			"all targets of a delete",
			"DELETE o, p FROM orders o LEFT JOIN payments p ON p.order_id = o.id WHERE o.id = ?",
			"DELETE o, p FROM orders o LEFT JOIN payments p ON {p} AND (p.order_id = o.id) WHERE {o} AND " +
				"(o.id = ?)\n" +
				"payments at 0; orders at 1",
		},
		{
			"an end of a join table that is written to cannot be read",
			"DELETE t FROM tags t JOIN product_tags l ON l.tag_id = t.id WHERE t.id = 1",
			"refused: table product_tags: its condition reads table tags, which the statement writes to, and " +
				"MySQL allows no such subquery",
		},
		{
			"unless it need not be",
			"DELETE t FROM tags t JOIN product_tags l ON l.tag_id = t.id JOIN products p ON p.id = " +
				"l.product_id WHERE t.id = 1",
			"DELETE t FROM tags t JOIN product_tags l ON l.tag_id = t.id JOIN products p ON p.id = " +
				"l.product_id WHERE {t} AND {p} AND (t.id = 1)\n" +
				"tags at 0; products at 1",
		},
		{
			"nor in an update",
			"UPDATE tags t JOIN product_tags l ON l.tag_id = t.id SET t.name = 'x'",
			"refused: table product_tags: its condition reads table tags, which the statement writes to, and " +
				"MySQL allows no such subquery",
		},
		{
			"of a table that is written to otherwise, it can",
			"DELETE l FROM product_tags l WHERE l.tag_id = 1",
			"DELETE l FROM product_tags l WHERE {link l} AND (l.tag_id = 1)\n" +
				"products at 0; tags at 1; products at 2; tags at 3",
		},
		{
			"a number is not compared with text, which would be one",
			"SELECT o.id FROM orders o WHERE o.tenant_id = 0",
			"SELECT o.id FROM orders o WHERE {o} AND (o.tenant_id = 0)\n" +
				"orders at 0",
		},
		{
			"XOR binds nothing",
			"SELECT o.id FROM orders o WHERE o.tenant_id = 'a' XOR o.id = 1",
			"SELECT o.id FROM orders o WHERE {o} AND (o.tenant_id = 'a' XOR o.id = 1)\n" +
				"orders at 0",
		},
		{
			"two bars are OR",
			"SELECT o.id FROM orders o WHERE o.tenant_id = 'a' || o.id = 1",
			"SELECT o.id FROM orders o WHERE {o} AND (o.tenant_id = 'a' || o.id = 1)\n" +
				"orders at 0",
		},
		{
			"two ampersands are AND",
			"SELECT o.id FROM orders o WHERE o.tenant_id = ? && o.id = 1",
			"check 0 for orders",
		},
		{
			"the equality of NULLs binds nothing",
			"SELECT o.id FROM orders o WHERE o.tenant_id <=> 'a'",
			"SELECT o.id FROM orders o WHERE {o} AND (o.tenant_id <=> 'a')\n" +
				"orders at 0",
		},
		{
			"a comma binds less than a join",
			"SELECT o.id FROM orders o, countries k LEFT JOIN payments p ON p.tenant_id = k.code WHERE " +
				"o.tenant_id = 'a'",
			"SELECT o.id FROM orders o, countries k LEFT JOIN payments p ON {p} AND (p.tenant_id = k.code) " +
				"WHERE o.tenant_id = 'a'\n" +
				"payments at 0; check 'a' for orders",
		},
		{
			"a target cannot be put in a subquery",
			"DELETE o FROM orders o RIGHT JOIN payments p USING (id)",
			"refused: table orders: its condition has no place, in an outer join without ON",
		},
		{
			"a table of a name in another case is another one",
			"SELECT o.id FROM orders o WHERE O.tenant_id = 'a'",
			"SELECT o.id FROM orders o WHERE {o} AND (O.tenant_id = 'a')\n" +
				"orders at 0",
		},
		{
			"rows of another form",
			"INSERT INTO orders (id) VALUES ROW(1), ROW(2)",
			"refused: table orders: the tenant cannot be added to the query that its rows come from",
		},
		{
			"assignments in an insert",
			"INSERT INTO orders SET id = 1",
			"refused: table orders: the tenant cannot be added to its rows",
		},
		{
			"or is set to that of the row that was to be inserted",
			"INSERT INTO orders (id) VALUES (?) ON DUPLICATE KEY UPDATE tenant_id = VALUES(tenant_id)",
			"INSERT INTO orders (id, `tenant_id`) VALUES (?, ?) ON DUPLICATE KEY UPDATE tenant_id = " +
				"VALUES(tenant_id)\n" +
				"orders at 1; needs unique keys of orders",
		},
		{
			"not to another of its columns",
			"INSERT INTO orders (id) VALUES (?) ON DUPLICATE KEY UPDATE tenant_id = VALUES(note)",
			"refused: table orders: column tenant_id is to hold another tenant, or SQL that could be one",
		},
		{
			"there is no such row in an update",
			"UPDATE orders SET tenant_id = VALUES(tenant_id)",
			"refused: table orders: column tenant_id is to hold another tenant, or SQL that could be one",
		},
	})
}
