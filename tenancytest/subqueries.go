package tenancytest

import (
	"github.com/stretchr/testify/assert"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/gormtenancy/tenancy"
)

// subqueries are statements inside statements: each is confined by itself, whatever context it was built with.
func subqueries() []check {
	const rule = "an inner SELECT is confined too"
	const late = "a subquery built without a tenant takes that of the statement around it"
	bare := func(db *gorm.DB) *gorm.DB { return db.Session(&gorm.Session{NewDB: true}) }
	var out []check
	for _, source := range []struct {
		name, rule string
		of         func(c *trial, db *gorm.DB) *gorm.DB
	}{
		{"of the same context", rule, func(_ *trial, db *gorm.DB) *gorm.DB { return bare(db) }},
		{"without a context", late, func(c *trial, db *gorm.DB) *gorm.DB {
			if db.Statement.Context == c.a.Statement.Context {
				return c.none
			}
			return bare(db)
		}},
	} {
		find := func(name string, query func(c *trial, db, sub *gorm.DB) *gorm.DB) check {
			return reading(name+", "+source.name, source.rule, func(c *trial, db *gorm.DB) any {
				got := c.parents()
				return result(query(c, db, source.of(c, db)).Find(got), got)
			})
		}
		out = append(
			out,
			find("IN", func(c *trial, db, sub *gorm.DB) *gorm.DB {
				return db.Where(clause.Expr{SQL: "? IN (?)", Vars: []any{clause.PrimaryColumn, sub.Model(c.noChild()).Select("parent_id")}})
			}),
			find("IN by a natural key", func(c *trial, db, sub *gorm.DB) *gorm.DB {
				return db.Where("score IN (?)", sub.Model(c.noParent()).Select("score").Where("score > 10 OR score > 20"))
			}),
			find("NOT IN", func(c *trial, db, sub *gorm.DB) *gorm.DB {
				return db.Where("name NOT IN (?)", sub.Model(c.noParent()).Select("name").Where("score > ?", 20))
			}),
			find("a scalar", func(c *trial, db, sub *gorm.DB) *gorm.DB {
				return db.Where("score = (?)", sub.Model(c.noParent()).Select("max(score)"))
			}),
			find("a count", func(c *trial, db, sub *gorm.DB) *gorm.DB {
				return db.Where("(?) = ?", sub.Model(c.noChild()).Select("count(*)"), 4)
			}),
			find("EXISTS", func(c *trial, db, sub *gorm.DB) *gorm.DB {
				return db.Where("EXISTS (?)", sub.Model(c.noChild()).Select("1").Where("name = ?", "c1"))
			}),
			find("a table without a model", func(c *trial, db, sub *gorm.DB) *gorm.DB {
				return db.Where("score IN (?)", sub.Table(c.table(c.noParent())).Select("score"))
			}),
			find("a derived table", func(c *trial, db, sub *gorm.DB) *gorm.DB {
				return db.Table("(?) AS u", sub.Model(c.noParent()).Where("score > ?", 10)).Where("score < ?", 35)
			}),
			find("two levels", func(c *trial, db, sub *gorm.DB) *gorm.DB {
				inner := sub.Model(c.noChild()).Select("amount").Where("name = ?", "c1")
				return db.Where("name IN (?)", sub.Model(c.noParent()).Select("name").Where("(?) = 1", inner))
			}),
			find("Having", func(c *trial, db, sub *gorm.DB) *gorm.DB {
				return db.Model(c.noParent()).Select("name, mark").Group("name, mark").Having("sum(score) >= (?)", sub.Model(c.noParent()).Select("avg(score)"))
			}),
			find("in Select", func(c *trial, db, sub *gorm.DB) *gorm.DB {
				return db.Model(c.noParent()).Select("name, mark, (?) AS score", sub.Model(c.noChild()).Select("sum(amount)"))
			}),
			find("in Order", func(c *trial, db, sub *gorm.DB) *gorm.DB {
				return db.Clauses(clause.OrderBy{Expression: clause.Expr{SQL: "score - (?)", Vars: []any{sub.Model(c.noChild()).Select("sum(amount)")}}}).Limit(1)
			}),
			reading("in Update, "+source.name, source.rule, func(c *trial, db *gorm.DB) any {
				sum := source.of(c, db).Model(c.noChild()).Select("sum(amount)")
				tx := db.Model(c.noParent()).Where("name = ?", "p1").Update("score", sum)
				return []any{tx.RowsAffected, tx.Error}
			}),
			reading("in Delete, "+source.name, source.rule, func(c *trial, db *gorm.DB) any {
				tx := db.Where("amount IN (?)", source.of(c, db).Model(c.noParent()).Select("score / 10")).Delete(c.noChild())
				return []any{tx.RowsAffected, tx.Error}
			}),
		)
	}
	return append(out, strangeSubqueries()...)
}

func strangeSubqueries() []check {
	return []check{
		{name: "a subquery of B", rule: "a subquery of another tenant is refused", run: func(c *trial) {
			c.refused(c.a.Where("name IN (?)", c.b.Model(c.noParent()).Select("name")).Find(c.parents()).Error, tenancy.ErrTenantMismatch)
		}},
		{name: "a subquery over all tenants", rule: "a subquery without a tenant is refused in a statement that has one", run: func(c *trial) {
			all := c.in(c.asAll(c.Context(), "to leak"))
			c.refused(c.a.Where("name IN (?)", all.Model(c.noParent()).Select("name")).Find(c.parents()).Error, tenancy.ErrTenantMismatch)
		}},
		textual("a subquery as text", "a subquery that GORM does not build is confined, or refused", func(c *trial, db *gorm.DB) (any, error) {
			sub := db.Raw("SELECT score FROM " + c.quotedTable(c.noParent()))
			rows := c.parents()
			return found(db.Where("score IN (?)", sub).Find(rows), rows)
		}),
		textual("a union as text", "a subquery that GORM does not build is confined, or refused", func(c *trial, db *gorm.DB) (any, error) {
			one, two := db.Model(c.noParent()), db.Model(c.noParent())
			rows := c.parents()
			return found(db.Raw("? UNION ?", one, two).Scan(rows), rows)
		}),
		textual("a subquery as text in Select", "a subquery that GORM does not build is confined, or refused", func(c *trial, db *gorm.DB) (any, error) {
			rows := c.parents()
			return found(db.Model(c.noParent()).Select("(SELECT count(*) FROM "+c.quotedTable(c.noParent())+") AS score").Find(rows), rows)
		}),
		textual("a subquery as text in Order", "a subquery that GORM does not build is confined, or refused", func(c *trial, db *gorm.DB) (any, error) {
			rows := c.parents()
			return found(db.Order("(SELECT count(*) FROM "+c.quotedTable(c.noParent())+")").Find(rows), rows)
		}),
		textual("a subquery as text in Group", "a subquery that GORM does not build is confined, or refused", func(c *trial, db *gorm.DB) (any, error) {
			rows := &[]int64{}
			return found(db.Model(c.noParent()).Select("count(*)").Group("(SELECT 1)").Find(rows), rows)
		}),
		textual("a subquery as text in Pluck", "a subquery that GORM does not build is confined, or refused", func(c *trial, db *gorm.DB) (any, error) {
			rows := &[]string{}
			return found(db.Model(c.noParent()).Pluck("(SELECT max(mark) FROM "+c.quotedTable(c.noParent())+")", rows), rows)
		}),
		textual("a subquery as text in Distinct", "a subquery that GORM does not build is confined, or refused", func(c *trial, db *gorm.DB) (any, error) {
			rows := &[]string{}
			return found(db.Model(c.noParent()).Distinct("(SELECT max(mark) FROM "+c.quotedTable(c.noParent())+")").Find(rows), rows)
		}),
		textual("a subquery as text in Update", "a subquery that GORM does not build is confined, or refused", func(c *trial, db *gorm.DB) (any, error) {
			expr := gorm.Expr("(SELECT max(score) FROM " + c.quotedTable(c.noParent()) + ")")
			return found(db.Model(c.noParent()).Where("1 = 1").Update("score", expr), nil)
		}),
		textual("a subquery as text in Create", "a subquery that GORM does not build is confined, or refused", func(c *trial, db *gorm.DB) (any, error) {
			expr := clause.Expr{SQL: "(SELECT max(mark) FROM " + c.quotedTable(c.noParent()) + ")"}
			values := map[string]any{"name": "new", "mark": expr}
			if !single(c.world) {
				values[c.column(c.noTag(), "ID")] = 9999
			}
			return found(db.Model(c.noTag()).Create(values), nil)
		}),
		{name: "a subquery without a tenant anywhere", rule: "no tenant, no statement", run: func(c *trial) {
			var n int64
			err := c.none.Model(&country{}).Where("id IN (?)", c.none.Model(c.noParent()).Select("country_id")).Count(&n).Error
			assert.ErrorIs(c, err, tenancy.ErrNoTenant)
		}},
	}
}
