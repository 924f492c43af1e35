package sqltext

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHiddenMarks(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"a = ?": nil, "a = 'x' AND b IN (?)": nil, "a = @name": nil, "": nil, "a /* b */ = ?": nil, "a - ? / 2": nil,
		"a = '?'": {"?"}, `"?" = 1`: {"?"}, "a = 'x@y.z'": {"y"}, "a = ? /* ? */": {"?"}, "a = 1 /* @n */ + 2": {"n"},
		"a = $$?$$": {"?"}, "a LIKE '%?%' AND b = ?": {"?"}, "a = '@' AND b = ?": nil,
	} {
		require.Equal(t, want, slices.Collect(func(yield func(string) bool) { Postgres.HiddenMarks(text, yield) }), text)
	}
	require.Equal(t, []string{"?"}, slices.Collect(func(yield func(string) bool) { MySQL.HiddenMarks("a = `?`", yield) }))
}

func TestOpenMarks(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"SELECT * FROM `a` WHERE `b` = ?": 1, "a IN (?,?) AND b = '?'": 2, "a = ?/*?*/": 1, "": 0, "`?` = 1 AND ? = ?": 2,
	} {
		n, ok := SQLite.OpenMarks(text)
		require.True(t, ok, text)
		require.Equal(t, want, n, text)
	}
	_, ok := SQLite.OpenMarks("a = 'open")
	require.False(t, ok)
}

func TestStandsAlone(t *testing.T) {
	t.Parallel()
	for text, alone := range map[string]bool{
		"a = ?": true, "(?)": true, "a > ? + 1": true, "f(?,1)": true, "?": true,
		"SEL? 1": false, "?x": false, "'?'": false, "a.?": false, "??": false, "$?": false,
		"a IN ?": false, "a in\n?": false, "a IN (?)": true, "inn = ?": true, "min ?": true,
	} {
		require.Equal(t, alone, SQLite.StandsAlone(text, 0), text)
	}
	require.False(t, SQLite.StandsAlone("a = ? AND b IN ?", 1))
	require.True(t, Postgres.StandsAlone("a IN ?", 0))
	require.True(t, SQLite.NamedStandAlone("a = @x AND b IN (@y)"))
	require.False(t, SQLite.NamedStandAlone("SEL@x"))
	require.False(t, SQLite.NamedStandAlone("a IN @x"))
}
