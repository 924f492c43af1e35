package sqlproof_test

import "testing"

// TestKeysOfJoins shows how keys go from one reference to another, and which statements are for one placement.
func TestKeysOfJoins(t *testing.T) {
	one, two := []any{1}, []any{1, 2}
	checkKeys(t, "sqlite postgres mysql", []keyRule{
		{"joined by the key", "SELECT o.id FROM orders o JOIN items i ON i.k = o.k WHERE o.k = ?", one, "1"},
		{"a key of the other", "SELECT o.id FROM orders o JOIN items i ON i.k = o.k WHERE i.k IN (?, ?)", two, "1 2"},
		{"keys of both", "SELECT o.id FROM orders o JOIN items i ON i.k = o.k WHERE i.k IN (?, ?) AND o.k = ?", []any{1, 2, 2}, "2"},
		{"joined with WHERE", "SELECT o.id FROM orders o, items i WHERE i.k = o.k AND o.k = ?", one, "1"},
		{"joined with a row", "SELECT o.id FROM orders o JOIN items i ON (i.oid, i.k) = (o.id, o.k) WHERE o.k = ?", one, "1"},
		{"joined by USING", "SELECT o.id FROM orders o JOIN items i USING (k) WHERE o.k = ?", one, "1"},
		{"a chain", "SELECT o.id FROM orders o JOIN items i ON i.k = o.k JOIN parcels p ON p.k = i.k WHERE p.k = ?", one, "1"},
		{"not joined by the key", "SELECT o.id FROM orders o JOIN items i ON i.oid = o.id WHERE o.k = ?", one, "any of items apart"},
		{"not joined, and each with a key", "SELECT o.id FROM orders o JOIN items i ON i.oid = o.id WHERE o.k = ? AND i.k = ?", two, "1 2 apart"},
		{"joined by an alternative", "SELECT o.id FROM orders o JOIN items i ON i.k = o.k OR i.oid = o.id WHERE o.k = ?", one, "any of items apart"},
		{"joined with another column", "SELECT o.id FROM orders o JOIN items i ON i.oid = o.k WHERE o.k = ?", one, "any of items apart"},
		{"with a table of no shards", "SELECT o.id FROM orders o JOIN countries c ON c.code = o.x WHERE o.k = ? AND c.k = 9", one, "1"},
		{"a column that USING has made of two", "SELECT o.id FROM orders o RIGHT JOIN countries c USING (k) WHERE k = ?", one, "any of orders apart"},
		{"two of one name", "SELECT o.id FROM orders o JOIN items o ON 1 = 1 WHERE o.k = ?", one, "refused: table orders: another source goes by the same name"},
		{"with itself", "SELECT a.id FROM orders a JOIN orders b ON a.k = b.k WHERE b.k = ?", one, "1"},

		{"a left join by the key", "SELECT o.id FROM orders o LEFT JOIN items i ON i.k = o.k WHERE o.k = ?", one, "1"},
		{"USING in a left join", "SELECT o.id FROM orders o LEFT JOIN items i USING (k) WHERE o.k = ?", one, "1"},
		{"ON of a left join does not bound the left side", "SELECT o.id FROM orders o LEFT JOIN items i ON i.k = o.k AND o.k = ?", one, "any of orders"},
		{"nor does a key of the right side in it", "SELECT o.id FROM orders o LEFT JOIN items i ON i.k = o.k AND i.k = ?", one, "any of orders"},
		{"both in ON of a left join", "SELECT o.id FROM orders o LEFT JOIN items i ON o.k = ? AND i.k = ?", two, "any of orders apart"},
		{"a left join not by the key", "SELECT o.id FROM orders o LEFT JOIN items i ON i.oid = o.id WHERE o.k = ?", one, "any of items apart"},
		{"a left join by a value", "SELECT o.id FROM orders o LEFT JOIN items i ON i.oid = o.id AND i.k = ? WHERE o.k = ?", two, "2 1 apart"},
		{"a left join by the key in WHERE", "SELECT o.id FROM orders o LEFT JOIN items i ON i.oid = o.id WHERE o.k = ? AND i.k = o.k", one, "1"},
		{
			"a later join does not tie an earlier one", "SELECT o.id FROM orders o LEFT JOIN items i ON i.oid = o.id LEFT JOIN parcels p ON p.k = o.k AND p.k = i.k WHERE o.k = ?",
			one, "any of items apart",
		},
		{"a right join", "SELECT o.id FROM orders o RIGHT JOIN items i ON i.k = o.k WHERE i.k = ?", one, "1"},
		{"ON of a right join does not bound the right side", "SELECT o.id FROM orders o RIGHT JOIN items i ON i.k = o.k AND i.k = ?", one, "any of items"},
		{"rows without partners are not those of a shard", "SELECT c.code FROM countries c LEFT JOIN orders o ON o.x = c.code AND o.k IN (?, ?)", two, "1 2 apart"},

		{"EXISTS by the key", "SELECT o.id FROM orders o WHERE o.k = ? AND EXISTS (SELECT 1 FROM items i WHERE i.k = o.k AND i.oid = o.id)", one, "1"},
		{"NOT EXISTS by the key", "SELECT o.id FROM orders o WHERE o.k = ? AND NOT EXISTS (SELECT 1 FROM items i WHERE i.k = o.k)", one, "1"},
		{"EXISTS not by the key", "SELECT o.id FROM orders o WHERE o.k = ? AND EXISTS (SELECT 1 FROM items i WHERE i.oid = o.id)", one, "any of items apart"},
		{"a key in EXISTS says nothing of the table around it", "SELECT o.id FROM orders o WHERE EXISTS (SELECT 1 FROM items i WHERE i.k = ? AND i.oid = o.id)", one, "any of orders apart"},
		{"the bare name is that of the table inside", "SELECT o.id FROM orders o WHERE EXISTS (SELECT 1 FROM items WHERE k = ?)", one, "any of orders apart"},
		{"a value of a subquery by the key", "SELECT (SELECT count(*) FROM items i WHERE i.k = o.k) FROM orders o WHERE o.k IN (?, ?)", two, "1 2"},
		{"IN a query of keys", "SELECT o.id FROM orders o WHERE o.k IN (SELECT i.k FROM items i WHERE i.k IN (?, ?))", two, "1 2"},
		{"IN a query of keys that says nothing", "SELECT o.id FROM orders o WHERE o.k IN (SELECT i.k FROM items i WHERE i.x = 1)", nil, "any of orders"},
		{"NOT IN a query of keys", "SELECT o.id FROM orders o WHERE o.k NOT IN (SELECT i.k FROM items i WHERE i.k = ?)", one, "any of orders apart"},
		{"IN a query of groups", "SELECT o.id FROM orders o WHERE o.k IN (SELECT i.k FROM items i WHERE i.k = ? GROUP BY i.k)", one, "any of orders apart"},
		{"IN a query of a few", "SELECT o.id FROM orders o WHERE o.k IN (SELECT i.k FROM items i WHERE i.k = ? LIMIT 1 OFFSET 1)", one, "any of orders apart"},
		{"IN a query of another column", "SELECT o.id FROM orders o WHERE o.k IN (SELECT i.oid FROM items i WHERE i.k = ?)", one, "any of orders apart"},
		{"IN a query on something else", "SELECT o.id FROM orders o WHERE o.id IN (SELECT i.oid FROM items i WHERE i.k = ?) AND o.k = ?", two, "2 1 apart"},
		{"a query on a table of no shards with a subquery", "SELECT c.code FROM countries c WHERE EXISTS (SELECT 1 FROM orders o WHERE o.k IN (?, ?))", two, "1 2 apart"},

		{"a derived table", "SELECT t.id FROM (SELECT id FROM orders WHERE k = ?) t", one, "1 apart"},
		{"a condition on a derived table", "SELECT t.id FROM (SELECT id, k FROM orders) t WHERE t.k = ?", one, "any of orders apart"},
		{"a common table expression", "WITH t AS (SELECT id FROM orders WHERE k = ?) SELECT t.id FROM t", one, "1 apart"},
		{"that has the name of a table", "WITH orders AS (SELECT id, k FROM items WHERE k = ?) SELECT id FROM orders WHERE k = 2", one, "1 apart"},
		{"UNION", "SELECT id FROM orders WHERE k = ? UNION SELECT id FROM items WHERE k = ?", two, "1 2 apart"},
		{"UNION with an arm that says nothing", "SELECT id FROM orders WHERE k = ? UNION ALL SELECT id FROM orders", one, "any of orders apart"},

		{"two shardings", "SELECT o.id FROM orders o JOIN people p ON p.id = o.x WHERE o.k = ? AND p.name = ?", []any{1, "ann"}, "1 apart; ann apart"},
		{"two shardings by numbers", "SELECT o.id FROM orders o JOIN logs l ON l.k = o.k WHERE o.k = ?", one, "1 apart; any of logs apart"},
		{"rows of another sharding", "INSERT INTO archive (k) SELECT l.k FROM logs l WHERE l.k = ?", one, "keyless: table archive: what is to be in column k, its shard key, is not known before it is written"},
		{"two shardings with columns that are equated", "SELECT o.id FROM orders o JOIN people p ON p.name = o.k WHERE o.k = ?", one, "1 apart; any of people apart"},
	})
	checkKeys(t, "sqlite postgres", []keyRule{
		{"a full join binds nothing", "SELECT o.id FROM orders o FULL JOIN items i ON i.k = o.k AND o.k = 1 AND i.k = 1", nil, "any of orders apart"},
		{"a full join by USING", "SELECT o.id FROM orders o FULL JOIN items i USING (k) WHERE o.k = ?", one, "any of items apart"},
		{"WHERE on one side of a full join", "SELECT o.id FROM orders o FULL JOIN items i ON i.k = o.k WHERE o.k = ?", one, "any of items apart"},
	})
	checkKeys(t, "postgres", []keyRule{
		{"LATERAL", "SELECT o.id FROM orders o, LATERAL (SELECT x FROM items i WHERE i.k = o.k ORDER BY x LIMIT 1) t WHERE o.k IN (?, ?)", two, "1 2"},
		{"a recursion", "WITH RECURSIVE t AS (SELECT id FROM orders WHERE k = ? UNION ALL SELECT o.id FROM orders o JOIN t ON o.x = t.id WHERE o.k = ?) SELECT id FROM t", two, "1 2 apart"},
		{"a write in WITH", "WITH t AS (DELETE FROM orders WHERE k = ? RETURNING id) SELECT id FROM t", one, "1 apart"},
	})
}

// TestKeysOfWrites shows which keys the rows have that a statement writes, and what is refused of them.
func TestKeysOfWrites(t *testing.T) {
	one, two := []any{1}, []any{1, 2}
	const unknown = "what is to be in column k, its shard key, is not known before it is written"
	const rekeyed = "crosses: table orders: column k, its shard key, is to be another one, with which a row would belong on another shard"
	checkKeys(t, "sqlite postgres mysql", []keyRule{
		{"a row", "INSERT INTO orders (id, k) VALUES (?, ?)", []any{9, 1}, "1 rows [1]"},
		{"rows", "INSERT INTO orders (id, k) VALUES (?, ?), (?, ?)", []any{9, 1, 8, 2}, "1 2 rows [1 2]"},
		{"rows of all kinds", "INSERT INTO orders (k, id) VALUES (?, 1), (7, ?), ('8', 1), (?, 2)", []any{1, 9, 2}, "1 7 8 2 rows [1 7 8 2]"},
		{"a row with a tenant", "INSERT INTO bills (id, k) VALUES (?, ?)", []any{9, 1}, "1 rows [1]"},
		{"no key", "INSERT INTO orders (id) VALUES (?)", one, "keyless: table orders: column k, its shard key, is not given a value"},
		{"no columns", "INSERT INTO orders VALUES (?, ?)", two, "keyless: table orders: an INSERT without the names of its columns"},
		{"the key twice", "INSERT INTO orders (k, k) VALUES (?, ?)", two, "keyless: table orders: column k, its shard key, is given twice"},
		{"NULL", "INSERT INTO orders (k) VALUES (NULL)", nil, "keyless: table orders: " + unknown},
		{"NULL as an argument", "INSERT INTO orders (k) VALUES (?), (?)", []any{1, nil}, "row 2 for table orders has no value in column k that says where it belongs"},
		{"a value of another type", "INSERT INTO orders (k) VALUES (?)", []any{1.5}, "row 1 for table orders has no value in column k that says where it belongs"},
		{"a subquery", "INSERT INTO orders (k) VALUES ((SELECT 1))", nil, "keyless: table orders: " + unknown},
		{"an expression", "INSERT INTO orders (k) VALUES (? + 1)", one, "keyless: table orders: " + unknown},
		{"one that is not known", "INSERT INTO orders (k) VALUES (?), (abs(?))", two, "keyless: table orders: " + unknown},
		{"a query with a value", "INSERT INTO orders (id, k) SELECT c.id, ? FROM countries c", one, "1 apart"},
		{"a query with NULL", "INSERT INTO orders (id, k) SELECT c.id, ? FROM countries c", []any{nil}, "row 1 for table orders has no value in column k that says where it belongs apart"},
		{"a query of the key", "INSERT INTO archive (id, k) SELECT o.id, o.k FROM orders o WHERE o.k = ?", one, "1"},
		{"a query of all keys", "INSERT INTO archive (id, k) SELECT o.id, o.k FROM orders o", nil, "any of orders"},
		{"a query of one group", "INSERT INTO archive (id, k) SELECT max(o.id), o.k FROM orders o WHERE o.k IN (?, ?)", two, "1 2 apart"},
		{"a query of groups", "INSERT INTO archive (id, k) SELECT max(o.id), o.k FROM orders o WHERE o.k IN (?, ?) GROUP BY o.k", two, "1 2 apart"},
		{"a query of a number of rows", "INSERT INTO archive (id, k) SELECT o.id, o.k FROM orders o WHERE o.k IN (?, ?) ORDER BY o.id LIMIT 1", two, "1 2 apart"},
		{"a query of distinct rows", "INSERT INTO archive (id, k) SELECT DISTINCT o.id, o.k FROM orders o WHERE o.k IN (?, ?)", two, "1 2 apart"},
		{"a query of another column", "INSERT INTO archive (id, k) SELECT o.k, o.id FROM orders o WHERE o.k = ?", one, "keyless: table archive: " + unknown},
		{"a query of a key that may be missing", "INSERT INTO archive (id, k) SELECT c.id, o.k FROM countries c LEFT JOIN orders o ON o.k = ?", one, "keyless: table archive: " + unknown},
		{"a query of all columns", "INSERT INTO archive (id, k) SELECT * FROM orders o WHERE o.k = ?", one, "keyless: table archive: " + unknown},
		{"a query of all columns and the key", "INSERT INTO archive (id, k) SELECT o.*, o.k FROM orders o WHERE o.k = ?", one, "keyless: table archive: " + unknown},
		{"a query with a value from another shard", "INSERT INTO archive (id, k) SELECT o.id, ? FROM orders o WHERE o.k = ?", two, "1 2 apart"},
		{"a query of several", "INSERT INTO archive (id, k) SELECT o.id, o.k FROM orders o WHERE o.k = ? UNION ALL SELECT i.id, i.k FROM items i WHERE i.k = ?", two, "keyless: table archive: " + unknown},
		{"rows of no shard from shards", "INSERT INTO countries (code) SELECT o.x FROM orders o WHERE o.k IN (?, ?)", two, "1 2 apart"},

		{"an update", "UPDATE orders SET x = ? WHERE k = ?", two, "2"},
		{"an update of all", "UPDATE orders SET x = ?", one, "any of orders"},
		{"an update by alternatives", "UPDATE orders SET x = 1 WHERE k = ? OR k = ?", two, "1 2"},
		{"an update of the key", "UPDATE orders SET k = ? WHERE k = ?", two, rekeyed},
		{"to itself", "UPDATE orders SET k = k, x = ? WHERE k = ?", two, "2"},
		{"to another column", "UPDATE orders SET k = x WHERE k = ?", one, rekeyed},
		{"an update by a subquery", "UPDATE orders SET x = (SELECT max(i.x) FROM items i WHERE i.k = orders.k) WHERE k IN (?, ?)", two, "1 2"},
		{"an update of no shard by shards", "UPDATE countries SET code = 'x' WHERE EXISTS (SELECT 1 FROM orders o WHERE o.k IN (?, ?))", two, "1 2 apart"},
		{"a deletion", "DELETE FROM orders WHERE k IN (?, ?)", two, "1 2"},
		{"a deletion of none", "DELETE FROM orders WHERE k = 1 AND k = 2", nil, "none"},
	})
	checkKeys(t, "sqlite postgres", []keyRule{
		{"an upsert", "INSERT INTO orders (id, k) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET x = excluded.x", []any{9, 1}, "1 rows [1]"},
		{"an upsert of nothing", "INSERT INTO orders (id, k) VALUES (?, ?) ON CONFLICT DO NOTHING", []any{9, 1}, "1 rows [1]"},
		{"an upsert of the key", "INSERT INTO orders (id, k) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET k = excluded.k", []any{9, 1}, rekeyed},
		{"an update with another table", "UPDATE orders SET x = i.x FROM items i WHERE i.k = orders.k AND orders.k = ?", one, "1"},
		{"an update with another table's key", "UPDATE orders SET x = i.x FROM items i WHERE i.oid = orders.id AND i.k = ?", one, "any of orders apart"},
	})
	checkKeys(t, "postgres mysql", []keyRule{
		{"DEFAULT", "INSERT INTO orders (id, k) VALUES (?, DEFAULT)", one, "keyless: table orders: " + unknown},
	})
	checkKeys(t, "postgres", []keyRule{
		{"several at once", "UPDATE orders SET (k, x) = (?, 1)", one, rekeyed},
		{"a deletion with another table", "DELETE FROM orders o USING items i WHERE i.k = o.k AND i.k = ?", one, "1"},
		{"rows in WITH", "WITH n AS (INSERT INTO orders (k) VALUES (?)) SELECT 1", []any{nil}, "row 1 for table orders has no value in column k that says where it belongs apart"},
		{"rows of two", "WITH n AS (INSERT INTO orders (k) VALUES (?)) INSERT INTO items (k) VALUES (?)", two, "2 1 rows [2] apart"},
	})
	checkKeys(t, "mysql", []keyRule{
		{"a deletion of a few", "DELETE FROM orders WHERE k IN (?, ?) LIMIT 3", two, "1 2 apart"},
		{"an update of a few", "UPDATE orders SET x = 1 WHERE k IN (?, ?) ORDER BY id LIMIT 3", two, "1 2 apart"},
		{"an upsert", "INSERT INTO orders (id, k) VALUES (?, ?) ON DUPLICATE KEY UPDATE x = VALUES(x)", []any{9, 1}, "1 rows [1]"},
		{"an upsert of the key", "INSERT INTO orders (id, k) VALUES (?, ?) ON DUPLICATE KEY UPDATE k = VALUES(k)", []any{9, 1}, rekeyed},
		{"SET", "INSERT INTO orders SET id = ?, k = ?", []any{9, 1}, "1 rows [1]"},
		{"REPLACE", "REPLACE INTO orders (id, k) VALUES (?, ?)", []any{9, 1}, "1 rows [1]"},
		{"IGNORE", "INSERT IGNORE INTO orders (id, k) VALUES (?, ?)", []any{9, 1}, "refused: table orders: IGNORE cuts values to fit, and the shard key with them"},
		{"an update of several tables", "UPDATE orders o JOIN items i ON i.k = o.k SET o.x = i.x WHERE o.k = ?", one, "1"},
		{"an update of the key of one of them", "UPDATE orders o JOIN items i ON i.k = o.k SET i.x = 1, o.k = 2 WHERE o.k = ?", one, rekeyed},
		{"a deletion from several", "DELETE o, i FROM orders o JOIN items i ON i.k = o.k WHERE o.k = ?", one, "1"},
	})
}

// TestKeysOfIDs shows how IDs that carry their shard stand in for a key.
func TestKeysOfIDs(t *testing.T) {
	one, two := []any{1}, []any{1, 2}
	checkKeys(t, "sqlite postgres mysql", []keyRule{
		{"an ID", "SELECT * FROM tickets WHERE tickets.id = ? ORDER BY tickets.id LIMIT 1", one, " ids [1]"},
		{"without a qualifier", "SELECT * FROM tickets WHERE id IN (?, ?)", two, " ids [1 2]"},
		{"a key is better", "SELECT * FROM tickets WHERE id = ? AND k = ?", two, "2"},
		{"unless it is not understood", "SELECT * FROM tickets WHERE id = ? AND k = ?", []any{1, 1.5}, " ids [1]"},
		{"one or the other is not understood", "SELECT * FROM tickets WHERE id = ? OR k = ?", two, "any of tickets"},
		{"two IDs", "SELECT * FROM tickets WHERE id = ? AND id = ?", two, "none"},
		{"an ID of what is joined", "SELECT r.id FROM tickets t JOIN replies r ON r.k = t.k WHERE t.id = ?", one, " ids [1]"},
		{"joined by something else", "SELECT r.id FROM tickets t JOIN replies r ON r.ticket = t.id WHERE t.id = ?", one, "any of replies apart"},
		{"IDs of each", "SELECT r.id FROM tickets t, replies r WHERE t.id = ? AND r.k = ?", two, "2 ids [1] apart"},
		{"an ID of a table whose IDs say nothing", "SELECT * FROM orders WHERE id = ?", one, "any of orders"},
		{"an update by ID", "UPDATE tickets SET x = ? WHERE id = ?", two, " ids [2]"},
		{"an update of the ID", "UPDATE tickets SET id = ? WHERE k = ?", two, "crosses: table tickets: column id, which says what shard it is on, is to be another one, with which a row would belong on another shard"},
		{"rows", "INSERT INTO tickets (k, id) VALUES (?, ?), (?, ?)", []any{1, 11, 2, 22}, "1 2 rows [1 2] with [11 22]"},
		{"rows without an ID", "INSERT INTO tickets (k) VALUES (?)", one, "keyless: table tickets: column id, which says what shard it is on, is not given a value"},
		{"rows with an ID of NULL", "INSERT INTO tickets (k, id) VALUES (?, ?)", []any{1, nil}, "row 1 for table tickets has no value in column id that says where it belongs"},
		{
			"rows of a query with an ID", "INSERT INTO tickets (k, id) SELECT ?, 2", one,
			"keyless: table tickets: whether its IDs and its keys say the same shard is not known before it is written",
		},
		{"rows of another table with its IDs", "INSERT INTO replies (id, k) SELECT t.id, t.k FROM tickets t WHERE t.k = ?", one, "1"},
		{
			"rows of another table with other IDs", "INSERT INTO replies (id, k) SELECT t.id + 1, t.k FROM tickets t WHERE t.k = ?", one,
			"keyless: table replies: what is to be in column id, which says what shard it is on, is not known before it is written",
		},
		{
			"rows of another table with the IDs of a third", "INSERT INTO replies (id, k) SELECT u.id, t.k FROM tickets t, tickets u WHERE t.k = ?", one,
			"keyless: table replies: what is to be in column id, which says what shard it is on, is not known before it is written",
		},
	})
}
