package sqltext

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMentions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, names, want string
	}{
		{"SELECT * FROM orders", "users orders", "orders"},
		{"SELECT * FROM Orders", "orders", "orders"},
		{"SELECT * FROM ORDER\u017F", "orders", "orders"},
		{"SELECT * FROM \u212Ainds", "kinds", "kinds"},
		{"SELECT * FROM GRÖSSE", "grösse", "grösse"},
		{"SELECT * FROM σς", "σσ", "σσ"},
		{`SELECT * FROM "orders"`, "orders", "orders"},
		{"SELECT 1 -- orders", "orders", "orders"},
		{"SELECT 1 /*orders*/", "orders", "orders"},
		{"SELECT 1 FROM /*!50000orders*/", "orders", "orders"},
		{"SELECT query_to_xml('table orders')", "orders", "orders"},
		{"SELECT x($$orders$$)", "orders", "orders"},
		{`SELECT x(E'table\norders')`, "orders", "orders"},
		{"SELECT * FROM s.orders", "orders", "orders"},
		{`SELECT * FROM "s" . orders`, "s.orders", "s.orders"},
		{`SELECT * FROM "a""b"`, `a"b`, `a"b`},
		{"SELECT * FROM reorders, orders", "orders", "orders"},
		{"SELECT * FROM " + strings.Repeat("a", 70), strings.Repeat("a", 63), strings.Repeat("a", 63)},
		{`SELECT * FROM U&"\006frders"`, "orders", "U&"},
		{"SELECT u&'x'", "", "U&"},
		{"SELECT 1", "orders", ""},
		{"", "orders", ""},
		{"SELECT * FROM orders_archive, reorders, my_orders, orders2", "orders", ""},
		{"SELECT * FROM " + strings.Repeat("a", 63), strings.Repeat("a", 62), ""},
		{"SELECT u & 'x', U&x", "orders", ""},
	} {
		t.Run(c.text, func(t *testing.T) {
			t.Parallel()
			name, found := Mentions(c.text, slices.Values(strings.Fields(c.names)))
			require.Equal(t, c.want, name)
			require.Equal(t, c.want != "", found)
		})
	}
	_, found := Mentions("SELECT 1", nil)
	require.False(t, found)
	_, found = Mentions("SELECT 1", slices.Values([]string{""}))
	require.False(t, found)
	name, _ := Mentions("SELECT 1", slices.Values([]string{`"`})) // its quoted spelling cannot be told
	require.Equal(t, `"`, name)
	name, _ = Mentions("a b", slices.Values([]string{"a."}))
	require.Equal(t, "a.", name)
}
