package fanout_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/internal/fanout"
	"github.com/gormtenancy/tenancy/internal/merge"
	"github.com/gormtenancy/tenancy/internal/sqltext"
	"github.com/gormtenancy/tenancy/sqlproof/sqlite"
)

// filled returns databases of SQLite with some rows.
func filled(t testing.TB, shards, rows int) *oracle {
	t.Helper()
	dir := t.TempDir()
	o := &oracle{dialect: sqltext.SQLite, planner: fanout.New(sqlite.New())}
	for i := range shards + 1 {
		db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, fmt.Sprint(i))+"?_pragma=synchronous(off)&_pragma=journal_mode(wal)")
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, db.Close()) })
		_, err = db.ExecContext(t.Context(), `CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER, qty INTEGER, name TEXT, tag TEXT COLLATE NOCASE);
CREATE TABLE items (order_id INTEGER, label TEXT)`)
		require.NoError(t, err)
		if i == shards {
			o.whole = db
		} else {
			o.shards = append(o.shards, db)
		}
	}
	for id := range rows {
		for _, db := range []*sql.DB{o.whole, o.shards[id%shards]} {
			_, err := db.ExecContext(t.Context(), "INSERT INTO orders VALUES (?, ?, ?, ?, ?)", id, id%7, id%5, fmt.Sprintf("n%d", id%11), string(rune("aBcDEfgHiJklm"[id%13])))
			require.NoError(t, err)
			if id%3 == 0 {
				_, err = db.ExecContext(t.Context(), "INSERT INTO items VALUES (?, ?)", id, fmt.Sprint(id%4))
				require.NoError(t, err)
			}
		}
	}
	return o
}

// TestShapesOfGORM asks what GORM asks, of several shards and of one database.
func TestShapesOfGORM(t *testing.T) {
	t.Parallel()
	o := filled(t, 4, 100)
	for _, c := range []struct {
		sql  string
		args []any
	}{
		{"SELECT * FROM `orders` WHERE user_id = ? ORDER BY `orders`.`id` LIMIT ?", []any{3, 1}},
		{"SELECT * FROM `orders` ORDER BY `orders`.`id` DESC LIMIT ?", []any{1}},
		{"SELECT `orders`.`id`,`orders`.`qty`,`Item`.`label` AS `Item__label` FROM `orders` LEFT JOIN `items` `Item` ON `orders`.`id` = `Item`.`order_id` ORDER BY `Item__label` DESC, `orders`.`id` LIMIT 10 OFFSET 5", nil},
		{"SELECT `orders`.* FROM `orders` JOIN items ON items.order_id = orders.id ORDER BY items.label, orders.id", nil},
		{"SELECT count(*) FROM `orders` WHERE qty IN (?,?)", []any{1, 2}},
		{"SELECT COUNT(DISTINCT(`user_id`)) FROM `orders`", nil},
		{"SELECT count(*) FROM `orders` WHERE 1 = 0", nil},
		{"SELECT user_id, sum(qty) AS total FROM `orders` GROUP BY `user_id` HAVING total > ? ORDER BY total DESC, user_id LIMIT ?", []any{20, 3}},
		{"SELECT strftime('%Y', '2024-01-01') || user_id AS bucket, count(*) AS n FROM orders GROUP BY bucket ORDER BY bucket", nil},
		{"SELECT avg(qty) FROM orders", nil},
		{"SELECT id FROM orders ORDER BY tag DESC, id LIMIT -1 OFFSET 90", nil},
		{"SELECT id FROM orders ORDER BY id LIMIT ? OFFSET ?", []any{-1, 95}},
		{"SELECT id FROM orders ORDER BY id LIMIT ?", []any{0}},
		{"SELECT id FROM orders ORDER BY id LIMIT ? OFFSET ?", []any{int64(math.MaxInt64), 98}},
		{"SELECT id FROM orders ORDER BY id NULLS LAST LIMIT ?, ?", []any{7, 4}},
		{"SELECT (SELECT count(*) FROM items WHERE items.order_id = orders.id) AS n, id FROM orders ORDER BY n DESC, id", nil},
		{"WITH few AS (SELECT id, qty FROM orders WHERE qty > 1) SELECT id FROM few ORDER BY id", nil},
		{"SELECT t.id FROM (SELECT id, qty FROM orders) AS t WHERE t.qty = 2 ORDER BY t.id DESC", nil},
		{"SELECT DISTINCT * FROM orders", nil},
		{"SELECT user_id, min(tag) AS m FROM orders WHERE id < 20 GROUP BY user_id ORDER BY m, user_id", nil}, // by bytes, whatever tag has
		{"SELECT name FROM orders GROUP BY name ORDER BY name COLLATE NOCASE DESC", nil},
	} {
		names, rows, err := o.alone(t.Context(), c.sql, c.args)
		require.NoError(t, err, c.sql)
		mergedNames, merged, err := o.merged(t.Context(), c.sql, c.args)
		require.NoError(t, err, c.sql)
		assert.Equal(t, names, mergedNames, c.sql)
		if c.sql == "SELECT DISTINCT * FROM orders" {
			sortRows(rows)
			sortRows(merged)
		}
		assert.Equal(t, rows, merged, c.sql)
	}
}

// TestAliasOfAColumn shows that a name that may be a column's or an alias's is refused, if there is such a column.
func TestAliasOfAColumn(t *testing.T) {
	t.Parallel()
	o := filled(t, 2, 10)
	for _, text := range []string{
		"SELECT qty + 1 AS user_id, count(*) FROM orders GROUP BY user_id",
		"SELECT user_id, count(*) AS qty FROM orders GROUP BY user_id HAVING qty > 1",
		"SELECT *, 1 - id AS qty FROM orders ORDER BY qty",
	} {
		_, _, err := o.merged(t.Context(), text, nil)
		var u *fanout.Unmergeable
		require.ErrorAs(t, err, &u, text)
		require.Contains(t, u.Error(), "alias", text)
		require.Positive(t, u.Line, text)
	}
}

// TestLimitsThatAreNone shows which numbers of rows are refused.
func TestLimitsThatAreNone(t *testing.T) {
	t.Parallel()
	o := filled(t, 2, 10)
	for _, limit := range []any{nil, "3", 1.5, true} {
		_, _, err := o.merged(t.Context(), "SELECT id FROM orders LIMIT ?", []any{limit})
		var u *fanout.Unmergeable
		require.ErrorAs(t, err, &u, "%v", limit)
	}
	_, _, err := o.merged(t.Context(), "SELECT id FROM orders WHERE qty = ? LIMIT ?", []any{1})
	require.Error(t, err)
}

// TestSuffixes shows that tables in one database are asked by the names that they have at each place.
func TestSuffixes(t *testing.T) {
	t.Parallel()
	o := filled(t, 1, 0)
	r := o.request(nil)
	r.Places = nil
	for i, collation := range []string{"", "COLLATE NOCASE"} {
		suffix := fmt.Sprintf("_0%d", i)
		_, err := o.shards[0].ExecContext(t.Context(), "CREATE TABLE orders"+suffix+" (id INTEGER, name TEXT "+collation+"); INSERT INTO orders"+suffix+" VALUES (1, 'a'), (2, 'B')")
		require.NoError(t, err)
		r.Places = append(r.Places, fanout.Place{Name: suffix, Suffix: suffix})
	}
	r.Text = func(place int, query string) (string, error) {
		return strings.ReplaceAll(query, "orders", "orders"+r.Places[place].Suffix), nil
	}
	ask := r.Ask
	r.Ask = func(ctx context.Context, _ int, query string, args []any) (*sql.Rows, error) {
		return ask(ctx, 0, query, args)
	}
	plan, err := o.planner.Plan("SELECT id FROM orders ORDER BY id")
	require.NoError(t, err)
	rows, err := plan.Open(t.Context(), r)
	require.NoError(t, err)
	_, all, err := read(rows)
	require.NoError(t, err)
	require.Len(t, all, 4)

	plan, err = o.planner.Plan("SELECT id FROM orders ORDER BY name")
	require.NoError(t, err)
	rows, err = plan.Open(t.Context(), r)
	if err == nil {
		_, _, err = read(rows)
	}
	var u *fanout.Unmergeable
	require.ErrorAs(t, err, &u, "the two compare in two ways")
	require.Contains(t, u.Error(), "what ORDER BY sorts by")
}

var errCut = errors.New("the connection was cut")

// TestFailingShard shows that the error says which shard failed, and has the driver's in it.
func TestFailingShard(t *testing.T) {
	t.Parallel()
	o := filled(t, 3, 30)
	for _, text := range []string{"SELECT id FROM orders", "SELECT id FROM orders ORDER BY name", "SELECT count(*) FROM orders"} {
		plan, err := o.planner.Plan(text)
		require.NoError(t, err)
		r := o.request(nil)
		ask := r.Ask
		r.Ask = func(ctx context.Context, place int, query string, args []any) (*sql.Rows, error) {
			if place == 1 {
				return nil, errCut
			}
			return ask(ctx, place, query, args)
		}
		rows, err := plan.Open(t.Context(), r)
		if err == nil {
			_, _, err = read(rows)
		}
		var source *merge.SourceError
		require.ErrorAs(t, err, &source, text)
		require.Equal(t, "shard 1", source.Source)
		require.ErrorIs(t, err, errCut)
	}
}

// TestOnePlace shows that one place is asked for the whole.
func TestOnePlace(t *testing.T) {
	t.Parallel()
	o := filled(t, 1, 30)
	const text = "SELECT user_id, avg(qty) FROM orders GROUP BY user_id ORDER BY 2 DESC, 1 LIMIT ? OFFSET ?"
	_, rows, err := o.alone(t.Context(), text, []any{3, 1})
	require.NoError(t, err)
	_, merged, err := o.merged(t.Context(), text, []any{3, 1})
	require.NoError(t, err)
	require.Equal(t, rows, merged)
}

// TestTablesAreAskedOnce shows that what was found out of a table is remembered for each place.
func TestTablesAreAskedOnce(t *testing.T) {
	t.Parallel()
	o := filled(t, 2, 10)
	r := o.request(nil)
	ask, asked := r.Ask, make([]int, 2)
	r.Ask = func(ctx context.Context, place int, query string, args []any) (*sql.Rows, error) {
		if len(args) > 0 {
			asked[place]++
		}
		return ask(ctx, place, query, args)
	}
	for _, text := range []string{"SELECT id FROM orders ORDER BY name", "SELECT id FROM orders ORDER BY name", "SELECT DISTINCT tag FROM orders"} {
		plan, err := o.planner.Plan(text)
		require.NoError(t, err)
		rows, err := plan.Open(t.Context(), r)
		require.NoError(t, err)
		_, _, err = read(rows)
		require.NoError(t, err)
	}
	require.Equal(t, []int{1, 1}, asked)
}

func BenchmarkPlan(b *testing.B) {
	p := fanout.New(sqlite.New())
	for b.Loop() {
		if _, err := p.Plan("SELECT id, name FROM orders WHERE user_id = ? ORDER BY name LIMIT ?"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	o := filled(b, 4, 1000)
	for _, text := range []string{"SELECT id, name FROM orders ORDER BY name, id LIMIT 20", "SELECT user_id, count(*), sum(qty) FROM orders GROUP BY user_id"} {
		b.Run(text[:20], func(b *testing.B) {
			for b.Loop() {
				if _, _, err := o.merged(b.Context(), text, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
