package sqltext

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseTable(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 64)
	for _, c := range []struct {
		text string
		want TableExpr
		in   []Dialect
	}{
		{"orders", TableExpr{Name: "orders"}, everywhere},
		{" orders\n", TableExpr{Name: "orders"}, everywhere},
		{"s.orders", TableExpr{Schema: "s", Name: "orders"}, everywhere},
		{`"s"."orders"`, TableExpr{Schema: "s", Name: "orders"}, everywhere},
		{`"a ""b""" "c.d"`, TableExpr{Name: `a "b"`, Alias: "c.d"}, everywhere},
		{"orders AS o", TableExpr{Name: "orders", Alias: "o"}, everywhere},
		{"orders  as\to", TableExpr{Name: "orders", Alias: "o"}, everywhere},
		{"orders o", TableExpr{Name: "orders", Alias: "o"}, everywhere},
		{"orders asx", TableExpr{Name: "orders", Alias: "asx"}, everywhere},
		{`"select" AS "from"`, TableExpr{Name: "select", Alias: "from"}, everywhere},
		{"größe", TableExpr{Name: "größe"}, everywhere},
		{"a$1", TableExpr{Name: "a$1"}, []Dialect{Postgres, MySQL, SQLite}},
		{"`s`.`a``b` o", TableExpr{Schema: "s", Name: "a`b", Alias: "o"}, []Dialect{MySQL, SQLite}},
		{"[s].[a\"b] AS [o]", TableExpr{Schema: "s", Name: `a"b`, Alias: "o"}, []Dialect{SQLite}},
		{"(?) AS u", TableExpr{Derived: true, Alias: "u"}, everywhere},
		{"(?) u", TableExpr{Derived: true, Alias: "u"}, everywhere},
		{`(?) as "u"`, TableExpr{Derived: true, Alias: "u"}, everywhere},
		{"(?)", TableExpr{Derived: true}, everywhere},
		{long, TableExpr{Name: long}, []Dialect{MySQL, SQLite, Unknown}},
		{"", TableExpr{}, nil},
		{"orders, b", TableExpr{}, nil},
		{"orders JOIN b", TableExpr{}, nil},
		{"orders o JOIN b", TableExpr{}, nil},
		{"orders AS", TableExpr{}, nil},
		{"orders AS AS", TableExpr{}, nil},
		{"orders WHERE", TableExpr{}, nil},
		{"orders NATURAL", TableExpr{}, nil},
		{"ONLY orders", TableExpr{}, nil},
		{"LATERAL orders", TableExpr{}, nil},
		{"TABLE orders", TableExpr{}, nil},
		{"SELECT", TableExpr{}, nil},
		{"orders(1)", TableExpr{}, nil},
		{"orders o(a)", TableExpr{}, nil},
		{"orders -- x", TableExpr{}, nil},
		{"orders /* x */ o", TableExpr{}, nil},
		{"orders; x", TableExpr{}, nil},
		{"orders *", TableExpr{}, nil},
		{"a.b.c", TableExpr{}, nil},
		{"a.", TableExpr{}, nil},
		{".a", TableExpr{}, nil},
		{"a . b", TableExpr{}, nil},
		{"1a", TableExpr{}, nil},
		{"$a", TableExpr{}, nil},
		{"\uFEFForders", TableExpr{}, nil},
		{"orders\u00A0o", TableExpr{}, nil},
		{"orders\x00", TableExpr{}, nil},
		{"\"a\xff\"", TableExpr{}, nil},
		{`"a`, TableExpr{}, nil},
		{`""`, TableExpr{}, nil},
		{`"a\"`, TableExpr{}, nil},
		{`"a\b"`, TableExpr{}, nil},
		{`"a"b`, TableExpr{}, nil},
		{`"a"AS b`, TableExpr{}, nil},
		{"'orders'", TableExpr{}, nil},
		{`U&"a"`, TableExpr{}, nil},
		{"(?)u", TableExpr{}, nil},
		{"(?) AS u, b", TableExpr{}, nil},
		{"(?), (?)", TableExpr{}, nil},
		{"(SELECT 1) AS u", TableExpr{}, nil},
		{"?", TableExpr{}, nil},
		{"[]", TableExpr{}, nil},
		{"[a", TableExpr{}, nil},
	} {
		t.Run(c.text, func(t *testing.T) {
			t.Parallel()
			for _, d := range everywhere {
				want, readable := TableExpr{}, false
				for _, in := range c.in {
					if in == d {
						want, readable = c.want, true
					}
				}
				expr, ok := d.ParseTable(c.text)
				require.Equal(t, readable, ok, d.label())
				require.Equal(t, want, expr, d.label())
			}
		})
	}
}

func TestParseTableDoesNotAllocate(t *testing.T) {
	require.Zero(t, testing.AllocsPerRun(10, func() { Postgres.ParseTable(`"s"."orders" AS "o"`) }))
	require.Zero(t, testing.AllocsPerRun(10, func() { MySQL.ParseTable("orders o") }))
}

func TestPlainName(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"a", "orders.id", "s.orders.id", "_a$1", "größe", "ชื่อ", "1", "2fa", "select"} {
		require.True(t, PlainName(s), s)
	}
	for _, s := range []string{
		"", ".", "a.", ".a", "a..b", "$", "$$", "a.$b", "a b", "a-b", "a;", `"a"`, "a(", "a'", "a*", "\u00A0", "\uFEFFa", "a\xff", "a\x00", "a\n", "?", "é\u2028",
	} {
		require.False(t, PlainName(s), s)
	}
}
