package tenancytest

import (
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/gormtenancy/tenancy"
)

// joins are associations and text in Joins: joined rows are the tenant's, and a LEFT JOIN keeps rows without a partner.
func joins() []check {
	const rule = "a joined table is confined in its ON, so that a LEFT JOIN keeps the tenant's row"
	find := func(name string, join func(c *trial, db *gorm.DB) *gorm.DB) check {
		return reading(name, rule, func(c *trial, db *gorm.DB) any {
			got := c.parents()
			return result(join(c, db).Find(got), got)
		})
	}
	crossed := func(name string, dest func(c *trial) any, join func(c *trial, db *gorm.DB) *gorm.DB) check {
		return check{name: name, when: single, rule: "a key that points at another tenant's row joins nothing", run: func(c *trial) {
			c.crossKeys()
			c.same(func(db *gorm.DB) any {
				got := dest(c)
				return result(join(c, db).Find(got), got)
			})
		}}
	}
	parents := func(c *trial) any { return c.parents() }
	children := func(c *trial) any { return c.children() }
	out := []check{
		find("belongs-to", func(_ *trial, db *gorm.DB) *gorm.DB { return db.Joins("Boss") }),
		find("has-one", func(_ *trial, db *gorm.DB) *gorm.DB { return db.Joins("Profile") }),
		find("a global table", func(_ *trial, db *gorm.DB) *gorm.DB { return db.Joins("Country") }),
		find("several", func(_ *trial, db *gorm.DB) *gorm.DB { return db.Joins("Boss").Joins("Profile").Joins("Country") }),
		find("nested", func(_ *trial, db *gorm.DB) *gorm.DB {
			return db.Joins("Boss.Boss").Joins("Boss.Profile").Joins("Boss.Country")
		}),
		find("nested with its parent", func(_ *trial, db *gorm.DB) *gorm.DB { return db.Joins("Boss").Joins("Boss.Boss") }),
		find("InnerJoins", func(_ *trial, db *gorm.DB) *gorm.DB { return db.InnerJoins("Boss") }),
		find("InnerJoins of a global table", func(_ *trial, db *gorm.DB) *gorm.DB { return db.InnerJoins("Country") }),
		find("a condition on the join", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Joins("Boss", c.stage.raw.Where(with(c.noParent(), fields{"Name": "p1"})))
		}),
		find("a condition with OR on the join", func(_ *trial, db *gorm.DB) *gorm.DB {
			return db.Joins("Boss", db.Session(&gorm.Session{NewDB: true}).Where(clause.Or(
				clause.Eq{Column: clause.Column{Table: "Boss", Name: "name"}, Value: "p1"},
				clause.Eq{Column: clause.Column{Table: "Boss", Name: "name"}, Value: "p2"},
			)))
		}),
		find("a condition on the joined table", func(_ *trial, db *gorm.DB) *gorm.DB {
			return db.Joins("Boss").Where(clause.Eq{Column: clause.Column{Table: "Boss", Name: "name"}, Value: "p1"})
		}),
		find("a condition with OR over both", func(_ *trial, db *gorm.DB) *gorm.DB {
			return db.Joins("Boss").Where(clause.Or(
				clause.Eq{Column: clause.Column{Table: "Boss", Name: "name"}, Value: "p1"},
				clause.Eq{Column: clause.Column{Table: clause.CurrentTable, Name: "name"}, Value: "p1"},
			))
		}),
		find("rows without a partner", func(_ *trial, db *gorm.DB) *gorm.DB {
			return db.Joins("Profile").Where(clause.Eq{Column: clause.Column{Table: "Profile", Name: "name"}, Value: nil})
		}),
		reading("Count over a join", rule, func(c *trial, db *gorm.DB) any {
			var left, inner int64
			return []any{
				db.Model(c.noParent()).Joins("Boss").Count(&left).Error, left,
				db.Model(c.noParent()).InnerJoins("Boss").Count(&inner).Error, inner,
			}
		}),
		reading("Pluck over a join", rule, func(c *trial, db *gorm.DB) any {
			var got []string
			return result(db.Model(c.noChild()).InnerJoins("Parent").Order(clause.OrderByColumn{Column: clause.Column{Table: "Parent", Name: "name"}, Desc: true}).
				Limit(1).Pluck("Parent.mark", &got), len(got))
		}),
		reading("First, twice with one chain", rule, func(c *trial, db *gorm.DB) any {
			q := db.Joins("Boss").Joins("Profile").Session(&gorm.Session{})
			one, two := c.noParent(), c.parents()
			return []any{q.Order(clause.OrderByColumn{Column: clause.Column{Table: clause.CurrentTable, Name: "name"}}).Find(c.parents()).Error, q.First(one).Error, one, q.Find(two).Error, two}
		}),
		reading("Joins with Preload", rule, func(c *trial, db *gorm.DB) any {
			got := c.parents()
			return result(db.Joins("Boss").Preload("Boss.Children").Preload("Tags").Find(got), got)
		}),
		reading("joined from the child", rule, func(c *trial, db *gorm.DB) any {
			got := c.children()
			return result(db.Joins("Parent").Joins("Parent.Boss").Find(got), got)
		}),
		crossed("a boss of B, left", parents, func(_ *trial, db *gorm.DB) *gorm.DB { return db.Joins("Boss") }),
		crossed("a boss of B, inner", parents, func(_ *trial, db *gorm.DB) *gorm.DB { return db.InnerJoins("Boss") }),
		crossed("a boss of B, nested", parents, func(_ *trial, db *gorm.DB) *gorm.DB { return db.Joins("Boss.Boss").Joins("Boss.Profile") }),
		crossed("a parent of B", children, func(_ *trial, db *gorm.DB) *gorm.DB { return db.Joins("Parent") }),
		crossed("a parent of B and its boss", children, func(_ *trial, db *gorm.DB) *gorm.DB { return db.Joins("Parent.Boss") }),
		crossed("a profile of B at A's parent", parents, func(_ *trial, db *gorm.DB) *gorm.DB { return db.Joins("Profile") }),
		crossed("a condition that is true, on the join", parents, func(_ *trial, db *gorm.DB) *gorm.DB {
			return db.Joins("Boss", db.Session(&gorm.Session{NewDB: true}).Where(clause.Or(clause.Expr{SQL: "1 = 1"}, clause.Expr{SQL: "1 = 1"})))
		}),
	}
	return append(out, joinTexts()...)
}

// crossKeys plants keys between tenants, as an older version of an application, or raw SQL, could have left them: A's p3
// has a boss of B, A's c3 a parent of B, B's c1 and profile belong to A's p3, and A's p3 has B's tag.
func (c *trial) crossKeys() {
	c.Helper()
	c.plant(func(raw *gorm.DB) error {
		for _, step := range []struct {
			model  any
			id     uint
			column string
			value  uint
		}{
			{c.noParent(), c.id(3), "boss_id", c.idB(2)},
			{c.noChild(), c.id(3), "parent_id", c.idB(2)},
			{c.noChild(), c.idB(1), "parent_id", c.id(3)},
			{c.profile(), c.idB(1), "parent_id", c.id(3)},
		} {
			if err := raw.Model(step.model).Where(clause.Eq{Column: clause.PrimaryColumn, Value: step.id}).UpdateColumn(step.column, step.value).Error; err != nil {
				return err
			}
		}
		for _, pair := range [][2]uint{{c.id(3), c.idB(2)}, {c.idB(3), c.id(2)}} {
			if err := raw.Table(c.joinTable()).Create(map[string]any{"parent_id": pair[0], "tag_id": pair[1]}).Error; err != nil {
				return err
			}
		}
		return nil
	})
}

// joinTexts are joins that only an analyzer of SQL can confine.
func joinTexts() []check {
	const rule = "text that brings in another table is confined, or refused"
	text := func(name string, rows func(c *trial) any, do func(c *trial, db *gorm.DB, rows any) *gorm.DB) check {
		return textual(name, rule, func(c *trial, db *gorm.DB) (any, error) {
			got := rows(c)
			return found(do(c, db, got), got)
		})
	}
	maybe := func(name string, do func(c *trial, db *gorm.DB) *gorm.DB) check {
		return check{name: name, rule: rule, run: func(c *trial) {
			c.unread(false, func(db *gorm.DB) (any, error) { return found(do(c, db), nil) })
		}}
	}
	parents := func(c *trial) any { return c.parents() }
	maps := func(*trial) any { return &[]map[string]any{} }
	refuse := func(name string, do func(c *trial, db *gorm.DB) *gorm.DB) check {
		return check{name: name, rule: rule, run: func(c *trial) {
			c.refused(do(c, c.a).Error, tenancy.ErrUnconfinedSQL)
			c.unchanged()
		}}
	}
	child := func(c *trial) string { return c.quotedTable(c.noChild()) }
	parent := func(c *trial) string { return c.quotedTable(c.noParent()) }
	return []check{
		text("LEFT JOIN as text", parents, func(c *trial, db *gorm.DB, rows any) *gorm.DB {
			return db.Joins("LEFT JOIN " + child(c) + " x ON 1 = 1").Find(rows)
		}),
		text("JOIN of a global table as text", parents, func(c *trial, db *gorm.DB, rows any) *gorm.DB {
			return db.Joins("JOIN countries ON 1 = 1").Find(rows)
		}),
		text("CROSS JOIN as text in Table", maps, func(c *trial, db *gorm.DB, rows any) *gorm.DB {
			return db.Table(parent(c) + " CROSS JOIN " + child(c)).Find(rows)
		}),
		text("a comma join in Table", maps, func(c *trial, db *gorm.DB, rows any) *gorm.DB {
			return db.Table(parent(c) + ", " + child(c)).Select("*").Find(rows)
		}),
		text("a comma join in Table, with aliases", func(*trial) any { return &[]nameOnly{} }, func(c *trial, db *gorm.DB, rows any) *gorm.DB {
			return db.Table(parent(c) + " AS a, " + child(c) + " AS b").Select("a.name").Scan(rows)
		}),
		text("a comma join in Joins", parents, func(c *trial, db *gorm.DB, rows any) *gorm.DB {
			return db.Joins(", " + child(c)).Find(rows)
		}),
		text("RIGHT JOIN as text", maps, func(c *trial, db *gorm.DB, rows any) *gorm.DB {
			on := parent(c) + ".name = x.name"
			return db.Model(c.noParent()).Select("x.name, x.mark").Joins("RIGHT JOIN " + child(c) + " x ON " + on).Find(rows)
		}),
		text("FULL JOIN as text", maps, func(c *trial, db *gorm.DB, rows any) *gorm.DB {
			join := "FULL JOIN "
			if db.Name() == "mysql" { // has none
				join = "RIGHT JOIN "
			}
			on := parent(c) + ".name = x.name"
			return db.Model(c.noParent()).Select("x.name, x.mark").Joins(join + child(c) + " x ON " + on).Find(rows)
		}),
		text("LEFT JOIN as text, with an argument", maps, func(c *trial, db *gorm.DB, rows any) *gorm.DB {
			return db.Model(c.noParent()).Select("x.name, x.mark").Joins("LEFT JOIN "+child(c)+" x ON x.name = ?", "c1").Where("x.name IS NOT NULL").Find(rows)
		}),
		text("a join table as text", maps, func(c *trial, db *gorm.DB, rows any) *gorm.DB {
			return db.Model(c.noParent()).Select(parent(c) + ".name, l.tag_id").Joins("JOIN " + db.Statement.Quote(c.joinTable()) + " l ON 1 = 1").Find(rows)
		}),
		maybe("STRAIGHT_JOIN in Joins", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Joins("STRAIGHT_JOIN " + child(c)).Find(c.parents())
		}),
		text("a comma join behind an alias in Joins", parents, func(c *trial, db *gorm.DB, rows any) *gorm.DB {
			return db.Joins("x, " + child(c)).Find(rows)
		}),
		text("a subquery as text in Table", maps, func(c *trial, db *gorm.DB, rows any) *gorm.DB {
			return db.Table("(SELECT * FROM " + child(c) + ") AS x").Find(rows)
		}),
		text("clause.From with a second table", parents, func(c *trial, db *gorm.DB, rows any) *gorm.DB {
			return db.Clauses(clause.From{Tables: []clause.Table{{Name: c.table(c.noParent())}, {Name: c.table(c.noChild())}}}).Select("*").Find(rows)
		}),
		text("clause.From with a join as an expression", parents, func(c *trial, db *gorm.DB, rows any) *gorm.DB {
			return db.Clauses(clause.From{Joins: []clause.Join{{Expression: clause.Expr{SQL: "JOIN " + child(c) + " ON 1 = 1"}}}}).Find(rows)
		}),
		maybe("Delete with a join as text", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Joins("JOIN " + child(c) + " ON 1 = 1").Where("1 = 1").Delete(c.noParent())
		}),
		maybe("Update of two tables", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Table(parent(c)+", "+child(c)).Where("1 = 1").Update("score", 0)
		}),
		refuse("clause.Update with another table", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Model(c.noParent()).Clauses(clause.Update{Table: clause.Table{Name: c.table(c.noTag())}}).Where("1 = 1").Update("name", "x")
		}),
		refuse("clause.Insert with another table", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Clauses(clause.Insert{Table: clause.Table{Name: c.table(c.noTag())}}).Create(c.parent(fields{"Name": "new"}))
		}),
		{name: "a join with a planted key, in clause.From", when: single, rule: "a join that is written as a clause is confined in its ON", run: func(c *trial) {
			c.crossKeys()
			c.same(func(db *gorm.DB) any {
				var got []string
				tx := db.Model(c.noChild()).Clauses(clause.From{Joins: []clause.Join{{
					Table: clause.Table{Name: c.table(c.noParent()), Alias: "up"},
					ON: clause.Where{Exprs: []clause.Expression{clause.Eq{
						Column: clause.Column{Table: "up", Name: c.column(c.noParent(), "ID")},
						Value:  clause.Column{Table: clause.CurrentTable, Name: "parent_id"},
					}}},
				}}}).Order("up.name").Pluck("up.mark", &got)
				return result(tx, &got)
			})
		}},
	}
}
