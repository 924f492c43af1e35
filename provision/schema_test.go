package provision_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/provision"
)

// withSchemas runs a test with each dialect that has schemas.
func withSchemas(t *testing.T, test func(t *testing.T, k dialect)) {
	t.Helper()
	for name, of := range map[string]func(testing.TB) dialect{"postgres": onPostgres, "mysql": onMySQL} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, of(t))
		})
	}
}

func TestSchemas(t *testing.T) {
	t.Parallel()
	withSchemas(t, func(t *testing.T, k dialect) {
		t.Helper()
		db := k.gorm(t, k.beside)
		for _, name := range []string{fresh("plain_"), fresh("UPPER"), fresh("Ünï 名 "), fresh(`q"u'o` + "`t%es_"), fresh(`x"; DROP TABLE a; --`), fresh(".")} {
			there, err := provision.SchemaExists(t.Context(), db, name)
			require.NoError(t, err)
			require.False(t, there, name)
			for _, first := range []bool{true, false} {
				created, err := provision.CreateSchema(t.Context(), db, name)
				require.NoError(t, err, name)
				require.Equal(t, first, created, name)
			}
			there, err = provision.SchemaExists(t.Context(), db, name)
			require.NoError(t, err)
			require.True(t, there, name)
			quoted := `"` + strings.ReplaceAll(name, `"`, `""`) + `".a`
			if k.name == "mysql" {
				quoted = "`" + strings.ReplaceAll(name, "`", "``") + "`.a"
			}
			exec(t, k.pool(t, k.beside), "CREATE TABLE "+quoted+" (id int)")
			for _, first := range []bool{true, false} {
				dropped, err := provision.DropSchema(t.Context(), db, name)
				require.NoError(t, err, name)
				require.Equal(t, first, dropped, name)
			}
			there, err = provision.SchemaExists(t.Context(), db, name)
			require.NoError(t, err)
			require.False(t, there, name)
		}
	})
}

func TestManyCreateOneSchema(t *testing.T) {
	t.Parallel()
	withSchemas(t, func(t *testing.T, k dialect) {
		t.Helper()
		db, grants := k.gorm(t, k.beside), []provision.Grant{{To: role(t, k)}}
		for range 5 {
			name := fresh("one_")
			var created, dropped atomic.Int32
			eight(func() {
				did, err := provision.CreateSchema(t.Context(), db, name, provision.Schema{Grants: grants})
				assert.NoError(t, err)
				there, err := provision.SchemaExists(t.Context(), db, name)
				assert.NoError(t, err)
				assert.True(t, there, "it is there when the call returns")
				if did {
					created.Add(1)
				}
			})
			require.EqualValues(t, 1, created.Load())
			eight(func() {
				did, err := provision.DropSchema(t.Context(), db, name, provision.Schema{Grants: grants})
				assert.NoError(t, err)
				if did {
					dropped.Add(1)
				}
			})
			require.EqualValues(t, 1, dropped.Load())
		}
	})
}

// TestDropSchemaInUse holds that transactions which hold on to a table, or are making one, are ended.
func TestDropSchemaInUse(t *testing.T) {
	t.Parallel()
	k := onPostgres(t)
	db, pool := k.gorm(t, k.beside), k.pool(t, k.beside)
	exec(t, pool, "CREATE SCHEMA own", "CREATE TABLE own.a (id int)", "CREATE TABLE kept (id int)")
	for _, text := range []string{"SELECT * FROM own.a", "CREATE TABLE own.b (id int)"} {
		exec(t, pool, "CREATE SCHEMA IF NOT EXISTS own", "CREATE TABLE IF NOT EXISTS own.a (id int)")
		tx, err := pool.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		exec(t, tx, text)
		other, err := pool.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		exec(t, other, "INSERT INTO kept VALUES (1)")
		dropped, err := provision.DropSchema(within(t, time.Minute), db, "own")
		require.NoError(t, err, text)
		require.True(t, dropped)
		require.Error(t, tx.Commit(), "it was in the way")
		require.NoError(t, other.Commit(), "it was not")
	}
}

// A role that may not end a session waits for it, and then says so.
func TestDropSchemaWaits(t *testing.T) {
	t.Parallel()
	k := onPostgres(t)
	owner := role(t, k)
	pool := k.pool(t, k.beside)
	exec(t, pool, "CREATE SCHEMA own AUTHORIZATION "+owner, "CREATE TABLE own.a (id int)", "ALTER TABLE own.a OWNER TO "+owner)
	tx, err := pool.BeginTx(t.Context(), nil) // a superuser's
	require.NoError(t, err)
	exec(t, tx, "SELECT * FROM own.a")
	own, err := k.pool(t, k.as(t, k.beside, owner)).BeginTx(t.Context(), nil)
	require.NoError(t, err)
	exec(t, own, "SELECT * FROM own.a")
	db := k.gorm(t, k.as(t, k.beside, owner))
	_, err = provision.DropSchema(within(t, 5*time.Second), db, "own")
	require.ErrorIs(t, err, provision.ErrInUse)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Error(t, own.Commit(), "its own sessions it has ended")
	time.AfterFunc(time.Second, func() { _ = tx.Rollback() })
	dropped, err := provision.DropSchema(within(t, time.Minute), db, "own")
	require.NoError(t, err)
	require.True(t, dropped)
}

func TestSchemasThatAreRefused(t *testing.T) {
	t.Parallel()
	withSchemas(t, func(t *testing.T, k dialect) {
		t.Helper()
		db := k.gorm(t, k.beside)
		for _, name := range map[string][]string{
			"postgres": {"", "public", "pg_x", "information_schema", strings.Repeat("x", 64), "a\x00", "\xff"},
			"mysql":    {"", "mysql", "Information_Schema", strings.Repeat("x", 65), "a "},
		}[k.name] {
			_, err := provision.CreateSchema(t.Context(), db, name)
			require.ErrorIs(t, err, provision.ErrInvalidName, name)
			_, err = provision.DropSchema(t.Context(), db, name)
			require.ErrorIs(t, err, provision.ErrInvalidName, name)
			_, err = provision.SchemaExists(t.Context(), db, name)
			require.ErrorIs(t, err, provision.ErrInvalidName, name)
		}
		wrong := map[string]provision.Schema{"postgres": {Encoding: "UTF8"}, "mysql": {Owner: "a"}}[k.name]
		_, err := provision.CreateSchema(t.Context(), db, "a", wrong)
		require.ErrorIs(t, err, tenancy.ErrInvalidConfig)
	})
	k := onSQLite(t)
	_, err := provision.CreateSchema(t.Context(), k.gorm(t, k.beside), "a")
	require.ErrorIs(t, err, tenancy.ErrInvalidConfig)
}
