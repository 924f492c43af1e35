package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/gormtenancy/tenancy/sqlite"
)

func TestOpenSettings(t *testing.T) {
	t.Parallel()

	for name, tc := range map[string]struct {
		path    string
		journal string
		sync    int
	}{
		"file":   {filepath.Join(t.TempDir(), "x.db"), "wal", 1},
		"memory": {":memory:", "memory", 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			db := open(t, sqlite.Open(tc.path))
			pool, err := db.DB()
			require.NoError(t, err)

			// Two connections at once: the settings are each connection's own.
			for range 2 {
				conn, err := pool.Conn(t.Context())
				require.NoError(t, err)
				t.Cleanup(func() { _ = conn.Close() })

				var (
					journal                     string
					synchronous, busy, foreigns int
				)
				scan := func(pragma string, dst any) {
					t.Helper()
					require.NoError(t, conn.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(dst))
				}
				scan("journal_mode", &journal)
				scan("synchronous", &synchronous)
				scan("busy_timeout", &busy)
				scan("foreign_keys", &foreigns)
				require.Equal(t, tc.journal, journal)
				require.Equal(t, tc.sync, synchronous)
				require.Equal(t, 5000, busy)
				require.Equal(t, 1, foreigns)
			}
		})
	}
}

func TestNew(t *testing.T) {
	t.Parallel()

	t.Run("dsn", func(t *testing.T) {
		t.Parallel()

		path := filepath.Join(t.TempDir(), "x.db")
		db := open(t, sqlite.New(sqlite.Config{DSN: "file:" + path + "?_pragma=busy_timeout(7)"}))

		var busy int
		require.NoError(t, db.Raw("PRAGMA busy_timeout").Scan(&busy).Error)
		require.Equal(t, 7, busy)
		require.FileExists(t, path)
	})

	t.Run("conn wins over dsn", func(t *testing.T) {
		t.Parallel()

		unused := filepath.Join(t.TempDir(), "unused.db")
		pool, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "x.db"))
		require.NoError(t, err)

		db := open(t, sqlite.New(sqlite.Config{Conn: pool, DSN: unused}))
		got, err := db.DB()
		require.NoError(t, err)
		require.Same(t, pool, got)
		require.NoFileExists(t, unused)
	})

	t.Run("zero", func(t *testing.T) {
		t.Parallel()

		_, err := gorm.Open(sqlite.New(sqlite.Config{}))
		require.ErrorIs(t, err, sqlite.ErrPath)
	})
}

func TestOpenReportsDriverError(t *testing.T) {
	t.Parallel()

	_, err := gorm.Open(sqlite.Open(filepath.Join(t.TempDir(), "missing", "x.db")))
	require.ErrorContains(t, err, "unable to open database file")
}

func TestDriverClauseBuildersAreKept(t *testing.T) {
	t.Parallel()

	db := openFile(t)
	require.Contains(t, db.ClauseBuilders, "LIMIT")
	require.Contains(t, db.ClauseBuilders, "FOR")

	d, ok := db.Dialector.(interface {
		ClauseBuilders() map[string]clause.ClauseBuilder
	})
	require.True(t, ok)
	require.Len(t, d.ClauseBuilders(), 3)

	// A caller's own builder wins.
	called := false
	own := open(t, sqlite.Open(":memory:"), &gorm.Config{
		ClauseBuilders: map[string]clause.ClauseBuilder{
			"INSERT": func(c clause.Clause, b clause.Builder) { called = true; c.Build(b) },
		},
	})
	require.NoError(t, own.AutoMigrate(&row{}))
	require.NoError(t, own.Create(&row{}).Error)
	require.True(t, called)
}

func TestAutoMigrateTwice(t *testing.T) {
	t.Parallel()

	type owner struct {
		ID   uint
		Name string `gorm:"uniqueIndex;not null;default:'x'"`
	}
	type pet struct {
		ID      uint
		OwnerID uint      `gorm:"index"`
		Owner   owner     `gorm:"constraint:OnDelete:CASCADE"`
		Age     int       `gorm:"check:age >= 0"`
		Born    time.Time `gorm:"index"`
	}

	for name, path := range map[string]string{"file": filepath.Join(t.TempDir(), "x.db"), "memory": ":memory:"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			db := open(t, sqlite.Open(path))
			require.NoError(t, db.AutoMigrate(&owner{}, &pet{}))

			p := pet{Owner: owner{Name: "a"}, Born: time.Now()}
			require.NoError(t, db.Create(&p).Error)
			require.NoError(t, db.AutoMigrate(&owner{}, &pet{}))
			require.EqualValues(t, 1, count(t, db, "pets"))
			require.True(t, db.Migrator().HasIndex(&pet{}, "Born"))
			require.NoError(t, db.Delete(&p.Owner).Error)
			require.Zero(t, count(t, db, "pets"))
		})
	}
}

func TestNestedTransactions(t *testing.T) {
	t.Parallel()

	db := openFile(t)
	require.NoError(t, db.AutoMigrate(&row{}))

	boom := errors.New("boom")
	require.NoError(t, db.Transaction(func(tx *gorm.DB) error {
		require.NoError(t, tx.Create(&row{Name: "outer"}).Error)
		require.ErrorIs(t, tx.Transaction(func(tx *gorm.DB) error {
			require.NoError(t, tx.Create(&row{Name: "inner"}).Error)

			return boom
		}), boom)

		require.NoError(t, tx.SavePoint("here").Error)
		require.NoError(t, tx.Create(&row{Name: "after"}).Error)

		return tx.RollbackTo("here").Error
	}))

	var names []string
	require.NoError(t, db.Model(&row{}).Pluck("name", &names).Error)
	require.Equal(t, []string{"outer"}, names)
}

func TestReadThenWriteTransactions(t *testing.T) {
	t.Parallel()

	const writers, rounds = 4, 50

	path := filepath.Join(t.TempDir(), "x.db")
	// Two pools, as two processes would have, for SQLite's own locks.
	pools := []*gorm.DB{open(t, sqlite.Open(path)), open(t, sqlite.Open(path))}
	require.NoError(t, pools[0].Exec("CREATE TABLE counters (n integer)").Error)
	require.NoError(t, pools[0].Exec("INSERT INTO counters VALUES (0)").Error)

	errs := make(chan error, writers*rounds)

	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			for range rounds {
				errs <- pools[i%2].Transaction(func(tx *gorm.DB) error {
					var n int
					if err := tx.Table("counters").Select("n").Scan(&n).Error; err != nil {
						return err
					}

					// Long enough for the others to get between.
					time.Sleep(time.Millisecond)

					return tx.Exec("UPDATE counters SET n = ?", n+1).Error
				})
			}
		})
	}
	wg.Wait()
	close(errs)

	for err := range errs {
		require.NoError(t, err)
	}

	var n int
	require.NoError(t, pools[0].Table("counters").Select("n").Scan(&n).Error)
	require.Equal(t, writers*rounds, n)
}

// WAL: no reader waits for an open writer, and the writer commits under an open
// reader.
func TestReadBesideWriter(t *testing.T) {
	t.Parallel()

	db := openFile(t)
	require.NoError(t, db.AutoMigrate(&row{}))

	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()

	require.NoError(t, db.Transaction(func(tx *gorm.DB) error {
		require.NoError(t, tx.Create(&row{}).Error)
		require.Zero(t, count(t, db.WithContext(ctx), "rows"))

		return db.WithContext(ctx).Transaction(func(reader *gorm.DB) error {
			require.Zero(t, count(t, reader, "rows"))

			return nil
		}, &sql.TxOptions{ReadOnly: true})
	}))

	rows, err := db.WithContext(ctx).Model(&row{}).Rows()
	require.NoError(t, err)
	require.True(t, rows.Next())
	require.NoError(t, db.WithContext(ctx).Create(&row{}).Error)
	require.NoError(t, rows.Close())
	require.NoError(t, rows.Err())
	require.EqualValues(t, 2, count(t, db, "rows"))
}

func TestContextCancelsQuery(t *testing.T) {
	t.Parallel()

	for name, path := range map[string]string{"file": filepath.Join(t.TempDir(), "x.db"), "memory": ":memory:"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			db := open(t, sqlite.Open(path))
			require.NoError(t, db.AutoMigrate(&row{}))

			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()

			var n int64
			start := time.Now()
			// Bounded, so a driver that does not cancel fails rather than hangs.
			err := db.WithContext(ctx).Raw(
				"WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM c WHERE i < 50000000) SELECT count(*) FROM c",
			).Scan(&n).Error
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.Less(t, time.Since(start), time.Second)

			// The pool, and an in-memory database's rows, outlive it.
			require.NoError(t, db.Create(&row{}).Error)
			require.EqualValues(t, 1, count(t, db, "rows"))
		})
	}
}
