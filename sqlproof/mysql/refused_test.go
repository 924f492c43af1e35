package mysql

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/sqlproof"
	"github.com/gormtenancy/tenancy/sqlproof/internal/prooftest"
)

func TestRefused(t *testing.T) {
	t.Parallel()
	prooftest.Refused(t, New(), tables(), []proofCase{
		{`DELETE FROM users RETURNING (SELECT id FROM orders)`, `it is no single statement of MySQL's`},
		{`INSERT INTO countries (id) VALUES (?) RETURNING LOWER(id)`, `it is no single statement of MySQL's`},
		{`SELECT * FROM nowhere`, `table nowhere is in none of Config.Models, Global and Reference`},
		{`SELECT * FROM users u, users u`, `table users: another source goes by the same name`},
		{`TABLE users`, `table users: its query has no place for a condition`},
		{`SELECT * FROM companies WHERE id IN (TABLE users)`, `table users: its query has no place for a condition`},
		{`SELECT * FROM users NATURAL LEFT JOIN orders USE INDEX (a)`, `table orders: its condition has no place, in an outer join without ON`},
		{`SELECT * FROM users USE INDEX (orders)`, `the name orders, which is a tenant's table, stands where no table was expected`},
		{`SELECT * FROM users AS OF TIMESTAMP NOW()`, `what stands behind the table is not understood`},
		{`SELECT * FROM users TABLESAMPLE SYSTEM (10)`, `what stands behind the table is not understood`},
		{`SELECT * FROM users FULL JOIN orders ON users.tenant_id = ?`, `FULL JOIN, of which MySQL makes a table by the name of FULL`},
		{`SELECT * FROM users FULL OUTER JOIN orders ON 1 = 1`, `it is no single statement of MySQL's`},
		{`SELECT * FROM { OJ users LEFT JOIN orders ON 1 = 1 }`, `an escape of ODBC's, {…}`},
		{`SELECT * FROM orders JOIN (users u LEFT JOIN items i ON i.id = u.id) JOIN companies c ON c.id = u.id`, `JOIN without ON before a join in parentheses is not understood`},
		{`SELECT * FROM (SELECT 1) z JOIN (users u RIGHT JOIN items i ON i.id = u.id) JOIN companies c ON c.id = u.id`, `JOIN without ON before a join in parentheses is not understood`},
		{`SELECT * FROM users WHERE 1 = 1 /*T![auto_rand] AND tenant_id = 'x' */`, `a comment that is code for some databases`},
		{`SELECT * FROM users /*!50000 , companies */`, `the text cannot be read for certain: comment that is code`},
		{`SELECT * FROM users /*M!100000 , companies */`, `the text cannot be read for certain: comment that is code`},
		{`SELECT @a := 1 FROM users`, `the text cannot be read for certain: variables, which outlive the statement on its connection`},
		{"SELECT * FROM users WHERE name = 'a\\' OR tenant_id = 2 -- '", `the text cannot be read for certain: backslash before a quote`},
		{`SELECT id INTO OUTFILE 'x' FROM users`, `SELECT … INTO`},
		{`SELECT * FROM users INTO DUMPFILE 'x'`, `SELECT … INTO`},
		{`SELECT NEXTVAL(users)`, `a part of the expression is not understood`},
		{`SELECT NEXT VALUE FOR users`, `a part of the expression is not understood`},
		{`SELECT LOAD_FILE('x')`, `"LOAD_FILE" reads what its argument names`},
		{`SELECT * FROM "users"`, `it is no single statement of MySQL's`},
		{`SELECT * FROM a.b.users`, `it is no single statement of MySQL's`},
		{`SELECT * FROM users PROCEDURE ANALYSE()`, `it is no single statement of MySQL's`},
		{`SELECT * FROM users FOR SYSTEM_TIME ALL`, `it is no single statement of MySQL's`},
		{`WITH a AS (SELECT 1) (WITH countries AS (SELECT * FROM users) SELECT * FROM countries)`, `one of the queries is not understood`},
		{`WITH a AS (SELECT 1) (WITH countries AS (TABLE users) SELECT * FROM countries)`, `one of the queries is not understood`},
		{`WITH Orders AS (SELECT 1 AS id) SELECT * FROM orders`, `table orders goes by the name of a common table expression, but for its case`},
		{`WITH uſers AS (SELECT * FROM countries) SELECT * FROM users`, `table users goes by the name of a common table expression, but for its case`},
		{`WITH RECURSIVE x AS (SELECT 1 FROM users), users AS (SELECT 2) SELECT * FROM x`, `table users goes by the name of a common table expression that comes further on in WITH RECURSIVE`},
		{`WITH x AS (SELECT 1) INSERT INTO users (id) SELECT 1 FROM x`, `it is no single statement of MySQL's`},
		{`INSERT INTO users VALUES (1, 'a')`, `table users: an INSERT without the names of its columns`},
		{`INSERT INTO users () VALUES ()`, `table users: an INSERT without the names of its columns`},
		{`INSERT INTO users SET id = 1`, `table users: the tenant cannot be added to its rows`},
		{`INSERT IGNORE INTO users (id) VALUES (1)`, `table users: IGNORE cuts values to fit, and the tenant's with them`},
		{`INSERT INTO users (id, tenant_id) VALUES (1, LOWER(?))`, `table users: column tenant_id is to hold another tenant, or SQL that could be one`},
		{`INSERT INTO users (id, tenant_id) VALUES (1, DEFAULT)`, `table users: column tenant_id is to hold another tenant, or SQL that could be one`},
		{`INSERT INTO users (id, tenant_id) VALUES (1, "x")`, `table users: column tenant_id is to hold another tenant, or SQL that could be one`},
		{`INSERT INTO users (id, tenant_id, TENANT_ID) VALUES (1, ?, ?)`, `table users: column tenant_id is given twice`},
		{`INSERT INTO users (id, tenant_id) TABLE companies`, `table users: column tenant_id is to hold another tenant, or SQL that could be one`},
		{`INSERT INTO users (id) VALUES ROW(1), ROW(2)`, `table users: the tenant cannot be added to the query that its rows come from`},
		{`INSERT INTO users (id, name) VALUES (?, ?) AS new(i, n) ON DUPLICATE KEY UPDATE name = new.n`, `the tenant's condition could not be added: the text with it would mean something else`},
		{`INSERT INTO users (id, tenant_id, name) VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE tenant_id = VALUES(name)`, `table users: column tenant_id is to hold another tenant, or SQL that could be one`},
		{`INSERT INTO users (id, tenant_id) SELECT 1, ? FROM (SELECT 'b' AS tenant_id) AS excluded ON DUPLICATE KEY UPDATE tenant_id = excluded.tenant_id`, `table users: column tenant_id is to hold another tenant, or SQL that could be one`},
		{`INSERT INTO users (id, tenant_id) SELECT 1, ? FROM (SELECT 'b' AS tenant_id) AS Users ON DUPLICATE KEY UPDATE tenant_id = Users.tenant_id`, `table users: column tenant_id is to hold another tenant, or SQL that could be one`},
		{`INSERT INTO users (id) VALUES (?) ON CONFLICT (id) DO NOTHING`, `it is no single statement of MySQL's`},
		{`UPDATE users SET tenant_id = CONCAT(?, 'x')`, `table users: column tenant_id is to hold another tenant, or SQL that could be one`},
		{`UPDATE users u JOIN orders o ON o.user_id = u.id SET u.tenant_id = o.tenant_id`, `table users: column tenant_id is to hold another tenant, or SQL that could be one`},
		{`UPDATE users u JOIN orders o ON o.user_id = u.id SET tenant_id = o.tenant_id`, `table users: column tenant_id is to hold another tenant, or SQL that could be one`},
		{`UPDATE IGNORE users SET tenant_id = ?`, `table users: IGNORE cuts values to fit, and the tenant's with them`},
		{`UPDATE users u JOIN orders o ON o.user_id = u.id SET x.name = 1`, `the table whose column name is assigned is not understood`},
		{`WITH x AS (SELECT 1 AS id) UPDATE users u, x SET id = 2`, `table x is in none of Config.Models, Global and Reference`},
		{`UPDATE users u RIGHT JOIN orders o USING (id) SET u.name = 1`, `table users: its condition has no place, in an outer join without ON`},
		{`DELETE x FROM users u JOIN orders o ON o.user_id = u.id`, `table x, which is to be deleted from and not in FROM, is not understood`},
		{`DELETE HISTORY FROM users`, `table HISTORY, which is to be deleted from and not in FROM, is not understood`},
		{`BATCH ON id LIMIT 10 DELETE FROM users`, `it is neither SELECT, INSERT, REPLACE, UPDATE nor DELETE`},
		{`HANDLER users OPEN`, `it is neither SELECT, INSERT, REPLACE, UPDATE nor DELETE`},
		{`LOAD DATA INFILE 'x.txt' INTO TABLE users`, `it is neither SELECT, INSERT, REPLACE, UPDATE nor DELETE`},
		{`DO (SELECT count(*) FROM users)`, `it is neither SELECT, INSERT, REPLACE, UPDATE nor DELETE`},
		{`SET a = (SELECT name FROM users)`, `it is neither SELECT, INSERT, REPLACE, UPDATE nor DELETE`},
		{`EXPLAIN DELETE FROM users`, `it is neither SELECT, INSERT, REPLACE, UPDATE nor DELETE`},
		{`SHOW CREATE TABLE users`, `it is neither SELECT, INSERT, REPLACE, UPDATE nor DELETE`},
		{`TRUNCATE TABLE users`, `it is neither SELECT, INSERT, REPLACE, UPDATE nor DELETE`},
		{`LOCK TABLES users READ`, `it is neither SELECT, INSERT, REPLACE, UPDATE nor DELETE`},
		{`CALL p(?)`, `it is neither SELECT, INSERT, REPLACE, UPDATE nor DELETE`},
		{`PREPARE s FROM 'SELECT * FROM users'`, `it is neither SELECT, INSERT, REPLACE, UPDATE nor DELETE`},
		{`CREATE TABLE t2 AS SELECT * FROM users`, `it is neither SELECT, INSERT, REPLACE, UPDATE nor DELETE`},
		{`SELECT 1; DELETE FROM users`, `the text cannot be read for certain: more than one statement: ";" can only stand at the end`},
		{`SELECT * FROM users WHERE id = ? garbage here`, `it is no single statement of MySQL's`},
	})
}

// TestPlaces is about where a refusal says that it is.
func TestPlaces(t *testing.T) {
	t.Parallel()
	for sql, want := range map[string][2]int{
		"SELECT a\nFROM b\nWHERE c = = d":   {3, 11},
		"SELECT * FROM \"users\"":           {1, 15},
		"SELECT 'x'\n  , LOAD_FILE('x')":    {2, 5},
		"UPDATE a SET b = {d '2020-01-01'}": {1, 18},
	} {
		_, err := New().Analyze(sql)
		var r *sqlproof.Refusal
		require.ErrorAs(t, err, &r, sql)
		assert.Equal(t, want, [2]int{r.Line, r.Column}, sql)
	}
}

// TestDeep has texts that would take more stack than there is, or more time than anybody has.
func TestDeep(t *testing.T) {
	t.Parallel()
	p := sqlproof.NewProver(New(), tables(), 1)
	for _, c := range []struct{ what, sql, why string }{
		{"CASE", "SELECT " + strings.Repeat("CASE ", 200_000), "too many CASE"},
		{"JOIN", "SELECT 1 FROM countries" + strings.Repeat(" JOIN countries", 60_000), "too many JOIN"},
		{"STRAIGHT_JOIN", "SELECT 1 FROM countries" + strings.Repeat(" straight_join countries", 2000), "too many STRAIGHT_JOIN"},
		{"commas", "SELECT 1 FROM countries" + strings.Repeat(", countries", 60_000), "a FROM with that many tables"},
		{"INTERVAL", "SELECT " + strings.Repeat("a + INTERVAL ", 60), "too many INTERVAL"},
		{"INTERVAL()", "SELECT " + strings.Repeat("INTERVAL(1, ", 60) + "1" + strings.Repeat(")", 60), "too many INTERVAL"},
		{"JSON_VALUE", "SELECT " + strings.Repeat("JSON_VALUE(", 60) + "a" + strings.Repeat(", '$')", 60), "too many JSON_VALUE"},
		{"literals", "SELECT" + strings.Repeat(" 'a'", 200_000), "too many strings in a row"},
		{"quoted literals", "SELECT" + strings.Repeat(` "a"`, 200_000), "too many strings in a row"},
		{"parentheses", "SELECT " + strings.Repeat("f(", 100) + strings.Repeat(")", 100), "more than 64 parentheses"},
		{"signs", "SELECT " + strings.Repeat("-+", 5000) + "a", "an expression that deep"},
		{"NOT", "SELECT " + strings.Repeat("NOT ", 10_000) + "a", "an expression that deep"},
		{"sums", "SELECT a" + strings.Repeat("+a", 500_000), "an expression that deep"},
		{"BETWEEN", "SELECT a" + strings.Repeat(" BETWEEN 1 AND a", 50_000), "an expression that deep"},
		{"a chain of AND", "SELECT 1" + strings.Repeat(" AND 1", 170_000), "a condition that long"},
		{"some OR", "SELECT 1 FROM users WHERE a" + strings.Repeat(" OR a", 10_000), ""},
		{"some UNION", "SELECT 1" + strings.Repeat(" UNION SELECT 1", 2000), ""},
		{"some INTERVAL", "SELECT a" + strings.Repeat(" + INTERVAL ? DAY", 1000), ""},
		{"some JSON_VALUE", "SELECT 1" + strings.Repeat(", JSON_VALUE(a, JSON_VALUE(b, '$'))", 1000), ""},
		{"a list", "SELECT a IN (?" + strings.Repeat(", ?", 10_000) + ")", ""},
		{"rows", "INSERT INTO users (id) VALUES (?)" + strings.Repeat(", ('x')", 10_000), ""},
	} {
		t.Run(c.what, func(t *testing.T) {
			plan := p.ProveStrictly(c.sql)
			if c.why == "" {
				require.Nil(t, plan.Refusal)
				return
			}
			require.NotNil(t, plan.Refusal)
			assert.Contains(t, plan.Refusal.Error(), c.why)
		})
	}
}
