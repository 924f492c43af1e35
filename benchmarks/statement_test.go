package benchmarks

import (
	"context"

	"gorm.io/gorm"
)

// A session runs statements one after the other.
type session struct {
	db   *gorm.DB
	ctx  context.Context
	site *site
}

func (s *session) with() *gorm.DB { return s.db.WithContext(s.ctx) }

// A statement is what is compared: as a careful programmer writes it by hand, and as the plugin takes it. On a global table
// both are the same.
type statement struct {
	name    string // of the benchmark
	title   string // in the table
	before  func(s *site, n int) error
	most    int // runs of each side at a time; 0: as many as the clock asks for
	plain   func(*session) *gorm.DB
	tenancy func(*session) *gorm.DB
}

const batch = 100

func clearBefore(s *site, _ int) error { return s.clear() }

// ownedStatements are on a tenant's table.
func ownedStatements() []statement {
	return []statement{
		{
			name: "first", title: "SELECT by key",
			plain: func(s *session) *gorm.DB {
				var x Invoice
				return s.with().Where("tenant_id = ?", tenant).First(&x, 7)
			},
			tenancy: func(s *session) *gorm.DB {
				var x Invoice
				return s.with().First(&x, 7)
			},
		},
		{
			name: "find", title: "SELECT with a condition",
			plain: func(s *session) *gorm.DB {
				var xs []Invoice
				return s.with().Where("tenant_id = ?", tenant).Where("status = ?", "open").Find(&xs)
			},
			tenancy: func(s *session) *gorm.DB {
				var xs []Invoice
				return s.with().Where("status = ?", "open").Find(&xs)
			},
		},
		{
			name: "insert", title: "INSERT", before: clearBefore,
			plain: func(s *session) *gorm.DB {
				return s.with().Create(&Invoice{TenantID: tenant, Number: "2026-8", Status: "open", Cents: 1})
			},
			tenancy: func(s *session) *gorm.DB {
				return s.with().Create(&Invoice{Number: "2026-8", Status: "open", Cents: 1})
			},
		},
		{
			name: "insert100", title: "INSERT of 100 rows", before: clearBefore,
			plain: func(s *session) *gorm.DB {
				xs := make([]Invoice, batch)
				for i := range xs {
					xs[i] = Invoice{TenantID: tenant, Number: "2026-8", Status: "open", Cents: 1}
				}
				return s.with().Create(&xs)
			},
			tenancy: func(s *session) *gorm.DB {
				xs := make([]Invoice, batch)
				for i := range xs {
					xs[i] = Invoice{Number: "2026-8", Status: "open", Cents: 1}
				}
				return s.with().Create(&xs)
			},
		},
		{
			name: "update", title: "UPDATE",
			plain: func(s *session) *gorm.DB {
				return s.with().Model(&Invoice{ID: 7}).Where("tenant_id = ?", tenant).Update("cents", 2)
			},
			tenancy: func(s *session) *gorm.DB {
				return s.with().Model(&Invoice{ID: 7}).Update("cents", 2)
			},
		},
		{
			name: "delete", title: "DELETE", before: (*site).deletable,
			plain: func(s *session) *gorm.DB {
				s.site.next++
				return s.with().Where("tenant_id = ?", tenant).Delete(&Invoice{}, s.site.next-1)
			},
			tenancy: func(s *session) *gorm.DB {
				s.site.next++
				return s.with().Delete(&Invoice{}, s.site.next-1)
			},
		},
	}
}

// globalStatements are on a table of nobody's. The plugin's session has a tenant in its context all the same, as in a
// program that looks up a rate while it serves a tenant.
func globalStatements() []statement {
	statements := []statement{
		{
			name: "first", title: "SELECT by key",
			plain: func(s *session) *gorm.DB {
				var x Rate
				return s.with().First(&x, 7)
			},
		},
		{
			name: "find", title: "SELECT with a condition",
			plain: func(s *session) *gorm.DB {
				var xs []Rate
				return s.with().Where("status = ?", "open").Find(&xs)
			},
		},
		{
			name: "insert", title: "INSERT", before: clearBefore,
			plain: func(s *session) *gorm.DB {
				return s.with().Create(&Rate{Number: "2026-8", Status: "open", Cents: 1})
			},
		},
		{
			name: "insert100", title: "INSERT of 100 rows", before: clearBefore,
			plain: func(s *session) *gorm.DB {
				xs := make([]Rate, batch)
				for i := range xs {
					xs[i] = Rate{Number: "2026-8", Status: "open", Cents: 1}
				}
				return s.with().Create(&xs)
			},
		},
		{
			name: "update", title: "UPDATE",
			plain: func(s *session) *gorm.DB {
				return s.with().Model(&Rate{ID: 7}).Update("cents", 2)
			},
		},
		{
			name: "delete", title: "DELETE", before: (*site).deletable,
			plain: func(s *session) *gorm.DB {
				s.site.next++
				return s.with().Delete(&Rate{}, s.site.next-1)
			},
		},
	}
	return alike(statements)
}
