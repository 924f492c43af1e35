package tenancy_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	"gorm.io/plugin/dbresolver"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/sqlite"
)

// TestWithDBResolver is about promises 2 and 6: dbresolver's replicas are asked, and only for the tenant's rows, in whatever
// order the plugins are installed; and it does not make routers of its replicas when it initialises all plugins for them.
func TestWithDBResolver(t *testing.T) {
	t.Parallel()
	for _, first := range []string{"resolver", "tenancy"} {
		t.Run(first+" first", func(t *testing.T) {
			t.Parallel()
			replica := filepath.Join(t.TempDir(), "replica.db")
			primary := filepath.Join(t.TempDir(), "primary.db")
			for path, mark := range map[string]string{replica: "replica", primary: "primary"} {
				raw, err := gorm.Open(sqlite.Open(path), &gorm.Config{Logger: logger.Discard})
				require.NoError(t, err)
				require.NoError(t, raw.AutoMigrate(&Tag{}, &Country{}))
				require.NoError(t, raw.Create(&[]Tag{{TenantID: "a", Label: mark}, {TenantID: "b", Label: mark}}).Error)
				require.NoError(t, raw.Create(&Country{Name: mark}).Error)
				pool, err := raw.DB()
				require.NoError(t, err)
				require.NoError(t, pool.Close())
			}
			db, err := gorm.Open(sqlite.Open(primary), &gorm.Config{Logger: logger.Discard})
			require.NoError(t, err)
			plugins := []gorm.Plugin{
				dbresolver.Register(dbresolver.Config{Replicas: []gorm.Dialector{sqlite.Open(replica)}}),
				tenancy.New(tenancy.Config{Models: []any{&Tag{}}, Global: []any{&Country{}}}),
			}
			if first == "tenancy" {
				plugins[0], plugins[1] = plugins[1], plugins[0]
			}
			for _, p := range plugins {
				require.NoError(t, db.Use(p))
			}
			a := db.WithContext(ctxOf("a"))
			read := func(tx *gorm.DB) (labels []string) {
				require.NoError(t, tx.Model(&Tag{}).Order("id").Pluck("label", &labels).Error)
				return labels
			}
			require.Equal(t, []string{"replica"}, read(a))
			require.Equal(t, []string{"primary"}, read(a.Clauses(dbresolver.Write)))
			require.NoError(t, a.Create(&Tag{Label: "new"}).Error)
			require.Equal(t, []string{"primary", "new"}, read(a.Clauses(dbresolver.Write)))
			require.NoError(t, a.Transaction(func(tx *gorm.DB) error {
				require.Equal(t, []string{"primary", "new"}, read(tx))
				return nil
			}))
			var country Country
			require.NoError(t, db.First(&country).Error)
			require.Equal(t, "replica", country.Name)
			require.ErrorIs(t, db.Find(&[]Tag{}).Error, tenancy.ErrNoTenant)
			require.ErrorIs(t, a.Exec("DELETE FROM tags").Error, tenancy.ErrUnconfinedSQL)
		})
	}
}

// TestDBResolverServesGlobalTables is about promise 4: where tenants have databases of their own, an installed dbresolver
// goes on serving the tables of the default one, and those alone.
func TestDBResolverServesGlobalTables(t *testing.T) {
	t.Parallel()
	for _, first := range []string{"resolver", "tenancy"} {
		t.Run(first+" first", func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			file := func(name string) gorm.Dialector { return sqlite.Open(filepath.Join(dir, name)) }
			for _, name := range []string{"primary", "replica", "a", "b"} {
				raw, err := gorm.Open(file(name), &gorm.Config{Logger: logger.Discard})
				require.NoError(t, err)
				require.NoError(t, raw.AutoMigrate(&Tag{}, &Country{}))
				require.NoError(t, raw.Create(&[]Tag{{TenantID: "a", Label: name}, {TenantID: "b", Label: name}}).Error)
				require.NoError(t, raw.Create(&Country{Name: name}).Error)
				pool, err := raw.DB()
				require.NoError(t, err)
				require.NoError(t, pool.Close())
			}
			db, err := gorm.Open(file("primary"), &gorm.Config{Logger: logger.Discard})
			require.NoError(t, err)
			plugin := tenancy.New(tenancy.Config{
				Models: []any{&Tag{}}, Global: []any{&Country{}}, Resolver: tenancy.DatabasePerTenant(""),
				Open: func(_ context.Context, name string) (tenancy.Shard, error) {
					return tenancy.Shard{Primary: file(name)}, nil
				},
			})
			plugins := []gorm.Plugin{dbresolver.Register(dbresolver.Config{Replicas: []gorm.Dialector{file("replica")}}), plugin}
			if first == "tenancy" {
				plugins[0], plugins[1] = plugins[1], plugins[0]
			}
			for _, p := range plugins {
				require.NoError(t, db.Use(p))
			}
			t.Cleanup(func() { require.NoError(t, plugin.Close()) })
			for _, id := range []tenancy.ID{"a", "b"} {
				tx := db.WithContext(ctxOf(id))
				for _, tx := range []*gorm.DB{tx, tx.Clauses(dbresolver.Write), tx.Session(&gorm.Session{PrepareStmt: true})} {
					var labels []string
					require.NoError(t, tx.Model(&Tag{}).Order("id").Pluck("label", &labels).Error)
					require.Equal(t, []string{string(id)}, labels)
				}
				require.NoError(t, tx.Create(&Tag{Label: "new"}).Error)
				require.NoError(t, tx.Transaction(func(tx *gorm.DB) error { return tx.Where("label = ?", "new").Delete(&Tag{}).Error }))
				require.NoError(t, tx.Session(&gorm.Session{SkipDefaultTransaction: true}).Model(&Tag{}).Where("1 = 1").Update("label", string(id)).Error)
				var country Country
				require.NoError(t, tx.First(&country).Error)
				require.Equal(t, "replica", country.Name)
				require.NoError(t, tx.Clauses(dbresolver.Write).First(&country).Error)
				require.Equal(t, "primary", country.Name)
			}
			require.NoError(t, db.Create(&Country{Name: "new"}).Error)
		})
	}
}

// TestPreparedStatements is about promise 6: statements are prepared below the router, in both of GORM's ways.
func TestPreparedStatements(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]*shop{
		"configuration": newShop(t, func(cfg *gorm.Config, _ *tenancy.Config) { cfg.PrepareStmt = true }),
		"session":       newShop(t),
	} {
		t.Run(name, func(t *testing.T) {
			for range 2 {
				for id, want := range map[tenancy.ID]string{"a": "ann", "b": "bea"} {
					db := s.db.Session(&gorm.Session{PrepareStmt: true}).WithContext(ctxOf(id))
					var found Customer
					require.NoError(t, db.First(&found).Error)
					require.Equal(t, want, found.Name)
					require.NoError(t, db.Transaction(func(tx *gorm.DB) error {
						require.NoError(t, tx.Create(&Tag{Label: "new"}).Error)
						return tx.Transaction(func(inner *gorm.DB) error { return inner.First(&found).Error })
					}))
					require.Equal(t, want, found.Name)
				}
			}
		})
	}
}

func TestLazyTransactions(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	pool, err := s.db.DB()
	require.NoError(t, err)

	t.Run("savepoints before the first statement", func(t *testing.T) {
		tx := s.a.Begin()
		require.NoError(t, tx.SavePoint("one").Error)
		require.NoError(t, tx.SavePoint("two").Error)
		require.NoError(t, tx.RollbackTo("one").Error)
		require.NoError(t, tx.SavePoint("three").Error)
		require.Zero(t, pool.Stats().InUse)
		require.NoError(t, tx.Create(&Tag{Label: "kept"}).Error)
		require.NoError(t, tx.SavePoint("four").Error)
		require.NoError(t, tx.Create(&Tag{Label: "undone"}).Error)
		require.NoError(t, tx.RollbackTo("four").Error)
		tx.Error = nil
		require.NoError(t, tx.Commit().Error)
		var labels []string
		require.NoError(t, s.a.Model(&Tag{}).Where("label IN ?", []string{"kept", "undone"}).Pluck("label", &labels).Error)
		require.Equal(t, []string{"kept"}, labels)
	})
	t.Run("over", func(t *testing.T) {
		tx := s.a.Begin()
		require.NoError(t, tx.Commit().Error)
		require.ErrorIs(t, tx.Create(&Tag{}).Error, sql.ErrTxDone)
		require.ErrorIs(t, s.rolledBack().Commit().Error, sql.ErrTxDone)
	})
	t.Run("a hook that fails", func(t *testing.T) {
		require.NoError(t, s.db.Callback().Create().After("gorm:create").Before("gorm:after_create").Register("test:fail", func(db *gorm.DB) {
			if tag, ok := db.Statement.Dest.(*Tag); ok && tag.Label == "fails" {
				_ = db.AddError(errors.New("no"))
			}
		}))
		require.Error(t, s.a.Create(&Tag{Label: "fails"}).Error)
		require.ErrorIs(t, s.a.First(&Tag{}, "label = ?", "fails").Error, gorm.ErrRecordNotFound)
	})
	t.Run("a context that ends", func(t *testing.T) {
		ctx, cancel := context.WithCancel(ctxOf("a"))
		tx := s.db.WithContext(ctx).Begin()
		require.NoError(t, tx.Create(&Tag{Label: "cancelled"}).Error)
		cancel()
		require.Error(t, tx.Commit().Error)
		require.ErrorIs(t, s.db.WithContext(ctx).Begin().Error, context.Canceled)
		require.Eventually(t, func() bool { return pool.Stats().InUse == 0 }, time.Second, time.Millisecond)
	})
	t.Run("a panic", func(t *testing.T) {
		require.Panics(t, func() {
			_ = s.a.Transaction(func(tx *gorm.DB) error {
				require.NoError(t, tx.Create(&Tag{Label: "panicked"}).Error)
				panic("stop")
			})
		})
		require.Zero(t, pool.Stats().InUse)
	})
	t.Run("for all tenants", func(t *testing.T) {
		all := s.db.WithContext(tenancy.WithoutTenant(context.Background(), "repair"))
		require.NoError(t, all.Transaction(func(tx *gorm.DB) error {
			for _, id := range []tenancy.ID{"a", "b"} {
				if err := tx.WithContext(ctxOf(id)).Create(&Tag{Label: "for " + string(id)}).Error; err != nil {
					return err
				}
			}
			return nil
		}))
	})
	t.Run("a connection", func(t *testing.T) {
		require.NoError(t, s.a.Connection(func(tx *gorm.DB) error {
			var found []Customer
			if err := tx.Session(&gorm.Session{NewDB: true}).Find(&found).Error; err != nil {
				return err
			}
			require.Len(t, found, 1)
			return tx.Session(&gorm.Session{NewDB: true}).Create(&Tag{Label: "by connection"}).Error
		}))
		require.NoError(t, s.a.First(&Tag{}, "label = ?", "by connection").Error)
	})
}

// rolledBack returns a transaction that has run a statement and is over.
func (s *shop) rolledBack() *gorm.DB {
	tx := s.a.Begin()
	tx.First(&Tag{})
	tx.Rollback()
	tx.Error = nil
	return tx
}
