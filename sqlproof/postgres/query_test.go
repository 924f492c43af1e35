package postgres

import "testing"

func TestExpressions(t *testing.T) {
	t.Parallel()
	check(t, []proofCase{
		{
			`SELECT * FROM users`,
			`SELECT * FROM users WHERE "users"."tenant_id" = $1`,
		},
		{
			`SELECT * FROM users;`,
			`SELECT * FROM users WHERE "users"."tenant_id" = $1;`,
		},
		{
			`SELECT count(*) orders FROM users`,
			`SELECT count(*) orders FROM users WHERE "users"."tenant_id" = $1`,
		},
		{
			`SELECT id orders, name AS items, age tags FROM users WHERE age > $1`,
			`SELECT id orders, name AS items, age tags FROM users WHERE "users"."tenant_id" = $2 AND (age > $1)`,
		},
		{`SELECT count(*) orders`, asItIs},
		{
			`SELECT sum(amount) FROM orders HAVING sum(amount) > 1`,
			`SELECT sum(amount) FROM orders WHERE "orders"."tenant_id" = $1 HAVING sum(amount) > 1`,
		},
		{
			`SELECT u.id FROM users u WHERE u.a = 1 OR u.b = 2`,
			`SELECT u.id FROM users u WHERE "u"."tenant_id" = $1 AND (u.a = 1 OR u.b = 2)`,
		},
		{
			`SELECT * FROM users WHERE NOT a ORDER BY lower(name) LIMIT 1`,
			`SELECT * FROM users WHERE "users"."tenant_id" = $1 AND (NOT a) ORDER BY lower(name) LIMIT 1`,
		},
		{
			`SELECT (age) FROM users`,
			`SELECT (age) FROM users WHERE "users"."tenant_id" = $1`,
		},
		{
			`SELECT ((SELECT 1)), id FROM users`,
			`SELECT ((SELECT 1)), id FROM users WHERE "users"."tenant_id" = $1`,
		},
		{
			`SELECT ALL (id + 1) * 2 FROM users`,
			`SELECT ALL (id + 1) * 2 FROM users WHERE "users"."tenant_id" = $1`,
		},
		{
			`SELECT DISTINCT (name) FROM users`,
			`SELECT DISTINCT (name) FROM users WHERE "users"."tenant_id" = $1`,
		},
		{
			`SELECT DISTINCT ON ((age), name) id FROM users`,
			`SELECT DISTINCT ON ((age), name) id FROM users WHERE "users"."tenant_id" = $1`,
		},
		{
			`SELECT FROM users`,
			`SELECT FROM users WHERE "users"."tenant_id" = $1`,
		},
		{
			`SELECT 1 WHERE EXISTS (SELECT FROM users)`,
			`SELECT 1 WHERE EXISTS (SELECT FROM users WHERE "users"."tenant_id" = $1)`,
		},
		{
			`SELECT * FROM users WHERE id IN (SELECT user_id FROM orders) AND id = ANY (SELECT user_id FROM items) AND age > ALL (SELECT age FROM docs)`,
			`SELECT * FROM users WHERE "users"."tenant_id" = $1 AND (id IN (SELECT user_id FROM orders WHERE "orders"."tenant_id" = $2) AND id = ANY (SELECT user_id FROM items WHERE "items"."tenant_id" = $3) AND age > ALL (SELECT age FROM docs WHERE "docs"."tenant_id" = $4))`,
		},
		{
			`SELECT ARRAY(SELECT id FROM orders), (SELECT max(id) FROM items) FROM countries`,
			`SELECT ARRAY(SELECT id FROM orders WHERE "orders"."tenant_id" = $1), (SELECT max(id) FROM items WHERE "items"."tenant_id" = $2) FROM countries`,
		},
		{
			`SELECT * FROM users u WHERE EXISTS (SELECT 1 FROM orders o WHERE o.tenant_id = u.tenant_id)`,
			`SELECT * FROM users u WHERE "u"."tenant_id" = $1 AND (EXISTS (SELECT 1 FROM orders o WHERE o.tenant_id = u.tenant_id))`,
		},
		{
			`SELECT count(*) FILTER (WHERE id IN (SELECT id FROM orders)), sum(a ORDER BY (SELECT 1 FROM items)) OVER (PARTITION BY (SELECT 2 FROM docs) ORDER BY (SELECT 3 FROM jobs)) FROM users`,
			`SELECT count(*) FILTER (WHERE id IN (SELECT id FROM orders WHERE "orders"."tenant_id" = $1)), sum(a ORDER BY (SELECT 1 FROM items WHERE "items"."tenant_id" = $2)) OVER (PARTITION BY (SELECT 2 FROM docs WHERE "docs"."tenant_id" = $3) ORDER BY (SELECT 3 FROM jobs WHERE "jobs"."tenant_id" = $4)) FROM users WHERE "users"."tenant_id" = $5`,
		},
		{
			`SELECT a, GROUPING(a) FROM users GROUP BY GROUPING SETS ((a), CUBE (b, (SELECT 1 FROM orders)), ())`,
			`SELECT a, GROUPING(a) FROM users WHERE "users"."tenant_id" = $1 GROUP BY GROUPING SETS ((a), CUBE (b, (SELECT 1 FROM orders WHERE "orders"."tenant_id" = $2)), ())`,
		},
		{
			`SELECT percentile_cont($1) WITHIN GROUP (ORDER BY age) FROM users`,
			`SELECT percentile_cont($1) WITHIN GROUP (ORDER BY age) FROM users WHERE "users"."tenant_id" = $2`,
		},
		{
			`SELECT CASE a WHEN (SELECT 1 FROM orders) THEN (SELECT 2 FROM items) ELSE (SELECT 3 FROM docs) END FROM users`,
			`SELECT CASE a WHEN (SELECT 1 FROM orders WHERE "orders"."tenant_id" = $1) THEN (SELECT 2 FROM items WHERE "items"."tenant_id" = $2) ELSE (SELECT 3 FROM docs WHERE "docs"."tenant_id" = $3) END FROM users WHERE "users"."tenant_id" = $4`,
		},
		{
			`SELECT COALESCE((SELECT 1 FROM orders), GREATEST(1, (SELECT 1 FROM items)), NULLIF(1, (SELECT 1 FROM docs))) FROM countries`,
			`SELECT COALESCE((SELECT 1 FROM orders WHERE "orders"."tenant_id" = $1), GREATEST(1, (SELECT 1 FROM items WHERE "items"."tenant_id" = $2)), NULLIF(1, (SELECT 1 FROM docs WHERE "docs"."tenant_id" = $3))) FROM countries`,
		},
		{
			`SELECT a[(SELECT 1 FROM orders)], b[1:(SELECT 1 FROM items)], ARRAY[(SELECT 1 FROM docs)], ROW((SELECT 1 FROM jobs)) FROM countries`,
			`SELECT a[(SELECT 1 FROM orders WHERE "orders"."tenant_id" = $1)], b[1:(SELECT 1 FROM items WHERE "items"."tenant_id" = $2)], ARRAY[(SELECT 1 FROM docs WHERE "docs"."tenant_id" = $3)], ROW((SELECT 1 FROM jobs WHERE "jobs"."tenant_id" = $4)) FROM countries`,
		},
		{
			`SELECT (SELECT 1 FROM orders) IS NULL, ((SELECT true FROM items)) IS NOT TRUE, (SELECT a FROM docs) COLLATE "C", (SELECT a FROM jobs)::text FROM countries`,
			`SELECT (SELECT 1 FROM orders WHERE "orders"."tenant_id" = $1) IS NULL, ((SELECT true FROM items WHERE "items"."tenant_id" = $2)) IS NOT TRUE, (SELECT a FROM docs WHERE "docs"."tenant_id" = $3) COLLATE "C", (SELECT a FROM jobs WHERE "jobs"."tenant_id" = $4)::text FROM countries`,
		},
		{
			`SELECT a BETWEEN (SELECT 1 FROM orders) AND (SELECT 2 FROM items), a LIKE (SELECT 'x' FROM docs) ESCAPE '!', a IN (1, (SELECT 1 FROM jobs)) FROM countries`,
			`SELECT a BETWEEN (SELECT 1 FROM orders WHERE "orders"."tenant_id" = $1) AND (SELECT 2 FROM items WHERE "items"."tenant_id" = $2), a LIKE (SELECT 'x' FROM docs WHERE "docs"."tenant_id" = $3) ESCAPE '!', a IN (1, (SELECT 1 FROM jobs WHERE "jobs"."tenant_id" = $4)) FROM countries`,
		},
		{
			`SELECT make_interval(days => (SELECT 1 FROM orders)), current_date, (u).name, (u.addr).city, u.* FROM users u`,
			`SELECT make_interval(days => (SELECT 1 FROM orders WHERE "orders"."tenant_id" = $1)), current_date, (u).name, (u.addr).city, u.* FROM users u WHERE "u"."tenant_id" = $2`,
		},
		{
			`SELECT xmlelement(name a, xmlattributes((SELECT 1 FROM orders) AS b), (SELECT 2 FROM items)), xmlforest((SELECT 3 FROM docs) AS c) FROM countries`,
			`SELECT xmlelement(name a, xmlattributes((SELECT 1 FROM orders WHERE "orders"."tenant_id" = $1) AS b), (SELECT 2 FROM items WHERE "items"."tenant_id" = $2)), xmlforest((SELECT 3 FROM docs WHERE "docs"."tenant_id" = $3) AS c) FROM countries`,
		},
		{
			`SELECT JSON_OBJECT('a': (SELECT 1 FROM orders)), JSON_ARRAY((SELECT 2 FROM items)), JSON_ARRAY(SELECT id FROM docs), JSON_OBJECTAGG('k': (SELECT 3 FROM jobs)) FROM countries`,
			`SELECT JSON_OBJECT('a': (SELECT 1 FROM orders WHERE "orders"."tenant_id" = $1)), JSON_ARRAY((SELECT 2 FROM items WHERE "items"."tenant_id" = $2)), JSON_ARRAY(SELECT id FROM docs WHERE "docs"."tenant_id" = $3), JSON_OBJECTAGG('k': (SELECT 3 FROM jobs WHERE "jobs"."tenant_id" = $4)) FROM countries`,
		},
		{
			`SELECT JSON_VALUE(a, '$.x' PASSING (SELECT 1 FROM orders) AS x DEFAULT (SELECT 2 FROM items) ON EMPTY), JSON_ARRAYAGG(a ORDER BY (SELECT 1 FROM docs)), a IS JSON FROM countries`,
			`SELECT JSON_VALUE(a, '$.x' PASSING (SELECT 1 FROM orders WHERE "orders"."tenant_id" = $1) AS x DEFAULT (SELECT 2 FROM items WHERE "items"."tenant_id" = $2) ON EMPTY), JSON_ARRAYAGG(a ORDER BY (SELECT 1 FROM docs WHERE "docs"."tenant_id" = $3)), a IS JSON FROM countries`,
		},
		{
			`SELECT JSON(a), JSON_SCALAR((SELECT 1 FROM orders)), JSON_SERIALIZE(a RETURNING text), XMLSERIALIZE(CONTENT (SELECT a FROM items) AS text) FROM countries`,
			`SELECT JSON(a), JSON_SCALAR((SELECT 1 FROM orders WHERE "orders"."tenant_id" = $1)), JSON_SERIALIZE(a RETURNING text), XMLSERIALIZE(CONTENT (SELECT a FROM items WHERE "items"."tenant_id" = $2) AS text) FROM countries`,
		},
		{
			`SELECT * FROM users u WHERE u.limit > 1 AND u.offset > 2 AND u.order = 3 AND lock IN (1, 2)`,
			`SELECT * FROM users u WHERE "u"."tenant_id" = $1 AND (u.limit > 1 AND u.offset > 2 AND u.order = 3 AND lock IN (1, 2))`,
		},
		{
			`SELECT u.from FROM users u WHERE u.a IS DISTINCT FROM u.b`,
			`SELECT u.from FROM users u WHERE "u"."tenant_id" = $1 AND (u.a IS DISTINCT FROM u.b)`,
		},
		{
			`SELECT a IS DISTINCT FROM b, c FROM users`,
			`SELECT a IS DISTINCT FROM b, c FROM users WHERE "users"."tenant_id" = $1`,
		},
		{`SELECT jsonb_populate_record(NULL::orders, $1), $2::orders FROM countries`, asItIs},
		{
			`SELECT substring(a FROM 1 FOR 2), overlay(a PLACING 'x' FROM 1), trim(BOTH FROM a), position('a' IN b) FROM users`,
			`SELECT substring(a FROM 1 FOR 2), overlay(a PLACING 'x' FROM 1), trim(BOTH FROM a), position('a' IN b) FROM users WHERE "users"."tenant_id" = $1`,
		},
		{
			`SELECT * FROM users FOR UPDATE OF users SKIP LOCKED`,
			`SELECT * FROM users WHERE "users"."tenant_id" = $1 FOR UPDATE OF users SKIP LOCKED`,
		},
		{
			`SELECT * FROM users orders FOR NO KEY UPDATE OF orders`,
			`SELECT * FROM users orders WHERE "orders"."tenant_id" = $1 FOR NO KEY UPDATE OF orders`,
		},
		{
			`SELECT p.edit, p.eval FROM users p`,
			`SELECT p.edit, p.eval FROM users p WHERE "p"."tenant_id" = $1`,
		},
		{`SELECT my.count(*) FROM countries`, asItIs},
		{
			`SELECT E'\'' FROM users -- $9`,
			`SELECT E'\'' FROM users WHERE "users"."tenant_id" = $1 -- $9`,
		},
		{
			`SELECT a ? 'b', a @> $1, a #>> '{x}' FROM users`,
			`SELECT a ? 'b', a @> $1, a #>> '{x}' FROM users WHERE "users"."tenant_id" = $2`,
		},
		{
			`SELECT * FROM users WHERE "TENANT_ID" = $1`,
			`SELECT * FROM users WHERE "users"."tenant_id" = $2 AND ("TENANT_ID" = $1)`,
		},
		{
			`SELECT * FROM USERS WHERE Tenant_ID = $1`,
			`SELECT * FROM USERS WHERE "users"."tenant_id" = $2 AND (Tenant_ID = $1)`,
		},
		{
			`SELECT interval '1 day', date '2024-01-01', B'1', X'1F', 1.5e3, -1, NULL, true FROM users`,
			`SELECT interval '1 day', date '2024-01-01', B'1', X'1F', 1.5e3, -1, NULL, true FROM users WHERE "users"."tenant_id" = $1`,
		},
	})
}

func TestSources(t *testing.T) {
	t.Parallel()
	check(t, []proofCase{
		{
			`SELECT * FROM public.users`,
			`SELECT * FROM public.users WHERE "users"."tenant_id" = $1`,
		},
		{
			`SELECT * FROM "public" . "users" WHERE true`,
			`SELECT * FROM "public" . "users" WHERE "users"."tenant_id" = $1 AND (true)`,
		},
		{
			`SELECT * FROM public.users u FULL JOIN companies c ON true`,
			`SELECT * FROM (SELECT * FROM public.users WHERE "users"."tenant_id" = $1) u FULL JOIN (SELECT * FROM companies WHERE "companies"."tenant_id" = $2) c ON true`,
		},
		{
			`SELECT * FROM users FULL JOIN "public"."companies" USING (id)`,
			`SELECT * FROM (SELECT * FROM users WHERE "users"."tenant_id" = $1) AS "users" FULL JOIN (SELECT * FROM "public"."companies" WHERE "companies"."tenant_id" = $2) AS "companies" USING (id)`,
		},
		{
			`SELECT * FROM users AS users FULL JOIN companies AS companies ON true`,
			`SELECT * FROM (SELECT * FROM users WHERE "users"."tenant_id" = $1) AS users FULL JOIN (SELECT * FROM companies WHERE "companies"."tenant_id" = $2) AS companies ON true`,
		},
		{
			`SELECT * FROM users NATURAL LEFT JOIN companies`,
			`SELECT * FROM users NATURAL LEFT JOIN (SELECT * FROM companies WHERE "companies"."tenant_id" = $1) AS "companies" WHERE "users"."tenant_id" = $2`,
		},
		{
			`SELECT * FROM (users u JOIN companies c ON u.company_id = c.id) AS j`,
			`SELECT * FROM ((SELECT * FROM users WHERE "users"."tenant_id" = $1) u JOIN (SELECT * FROM companies WHERE "companies"."tenant_id" = $2) c ON u.company_id = c.id) AS j`,
		},
		{
			`SELECT * FROM users JOIN companies USING (company_id) AS m WHERE m.company_id = 1`,
			`SELECT * FROM users JOIN companies USING (company_id) AS m WHERE "users"."tenant_id" = $1 AND "companies"."tenant_id" = $2 AND (m.company_id = 1)`,
		},
		{
			`SELECT * FROM users u, companies c, LATERAL (SELECT * FROM orders o WHERE o.user_id = u.id) x`,
			`SELECT * FROM users u, companies c, LATERAL (SELECT * FROM orders o WHERE "o"."tenant_id" = $1 AND (o.user_id = u.id)) x WHERE "u"."tenant_id" = $2 AND "c"."tenant_id" = $3`,
		},
		{
			`SELECT * FROM users u LEFT JOIN companies c ON c.id = u.company_id AND (c.a OR c.b)`,
			`SELECT * FROM users u LEFT JOIN companies c ON "c"."tenant_id" = $1 AND (c.id = u.company_id AND (c.a OR c.b)) WHERE "u"."tenant_id" = $2`,
		},
		{
			`SELECT * FROM users u LEFT JOIN companies c ON true LEFT JOIN orders o ON false WHERE a OR b`,
			`SELECT * FROM users u LEFT JOIN companies c ON "c"."tenant_id" = $1 AND (true) LEFT JOIN orders o ON "o"."tenant_id" = $2 AND (false) WHERE "u"."tenant_id" = $3 AND (a OR b)`,
		},
		{
			`SELECT * FROM users u LEFT JOIN (companies c JOIN orders o ON o.id = c.id) ON c.id = u.id`,
			`SELECT * FROM users u LEFT JOIN (companies c JOIN orders o ON o.id = c.id) ON "c"."tenant_id" = $1 AND "o"."tenant_id" = $2 AND (c.id = u.id) WHERE "u"."tenant_id" = $3`,
		},
		{
			`SELECT * FROM users u RIGHT JOIN companies c ON u.id = c.id LEFT JOIN orders o ON (o.id) = c.id`,
			`SELECT * FROM users u RIGHT JOIN companies c ON "u"."tenant_id" = $1 AND (u.id = c.id) LEFT JOIN orders o ON "o"."tenant_id" = $2 AND ((o.id) = c.id) WHERE "c"."tenant_id" = $3`,
		},
		{
			`SELECT * FROM users u CROSS JOIN companies c`,
			`SELECT * FROM users u CROSS JOIN companies c WHERE "u"."tenant_id" = $1 AND "c"."tenant_id" = $2`,
		},
		{
			`SELECT * FROM a.users x JOIN b.companies y ON x.id = y.id`,
			`SELECT * FROM a.users x JOIN b.companies y ON x.id = y.id WHERE "x"."tenant_id" = $1 AND "y"."tenant_id" = $2`,
		},
		{
			`SELECT * FROM ONLY users`,
			`SELECT * FROM ONLY users WHERE "users"."tenant_id" = $1`,
		},
		{
			`SELECT * FROM countries AS c (a, b), users`,
			`SELECT * FROM countries AS c (a, b), users WHERE "users"."tenant_id" = $1`,
		},
		{
			`SELECT * FROM users u, users v`,
			`SELECT * FROM users u, users v WHERE "u"."tenant_id" = $1 AND "v"."tenant_id" = $1`,
		},
		{
			`SELECT * FROM users u JOIN orders o ON o.tenant_id = u.tenant_id`,
			`SELECT * FROM users u JOIN orders o ON o.tenant_id = u.tenant_id WHERE "u"."tenant_id" = $1`,
		},
		{
			`SELECT * FROM users u LEFT JOIN orders o ON o.tenant_id OPERATOR(pg_catalog.=) u.tenant_id`,
			`SELECT * FROM users u LEFT JOIN orders o ON o.tenant_id OPERATOR(pg_catalog.=) u.tenant_id WHERE "u"."tenant_id" = $1`,
		},
		{
			`SELECT * FROM users u JOIN orders o ON o.tenant_id OPERATOR(my.=) u.tenant_id`,
			`SELECT * FROM users u JOIN orders o ON o.tenant_id OPERATOR(my.=) u.tenant_id WHERE "u"."tenant_id" = $1 AND "o"."tenant_id" = $2`,
		},
		{
			`SELECT a AT TIME ZONE (SELECT tz FROM orders), a AT LOCAL, EXTRACT(year FROM (SELECT a FROM items)) FROM countries`,
			`SELECT a AT TIME ZONE (SELECT tz FROM orders WHERE "orders"."tenant_id" = $1), a AT LOCAL, EXTRACT(year FROM (SELECT a FROM items WHERE "items"."tenant_id" = $2)) FROM countries`,
		},
		{
			`SELECT * FROM generate_series(1, (SELECT max(id) FROM users)) WITH ORDINALITY AS g (n, o)`,
			`SELECT * FROM generate_series(1, (SELECT max(id) FROM users WHERE "users"."tenant_id" = $1)) WITH ORDINALITY AS g (n, o)`,
		},
		{`SELECT * FROM ROWS FROM (unnest(ARRAY[1]), json_to_recordset($1) AS (orders int, b text)) AS r`, asItIs},
		{
			`SELECT * FROM users u, unnest(u.tags) items, LATERAL jsonb_to_record(u.data) AS x (orders int)`,
			`SELECT * FROM users u, unnest(u.tags) items, LATERAL jsonb_to_record(u.data) AS x (orders int) WHERE "u"."tenant_id" = $1`,
		},
		{
			`SELECT * FROM JSON_TABLE((SELECT a FROM docs), '$[*]' COLUMNS (id FOR ORDINALITY, NESTED '$.b' COLUMNS (c int DEFAULT 1 ON EMPTY))) AS t`,
			`SELECT * FROM JSON_TABLE((SELECT a FROM docs WHERE "docs"."tenant_id" = $1), '$[*]' COLUMNS (id FOR ORDINALITY, NESTED '$.b' COLUMNS (c int DEFAULT 1 ON EMPTY))) AS t`,
		},
		{
			`SELECT * FROM XMLTABLE(XMLNAMESPACES('x' AS y), '/r' PASSING (SELECT x FROM docs) COLUMNS orders int PATH 'a' DEFAULT (SELECT 1 FROM items)) t`,
			`SELECT * FROM XMLTABLE(XMLNAMESPACES('x' AS y), '/r' PASSING (SELECT x FROM docs WHERE "docs"."tenant_id" = $1) COLUMNS orders int PATH 'a' DEFAULT (SELECT 1 FROM items WHERE "items"."tenant_id" = $2)) t`,
		},
		{
			`SELECT * FROM current_date d, users`,
			`SELECT * FROM current_date d, users WHERE "users"."tenant_id" = $1`,
		},
		{
			`SELECT * FROM user_tags ut JOIN users u ON ut.user_id = u.id JOIN tags t ON ut.tag_id = t.id`,
			`SELECT * FROM user_tags ut JOIN users u ON ut.user_id = u.id JOIN tags t ON ut.tag_id = t.id WHERE "u"."tenant_id" = $1 AND "t"."tenant_id" = $2`,
		},
	})
}

func TestQueries(t *testing.T) {
	t.Parallel()
	check(t, []proofCase{
		{
			`SELECT id FROM users UNION SELECT id FROM orders UNION SELECT id FROM items ORDER BY 1`,
			`SELECT id FROM users WHERE "users"."tenant_id" = $1 UNION SELECT id FROM orders WHERE "orders"."tenant_id" = $2 UNION SELECT id FROM items WHERE "items"."tenant_id" = $3 ORDER BY 1`,
		},
		{
			`SELECT id FROM users UNION ALL (SELECT id FROM orders INTERSECT SELECT id FROM items) EXCEPT SELECT 1 LIMIT 2`,
			`SELECT id FROM users WHERE "users"."tenant_id" = $1 UNION ALL (SELECT id FROM orders WHERE "orders"."tenant_id" = $2 INTERSECT SELECT id FROM items WHERE "items"."tenant_id" = $3) EXCEPT SELECT 1 LIMIT 2`,
		},
		{
			`(SELECT id FROM users ORDER BY 1 LIMIT 1)`,
			`(SELECT id FROM users WHERE "users"."tenant_id" = $1 ORDER BY 1 LIMIT 1)`,
		},
		{
			`((SELECT id FROM users) UNION (TABLE countries))`,
			`((SELECT id FROM users WHERE "users"."tenant_id" = $1) UNION (TABLE countries))`,
		},
		{`TABLE countries`, asItIs},
		{
			`VALUES (1, (SELECT max(id) FROM users)), (2, 3)`,
			`VALUES (1, (SELECT max(id) FROM users WHERE "users"."tenant_id" = $1)), (2, 3)`,
		},
		{
			`WITH a AS (SELECT * FROM users), b AS (SELECT * FROM a JOIN orders USING (id)) SELECT * FROM b`,
			`WITH a AS (SELECT * FROM users WHERE "users"."tenant_id" = $1), b AS (SELECT * FROM a JOIN orders USING (id) WHERE "orders"."tenant_id" = $2) SELECT * FROM b`,
		},
		{
			`WITH users AS (SELECT * FROM users) SELECT * FROM users`,
			`WITH users AS (SELECT * FROM users WHERE "users"."tenant_id" = $1) SELECT * FROM users`,
		},
		{`WITH RECURSIVE users AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM users) SELECT * FROM users`, asItIs},
		{
			`WITH RECURSIVE a AS (SELECT * FROM b), b AS (SELECT * FROM users) SELECT * FROM a`,
			`WITH RECURSIVE a AS (SELECT * FROM b), b AS (SELECT * FROM users WHERE "users"."tenant_id" = $1) SELECT * FROM a`,
		},
		{
			`WITH a (orders, items) AS (SELECT id, name FROM users) SELECT orders FROM a`,
			`WITH a (orders, items) AS (SELECT id, name FROM users WHERE "users"."tenant_id" = $1) SELECT orders FROM a`,
		},
		{
			`WITH RECURSIVE t AS (SELECT id, manager_id FROM users UNION SELECT u.id, u.manager_id FROM users u JOIN t ON u.manager_id = t.id) CYCLE id SET c TO 'y' DEFAULT 'n' USING p SELECT * FROM t`,
			`WITH RECURSIVE t AS (SELECT id, manager_id FROM users WHERE "users"."tenant_id" = $1 UNION SELECT u.id, u.manager_id FROM users u JOIN t ON u.manager_id = t.id WHERE "u"."tenant_id" = $1) CYCLE id SET c TO 'y' DEFAULT 'n' USING p SELECT * FROM t`,
		},
		{
			`SELECT * FROM (WITH x AS (SELECT * FROM users) SELECT * FROM x) s`,
			`SELECT * FROM (WITH x AS (SELECT * FROM users WHERE "users"."tenant_id" = $1) SELECT * FROM x) s`,
		},
	})
}

func TestWrites(t *testing.T) {
	t.Parallel()
	check(t, []proofCase{
		{
			`WITH d AS (DELETE FROM orders WHERE id = $1 RETURNING *), u AS (UPDATE users SET age = 1 RETURNING id), i AS (INSERT INTO items (a) VALUES (1) RETURNING *) SELECT * FROM d, u, i`,
			`WITH d AS (DELETE FROM orders WHERE "orders"."tenant_id" = $2 AND (id = $1) RETURNING *), u AS (UPDATE users SET age = 1 WHERE "users"."tenant_id" = $3 RETURNING id), i AS (INSERT INTO items (a, "tenant_id") VALUES (1, $4) RETURNING *) SELECT * FROM d, u, i`,
		},
		{
			`WITH users AS (SELECT 1) DELETE FROM users`,
			`WITH users AS (SELECT 1) DELETE FROM users WHERE "users"."tenant_id" = $1`,
		},
		{
			`WITH users AS (SELECT 1 AS a) INSERT INTO users (a) SELECT a FROM users`,
			`WITH users AS (SELECT 1 AS a) INSERT INTO users (a, "tenant_id") SELECT a, $1 FROM users`,
		},
		{
			`INSERT INTO users (a, b) VALUES ($1, $2), (DEFAULT, (SELECT max(id) FROM orders))`,
			`INSERT INTO users (a, b, "tenant_id") VALUES ($1, $2, $3), (DEFAULT, (SELECT max(id) FROM orders WHERE "orders"."tenant_id" = $4), $3)`,
		},
		{
			`INSERT INTO users (a, tags[1], c.d) VALUES (1, 2, 3)`,
			`INSERT INTO users (a, tags[1], c.d, "tenant_id") VALUES (1, 2, 3, $1)`,
		},
		{
			`INSERT INTO users (orders) VALUES (1) ON CONFLICT (orders) DO NOTHING`,
			`INSERT INTO users (orders, "tenant_id") VALUES (1, $1) ON CONFLICT (orders) DO NOTHING`,
		},
		{
			`INSERT INTO users AS u (a) SELECT a FROM countries RETURNING u.id, (SELECT count(*) FROM orders)`,
			`INSERT INTO users AS u (a, "tenant_id") SELECT a, $1 FROM countries RETURNING u.id, (SELECT count(*) FROM orders WHERE "orders"."tenant_id" = $2)`,
		},
		{
			`INSERT INTO users (a) SELECT a FROM orders UNION SELECT b FROM items WHERE c`,
			`INSERT INTO users (a, "tenant_id") SELECT a, $1 FROM orders WHERE "orders"."tenant_id" = $2 UNION SELECT b, $1 FROM items WHERE "items"."tenant_id" = $3 AND (c)`,
		},
		{
			`INSERT INTO users (a) (SELECT a FROM orders LIMIT 1)`,
			`INSERT INTO users (a, "tenant_id") (SELECT a, $1 FROM orders WHERE "orders"."tenant_id" = $2 LIMIT 1)`,
		},
		{
			`INSERT INTO users (a, tenant_id) SELECT o.a, o.tenant_id FROM orders o`,
			`INSERT INTO users (a, tenant_id) SELECT o.a, o.tenant_id FROM orders o WHERE "o"."tenant_id" = $1`,
		},
		{`INSERT INTO users (a, tenant_id) VALUES (1, $1::text)`, asItIs},
		{`INSERT INTO countries VALUES (1, 2)`, asItIs},
		{`INSERT INTO countries DEFAULT VALUES`, asItIs},
		{
			`INSERT INTO users (a) OVERRIDING USER VALUE VALUES (1) ON CONFLICT (a, lower(b)) WHERE c DO UPDATE SET (a, b) = (SELECT 1, 2 FROM orders), d = EXCLUDED.d WHERE users.a > 1 RETURNING *`,
			`INSERT INTO users (a, "tenant_id") OVERRIDING USER VALUE VALUES (1, $1) ON CONFLICT (a, lower(b)) WHERE c DO UPDATE SET (a, b) = (SELECT 1, 2 FROM orders WHERE "orders"."tenant_id" = $2), d = EXCLUDED.d WHERE "users"."tenant_id" = $3 AND (users.a > 1) RETURNING *`,
		},
		{
			`INSERT INTO users (a) SELECT a FROM orders ON CONFLICT (a) DO UPDATE SET a = 1 WHERE users.b`,
			`INSERT INTO users (a, "tenant_id") SELECT a, $1 FROM orders WHERE "orders"."tenant_id" = $2 ON CONFLICT (a) DO UPDATE SET a = 1 WHERE "users"."tenant_id" = $3 AND (users.b)`,
		},
		{
			`INSERT INTO users (a, tenant_id) VALUES (1, $1) ON CONFLICT ON CONSTRAINT k DO UPDATE SET a = excluded.a, tenant_id = excluded.tenant_id`,
			`INSERT INTO users (a, tenant_id) VALUES (1, $1) ON CONFLICT ON CONSTRAINT k DO UPDATE SET a = excluded.a, tenant_id = excluded.tenant_id WHERE "users"."tenant_id" = $2`,
		},
		{
			`UPDATE users SET a = 1 FROM companies c LEFT JOIN orders o ON o.id = c.id WHERE c.id = users.id RETURNING WITH (OLD AS o1) o1.a, (SELECT 1 FROM items)`,
			`UPDATE users SET a = 1 FROM companies c LEFT JOIN orders o ON "o"."tenant_id" = $1 AND (o.id = c.id) WHERE "users"."tenant_id" = $2 AND "c"."tenant_id" = $3 AND (c.id = users.id) RETURNING WITH (OLD AS o1) o1.a, (SELECT 1 FROM items WHERE "items"."tenant_id" = $4)`,
		},
		{
			`UPDATE users AS u SET (a, b) = ($1, (SELECT 1 FROM orders)), c[(SELECT 1 FROM items)] = 2`,
			`UPDATE users AS u SET (a, b) = ($1, (SELECT 1 FROM orders WHERE "orders"."tenant_id" = $2)), c[(SELECT 1 FROM items WHERE "items"."tenant_id" = $3)] = 2 WHERE "u"."tenant_id" = $4`,
		},
		{
			`UPDATE users SET a = DEFAULT, b = (SELECT c FROM companies WHERE companies.id = users.company_id)`,
			`UPDATE users SET a = DEFAULT, b = (SELECT c FROM companies WHERE "companies"."tenant_id" = $1 AND (companies.id = users.company_id)) WHERE "users"."tenant_id" = $2`,
		},
		{
			`UPDATE users SET tenant_id = $1 WHERE id = $2`,
			`UPDATE users SET tenant_id = $1 WHERE "users"."tenant_id" = $3 AND (id = $2)`,
		},
		{
			`DELETE FROM users USING companies c, LATERAL (SELECT 1 FROM orders) x WHERE a OR b`,
			`DELETE FROM users USING companies c, LATERAL (SELECT 1 FROM orders WHERE "orders"."tenant_id" = $1) x WHERE "users"."tenant_id" = $2 AND "c"."tenant_id" = $3 AND (a OR b)`,
		},
		{
			`DELETE FROM users u`,
			`DELETE FROM users u WHERE "u"."tenant_id" = $1`,
		},
		{
			`DELETE FROM public.users WHERE id = $1 RETURNING *`,
			`DELETE FROM public.users WHERE "users"."tenant_id" = $2 AND (id = $1) RETURNING *`,
		},
	})
}
