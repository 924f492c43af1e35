package catalog

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	modernc "modernc.org/sqlite"

	"github.com/gormtenancy/tenancy"
)

// TestLostCommit is about a COMMIT without an answer: nobody knows whether the change was made, so it is not made again, and the
// cache goes by the master.
func TestLostCommit(t *testing.T) {
	t.Parallel()
	for name, made := range map[string]bool{"it was made": true, "it was not made": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var lost atomic.Int64 // how many to lose
			db := sql.OpenDB(&losing{dsn: filepath.Join(t.TempDir(), "master.db"), lost: &lost, commit: made})
			t.Cleanup(func() { _ = db.Close() })
			s, ctx := newStore(db, "sqlite", "sqlite"), t.Context()
			require.NoError(t, s.prepare(ctx, false))
			cfg, err := Config{}.filled(ctx)
			require.NoError(t, err)
			c := &Catalog{cfg: cfg, store: s}
			c.cache, err = newCache(ctx, s, cfg)
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, c.Close()) })

			create(t, c, NewTenant{ID: "a"})
			_, err = c.Resolve(ctx, tenancy.ID("a"))
			require.ErrorIs(t, err, tenancy.ErrTenantUnavailable)

			lost.Store(1)
			_, err = c.Activate(ctx, "a", "")
			require.ErrorIs(t, err, errLost)
			require.ErrorContains(t, err, "read it again")
			_, err = c.Resolve(ctx, tenancy.ID("a"))
			read, readErr := c.Read(ctx, "a")
			require.NoError(t, readErr)
			if made {
				require.NoError(t, err)
				require.Equal(t, Active, read.State)
				require.Len(t, collect(t, c.History(ctx, "a")), 2)
			} else {
				require.ErrorIs(t, err, tenancy.ErrTenantUnavailable)
				require.Equal(t, Creating, read.State)
				_, err = c.Activate(ctx, "a", "")
				require.NoError(t, err)
				_, err = c.Resolve(ctx, tenancy.ID("a"))
				require.NoError(t, err)
			}
		})
	}
}

var errLost = errors.New("the connection was lost")

// losing makes connections that lose the answer to a COMMIT, or the COMMIT.
type losing struct {
	dsn    string
	lost   *atomic.Int64
	commit bool
}

func (l *losing) Driver() driver.Driver { return &modernc.Driver{} }

func (l *losing) Connect(context.Context) (driver.Conn, error) {
	conn, err := l.Driver().Open(l.dsn)
	return losingConn{conn, l}, err
}

// losingConn hides all but the least that a connection must have, so that database/sql prepares each statement.
type losingConn struct {
	driver.Conn

	of *losing
}

func (c losingConn) Begin() (driver.Tx, error) {
	tx, err := c.Conn.Begin() //nolint:staticcheck // it is all that this connection has
	return losingTx{tx, c.of}, err
}

type losingTx struct {
	driver.Tx

	of *losing
}

func (tx losingTx) Commit() error {
	if tx.of.lost.Add(-1) < 0 {
		return tx.Tx.Commit()
	}
	if tx.of.commit {
		return errors.Join(errLost, tx.Tx.Commit())
	}
	return errors.Join(errLost, tx.Tx.Rollback())
}
