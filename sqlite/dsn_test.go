package sqlite_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy/sqlite"
)

func TestOpenPath(t *testing.T) {
	t.Parallel()

	if runtime.GOOS == "windows" {
		t.Skip("most of these names are not allowed there")
	}

	for _, name := range []string{
		"plain.db",
		"a b.db",
		"a?b.db",
		"a?mode=memory&_pragma=x",
		"a#b.db",
		"a%20b.db",
		"a%b%",
		"a%00b.db",
		"a+b&c=d;e,f.db",
		`a\b"c'd.db`,
		"é世.db",
		"not\xffutf8.db",
		":memory:",
		"file:x.db",
		"file:x.db?mode=memory",
		" ",
		"*",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			dir := t.TempDir()

			for range 2 {
				db := open(t, sqlite.Open(filepath.Join(dir, name)))
				require.NoError(t, db.Exec("CREATE TABLE IF NOT EXISTS rows (id integer, name text)").Error)
				require.NoError(t, db.Create(&row{ID: 1}).Error)
				pool, err := db.DB()
				require.NoError(t, err)
				require.NoError(t, pool.Close())
			}

			// Closing folds the WAL in, so the database is the only file.
			entries, err := os.ReadDir(dir)
			require.NoError(t, err)
			require.Len(t, entries, 1)
			require.Equal(t, name, entries[0].Name())

			// Both times it was the same database.
			require.EqualValues(t, 2, count(t, open(t, sqlite.Open(filepath.Join(dir, name))), "rows"))
			// Doubled slashes are no host name.
			require.EqualValues(t, 2, count(t, open(t, sqlite.Open("/"+dir+"//"+name)), "rows"))
		})
	}
}

//nolint:paralleltest // changes the working directory
func TestOpenRelativePath(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)

	for _, path := range []string{"x?.db", "./file:y.db", "./:memory:", "c:z.db"} {
		require.NoError(t, open(t, sqlite.Open(path)).Exec("CREATE TABLE rows (id integer)").Error)
		require.FileExists(t, filepath.Join(dir, path))
	}
}

func TestOpenRefusesPath(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()

	for _, path := range []string{"", filepath.Join(dir, "a\x00b"), "file:" + filepath.Join(dir, "x.db"), "file::memory:?cache=shared"} {
		_, err := gorm.Open(sqlite.Open(path))
		require.ErrorIs(t, err, sqlite.ErrPath, "%q", path)
	}

	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, entries)
}
