package sqlproof_test

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/gormtenancy/tenancy/internal/testdb"
)

// database is one database with the tables of the corpus.
type database struct {
	*sql.DB
	tables []string
	named  func(table string) string // what tables are called here; nil: as they are
}

// name returns how a table is named in a statement.
func (db *database) name(table string) string {
	if db.named == nil {
		return table
	}
	return db.named(table)
}

// pair are two databases: both has the rows of tenants a and b, alone only those of a.
type pair struct {
	both, alone database
	others      map[string]int // the rows of both that alone has not
}

// open opens an empty database of one connection.
func open(t testing.TB, dialect string) *sql.DB {
	t.Helper()
	driver, dsn := "sqlite", ":memory:"
	switch dialect {
	case "postgres":
		driver, dsn = "pgx", testdb.Postgres(t)+"&default_query_exec_mode=describe_exec&jit=off"
	case "mysql":
		driver, dsn = "mysql", testdb.MySQL(t)
	}
	db, err := sql.Open(driver, dsn)
	require.NoError(t, err)
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// newPair makes the databases. Where a is alone, the tenant column has a default: the application need not fill it in.
func newPair(t testing.TB, dialect string) *pair {
	t.Helper()
	schema := readCorpus(t, dialect, "schema.sql")
	column := regexp.MustCompile(`(?m)^( +tenant_id .* NOT NULL),$`)
	require.Len(t, column.FindAllString(schema, -1), 11)
	p := &pair{
		both:  load(t, dialect, schema, "global.sql", "tenant_a.sql", "tenant_b.sql"),
		alone: load(t, dialect, column.ReplaceAllString(schema, "$1 DEFAULT '"+subject+"',"), "global.sql", "tenant_a.sql"),
	}
	p.others = counted(p.both.snapshot(t, p.both.DB))
	subtract(p.others, p.alone.snapshot(t, p.alone.DB))
	require.Greater(t, len(p.others), 100)
	return p
}

func load(t testing.TB, dialect, schema string, files ...string) database {
	t.Helper()
	db := database{DB: open(t, dialect)}
	exec := func(statement string) {
		_, err := db.ExecContext(t.Context(), statement)
		require.NoError(t, err, statement)
	}
	for _, m := range regexp.MustCompile(`(?m)^CREATE TABLE (\w+)`).FindAllStringSubmatch(schema, -1) {
		db.tables = append(db.tables, m[1])
	}
	for statement := range strings.SplitSeq(schema, ";") {
		if strings.TrimSpace(statement) != "" {
			exec(statement)
		}
	}
	exec("BEGIN")
	for _, file := range files {
		for line := range strings.Lines(readCorpus(t, dialect, file)) {
			if strings.TrimSpace(line) != "" {
				exec(strings.TrimRight(line, ";\n"))
			}
		}
	}
	exec("COMMIT")
	return db
}

// patience is how long a statement may take.
const patience = 20 * time.Second

// outcome is what a statement gives.
type outcome struct {
	columns []string
	rows    []string
	tables  []string // all rows of all tables after a write
	err     error
}

type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// run runs a statement. What it writes is read and then undone.
func (db *database) run(t testing.TB, text string, args []any, write bool, patience time.Duration) (o outcome) {
	t.Helper()
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		return outcome{err: err}
	}
	defer tx.Rollback() //nolint:errcheck // nothing is to be kept
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	o.columns, o.rows, o.err = collect(ctx, tx, text, args)
	if ctx.Err() != nil {
		o.err = ctx.Err()
	}
	if o.err == nil && write {
		o.tables = db.snapshot(t, tx)
	}
	return o
}

// snapshot reads all rows of all tables, in an order that does not depend on the database.
func (db *database) snapshot(t testing.TB, from queryer) []string {
	t.Helper()
	var all []string
	for _, table := range db.tables {
		_, rows, err := collect(t.Context(), from, "SELECT * FROM "+db.name(table), nil)
		require.NoError(t, err)
		for _, row := range rows {
			all = append(all, table+": "+row)
		}
	}
	slices.Sort(all)
	return all
}

// collect reads all rows that a statement returns, as texts.
func collect(ctx context.Context, from queryer, text string, args []any) (columns, all []string, err error) {
	rows, err := from.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close() //nolint:errcheck // Err is asked below
	if columns, err = rows.Columns(); err != nil {
		return nil, nil, err
	}
	values, pointers := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		pointers[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(pointers...); err != nil {
			return nil, nil, err
		}
		shown := make([]string, len(values))
		for i, v := range values {
			shown[i] = show(v)
		}
		all = append(all, strings.Join(shown, " | "))
	}
	return columns, all, rows.Err()
}

func show(v any) string {
	switch v := v.(type) {
	case nil:
		return "NULL"
	case []byte:
		return string(v)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	default:
		return fmt.Sprint(v)
	}
}

// counted counts lines.
func counted(lines []string) map[string]int {
	count := make(map[string]int, len(lines))
	for _, l := range lines {
		count[l]++
	}
	return count
}

// subtract takes lines off, each as often as it occurs. A count below zero stays.
func subtract(count map[string]int, lines []string) {
	for _, l := range lines {
		if count[l]--; count[l] == 0 {
			delete(count, l)
		}
	}
}

// differ tells how what a statement gave on both differs from what the original gave on alone; "" if it does not. After a
// write, both must have the rows that alone has, and those that it had besides before.
func (p *pair) differ(both, alone outcome, unordered bool) string {
	if both.err != nil || alone.err != nil {
		return fmt.Sprintf("errors: %v\nalone: %v", both.err, alone.err)
	}
	if !slices.Equal(both.columns, alone.columns) {
		return fmt.Sprintf("columns: %q\nalone: %q", both.columns, alone.columns)
	}
	got, want := both.rows, alone.rows
	if unordered {
		got, want = slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))
	}
	if !slices.Equal(got, want) {
		return fmt.Sprintf("%d rows:%s\nalone has %d:%s", len(got), head(got), len(want), head(want))
	}
	if both.tables == nil && alone.tables == nil {
		return ""
	}
	left := counted(both.tables)
	subtract(left, alone.tables)
	var wrong []string
	for line, n := range left {
		if n != p.others[line] {
			wrong = append(wrong, fmt.Sprintf("%+d × %s", n-p.others[line], line))
		}
	}
	for line, n := range p.others {
		if left[line] == 0 {
			wrong = append(wrong, fmt.Sprintf("%+d × %s", -n, line))
		}
	}
	if len(wrong) == 0 {
		return ""
	}
	slices.Sort(wrong)
	return fmt.Sprintf("%d rows of the tables afterwards (+ are too many):%s", len(wrong), head(wrong))
}

// head is as much of a list as a message should have.
func head(lines []string) string {
	const most = 12
	rest := ""
	if len(lines) > most {
		lines, rest = lines[:most], "\n  …"
	}
	return "\n  " + strings.Join(lines, "\n  ") + rest
}
