package mysql

import (
	"flag"
	"reflect"
	"testing"

	"github.com/sqlc-dev/marino/ast"
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

// TestBinds has conditions that bind a table by themselves, if their values are the tenant's.
func TestBinds(t *testing.T) {
	t.Parallel()
	p := sqlproof.NewProver(New(), tables(), 0)
	for _, sql := range []string{
		"SELECT * FROM users WHERE a = 1 AND tenant_id = ?",
		"SELECT * FROM `users` u WHERE ((? = `u`.`TENANT_ID`)) && (a OR b)",
		"SELECT * FROM users WHERE tenant_id IN (?, 'x')",
		"SELECT * FROM users WHERE tenant_id = 'it''s'",
		"SELECT * FROM db.users WHERE db.users.tenant_id = ? HAVING a XOR b",
		"SELECT * FROM users u JOIN orders o ON o.tenant_id = u.tenant_id AND u.tenant_id = ?",
		"SELECT * FROM users u LEFT JOIN orders o ON o.tenant_id = u.tenant_id WHERE u.tenant_id = ?",
		"SELECT * FROM users u WHERE u.tenant_id = ? AND EXISTS (SELECT 1 FROM orders WHERE orders.tenant_id = u.tenant_id)",
		"SELECT * FROM users u JOIN LATERAL (SELECT * FROM orders WHERE orders.tenant_id = u.tenant_id) o WHERE u.tenant_id = ?",
		"SELECT * FROM user_tags t JOIN users u ON u.id = t.user_id JOIN tags g ON g.id = t.tag_id WHERE u.tenant_id = ? AND g.tenant_id = ?",
		"INSERT INTO users (id, tenant_id) VALUES (1, ?), (2, 'x')",
		"INSERT INTO users (id, tenant_id) SELECT id, tenant_id FROM orders WHERE tenant_id = ? UNION SELECT 1, ?",
		"INSERT INTO `users` (`id`,`tenant_id`,`name`) VALUES (?,?,?) ON DUPLICATE KEY UPDATE `name`=IF(`users`.`tenant_id` = ?,VALUES(`name`),`users`.`name`),`tenant_id`=`tenant_id`",
		"INSERT INTO users SET id = 1, tenant_id = ?",
		"REPLACE INTO users (id, tenant_id) VALUES (1, ?)",
		"UPDATE users u, orders o SET u.a = o.a, u.tenant_id = u.tenant_id WHERE u.id = o.id AND u.tenant_id = ? AND o.tenant_id = u.tenant_id",
		"UPDATE users SET tenant_id = ? WHERE tenant_id = ?",
		"DELETE u FROM users u JOIN orders o ON o.tenant_id = u.tenant_id AND o.tenant_id = ?",
	} {
		plan := p.Prove(sql)
		if assert.Nil(t, plan.Refusal, sql) && assert.False(t, plan.Rewritten(), plan.SQL) {
			assert.NotEmpty(t, plan.Checks, sql)
		}
	}
}

// TestBindsNot has conditions that look as if they did.
func TestBindsNot(t *testing.T) {
	t.Parallel()
	p := sqlproof.NewProver(New(), tables(), 0)
	for _, sql := range []string{
		`SELECT * FROM users WHERE tenant_id = "x"`,    // a column, with ANSI_QUOTES
		`SELECT * FROM users WHERE tenant_id = 'x '`,   // 'x' too, with PAD SPACE
		`SELECT * FROM users WHERE tenant_id = 'a\\b'`, // with NO_BACKSLASH_ESCAPES another
		`SELECT * FROM users WHERE tenant_id = 'x' 'y'`,
		`SELECT * FROM users WHERE tenant_id = 'x' "y"`,
		`SELECT * FROM users WHERE tenant_id = N'x'`,
		`SELECT * FROM users WHERE tenant_id = _latin1'x'`,
		`SELECT * FROM users WHERE tenant_id = 'x' COLLATE utf8mb4_bin`,
		`SELECT * FROM users WHERE tenant_id = ? COLLATE utf8mb4_bin`,
		`SELECT * FROM users WHERE tenant_id = 5`,
		`SELECT * FROM users WHERE tenant_id = 0x78`,
		`SELECT * FROM users WHERE tenant_id = TRUE`,
		`SELECT * FROM users WHERE tenant_id = DATE '2020-01-01'`,
		`SELECT * FROM users WHERE BINARY tenant_id = ?`,
		`SELECT * FROM users WHERE tenant_id <=> ?`,
		`SELECT * FROM users WHERE tenant_id LIKE ?`,
		`SELECT * FROM users WHERE tenant_id = ? IS TRUE`,
		`SELECT * FROM users WHERE tenant_id = ? LIKE 'x'`,
		`SELECT * FROM users WHERE tenant_id = ? || a`,
		`SELECT * FROM users WHERE tenant_id = ? XOR a`,
		`SELECT * FROM users WHERE NOT tenant_id = ?`,
		`SELECT * FROM users WHERE ! (tenant_id = ?)`,
		`SELECT * FROM users WHERE a BETWEEN 1 AND tenant_id = ?`,
		`SELECT * FROM users WHERE tenant_id NOT IN (?)`,
		`SELECT * FROM users WHERE tenant_id = ANY (SELECT ?)`,
		`SELECT * FROM users HAVING tenant_id = ?`,
		`SELECT * FROM users u JOIN users v ON v.tenant_id = ?`,
		`SELECT * FROM users LEFT JOIN countries ON users.tenant_id = ?`,
		`SELECT * FROM users WHERE Users.tenant_id = ?`,
		`SELECT * FROM orders AS Users WHERE Users.tenant_id = ? AND EXISTS (SELECT 1 FROM users WHERE Users.tenant_id = ?)`,
		`SELECT * FROM orders o JOIN LATERAL (SELECT * FROM users WHERE users.tenant_id = u.tenant_id) x JOIN users u WHERE o.tenant_id = ? AND u.tenant_id = ?`,
		`UPDATE users SET name = 'tenant_id = ?' ORDER BY tenant_id = ?`,
		`DELETE FROM users # WHERE tenant_id = ?`,
	} {
		plan := p.Prove(sql)
		if assert.Nil(t, plan.Refusal, sql) {
			assert.True(t, plan.Rewritten(), sql)
		}
	}
}

// TestNeeds is about what a plan needs that cannot be seen in the text.
func TestNeeds(t *testing.T) {
	t.Parallel()
	p := sqlproof.NewProver(New(), tables(), 0)
	for sql, want := range map[string]bool{
		"INSERT INTO users (id, tenant_id) VALUES (1, ?)":                                                            false,
		"INSERT INTO users (id, tenant_id) VALUES (1, ?) ON DUPLICATE KEY UPDATE id = id":                            false,
		"INSERT INTO users (id, tenant_id) VALUES (1, ?) ON DUPLICATE KEY UPDATE a = VALUES(a)":                      true,
		"INSERT INTO users (id, tenant_id) VALUES (1, ?) ON DUPLICATE KEY UPDATE a = IF(tenant_id = ?, 1, a)":        false,
		"INSERT INTO users (id, tenant_id) VALUES (1, ?) ON DUPLICATE KEY UPDATE a = IF(tenant_id = ?, 1, b)":        true,
		"INSERT INTO users (id, tenant_id) VALUES (1, ?) ON DUPLICATE KEY UPDATE a = IF(tenant_id = ?, 1, a), b = 1": true,
		"INSERT INTO users (id, tenant_id) VALUES (1, ?) ON DUPLICATE KEY UPDATE a = IF(NOT tenant_id = ?, a, 1)":    true,
		"REPLACE INTO users (id, tenant_id) VALUES (1, ?)":                                                           true,
	} {
		plan := p.Prove(sql)
		require.Nil(t, plan.Refusal, sql)
		if assert.Equal(t, want, len(plan.Needs) == 1, sql) && want {
			assert.Equal(t, sqlproof.UniqueKeys, plan.Needs[0].Kind, sql)
		}
	}
}

// TestWrites is about which statements must run on the primary.
func TestWrites(t *testing.T) {
	t.Parallel()
	for sql, want := range map[string]bool{
		"SELECT 1":                                        false,
		"SELECT * FROM users":                             false,
		"SELECT * FROM users FOR UPDATE":                  true,
		"SELECT * FROM users LOCK IN SHARE MODE":          true,
		"SELECT * FROM (SELECT 1 FROM users FOR SHARE) x": true,
		"INSERT INTO users (id) VALUES (1)":               true,
		"UPDATE users SET a = 1":                          true,
		"DELETE FROM users":                               true,
	} {
		st, err := New().Analyze(sql)
		require.NoError(t, err)
		assert.Equal(t, want, st.Writes, sql)
	}
}

// TestBlocks is about what is told of a query besides its tables.
func TestBlocks(t *testing.T) {
	t.Parallel()
	st, err := New().Analyze("SELECT DISTINCT a, COUNT(DISTINCT b) AS n, RANK() OVER (ORDER BY c) FROM users GROUP BY 1, d WITH ROLLUP ORDER BY n DESC, 2 LIMIT 5, 10")
	require.NoError(t, err)
	b := st.Main
	assert.True(t, b.Distinct && b.Windows && b.Groups)
	require.Len(t, b.Items, 3)
	assert.True(t, b.Items[1].Expr.Aggregate && b.Items[1].Expr.DistinctArgs && b.Items[2].Expr.Window)
	assert.Equal(t, "n", b.Items[1].Alias)
	assert.Equal(t, "1", b.GroupBy[0].Value)
	assert.True(t, b.OrderBy[0].Descending)
	assert.Equal(t, "10", b.Limit.Value)
	assert.Equal(t, "5", b.Offset.Value)

	st, err = New().Analyze("SELECT 1 UNION ALL SELECT 2 UNION ALL (SELECT 3 EXCEPT SELECT 4 LIMIT 1) LIMIT ? OFFSET ?")
	require.NoError(t, err)
	assert.Equal(t, sqlproof.SetOperation, st.Kind)
	assert.Equal(t, "UNION ALL", st.Main.Operator)
	require.Len(t, st.Main.Arms, 3)
	assert.Equal(t, "EXCEPT", st.Main.Arms[2].Operator)
	assert.Equal(t, 1, st.Main.Offset.Number)
}

func TestConcurrent(t *testing.T) {
	t.Parallel()
	prooftest.Concurrent(t, New())
}

// TestCorpus compares what becomes of the statements of the corpus with what became of them before.
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

// collect counts the tables in a tree, of which parts can be shared; the names in a locking clause, and in the list of a
// DELETE, are none.
func collect(v reflect.Value, names map[string]int, seen map[any]bool) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() || !v.CanInterface() || seen[v.Interface()] {
			return
		}
		seen[v.Interface()] = true
		switch n := v.Interface().(type) {
		case *ast.TableName:
			names[n.Name.O]++
		case *ast.SelectLockInfo, *ast.DeleteTableList:
			return
		}
		collect(v.Elem(), names, seen)
	case reflect.Interface:
		collect(v.Elem(), names, seen)
	case reflect.Struct:
		for _, field := range v.Fields() {
			collect(field, names, seen)
		}
	case reflect.Slice:
		for i := range v.Len() {
			collect(v.Index(i), names, seen)
		}
	}
}
