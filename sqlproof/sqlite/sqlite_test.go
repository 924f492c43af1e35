package sqlite

import (
	"flag"
	"maps"
	"reflect"
	"regexp"
	"testing"

	"github.com/sqlc-dev/meyer/ast"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/sqlproof"
	"github.com/gormtenancy/tenancy/sqlproof/internal/prooftest"
)

var update = flag.Bool("update", false, "write the golden files anew")

func tables() prooftest.Tables { return prooftest.CorpusTables() }

// condition writes out T(alias), which stands in the cases for the condition on a table.
func condition(text string) string {
	return regexp.MustCompile(`T\((\w+)\)`).ReplaceAllString(text, "`$1`.`tenant_id` = ?")
}

func TestSent(t *testing.T) {
	t.Parallel()
	cases := []prooftest.Case{
		{`SELECT * FROM users`, `SELECT * FROM users WHERE T(users)`},
		{`SELECT * FROM users;`, `SELECT * FROM users WHERE T(users);`},
		{"SELECT * FROM users -- all\n", "SELECT * FROM users WHERE T(users) -- all\n"},
		{`SELECT * FROM users WHERE /* why */ a = 1 -- OR`, `SELECT * FROM users WHERE /* why */ T(users) AND (a = 1) -- OR`},
		{`SELECT * FROM users WHERE a = 1 OR b = 2`, `SELECT * FROM users WHERE T(users) AND (a = 1 OR b = 2)`},
		{`SELECT * FROM users WHERE tenant_id = 'x' OR 1 = 1`, `SELECT * FROM users WHERE T(users) AND (tenant_id = 'x' OR 1 = 1)`},
		{`SELECT * FROM "users" AS "u" GROUP BY a HAVING b ORDER BY c LIMIT 1`, `SELECT * FROM "users" AS "u" WHERE T(u) GROUP BY a HAVING b ORDER BY c LIMIT 1`},
		{`SELECT * FROM users u LEFT JOIN orders o ON o.a = u.a OR o.b`, `SELECT * FROM users u LEFT JOIN orders o ON T(o) AND (o.a = u.a OR o.b) WHERE T(u)`},
		{`SELECT * FROM users u LEFT JOIN orders o`, `SELECT * FROM users u LEFT JOIN (SELECT * FROM orders WHERE T(orders)) o WHERE T(u)`},
		{`SELECT * FROM users u LEFT JOIN orders o USING (a)`, `SELECT * FROM users u LEFT JOIN (SELECT * FROM orders WHERE T(orders)) o USING (a) WHERE T(u)`},
		{`SELECT * FROM users JOIN orders USING (a)`, `SELECT * FROM users JOIN orders USING (a) WHERE T(users) AND T(orders)`},
		{`SELECT * FROM users FULL JOIN countries c ON c.id = users.c`, "SELECT * FROM (SELECT * FROM users WHERE T(users)) AS `users` FULL JOIN countries c ON c.id = users.c"},
		{`SELECT * FROM users u RIGHT JOIN orders o ON o.a = u.a`, `SELECT * FROM users u RIGHT JOIN orders o ON T(u) AND (o.a = u.a) WHERE T(o)`},
		{`SELECT * FROM (users u JOIN orders o ON 1) AS j`, `SELECT * FROM ((SELECT * FROM users WHERE T(users)) u JOIN (SELECT * FROM orders WHERE T(orders)) o ON 1) AS j`},
		{`SELECT * FROM countries c LEFT JOIN (users u JOIN orders o ON o.a = u.a) ON u.c = c.id`, `SELECT * FROM countries c LEFT JOIN (users u JOIN orders o ON o.a = u.a) ON T(u) AND T(o) AND (u.c = c.id)`},
		{`SELECT * FROM countries c LEFT JOIN users u ON u.c = c.id LEFT JOIN orders o ON o.u = u.id`, `SELECT * FROM countries c LEFT JOIN users u ON T(u) AND (u.c = c.id) LEFT JOIN orders o ON T(o) AND (o.u = u.id)`},
		{`SELECT * FROM (users)`, `SELECT * FROM (users) WHERE T(users)`},
		{`SELECT * FROM users, orders`, `SELECT * FROM users, orders WHERE T(users) AND T(orders)`},
		{`SELECT (SELECT max(a) FROM orders) FROM users`, `SELECT (SELECT max(a) FROM orders WHERE T(orders)) FROM users WHERE T(users)`},
		{`SELECT * FROM users u WHERE EXISTS (SELECT 1 FROM orders o WHERE o.tenant_id = u.tenant_id)`, `SELECT * FROM users u WHERE T(u) AND (EXISTS (SELECT 1 FROM orders o WHERE o.tenant_id = u.tenant_id))`},
		{`SELECT * FROM users u WHERE EXISTS (SELECT 1 FROM orders o WHERE o.tenant_id = u.tenant_id OR 1)`, `SELECT * FROM users u WHERE T(u) AND (EXISTS (SELECT 1 FROM orders o WHERE T(o) AND (o.tenant_id = u.tenant_id OR 1)))`},
		{`SELECT * FROM users u JOIN orders o ON o.tenant_id = u.tenant_id`, `SELECT * FROM users u JOIN orders o ON o.tenant_id = u.tenant_id WHERE T(u)`},
		{`SELECT * FROM users u LEFT JOIN orders o ON o.tenant_id = u.tenant_id`, `SELECT * FROM users u LEFT JOIN orders o ON o.tenant_id = u.tenant_id WHERE T(u)`},
		{`SELECT * FROM users u RIGHT JOIN orders o ON o.tenant_id = u.tenant_id`, `SELECT * FROM users u RIGHT JOIN orders o ON T(u) AND (o.tenant_id = u.tenant_id) WHERE T(o)`},
		{`WITH users AS (SELECT 1) SELECT * FROM users`, prooftest.AsItIs},
		{`WITH x AS (SELECT * FROM users) SELECT * FROM x, x AS y`, `WITH x AS (SELECT * FROM users WHERE T(users)) SELECT * FROM x, x AS y`},
		{`WITH a AS (SELECT * FROM b), b AS (SELECT * FROM users) SELECT * FROM a`, `WITH a AS (SELECT * FROM b), b AS (SELECT * FROM users WHERE T(users)) SELECT * FROM a`},
		{`SELECT a FROM users UNION SELECT a FROM orders ORDER BY 1 LIMIT 2`, `SELECT a FROM users WHERE T(users) UNION SELECT a FROM orders WHERE T(orders) ORDER BY 1 LIMIT 2`},
		{`SELECT a IS DISTINCT FROM b, count(*) FILTER (WHERE a) OVER w FROM users WINDOW w AS (ORDER BY a)`, `SELECT a IS DISTINCT FROM b, count(*) FILTER (WHERE a) OVER w FROM users WHERE T(users) WINDOW w AS (ORDER BY a)`},
		{`SELECT * FROM users WHERE a BETWEEN 1 AND 2 AND CASE WHEN b THEN c END`, `SELECT * FROM users WHERE T(users) AND (a BETWEEN 1 AND 2 AND CASE WHEN b THEN c END)`},
		{`SELECT * FROM json_each((SELECT a FROM docs)) j, countries`, `SELECT * FROM json_each((SELECT a FROM docs WHERE T(docs))) j, countries`},
		{`SELECT count(*) orders FROM users "items"`, "SELECT count(*) orders FROM users \"items\" WHERE T(items)"},
		{`INSERT INTO users (a) VALUES (1), (2)`, "INSERT INTO users (a, `tenant_id`) VALUES (1, ?), (2, ?)"},
		{`INSERT INTO users (a) SELECT a FROM orders GROUP BY a ORDER BY 1`, "INSERT INTO users (a, `tenant_id`) SELECT a, ? FROM orders WHERE T(orders) GROUP BY a ORDER BY 1"},
		{`INSERT INTO users (a) SELECT 1`, "INSERT INTO users (a, `tenant_id`) SELECT 1, ?"},
		{`INSERT INTO users (a) SELECT 1 WHERE 1`, "INSERT INTO users (a, `tenant_id`) SELECT 1, ? WHERE 1"},
		{`INSERT INTO users (a) SELECT a FROM orders UNION SELECT a FROM countries`, "INSERT INTO users (a, `tenant_id`) SELECT a, ? FROM orders WHERE T(orders) UNION SELECT a, ? FROM countries"},
		{`INSERT INTO users (a, tenant_id) SELECT o.a, o.tenant_id FROM orders o`, `INSERT INTO users (a, tenant_id) SELECT o.a, o.tenant_id FROM orders o WHERE T(o)`},
		{`INSERT INTO users (a, tenant_id) VALUES (1, ?) ON CONFLICT (a) DO UPDATE SET b = 1 WHERE c OR d`, "INSERT INTO users (a, tenant_id) VALUES (1, ?) ON CONFLICT (a) DO UPDATE SET b = 1 WHERE T(users) AND (c OR d)"},
		{`INSERT INTO users (a, tenant_id) VALUES (1, ?) ON CONFLICT DO NOTHING`, prooftest.AsItIs},
		{`UPDATE users SET a = 1`, `UPDATE users SET a = 1 WHERE T(users)`},
		{`UPDATE users SET tenant_id = tenant_id, a = 1`, `UPDATE users SET tenant_id = tenant_id, a = 1 WHERE T(users)`},
		{`UPDATE users AS u SET a = o.a FROM orders o WHERE o.u = u.id OR 1 RETURNING *`, `UPDATE users AS u SET a = o.a FROM orders o WHERE T(u) AND T(o) AND (o.u = u.id OR 1) RETURNING *`},
		{`DELETE FROM users RETURNING (SELECT count(*) FROM orders)`, `DELETE FROM users WHERE T(users) RETURNING (SELECT count(*) FROM orders WHERE T(orders))`},
		{`WITH x AS (SELECT a FROM users) SELECT 1 WHERE 1 IN x`, `WITH x AS (SELECT a FROM users WHERE T(users)) SELECT 1 WHERE 1 IN x`},
		{`SELECT 1`, prooftest.AsItIs},
		{`SELECT * FROM countries WHERE tenant_id = 1`, prooftest.AsItIs},
		{`SELECT a FROM users WHERE b = 'it''s' AND c = "d" AND [e] = x'00' AND f LIKE 'a\%' ESCAPE '\'`, `SELECT a FROM users WHERE T(users) AND (b = 'it''s' AND c = "d" AND [e] = x'00' AND f LIKE 'a\%' ESCAPE '\')`},
	}
	for i := range cases {
		cases[i][1] = condition(cases[i][1])
	}
	prooftest.Sent(t, New(), tables(), cases, func(t *testing.T, sql string) {
		t.Helper()
		readsAllTables(t, sql)
	})
}

func TestRefused(t *testing.T) {
	t.Parallel()
	prooftest.Refused(t, New(), tables(), []prooftest.Case{
		{`SELECT * FROM strangers`, `table strangers is in none`},
		{`SELECT * FROM users u, orders u`, `same name`},
		{`SELECT (SELECT max(a) FROM orders, (users y)) FROM tags y`, `a table alone in parentheses`},
		{`SELECT * FROM orders LEFT JOIN ((SELECT 1) y) ON 1`, `a table alone in parentheses`},
		{`SELECT * FROM (users) FULL JOIN countries c ON 1`, `in a FULL JOIN`},
		{`SELECT * FROM users INDEXED BY i FULL JOIN countries c ON 1`, `in a FULL JOIN`},
		{`SELECT * FROM countries WHERE id IN users`, `IN with the name of a table`},
		{`SELECT * FROM pragma_table_info('users')`, `may read any table`},
		{`SELECT load_extension('x')`, `"LOAD_EXTENSION" reads what its argument names`},
		{`SELECT readfile('x') FROM users`, `"READFILE" reads`},
		{`SELECT * FROM users WHERE a = :a`, `named placeholders`},
		{`SELECT * FROM users WHERE a = ?1`, `numbered placeholders`},
		{`SELECT 1; SELECT 2`, `more than one statement`},
		{`PRAGMA user_version`, `it is neither SELECT, INSERT, UPDATE nor DELETE`},
		{`EXPLAIN SELECT 1`, `it is neither SELECT, INSERT, UPDATE nor DELETE`},
		{`ATTACH 'x' AS y`, `it is neither SELECT, INSERT, UPDATE nor DELETE`},
		{`INSERT INTO users DEFAULT VALUES`, `without the names of its columns`},
		{`INSERT INTO users VALUES (1)`, `without the names of its columns`},
		{`INSERT INTO users (a, tenant_id) VALUES (1, lower(?))`, `column tenant_id is to hold another tenant`},
		{`INSERT INTO users (tenant_id, a, TENANT_ID) VALUES (?, 1, ?)`, `column tenant_id is given twice`},
		{`INSERT INTO users (a, tenant_id) SELECT * FROM orders`, `column tenant_id is to hold another tenant`},
		{`INSERT INTO users (a, tenant_id) SELECT o.a, o.tenant_id FROM countries c LEFT JOIN orders o ON 1`, `column tenant_id is to hold another tenant`},
		{`INSERT INTO users (a) VALUES (1) UNION SELECT 2`, `the tenant cannot be added`},
		{`REPLACE INTO users (a) VALUES (1)`, `REPLACE deletes the rows`},
		{`UPDATE OR REPLACE users SET a = 1`, `REPLACE deletes the rows`},
		{`UPDATE users SET tenant_id = upper(tenant_id)`, `column tenant_id is to hold another tenant`},
		{`UPDATE users SET (a, tenant_id) = (1, ?)`, `column tenant_id is to hold another tenant`},
		{`UPDATE users SET "Tenant_ID" = NULL`, `column tenant_id is to hold another tenant`},
		{`UPDATE users SET tenant_id = o.tenant_id FROM orders o`, `column tenant_id is to hold another tenant`},
		{`INSERT INTO users (a, tenant_id) VALUES (1, ?) ON CONFLICT (a) DO UPDATE SET tenant_id = 'x' || a`, `column tenant_id is to hold another tenant`},
		{`INSERT INTO user_tags (user_id) VALUES (1, 2`, `unbalanced parenthesis`},
		{`SELECT * FROM users WHERE a = 'x`, `unterminated string`},
	})
}

// TestBound has texts that bind all their tables by themselves.
func TestBound(t *testing.T) {
	t.Parallel()
	for _, sql := range []string{
		`SELECT * FROM users WHERE tenant_id = ?`,
		`SELECT * FROM users WHERE ? = users.tenant_id AND (a OR b)`,
		`SELECT * FROM users WHERE tenant_id IN ('x')`,
		`SELECT * FROM users u WHERE (u."TENANT_ID" = ?)`,
		`SELECT * FROM users u JOIN orders o ON o.tenant_id = u.tenant_id AND u.tenant_id = ?`,
		`SELECT * FROM users u LEFT JOIN orders o ON o.tenant_id = ? WHERE u.tenant_id = ?`,
		`SELECT * FROM users u LEFT JOIN orders o ON 1 WHERE u.tenant_id = ? AND o.tenant_id = u.tenant_id`,
		`SELECT * FROM users u, orders o, items i WHERE i.tenant_id = o.tenant_id AND o.tenant_id = u.tenant_id AND u.tenant_id = ?`,
		`SELECT * FROM users u FULL JOIN orders o ON 1 WHERE u.tenant_id = ? AND o.tenant_id = ?`,
		`UPDATE users SET a = 1 WHERE tenant_id = ?`,
		`DELETE FROM users WHERE tenant_id = ?`,
	} {
		plan := sqlproof.Fresh(New(), tables(), sql)
		require.Nil(t, plan.Refusal, sql)
		assert.False(t, plan.Rewritten(), "%s\n%s", sql, plan.SQL)
		assert.NotEmpty(t, plan.Checks, sql)
	}
	for _, sql := range []string{
		`SELECT * FROM users WHERE tenant_id = ? OR 1`,
		`SELECT * FROM users WHERE NOT (tenant_id = ?)`,
		`SELECT * FROM users WHERE tenant_id <> ?`,
		`SELECT * FROM users WHERE tenant_id = 7`,
		`SELECT * FROM users WHERE tenant_id = ? COLLATE NOCASE`,
		`SELECT * FROM users WHERE CASE WHEN 1 THEN tenant_id = ? END`,
		`SELECT * FROM users WHERE (tenant_id = ?) IS NOT NULL`,
		`SELECT tenant_id = ? FROM users`,
		`SELECT * FROM users GROUP BY a HAVING tenant_id = ?`,
		`SELECT * FROM users u LEFT JOIN orders o ON u.tenant_id = ? WHERE o.tenant_id = ?`,
		`SELECT * FROM users u LEFT JOIN orders o ON o.tenant_id = u.tenant_id`,
		`SELECT * FROM users u, orders o WHERE o.tenant_id = ?`,
		`SELECT * FROM users u WHERE EXISTS (SELECT 1 FROM orders o WHERE u.tenant_id = ?)`,
		`SELECT * FROM users u JOIN countries c ON c.tenant_id = ?`,
		`SELECT * FROM users u FULL JOIN orders o ON u.tenant_id = ? AND o.tenant_id = ?`,
		`SELECT * FROM users u JOIN orders o USING (tenant_id) WHERE tenant_id = ?`,
	} {
		plan := sqlproof.Fresh(New(), tables(), sql)
		require.Nil(t, plan.Refusal, sql)
		assert.True(t, plan.Rewritten(), sql)
	}
}

func TestConcurrent(t *testing.T) {
	t.Parallel()
	prooftest.Concurrent(t, New())
}

func TestCorpus(t *testing.T) {
	t.Parallel()
	prooftest.Golden(t, New(), tables(), *update, func(sql string) { readsAllTables(t, sql) })
}

// readsAllTables looks for tables everywhere in the parser's tree, whatever the nodes are, and compares them with those
// that the analyzer has found.
func readsAllTables(t testing.TB, sql string) {
	t.Helper()
	st, err := New().Analyze(sql)
	if err != nil {
		return
	}
	found, there := map[string]int{}, map[string]int{}
	for _, b := range st.Blocks {
		for _, s := range b.Sources {
			if s.Name != "" {
				found[s.Name]++
			}
		}
	}
	tree, ok := st.Tree.(ast.Node)
	require.True(t, ok)
	ast.Walk(tree, func(n ast.Node) bool {
		if in, ok := n.(*ast.InExpr); ok && in.Table != nil {
			there[in.Table.Name.Name]-- // a common table expression's, which is no source
		}
		if q, ok := n.(*ast.QualifiedName); ok && !reflect.ValueOf(q).IsNil() {
			there[q.Name.Name]++
		}
		return true
	})
	maps.DeleteFunc(there, func(name string, n int) bool { return n == 0 || name == "" }) // no table goes by "", and a function may
	assert.Equal(t, there, found, sql)
}
