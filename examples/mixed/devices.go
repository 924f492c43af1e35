package main

import (
	"context"

	"gorm.io/gorm"
)

// Device is owned by a tenant. Where tables are shared it needs the tenant column, so it has it everywhere.
type Device struct {
	ID          uint
	TenantID    string `tenancy:"tenant" gorm:"index"`
	Name        string
	ProductCode string
	Product     Product
}

// Product is a reference table: each database has a copy of it, so that tenants' rows can be joined with it everywhere.
type Product struct {
	Code string `gorm:"primaryKey"`
	Name string
}

// Alert is the operator's: a global table, in the home database, which gorm.Open opens, and nowhere else.
type Alert struct {
	ID   uint
	Text string
}

// addDevice and listDevices are ordinary handlers: they know neither who the tenant is, nor where.
func addDevice(ctx context.Context, db *gorm.DB, name, product string) error {
	return db.WithContext(ctx).Create(&Device{Name: name, ProductCode: product}).Error
}

func listDevices(ctx context.Context, db *gorm.DB) (names []string, err error) {
	const text = "SELECT p.name || ' ' || d.name FROM devices d JOIN products p ON p.code = d.product_code ORDER BY d.id"
	err = db.WithContext(ctx).Raw(text).Scan(&names).Error
	return names, err
}
