package tenancy_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/sqlite"
)

// The tests in this file hold the promises of doc.go, in their order; each name carries the number. tenancytest has the
// suite of cases, over three databases; here each promise is shown once, with the SQL that was sent.

type Customer struct {
	ID        uint
	TenantID  string `tenancy:"tenant"`
	Name      string `gorm:"uniqueIndex:customer_name"`
	DeletedAt gorm.DeletedAt
	Orders    []Order
	Tags      []Tag `gorm:"many2many:customer_tags"`
}

type Order struct {
	ID         uint
	TenantID   string `tenancy:"tenant"`
	CustomerID *uint
	Customer   *Customer
	Item       string
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

// recorder is a logger that keeps the statements that were sent.
type recorder struct {
	logger.Interface
	mu   sync.Mutex
	sent []string
}

func (r *recorder) LogMode(logger.LogLevel) logger.Interface { return r }

func (r *recorder) Trace(_ context.Context, _ time.Time, fc func() (string, int64), err error) {
	if _, refused := errors.AsType[*tenancy.StatementError](err); refused {
		return
	}
	statement, _ := fc()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent = append(r.sent, statement)
}

// take returns the statements sent since the last call.
func (r *recorder) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	sent := r.sent
	r.sent = nil
	return sent
}

// shop is a database with two tenants: the same names, and ids of its own for each.
type shop struct {
	db, a, b   *gorm.DB
	log        *recorder
	mine, them Customer
}

func ctxOf(id tenancy.ID) context.Context { return tenancy.WithTenant(context.Background(), id) }

func newShop(t *testing.T, change ...func(*gorm.Config, *tenancy.Config)) *shop {
	t.Helper()
	s := &shop{log: &recorder{Interface: logger.Discard}}
	gcfg := &gorm.Config{Logger: s.log}
	cfg := tenancy.Config{Models: []any{&Customer{}, &Order{}, &Tag{}}, Global: []any{&Country{}}}
	for _, fn := range change {
		fn(gcfg, &cfg)
	}
	var err error
	s.db, err = gorm.Open(sqlite.Open(filepath.Join(t.TempDir(), "shop.db")), gcfg)
	require.NoError(t, err)
	t.Cleanup(func() {
		if pool, err := s.db.DB(); err == nil {
			require.Zero(t, pool.Stats().InUse, "a connection was not given back")
			_ = pool.Close()
		}
	})
	require.NoError(t, s.db.Use(tenancy.New(cfg)))
	require.NoError(t, s.db.AutoMigrate(&Customer{}, &Order{}, &Tag{}, &Country{}))
	s.a, s.b = s.db.WithContext(ctxOf("a")), s.db.WithContext(ctxOf("b"))
	s.mine = Customer{Name: "ann", Orders: []Order{{Item: "apple"}, {Item: "axe"}}, Tags: []Tag{{Label: "x"}}}
	s.them = Customer{Name: "bea", Orders: []Order{{Item: "bell"}}, Tags: []Tag{{Label: "x"}}}
	require.NoError(t, s.a.Create(&s.mine).Error)
	require.NoError(t, s.b.Create(&s.them).Error)
	s.log.take()
	return s
}

// theirs returns all rows of tenant b, to be compared before and after.
func (s *shop) theirs(t *testing.T) []Customer {
	t.Helper()
	var rows []Customer
	require.NoError(t, s.b.Unscoped().Preload("Orders").Preload("Tags").Find(&rows).Error)
	return rows
}

func TestPromise1ClosedByDefault(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	var n int64
	var rows []Customer
	for name, do := range map[string]func(db *gorm.DB) error{
		"Find":            func(db *gorm.DB) error { return db.Find(&rows).Error },
		"First":           func(db *gorm.DB) error { return db.First(&Customer{}).Error },
		"Count":           func(db *gorm.DB) error { return db.Model(&Customer{}).Count(&n).Error },
		"Pluck":           func(db *gorm.DB) error { return db.Model(&Customer{}).Pluck("name", &[]string{}).Error },
		"Scan":            func(db *gorm.DB) error { return db.Model(&Customer{}).Scan(&[]map[string]any{}).Error },
		"Row":             func(db *gorm.DB) error { return db.Model(&Customer{}).Select("id").Row().Scan(&n) },
		"Row.Err":         func(db *gorm.DB) error { return db.Model(&Customer{}).Row().Err() },
		"Rows":            func(db *gorm.DB) error { _, err := db.Model(&Customer{}).Rows(); return err }, //nolint:rowserrcheck // there are none
		"FindInBatches":   func(db *gorm.DB) error { return db.FindInBatches(&rows, 1, nil).Error },
		"Create":          func(db *gorm.DB) error { return db.Create(&Customer{}).Error },
		"Create own":      func(db *gorm.DB) error { return db.Create(&Customer{TenantID: "a"}).Error },
		"Create map":      func(db *gorm.DB) error { return db.Model(&Customer{}).Create(map[string]any{"name": "x"}).Error },
		"CreateInBatches": func(db *gorm.DB) error { return db.CreateInBatches(&[]Customer{{}, {}}, 1).Error },
		"Save":            func(db *gorm.DB) error { return db.Save(&Customer{ID: 1}).Error },
		"Update":          func(db *gorm.DB) error { return db.Model(&Customer{ID: 1}).Update("name", "x").Error },
		"UpdateColumn":    func(db *gorm.DB) error { return db.Model(&Customer{ID: 1}).UpdateColumn("name", "x").Error },
		"Delete":          func(db *gorm.DB) error { return db.Delete(&Customer{}, 1).Error },
		"Table":           func(db *gorm.DB) error { return db.Table("customers").Find(&[]map[string]any{}).Error },
		"Table delete":    func(db *gorm.DB) error { return db.Table("customers").Where("1 = 1").Delete(nil).Error },
		"join table":      func(db *gorm.DB) error { return db.Table("customer_tags").Count(&n).Error },
		"Raw":             func(db *gorm.DB) error { return db.Raw("SELECT 1 FROM customers").Scan(&n).Error },
		"Raw Row":         func(db *gorm.DB) error { return db.Raw("SELECT 1 FROM customers").Row().Scan(&n) },
		"Exec":            func(db *gorm.DB) error { return db.Exec("DELETE FROM customers").Error },
		"Preload":         func(db *gorm.DB) error { return db.Preload("Orders").Find(&rows).Error },
		"FirstOrCreate":   func(db *gorm.DB) error { return db.FirstOrCreate(&Customer{}, Customer{Name: "x"}).Error },
		"Association":     func(db *gorm.DB) error { return db.Model(&s.mine).Association("Tags").Clear() },
		"generics":        func(db *gorm.DB) error { _, err := gorm.G[Customer](db).Find(context.Background()); return err },
		"transaction": func(db *gorm.DB) error {
			return db.Transaction(func(tx *gorm.DB) error { return tx.Find(&rows).Error })
		},
		"subquery": func(db *gorm.DB) error {
			return db.Where("id IN (?)", db.Model(&Order{}).Select("id")).Find(&[]Country{}).Error
		},
	} {
		t.Run(name, func(t *testing.T) {
			err := do(s.db)
			require.ErrorIs(t, err, tenancy.ErrNoTenant)
			var refused *tenancy.StatementError
			require.ErrorAs(t, err, &refused)
			require.Empty(t, s.log.take())
		})
	}

	t.Run("unknown table", func(t *testing.T) {
		require.ErrorIs(t, s.a.Table("salaries").Find(&[]map[string]any{}).Error, tenancy.ErrUnknownTable)
		require.Empty(t, s.log.take())
	})
	t.Run("invalid tenant", func(t *testing.T) {
		for _, id := range []tenancy.ID{"", "a\x00", "a\nb", "\xff", tenancy.ID(strings.Repeat("x", 64))} {
			require.ErrorIs(t, s.db.WithContext(ctxOf(id)).Find(&rows).Error, tenancy.ErrInvalidTenant)
		}
		require.Empty(t, s.log.take())
	})
	t.Run("Begin sends nothing", func(t *testing.T) {
		tx := s.db.Begin()
		require.NoError(t, tx.Error)
		pool, err := s.db.DB()
		require.NoError(t, err)
		require.Zero(t, pool.Stats().InUse)
		require.ErrorIs(t, tx.Find(&rows).Error, tenancy.ErrNoTenant)
		require.NoError(t, tx.Rollback().Error)
	})
	t.Run("a callback that was removed", func(t *testing.T) {
		s := newShop(t)
		require.NoError(t, s.db.Callback().Query().Remove("tenancy:confine"))
		require.ErrorIs(t, s.a.Find(&rows).Error, tenancy.ErrUnconfinedSQL)
		require.NoError(t, s.db.Callback().Query().Remove("tenancy:guard"))
		require.ErrorIs(t, s.a.Find(&rows).Error, tenancy.ErrUnconfinedSQL)
	})
	t.Run("a clause that is not built", func(t *testing.T) {
		tx := s.a.Model(&Customer{}).Select("name, (?) AS n", s.a.Model(&Order{}).Select("COUNT(*)"))
		tx.Statement.BuildClauses = []string{"SELECT", "FROM"}
		require.ErrorIs(t, tx.Find(&[]map[string]any{}).Error, tenancy.ErrUnconfinedSQL)
		tx = s.a.Session(&gorm.Session{AllowGlobalUpdate: true}).Model(&Customer{})
		tx.Statement.BuildClauses = []string{"UPDATE", "SET"}
		require.ErrorIs(t, tx.Update("name", s.a.Model(&Order{}).Select("MAX(item)")).Error, tenancy.ErrUnconfinedSQL)
		tx = s.a.Model(&Tag{})
		tx.Statement.BuildClauses = []string{"INSERT"}
		require.ErrorIs(t, tx.Create(&Tag{}).Error, tenancy.ErrUnconfinedSQL)
	})
	t.Run("the pool itself", func(t *testing.T) {
		_, err := s.a.Statement.ConnPool.ExecContext(s.a.Statement.Context, "DELETE FROM customers")
		require.ErrorIs(t, err, tenancy.ErrUnconfinedSQL)
	})
}

func TestPromise1TextThatCouldReachATable(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	before := s.theirs(t)
	var rows []Customer
	var n int64
	for name, err := range map[string]error{
		"raw":               s.a.Raw("SELECT * FROM customers").Scan(&rows).Error,
		"exec":              s.a.Exec("UPDATE customers SET name = 'x'").Error,
		"where":             s.a.Where("id IN (SELECT id FROM customers)").Find(&rows).Error,
		"raw subquery":      s.a.Where("id IN (?)", s.db.Raw("SELECT id FROM customers")).Find(&rows).Error,
		"select":            s.a.Select("(SELECT COUNT(*) FROM customers)").Find(&rows).Error,
		"order":             s.a.Order("(SELECT 1 FROM customers)").Find(&rows).Error,
		"group":             s.a.Model(&Customer{}).Group("name UNION SELECT name FROM customers").Pluck("name", &[]string{}).Error,
		"having":            s.a.Model(&Customer{}).Group("name").Having("1 IN (SELECT id FROM customers)").Pluck("name", &[]string{}).Error,
		"joins":             s.a.Joins("LEFT JOIN orders o ON 1 = 1").Find(&rows).Error,
		"tables":            s.a.Table("customers, orders").Count(&n).Error,
		"from":              s.a.Clauses(clause.From{Tables: []clause.Table{{Name: "customers"}, {Name: "orders"}}}).Find(&rows).Error,
		"unbalanced":        s.a.Where("id = 2) OR (id = 1").Find(&rows).Error,
		"comment":           s.a.Where("1 = 1) -- ").Find(&rows).Error,
		"comment in update": s.a.Model(&Customer{}).Where("1 = 1 /*").Update("name", "x").Error,
		"set":               s.a.Model(&Customer{}).Where("1 = 1").Update("name", gorm.Expr("'x', tenant_id = 'b'")).Error,
		"replace":           s.a.Clauses(clause.Insert{Modifier: "OR REPLACE"}).Create(&Customer{ID: s.them.ID}).Error,
		"in a table":        s.a.Where("id IN ?", clause.Table{Name: "orders"}).Find(&rows).Error,
		"in quotes":         s.a.Where("name = '?'", s.db.Model(&Order{}).Where("item = 'x'").Select("id")).Find(&rows).Error,
		"returning":         s.a.Clauses(clause.Returning{Columns: []clause.Column{{Name: "(SELECT 1 FROM customers)", Raw: true}}}).Where("1=1").Delete(&rows).Error,
		"from a global one": s.a.Where("id IN (SELECT id FROM customers)").Find(&[]Country{}).Error,
	} {
		require.ErrorIs(t, err, tenancy.ErrUnconfinedSQL, name)
	}
	require.Equal(t, before, s.theirs(t))
	err := s.a.Where("tenant_id = 'b' AND id IN (SELECT 1)").Find(&rows).Error
	require.ErrorContains(t, err, "tenant_id = '…' AND")
	require.NotContains(t, err.Error(), "'b'", "data is not in messages")
}

func TestPromise2OnlyTheTenantsRows(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	before := s.theirs(t)
	for name, chain := range map[string]*gorm.DB{
		"plain": s.a, "or": s.a.Where("name = ?", "none").Or("1 = 1"), "lone or": s.a.Or("1 = 1"),
		"newlines": s.a.Where("id = 2\nOR\t1 = 1"), "comments": s.a.Where("id = 0/**/OR/**/1 = 1"),
		"named": s.a.Where("id = @id OR 1 = 1", sql.Named("id", 1)), "not": s.a.Not("name = ?", "none"),
		"group": s.a.Where(s.db.Where("1 = 1").Or("1 = 1")), "unscoped": s.a.Unscoped(), "other id": s.a.Where("id > 0"),
		"subquery": s.a.Where("id IN (?)", s.db.Model(&Order{}).Select("customer_id")), "alias": s.a.Table("customers AS c"),
		"session": s.a.Session(&gorm.Session{NewDB: true}), "prepared": s.a.Session(&gorm.Session{PrepareStmt: true}),
		"order": s.a.Order("name DESC"), "scope": s.a.Scopes(func(db *gorm.DB) *gorm.DB { return db.Or("1 = 1") }),
	} {
		var rows []Customer
		require.NoError(t, chain.Preload("Orders").Preload("Tags").Find(&rows).Error, name)
		require.Len(t, rows, 1, name)
		require.Equal(t, "ann", rows[0].Name, name)
		require.Len(t, rows[0].Orders, 2, name)
		require.Len(t, rows[0].Tags, 1, name)
	}
	require.ErrorIs(t, s.a.First(&Customer{}, s.them.ID).Error, gorm.ErrRecordNotFound)
	var n int64
	require.NoError(t, s.a.Model(&Customer{}).Where("tenant_id = ?", "b").Count(&n).Error)
	require.Zero(t, n)
	require.NoError(t, s.a.Table("customer_tags").Count(&n).Error)
	require.EqualValues(t, 1, n)

	t.Run("joined", func(t *testing.T) {
		require.NoError(t, s.b.Model(&Order{}).Where("item = ?", "bell").Update("customer_id", nil).Error)
		raw, err := s.db.DB()
		require.NoError(t, err)
		_, err = raw.Exec("UPDATE orders SET customer_id = ? WHERE item = 'axe'", s.them.ID) // a crossing from before the plugin
		require.NoError(t, err)
		var orders []Order
		require.NoError(t, s.a.Joins("Customer").Order("orders.id").Find(&orders).Error)
		require.Len(t, orders, 2)
		require.Equal(t, "ann", orders[0].Customer.Name)
		require.Nil(t, orders[1].Customer)
		require.NoError(t, s.a.InnerJoins("Customer", s.db.Where("1 = 1").Or("1 = 1")).Find(&orders).Error)
		require.Len(t, orders, 1)
		require.NoError(t, s.a.Preload("Customer").Order("id").Find(&orders).Error)
		require.Nil(t, orders[1].Customer)
		_, err = raw.Exec("UPDATE orders SET customer_id = ? WHERE item IN ('axe', 'bell')", s.mine.ID)
		require.NoError(t, err)
		_, err = raw.Exec("UPDATE orders SET customer_id = ? WHERE item = 'bell'", s.them.ID)
		require.NoError(t, err)
	})
	t.Run("written", func(t *testing.T) {
		res := s.a.Model(&Customer{}).Where("1 = 1").Or("1 = 1").Update("name", "ann")
		require.NoError(t, res.Error)
		require.EqualValues(t, 1, res.RowsAffected)
		res = s.a.Delete(&Customer{ID: s.them.ID})
		require.NoError(t, res.Error)
		require.Zero(t, res.RowsAffected)
		require.NoError(t, s.a.Unscoped().Where("1 = 1").Or("1 = 1").Delete(&Order{}).Error)
		require.NoError(t, s.a.Model(&Customer{ID: s.them.ID}).Association("Tags").Clear())
		require.NoError(t, s.a.Model(&Customer{ID: s.them.ID}).Association("Orders").Clear())
	})
	require.Equal(t, before, s.theirs(t))
}

func TestPromise3ARowCannotChangeHands(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	before := s.theirs(t)
	id, order, tag := s.them.ID, s.them.Orders[0], s.them.Tags[0]
	count := func() (n int64) {
		require.NoError(t, s.a.Unscoped().Model(&Customer{}).Count(&n).Error)
		return n
	}
	rows := count()
	for name, do := range map[string]func() error{
		"create as b":     func() error { return s.a.Create(&Customer{TenantID: "b"}).Error },
		"create map as b": func() error { return s.a.Model(&Customer{}).Create(map[string]any{"TenantID": "b"}).Error },
		"create mixed":    func() error { return s.a.Create(&[]Customer{{}, {TenantID: "b"}}).Error },
		"save":            func() error { return s.a.Save(&Customer{ID: id, Name: "new"}).Error },
		"save slice":      func() error { return s.a.Save(&[]Customer{{Name: "n1"}, {ID: id}, {Name: "n2"}}).Error },
		"upsert":          func() error { return s.a.Clauses(clause.OnConflict{UpdateAll: true}).Create(&Customer{ID: id}).Error },
		"upsert some":     func() error { return s.upsert(&Customer{ID: id, Name: "new"}, "name") },
		"upsert tenant":   func() error { return s.upsert(&Customer{ID: id}, "tenant_id") },
		"update tenant":   func() error { return s.a.Model(&s.mine).Update("tenant_id", "b").Error },
		"update field":    func() error { return s.a.Model(&s.mine).Update("TenantID", "b").Error },
		"update quoted":   func() error { return s.a.Model(&s.mine).Update("`customers`.`TENANT_ID`", "b").Error },
		"update column":   func() error { return s.a.Model(&s.mine).UpdateColumn("tenant_id", gorm.Expr("'b'")).Error },
		"update struct":   func() error { return s.a.Model(&s.mine).Updates(Customer{TenantID: "b"}).Error },
		"update set":      func() error { return s.a.Model(&s.mine).Clauses(setTenant("b")).Updates(map[string]any{}).Error },
		"update table": func() error {
			return s.a.Table("customers").Where("1=1").Updates(map[string]any{"tenant_id": "b"}).Error
		},
		"b's row":            func() error { return s.a.Model(&s.them).Update("name", "x").Error },
		"delete b's row":     func() error { return s.a.Delete(&s.them).Error },
		"foreign key":        func() error { return s.a.Create(&Order{CustomerID: &id}).Error },
		"foreign key update": func() error { return s.a.Model(&s.mine.Orders[0]).Update("customer_id", id).Error },
		"foreign key expr": func() error {
			return s.a.Model(&Order{}).Where("1=1").Update("customer_id", gorm.Expr("customer_id + 1")).Error
		},
		"belongs to":       func() error { return s.a.Model(&s.mine.Orders[0]).Association("Customer").Append(&Customer{ID: id}) },
		"append b's child": func() error { return s.a.Model(&s.mine).Association("Orders").Append(&Order{ID: order.ID}) },
		"append to b":      func() error { return s.a.Model(&Customer{ID: id}).Association("Orders").Append(&Order{Item: "x"}) },
		"append b's tag":   func() error { return s.a.Model(&s.mine).Association("Tags").Append(&Tag{ID: tag.ID}) },
		"nested create":    func() error { return s.a.Create(&Customer{Name: "n", Orders: []Order{{ID: order.ID}}}).Error },
		"nested many2many": func() error { return s.a.Create(&Customer{Name: "n", Tags: []Tag{{ID: tag.ID}}}).Error },
		"full save": func() error {
			return s.fullSave(&Customer{ID: s.mine.ID, Name: "ann", Orders: []Order{{ID: order.ID}}})
		},
		"first or create": func() error { return s.a.FirstOrCreate(&Customer{}, Customer{TenantID: "b", Name: "x"}).Error },
		"generics":        func() error { return gorm.G[Order](s.db).Create(ctxOf("a"), &Order{CustomerID: &id}) },
		"join table directly": func() error {
			return s.a.Table("customer_tags").Create(map[string]any{"customer_id": s.mine.ID, "tag_id": tag.ID}).Error
		},
	} {
		t.Run(name, func(t *testing.T) {
			require.ErrorIs(t, do(), tenancy.ErrTenantMismatch)
			require.Equal(t, before, s.theirs(t))
			require.Equal(t, rows, count(), "what was written beside it is rolled back")
		})
	}

	t.Run("ids stay in their structs", func(t *testing.T) {
		batch := []Customer{{ID: s.mine.ID, Name: "ann"}, {ID: id, Name: "x"}, {ID: 900, Name: "y"}}
		require.ErrorIs(t, s.a.Save(&batch).Error, tenancy.ErrTenantMismatch)
		require.Equal(t, []uint{s.mine.ID, id, 900}, []uint{batch[0].ID, batch[1].ID, batch[2].ID})
	})
	t.Run("what Save wrote before", func(t *testing.T) {
		err := s.a.Save(&Order{ID: order.ID, Customer: &Customer{Name: "made by Save"}}).Error
		require.ErrorIs(t, err, tenancy.ErrTenantMismatch)
		require.ErrorIs(t, s.a.First(&Customer{}, "name = ?", "made by Save").Error, gorm.ErrRecordNotFound)
	})
	t.Run("a transaction can go on", func(t *testing.T) {
		require.NoError(t, s.a.Transaction(func(tx *gorm.DB) error {
			require.ErrorIs(t, tx.Save(&[]Customer{{ID: 901, Name: "half"}, {ID: id}}).Error, tenancy.ErrTenantMismatch)
			return tx.Create(&Tag{Label: "after"}).Error
		}))
		require.ErrorIs(t, s.a.First(&Customer{}, 901).Error, gorm.ErrRecordNotFound)
		require.NoError(t, s.a.First(&Tag{}, "label = ?", "after").Error)
	})
	t.Run("without default transactions", func(t *testing.T) {
		db := s.a.Session(&gorm.Session{SkipDefaultTransaction: true})
		require.ErrorIs(t, db.Save(&[]Customer{{ID: 902, Name: "half"}, {ID: id}}).Error, tenancy.ErrTenantMismatch)
		require.ErrorIs(t, s.a.First(&Customer{}, 902).Error, gorm.ErrRecordNotFound)
		require.ErrorIs(t, db.Create(&Order{CustomerID: &id}).Error, tenancy.ErrTenantMismatch)
	})
	t.Run("own rows", func(t *testing.T) {
		s.mine = Customer{} // GORM leaves in the struct what it could not save
		require.NoError(t, s.a.Preload("Orders").Preload("Tags").First(&s.mine, "name = ?", "ann").Error)
		require.NoError(t, s.a.Save(&Customer{ID: s.mine.ID, Name: "anna"}).Error)
		require.NoError(t, s.upsert(&Customer{ID: s.mine.ID, Name: "annabel"}, "name"))
		require.NoError(t, s.a.Model(&s.mine).Update("tenant_id", "a").Error)
		require.NoError(t, s.a.Model(&s.mine.Orders[0]).Update("customer_id", s.mine.ID).Error)
		require.NoError(t, s.a.Model(&s.mine).Association("Tags").Append(&Tag{ID: s.mine.Tags[0].ID}))
		var found Customer
		require.NoError(t, s.a.Select("Name").Create(&Customer{Name: "chosen"}).Error)
		require.NoError(t, s.a.Omit("TenantID").Create(&Customer{Name: "omitted"}).Error)
		require.NoError(t, s.a.First(&found, "name = ?", "omitted").Error)
		require.Equal(t, "a", found.TenantID)
	})
	require.Equal(t, before, s.theirs(t))
}

func (s *shop) upsert(row any, columns ...string) error {
	return s.a.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "id"}}, DoUpdates: clause.AssignmentColumns(columns)}).Create(row).Error
}

func (s *shop) fullSave(row any) error {
	return s.a.Session(&gorm.Session{FullSaveAssociations: true}).Save(row).Error
}

func setTenant(id string) clause.Set {
	return clause.Set{{Column: clause.Column{Name: "tenant_id"}, Value: id}}
}

func TestPromise4OneTenantInATransaction(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	err := s.a.Transaction(func(tx *gorm.DB) error {
		if err := tx.Create(&Tag{Label: "new"}).Error; err != nil {
			return err
		}
		return tx.WithContext(ctxOf("b")).Create(&Tag{Label: "theirs"}).Error
	})
	require.ErrorIs(t, err, tenancy.ErrTenantMismatch)
	require.ErrorIs(t, s.a.First(&Tag{}, "label = ?", "new").Error, gorm.ErrRecordNotFound)

	err = s.a.Where("id IN (?)", s.b.Model(&Order{}).Select("customer_id")).Find(&[]Customer{}).Error
	require.ErrorIs(t, err, tenancy.ErrTenantMismatch)

	elsewhere := newShop(t, func(_ *gorm.Config, cfg *tenancy.Config) {
		cfg.Resolver = tenancy.List(map[string]tenancy.Placement{"a": {}, "b": {}, "far": {Shard: "far"}})
	})
	require.NoError(t, elsewhere.a.Find(&[]Customer{}).Error)
	require.ErrorIs(t, elsewhere.db.WithContext(ctxOf("far")).Find(&[]Customer{}).Error, tenancy.ErrShardNotFound)
	require.ErrorIs(t, elsewhere.db.WithContext(ctxOf("nobody")).Find(&[]Customer{}).Error, tenancy.ErrTenantNotFound)
}

func TestPromise6ThePlainCaseStaysPlain(t *testing.T) {
	t.Parallel()
	s := newShop(t, func(cfg *gorm.Config, _ *tenancy.Config) { cfg.TranslateError = true })
	require.ErrorIs(t, s.a.Delete(&Customer{}).Error, gorm.ErrMissingWhereClause)
	require.ErrorIs(t, s.a.Model(&Customer{}).Update("name", "x").Error, gorm.ErrMissingWhereClause)
	require.ErrorIs(t, s.a.Create(&Customer{Name: "ann"}).Error, gorm.ErrDuplicatedKey)
	require.NoError(t, s.db.Create(&Country{Name: "x"}).Error)
	require.NoError(t, s.a.First(&Country{}).Error)

	text := s.a.ToSQL(func(tx *gorm.DB) *gorm.DB { return tx.Where("name = ?", "ann").Find(&[]Customer{}) })
	require.Equal(t, "SELECT * FROM `customers` WHERE `customers`.`tenant_id` = \"a\" AND (name = \"ann\" AND `customers`.`deleted_at` IS NULL)", text)

	var fresh Customer
	require.NoError(t, s.a.Where(Customer{Name: "zed"}).Attrs(Customer{TenantID: "a"}).FirstOrInit(&fresh).Error)
	require.Equal(t, "zed", fresh.Name)

	require.NoError(t, s.a.Delete(&s.mine).Error)
	require.ErrorIs(t, s.a.First(&Customer{}, s.mine.ID).Error, gorm.ErrRecordNotFound)
	require.NoError(t, s.a.Unscoped().First(&Customer{}, s.mine.ID).Error)

	require.NoError(t, s.a.Transaction(func(tx *gorm.DB) error {
		_ = tx.Transaction(func(inner *gorm.DB) error {
			require.NoError(t, inner.Create(&Tag{Label: "inner"}).Error)
			return errors.New("undo")
		})
		return tx.Create(&Tag{Label: "outer"}).Error
	}))
	var labels []string
	require.NoError(t, s.a.Model(&Tag{}).Order("label").Pluck("label", &labels).Error)
	require.Equal(t, []string{"outer", "x"}, labels)

	reused := s.a.Model(&Tag{}).Where("label = ?", "x")
	var n int64
	var tags []Tag
	require.NoError(t, reused.Count(&n).Error)
	require.NoError(t, reused.Find(&tags).Error)
	require.EqualValues(t, n, len(tags))
}

func TestPromise7EscapesAreExplicit(t *testing.T) {
	t.Parallel()
	heard := &listener{}
	s := newShop(t, func(_ *gorm.Config, cfg *tenancy.Config) { cfg.Observer = heard })
	ctx := tenancy.WithoutTenant(context.Background(), "report")
	var rows []Customer
	require.NoError(t, s.db.WithContext(ctx).Find(&rows).Error)
	require.Len(t, rows, 2)
	require.Equal(t, "query customers report", heard.last(t, heard.without))

	require.ErrorIs(t, s.db.WithContext(ctx).Create(&Tag{Label: "whose?"}).Error, tenancy.ErrNoTenant)
	require.NoError(t, s.db.WithContext(ctx).Create(&Tag{Label: "b's", TenantID: "b"}).Error)
	require.ErrorIs(t, s.db.WithContext(tenancy.WithoutTenant(ctx, "")).Find(&rows).Error, tenancy.ErrNoTenant)

	inner := tenancy.WithTenant(ctx, "a")
	require.NoError(t, s.db.WithContext(inner).Find(&rows).Error)
	require.Len(t, rows, 1, "the innermost counts")
	require.Equal(t, "query customers a", heard.last(t, heard.scoped))
	require.ErrorIs(t, s.db.Find(&rows).Error, tenancy.ErrNoTenant)
	require.Equal(t, "query customers ", heard.last(t, heard.refused))
}

// listener is an observer that keeps what it hears.
type listener struct {
	scoped, refused, without []tenancy.StatementEvent
}

func (l *listener) StatementScoped(_ context.Context, e tenancy.StatementEvent) {
	l.scoped = append(l.scoped, e)
}

func (l *listener) StatementRefused(_ context.Context, e tenancy.StatementEvent) {
	l.refused = append(l.refused, e)
}

func (l *listener) StatementWithoutTenant(_ context.Context, e tenancy.StatementEvent) {
	l.without = append(l.without, e)
}

func (l *listener) last(t *testing.T, events []tenancy.StatementEvent) string {
	t.Helper()
	require.NotEmpty(t, events)
	e := events[len(events)-1]
	return e.Op + " " + e.Table + " " + string(e.Tenant) + e.Reason
}

func TestPlacements(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	var rows []Customer
	here, far := tenancy.Placement{}, tenancy.Placement{Shard: "far"}
	require.NoError(t, s.db.WithContext(tenancy.WithPlacement(ctxOf("a"), here)).Find(&rows).Error)
	require.NoError(t, s.db.WithContext(tenancy.WithTenant(tenancy.WithPlacement(context.Background(), here), "a")).Find(&rows).Error)
	require.Len(t, rows, 1)
	require.ErrorIs(t, s.db.WithContext(tenancy.WithPlacement(ctxOf("a"), far)).Find(&rows).Error, tenancy.ErrTenantMismatch)
	require.ErrorIs(t, s.db.WithContext(tenancy.WithPlacement(context.Background(), here)).Find(&rows).Error, tenancy.ErrNoTenant)
	all := tenancy.WithoutTenant(context.Background(), "report")
	require.ErrorIs(t, s.db.WithContext(tenancy.WithPlacement(all, far)).Find(&rows).Error, tenancy.ErrShardNotFound)
	require.NoError(t, s.db.WithContext(tenancy.WithPlacement(all, here)).Find(&rows).Error)

	resolved := newShop(t, func(_ *gorm.Config, cfg *tenancy.Config) { cfg.Resolver = tenancy.Single(here) })
	require.NoError(t, resolved.a.Find(&rows).Error)
	require.ErrorIs(t, resolved.db.WithContext(all).Find(&rows).Error, tenancy.ErrMissingShardKey)
	require.NoError(t, resolved.db.WithContext(tenancy.WithPlacement(all, here)).Find(&rows).Error)
	require.Len(t, rows, 2)

	pool, err := tenancy.DB(s.a)
	require.NoError(t, err)
	require.NoError(t, pool.Ping())
	_, err = tenancy.DB(s.db.WithContext(tenancy.WithPlacement(ctxOf("a"), far)))
	require.ErrorIs(t, err, tenancy.ErrTenantMismatch)
}

func TestExclusivePlacements(t *testing.T) {
	t.Parallel()
	type Note struct {
		ID   uint
		Text string
	}
	db, err := gorm.Open(sqlite.Open(filepath.Join(t.TempDir(), "x.db")), &gorm.Config{Logger: logger.Discard})
	require.NoError(t, err)
	require.NoError(t, db.Use(tenancy.New(tenancy.Config{
		Models:   []any{&Note{}},
		Resolver: tenancy.List(map[tenancy.ID]tenancy.Placement{"a": {Exclusive: true}, "b": {Exclusive: true}, "c": {}}),
	})))
	require.NoError(t, db.AutoMigrate(&Note{}))
	require.NoError(t, db.WithContext(ctxOf("a")).Create(&Note{Text: "mine alone"}).Error)
	require.NoError(t, db.WithContext(ctxOf("a")).First(&Note{}).Error)
	require.ErrorIs(t, db.WithContext(ctxOf("b")).First(&Note{}).Error, tenancy.ErrTenantMismatch, "the placement is a's")
	require.ErrorIs(t, db.WithContext(ctxOf("c")).First(&Note{}).Error, tenancy.ErrTenantMismatch, "c would share it")
	require.ErrorIs(t, db.First(&Note{}).Error, tenancy.ErrNoTenant)
}

func TestConfigurationFaultsAreReportedAtOnce(t *testing.T) {
	t.Parallel()
	db, err := gorm.Open(sqlite.Open(":memory:"), &gorm.Config{Logger: logger.Discard})
	require.NoError(t, err)
	err = db.Use(tenancy.New(tenancy.Config{
		Models:   []any{&Country{}, 7, tenancy.Table{}},
		Global:   []any{&Order{}},
		Unlisted: 9,
		Observer: struct{}{},
	}))
	require.ErrorIs(t, err, tenancy.ErrInvalidConfig)
	for _, part := range []string{"Models[1]", "Models[2]", "Global[0]", "Country", "Unlisted", "Observer"} {
		require.ErrorContains(t, err, part)
	}
	require.NoError(t, db.AutoMigrate(&Country{}), "nothing is installed")

	p := tenancy.New(tenancy.Config{})
	require.NoError(t, db.Use(p))
	require.ErrorIs(t, db.Use(p), gorm.ErrRegistered)
	other, err := gorm.Open(sqlite.Open(":memory:"), &gorm.Config{Logger: logger.Discard})
	require.NoError(t, err)
	require.ErrorIs(t, other.Use(p), tenancy.ErrInvalidConfig)
}

// TestUpdateGroupsConditions is about promise 6: GORM adds a model's key to conditions that soft delete has grouped.
func TestUpdateGroupsConditions(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	require.NoError(t, s.a.Create(&Customer{Name: "other"}).Error)
	res := s.a.Model(&Customer{ID: s.mine.ID}).Where("name = ?", "x").Or("1 = 1").Update("name", "changed")
	require.NoError(t, res.Error)
	require.EqualValues(t, 1, res.RowsAffected)
}

// TestFirstStatementOnAModel is about promises 1 and 2: a model that is in no list is confined from its first statement on.
func TestFirstStatementOnAModel(t *testing.T) {
	t.Parallel()
	for _, policy := range []tenancy.UnlistedPolicy{tenancy.UnlistedRefuse, tenancy.UnlistedGlobal} {
		full := newShop(t)
		raw, err := full.db.DB()
		require.NoError(t, err)
		_, err = raw.Exec("UPDATE orders SET customer_id = ? WHERE item = 'axe'", full.them.ID)
		require.NoError(t, err)
		db, err := gorm.Open(sqlite.New(sqlite.Config{Conn: raw}), &gorm.Config{Logger: logger.Discard})
		require.NoError(t, err)
		require.NoError(t, db.Use(tenancy.New(tenancy.Config{Unlisted: policy})))
		var orders []Order
		require.NoError(t, db.WithContext(ctxOf("a")).Unscoped().Joins("Customer").Where("item <> ?", "x").Order("orders.id").Find(&orders).Error)
		require.Len(t, orders, 2)
		require.Nil(t, orders[1].Customer)
	}
}

// TestViews is about promise 1: a view over a query that has no tenant would be empty, or hold everybody's rows.
func TestViews(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	view := func(query *gorm.DB) error { return s.db.Migrator().CreateView("v", gorm.ViewOption{Query: query}) }
	require.ErrorIs(t, view(s.db.Model(&Tag{})), tenancy.ErrNoTenant)
	require.ErrorIs(t, view(s.a.Model(&Tag{}).Joins("JOIN orders ON 1 = 1")), tenancy.ErrUnconfinedSQL)
	require.NoError(t, view(s.db.WithContext(tenancy.WithoutTenant(context.Background(), "report")).Model(&Tag{})))
	var n int64
	require.ErrorIs(t, s.a.Table("v").Count(&n).Error, tenancy.ErrUnknownTable)
}

// TestTablesWithoutModels is about promise 2: a view, or a table without a model, is confined by its declaration.
func TestTablesWithoutModels(t *testing.T) {
	t.Parallel()
	s := newShop(t, func(_ *gorm.Config, cfg *tenancy.Config) {
		cfg.Models = append(cfg.Models, tenancy.Table{Name: "orders_by_item", TenantColumn: "tenant_id"})
		cfg.Global = append(cfg.Global, &tenancy.Table{Name: "settings", Schema: "main"})
	})
	pool, err := s.db.DB()
	require.NoError(t, err)
	_, err = pool.Exec("CREATE VIEW orders_by_item AS SELECT tenant_id, item FROM orders; CREATE TABLE settings (name text)")
	require.NoError(t, err)
	var items []string
	require.NoError(t, s.a.Table("orders_by_item").Order("item").Pluck("item", &items).Error)
	require.Equal(t, []string{"apple", "axe"}, items)
	require.NoError(t, s.a.Table("orders_by_item AS o").Where("o.item <> ?", "axe").Pluck("item", &items).Error)
	require.Equal(t, []string{"apple"}, items)
	require.ErrorIs(t, s.db.Table("orders_by_item").Pluck("item", &items).Error, tenancy.ErrNoTenant)
	require.NoError(t, s.db.Table("main.settings").Create(map[string]any{"name": "x"}).Error)
}
