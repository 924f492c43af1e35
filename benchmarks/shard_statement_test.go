package benchmarks

import "gorm.io/gorm"

func newOrder() Order {
	return Order{AccountID: account, Number: "2026-8", Status: "open", Cents: 1}
}

// orderStatements are on a sharded table, whose key stands in a condition or in the rows. Both sides are the same.
func orderStatements() []statement {
	return alike([]statement{
		{
			name: "first", title: "SELECT by key",
			plain: func(s *session) *gorm.DB {
				var x Order
				return s.with().Where("account_id = ?", account).First(&x, 7)
			},
		},
		{
			name: "find", title: "SELECT with a condition",
			plain: func(s *session) *gorm.DB {
				var xs []Order
				return s.with().Where("account_id = ?", account).Where("status = ?", "open").Find(&xs)
			},
		},
		{
			name: "insert", title: "INSERT", before: clearBefore,
			plain: func(s *session) *gorm.DB {
				x := newOrder()
				return s.with().Create(&x)
			},
		},
		{
			name: "insert100", title: "INSERT of 100 rows", before: clearBefore,
			plain: func(s *session) *gorm.DB {
				xs := make([]Order, batch)
				for i := range xs {
					xs[i] = newOrder()
				}
				return s.with().Create(&xs)
			},
		},
		{
			name: "update", title: "UPDATE",
			plain: func(s *session) *gorm.DB {
				return s.with().Model(&Order{ID: 7}).Where("account_id = ?", account).Update("cents", 2)
			},
		},
		{
			name: "delete", title: "DELETE", before: (*site).deletable,
			plain: func(s *session) *gorm.DB {
				s.site.next++
				return s.with().Where("account_id = ?", account).Delete(&Order{}, s.site.next-1)
			},
		},
	})
}

// shipmentStatements are on one whose IDs say where a row is. On the other side the application makes them.
func shipmentStatements() []statement {
	all := alike([]statement{
		{
			name: "first", title: "SELECT by ID",
			plain: func(s *session) *gorm.DB {
				var x Shipment
				return s.with().First(&x, s.site.first)
			},
		},
		{
			name: "update", title: "UPDATE by ID",
			plain: func(s *session) *gorm.DB {
				return s.with().Model(&Shipment{ID: s.site.first}).Update("cents", 2)
			},
		},
	})
	return append(all, statement{
		name: "insert", title: "INSERT with a new ID", before: (*site).withoutShipments,
		plain: func(s *session) *gorm.DB {
			x := Shipment{AccountID: account, Number: "2026-8", Status: "open", Cents: 1}
			var err error
			if x.ID, err = s.site.newID(); err != nil {
				panic(err)
			}
			return s.with().Create(&x)
		},
		tenancy: func(s *session) *gorm.DB {
			x := Shipment{AccountID: account, Number: "2026-8", Status: "open", Cents: 1}
			return s.with().Create(&x)
		},
	})
}

// alike has both sides run the same.
func alike(statements []statement) []statement {
	for i := range statements {
		statements[i].tenancy = statements[i].plain
	}
	return statements
}

// withoutShipments removes what statements have inserted.
func (s *site) withoutShipments(int) error {
	return s.exec("DELETE FROM shipments WHERE number = '2026-8'")
}
