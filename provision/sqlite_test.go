package provision_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	gormsqlite "gorm.io/driver/sqlite"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy/internal/locks"
	"github.com/gormtenancy/tenancy/provision"
	"github.com/gormtenancy/tenancy/sqlite"
)

// files are the names in a folder.
func files(t *testing.T, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	names := []string{}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// TestFilesBesideADatabase holds that all that SQLite has put beside a database goes with it, and nothing of another one.
func TestFilesBesideADatabase(t *testing.T) {
	t.Parallel()
	k := onSQLite(t)
	folder := filepath.Dir(k.beside)
	dsn, other := k.dsn(t, "a"), k.dsn(t, "a.db-wal2")
	require.True(t, create(t, k, dsn))
	info, err := os.Stat(dsn)
	require.NoError(t, err)
	require.EqualValues(t, 0o600, info.Mode().Perm(), "it is its owner's alone")
	require.True(t, create(t, k, other))
	pool := k.pool(t, dsn)
	exec(t, pool, "CREATE TABLE a (id int)")
	for _, name := range []string{"a.db-journal", "a.db-lock-0123"} { // of processes that were killed
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), nil, 0o600))
	}
	require.Equal(t, []string{"a.db", "a.db-journal", "a.db-lock-0123", "a.db-shm", "a.db-wal", "a.db-wal2.db"}, files(t, folder))
	require.True(t, drop(t, k, dsn))
	require.Equal(t, []string{"a.db-wal2.db"}, files(t, folder))

	require.NoError(t, os.WriteFile(dsn+"-wal", nil, 0o600))
	require.False(t, drop(t, k, dsn), "the database is not there")
	require.Equal(t, []string{"a.db-wal2.db"}, files(t, folder), "but what was beside it")
}

// TestDropGoesOn holds that a drop which failed midway leaves the file, so that one sees that there is something to drop.
func TestDropGoesOn(t *testing.T) {
	t.Parallel()
	k := onSQLite(t)
	dsn := k.dsn(t, "a")
	require.True(t, create(t, k, dsn))
	require.NoError(t, os.MkdirAll(filepath.Join(dsn+"-wal", "full"), 0o700)) // it cannot be removed
	_, err := provision.DropDatabase(t.Context(), k.open, dsn)
	require.Error(t, err)
	require.True(t, exists(t, k, dsn))
	require.NoError(t, os.RemoveAll(dsn+"-wal"))
	require.True(t, drop(t, k, dsn))
	require.Empty(t, files(t, filepath.Dir(dsn)))
}

func TestLockThatIsHeldStays(t *testing.T) {
	t.Parallel()
	k := onSQLite(t)
	dsn := k.dsn(t, "a")
	require.True(t, create(t, k, dsn))
	held, err := locks.Try(t.Context(), k.pool(t, dsn), "sqlite", "one")
	require.NoError(t, err)
	require.True(t, drop(t, k, dsn))
	require.NoError(t, held.Check(t.Context()))
	require.NoError(t, held.Release(t.Context()))
	require.Empty(t, files(t, filepath.Dir(dsn)))
}

func TestLinkedDatabase(t *testing.T) {
	t.Parallel()
	k := onSQLite(t)
	folder, elsewhere := filepath.Dir(k.beside), filepath.Join(t.TempDir(), "real.db")
	link := filepath.Join(folder, "a.db")
	require.NoError(t, os.WriteFile(elsewhere, nil, 0o600))
	require.NoError(t, os.Symlink(elsewhere, link))
	exec(t, k.pool(t, link), "CREATE TABLE a (id int)")
	require.True(t, exists(t, k, link))
	require.True(t, drop(t, k, link))
	require.Empty(t, files(t, folder))
	require.Empty(t, files(t, filepath.Dir(elsewhere)), "SQLite follows the link")
}

// TestDialectorsReadTheDSN holds that it is the dialector's file that is made: one takes a '?' for the name's, one for the
// beginning of parameters.
func TestDialectorsReadTheDSN(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	uri := func(dsn string) gorm.Dialector { return sqlite.New(sqlite.Config{DSN: dsn}) }
	for _, c := range []struct {
		open provision.Opener
		name string
		file string
	}{
		{sqlite.Open, "a?b.db", "a?b.db"},
		{uri, "c.db?_pragma=foreign_keys(1)", "c.db"},
		{uri, "d.db", "d.db"},
		{func(dsn string) gorm.Dialector { return uri("file:" + dsn + "?mode=rwc") }, "e%20f.db", "e f.db"},
		{func(dsn string) gorm.Dialector { return &gormsqlite.Dialector{DriverName: "sqlite", DSN: dsn} }, "g.db", "g.db"},
	} {
		dsn := filepath.Join(folder, c.name)
		created, err := provision.CreateDatabase(t.Context(), c.open, dsn)
		require.NoError(t, err, c.name)
		require.True(t, created)
		require.Equal(t, []string{c.file}, files(t, folder))
		there, err := provision.DatabaseExists(t.Context(), c.open, dsn)
		require.NoError(t, err)
		require.True(t, there)
		dropped, err := provision.DropDatabase(t.Context(), c.open, dsn)
		require.NoError(t, err)
		require.True(t, dropped)
		require.Empty(t, files(t, folder))
	}
	for _, dsn := range []string{":memory:", "file::memory:", "file:x?mode=memory", "file:/x?vfs=memdb", "file:x?vfs=mine", folder} {
		_, err := provision.CreateDatabase(t.Context(), uri, dsn)
		require.ErrorIs(t, err, provision.ErrInvalidDSN, dsn)
		_, err = provision.DropDatabase(t.Context(), uri, dsn)
		require.ErrorIs(t, err, provision.ErrInvalidDSN, dsn)
	}

	_, err := provision.CreateDatabase(t.Context(), uri, "file:"+filepath.Join(folder, "ro.db")+"?_pragma=no_such(")
	require.Error(t, err)
	require.Empty(t, files(t, folder), "a database that cannot be opened is not left")
}
