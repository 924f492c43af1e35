package rowsecurity

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/internal/testdb"
)

func TestSettingCheck(t *testing.T) {
	db := open(t, testdb.Postgres(t))
	long := strings.Repeat("x", 63)
	for _, good := range []Setting{"app.tenant_id", "a.b", "_a._b", "a.b.c", "a1.b2", "a$.b$", Setting(long + "." + long)} {
		require.NoError(t, good.Check(), good)
		var got string
		require.NoError(t, db.QueryRowContext(t.Context(), "SELECT set_config($1, 'x', true)", string(good)).Scan(&got))
		_, err := db.ExecContext(t.Context(), "SET LOCAL "+good.quoted()+" = 'x'")
		require.NoError(t, err)
	}
	for _, bad := range []Setting{
		"", "app", ".", "app.", ".tenant", "app..id", "app.1", "1.app", "App.tenant", "app.tenant id", "app.tenant'", "app.ä", "app.tenant\n",
		"app.tenant;", "role", "a-b.c", Setting(long + "x.a"), Setting("a." + long + "x"),
	} {
		require.Error(t, bad.Check(), bad)
	}
}

func TestLiteral(t *testing.T) {
	db := open(t, testdb.Postgres(t))
	for _, conforming := range []string{"on", "off"} {
		exec(t, db, "SET standard_conforming_strings = "+conforming, "SET backslash_quote = off")
		for _, text := range []string{"", "a", "it's", `\`, `\'`, `'; SELECT 1; --`, "ä€𝄞", "\n\t\x01\x7f", `E'\\'`, "$1", "''''"} {
			l, err := literal(text)
			require.NoError(t, err)
			conn, err := db.Conn(t.Context())
			require.NoError(t, err)
			require.NoError(t, conn.Raw(func(c any) error {
				results, err := unwrap(c).PgConn().Exec(t.Context(), "SELECT "+l).ReadAll()
				require.NoError(t, err)
				require.Len(t, results, 1)
				assert.Equal(t, text, string(results[0].Rows[0][0]))
				return nil
			}))
			require.NoError(t, conn.Close())
		}
	}
	for _, text := range []string{"\xff", "a\x00"} {
		_, err := literal(text)
		require.Error(t, err)
		assert.NotContains(t, err.Error(), text)
	}
}
