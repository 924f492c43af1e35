package sqltext

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzFragment holds Fragment to what "complete in itself" means: a text that passes does so as well in parentheses,
// before a comment and next to another one.
func FuzzFragment(f *testing.F) {
	for _, text := range hostile {
		f.Add(text, "name = ?", uint8(0))
	}
	f.Add(longFragment, "a = $t$x$t$ AND b @> ARRAY[1]", uint8(Postgres))
	f.Add("VALUES(a)--1", "`a` # x\n", uint8(MySQL))
	f.Add("[a] IN (1)", "$a::b", uint8(SQLite))
	f.Fuzz(func(t *testing.T, text, other string, dialect uint8) {
		d := Dialect(dialect % 4)
		d.Fragment(other, Assignment)
		if d.Fragment(text, Assignment) == "" {
			require.Empty(t, d.Fragment(text, Expression))
		}
		if d.Fragment(text, Expression) != "" {
			return
		}
		require.Empty(t, d.Fragment("("+text+")", Expression))
		require.Empty(t, d.Fragment("("+text+")", Assignment))
		require.Empty(t, d.Fragment(text+" /* x */", Expression))
		if d.Fragment(other, Expression) == "" {
			require.Empty(t, d.Fragment(text+" AND "+other, Expression))
		}
	})
}

// FuzzParseTable holds ParseTable to reading what it has read once more when that is quoted.
func FuzzParseTable(f *testing.F) {
	for _, text := range []string{"orders", `"s"."orders"`, "orders AS o", "[orders] o", "(?) AS u", "`a``b` c", `"a""b"`, "ſ.é"} {
		for d := range uint8(4) {
			f.Add(text, d)
		}
	}
	quote := func(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
	f.Fuzz(func(t *testing.T, text string, dialect uint8) {
		d := Dialect(dialect % 4)
		expr, ok := d.ParseTable(text)
		if !ok {
			require.Zero(t, expr)
			return
		}
		again := "(?)"
		if !expr.Derived {
			again = quote(expr.Name)
			if expr.Schema != "" {
				again = quote(expr.Schema) + "." + again
			}
		}
		if expr.Alias != "" {
			again += " AS " + quote(expr.Alias)
		}
		same, ok := d.ParseTable(again)
		require.True(t, ok, again)
		require.Equal(t, expr, same)
	})
}
