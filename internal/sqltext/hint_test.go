package sqltext

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHint(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"/*+ MAX_EXECUTION_TIME(1000) */", "/* from the shop */", "USE INDEX (`idx_a`,`idx_b`)", "force index for order by (a)",
		"INDEXED BY idx", "NOT INDEXED", " /* a * b / c */ ", "/***/",
	} {
		require.True(t, Hint(text), text)
	}
	for _, text := range []string{
		"", ", orders", "USING orders", "/*!50000 , orders */", "/*M! x */", "/* a */ , orders /* b */", "/* a */, b", "USE INDEX (a), orders",
		"USE INDEX (a) JOIN b", "-- x", "/* open", "/* /* */ */", "INDEXED BY a, b", "NOT INDEXED, b", "/**/ , orders /**/", "/*a**/ , customers WHERE 1=1 OR (1=1 -- */", "/*/", "/* a //* b */", "/*",
	} {
		require.False(t, Hint(text), text)
	}
}
