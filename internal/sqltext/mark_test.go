package sqltext

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHidesMark(t *testing.T) {
	t.Parallel()
	for text, hides := range map[string]bool{
		"a = ?": false, "a = 'x' AND b IN (?)": false, "a = @name": false, "": false, "a /* b */ = ?": false,
		"a = '?'": true, `"?" = 1`: true, "a = 'x@y'": true, "a = ? /* ? */": true, "a = 1 /* @n */ + 2": true, "a = $$?$$": true, "a = '": true,
	} {
		require.Equal(t, hides, Postgres.HidesMark(text), text)
	}
	require.True(t, MySQL.HidesMark("a = `?`"))
}
