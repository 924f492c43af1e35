package tenancy_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/sqlite"
)

type Customer struct {
	ID       uint
	TenantID string `tenancy:"tenant"`
	Name     string
	Orders   []Order
	Tags     []Tag `gorm:"many2many:customer_tags"`
}
type Order struct {
	ID         uint
	TenantID   string `tenancy:"tenant"`
	CustomerID uint
	Customer   *Customer
	Item       string
	DeletedAt  gorm.DeletedAt
}
type Tag struct {
	ID       uint
	TenantID string `tenancy:"tenant"`
	Label    string
}
type Country struct {
	ID   uint
	Name string
}

func open(t *testing.T) *gorm.DB {
	db, err := gorm.Open(sqlite.Open(filepath.Join(t.TempDir(), "x.db")), &gorm.Config{Logger: logger.Default.LogMode(logger.Info)})
	require.NoError(t, err)
	require.NoError(t, db.Use(tenancy.New(tenancy.Config{Models: []any{&Customer{}, &Order{}, &Tag{}}, Global: []any{&Country{}}})))
	require.NoError(t, db.AutoMigrate(&Customer{}, &Order{}, &Tag{}, &Country{}))
	return db
}

func TestSmoke(t *testing.T) {
	db := open(t)
	ctx := context.Background()
	a := db.WithContext(tenancy.WithTenant(ctx, "a"))
	b := db.WithContext(tenancy.WithTenant(ctx, "b"))
	require.ErrorIs(t, db.Find(&[]Customer{}).Error, tenancy.ErrNoTenant)
	ca := Customer{Name: "x", Orders: []Order{{Item: "1"}, {Item: "2"}}, Tags: []Tag{{Label: "t"}}}
	require.NoError(t, a.Create(&ca).Error)
	require.Equal(t, "a", ca.TenantID)
	require.Equal(t, "a", ca.Orders[0].TenantID)
	cb := Customer{Name: "x", Orders: []Order{{Item: "b1"}}, Tags: []Tag{{Label: "tb"}}}
	require.NoError(t, b.Create(&cb).Error)
	var cs []Customer
	require.NoError(t, a.Preload("Orders").Preload("Tags").Where("name = ?", "x").Or("1=1").Find(&cs).Error)
	fmt.Println(len(cs))
	require.Len(t, cs, 1)
	require.ErrorIs(t, a.Save(&Customer{ID: cb.ID, Name: "stolen"}).Error, tenancy.ErrTenantMismatch)
	require.ErrorIs(t, a.Save(&[]Customer{{ID: ca.ID, Name: "mine"}, {ID: cb.ID, Name: "stolen"}}).Error, tenancy.ErrTenantMismatch)
	require.ErrorIs(t, a.Exec("UPDATE customers SET name = 'x'").Error, tenancy.ErrUnconfinedSQL)
	require.ErrorIs(t, a.Create(&Order{CustomerID: cb.ID}).Error, tenancy.ErrTenantMismatch)
	require.ErrorIs(t, a.Model(&ca.Orders[0]).Update("customer_id", cb.ID).Error, tenancy.ErrTenantMismatch)
	require.ErrorIs(t, a.Model(&Order{}).Where("1=1").Update("customer_id", gorm.Expr("customer_id + 1")).Error, tenancy.ErrTenantMismatch)
	require.NoError(t, a.Model(&Customer{}).Where("id IN (?)", db.Model(&Order{}).Select("customer_id")).Find(&cs).Error)
	require.Len(t, cs, 1)
	require.ErrorIs(t, a.Delete(&Customer{}).Error, gorm.ErrMissingWhereClause)
	require.NoError(t, a.Delete(&Order{}, "1 = 1").Error)
	var n int64
	require.NoError(t, b.Model(&Order{}).Count(&n).Error)
	require.EqualValues(t, 1, n)
	require.ErrorIs(t, db.Model(&Order{}).Select("id").Row().Scan(&n), tenancy.ErrNoTenant)
	require.NoError(t, a.Clauses(clause.OnConflict{UpdateAll: true}).Create(&Customer{ID: ca.ID, Name: "up"}).Error)
	require.NoError(t, a.Model(&Customer{ID: cb.ID}).Association("Tags").Clear())
	require.EqualValues(t, 1, b.Model(&cb).Association("Tags").Count())
	require.NoError(t, db.Create(&Country{Name: "x"}).Error)
	require.NoError(t, a.Transaction(func(tx *gorm.DB) error {
		return tx.Transaction(func(tx *gorm.DB) error { return tx.Create(&Customer{Name: "n"}).Error })
	}))
}
