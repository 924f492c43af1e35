package fanout

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/sqlproof"
	"github.com/gormtenancy/tenancy/sqlproof/mysql"
	"github.com/gormtenancy/tenancy/sqlproof/postgres"
	"github.com/gormtenancy/tenancy/sqlproof/sqlite"
)

func analyzers() map[string]sqlproof.Analyzer {
	return map[string]sqlproof.Analyzer{"postgres": postgres.New(), "mysql": mysql.New(), "sqlite": sqlite.New()}
}

// planRule is a text, what placements are asked, with the arguments behind it, and an outline of the merge.
type planRule struct{ sql, shard, merge string }

func checkPlans(t *testing.T, dialects string, rules []planRule) {
	t.Helper()
	for dialect, a := range analyzers() {
		if !strings.Contains(dialects, dialect) {
			continue
		}
		p := New(a)
		for _, r := range rules {
			plan, err := p.Plan(dollars(dialect, r.sql))
			if !assert.NoError(t, err, "%s: %s", dialect, r.sql) {
				continue
			}
			shard := plan.sql
			if len(plan.args) > 0 {
				shard += " " + fmt.Sprint(plan.args)
			}
			assert.Equal(t, dollars(dialect, r.shard), shard, "%s: %s", dialect, r.sql)
			assert.Equal(t, r.merge, outline(plan), "%s: %s", dialect, r.sql)
		}
	}
}

// dollars writes PostgreSQL's placeholders, each with its own number.
func dollars(dialect, sql string) string {
	if dialect != "postgres" {
		return sql
	}
	n := 0
	for strings.Contains(sql, "?") {
		n++
		sql = strings.Replace(sql, "?", fmt.Sprintf("$%d", n), 1)
	}
	return sql
}

func outline(p *Plan) string {
	var parts []string
	d := &p.description
	for _, o := range d.Order {
		by := fmt.Sprintf("by %d", o.Column)
		if o.Descending {
			by += " desc"
		}
		parts = append(parts, by)
	}
	if d.Distinct {
		parts = append(parts, "distinct")
	}
	if d.Hidden > 0 {
		parts = append(parts, fmt.Sprintf("hides %d", d.Hidden))
	}
	if d.Groups != nil {
		group := fmt.Sprintf("keys %v", d.Groups.Keys)
		for _, r := range d.Groups.Results {
			group += " " + [...]string{"", "key", "count", "sum", "min", "max", "avg", "count distinct", "sum distinct", "avg distinct"}[r.Func] + fmt.Sprint(r.Column)
		}
		parts = append(parts, group, fmt.Sprintf("gives %d", d.Visible))
	}
	if p.having != nil {
		parts = append(parts, "having")
	}
	return strings.Join(parts, ", ")
}

// TestPlansOfRows shows what placements are asked for rows.
func TestPlansOfRows(t *testing.T) {
	t.Parallel()
	checkPlans(t, "sqlite postgres mysql", []planRule{
		{"SELECT * FROM orders WHERE a = ?", "SELECT * FROM orders WHERE a = ? [0]", ""},
		{"SELECT * FROM orders ORDER BY id LIMIT 3", "SELECT *, id AS fanout_1 FROM orders ORDER BY id LIMIT 3", "by -1, hides 1"},
		{"SELECT id, a FROM orders ORDER BY a DESC, id LIMIT ? OFFSET ?", "SELECT id, a FROM orders ORDER BY a DESC, id LIMIT ? [-1]", "by 1 desc, by 0"},
		{"SELECT id FROM orders WHERE a = ? LIMIT ?", "SELECT id FROM orders WHERE a = ? LIMIT ? [0 -1]", ""},
		{"SELECT id FROM orders LIMIT 5 OFFSET 7", "SELECT id FROM orders LIMIT 12", ""},
		{"SELECT a AS x FROM orders ORDER BY x", "SELECT a AS x FROM orders ORDER BY x", "by 0"},
		{"SELECT id FROM orders ORDER BY 1 DESC", "SELECT id FROM orders ORDER BY 1 DESC", "by 0 desc"},
		{"SELECT orders.id FROM orders ORDER BY id", "SELECT orders.id FROM orders ORDER BY id", "by 0"},
		{"SELECT DISTINCT a, b FROM orders ORDER BY a", "SELECT DISTINCT a, b FROM orders ORDER BY a", "by 0, distinct"},
		{"SELECT DISTINCT * FROM orders", "SELECT DISTINCT * FROM orders", "distinct"},
	})
	checkPlans(t, "sqlite mysql", []planRule{
		{"SELECT id FROM orders ORDER BY a + ?, b", "SELECT id, a + ? AS fanout_1, b AS fanout_2 FROM orders ORDER BY a + ?, b [0 0]", "by -2, by -1, hides 2"},
		{"SELECT id FROM orders LIMIT ?, ?", "SELECT id FROM orders LIMIT ? [-1]", ""},
	})
	checkPlans(t, "postgres", []planRule{
		{"SELECT id FROM orders WHERE a = $2 ORDER BY a + $2, b FETCH FIRST 3 ROWS ONLY FOR UPDATE", "SELECT id, a + $1 AS fanout_1, b AS fanout_2 FROM orders WHERE a = $1 ORDER BY a + $1, b LIMIT 3 FOR UPDATE [1]", "by -2, by -1, hides 2"},
		{"SELECT id FROM orders OFFSET $1 LIMIT $2", "SELECT id FROM orders LIMIT $1 [-1]", ""},
	})
}

// TestPlansOfGroups shows what placements are asked for groups.
func TestPlansOfGroups(t *testing.T) {
	t.Parallel()
	checkPlans(t, "sqlite postgres mysql", []planRule{
		{"SELECT count(*) FROM orders WHERE a = ?", "SELECT count(*) FROM orders WHERE a = ? [0]", "keys [] count0, gives 1"},
		{"SELECT a, sum(b) AS s FROM orders GROUP BY a ORDER BY s DESC LIMIT ?", "SELECT a, sum(b) AS s FROM orders GROUP BY a", "by 1 desc, keys [0] key0 sum1, gives 2"},
		{"SELECT a, avg(b) FROM orders GROUP BY 1", "SELECT a, sum(b), count(b) FROM orders GROUP BY 1", "keys [0] key0 avg1, gives 2"},
		{"SELECT count(DISTINCT b) AS n FROM orders", "SELECT b FROM orders GROUP BY b", "keys [] count distinct0, gives 1"},
		{"SELECT a, count(DISTINCT(b)), max(c) FROM orders GROUP BY a", "SELECT a, b, max(c) FROM orders GROUP BY a, b", "keys [0] key0 count distinct1 max2, gives 3"},
		{"SELECT count(*) FROM orders GROUP BY orders.a", "SELECT count(*), orders.a FROM orders GROUP BY orders.a", "keys [1] count0, gives 1"},
		{"SELECT a FROM orders GROUP BY a HAVING count(*) > ? AND NOT (sum(b) BETWEEN 1 AND ?)", "SELECT a, count(*), sum(b) FROM orders GROUP BY a", "keys [0] key0 count1 sum2, gives 1, having"},
		{"SELECT a, count(*) FROM orders GROUP BY orders.a", "SELECT a, count(*) FROM orders GROUP BY orders.a", "keys [0] key0 count1, gives 2"},
		{"SELECT count(*) FROM orders GROUP BY a, b ORDER BY b", "SELECT count(*), a, b FROM orders GROUP BY a, b", "by 1, keys [1 2] count0 key2, gives 1"},
		{"SELECT a FROM orders GROUP BY a ORDER BY max(b)", "SELECT a, max(b) FROM orders GROUP BY a", "by 1, keys [0] key0 max1, gives 1"},
		{"SELECT COALESCE(SUM(b), 0) FROM orders", "SELECT COALESCE(SUM(b), 0) FROM orders", "keys [] sum0, gives 1"},
	})
	checkPlans(t, "sqlite", []planRule{
		{"SELECT avg(a) FILTER (WHERE b = ?) FROM orders", "SELECT sum(a) FILTER (WHERE b = ?), count(a) FILTER (WHERE b = ?) FROM orders [0 0]", "keys [] avg0, gives 1"},
	})
}

// TestRefused shows what is not merged.
func TestRefused(t *testing.T) {
	t.Parallel()
	for dialect, a := range analyzers() {
		p := New(a)
		for sql, why := range map[string]string{
			"SELECT a FROM orders UNION SELECT b FROM orders":                         "UNION",
			"SELECT a, rank() OVER (ORDER BY a) FROM orders":                          "a window function",
			"SELECT DISTINCT a FROM orders ORDER BY b":                                "SELECT DISTINCT sorted by",
			"SELECT sum(a) / count(*) FROM orders":                                    "an expression of aggregates",
			"SELECT a, count(*) FROM orders GROUP BY b":                               "neither a key",
			"SELECT t.n FROM (SELECT count(*) AS n FROM orders) t":                    "a subquery in FROM",
			"SELECT t.a FROM (SELECT a FROM orders LIMIT 3) t":                        "a subquery in FROM",
			"WITH t AS (SELECT DISTINCT a FROM orders) SELECT a FROM t":               "a subquery in FROM",
			"SELECT my_total(a) FROM orders":                                          "the function my_total",
			"SELECT a FROM orders ORDER BY 'x'":                                       "ORDER BY a value",
			"SELECT a, count(*) FROM orders GROUP BY a HAVING sum(b) + 1 > 3":         "HAVING",
			"SELECT a, count(*) FROM orders GROUP BY a ORDER BY max(b) - min(b)":      "an expression of aggregates",
			"SELECT count(DISTINCT 1) FROM orders":                                    "a DISTINCT aggregate",
			"SELECT COALESCE(SUM(a), 0), count(DISTINCT b) FROM orders":               "COALESCE",
			"SELECT *, count(*) FROM orders":                                          "* beside groups",
			"SELECT a FROM orders LIMIT 1 + 1":                                        "",
			"SELECT 1":                                                                "from no table",
			"SELECT EXISTS (SELECT 1 FROM orders)":                                    "from no table",
			"UPDATE orders SET a = 1":                                                 "no SELECT",
			"SELECT a, (SELECT count(*) FROM items WHERE items.k = a) FROM orders a2": "-",
		} {
			_, err := p.Plan(sql)
			if why == "-" {
				require.NoError(t, err, "%s: %s", dialect, sql)
				continue
			}
			var u *Unmergeable
			require.ErrorAs(t, err, &u, "%s: %s", dialect, sql)
			assert.Contains(t, u.Error(), why, "%s: %s", dialect, sql)
		}
	}
}
