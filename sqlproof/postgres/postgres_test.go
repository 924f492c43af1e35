package postgres

import (
	"flag"
	"reflect"
	"strings"
	"testing"

	"github.com/sqlc-dev/oliphant/ast"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/sqlproof"
	"github.com/gormtenancy/tenancy/sqlproof/internal/prooftest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// asItIs is what a statement is to become that nothing is added to.
const asItIs = prooftest.AsItIs

// tables are what the tests know of tables.
func tables() prooftest.Tables { return prooftest.CorpusTables() }

// proofCase is a text and what becomes of it if nothing in it is trusted.
type proofCase = prooftest.Case

func check(t *testing.T, cases []proofCase) {
	t.Helper()
	prooftest.Sent(t, New(), tables(), cases, func(t *testing.T, sql string) {
		t.Helper()
		readsAllTables(t, sql)
	})
}

func TestRefused(t *testing.T) {
	t.Parallel()
	prooftest.Refused(t, New(), tables(), []proofCase{
		{`SELECT FROM (users JOIN companies ON true)`, `no place for a condition`},
		{`SELECT * FROM ONLY (users) u FULL JOIN companies c ON true`, `in a FULL JOIN`},
		{`SELECT * FROM users TABLESAMPLE SYSTEM (10) FULL JOIN companies c ON true`, `in a FULL JOIN`},
		{`SELECT * FROM users AS u (a, b)`, `other names`},
		{`SELECT * FROM users u JOIN users u ON true`, `same name`},
		{`TABLE users`, `no place for a condition`},
		{`WITH a AS (SELECT * FROM b), b AS (SELECT * FROM users) SELECT * FROM a`, `table b is in none`},
		{`SELECT * FROM public.x, (WITH x AS (SELECT 1) SELECT 1) s`, `table x is in none`},
		{`WITH m AS (MERGE INTO users u USING companies c ON true WHEN MATCHED THEN DELETE RETURNING *) SELECT * FROM m`, `a query that is neither SELECT, INSERT, UPDATE nor DELETE`},
		{`SELECT sum(a) OVER orders FROM users WINDOW orders AS (PARTITION BY b)`, `the name orders`},
		{`INSERT INTO users (a) (VALUES (1))`, `cannot be added to its rows`},
		{`INSERT INTO users (a) VALUES (1) ORDER BY 1`, `cannot be added to the query`},
		{`INSERT INTO users (a) VALUES ((x).*, 1)`, `a * in VALUES is not understood`},
		{`INSERT INTO users (a, tenant_id) SELECT (x).*, tenant_id FROM orders x`, `column tenant_id is to hold another tenant`},
		{`INSERT INTO users (a, tenant_id) VALUES (1, $1::varchar(3))`, `column tenant_id is to hold another tenant`},
		{`INSERT INTO users (a, tenant_id) VALUES (1, lower($1))`, `column tenant_id is to hold another tenant`},
		{`INSERT INTO users (a, tenant_id) VALUES (1, DEFAULT)`, `column tenant_id is to hold another tenant`},
		{`INSERT INTO users DEFAULT VALUES`, `without the names of its columns`},
		{`INSERT INTO users VALUES (1, 2)`, `without the names of its columns`},
		{`UPDATE users SET (a, tenant_id) = (1, $1)`, `column tenant_id is to hold another tenant`},
		{`UPDATE users SET a = 1 WHERE CURRENT OF c`, `WHERE CURRENT OF a cursor is not understood`},
		{`UPDATE ONLY (users) SET a = 1`, `no place for a condition`},
		{`SELECT * INTO x FROM users`, `SELECT INTO makes a table`},
		{`SELECT pg_read_file('x')`, `"PG_READ_FILE" reads what its argument names`},
		{`SELECT d.pg_read_file FROM unnest($1) d`, `the column pg_read_file could be a function: "PG_READ_FILE" reads what its argument names`},
		{`SELECT ('x'::text).ts_stat`, `the column ts_stat could be a function: "TS_STAT" reads what its argument names`},
		{`SELECT * FROM my.unnest(1)`, `a function in FROM with a schema is not understood`},
		{`SELECT * FROM my_function(1)`, `the function my_function in FROM may read any table`},
		{`SELECT * FROM query_to_xml('SELECT 1', true, true, '')`, `"QUERY_TO_XML" reads what its argument names`},
		{`SELECT pg_catalog.query_to_xml('SELECT 1', true, true, '')`, `"QUERY_TO_XML" reads what its argument names`},
		{`SELECT a.b.c.d FROM users`, `a column of a table of another database`},
		{`SELECT * FROM a.b.users`, `a table of another database`},
		{`SELECT * FROM users; SELECT 1`, `more than one statement`},
		{`MERGE INTO users u USING companies c ON true WHEN MATCHED THEN DELETE`, `it is neither SELECT, INSERT, UPDATE nor DELETE`},
		{`COPY users TO STDOUT`, `it is neither SELECT, INSERT, UPDATE nor DELETE`},
		{`EXPLAIN SELECT * FROM users`, `it is neither SELECT, INSERT, UPDATE nor DELETE`},
		{`DO $$ BEGIN DELETE FROM users; END $$`, `it is neither SELECT, INSERT, UPDATE nor DELETE`},
		{`CREATE VIEW v AS SELECT * FROM users`, `it is neither SELECT, INSERT, UPDATE nor DELETE`},
		{`LOCK TABLE users`, `it is neither SELECT, INSERT, UPDATE nor DELETE`},
		{`TRUNCATE users`, `it is neither SELECT, INSERT, UPDATE nor DELETE`},
		{`SELECT * FROM users WHERE a = ?`, `it is no single statement of PostgreSQL's`},
		{`SELECT * FROM nowhere`, `table nowhere is in none`},
		{`SELECT merge_action() FROM users`, `a part of an expression`},
		{`SELECT ((u.a)).b FROM users u WHERE (u).lo_import`, `the column lo_import could be a function`},
		{`SELECT count(*) FROM users u, LATERAL my_function(u.id) f`, `the function my_function in FROM`},
		{`SELECT * FROM ROWS FROM (unnest($1), my_function(1)) r`, `the function my_function in FROM`},
		{`SELECT set_config('search_path', 'x', false)`, `"SET_CONFIG" changes the session`},
		{`SELECT * FROM users WHERE id IN (TABLE orders)`, `no place for a condition`},
		{`INSERT INTO users (a) TABLE orders`, `the tenant cannot be added`},
		{`INSERT INTO a.b.users (a) VALUES (1)`, `a table of another database`},
		{`INSERT INTO users (tenant_id[1]) VALUES ($1) ON CONFLICT DO NOTHING RETURNING x.y.z.w`, `a column of a table of another database`},
		{`UPDATE users SET tenant_id = lower($1)`, `column tenant_id is to hold another tenant`},
		{`UPDATE users SET tenant_id[1] = $1`, `column tenant_id is to hold another tenant`},
		{`SELECT * FROM U&"\0075sers"`, `Unicode escapes`},
		{`SELECT $0`, `$0 is no placeholder`},
		{`SELECT 1 FROM users orders, orders users, generate_series(1, 2) items docs`, `no single statement`},
		{`EXECUTE p`, `it is neither SELECT, INSERT, UPDATE nor DELETE`},
		{`SET search_path = x`, `it is neither SELECT, INSERT, UPDATE nor DELETE`},
		{`-- nothing`, `there is no statement`},
		{`;`, `there is no statement`},
	})
}

// TestDeep has texts that would take more stack than there is, or could.
func TestDeep(t *testing.T) {
	t.Parallel()
	p := sqlproof.NewProver(New(), tables(), 1)
	for _, c := range []struct{ what, sql, why string }{
		{"brackets", "SELECT " + strings.Repeat("a[", 500_000), "more than 64 brackets"},
		{"arrays", "SELECT ARRAY" + strings.Repeat("[", 1000) + strings.Repeat("]", 1000), "more than 64 brackets"},
		{"parentheses", "SELECT " + strings.Repeat("f(", 100) + strings.Repeat(")", 100), "more than 64 parentheses"},
		{"signs", "SELECT " + strings.Repeat("- ", 10_000) + "a", "nested more than 1000 times"},
		{"NOT", "SELECT " + strings.Repeat("NOT ", 10_000) + "a", "nested more than 1000 times"},
		{"sums", "SELECT a" + strings.Repeat(" + a", 10_000), "nested more than 1000 times"},
		{"CASE", "SELECT " + strings.Repeat("CASE WHEN a THEN ", 2000) + "1" + strings.Repeat(" END", 2000), "nested more than 1000 times"},
		{"joins", "SELECT 1 FROM countries" + strings.Repeat(" CROSS JOIN countries", 2000), "nested more than 1000 times"},
		{"set operations", "SELECT 1" + strings.Repeat(" UNION SELECT 1 EXCEPT SELECT 2", 2000), "nested more than 1000 times"},
		{"a chain of UNION", "SELECT 1" + strings.Repeat(" UNION SELECT 1", 2000), ""},
		{"a chain of AND", "SELECT true" + strings.Repeat(" AND a", 10_000), ""},
		{"a list", "SELECT a IN ($1" + strings.Repeat(", $2", 10_000) + ")", ""},
		{"an array", "SELECT a" + strings.Repeat("[1]", 5000), ""},
	} {
		t.Run(c.what, func(t *testing.T) {
			plan := p.Prove(c.sql)
			if c.why == "" {
				require.Nil(t, plan.Refusal)
				return
			}
			require.NotNil(t, plan.Refusal)
			assert.Contains(t, plan.Refusal.Error(), c.why)
		})
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
	there := map[string]int{}
	collect(reflect.ValueOf(st.Tree), there, map[any]bool{})
	assert.Equal(t, there, prooftest.Found(st), sql)
}

// collect counts the tables in a tree, of which parts can be shared; the names in a locking clause are none.
func collect(v reflect.Value, names map[string]int, seen map[any]bool) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() || seen[v.Interface()] {
			return
		}
		seen[v.Interface()] = true
		switch n := v.Interface().(type) {
		case *ast.RangeVar:
			names[n.Relname]++
		case *ast.LockingClause:
			return
		}
		collect(v.Elem(), names, seen)
	case reflect.Interface:
		if !v.IsNil() {
			collect(v.Elem(), names, seen)
		}
	case reflect.Slice:
		for i := range v.Len() {
			collect(v.Index(i), names, seen)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				collect(v.Field(i), names, seen)
			}
		}
	}
}
