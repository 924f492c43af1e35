package tenancy_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/sqlite"
)

var errUndo = errors.New("undo")

// atRest asserts that no connection of a tenant's pool is in use.
func (l *land) atRest(t *testing.T, tenants ...tenancy.ID) {
	t.Helper()
	for _, id := range tenants {
		pool, err := tenancy.DB(l.as(id))
		require.NoError(t, err)
		require.Zero(t, pool.Stats().InUse, "a connection of %s was not given back", id)
	}
}

// TestTransactions is about promise 4, in databases that tenants have for themselves: everything in a transaction runs on
// the database that its context or its first statement leads to.
func TestTransactions(t *testing.T) {
	t.Parallel()
	for _, prepare := range []bool{false, true} {
		t.Run(fmt.Sprintf("PrepareStmt %v", prepare), func(t *testing.T) {
			t.Parallel()
			eachEngine(t, func(t *testing.T, e engine) {
				t.Helper()
				testTransactions(t, e, prepare)
			})
		})
	}
}

func testTransactions(t *testing.T, e engine, prepare bool) {
	t.Helper()
	open := databases(t, e, "a", "b")
	for _, name := range []string{"a", "b"} { // SQLite needs its files
		shard, err := open(t.Context(), name)
		require.NoError(t, err)
		db, err := gorm.Open(shard.Primary, &gorm.Config{})
		require.NoError(t, err)
		require.NoError(t, db.AutoMigrate(&Tag{}))
		pool, err := db.DB()
		require.NoError(t, err)
		require.NoError(t, pool.Close())
	}
	l := newLand(t, e, e.fresh(t)(), &gorm.Config{PrepareStmt: prepare}, tenancy.Config{
		Models: []any{&Customer{}, &Order{}, &Tag{}}, Global: []any{&Country{}}, Reference: []any{&Unit{}},
		Resolver: tenancy.DatabasePerTenant(""), Open: open,
	}, "a", "b")
	require.NoError(t, l.as("a").AutoMigrate(&Unit{}))
	require.NoError(t, l.db.AutoMigrate(&Unit{}))
	labels := func(id tenancy.ID) (found []string) {
		t.Helper()
		require.NoError(t, l.as(id).Model(&Tag{}).Order("label").Pluck("label", &found).Error)
		return found
	}
	a := l.as("a")

	// Begun in a tenant's context, and in none: then the first statement binds it.
	for _, begin := range []*gorm.DB{a, l.db} {
		tx := begin.Begin()
		require.NoError(t, tx.Error)
		require.NoError(t, tx.SavePoint("early").Error)
		require.NoError(t, tx.WithContext(ctxOf("a")).Create(&Tag{Label: "gone"}).Error)
		require.ErrorIs(t, tx.WithContext(ctxOf("b")).Create(&Tag{Label: "b's"}).Error, tenancy.ErrTenantMismatch)
		require.NoError(t, tx.RollbackTo("early").Error)
		require.NoError(t, tx.WithContext(ctxOf("a")).Create(&Tag{Label: "kept"}).Error)
		require.NoError(t, tx.WithContext(ctxOf("a")).Find(&[]Unit{}).Error, "reference tables are everywhere")
		require.ErrorIs(t, tx.WithContext(ctxOf("a")).Find(&[]Country{}).Error, tenancy.ErrCrossShard)
		require.NoError(t, tx.Commit().Error)
		require.ErrorIs(t, tx.WithContext(ctxOf("a")).Create(&Tag{}).Error, sql.ErrTxDone)
	}
	require.Equal(t, []string{"kept", "kept"}, labels("a"))
	require.Empty(t, labels("b"))

	// A global statement first, then a tenant's elsewhere.
	err := l.db.Transaction(func(tx *gorm.DB) error {
		require.NoError(t, tx.Find(&[]Country{}).Error)
		return tx.WithContext(ctxOf("a")).Create(&Tag{Label: "elsewhere"}).Error
	})
	require.ErrorIs(t, err, tenancy.ErrCrossShard)
	// In a tenant's context a transaction is the tenant's, whatever comes first.
	require.ErrorIs(t, a.Transaction(func(tx *gorm.DB) error { return tx.Find(&[]Country{}).Error }), tenancy.ErrCrossShard)

	// Nested ones, errors and panics.
	require.NoError(t, a.Transaction(func(tx *gorm.DB) error {
		require.NoError(t, tx.Create(&Tag{Label: "outer"}).Error)
		require.ErrorIs(t, tx.Transaction(func(tx *gorm.DB) error {
			require.NoError(t, tx.Create(&Tag{Label: "inner"}).Error)
			return errUndo
		}), errUndo)
		return nil
	}))
	require.Equal(t, []string{"kept", "kept", "outer"}, labels("a"))
	require.ErrorIs(t, a.Transaction(func(tx *gorm.DB) error {
		require.NoError(t, tx.Create(&Tag{Label: "undone"}).Error)
		return errUndo
	}), errUndo)
	require.Panics(t, func() {
		_ = a.Transaction(func(tx *gorm.DB) error {
			require.NoError(t, tx.Create(&Tag{Label: "panicked"}).Error)
			panic("oh")
		})
	})
	require.Equal(t, []string{"kept", "kept", "outer"}, labels("a"))

	// Options reach the database.
	if e.name != "sqlite" {
		err := a.Transaction(func(tx *gorm.DB) error { return tx.Create(&Tag{Label: "read-only"}).Error }, &sql.TxOptions{ReadOnly: true})
		require.Error(t, err)
		require.NotErrorIs(t, err, tenancy.ErrCrossShard)
	}

	// A context that ends takes its transaction along.
	ctx, cancel := context.WithCancel(ctxOf("a"))
	tx := l.db.WithContext(ctx).Begin()
	require.NoError(t, tx.Create(&Tag{Label: "cancelled"}).Error)
	cancel()
	require.Error(t, tx.Commit().Error)
	require.Eventually(t, func() bool {
		pool, err := tenancy.DB(a)
		return err == nil && pool.Stats().InUse == 0
	}, 10*time.Second, time.Millisecond)
	require.Error(t, l.db.WithContext(ctx).Create(&Tag{Label: "too late"}).Error)
	require.Equal(t, []string{"kept", "kept", "outer"}, labels("a"))

	// Transactions of two tenants side by side.
	txA, txB := a.Begin(), l.as("b").Begin()
	require.NoError(t, txA.Create(&Tag{Label: "side"}).Error)
	require.NoError(t, txB.Create(&Tag{Label: "side"}).Error)
	require.NoError(t, txA.Commit().Error)
	require.NoError(t, txB.Rollback().Error)
	require.Equal(t, []string{"kept", "kept", "outer", "side"}, labels("a"))
	require.Empty(t, labels("b"))

	// Without a statement: nothing begins, but the database must be there.
	require.NoError(t, a.Begin().Commit().Error)
	require.NoError(t, a.Begin().Rollback().Error)
	require.ErrorIs(t, l.as("nobody").Begin().Commit().Error, tenancy.ErrShardNotFound)
	l.atRest(t, "a", "b")
}

// Unit is the same in all databases.
type Unit struct {
	ID   uint
	Name string
}

// Part belongs to a tenant and to a unit of all.
type Part struct {
	ID       uint
	TenantID string `tenancy:"tenant"`
	UnitID   uint
	Unit     Unit
}

// TestReferenceTables is about promise 5: their rows stay the same everywhere.
func TestReferenceTables(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, e engine) {
		t.Helper()
		open := databases(t, e, "a")
		if e.name == "sqlite" {
			path := filepath.Join(t.TempDir(), "a")
			touch(t, path)
			open = func(context.Context, string) (tenancy.Shard, error) {
				return tenancy.Shard{Primary: sqlite.Open(path)}, nil
			}
		}
		l := newLand(t, e, e.fresh(t)(), &gorm.Config{}, tenancy.Config{
			Models: []any{&Part{}}, Global: []any{&Country{}}, Reference: []any{&Unit{}}, Resolver: tenancy.DatabasePerTenant(""), Open: open,
		})
		require.NoError(t, l.db.AutoMigrate(&Unit{}))
		require.NoError(t, l.as("a").AutoMigrate(&Unit{}, &Part{}))
		everywhere := []tenancy.Placement{{}, {Shard: "a", Exclusive: true}}
		for _, at := range everywhere {
			there := tenancy.WithPlacement(tenancy.WithoutTenant(context.Background(), "reference rows"), at)
			require.NoError(t, l.db.WithContext(there).Create(&Unit{ID: 1, Name: "kg"}).Error)
			require.NoError(t, l.db.WithContext(there).Exec("UPDATE units SET name = ? WHERE id = ?", "kilogram", 1).Error)
		}
		for _, db := range []*gorm.DB{l.db, l.as("a")} {
			require.ErrorIs(t, db.Create(&Unit{Name: "t"}).Error, tenancy.ErrCrossShard)
			require.ErrorIs(t, db.Save(&Unit{ID: 1, Name: "t"}).Error, tenancy.ErrCrossShard)
			require.ErrorIs(t, db.Delete(&Unit{ID: 1}).Error, tenancy.ErrCrossShard)
			require.ErrorIs(t, db.Exec("UPDATE units SET name = 't'").Error, tenancy.ErrCrossShard)
			var u Unit
			require.NoError(t, db.First(&u).Error)
			require.Equal(t, "kilogram", u.Name)
		}
		p := Part{Unit: Unit{ID: 1, Name: "kilogram"}}
		require.NoError(t, l.as("a").Create(&p).Error, "GORM saves the unit along, which is there")
		require.NoError(t, l.as("a").Joins("Unit").First(&p).Error)
		require.Equal(t, "kilogram", p.Unit.Name)
		require.NoError(t, l.as("a").Preload("Unit").First(&p).Error)
		for _, db := range []*gorm.DB{l.as("a"), l.as("a").Session(&gorm.Session{SkipDefaultTransaction: true})} {
			require.ErrorIs(t, db.Create(&Part{Unit: Unit{ID: 2, Name: "ton"}}).Error, tenancy.ErrCrossShard, "and one that is not")
			require.Error(t, db.Create(&[]Part{{Unit: Unit{ID: 1, Name: "kilogram"}}, {Unit: Unit{Name: "new"}}}).Error, "one of each")
		}
		for _, at := range everywhere {
			there := tenancy.WithPlacement(tenancy.WithoutTenant(context.Background(), "reference rows"), at)
			var n int64
			require.NoError(t, l.db.WithContext(there).Model(&Unit{}).Count(&n).Error)
			require.EqualValues(t, 1, n)
		}
	})
}
