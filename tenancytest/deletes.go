package tenancytest

import (
	"slices"

	"github.com/stretchr/testify/assert"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/gormtenancy/tenancy"
)

// deletes are GORM's ways to delete, firmly or softly.
func deletes() []check {
	const rule = "a delete takes the tenant's rows and no others"
	remove := func(name string, do func(c *trial, db *gorm.DB) *gorm.DB) check {
		return reading(name, rule, func(c *trial, db *gorm.DB) any {
			tx := do(c, db)
			return []any{tx.RowsAffected, tx.Error}
		})
	}
	return slices.Concat([]check{
		remove("a loaded row", func(c *trial, db *gorm.DB) *gorm.DB { return db.Delete(c.load(db, 3)) }),
		remove("own primary key", func(c *trial, db *gorm.DB) *gorm.DB { return db.Delete(c.noParent(), c.id(3)) }),
		remove("B's primary key", func(c *trial, db *gorm.DB) *gorm.DB { return db.Delete(c.noParent(), c.idB(3)) }),
		remove("B's primary key in a struct", func(c *trial, db *gorm.DB) *gorm.DB { return db.Delete(c.parent(fields{"ID": c.idB(3)})) }),
		remove("primary keys of both", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Delete(c.noParent(), []uint{c.id(3), c.idB(1), c.idB(3)})
		}),
		remove("a list of structs", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Delete(c.parents(c.parent(fields{"ID": c.id(3)}), c.parent(fields{"ID": c.idB(2)})))
		}),
		remove("a condition", func(c *trial, db *gorm.DB) *gorm.DB { return db.Where("name = ?", "p3").Delete(c.noParent()) }),
		remove("a condition that all rows meet", func(c *trial, db *gorm.DB) *gorm.DB { return db.Delete(c.noChild(), "1 = 1") }),
		remove("a condition with OR", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Where("name = ?", "c1").Or("amount > ?", 2).Delete(c.noChild())
		}),
		remove("a condition with NOT", func(c *trial, db *gorm.DB) *gorm.DB { return db.Not("name = ?", "c1").Delete(c.noChild()) }),
		remove("no condition", func(c *trial, db *gorm.DB) *gorm.DB { return db.Delete(c.noParent()) }),
		remove("AllowGlobalUpdate", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Session(&gorm.Session{AllowGlobalUpdate: true}).Delete(c.noChild())
		}),
		remove("Unscoped", func(c *trial, db *gorm.DB) *gorm.DB { return db.Unscoped().Where("score > ?", 25).Delete(c.noParent()) }),
		remove("Unscoped by B's primary key", func(c *trial, db *gorm.DB) *gorm.DB { return db.Unscoped().Delete(c.noParent(), c.idB(3)) }),
		remove("Table without a model", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Table(c.table(c.noChild())).Where("amount > ?", 1).Delete(nil)
		}),
		remove("a struct of another type", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Table(c.table(c.noChild())).Where("1 = 1").Delete(&nameOnly{})
		}),
		remove("Returning", func(c *trial, db *gorm.DB) *gorm.DB {
			if db.Name() == "mysql" { // MySQL has no RETURNING there
				return db.Where("amount > ?", 1).Delete(c.noChild())
			}
			return db.Clauses(clause.Returning{}).Where("amount > ?", 1).Delete(c.children())
		}),
		reading("with associations in Select", rule, func(c *trial, db *gorm.DB) any {
			tx := db.Select("Children", "Profile", "Tags").Delete(c.load(db, 1))
			return []any{tx.RowsAffected, tx.Error}
		}),
		reading("by own primary key, with all associations in Select", rule, func(c *trial, db *gorm.DB) any {
			tx := db.Select(clause.Associations).Delete(c.parent(fields{"ID": c.id(2)}))
			return tx.Error
		}),
		{name: "deleted softly, and read again", rule: "soft delete hides the tenant's row, and Unscoped finds it", when: softly, run: func(c *trial) {
			c.same(func(db *gorm.DB) any {
				var visible, all int64
				return []any{
					db.Delete(c.noParent(), c.id(3)).Error,
					db.Model(c.noParent()).Count(&visible).Error, visible,
					db.Unscoped().Model(c.noParent()).Count(&all).Error, all,
					db.Delete(c.noParent(), c.id(3)).RowsAffected,
				}
			})
		}},
	}, foreignDeletes())
}

func foreignDeletes() []check {
	const rule = "another tenant's row is not deleted, nor what belongs to it"
	return []check{
		{name: "B's row as loaded", rule: rule, run: func(c *trial) {
			c.refused(c.a.Delete(c.loadB(3)).Error, tenancy.ErrTenantMismatch)
			c.unchanged()
		}},
		{name: "a list with B's row as loaded", rule: rule, run: func(c *trial) {
			c.refused(c.a.Delete(c.parents(c.load(c.a, 3), c.loadB(3))).Error, tenancy.ErrTenantMismatch)
			c.unchanged()
		}},
		{name: "B's row as loaded, Unscoped", rule: rule, run: func(c *trial) {
			c.refused(c.a.Unscoped().Delete(c.loadB(3)).Error, tenancy.ErrTenantMismatch)
			c.unchanged()
		}},
		{name: "B's primary key, with associations in Select", rule: rule, when: single, run: func(c *trial) {
			tx := c.a.Select("Children", "Profile", "Tags").Delete(c.parent(fields{"ID": c.idB(1)}))
			assert.Zero(c, tx.RowsAffected, c.rule)
			c.unchanged()
		}},
		{name: "B's row as loaded, with associations in Select", rule: rule, run: func(c *trial) {
			assert.ErrorIs(c, c.a.Select("Children", "Profile", "Tags").Delete(c.loadB(1)).Error, tenancy.ErrTenantMismatch)
			c.unchanged()
		}},
		{name: "a join table in the way", rule: rule, when: single, run: func(c *trial) {
			c.crossKeys()
			tx := c.a.Select("Children", "Profile", "Tags").Delete(c.load(c.a, 3))
			assert.NoError(c, tx.Error, c.rule)
		}},
	}
}
