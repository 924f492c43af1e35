package sqltext

import (
	"database/sql"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"
)

// hostile are conditions that try to reach the table b, or to get out of their parentheses.
var hostile = []string{
	"1) OR (1", "1) OR 1 --", "1) -- ", "1) --\n", "1 -- \n", "1 --\n OR 1", "1 /*", "1 /* /* */", "1 /* */ */", "1) /*", "1 */ OR (1",
	"1 --\r OR 1\n", "1 --\r) UNION SELECT secret FROM b --\n", "/*! 1 */", "/*!1) OR (1*/", "1 /*/ OR 1 /*/", "1; DROP TABLE b", "1;",
	"'", "''", "'''", "'a' OR 'b", `"`, `"a" OR "b`, "`", "`id` OR `id", "[", "[id] OR [id", "[id]]", "[']=' OR 1) --]", `'\' OR 1 --'`, `'\'' OR 1`,
	`"\" OR 1 --"`, "$a(')", "$a(') OR (' = ')", "@a(--)\n OR 1", ":a(/*) OR 1 OR (*/1)", "#1 OR 1\n", "$$ OR 1", "$$'$$ OR 1 --'",
	"(SELECT 1)", "id IN (SELECT secret FROM b)", "EXISTS (SELECT 1 FROM b)", "EXISTS(SELECT 1 FROM b)", "id = (SELECT max(secret) FROM b)",
	"id IN b", "id IN (b)", "id IN main.b", "id NOT IN b", `id IN "b"`, "id IN 'b'", "id IN [b]", "id IN `b`", "id IN/**/b", "id\nIN\nb", "(id, secret) IN b",
	"(id, 1) IN main . b", "id IN json_each('[1]')", "id IN pragma_table_info('b')", "id IN (VALUES (1))", "(VALUES (1))", "(WITH x AS (SELECT 1) SELECT * FROM x)",
	"id IN (WITH x AS (TABLE b) TABLE x)", "1 UNION SELECT secret FROM b", "1) UNION SELECT secret FROM b WHERE (1", "1) EXCEPT SELECT 1 WHERE (0",
	"1) INTERSECT SELECT id FROM b WHERE (1", "1)union select secret from b where(1", "1)\nUNION\nALL\nSELECT secret FROM b WHERE (1",
	"1.union select 1", "1e0union select 1", "0x1union select 1", ".1union select 1", `\Nunion select 1`, "\uFEFF(\uFEFFSELECT 1)", "(\uFEFFSELECT secret FROM b)",
	"(sELeCT secret FROM b)", "(SELECT/**/secret/**/FROM/**/b)", "(SELECT\vsecret FROM b)", "(\u00A0SELECT secret FROM b)", "o.select FROM b",
	"x IS DISTINCT FROM b", "(id IS DISTINCT FROM 1)", "1 GROUP BY 1) --\n", "1) GROUP BY (1", "1) ORDER BY (1", "1) LIMIT (1", "id ORDER BY id", "1 RETURNING id",
	"load_extension('x')", `"load_extension"('x')`, "[load_extension]('x')", "readfile('x')", "secret = b.secret", "b.id", "main.b.id = 1", "(id, secret) = b",
	"raise(abort, 'x')", "CASE WHEN 1 THEN 1", "CASE WHEN 1 THEN 1 ELSE", "id BETWEEN 1", "NOT", "id COLLATE", "id = ", "cast(id AS text)", "1 WINDOW w AS (PARTITION BY b)",
	"trim(id FROM b)", "extract(id FROM b)", "values(id)", "count(*) FILTER (WHERE 1)", "id = ?1", "id = $a", "id = :b", "secret IN ('b')",
	"1\x00) OR (1", "'\x00' OR 1", "\xff", "'\xff'", "1 AND\n--x\n1", "1 -/**/- 1", "1 /-- 1\n", "x'zz'", "x'00' OR 1", "1 OR 1", "name = 'a' OR 1 = 1",
}

func open(tb testing.TB) (db *sql.DB, other map[int64]bool) {
	tb.Helper()
	db, err := sql.Open("sqlite", ":memory:")
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, db.Close()) })
	db.SetMaxOpenConns(1)
	for _, statement := range []string{
		"CREATE TABLE a (id, name, secret)", "CREATE TABLE b (id, secret)",
		"INSERT INTO a VALUES (1, 'a', 1)", "INSERT INTO b VALUES (1, 2)",
	} {
		_, err := db.Exec(statement)
		require.NoError(tb, err)
	}
	var own int64
	require.NoError(tb, db.QueryRow("SELECT rootpage FROM sqlite_schema WHERE name = 'a'").Scan(&own))
	return db, map[int64]bool{own: true}
}

// rows counts what a query returns; it is not ok for an error.
func rows(db *sql.DB, query string) (n int, ok bool) {
	r, err := db.Query(query)
	if err != nil {
		return 0, false
	}
	defer func() { _ = r.Close() }() // r.Err has told
	for r.Next() {
		n++
	}
	return n, r.Err() == nil
}

// opens returns the root pages of the tables that SQLite would open for a query.
func opens(tb testing.TB, db *sql.DB, query string) (pages []int64) {
	tb.Helper()
	r, err := db.Query("EXPLAIN " + query)
	if err != nil {
		return nil
	}
	defer func() { require.NoError(tb, r.Close()) }()
	for r.Next() {
		var addr, p1, p2, p3, p5 int64
		var opcode string
		var p4, comment sql.NullString
		require.NoError(tb, r.Scan(&addr, &opcode, &p1, &p2, &p3, &p4, &p5, &comment))
		switch opcode {
		case "OpenRead", "OpenWrite", "ReopenIdx":
			pages = append(pages, p2)
		case "VOpen", "Clear", "Destroy":
			pages = append(pages, -1)
		}
	}
	require.NoError(tb, r.Err())
	return pages
}

func confined(tb testing.TB, db *sql.DB, own map[int64]bool, text string) {
	tb.Helper()
	if SQLite.Fragment(text, Expression) != "" {
		return
	}
	n, _ := rows(db, "SELECT id FROM a WHERE ("+text+") AND 0")
	require.Zero(tb, n, text)
	for _, query := range []string{"SELECT id FROM a WHERE (%s)", "SELECT (%s) FROM a", "SELECT id FROM a WHERE id = 1 AND (%s) ORDER BY id"} {
		for _, page := range opens(tb, db, fmt.Sprintf(query, text)) {
			require.True(tb, own[page], "%q opens %d", text, page)
		}
	}
}

// TestSQLite asks SQLite what it makes of the hostile conditions that pass.
func TestSQLite(t *testing.T) {
	t.Parallel()
	db, own := open(t)
	passed := 0
	for _, text := range hostile {
		confined(t, db, own, text)
		if SQLite.Fragment(text, Expression) == "" {
			passed++
		}
	}
	require.Greater(t, passed, 20, "so few are left that this shows nothing")

	// The oracle itself: it sees what gets through without Fragment.
	n, _ := rows(db, "SELECT id FROM a WHERE (1) OR (1) AND 0")
	require.Equal(t, 1, n)
	for _, text := range []string{"id IN (SELECT secret FROM b)", "(id, 1) IN main . b", "EXISTS (SELECT 1 FROM b)"} {
		reached := false
		for _, page := range opens(t, db, "SELECT id FROM a WHERE ("+text+")") {
			reached = reached || !own[page]
		}
		require.True(t, reached, text)
	}
}

// FuzzSQLite looks for a condition that passes and still reaches another table.
func FuzzSQLite(f *testing.F) {
	for _, text := range hostile {
		f.Add(text)
	}
	db, own := open(f)
	f.Fuzz(func(t *testing.T, text string) { confined(t, db, own, text) })
}
