package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRun(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	require.NoError(t, run(&out, filepath.Join(t.TempDir(), "shop.db")))
	text := out.String()
	acme, globex, found := strings.Cut(text, "The same handler, as globex")
	require.True(t, found)
	_, acme, found = strings.Cut(acme, "The same handler, as acme")
	require.True(t, found)
	globex, raw, found := strings.Cut(globex, "Raw SQL, as acme")
	require.True(t, found)
	require.Contains(t, raw, "ON `o`.`tenant_id` = \"acme\" AND (o.customer_id = c.id) WHERE `c`.`tenant_id` = \"acme\" GROUP BY")
	require.Contains(t, raw, "Ada has 1 order(s)")
	for _, name := range []string{"Ada", "Bob"} {
		require.Contains(t, acme, name)
		require.NotContains(t, globex, name)
	}
	require.Contains(t, globex, "Zoe")
	require.NotContains(t, acme, "Zoe")
	require.Equal(t, 7, strings.Count(text, "✗"), "refusals")
	require.Contains(t, text, "`customers`.`tenant_id` = \"acme\"", "the SQL that was sent")
	require.NotContains(t, text, "DROP TABLE", "SQL that was not sent")
	require.Contains(t, text, "3 customers of all tenants")
	require.NotContains(t, text, "\x1b[", "no colours where there is no terminal")
}
