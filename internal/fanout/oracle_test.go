package fanout_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/gormtenancy/tenancy/internal/fanout"
	"github.com/gormtenancy/tenancy/internal/merge"
	"github.com/gormtenancy/tenancy/internal/sqltext"
	"github.com/gormtenancy/tenancy/internal/testdb"
	"github.com/gormtenancy/tenancy/sqlproof/mysql"
	"github.com/gormtenancy/tenancy/sqlproof/postgres"
	"github.com/gormtenancy/tenancy/sqlproof/sqlite"
)

// oracle is the same rows at several places, and in one database.
type oracle struct {
	dialect sqltext.Dialect
	planner *fanout.Planner
	whole   *sql.DB
	shards  []*sql.DB
	// binary and folded are types of text: by bytes, and in another way.
	binary, folded string
	collate        string // that compares by bytes
}

func (o *oracle) open(t *testing.T, driver string, n int, dsn func(i int) string) *oracle {
	t.Helper()
	for i := range n + 1 {
		db, err := sql.Open(driver, dsn(i))
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, db.Close()) })
		if i == n {
			o.whole = db
		} else {
			o.shards = append(o.shards, db)
		}
	}
	return o
}

// oracles returns one for each database.
func oracles(t *testing.T, dice *rand.Rand) map[string]*oracle {
	t.Helper()
	dir := t.TempDir()
	pick := func() int { return 2 + dice.IntN(4) }
	return map[string]*oracle{
		"sqlite": (&oracle{dialect: sqltext.SQLite, planner: fanout.New(sqlite.New()), binary: "TEXT", folded: "TEXT COLLATE NOCASE", collate: "BINARY"}).
			open(t, "sqlite", pick(), func(i int) string {
				return "file:" + filepath.Join(dir, fmt.Sprint(i)) + "?_pragma=synchronous(off)&_pragma=journal_mode(wal)"
			}),
		"postgres": (&oracle{dialect: sqltext.Postgres, planner: fanout.New(postgres.New()), binary: `TEXT COLLATE "C"`, folded: `TEXT COLLATE "und-x-icu"`, collate: `"C"`}).
			open(t, "pgx", pick(), func(int) string { return testdb.Postgres(t) }),
		"mariadb": (&oracle{dialect: sqltext.MySQL, planner: fanout.New(mysql.New()), binary: "VARCHAR(20) COLLATE utf8mb4_bin", folded: "VARCHAR(20) COLLATE utf8mb4_general_ci", collate: "utf8mb4_bin"}).
			open(t, "mysql", pick(), func(int) string { return testdb.MySQL(t) }),
	}
}

func (o *oracle) mark(n int) string {
	if o.dialect == sqltext.Postgres {
		return fmt.Sprintf("$%d", n)
	}
	return "?"
}

// fill puts rows into the whole, and each into one shard.
func (o *oracle) fill(t *testing.T, dice *rand.Rand, rows int) {
	t.Helper()
	create := "CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER, qty BIGINT, price DECIMAL(10,2), name " + o.binary + ", tag " + o.folded + ")"
	if o.dialect == sqltext.SQLite {
		create = strings.Replace(create, "DECIMAL(10,2)", "INTEGER", 1)
	}
	insert := fmt.Sprintf("INSERT INTO orders VALUES (%s, %s, %s, %s, %s, %s)", o.mark(1), o.mark(2), o.mark(3), o.mark(4), o.mark(5), o.mark(6))
	for _, db := range append(slices.Clone(o.shards), o.whole) {
		_, err := db.ExecContext(t.Context(), create)
		require.NoError(t, err)
	}
	text := func() any {
		return []any{nil, "a", "B", "ab", "b", "Ä", "z", ""}[dice.IntN(8)]
	}
	for id := range rows {
		row := []any{id, []any{nil, 1, 2, 3, 4}[dice.IntN(5)], []any{nil, dice.IntN(9) - 3}[dice.IntN(4)/3^1], dice.IntN(7), text(), []any{nil, "x", "y", "z"}[dice.IntN(4)]}
		for _, db := range []*sql.DB{o.whole, o.shards[dice.IntN(len(o.shards))]} {
			_, err := db.ExecContext(t.Context(), insert, row...)
			require.NoError(t, err)
		}
	}
}

func (o *oracle) request(args []any) fanout.Request {
	r := fanout.Request{
		Args: args,
		Ask: func(ctx context.Context, place int, query string, args []any) (*sql.Rows, error) {
			return o.shards[place].QueryContext(ctx, query, args...)
		},
		Text: func(_ int, query string) (string, error) { return query, nil },
	}
	for i := range o.shards {
		r.Places = append(r.Places, fanout.Place{Name: fmt.Sprintf("shard %d", i), Database: fmt.Sprint(i)})
	}
	return r
}

// merged returns the answer of all shards.
func (o *oracle) merged(ctx context.Context, query string, args []any) ([]string, [][]string, error) {
	plan, err := o.planner.Plan(query)
	if err != nil {
		return nil, nil, err
	}
	rows, err := plan.Open(ctx, o.request(args))
	if err != nil {
		return nil, nil, err
	}
	return read(rows)
}

// alone returns the answer of the one database.
func (o *oracle) alone(ctx context.Context, query string, args []any) ([]string, [][]string, error) {
	rows, err := o.whole.QueryContext(ctx, query, args...) //nolint:rowserrcheck // read does
	if err != nil {
		return nil, nil, err
	}
	all, err := merge.SQLRows(rows)
	if err != nil {
		return nil, nil, err
	}
	return read(all)
}

func read(rows driver.Rows) (names []string, all [][]string, err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	names = rows.Columns()
	values := make([]driver.Value, len(names))
	for {
		err := rows.Next(values)
		if errors.Is(err, io.EOF) {
			return names, all, nil
		}
		if err != nil {
			return nil, nil, err
		}
		row := make([]string, len(values))
		for i, v := range values {
			if b, ok := v.([]byte); ok {
				v = string(b)
			}
			row[i] = fmt.Sprintf("%T %v", v, v)
		}
		all = append(all, row)
	}
}

// question is a statement of chance.
type question struct {
	*oracle
	dice  *rand.Rand
	args  []any
	total bool // ORDER BY leaves no ties
	some  bool // LIMIT without a total order: any of them may be given
}

func (q *question) one(of ...string) string { return of[q.dice.IntN(len(of))] }

func (q *question) chance(n int) bool { return q.dice.IntN(n) == 0 }

func (q *question) bind(v any) string {
	q.args = append(q.args, v)
	return q.mark(len(q.args))
}

func (q *question) where() string {
	switch q.dice.IntN(6) {
	case 0:
		return " WHERE qty > " + q.bind(q.dice.IntN(8)-3)
	case 1:
		return " WHERE user_id IN (" + q.bind(1) + ", " + q.bind(3) + ") AND (price < " + q.bind(4) + " OR name IS NULL)"
	case 2:
		return " WHERE id < 0"
	default:
		return ""
	}
}

func (q *question) limit() string {
	switch q.dice.IntN(6) {
	case 0:
		q.some = true
		return " LIMIT " + q.bind(q.dice.IntN(12))
	case 1:
		q.some = true
		return " LIMIT " + q.bind(q.dice.IntN(12)) + " OFFSET " + q.bind(q.dice.IntN(30))
	case 2:
		q.some = true
		return fmt.Sprintf(" LIMIT %d OFFSET %d", q.dice.IntN(5), q.dice.IntN(90))
	default:
		return ""
	}
}

func (q *question) rows() string {
	list := q.one("*", "orders.*", "id, name", "name, qty AS n, id", "orders.id, orders.user_id", "id, price, tag", "*, qty + 1 AS more", "id, COALESCE(qty, 0) AS n")
	text := "SELECT " + list + " FROM orders" + q.where()
	var order []string
	for range q.dice.IntN(3) {
		key := q.one("user_id", "orders.qty", "price", "name", "qty + user_id", "name COLLATE "+q.collate, "tag COLLATE "+q.collate, "tag", "abs(qty)")
		order = append(order, key+q.one("", " ASC", " DESC"))
	}
	if q.chance(2) {
		order, q.total = append(order, q.one("id", "orders.id", "id DESC")), true
	}
	if len(order) > 0 {
		text += " ORDER BY " + strings.Join(order, ", ")
	}
	return text + q.limit()
}

func (q *question) distinct() string {
	columns := []string{"user_id", "name", "qty", "price", "tag"}
	q.dice.Shuffle(len(columns), func(i, j int) { columns[i], columns[j] = columns[j], columns[i] })
	columns = columns[:1+q.dice.IntN(3)]
	text := "SELECT DISTINCT " + strings.Join(columns, ", ") + " FROM orders" + q.where()
	if q.chance(2) {
		q.total = true
		text += " ORDER BY " + strings.Join(columns, q.one(", ", " DESC, "))
	}
	return text + q.limit()
}

func (q *question) aggregate() string {
	return q.one("count(*)", "COUNT(qty)", "sum(qty)", "SUM(price)", "min(qty)", "max(price)", "avg(qty)", "AVG(price)", "count(DISTINCT qty)",
		"sum(DISTINCT qty)", "avg(DISTINCT price)", "max(name)", "min(tag)", "count(DISTINCT(name))", "COALESCE(SUM(qty), 0)", "sum(qty) / 2", "count(1)",
		"count(DISTINCT tag)")
}

func (q *question) groups() string {
	keys := []string{"user_id", "name", "tag", "price", "qty + 1", "orders.user_id"}
	q.dice.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	keys = keys[:q.dice.IntN(3)]
	var list []string
	for _, k := range keys {
		if !q.chance(4) {
			list = append(list, k+q.one("", "", " AS k"+fmt.Sprint(len(list))))
		}
	}
	for range 1 + q.dice.IntN(3) {
		list = append(list, q.aggregate()+q.one("", " AS g"+fmt.Sprint(len(list))))
	}
	text := "SELECT " + strings.Join(list, ", ") + " FROM orders" + q.where()
	if len(keys) > 0 {
		text += " GROUP BY " + strings.Join(keys, ", ")
	}
	switch q.dice.IntN(6) {
	case 0:
		text += " HAVING count(*) > " + q.bind(q.dice.IntN(6))
	case 1:
		text += " HAVING NOT (sum(qty) BETWEEN 1 AND " + q.bind(6) + ") OR max(price) IS NULL"
	case 2:
		if len(keys) > 0 {
			text += " HAVING " + keys[0] + " IS NOT NULL AND count(*) IN (1, 2, " + q.bind(4) + ")"
		}
	}
	if len(keys) > 0 && q.chance(2) {
		q.total = true
		text += " ORDER BY " + q.one("", "count(*) DESC, ", "sum(qty), ") + strings.Join(keys, q.one(", ", " DESC, "))
	}
	return text + q.limit()
}

func (q *question) ask() string {
	switch q.dice.IntN(5) {
	case 0, 1:
		return q.rows()
	case 2:
		return q.distinct()
	default:
		return q.groups()
	}
}

// TestAsOneDatabase asks questions of chance of several shards and of one database with all rows.
func TestAsOneDatabase(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	if testing.Short() {
		t.Skip("asks many questions")
	}
	dice := rand.New(rand.NewPCG(seed, 1))
	for name, o := range oracles(t, dice) {
		own := rand.New(rand.NewPCG(seed, 2))
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			t.Logf("seed %d", seed)
			o.fill(t, own, 120)
			const questions = 700
			answered, wrong := 0, 0
			refused := map[string]int{}
			for range questions {
				q := &question{oracle: o, dice: own}
				text := q.ask()
				names, rows, err := o.alone(t.Context(), text, q.args)
				if err != nil {
					wrong++ // the database does not take it
					continue
				}
				mergedNames, merged, err := o.merged(t.Context(), text, q.args)
				if u, ok := errors.AsType[*fanout.Unmergeable](err); ok {
					refused[u.Why]++
					continue
				}
				require.NoError(t, err, "%s %v", text, q.args)
				answered++
				require.Equal(t, names, mergedNames, "%s %v", text, q.args)
				if !q.total && q.some {
					require.Len(t, merged, len(rows), "%s %v", text, q.args)
					continue
				}
				if !q.total {
					sortRows(rows)
					sortRows(merged)
				}
				require.Equal(t, rows, merged, "%s %v", text, q.args)
			}
			t.Logf("%d answered, %d not the database's, refused: %v", answered, wrong, refused)
			require.Greater(t, answered, questions*2/5, "refused: %v", refused)
		})
	}
}

func sortRows(rows [][]string) {
	slices.SortFunc(rows, func(a, b []string) int { return slices.Compare(a, b) })
}
