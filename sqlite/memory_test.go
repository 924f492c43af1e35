package sqlite_test

import (
	"context"
	"database/sql"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gormtenancy/tenancy/sqlite"
)

func TestMemoryShared(t *testing.T) {
	t.Parallel()

	const workers, rounds = 8, 40

	db := open(t, sqlite.Open(":memory:"))
	require.NoError(t, db.AutoMigrate(&row{}))
	require.NoError(t, db.Exec("CREATE TABLE counters (n integer)").Error)
	require.NoError(t, db.Exec("INSERT INTO counters VALUES (0)").Error)

	// As many connections as workers, whatever the scheduler does.
	pool, err := db.DB()
	require.NoError(t, err)
	pool.SetMaxIdleConns(workers)

	conns := make([]*sql.Conn, workers)
	for i := range conns {
		conns[i], err = pool.Conn(t.Context())
		require.NoError(t, err)
	}
	for _, conn := range conns {
		require.NoError(t, conn.Close())
	}
	require.Equal(t, workers, pool.Stats().OpenConnections)

	work := func() error {
		if err := db.Create(&row{Name: "x"}).Error; err != nil {
			return err
		}

		if err := db.Transaction(func(tx *gorm.DB) error {
			var n int
			if err := tx.Table("counters").Select("n").Scan(&n).Error; err != nil {
				return err
			}

			// Long enough for the others to get between.
			time.Sleep(100 * time.Microsecond)

			return tx.Exec("UPDATE counters SET n = ?", n+1).Error
		}); err != nil {
			return err
		}

		var all []row

		return db.Find(&all).Error
	}

	errs := make(chan error, workers*rounds)
	start := make(chan struct{})

	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			<-start
			for range rounds {
				errs <- work()
			}
		})
	}
	close(start)
	wg.Wait()
	close(errs)

	for err := range errs {
		require.NoError(t, err)
	}

	var n int
	require.NoError(t, db.Table("counters").Select("n").Scan(&n).Error)
	require.Equal(t, workers*rounds, n)
	require.EqualValues(t, workers*rounds, count(t, db, "rows"))
}

func TestMemoryOutlivesConnections(t *testing.T) {
	t.Parallel()

	db := open(t, sqlite.Open(":memory:"))
	pool, err := db.DB()
	require.NoError(t, err)
	pool.SetMaxIdleConns(-1)

	require.NoError(t, db.AutoMigrate(&row{}))
	require.NoError(t, db.Create(&row{}).Error)
	require.Zero(t, pool.Stats().OpenConnections)
	require.EqualValues(t, 1, count(t, db, "rows"))
}

func TestMemoryIsOnePerOpen(t *testing.T) {
	t.Parallel()

	d := sqlite.Open(":memory:")
	a, again, b := open(t, d), open(t, d), open(t, sqlite.Open(":memory:"))
	require.NoError(t, a.AutoMigrate(&row{}))
	require.NoError(t, a.Create(&row{}).Error)
	require.EqualValues(t, 1, count(t, again, "rows"))
	require.False(t, b.Migrator().HasTable(&row{}))
}

func TestMemoryGoneAfterClose(t *testing.T) {
	t.Parallel()

	d := sqlite.Open(":memory:")
	db, err := gorm.Open(d, &gorm.Config{Logger: logger.Discard})
	require.NoError(t, err)
	require.NoError(t, db.AutoMigrate(&row{}))

	pool, err := db.DB()
	require.NoError(t, err)
	require.NoError(t, pool.Close())
	require.NoError(t, pool.Close())
	require.Error(t, db.Exec("SELECT 1").Error)

	require.False(t, open(t, d).Migrator().HasTable(&row{}))
}

// Holds the documented limit: a read beside an open transaction is bounded by
// busy_timeout, here cut short by a context, and does not hang.
func TestMemoryReadBesideTransaction(t *testing.T) {
	t.Parallel()

	db := open(t, sqlite.Open(":memory:"))
	require.NoError(t, db.AutoMigrate(&row{}))

	pool, err := db.DB()
	require.NoError(t, err)

	tx, err := pool.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = tx.ExecContext(t.Context(), "INSERT INTO rows (name) VALUES ('x')")
	require.NoError(t, err)

	conn, err := pool.Conn(t.Context())
	require.NoError(t, err)
	_, err = conn.ExecContext(t.Context(), "PRAGMA busy_timeout = 50")
	require.NoError(t, err)

	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()

	var n int
	err = conn.QueryRowContext(ctx, "SELECT count(*) FROM rows").Scan(&n)
	require.ErrorContains(t, err, "database is locked")

	require.NoError(t, tx.Commit())
	require.NoError(t, conn.QueryRowContext(ctx, "SELECT count(*) FROM rows").Scan(&n))
	require.Equal(t, 1, n)
	require.NoError(t, conn.Close())

	// Readers do not exclude each other.
	first, err := pool.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	require.NoError(t, err)
	require.NoError(t, first.QueryRowContext(ctx, "SELECT count(*) FROM rows").Scan(&n))
	require.EqualValues(t, 1, count(t, db.WithContext(ctx), "rows"))
	require.NoError(t, first.Commit())
}
