package sqlproof_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/sqlproof"
	"github.com/gormtenancy/tenancy/sqlproof/internal/prooftest"
)

// keyRule is a rule of what a statement says of shard keys: arguments, and what the plan makes of them.
type keyRule struct {
	name, sql string
	args      []any
	want      string
}

// sharded are tables of which some have a shard key: orders, items, parcels and archive by k, bills by k too and with a
// tenant column, tickets and replies by k with IDs that carry their shard, logs by a k that is placed in another way, people by their names, files by UUIDs and visits by something else.
func sharded() prooftest.Tables {
	t := prooftest.Tables{}.Own("notes", "bills").Open("countries")
	for name, key := range map[string]sqlproof.ShardKey{
		"orders":  {Column: "k", Type: "bigint", Sharding: "by number"},
		"items":   {Column: "k", Type: "bigint", Sharding: "by number"},
		"parcels": {Column: "k", Type: "bigint", Sharding: "by number"},
		"archive": {Column: "k", Type: "bigint", Sharding: "by number"},
		"bills":   {Column: "k", Type: "bigint", Sharding: "by number"},
		"tickets": {Column: "k", Type: "bigint", ID: "id", IDType: "bigint", Sharding: "by number"},
		"replies": {Column: "k", Type: "bigint", ID: "id", IDType: "bigint", Sharding: "by number"},
		"logs":    {Column: "k", Type: "bigint", Sharding: "by log"},
		"people":  {Column: "name", Type: "text", Sharding: "by name"},
		"files":   {Column: "uid", Type: "uuid", Sharding: "by uid"},
		"visits":  {Column: "at", Sharding: "by time"},
	} {
		table, owned := t[name]
		if !owned {
			table = sqlproof.Table{Class: sqlproof.Sharded, Name: name}
		}
		table.ShardKey = &key
		t[name] = table
	}
	return t
}

// checkKeys finds out the keys of each statement in each of some dialects, as the prover, which keeps plans of short
// texts, and as an analysis of that text alone sees them.
func checkKeys(t *testing.T, dialects string, rules []keyRule) {
	t.Helper()
	for dialect, analyzer := range analyzers() {
		if !strings.Contains(dialects, dialect) {
			continue
		}
		prover := sqlproof.NewProver(analyzer, sharded(), 0)
		for _, r := range rules {
			t.Run(dialect+"/"+r.name, func(t *testing.T) {
				sql := dollars(dialect, r.sql)
				got := keyOutline(prover.Prove(sql), r.args)
				assert.Equal(t, r.want, got, sql)
				assert.Equal(t, got, keyOutline(sqlproof.Fresh(analyzer, sharded(), sql), r.args), "not in its short form")
			})
		}
	}
}

// dollars writes placeholders as PostgreSQL has them.
func dollars(dialect, sql string) string {
	if dialect != "postgres" {
		return sql
	}
	n := 0
	var b strings.Builder
	for _, part := range strings.SplitAfter(sql, "?") {
		if before, found := strings.CutSuffix(part, "?"); found {
			n++
			part = before + "$" + strconv.Itoa(n)
		}
		b.WriteString(part)
	}
	return b.String()
}

// keyOutline writes the keys of a plan: of each sharding those that rows can have, "any" or "none", then those of the rows
// of an INSERT, and "apart" if the statement must not run in several placements.
func keyOutline(plan *sqlproof.Plan, args []any) string {
	if plan.Refusal != nil {
		why := "refused: "
		switch {
		case plan.Refusal.Crosses:
			why = "crosses: "
		case plan.Refusal.Keyless:
			why = "keyless: "
		}
		return why + plan.Refusal.Why
	}
	sent := fill(plan, args)
	var all []string
	for _, k := range plan.Keys {
		set, err := k.Of(sent)
		var text string
		switch {
		case err != nil:
			text = err.Error()
		case set.Any:
			text = "any of " + set.Table.Name
		case len(set.Values) == 0:
			text = "none"
		default:
			text = fmt.Sprint(set.Values)
			text = text[1 : len(text)-1]
		}
		if len(set.IDs) > 0 {
			text = strings.TrimPrefix(text, "none") + fmt.Sprint(" ids ", set.IDs)
		}
		if set.Rows != nil {
			text += fmt.Sprint(" rows ", set.Rows)
		}
		if set.RowIDs != nil {
			text += fmt.Sprint(" with ", set.RowIDs)
		}
		if k.Apart != nil {
			text += " apart"
		}
		all = append(all, text)
	}
	return strings.Join(all, "; ")
}

// TestKeysOfConditions shows which conditions say what of a shard key.
func TestKeysOfConditions(t *testing.T) {
	one, two := []any{1}, []any{1, 2}
	where := func(name, condition string, args []any, want string) keyRule {
		return keyRule{name, "SELECT o.id FROM orders o WHERE " + condition, args, want}
	}
	checkKeys(t, "sqlite postgres mysql", []keyRule{
		where("an equality", "o.k = ?", one, "1"),
		where("the value may come first", "? = o.k", one, "1"),
		where("parentheses", "((o.k) = (?))", one, "1"),
		where("a literal", "o.k = 7", nil, "7"),
		where("a literal in quotes", "o.k = '7'", nil, "7"),
		where("a literal in another spelling", "o.k = '07'", nil, "any of orders"),
		where("a column without a qualifier", "k = ?", one, "1"),
		where("NULL is equal to nothing", "o.k = NULL", nil, "none"),
		where("a NULL argument too", "o.k = ?", []any{nil}, "none"),
		where("a pointer to nothing too", "o.k = ?", []any{(*int)(nil)}, "none"),
		where("IS NULL", "o.k IS NULL", nil, "any of orders"),
		where("BETWEEN", "o.k BETWEEN ? AND ?", two, "any of orders"),
		where("a range", "o.k >= ? AND o.k <= ?", two, "any of orders"),
		where("unequal", "o.k <> ?", one, "any of orders"),
		where("LIKE", "o.k LIKE '1'", nil, "any of orders"),
		where("NOT", "NOT (o.k = ?)", one, "any of orders"),
		where("NOT of NOT", "NOT (NOT (o.k = ?))", one, "any of orders"),
		where("IN", "o.k IN (?, ?)", two, "1 2"),
		where("IN of one", "o.k IN (?)", one, "1"),
		where("IN of literals", "o.k IN (1, ?, '3')", []any{2}, "1 2 3"),
		where("IN with NULL", "o.k IN (1, NULL, ?)", []any{nil}, "1"),
		where("IN with SQL", "o.k IN (?, o.id)", one, "any of orders"),
		where("IN with a sum", "o.k IN (?, 1 + 1)", one, "any of orders"),
		where("NOT IN", "o.k NOT IN (?, ?)", two, "any of orders"),
		where("IN of rows", "(o.id, o.k) IN ((?, ?), (?, ?))", []any{10, 1, 20, 2}, "1 2"),
		where("IN of rows without the key", "(o.id, o.x) IN ((?, ?), (?, ?))", []any{10, 1, 20, 2}, "any of orders"),
		where("an equality of rows", "(o.id, o.k) = (?, ?)", []any{10, 1}, "1"),
		where("AND with others", "o.x = ? AND o.k = ?", []any{10, 1}, "1"),
		where("AND of the same", "o.k = ? AND o.k = ?", []any{1, int64(1)}, "1"),
		where("AND of others is a contradiction", "o.k = ? AND o.k = ?", two, "none"),
		where("AND of literals too", "o.k = 1 AND o.k = 2", nil, "none"),
		where("AND of lists", "o.k IN (?, ?, ?) AND o.k IN (?, ?)", []any{1, 2, 3, 3, 2}, "2 3"),
		where("OR", "o.k = ? OR o.k = ?", two, "1 2"),
		where("OR of three", "o.k = ? OR o.k IN (?, ?) OR o.k = 4", []any{1, 2, 3}, "1 2 3 4"),
		where("OR with what says nothing", "o.k = ? OR o.x = ?", two, "any of orders"),
		where("OR with AND", "(o.k = ? AND o.x = 5) OR o.k = ?", two, "1 2"),
		where("AND of OR", "(o.k = ? OR o.k = ?) AND o.k = ?", []any{1, 2, 2}, "2"),
		where("AND of OR that says nothing", "(o.k = ? OR o.x = 1) AND o.k = ?", []any{1, 2}, "2"),
		where("nothing", "o.x = ?", one, "any of orders"),
		where("a function of the key", "abs(o.k) = ?", one, "any of orders"),
		where("arithmetic", "o.k + 1 = ?", one, "any of orders"),
		where("arithmetic with the value", "o.k = ? + 1", one, "any of orders"),
		where("an equality that is compared", "(o.k = ?) = (1 = 1)", one, "any of orders"),
		where("CASE", "CASE WHEN o.k = ? THEN 1 = 1 ELSE 1 = 1 END", one, "any of orders"),
		where("a cast of the key", "CAST(o.k AS char(9)) = ?", []any{"1"}, "any of orders"),
		where("a cast of the value", "o.k = CAST(? AS decimal)", one, "any of orders"),
		where("another column of the same name", "EXISTS (SELECT 1 FROM countries k WHERE k.k = ?)", one, "any of orders"),
		where("another table's in a subquery", "o.x IN (SELECT c.k FROM countries c WHERE c.k = 1)", nil, "any of orders"),
		where("a bare name in a subquery on another table", "o.x IN (SELECT 1 FROM countries WHERE k = 1)", nil, "any of orders"),
		where("a subquery on the key", "o.k = (SELECT 1)", nil, "any of orders"),
		where("an argument of another type", "o.k = ?", []any{1.0}, "any of orders"),
		where("a truth value", "o.k = ?", []any{true}, "any of orders"),
		where("a string of digits", "o.k = ?", []any{"1"}, "1"),
		where("a string that is 1 for some", "o.k = ?", []any{"1.0"}, "any of orders"),
		where("a string of a great number", "o.k = ?", []any{"9007199254740993"}, "any of orders"),
		where("a great number", "o.k = 9007199254740993", nil, "9007199254740993"),
		where("OR of AND and lists", "(o.k = ? OR (o.k IN (?, ?) AND o.k IN (?, 9)))", []any{1, 2, 3, 3}, "3 1"),
		where("a negative key", "o.k = ?", []any{-3}, "-3"),
		where("zero", "o.k = ?", []any{0}, "0"),
		where("a slice", "o.k = ?", []any{[]int{1}}, "any of orders"),
	})
	checkKeys(t, "sqlite postgres mysql", []keyRule{
		{"none at all", "SELECT id FROM orders", nil, "any of orders"},
		{"no sharded table", "SELECT code FROM countries WHERE k = 1", nil, ""},
		{"HAVING", "SELECT k FROM orders GROUP BY k HAVING k = 1", nil, "any of orders"},
		{"the list of columns", "SELECT k = 1 FROM orders", nil, "any of orders"},
		{"the tenant's condition moves the arguments", "SELECT b.id FROM bills b WHERE b.k IN (?, ?)", two, "1 2"},
		{"a tenant's condition and a key", "SELECT b.id FROM bills b WHERE b.tenant_id = ? AND b.k = ?", []any{"a", 1}, "1"},
		{"text", "SELECT id FROM people WHERE name = ? OR name = 'bob'", []any{"ann"}, "ann bob"},
		{"text that differs", "SELECT id FROM people WHERE name = ? AND name = 'bob'", []any{"ann"}, "none"},
		{"text that may be equal in a collation", "SELECT id FROM people WHERE name = ? AND name = 'bob'", []any{"BOB"}, "BOB"},
		{"a number for text", "SELECT id FROM people WHERE name = ?", []any{1}, "any of people"},
		{"a literal number for text", "SELECT id FROM people WHERE name = 1", nil, "any of people"},
		{
			"a UUID", "SELECT id FROM files WHERE uid = ? AND uid = '00000000-0000-0000-0000-00000000000a'",
			[]any{"00000000-0000-0000-0000-00000000000A"},
			"[0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 10]",
		},
		{"a UUID without dashes", "SELECT id FROM files WHERE uid = ?", []any{"0000000000000000000000000000000a"}, "any of files"},
		{"a literal for something else", "SELECT id FROM visits WHERE at = '2024-01-01'", nil, "any of visits"},
		{"something else and NULL", "SELECT id FROM visits WHERE at = ? AND at = NULL", one, "none"},
		{"two of something else", "SELECT id FROM visits WHERE at = ? AND at = ?", two, "1"},
	})
	checkKeys(t, "postgres", []keyRule{
		where("a cast that changes nothing", "o.k = ?::bigint", one, "1"),
		where("a cast that may", "o.k = ?::numeric", one, "any of orders"),
		where("a cast of the key to text", "o.k::text = ?", []any{"1"}, "any of orders"),
		where("ANY of an array", "o.k = ANY(?)", []any{[]int{1}}, "any of orders"),
		where("a negative literal", "o.k = -3", nil, "-3"),
		where("a distinction", "o.k IS NOT DISTINCT FROM ?", one, "any of orders"),
		{"an alias of the columns", "SELECT a FROM orders AS o (a, k) WHERE o.k = 1", nil, "refused: table orders: its columns have other names here"},
		{"one argument for two", "SELECT o.id FROM orders o JOIN items i ON o.id = i.oid WHERE o.k = $1 AND i.k = $1", one, "1 1 apart"},
	})
	checkKeys(t, "mysql", []keyRule{
		where("the equality of NULLs", "o.k <=> ?", one, "any of orders"),
		where("exclusive or", "o.k = ? XOR o.k = ?", two, "any of orders"),
		where("double quotes", `o.k = "1"`, nil, "any of orders"),
	})
	checkKeys(t, "sqlite", []keyRule{
		where("IS", "o.k IS ?", one, "any of orders"),
		where("a collation", "o.k = '1' COLLATE NOCASE", nil, "any of orders"),
		where("a number in base 16", "o.k = 0x10", nil, "any of orders"),
	})
}

// TestKeysOfLongLists shows that one plan serves lists of all lengths.
func TestKeysOfLongLists(t *testing.T) {
	for dialect, analyzer := range analyzers() {
		prover := sqlproof.NewProver(analyzer, sharded(), 0)
		for _, n := range []int{1, 2, 5, 300} {
			var args, want []any
			var marks []string
			for i := range n {
				args, marks = append(args, i), append(marks, "?")
				want = append(want, int64(i))
			}
			list := "(" + strings.Join(marks, ", ") + ")"
			sql := dollars(dialect, "SELECT b.id FROM bills b WHERE b.x IN "+list+" AND b.k IN "+list+" AND b.y = ?")
			plan := prover.Prove(sql)
			require.Nil(t, plan.Refusal)
			var given []any
			given = append(append(append(given, make([]any, n)...), args...), "y")
			set, err := plan.Keys[0].Of(fill(plan, given))
			require.NoError(t, err)
			assert.Equal(t, want, set.Values, "%s %d", dialect, n)

			rows := strings.TrimSuffix(strings.Repeat("(?, ?), ", n), ", ")
			plan = prover.Prove(dollars(dialect, "INSERT INTO orders (id, k) VALUES "+rows))
			require.Nil(t, plan.Refusal)
			given = nil
			for i := range n {
				given = append(given, "id", i)
			}
			set, err = plan.Keys[0].Of(given)
			require.NoError(t, err)
			assert.Equal(t, want, set.Rows, "%s %d", dialect, n)
			given[2*(n/2)+1] = nil
			_, err = plan.Keys[0].Of(given)
			var missing *sqlproof.KeyError
			require.ErrorAs(t, err, &missing)
			assert.Equal(t, sqlproof.KeyError{Table: "orders", Column: "k", Row: n / 2}, *missing)
		}
	}
}
