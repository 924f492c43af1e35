package tenancytest

import (
	"slices"

	"github.com/stretchr/testify/assert"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/gormtenancy/tenancy"
)

// updates are GORM's ways to change rows.
func updates() []check {
	const rule = "an update changes the tenant's rows and no others"
	affected := func(tx *gorm.DB) any { return []any{tx.RowsAffected, tx.Error} }
	update := func(name string, do func(c *trial, db *gorm.DB) *gorm.DB) check {
		return reading(name, rule, func(c *trial, db *gorm.DB) any { return affected(do(c, db)) })
	}
	keyed := func(c *trial, id uint) any { return c.parent(fields{"ID": id}) }
	out := []check{
		update("Update of a loaded row", func(c *trial, db *gorm.DB) *gorm.DB { return db.Model(c.load(db, 1)).Update("score", 99) }),
		update("Update by own primary key", func(c *trial, db *gorm.DB) *gorm.DB { return db.Model(keyed(c, c.id(2))).Update("score", 99) }),
		update("Update by B's primary key", func(c *trial, db *gorm.DB) *gorm.DB { return db.Model(keyed(c, c.idB(2))).Update("score", 99) }),
		update("Updates by B's primary key", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Model(keyed(c, c.idB(2))).Updates(map[string]any{"score": 99, "name": "x"})
		}),
		update("UpdateColumn by B's primary key", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Model(keyed(c, c.idB(2))).UpdateColumn("score", 99)
		}),
		update("Updates with a struct by B's primary key", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Updates(c.parent(fields{"ID": c.idB(2), "Score": 99}))
		}),
		update("Updates with a struct", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Model(keyed(c, c.id(1))).Updates(with(c.noParent(), fields{"Score": 99, "Mark": "changed"}))
		}),
		update("Updates with a struct and Select", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Model(keyed(c, c.id(1))).Select("Score", "Mark").Updates(with(c.noParent(), fields{"Name": "no", "Mark": "changed"}))
		}),
		update("Updates with Omit", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Model(keyed(c, c.id(1))).Omit("name").Updates(map[string]any{"name": "no", "score": 1})
		}),
		update("UpdateColumns", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Model(keyed(c, c.id(1))).UpdateColumns(map[string]any{"score": gorm.Expr("score + ?", 5)})
		}),
		update("a condition that all rows meet", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Model(c.noParent()).Where("1 = 1").Update("score", gorm.Expr("score * 2"))
		}),
		update("a condition with OR", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Model(c.noParent()).Where("name = ?", "p1").Or("score > ?", 0).Updates(map[string]any{"score": 1})
		}),
		update("a natural key that B has too", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Model(c.noParent()).Where("name = ?", "p1").Update("score", 99)
		}),
		update("a list of rows", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Model(c.parents(c.load(db, 1), c.load(db, 2))).Update("score", 99)
		}),
		update("AllowGlobalUpdate", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Session(&gorm.Session{AllowGlobalUpdate: true}).Model(c.noParent()).Update("score", 5)
		}),
		update("no condition", func(c *trial, db *gorm.DB) *gorm.DB { return db.Model(c.noParent()).Update("score", 5) }),
		update("Unscoped", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Unscoped().Model(c.noParent()).Where("score > 0").Update("score", 5)
		}),
		update("UpdateColumn without a condition", func(c *trial, db *gorm.DB) *gorm.DB { return db.Model(c.noParent()).UpdateColumn("score", 5) }),
		update("an own foreign key", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Model(c.noChild()).Where("name = ?", "c1").Update("parent_id", c.id(3))
		}),
		update("a foreign key to NULL", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Model(c.noChild()).Where("name = ?", "c1").Update("parent_id", nil)
		}),
		update("the tenant to itself", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Model(keyed(c, c.id(1))).Updates(map[string]any{c.column(c.noParent(), "TenantID"): field(c.load(db, 1), "TenantID"), "score": 99})
		}),
		update("SkipHooks", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Session(&gorm.Session{SkipHooks: true}).Model(c.noParent()).Where("1 = 1").Update("score", 99)
		}),
		reading("Table without a model", rule, func(c *trial, db *gorm.DB) any {
			return affected(db.Table(c.table(c.noTag())).Where("name LIKE ?", "%").Update("mark", "changed"))
		}),
		reading("a child by its join table's key", rule, func(c *trial, db *gorm.DB) any {
			tx := db.Model(c.noTag()).Where("name IN ?", []string{"red", "blue"}).Update("mark", "changed")
			return affected(tx)
		}),
	}
	out = append(out, only(single, reading("an own tag in the join table by name", rule, func(c *trial, db *gorm.DB) any {
		return affected(db.Table(c.joinTable()).Where("tag_id = ?", c.id(2)).Update("tag_id", c.id(3)))
	}))...)
	return slices.Concat(out, labels(), crossings(), sets())
}

// labels try to write another tenant into the tenant column.
func labels() []check {
	const rule = "a row cannot be given to another tenant"
	refuse := func(name string, do func(c *trial, db *gorm.DB) *gorm.DB) check {
		return check{name: name, rule: rule, run: func(c *trial) {
			c.foreign(func(db *gorm.DB) error { return do(c, db).Error }, c.unchanged)
		}}
	}
	column := func(c *trial) string { return c.column(c.noParent(), "TenantID") }
	b := func(c *trial) string { return string(c.world.b) }
	return []check{
		refuse("Update of the tenant, by column", func(c *trial, db *gorm.DB) *gorm.DB { return db.Model(c.load(db, 1)).Update(column(c), b(c)) }),
		refuse("Update of the tenant, by field", func(c *trial, db *gorm.DB) *gorm.DB { return db.Model(c.load(db, 1)).Update("TenantID", b(c)) }),
		refuse("UpdateColumn of the tenant", func(c *trial, db *gorm.DB) *gorm.DB { return db.Model(c.load(db, 1)).UpdateColumn(column(c), b(c)) }),
		refuse("Updates with a map", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Model(c.load(db, 1)).Updates(map[string]any{"score": 1, "TenantID": b(c)})
		}),
		refuse("Updates with a struct of B", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Model(c.load(db, 1)).Updates(with(c.noParent(), fields{"TenantID": c.world.b, "Score": 1}))
		}),
		refuse("Updates of all rows", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Model(c.noParent()).Where("1 = 1").Updates(map[string]any{column(c): b(c)})
		}),
		refuse("an expression", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Model(c.load(db, 1)).Update(column(c), gorm.Expr("?", b(c)))
		}),
		refuse("an expression without arguments", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Model(c.load(db, 1)).Update(column(c), gorm.Expr("mark"))
		}),
		refuse("the column with its table", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Model(c.load(db, 1)).Updates(map[string]any{c.table(c.noParent()) + "." + column(c): b(c)})
		}),
		refuse("Table without a model", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Table(c.table(c.noParent())).Where("1 = 1").Update(column(c), b(c))
		}),
		refuse("clause.Set", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Model(c.noParent()).Where("1 = 1").Clauses(clause.Set{{Column: clause.Column{Name: column(c)}, Value: b(c)}}).Updates(map[string]any{"score": 1})
		}),
		refuse("Select of everything with B", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Model(c.parent(fields{"ID": c.id(1)})).Select("*").Updates(with(c.load(db, 1), fields{"TenantID": c.world.b}))
		}),
		refuse("Save of an own row as B's", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Save(with(c.load(db, 1), fields{"TenantID": c.world.b}))
		}),
		refuse("Update of B's row as loaded", func(c *trial, db *gorm.DB) *gorm.DB { return db.Model(c.loadB(1)).Update("score", 99) }),
		refuse("UpdateColumn of B's row as loaded", func(c *trial, db *gorm.DB) *gorm.DB { return db.Model(c.loadB(1)).UpdateColumn("score", 99) }),
		refuse("Update of a list with B's row as loaded", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Model(c.parents(c.load(db, 1), c.loadB(1))).Update("score", 99)
		}),
		{name: "a second assignment in a value", rule: rule, run: func(c *trial) {
			tenant := c.quotedTenant(c.noParent())
			for _, text := range []string{
				"1, " + tenant + " = " + tenant, "1), " + tenant + " = (" + tenant, "1), " + tenant + " = ('x'", "(1), " + tenant + " = ('x')",
			} {
				for _, value := range []any{gorm.Expr(text), valued{text}, clause.NamedExpr{SQL: text}, smuggled{text}} {
					// In parentheses of its own a text is the database's to refuse.
					assert.Error(c, c.a.Model(c.noParent()).Where("1 = 1").Update("score", value).Error, "%T %s: %s", value, text, c.rule)
				}
			}
			c.unchanged()
		}},
		{name: "the tenant set to nothing", rule: rule, run: func(c *trial) {
			assert.Error(c, c.a.Model(c.load(c.a, 1)).Update(column(c), nil).Error, c.rule)
			c.unchanged()
		}},
	}
}

// crossings write foreign keys that point at B's rows.
func crossings() []check {
	const rule = "a foreign key cannot point at another tenant's row"
	refuse := func(name string, do func(c *trial, db *gorm.DB) *gorm.DB) check {
		return check{name: name, rule: rule, when: single, run: func(c *trial) {
			c.foreign(func(db *gorm.DB) error { return do(c, db).Error }, c.unchanged)
		}}
	}
	return []check{
		refuse("Create with B's parent", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Create(c.child(fields{"Name": "new", "ParentID": c.idB(1)}))
		}),
		refuse("Create of a list with B's parent", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Create(c.children(c.child(fields{"Name": "n1", "ParentID": c.id(1)}), c.child(fields{"Name": "n2", "ParentID": c.idB(1)})))
		}),
		refuse("Create of a map with B's parent", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Model(c.noChild()).Create(map[string]any{"name": "new", "parent_id": c.idB(1)})
		}),
		refuse("Create with B's boss", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Create(c.parent(fields{"Name": "new", "BossID": c.idB(1)}))
		}),
		refuse("Create of a map without a model", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Table(c.table(c.noChild())).Create(map[string]any{"name": "new", "parent_id": c.idB(1)})
		}),
		refuse("Update to B's parent", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Model(c.noChild()).Where("name = ?", "c1").Update("parent_id", c.idB(1))
		}),
		refuse("UpdateColumn to B's parent", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Model(c.noChild()).Where("name = ?", "c1").UpdateColumn("parent_id", c.idB(1))
		}),
		refuse("Update by field name", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Model(c.noChild()).Where("name = ?", "c1").Updates(map[string]any{"ParentID": c.idB(1)})
		}),
		refuse("Updates with a struct", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Model(c.noChild()).Where("name = ?", "c1").Updates(with(c.noChild(), fields{"ParentID": c.idB(1)}))
		}),
		refuse("an expression that gives B's key", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Model(c.noChild()).Where("name = ?", "c1").Update("parent_id", gorm.Expr("parent_id + ?", c.idB(1)-c.id(1)))
		}),
		refuse("Save of a child with B's parent", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Save(c.child(fields{"ID": c.id(1), "Name": "c1", "ParentID": c.idB(1)}))
		}),
		refuse("Table without a model", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Table(c.table(c.noChild())).Where("name = ?", "c1").Update("parent_id", c.idB(1))
		}),
		refuse("an upsert to B's parent", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Clauses(clause.OnConflict{Columns: c.primaryKey(c.noChild()), DoUpdates: clause.Assignments(map[string]any{"parent_id": c.idB(1)})}).
				Create(c.child(fields{"ID": c.id(1), "Name": "c1"}))
		}),
		refuse("the join table by name", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Table(c.joinTable()).Create(map[string]any{"parent_id": c.id(1), "tag_id": c.idB(1)})
		}),
		refuse("the join table by name, B's parent", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Table(c.joinTable()).Create(map[string]any{"parent_id": c.idB(3), "tag_id": c.id(1)})
		}),
		refuse("an update of the join table by name", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Table(c.joinTable()).Where("tag_id = ?", c.id(2)).Update("tag_id", c.idB(3))
		}),
		{name: "the join table's rows, all of them", rule: "a join table's rows belong to whoever owns both ends", when: single, run: func(c *trial) {
			assert.NoError(c, c.a.Table(c.joinTable()).Where("1 = 1").Delete(nil).Error, c.rule)
			var n int64
			assert.NoError(c, c.a.Table(c.joinTable()).Count(&n).Error)
			assert.Zero(c, n, c.rule)
		}},
		{name: "a refused key in a transaction that goes on", rule: "a refusal undoes its own statement and no more", when: single, run: func(c *trial) {
			refused := true
			assert.NoError(c, c.a.Transaction(func(tx *gorm.DB) error {
				refused = c.refused(tx.Model(c.noChild()).Where("name = ?", "c1").Update("parent_id", gorm.Expr("parent_id + ?", c.idB(1)-c.id(1))).Error, tenancy.ErrTenantMismatch)
				return tx.Create(c.tag(fields{"Name": "after"})).Error
			}))
			var parent []uint
			assert.NoError(c, c.a.Model(c.noChild()).Where("name = ?", "c1").Pluck("parent_id", &parent).Error)
			if refused {
				assert.Equal(c, []uint{c.id(1)}, parent, c.rule)
			}
		}},
	}
}

// sets are updates with a clause.Set, for which GORM forgets the key of the model.
func sets() []check {
	const rule = "an update with clause.Set changes the tenant's rows and no others"
	set := clause.Set{{Column: clause.Column{Name: "score"}, Value: 99}}
	return []check{
		reading("clause.Set", rule, func(c *trial, db *gorm.DB) any {
			tx := db.Model(c.noParent()).Where("name = ?", "p1").Clauses(set).Updates(map[string]any{"score": 1})
			return []any{tx.RowsAffected, tx.Error}
		}),
		{name: "clause.Set by B's primary key", rule: rule, run: func(c *trial) {
			_ = c.a.Model(c.parent(fields{"ID": c.idB(1)})).Clauses(set).Updates(map[string]any{"score": 1}).Error // B's rows are looked at
		}},
		reading("clause.Set by a primary key alone", "the plugin makes no update of all rows out of one that GORM refuses", func(c *trial, db *gorm.DB) any {
			tx := db.Model(c.parent(fields{"ID": c.id(1)})).Clauses(set).Updates(map[string]any{"score": 1})
			return []any{tx.RowsAffected, tx.Error}
		}),
		reading("clause.Set without a condition", "the plugin makes no update of all rows out of one that GORM refuses", func(c *trial, db *gorm.DB) any {
			tx := db.Model(c.noParent()).Clauses(set).Updates(map[string]any{"score": 1})
			return []any{tx.RowsAffected, tx.Error}
		}),
	}
}
