package mysql

import "testing"

// TestSelects is about the clauses of one SELECT.
func TestSelects(t *testing.T) {
	t.Parallel()
	check(t, []proofCase{
		{"SELECT * FROM `users`", "SELECT * FROM `users` WHERE `users`.`tenant_id` = ?"},
		{"SELECT u.`key`, u.date, u.value FROM users u WHERE u.`order` = ?", "SELECT u.`key`, u.date, u.value FROM users u WHERE `u`.`tenant_id` = ? AND (u.`order` = ?)"},
		{`SELECT * FROM users WHERE a = ? OR b = ? ORDER BY a DESC LIMIT ?, ?`, "SELECT * FROM users WHERE `users`.`tenant_id` = ? AND (a = ? OR b = ?) ORDER BY a DESC LIMIT ?, ?"},
		{`SELECT * FROM users WHERE tenant_id = ? OR 1 = 1`, "SELECT * FROM users WHERE `users`.`tenant_id` = ? AND (tenant_id = ? OR 1 = 1)"},
		{`SELECT * FROM users WHERE users.offset > 1 AND t.limit = 2`, "SELECT * FROM users WHERE `users`.`tenant_id` = ? AND (users.offset > 1 AND t.limit = 2)"},
		{`SELECT DISTINCT a FROM users GROUP BY a, b WITH ROLLUP HAVING count(*) > ? ORDER BY 1 LIMIT 10 OFFSET 5`, "SELECT DISTINCT a FROM users WHERE `users`.`tenant_id` = ? GROUP BY a, b WITH ROLLUP HAVING count(*) > ? ORDER BY 1 LIMIT 10 OFFSET 5"},
		{`SELECT SQL_CALC_FOUND_ROWS STRAIGHT_JOIN * FROM users LIMIT 3`, "SELECT SQL_CALC_FOUND_ROWS STRAIGHT_JOIN * FROM users WHERE `users`.`tenant_id` = ? LIMIT 3"},
		{`SELECT /*+ NO_INDEX_MERGE(users) */ * FROM users -- done`, "SELECT /*+ NO_INDEX_MERGE(users) */ * FROM users WHERE `users`.`tenant_id` = ? -- done"},
		{`SELECT * FROM users;`, "SELECT * FROM users WHERE `users`.`tenant_id` = ?;"},
		{`SELECT 1 FROM DUAL WHERE ? = 1`, asItIs},
		{`SELECT * FROM countries WHERE id = ?`, asItIs},
		{"SELECT `users`.*, db.users.* FROM db.users", "SELECT `users`.*, db.users.* FROM db.users WHERE `users`.`tenant_id` = ?"},
		{"SELECT COUNT(*) orders, (SELECT 1) `items`, id companies FROM users", "SELECT COUNT(*) orders, (SELECT 1) `items`, id companies FROM users WHERE `users`.`tenant_id` = ?"},
		{`SELECT orders, items.tags FROM users items`, "SELECT orders, items.tags FROM users items WHERE `items`.`tenant_id` = ?"},
		{`SELECT * FROM users u FOR UPDATE OF u SKIP LOCKED`, "SELECT * FROM users u WHERE `u`.`tenant_id` = ? FOR UPDATE OF u SKIP LOCKED"},
		{`SELECT * FROM users, orders WHERE 1 = 1 FOR SHARE OF users FOR UPDATE OF orders NOWAIT`, "SELECT * FROM users, orders WHERE `users`.`tenant_id` = ? AND `orders`.`tenant_id` = ? AND (1 = 1) FOR SHARE OF users FOR UPDATE OF orders NOWAIT"},
		{`SELECT * FROM users WHERE id = ? LOCK IN SHARE MODE`, "SELECT * FROM users WHERE `users`.`tenant_id` = ? AND (id = ?) LOCK IN SHARE MODE"},
		{`SELECT id, sum(a) OVER w, rank() OVER (PARTITION BY (SELECT 1 FROM orders) ORDER BY b RANGE BETWEEN INTERVAL ? DAY PRECEDING AND ? FOLLOWING) FROM items WINDOW w AS (PARTITION BY tenant_id)`, "SELECT id, sum(a) OVER w, rank() OVER (PARTITION BY (SELECT 1 FROM orders WHERE `orders`.`tenant_id` = ?) ORDER BY b RANGE BETWEEN INTERVAL ? DAY PRECEDING AND ? FOLLOWING) FROM items WHERE `items`.`tenant_id` = ? WINDOW w AS (PARTITION BY tenant_id)"},
		{`SELECT * FROM users PARTITION (p0, p1) AS u USE INDEX (a) IGNORE INDEX FOR ORDER BY (b) WHERE u.id = ?`, "SELECT * FROM users PARTITION (p0, p1) AS u USE INDEX (a) IGNORE INDEX FOR ORDER BY (b) WHERE `u`.`tenant_id` = ? AND (u.id = ?)"},
	})
}

// TestJoins is about where a condition stands that a join is in the way of.
func TestJoins(t *testing.T) {
	t.Parallel()
	check(t, []proofCase{
		{`SELECT * FROM users u JOIN orders o ON o.user_id = u.id WHERE u.a = 1 OR o.b = 2`, "SELECT * FROM users u JOIN orders o ON o.user_id = u.id WHERE `u`.`tenant_id` = ? AND `o`.`tenant_id` = ? AND (u.a = 1 OR o.b = 2)"},
		{`SELECT * FROM users u LEFT JOIN orders o ON o.user_id = u.id AND o.a > ? LEFT JOIN items i ON i.order_id = o.id`, "SELECT * FROM users u LEFT JOIN orders o ON `o`.`tenant_id` = ? AND (o.user_id = u.id AND o.a > ?) LEFT JOIN items i ON `i`.`tenant_id` = ? AND (i.order_id = o.id) WHERE `u`.`tenant_id` = ?"},
		{`SELECT * FROM users u RIGHT OUTER JOIN orders o ON o.user_id = u.id OR o.a = 1`, "SELECT * FROM users u RIGHT OUTER JOIN orders o ON `u`.`tenant_id` = ? AND (o.user_id = u.id OR o.a = 1) WHERE `o`.`tenant_id` = ?"},
		{`SELECT * FROM users u LEFT JOIN companies c LEFT JOIN orders o ON o.a = c.a ON c.id = u.company_id`, "SELECT * FROM users u LEFT JOIN companies c LEFT JOIN orders o ON `o`.`tenant_id` = ? AND (o.a = c.a) ON `c`.`tenant_id` = ? AND (c.id = u.company_id) WHERE `u`.`tenant_id` = ?"},
		{`SELECT * FROM users u JOIN companies c LEFT JOIN orders o ON o.a = c.a`, "SELECT * FROM users u JOIN companies c LEFT JOIN orders o ON `o`.`tenant_id` = ? AND (o.a = c.a) WHERE `u`.`tenant_id` = ? AND `c`.`tenant_id` = ?"},
		{`SELECT * FROM users u CROSS JOIN companies c INNER JOIN orders o ON o.a = c.a STRAIGHT_JOIN items`, "SELECT * FROM users u CROSS JOIN companies c INNER JOIN orders o ON o.a = c.a STRAIGHT_JOIN items WHERE `u`.`tenant_id` = ? AND `c`.`tenant_id` = ? AND `o`.`tenant_id` = ? AND `items`.`tenant_id` = ?"},
		{`SELECT * FROM users, companies RIGHT JOIN orders ON orders.a = companies.a`, "SELECT * FROM users, companies RIGHT JOIN orders ON `companies`.`tenant_id` = ? AND (orders.a = companies.a) WHERE `users`.`tenant_id` = ? AND `orders`.`tenant_id` = ?"},
		{`SELECT * FROM (users u, companies c) LEFT JOIN (orders o CROSS JOIN items i) ON o.user_id = u.id AND i.order_id = o.id`, "SELECT * FROM (users u, companies c) LEFT JOIN (orders o CROSS JOIN items i) ON `o`.`tenant_id` = ? AND `i`.`tenant_id` = ? AND (o.user_id = u.id AND i.order_id = o.id) WHERE `u`.`tenant_id` = ? AND `c`.`tenant_id` = ?"},
		{`SELECT * FROM ((orders o JOIN users u ON o.user_id = u.id) LEFT JOIN items i ON i.id = u.id) LEFT JOIN companies c ON c.id = u.id`, "SELECT * FROM ((orders o JOIN users u ON o.user_id = u.id) LEFT JOIN items i ON `i`.`tenant_id` = ? AND (i.id = u.id)) LEFT JOIN companies c ON `c`.`tenant_id` = ? AND (c.id = u.id) WHERE `o`.`tenant_id` = ? AND `u`.`tenant_id` = ?"},
		{`SELECT * FROM (orders JOIN users u JOIN items i ON i.id = u.id) JOIN companies c ON c.id = u.id`, "SELECT * FROM (orders JOIN users u JOIN items i ON i.id = u.id) JOIN companies c ON c.id = u.id WHERE `orders`.`tenant_id` = ? AND `u`.`tenant_id` = ? AND `i`.`tenant_id` = ? AND `c`.`tenant_id` = ?"},
		{`SELECT * FROM users u RIGHT JOIN orders USING (id)`, "SELECT * FROM (SELECT * FROM users WHERE `users`.`tenant_id` = ?) u RIGHT JOIN orders USING (id) WHERE `orders`.`tenant_id` = ?"},
		{`SELECT * FROM users NATURAL LEFT JOIN orders AS o INNER JOIN items USING (tenant_id, id)`, "SELECT * FROM users NATURAL LEFT JOIN (SELECT * FROM orders WHERE `orders`.`tenant_id` = ?) AS o INNER JOIN items USING (tenant_id, id) WHERE `users`.`tenant_id` = ? AND `items`.`tenant_id` = ?"},
		{`SELECT * FROM users u LEFT JOIN (SELECT user_id, max(a) m FROM orders GROUP BY user_id) o ON o.user_id = u.id`, "SELECT * FROM users u LEFT JOIN (SELECT user_id, max(a) m FROM orders WHERE `orders`.`tenant_id` = ? GROUP BY user_id) o ON o.user_id = u.id WHERE `u`.`tenant_id` = ?"},
		{`SELECT * FROM users u, LATERAL (SELECT a FROM orders o WHERE o.user_id = u.id LIMIT 1) l`, "SELECT * FROM users u, LATERAL (SELECT a FROM orders o WHERE `o`.`tenant_id` = ? AND (o.user_id = u.id) LIMIT 1) l WHERE `u`.`tenant_id` = ?"},
		{`SELECT * FROM users u LEFT JOIN LATERAL (SELECT max(a) m FROM orders o WHERE o.user_id = u.id) l ON TRUE`, "SELECT * FROM users u LEFT JOIN LATERAL (SELECT max(a) m FROM orders o WHERE `o`.`tenant_id` = ? AND (o.user_id = u.id)) l ON TRUE WHERE `u`.`tenant_id` = ?"},
		{`SELECT * FROM users u, JSON_TABLE(u.data, '$[*]' COLUMNS (id FOR ORDINALITY, a INT PATH '$.a' DEFAULT '0' ON EMPTY, NESTED PATH '$.b' COLUMNS (c INT EXISTS PATH '$.c'))) AS orders`, "SELECT * FROM users u, JSON_TABLE(u.data, '$[*]' COLUMNS (id FOR ORDINALITY, a INT PATH '$.a' DEFAULT '0' ON EMPTY, NESTED PATH '$.b' COLUMNS (c INT EXISTS PATH '$.c'))) AS orders WHERE `u`.`tenant_id` = ?"},
		{`SELECT * FROM db1.users JOIN db2.orders ON db1.users.id = db2.orders.user_id`, "SELECT * FROM db1.users JOIN db2.orders ON db1.users.id = db2.orders.user_id WHERE `users`.`tenant_id` = ? AND `orders`.`tenant_id` = ?"},
		{`SELECT * FROM (SELECT id, name FROM users) AS d (a, b) JOIN (VALUES ROW(1, 'a'), ROW(2, ?)) AS v(id, name) ON v.id = d.a`, "SELECT * FROM (SELECT id, name FROM users WHERE `users`.`tenant_id` = ?) AS d (a, b) JOIN (VALUES ROW(1, 'a'), ROW(2, ?)) AS v(id, name) ON v.id = d.a"},
		{`SELECT * FROM user_tags`, "SELECT * FROM user_tags WHERE ((EXISTS (SELECT 1 FROM `users` WHERE `users`.`id` = `user_tags`.`user_id` AND `users`.`tenant_id` = ?) AND EXISTS (SELECT 1 FROM `tags` WHERE `tags`.`id` = `user_tags`.`tag_id` AND `tags`.`tenant_id` = ?)) OR (EXISTS (SELECT 1 FROM `users` WHERE `users`.`id` = `user_tags`.`user_id` AND `users`.`tenant_id` = ?) AND NOT EXISTS (SELECT 1 FROM `tags` WHERE `tags`.`id` = `user_tags`.`tag_id`)) OR (EXISTS (SELECT 1 FROM `tags` WHERE `tags`.`id` = `user_tags`.`tag_id` AND `tags`.`tenant_id` = ?) AND NOT EXISTS (SELECT 1 FROM `users` WHERE `users`.`id` = `user_tags`.`user_id`)))"},
		{`SELECT * FROM users u JOIN orders o ON u.tenant_id = o.tenant_id`, "SELECT * FROM users u JOIN orders o ON u.tenant_id = o.tenant_id WHERE `u`.`tenant_id` = ?"},
	})
}

// TestQueries is about queries in one another and beside one another.
func TestQueries(t *testing.T) {
	t.Parallel()
	check(t, []proofCase{
		{`SELECT * FROM users WHERE id IN (SELECT user_id FROM orders WHERE a = 1 OR b = 2) AND a NOT IN (SELECT a FROM items)`, "SELECT * FROM users WHERE `users`.`tenant_id` = ? AND (id IN (SELECT user_id FROM orders WHERE `orders`.`tenant_id` = ? AND (a = 1 OR b = 2)) AND a NOT IN (SELECT a FROM items WHERE `items`.`tenant_id` = ?))"},
		{`SELECT * FROM users u WHERE EXISTS (SELECT * FROM orders o WHERE o.user_id = u.id) AND NOT EXISTS (SELECT 1 FROM items) AND u.a > ANY (SELECT a FROM companies) AND (1, 2) = (SELECT a, b FROM items)`, "SELECT * FROM users u WHERE `u`.`tenant_id` = ? AND (EXISTS (SELECT * FROM orders o WHERE `o`.`tenant_id` = ? AND (o.user_id = u.id)) AND NOT EXISTS (SELECT 1 FROM items WHERE `items`.`tenant_id` = ?) AND u.a > ANY (SELECT a FROM companies WHERE `companies`.`tenant_id` = ?) AND (1, 2) = (SELECT a, b FROM items WHERE `items`.`tenant_id` = ?))"},
		{`SELECT (SELECT count(*) FROM orders), IF(EXISTS (SELECT 1 FROM items), 1, 2) FROM users GROUP BY (SELECT 1 FROM companies) HAVING count(*) > (SELECT 3 FROM companies) ORDER BY (SELECT 4 FROM orders)`, "SELECT (SELECT count(*) FROM orders WHERE `orders`.`tenant_id` = ?), IF(EXISTS (SELECT 1 FROM items WHERE `items`.`tenant_id` = ?), 1, 2) FROM users WHERE `users`.`tenant_id` = ? GROUP BY (SELECT 1 FROM companies WHERE `companies`.`tenant_id` = ?) HAVING count(*) > (SELECT 3 FROM companies WHERE `companies`.`tenant_id` = ?) ORDER BY (SELECT 4 FROM orders WHERE `orders`.`tenant_id` = ?)"},
		{`SELECT id FROM users UNION ALL SELECT id FROM orders WHERE a = 1 OR b = 2 ORDER BY id LIMIT 5`, "SELECT id FROM users WHERE `users`.`tenant_id` = ? UNION ALL SELECT id FROM orders WHERE `orders`.`tenant_id` = ? AND (a = 1 OR b = 2) ORDER BY id LIMIT 5"},
		{`(SELECT id FROM users LIMIT 1) UNION DISTINCT (SELECT id FROM companies ORDER BY a) ORDER BY id LIMIT 5`, "(SELECT id FROM users WHERE `users`.`tenant_id` = ? LIMIT 1) UNION DISTINCT (SELECT id FROM companies WHERE `companies`.`tenant_id` = ? ORDER BY a) ORDER BY id LIMIT 5"},
		{`SELECT id FROM users EXCEPT SELECT id FROM orders INTERSECT SELECT id FROM items`, "SELECT id FROM users WHERE `users`.`tenant_id` = ? EXCEPT SELECT id FROM orders WHERE `orders`.`tenant_id` = ? INTERSECT SELECT id FROM items WHERE `items`.`tenant_id` = ?"},
		{`SELECT 1 UNION (SELECT id FROM users UNION SELECT id FROM orders LIMIT 1) ORDER BY 1`, "SELECT 1 UNION (SELECT id FROM users WHERE `users`.`tenant_id` = ? UNION SELECT id FROM orders WHERE `orders`.`tenant_id` = ? LIMIT 1) ORDER BY 1"},
		{`((SELECT id FROM users)) ORDER BY 1`, "((SELECT id FROM users WHERE `users`.`tenant_id` = ?)) ORDER BY 1"},
		{`VALUES ROW(1, 2), ROW(3, (SELECT id FROM users LIMIT 1))`, "VALUES ROW(1, 2), ROW(3, (SELECT id FROM users WHERE `users`.`tenant_id` = ? LIMIT 1))"},
		{`TABLE countries ORDER BY id LIMIT 3`, asItIs},
		{`SELECT * FROM (TABLE countries) c, users`, "SELECT * FROM (TABLE countries) c, users WHERE `users`.`tenant_id` = ?"},
	})
}

// TestWith is about which table a name is of.
func TestWith(t *testing.T) {
	t.Parallel()
	check(t, []proofCase{
		{`WITH x AS (SELECT * FROM users WHERE a = 1 OR b = 2), y (a, b) AS (SELECT * FROM x) SELECT * FROM y JOIN orders ON orders.id = y.a`, "WITH x AS (SELECT * FROM users WHERE `users`.`tenant_id` = ? AND (a = 1 OR b = 2)), y (a, b) AS (SELECT * FROM x) SELECT * FROM y JOIN orders ON orders.id = y.a WHERE `orders`.`tenant_id` = ?"},
		{`WITH orders AS (SELECT 1 AS id) SELECT * FROM orders`, asItIs},
		{`WITH orders AS (SELECT * FROM orders) SELECT * FROM orders`, "WITH orders AS (SELECT * FROM orders WHERE `orders`.`tenant_id` = ?) SELECT * FROM orders"},
		{`WITH x AS (SELECT 1 FROM users), users AS (SELECT 2) SELECT * FROM x, users`, "WITH x AS (SELECT 1 FROM users WHERE `users`.`tenant_id` = ?), users AS (SELECT 2) SELECT * FROM x, users"},
		{`WITH orders (items, tags) AS (SELECT 1, 2) SELECT items FROM orders`, asItIs},
		{`WITH RECURSIVE t (id, d) AS (SELECT id, 1 FROM users WHERE manager_id IS NULL UNION ALL SELECT u.id, t.d + 1 FROM users u JOIN t ON u.manager_id = t.id) SELECT * FROM t`, "WITH RECURSIVE t (id, d) AS (SELECT id, 1 FROM users WHERE `users`.`tenant_id` = ? AND (manager_id IS NULL) UNION ALL SELECT u.id, t.d + 1 FROM users u JOIN t ON u.manager_id = t.id WHERE `u`.`tenant_id` = ?) SELECT * FROM t"},
		{`WITH RECURSIVE x AS (SELECT 1 FROM companies), users AS (SELECT 2 FROM x) SELECT * FROM x, users`, "WITH RECURSIVE x AS (SELECT 1 FROM companies WHERE `companies`.`tenant_id` = ?), users AS (SELECT 2 FROM x) SELECT * FROM x, users"},
		{`(WITH a AS (SELECT * FROM users) SELECT * FROM a) ORDER BY 1`, "(WITH a AS (SELECT * FROM users WHERE `users`.`tenant_id` = ?) SELECT * FROM a) ORDER BY 1"},
		{`(WITH a AS (SELECT * FROM users) SELECT * FROM a) UNION (WITH b AS (SELECT * FROM orders) SELECT * FROM b) LIMIT 3`, "(WITH a AS (SELECT * FROM users WHERE `users`.`tenant_id` = ?) SELECT * FROM a) UNION (WITH b AS (SELECT * FROM orders WHERE `orders`.`tenant_id` = ?) SELECT * FROM b) LIMIT 3"},
		{`SELECT * FROM users WHERE id IN (WITH users AS (SELECT 1 AS id) SELECT id FROM users)`, "SELECT * FROM users WHERE `users`.`tenant_id` = ? AND (id IN (WITH users AS (SELECT 1 AS id) SELECT id FROM users))"},
		{`WITH users AS (SELECT 1 AS id) UPDATE users SET id = 2`, "WITH users AS (SELECT 1 AS id) UPDATE users SET id = 2 WHERE `users`.`tenant_id` = ?"},
		{`WITH users AS (SELECT 1 id) DELETE u FROM users u JOIN countries c ON c.id = u.id`, "WITH users AS (SELECT 1 id) DELETE u FROM users u JOIN countries c ON c.id = u.id WHERE `u`.`tenant_id` = ?"},
		{`WITH x AS (SELECT id FROM companies WHERE name = ?) UPDATE users u JOIN x ON x.id = u.company_id SET u.age = 1`, "WITH x AS (SELECT id FROM companies WHERE `companies`.`tenant_id` = ? AND (name = ?)) UPDATE users u JOIN x ON x.id = u.company_id SET u.age = 1 WHERE `u`.`tenant_id` = ?"},
		{`WITH x AS (SELECT id FROM companies) DELETE FROM users WHERE company_id IN (SELECT id FROM x)`, "WITH x AS (SELECT id FROM companies WHERE `companies`.`tenant_id` = ?) DELETE FROM users WHERE `users`.`tenant_id` = ? AND (company_id IN (SELECT id FROM x))"},
	})
}

// TestExpressions is about what stands in expressions, all of which is read.
func TestExpressions(t *testing.T) {
	t.Parallel()
	check(t, []proofCase{
		{`SELECT * FROM users WHERE tenant_id = "x"`, "SELECT * FROM users WHERE `users`.`tenant_id` = ? AND (tenant_id = \"x\")"},
		{`SELECT * FROM users WHERE NOT tenant_id = ? XOR tenant_id <=> ? || ! a && b DIV 2 = c MOD 3`, "SELECT * FROM users WHERE `users`.`tenant_id` = ? AND (NOT tenant_id = ? XOR tenant_id <=> ? || ! a && b DIV 2 = c MOD 3)"},
		{`SELECT a->'$.a', a->>'$.b' FROM users WHERE JSON_CONTAINS(a, ?) AND ? MEMBER OF (a->'$.tags')`, "SELECT a->'$.a', a->>'$.b' FROM users WHERE `users`.`tenant_id` = ? AND (JSON_CONTAINS(a, ?) AND ? MEMBER OF (a->'$.tags'))"},
		{`SELECT JSON_VALUE(orders, '$.a' RETURNING CHAR(3) DEFAULT ? ON EMPTY) FROM users`, "SELECT JSON_VALUE(orders, '$.a' RETURNING CHAR(3) DEFAULT ? ON EMPTY) FROM users WHERE `users`.`tenant_id` = ?"},
		{`SELECT TRIM(LEADING 'x' FROM a), EXTRACT(YEAR FROM b), SUBSTRING(a FROM 1 FOR 2), POSITION('a' IN b), DATE '2020-01-01', CHAR(65 USING utf8mb4), WEIGHT_STRING(a AS CHAR(3)), GET_FORMAT(DATE, 'USA'), CONVERT(a, CHAR), CAST(a AS UNSIGNED) FROM users`, "SELECT TRIM(LEADING 'x' FROM a), EXTRACT(YEAR FROM b), SUBSTRING(a FROM 1 FOR 2), POSITION('a' IN b), DATE '2020-01-01', CHAR(65 USING utf8mb4), WEIGHT_STRING(a AS CHAR(3)), GET_FORMAT(DATE, 'USA'), CONVERT(a, CHAR), CAST(a AS UNSIGNED) FROM users WHERE `users`.`tenant_id` = ?"},
		{`SELECT GROUP_CONCAT(DISTINCT a, b ORDER BY (SELECT 1 FROM orders) DESC SEPARATOR ';'), COUNT(DISTINCT a, ?), STD(a) FROM users`, "SELECT GROUP_CONCAT(DISTINCT a, b ORDER BY (SELECT 1 FROM orders WHERE `orders`.`tenant_id` = ?) DESC SEPARATOR ';'), COUNT(DISTINCT a, ?), STD(a) FROM users WHERE `users`.`tenant_id` = ?"},
		{`SELECT MATCH (orders, items) AGAINST (? IN BOOLEAN MODE), DEFAULT(tags), a SOUNDS LIKE ?, a COLLATE utf8mb4_bin, BINARY b FROM users`, "SELECT MATCH (orders, items) AGAINST (? IN BOOLEAN MODE), DEFAULT(tags), a SOUNDS LIKE ?, a COLLATE utf8mb4_bin, BINARY b FROM users WHERE `users`.`tenant_id` = ?"},
		{`SELECT CASE a WHEN ? THEN 1 ELSE (SELECT id FROM orders) END, a BETWEEN ? AND (SELECT 1 FROM items), a LIKE ? ESCAPE '!', a NOT REGEXP ?, a IS NOT TRUE FROM users`, "SELECT CASE a WHEN ? THEN 1 ELSE (SELECT id FROM orders WHERE `orders`.`tenant_id` = ?) END, a BETWEEN ? AND (SELECT 1 FROM items WHERE `items`.`tenant_id` = ?), a LIKE ? ESCAPE '!', a NOT REGEXP ?, a IS NOT TRUE FROM users WHERE `users`.`tenant_id` = ?"},
		{`SELECT a + INTERVAL ? DAY, DATE_ADD(a, INTERVAL (SELECT 1 FROM orders) MONTH) FROM users WHERE a < NOW() - INTERVAL '1:1' MINUTE_SECOND`, "SELECT a + INTERVAL ? DAY, DATE_ADD(a, INTERVAL (SELECT 1 FROM orders WHERE `orders`.`tenant_id` = ?) MONTH) FROM users WHERE `users`.`tenant_id` = ? AND (a < NOW() - INTERVAL '1:1' MINUTE_SECOND)"},
		{`SELECT 'it''s', "a""b", 'a' 'b', _utf8mb4'x' COLLATE utf8mb4_bin, N'n', x'4D', 0x4D, b'01', TRUE, NULL, 1.5, 1e3 FROM users`, "SELECT 'it''s', \"a\"\"b\", 'a' 'b', _utf8mb4'x' COLLATE utf8mb4_bin, N'n', x'4D', 0x4D, b'01', TRUE, NULL, 1.5, 1e3 FROM users WHERE `users`.`tenant_id` = ?"},
	})
}

// TestInserts is about INSERT and REPLACE.
func TestInserts(t *testing.T) {
	t.Parallel()
	check(t, []proofCase{
		{`INSERT INTO users (id, name) VALUES (?, CONCAT(')', ?)), ((SELECT id FROM companies), DEFAULT)`, "INSERT INTO users (id, name, `tenant_id`) VALUES (?, CONCAT(')', ?), ?), ((SELECT id FROM companies WHERE `companies`.`tenant_id` = ?), DEFAULT, ?)"},
		{`INSERT INTO users (id) VALUE (1), (2)`, "INSERT INTO users (id, `tenant_id`) VALUE (1, ?), (2, ?)"},
		{"INSERT INTO users PARTITION (p0) (`users`.`id`) VALUES (?)", "INSERT INTO users PARTITION (p0) (`users`.`id`, `tenant_id`) VALUES (?, ?)"},
		{`INSERT DELAYED users (id, tenant_id) VALUES (1, ?)`, asItIs},
		{`INSERT INTO users SET id = ?, tenant_id = ?, users.orders = 'x'`, asItIs},
		{`INSERT INTO users (id) SELECT 1`, "INSERT INTO users (id, `tenant_id`) SELECT 1, ?"},
		{`INSERT INTO users (id) SELECT o.id FROM orders o WHERE o.a = 1 OR o.b = 2 GROUP BY o.id`, "INSERT INTO users (id, `tenant_id`) SELECT o.id, ? FROM orders o WHERE `o`.`tenant_id` = ? AND (o.a = 1 OR o.b = 2) GROUP BY o.id"},
		{`INSERT INTO users (id) (SELECT id FROM companies UNION SELECT id FROM orders)`, "INSERT INTO users (id, `tenant_id`) (SELECT id, ? FROM companies WHERE `companies`.`tenant_id` = ? UNION SELECT id, ? FROM orders WHERE `orders`.`tenant_id` = ?)"},
		{`INSERT INTO users (id, tenant_id) SELECT id, tenant_id FROM companies WHERE a = ?`, "INSERT INTO users (id, tenant_id) SELECT id, tenant_id FROM companies WHERE `companies`.`tenant_id` = ? AND (a = ?)"},
		{`INSERT INTO users (id) WITH x AS (SELECT id FROM companies) SELECT id FROM x`, "INSERT INTO users (id, `tenant_id`) WITH x AS (SELECT id FROM companies WHERE `companies`.`tenant_id` = ?) SELECT id, ? FROM x"},
		{`INSERT INTO countries (id) SELECT id FROM users`, "INSERT INTO countries (id) SELECT id FROM users WHERE `users`.`tenant_id` = ?"},
		{`INSERT INTO countries SELECT * FROM countries c`, asItIs},
		{`INSERT INTO users (id, name) VALUES (?, ?) ON DUPLICATE KEY UPDATE name = VALUES(name), orders = 1`, "INSERT INTO users (id, name, `tenant_id`) VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE name = VALUES(name), orders = 1"},
		{`INSERT INTO users (id, name) VALUES (?, ?) ON DUPLICATE KEY UPDATE tenant_id = VALUES(tenant_id)`, "INSERT INTO users (id, name, `tenant_id`) VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE tenant_id = VALUES(tenant_id)"},
		{`INSERT INTO users (id, name) VALUES (?, ?) AS new ON DUPLICATE KEY UPDATE name = new.name`, "INSERT INTO users (id, name, `tenant_id`) VALUES (?, ?, ?) AS new ON DUPLICATE KEY UPDATE name = new.name"},
		{`INSERT INTO users (id, tenant_id, name) VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE id = id`, asItIs},
		{`INSERT INTO users (tenant_id, name) SELECT c.tenant_id, c.name FROM companies c ON DUPLICATE KEY UPDATE users.name = (SELECT name FROM items)`, "INSERT INTO users (tenant_id, name) SELECT c.tenant_id, c.name FROM companies c WHERE `c`.`tenant_id` = ? ON DUPLICATE KEY UPDATE users.name = (SELECT name FROM items WHERE `items`.`tenant_id` = ?)"},
		{`REPLACE INTO users (id, name) VALUES (?, ?)`, "REPLACE INTO users (id, name, `tenant_id`) VALUES (?, ?, ?)"},
		{`REPLACE INTO users (id) SELECT id FROM orders`, "REPLACE INTO users (id, `tenant_id`) SELECT id, ? FROM orders WHERE `orders`.`tenant_id` = ?"},
		{`INSERT INTO users (id) VALUES (?) RETURNING id, users.orders AS items`, "INSERT INTO users (id, `tenant_id`) VALUES (?, ?) RETURNING id, users.orders AS items"},
	})
}

// TestUpdates is about UPDATE of one table and of several.
func TestUpdates(t *testing.T) {
	t.Parallel()
	check(t, []proofCase{
		{`UPDATE users SET name = ?, orders = -1, items = (SELECT a FROM items) WHERE id = ? OR a = 1 ORDER BY id LIMIT 3`, "UPDATE users SET name = ?, orders = -1, items = (SELECT a FROM items WHERE `items`.`tenant_id` = ?) WHERE `users`.`tenant_id` = ? AND (id = ? OR a = 1) ORDER BY id LIMIT 3"},
		{`UPDATE LOW_PRIORITY IGNORE users u SET u.name = DEFAULT`, "UPDATE LOW_PRIORITY IGNORE users u SET u.name = DEFAULT WHERE `u`.`tenant_id` = ?"},
		{`UPDATE users SET tenant_id = ?`, "UPDATE users SET tenant_id = ? WHERE `users`.`tenant_id` = ?"},
		{`UPDATE users u JOIN companies c ON c.id = u.company_id SET u.name = c.name WHERE c.id = ?`, "UPDATE users u JOIN companies c ON c.id = u.company_id SET u.name = c.name WHERE `u`.`tenant_id` = ? AND `c`.`tenant_id` = ? AND (c.id = ?)"},
		{`UPDATE users u, companies c SET u.name = c.name, c.name = 'z' WHERE u.company_id = c.id`, "UPDATE users u, companies c SET u.name = c.name, c.name = 'z' WHERE `u`.`tenant_id` = ? AND `c`.`tenant_id` = ? AND (u.company_id = c.id)"},
		{`UPDATE users u LEFT JOIN (SELECT user_id, sum(a) s FROM orders GROUP BY user_id) o ON o.user_id = u.id SET u.age = o.s`, "UPDATE users u LEFT JOIN (SELECT user_id, sum(a) s FROM orders WHERE `orders`.`tenant_id` = ? GROUP BY user_id) o ON o.user_id = u.id SET u.age = o.s WHERE `u`.`tenant_id` = ?"},
		{`UPDATE (users u JOIN orders o ON o.user_id = u.id) LEFT JOIN items i ON i.a = o.a SET i.b = 1`, "UPDATE (users u JOIN orders o ON o.user_id = u.id) LEFT JOIN items i ON `i`.`tenant_id` = ? AND (i.a = o.a) SET i.b = 1 WHERE `u`.`tenant_id` = ? AND `o`.`tenant_id` = ?"},
		{`UPDATE users u JOIN countries ON u.id = countries.id SET name = 1`, "UPDATE users u JOIN countries ON u.id = countries.id SET name = 1 WHERE `u`.`tenant_id` = ?"},
		{`UPDATE countries SET name = (SELECT name FROM users)`, "UPDATE countries SET name = (SELECT name FROM users WHERE `users`.`tenant_id` = ?)"},
	})
}

// TestDeletes is about DELETE from one table and from several.
func TestDeletes(t *testing.T) {
	t.Parallel()
	check(t, []proofCase{
		{`DELETE FROM users`, "DELETE FROM users WHERE `users`.`tenant_id` = ?"},
		{`DELETE LOW_PRIORITY QUICK IGNORE FROM users WHERE a = 1 OR b = 2 ORDER BY id LIMIT 5`, "DELETE LOW_PRIORITY QUICK IGNORE FROM users WHERE `users`.`tenant_id` = ? AND (a = 1 OR b = 2) ORDER BY id LIMIT 5"},
		{`DELETE FROM db.users AS u WHERE u.id = ?`, "DELETE FROM db.users AS u WHERE `u`.`tenant_id` = ? AND (u.id = ?)"},
		{`DELETE FROM users PARTITION (p0) WHERE id = 1`, "DELETE FROM users PARTITION (p0) WHERE `users`.`tenant_id` = ? AND (id = 1)"},
		{`DELETE u, orders FROM users u INNER JOIN orders ON orders.user_id = u.id WHERE u.id = ?`, "DELETE u, orders FROM users u INNER JOIN orders ON orders.user_id = u.id WHERE `u`.`tenant_id` = ? AND `orders`.`tenant_id` = ? AND (u.id = ?)"},
		{`DELETE QUICK users.* FROM users, orders o WHERE o.user_id = users.id`, "DELETE QUICK users.* FROM users, orders o WHERE `users`.`tenant_id` = ? AND `o`.`tenant_id` = ? AND (o.user_id = users.id)"},
		{`DELETE db.users FROM users JOIN orders o`, "DELETE db.users FROM users JOIN orders o WHERE `users`.`tenant_id` = ? AND `o`.`tenant_id` = ?"},
		{`DELETE FROM u USING users AS u LEFT JOIN orders AS o ON o.user_id = u.id WHERE o.id IS NULL`, "DELETE FROM u USING users AS u LEFT JOIN orders AS o ON `o`.`tenant_id` = ? AND (o.user_id = u.id) WHERE `u`.`tenant_id` = ? AND (o.id IS NULL)"},
		{`DELETE FROM users, orders USING users JOIN orders ON orders.user_id = users.id`, "DELETE FROM users, orders USING users JOIN orders ON orders.user_id = users.id WHERE `users`.`tenant_id` = ? AND `orders`.`tenant_id` = ?"},
		{`DELETE FROM users WHERE id = ? RETURNING *`, "DELETE FROM users WHERE `users`.`tenant_id` = ? AND (id = ?) RETURNING *"},
	})
}
