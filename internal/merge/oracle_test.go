package merge_test

import (
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/internal/dialect"
	"github.com/gormtenancy/tenancy/internal/handover"
	"github.com/gormtenancy/tenancy/internal/merge"
)

// question is a query for one database, and for shards whose answers are merged.
type question struct {
	whole, shard string
	description  merge.Description
	sorted       bool // the order of the answer is decided
	args         []any
}

// TestOracle asks random questions of three databases and of one with all their rows: the answers are the same, in order, in
// values and in types.
func TestOracle(t *testing.T) {
	t.Parallel()
	everyEngine(t, func(t *testing.T, o *oracle) {
		t.Helper()
		seed := rand.Uint64()
		dice := rand.New(rand.NewPCG(seed, 1))
		o.fill(t, dice, 400)
		for i := range 400 {
			ask := o.rows
			if i%2 == 0 {
				ask = o.aggregates
			}
			q := ask(dice)
			want, wantTypes := read(t, o.whole, q.whole, q.args...)
			got, gotTypes := o.merged(t, q, merge.Options{Parallel: 1 + dice.IntN(4), Rows: 1 + dice.IntN(50), Bytes: 1 + dice.IntN(5000)})
			if !q.sorted {
				slices.Sort(want)
				slices.Sort(got)
			}
			require.Equal(t, want, got, "seed %d\n%s\n%s\n%+v", seed, q.whole, q.shard, q.description)
			require.Equal(t, wantTypes, gotTypes, "seed %d\n%s\n%s\n%+v", seed, q.whole, q.shard, q.description)
		}
	})
}

func (o *oracle) merged(t *testing.T, q question, options merge.Options) (rows, types []string) {
	t.Helper()
	return readMerged(t, q.description, options, o.sources(q.shard, q.args...)...)
}

// readMerged reads a merge as an application does.
func readMerged(t *testing.T, d merge.Description, options merge.Options, sources ...merge.Source) (rows, types []string) {
	t.Helper()
	merged, err := merge.Open(t.Context(), d, options, sources...)
	require.NoError(t, err, "%+v", d)
	pool := handover.Open()
	defer func() { require.NoError(t, pool.Close()) }()
	return read(t, pool, "", merged)
}

// read returns rows with their values and types as text.
func read(t *testing.T, db *sql.DB, query string, args ...any) (answer, types []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query, args...)
	require.NoError(t, err, query)
	answer, types, err = drain(rows)
	require.NoError(t, err, query)
	return answer, types
}

func drain(rows *sql.Rows) (answer, types []string, err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	columns, err := rows.ColumnTypes()
	if err != nil {
		return nil, nil, err
	}
	for _, c := range columns {
		types = append(types, c.Name()+" "+c.DatabaseTypeName())
	}
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return nil, nil, err
		}
		var b strings.Builder
		for _, v := range values {
			fmt.Fprintf(&b, "%T %v|", v, v)
		}
		answer = append(answer, b.String())
	}
	return answer, types, rows.Err()
}

// rows is a question for rows as they are.
func (o *oracle) rows(dice *rand.Rand) question {
	var q question
	d := merge.Description{Engine: o.engine}
	distinct := dice.IntN(3) == 0
	var list []oracleColumn
	for range 1 + dice.IntN(4) {
		if c := pick(dice, o.columns...); c.key || !distinct {
			list = append(list, c)
		}
	}
	id := oracleColumn{name: "id"}
	if len(list) == 0 || !distinct && dice.IntN(2) == 0 {
		list = append(list, id)
	}
	names := columnNames(list)
	shardList := slices.Clone(list)
	var orders []string
	if q.sorted = dice.IntN(4) > 0; q.sorted {
		var by []oracleColumn
		if distinct {
			by = slices.Clone(list)
			dice.Shuffle(len(by), func(i, j int) { by[i], by[j] = by[j], by[i] })
		} else {
			for range dice.IntN(3) {
				by = append(by, pick(dice, o.columns...))
			}
			by = append(by, id)
		}
		for _, c := range by {
			place := slices.IndexFunc(shardList, func(o oracleColumn) bool { return o.name == c.name })
			if place < 0 {
				place = len(shardList)
				shardList = append(shardList, c)
			}
			s, text := o.sort(dice, place, c.name)
			d.Order, orders = append(d.Order, s), append(orders, text)
		}
	}
	for _, c := range shardList {
		d.Collations = append(d.Collations, c.collation)
	}
	if len(shardList) > len(list) {
		d.Visible = len(list)
	}
	d.Distinct = distinct
	from := " FROM r"
	if dice.IntN(2) == 0 { // an argument makes go-sql-driver use the binary protocol
		from += " WHERE id >= " + o.mark(1)
		q.args = []any{dice.IntN(100)}
	}
	if len(orders) > 0 {
		from += " ORDER BY " + strings.Join(orders, ", ")
	}
	word := map[bool]string{true: "DISTINCT "}[distinct]
	q.whole = "SELECT " + word + strings.Join(names, ", ") + from
	q.shard = "SELECT " + word + strings.Join(columnNames(shardList), ", ") + from
	if q.sorted {
		o.limit(dice, &d, &q)
	}
	q.description = d
	return q
}

func columnNames(columns []oracleColumn) (names []string) {
	for _, c := range columns {
		names = append(names, c.name)
	}
	return names
}

func (o *oracle) sort(dice *rand.Rand, place int, name string) (merge.Sort, string) {
	s := merge.Sort{Column: place, Descending: dice.IntN(2) == 0}
	text := name
	if s.Descending {
		text += " DESC"
	}
	if o.engine != dialect.MySQL {
		s.Nulls = pick(dice, merge.NullsDefault, merge.NullsFirst, merge.NullsLast)
		text += []string{"", " NULLS FIRST", " NULLS LAST"}[s.Nulls]
	}
	return s, text
}

// limit adds LIMIT and OFFSET to both queries.
func (o *oracle) limit(dice *rand.Rand, d *merge.Description, q *question) {
	if dice.IntN(2) == 0 {
		return
	}
	limit := dice.Int64N(60)
	d.Limit = &limit
	if dice.IntN(2) == 0 {
		d.Offset = dice.Int64N(80)
	}
	q.whole += fmt.Sprintf(" LIMIT %d OFFSET %d", limit, d.Offset)
	if d.Groups == nil {
		q.shard += fmt.Sprintf(" LIMIT %d", limit+d.Offset)
	}
}

// TestOracleFloats: an order by a type that loses digits on its way is refused, and a cast is not.
func TestOracleFloats(t *testing.T) {
	t.Parallel()
	o := openMariaDB(t)
	for _, db := range append(o.shards[:], o.whole) {
		_, err := db.ExecContext(t.Context(), "CREATE TABLE r (f FLOAT)")
		require.NoError(t, err)
	}
	for i, f := range []string{"1.2345678", "1.2345676", "1.2345674"} {
		for _, db := range []*sql.DB{o.shards[i], o.whole} {
			_, err := db.ExecContext(t.Context(), "INSERT INTO r VALUES ("+f+")")
			require.NoError(t, err)
		}
	}
	d := merge.Description{Engine: dialect.MySQL, Order: []merge.Sort{{Column: 0}}}
	_, err := merge.Open(t.Context(), d, merge.Options{}, o.sources("SELECT f FROM r ORDER BY f")...)
	var refused *merge.UnmergeableError
	require.ErrorAs(t, err, &refused)
	const query = "SELECT f, CAST(f AS DOUBLE) AS f1 FROM r ORDER BY f"
	d.Order[0].Column = 1
	want, _ := read(t, o.whole, query)
	got, _ := o.merged(t, question{shard: query, description: d}, merge.Options{})
	require.Equal(t, want, got)
}
