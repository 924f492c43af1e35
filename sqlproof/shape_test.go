package sqlproof_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/sqlproof"
	"github.com/gormtenancy/tenancy/sqlproof/internal/prooftest"
)

// counting is an analyzer that counts the texts that it reads.
type counting struct {
	sqlproof.Analyzer
	read int
}

func (c *counting) Analyze(sql string) (*sqlproof.Statement, error) {
	c.read++
	return c.Analyzer.Analyze(sql)
}

// marks writes n placeholders with commas between them.
func marks(n int) string { return strings.TrimSuffix(strings.Repeat("?,", n), ",") }

// numberMarks makes PostgreSQL's placeholders of question marks.
func numberMarks(dialect, text string) string {
	if dialect != "postgres" {
		return text
	}
	n := 0
	return regexp.MustCompile(`\?`).ReplaceAllStringFunc(text, func(string) string { n++; return fmt.Sprintf("$%d", n) })
}

// lists are statements with lists of n units in them.
var lists = []func(n int) string{
	func(n int) string { return "SELECT * FROM users WHERE id IN (" + marks(n) + ") AND tenant_id = ?" },
	func(n int) string {
		return "SELECT * FROM users WHERE tenant_id = ? AND id IN (" + marks(n) + ") OR name = ?"
	},
	func(n int) string { return "SELECT * FROM users WHERE tenant_id IN (" + marks(n) + ")" },
	func(n int) string {
		return "SELECT * FROM users u LEFT JOIN orders o ON o.id IN (" + marks(n) + ") AND o.x = ? WHERE u.id IN (" + marks(n+1) + ") AND u.tenant_id = ?"
	},
	func(n int) string {
		return "SELECT * FROM users WHERE (a, b) IN (" + strings.TrimSuffix(strings.Repeat("(?, ?),", n), ",") + ") AND c = ?"
	},
	func(n int) string {
		return "INSERT INTO users (name, tenant_id) VALUES " + strings.TrimSuffix(strings.Repeat("(?,?), ", n), ", ")
	},
	func(n int) string {
		return "UPDATE users SET name = ? WHERE id IN ( " + marks(n) + " ) AND age > ?"
	},
	func(n int) string { // the tenant must be added to each row
		return "INSERT INTO users (name, age) VALUES " + strings.TrimSuffix(strings.Repeat("(?,?),", n), ",")
	},
}

// TestListsHaveOnePlan compares the plan that is made of a text's short form with the one that is made of the text itself.
func TestListsHaveOnePlan(t *testing.T) {
	t.Parallel()
	tables := prooftest.Tables{}.Own("users", "orders")
	for dialect, analyzer := range analyzers() {
		for i, list := range lists {
			counted := &counting{Analyzer: analyzer}
			p := sqlproof.NewProver(counted, tables, 0)
			for _, n := range []int{2, 1, 3, 17, 100, 5} {
				text := numberMarks(dialect, list(n))
				if dialect == "mysql" && strings.Contains(text, "(a, b)") {
					continue
				}
				for name, prove := range map[string]func(string) *sqlproof.Plan{"trusting": p.Prove, "strict": p.ProveStrictly} {
					got := prove(text)
					want := sqlproof.Fresh(analyzer, tables, text)
					if name == "strict" {
						want = sqlproof.FreshStrictly(analyzer, tables, text)
					}
					require.Nil(t, want.Refusal, "%s: %s", dialect, text)
					require.Nil(t, got.Refusal, "%s: %s", dialect, text)
					assert.Equal(t, want.SQL, got.SQL, dialect)
					assert.Equal(t, want.Inserted, got.Inserted, "%s: %s", dialect, text)
					assert.Equal(t, want.Arguments, got.Arguments, "%s: %s", dialect, text)
					assert.Equal(t, checkedArguments(want), checkedArguments(got), "%s: %s", dialect, text)
				}
			}
			if i != len(lists)-1 {
				assert.LessOrEqual(t, counted.read, 6, "%s: %s is read for each length", dialect, list(2))
			}
		}
	}
}

// checkedArguments lists all arguments that a plan checks.
func checkedArguments(p *sqlproof.Plan) map[int]bool {
	all := map[int]bool{}
	for _, c := range p.Checks {
		for n := range max(c.Times, 1) {
			all[c.Argument+n*c.Every] = c.Stored
		}
	}
	return all
}

// TestShortFormsAreNotMixedUp has texts whose short forms could be one and are not.
func TestShortFormsAreNotMixedUp(t *testing.T) {
	t.Parallel()
	p := sqlproof.NewProver(analyzers()["sqlite"], prooftest.Tables{}.Own("users"), 0)
	for text, args := range map[string]int{
		"SELECT * FROM users WHERE name = '(?,?)' AND id IN (?,?)":            2,
		"SELECT * FROM users WHERE id IN (?,?) -- IN (?,?)":                   2,
		"SELECT * FROM users WHERE id IN (?,?,1) AND age IN (?,?)":            4,
		"SELECT * FROM users WHERE coalesce(?,?,?) = 1":                       3,
		"SELECT * FROM users WHERE (?,?) = (?,?)":                             4,
		"SELECT * FROM users WHERE id IN (?,?) AND (a, b) IN ((?,?),(?,?,?))": 7,
	} {
		plan := p.ProveStrictly(text)
		require.Nil(t, plan.Refusal, text)
		assert.Equal(t, args, plan.Arguments, text)
		assert.Contains(t, plan.SQL, "`users`.`tenant_id` = ?", text)
	}
}

// TestListsHaveOnePlacement compares what becomes of a text at a place by the plan of its short form with what becomes of it
// by its own. Only the short form is read.
func TestListsHaveOnePlacement(t *testing.T) {
	t.Parallel()
	tables := prooftest.Tables{}.Own("users", "orders").Link("user_orders", "users", "orders")
	more := []func(n int) string{
		func(n int) string {
			return "SELECT users.id FROM users JOIN user_orders ON user_orders.user_id = users.id WHERE users.id IN (" + marks(n) + ") AND users.id IN (SELECT orders.id FROM orders WHERE orders.id IN (" + marks(2*n) + ")) OR EXISTS (SELECT 1 FROM users u)"
		},
		func(n int) string { return "DELETE FROM users WHERE users.id IN (" + marks(n) + ") AND users.a = ?" },
		func(n int) string {
			return "INSERT INTO orders (id, tenant_id) VALUES " + strings.TrimSuffix(strings.Repeat("(?,?),", n), ",")
		},
	}
	for dialect, analyzer := range analyzers() {
		for i, list := range append(lists[:len(lists)-1:len(lists)-1], more...) {
			counted := &counting{Analyzer: analyzer}
			p := sqlproof.NewProver(counted, tables, 0)
			for _, at := range prooftest.Places(dialect) {
				read := 0
				for _, n := range []int{2, 1, 3, 17, 100, 5} {
					text := numberMarks(dialect, list(n))
					if dialect == "mysql" && strings.Contains(text, "(a, b)") {
						continue
					}
					got, refusal := p.ProveStrictly(text).At(at.Schema, at.Suffix)
					require.Nil(t, refusal, "%s: %s", dialect, text)
					want, refusal := sqlproof.FreshStrictly(analyzer, tables, text).At(at.Schema, at.Suffix)
					require.Nil(t, refusal, "%s: %s", dialect, text)
					assert.Equal(t, want, got, "%s %d", dialect, i)
					prooftest.IsPlaced(t, analyzer, tables, got, at)
					if n != 2 && i != 3 { // the short form of that one has two lists, and for n of 1 one
						assert.Equal(t, read, counted.read, "%s: read again: %s", dialect, text)
					}
					read = counted.read
				}
			}
		}
	}
}
