package sqltext

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestChangesSession(t *testing.T) {
	t.Parallel()
	for _, sql := range []string{
		"SET search_path TO x", "/* x */ SET search_path TO x", "-- x\nSET ROLE x", "set/**/search_path to x", ";SET x TO y",
		"SELECT 1; SET x TO y", "SET LOCAL x TO y; COMMIT", "BEGIN", "ROLLBACK", "ALTER ROLE x SET search_path TO y", "RESET ALL",
		"DISCARD ALL", "USE x", "CREATE TEMP TABLE countries (a int)", "SELECT set_config('search_path', 'x', false)", "ATTACH 'x' AS y",
		"", "SELECT 'open", "CREATE OR REPLACE TEMPORARY TABLE x (a int)", "SELECT * INTO TEMP x FROM y", "FLUSH TABLES WITH READ LOCK",
	} {
		require.True(t, Postgres.ChangesSession(sql), sql)
	}
	for _, sql := range []string{
		"SELECT 1", "SELECT 1;", "SET LOCAL lock_timeout = 1", "SET TRANSACTION READ ONLY", "CREATE TABLE x (a int)", "UPDATE x SET a = 1",
		"ALTER TABLE x ADD a int", "DROP INDEX i",
	} {
		require.False(t, Postgres.ChangesSession(sql), sql)
	}
}
