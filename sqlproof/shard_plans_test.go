package sqlproof_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/sqlproof"
	"github.com/gormtenancy/tenancy/sqlproof/internal/prooftest"
	"github.com/gormtenancy/tenancy/sqlproof/sqlite"
)

// TestShardedTablesStandWhereTheirKeySays shows that sharded tables need no tenant, and get the names that they have at
// their place.
func TestShardedTablesStandWhereTheirKeySays(t *testing.T) {
	prover := sqlproof.NewProver(sqlite.New(), sharded(), 0)
	plan := prover.Prove("SELECT o.id, c.code FROM orders o JOIN countries c ON c.code = o.x WHERE o.k = ?")
	require.Nil(t, plan.Refusal)
	assert.False(t, plan.Touches, "it asks for a tenant")
	assert.False(t, plan.Rewritten())
	require.Len(t, plan.Tables, 1)
	text, refusal := plan.At("", "_03")
	require.Nil(t, refusal)
	assert.Equal(t, "SELECT o.id, c.code FROM `orders_03` o JOIN countries c ON c.code = o.x WHERE o.k = ?", text)

	plan = prover.Prove("SELECT b.id FROM bills b WHERE b.k = ?")
	require.Nil(t, plan.Refusal)
	assert.True(t, plan.Touches)
	assert.True(t, plan.Rewritten(), "a shard key does not bind a tenant")
	require.Len(t, plan.Keys, 1)
	set, err := plan.Keys[0].Of([]any{subject, 7})
	require.NoError(t, err)
	assert.Equal(t, []any{int64(7)}, set.Values, "the tenant is not the key")
}

// TestKeysForAllTenants shows that the plan for all tenants of a placement tells keys too, and lets none be changed.
func TestKeysForAllTenants(t *testing.T) {
	for dialect, analyzer := range analyzers() {
		prover := sqlproof.NewProver(analyzer, sharded(), 0)
		for sql, want := range map[string]string{
			"SELECT id FROM bills WHERE k = ?":                           "1",
			"SELECT id FROM bills":                                       "any of bills",
			"SELECT b.id FROM bills b JOIN orders o ON o.k = b.k":        "any of bills",
			"SELECT b.id FROM bills b JOIN orders o ON o.k = 2 AND k= 3": "any of bills apart",
			"INSERT INTO bills (id, tenant_id, k) VALUES ('x', 'a', ?)":  "1 rows [1]",
			"INSERT INTO bills (id, tenant_id) VALUES ('x', 'a')":        "keyless: table bills: column k, its shard key, is not given a value",
			"UPDATE bills SET k = ?":                                     "crosses: table bills: column k, its shard key, is to be another one, with which a row would belong on another shard",
		} {
			assert.Equal(t, want, keyOutline(prover.Locate(dollars(dialect, sql)), []any{1}), "%s %s", dialect, sql)
		}
	}
}

// TestStatementsWithoutShards shows that nothing is said of keys where there are none.
func TestStatementsWithoutShards(t *testing.T) {
	for _, analyzer := range analyzers() {
		prover := sqlproof.NewProver(analyzer, sharded(), 0)
		for _, sql := range []string{"SELECT 1", "SELECT id FROM notes", "DELETE FROM countries WHERE k = 1"} {
			plan := prover.Prove(sql)
			require.Nil(t, plan.Refusal, sql)
			assert.Nil(t, plan.Keys, sql)
		}
	}
}

// TestShardedTablesWithoutKey shows that a table of which nothing says where its rows are is refused.
func TestShardedTablesWithoutKey(t *testing.T) {
	prover := sqlproof.NewProver(sqlite.New(), prooftest.Tables{"orders": {Class: sqlproof.Sharded, Name: "orders"}}, 0)
	for _, plan := range []*sqlproof.Plan{prover.Prove("SELECT id FROM orders"), prover.Locate("SELECT id FROM orders")} {
		require.NotNil(t, plan.Refusal)
		assert.Contains(t, plan.Refusal.Error(), "it has no shard key")
	}
}

// TestWhyApart shows what is said of a statement that is for one placement.
func TestWhyApart(t *testing.T) {
	prover := sqlproof.NewProver(sqlite.New(), sharded(), 0)
	for sql, want := range map[string]string{
		"SELECT o.id FROM orders o\nJOIN items i ON i.oid = o.id WHERE o.k = 90125": "table items: no condition says that its rows are on the shard of those of orders o " +
			"that they are joined with or compared to (line 2, column 6): equate i.k with o.k, or both with one value",
		"SELECT o.id FROM orders o JOIN people p ON p.id = o.x": "table people: it is sharded in another way than orders o (line 1, column 32): " +
			"equate both keys with values that are on one shard, or use two statements",
		"SELECT count(*) FROM (SELECT id FROM orders WHERE k IN (1, 2)) t": "table orders: the statement does not go through its rows one by one: without those of other shards " +
			"it would find something else (line 1, column 38): give orders.k a value, or select from the table itself",
	} {
		plan := prover.Prove(sql)
		require.Nil(t, plan.Refusal, sql)
		for _, k := range plan.Keys {
			require.NotNil(t, k.Apart, sql)
			assert.Equal(t, want, k.Apart.Error())
			assert.True(t, k.Apart.Crosses)
		}
	}
}

// TestErrorsHaveNoKeys shows that no error has a value in it.
func TestErrorsHaveNoKeys(t *testing.T) {
	const secret = "90125"
	prover := sqlproof.NewProver(sqlite.New(), sharded(), 0)
	for _, sql := range []string{
		"INSERT INTO orders (id, k) VALUES (" + secret + ", abs(" + secret + "))",
		"UPDATE orders SET k = " + secret,
	} {
		plan := prover.Prove(sql)
		require.NotNil(t, plan.Refusal, sql)
		assert.NotContains(t, plan.Refusal.Error(), secret)
	}
	_, err := prover.Prove("INSERT INTO orders (k) VALUES (?)").Keys[0].Of([]any{secret + ".5"})
	require.Error(t, err)
	assert.NotContains(t, err.Error(), secret)
}

// TestFewerArguments shows that a statement that lacks arguments is not taken for one that touches nothing.
func TestFewerArguments(t *testing.T) {
	prover := sqlproof.NewProver(sqlite.New(), sharded(), 0)
	set, err := prover.Prove("SELECT id FROM orders WHERE k = ? AND x = ?").Keys[0].Of(nil)
	require.NoError(t, err)
	assert.True(t, set.Any)
	_, err = prover.Prove("INSERT INTO orders (k) VALUES (?)").Keys[0].Of(nil)
	require.Error(t, err)
}

// TestKeysAtOnce uses one plan in many goroutines.
func TestKeysAtOnce(t *testing.T) {
	prover := sqlproof.NewProver(sqlite.New(), sharded(), 0)
	keys := prover.Prove("SELECT id FROM orders WHERE (k = ? OR k IN (?, ?)) AND k IN (?, ?)").Keys[0]
	var all sync.WaitGroup
	for n := range 16 {
		all.Go(func() {
			for range 200 {
				set, err := keys.Of([]any{n, n + 1, n + 2, n + 2, n})
				if !assert.NoError(t, err) || !assert.Equal(t, []any{int64(n), int64(n + 2)}, set.Values) {
					return
				}
			}
		})
	}
	all.Wait()
}

// BenchmarkKeys is what a statement costs more whose key is known: it is asked for each time that it runs.
func BenchmarkKeys(b *testing.B) {
	prover := sqlproof.NewProver(sqlite.New(), sharded(), 0)
	for _, c := range []struct {
		name, sql string
		args      []any
	}{
		{"equal", "SELECT id FROM orders WHERE k = ? LIMIT 1", []any{int64(1)}},
		{"joined", "SELECT o.id FROM orders o JOIN items i ON i.k = o.k WHERE o.k = ? AND o.x = ?", []any{int64(1), 2}},
		{"list", "SELECT id FROM orders WHERE k IN (?, ?, ?, ?, ?)", []any{int64(1), int64(2), int64(3), int64(4), int64(5)}},
		{"insert", "INSERT INTO orders (id, k) VALUES (?, ?)", []any{int64(1), int64(2)}},
	} {
		keys := prover.Prove(c.sql).Keys[0]
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := keys.Of(c.args); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
