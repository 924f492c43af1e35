package tenancy_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/gormtenancy/tenancy"
)

// The tests in this file are ways around the plugin that were found by trying; each is about promise 1, 2 or 3.

// builderClause is a clause that brings a builder, as query-building plugins have.
type builderClause struct {
	name       string
	builder    clause.ClauseBuilder
	expression clause.Expression
}

func (c builderClause) Name() string { return c.name }

func (c builderClause) Build(clause.Builder) {}

func (c builderClause) MergeClause(m *clause.Clause) {
	m.Builder = c.builder
	if c.expression != nil {
		m.Expression = c.expression
	}
}

// besideFrom puts an expression behind FROM, as index hints are.
type besideFrom struct{ sql string }

func (b besideFrom) ModifyStatement(stmt *gorm.Statement) {
	c := stmt.Clauses["FROM"]
	c.Name = "FROM"
	c.AfterExpression = clause.Expr{SQL: b.sql}
	if c.Expression == nil {
		c.Expression = clause.From{}
	}
	stmt.Clauses["FROM"] = c
}

func (besideFrom) Build(clause.Builder) {}

func TestTextThatShiftsArguments(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	before := s.theirs(t)
	var rows []Customer
	for name, err := range map[string]error{
		"a quoted mark":        s.a.Where("name NOT LIKE '%?%'", "b").Find(&rows).Error,
		"in a delete":          s.a.Where("name NOT LIKE '%?%'", "b").Delete(&Customer{}).Error,
		"in an update":         s.a.Where("name NOT LIKE '%?%'", "b").Model(&Customer{}).Update("name", "x").Error,
		"in a named condition": s.a.Where("name NOT LIKE '%@v%'", map[string]any{"v": "b"}).Find(&rows).Error,
		"evened":               s.a.Select("name, '?' AS q", "b").Order("name = ?").Find(&rows).Error,
		"in a comment":         s.a.Where("1 = 1 /* ? */", "b").Find(&rows).Error,
		"in pieces":            s.a.Where("EXISTS (SEL? 1 FR? customers)", gorm.Expr("E"+"CT"), gorm.Expr("OM")).Find(&rows).Error,
		"behind IN":            s.a.Where("(1, 2) IN ?", gorm.Expr("customer_tags")).Find(&rows).Error,
		"a column behind IN":   s.a.Where("(1, 2) IN ?", clause.Column{Name: "customer_tags"}).Find(&rows).Error,
	} {
		require.ErrorIs(t, err, tenancy.ErrUnconfinedSQL, name)
	}
	require.Equal(t, before, s.theirs(t))
	require.NoError(t, s.a.Where("name <> 'x@y.z' AND name LIKE ?", "a%").Find(&rows).Error)
	require.Len(t, rows, 1)
}

func TestClausesThatBringText(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	var rows []Customer
	write := func(c clause.Clause, b clause.Builder) {
		_, _ = b.WriteString("WHERE 1 = 1 OR ")
		c.Expression.Build(b)
	}
	from := func(f clause.From) error { return s.a.Model(&Customer{}).Clauses(f).Find(&rows).Error }
	for name, err := range map[string]error{
		"a builder of WHERE": s.a.Where("id > 0").Clauses(builderClause{name: "WHERE", builder: write}).Find(&rows).Error,
		"LIMIT as text":      s.a.Clauses(builderClause{name: "LIMIT", expression: clause.Expr{SQL: "ALL UNION ALL SELECT * FROM customers"}}).Find(&rows).Error,
		"an alias of FROM":   from(clause.From{Tables: []clause.Table{{Name: clause.CurrentTable, Raw: true, Alias: "customers, orders"}}}),
		"a kind of join":     from(clause.From{Joins: []clause.Join{{Type: "CROSS JOIN orders INNER", Table: clause.Table{Name: "countries"}, ON: clause.Where{Exprs: []clause.Expression{clause.Expr{SQL: "1=1"}}}}}}),
		"beside FROM":        s.a.Clauses(besideFrom{", orders"}).Find(&rows).Error,
		"a broken hint":      s.a.Clauses(besideFrom{"/*a**/ , orders WHERE 1=1 OR (1=1 -- */"}).Where("\n1=1").Find(&rows).Error,
		"a modifier":         s.a.Model(&Customer{}).Clauses(clause.Update{Modifier: "orders NATURAL JOIN"}).Where("1=1").Update("name", "x").Error,
		"a comma in Joins":   s.a.Joins(", orders").Find(&rows).Error,
	} {
		require.ErrorIs(t, err, tenancy.ErrUnconfinedSQL, name)
	}
	require.NoError(t, s.a.Clauses(besideFrom{"/*+ a hint */"}).Find(&rows).Error)
	require.Len(t, rows, 1)
	require.NoError(t, s.a.Clauses(clause.Insert{Modifier: "OR IGNORE"}).Create(&Tag{Label: "x"}).Error)
}

func TestUpsertTextStaysInItsPlace(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	before := s.theirs(t)
	id := []clause.Column{{Name: "id"}}
	more := "1 DO UPDATE SET name = 'taken' ON CONFLICT (id)"
	require.Error(t, s.a.Clauses(clause.OnConflict{
		Columns: id, TargetWhere: clause.Where{Exprs: []clause.Expression{clause.Expr{SQL: more}}}, DoUpdates: clause.AssignmentColumns([]string{"name"}),
	}).Create(&Customer{ID: s.them.ID, Name: "x"}).Error)
	require.Error(t, s.a.Clauses(clause.OnConflict{
		Columns: id, DoUpdates: clause.Assignments(map[string]any{"name": gorm.Expr("'x' ON CONFLICT (id) DO UPDATE SET name = 'taken'")}),
	}).Create(&Customer{ID: s.them.ID, Name: "x"}).Error)
	require.Equal(t, before, s.theirs(t))
}

func TestForeignKeysInEverySpelling(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	before := s.theirs(t)
	them := s.them.ID
	order := func() *gorm.DB { return s.a.Model(&Order{}).Where("item = ?", "axe") }
	for name, do := range map[string]func() error{
		"a column twice": func() error {
			return order().Updates(map[string]any{"CustomerID": s.mine.ID, "customer_id": them}).Error
		},
		"as text":       func() error { return order().Update("customer_id", "2").Error },
		"as a float":    func() error { return order().Update("customer_id", 2.0).Error },
		"by a subquery": func() error { return order().Update("customer_id", s.a.Model(&Order{}).Select("2").Limit(1)).Error },
		"in a struct":   func() error { return order().Updates(Order{CustomerID: &them}).Error },
		"in a Set": func() error {
			return order().Clauses(clause.Set{{Column: clause.Column{Name: "customer_id"}, Value: them}}).Updates(map[string]any{}).Error
		},
	} {
		require.ErrorIs(t, do(), tenancy.ErrTenantMismatch, name)
	}
	for range 8 { // the order of a map's keys is random, and so is what a database takes
		_ = s.a.Model(&Order{}).Create(map[string]any{"CustomerID": s.mine.ID, "customer_id": them, "item": "twice"}).Error
	}
	var crossing int64
	require.NoError(t, s.a.Model(&Order{}).Where("customer_id = ?", them).Count(&crossing).Error)
	require.Zero(t, crossing)
	require.Equal(t, before, s.theirs(t))
	require.NoError(t, order().Update("customer_id", nil).Error)
	require.NoError(t, order().Update("customer_id", s.a.Model(&Customer{}).Select("id").Limit(1)).Error)
}

// TestSecondWalls is about statements that a callback changes behind the hooks, which only later walls can see.
func TestSecondWalls(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	before := s.theirs(t)
	on := func(name string, do func(*gorm.DB)) func(*gorm.DB) {
		return func(db *gorm.DB) {
			if _, ok := db.Get(name); ok && db.Error == nil {
				do(db)
			}
		}
	}
	cb := s.db.Callback()
	require.NoError(t, cb.Create().Before("gorm:create").Register("test:tenant", on("tenant", func(db *gorm.DB) {
		db.Statement.SetColumn("TenantID", "b", true)
	})))
	require.NoError(t, cb.Query().Before("gorm:query").Register("test:mark", on("mark", func(db *gorm.DB) {
		db.Statement.AddClause(clause.OrderBy{Expression: clause.Expr{SQL: "name = '?'", Vars: []any{"b"}}})
	})))
	require.NoError(t, cb.Query().After("gorm:query").Before("gorm:preload").Register("test:pool", on("pool", func(db *gorm.DB) {
		_, err := db.Statement.ConnPool.ExecContext(db.Statement.Context, "DELETE FROM customers")
		_ = db.AddError(err)
	})))
	require.NoError(t, cb.Update().Before("gorm:before_update").Register("test:table", on("table", func(db *gorm.DB) {
		db.Statement.Table = "customers"
	})))
	require.ErrorIs(t, s.a.Set("tenant", 1).Create(&Tag{Label: "x"}).Error, tenancy.ErrTenantMismatch)
	require.ErrorIs(t, s.a.Set("mark", 1).Find(&[]Customer{}).Error, tenancy.ErrUnconfinedSQL)
	require.ErrorIs(t, s.a.Set("pool", 1).Find(&[]Customer{}).Error, tenancy.ErrUnconfinedSQL)
	require.ErrorIs(t, s.db.Set("table", 1).Model(&Country{}).Where("id = ?", s.them.ID).Update("name", "x").Error, tenancy.ErrNoTenant)
	res := s.a.Set("table", 1).Model(&Country{}).Where("id = ?", s.them.ID).Update("name", "x")
	require.NoError(t, res.Error)
	require.Zero(t, res.RowsAffected)
	require.Equal(t, before, s.theirs(t))
}

func TestModelUnderAnotherTableName(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	pool, err := s.db.DB()
	require.NoError(t, err)
	_, err = pool.Exec("CREATE TABLE orders_archive AS SELECT * FROM orders; DELETE FROM orders_archive WHERE tenant_id = 'a'; UPDATE orders_archive SET id = 900; CREATE UNIQUE INDEX archived ON orders_archive (id)")
	require.NoError(t, err)
	archive := func() *gorm.DB { return s.a.Table("orders_archive") }
	var found []Order
	require.NoError(t, archive().Find(&found).Error)
	require.Empty(t, found)
	require.ErrorIs(t, archive().Clauses(clause.OnConflict{UpdateAll: true}).Create(&Order{ID: 900}).Error, tenancy.ErrTenantMismatch)
	_, err = pool.Exec("DELETE FROM orders_archive")
	require.NoError(t, err)
	require.NoError(t, archive().Clauses(clause.OnConflict{UpdateAll: true}).Create(&Order{ID: s.them.Orders[0].ID, Item: "mine"}).Error)
	require.NoError(t, archive().Find(&found).Error)
	require.Len(t, found, 1)
}
