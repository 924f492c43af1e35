package tenancytest

import (
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// preloads are Preload on every kind of association: preloaded rows are the tenant's, whatever the keys say.
func preloads() []check {
	const rule = "preloaded rows are the tenant's, all of them"
	paths := [][]string{
		{"Children"},
		{"Profile"},
		{"Tags"},
		{"Boss"},
		{"Country"},
		{"Children.Parent"},
		{"Boss.Tags", "Boss.Children"},
		{"Boss.Boss.Profile"},
		{clause.Associations},
	}
	var out []check
	for _, path := range paths {
		load := func(c *trial, db *gorm.DB) any {
			for _, p := range path {
				db = db.Preload(p)
			}
			got := c.parents()
			return result(db.Find(got), got)
		}
		name := path[len(path)-1]
		out = append(
			out, reading(name, rule, load),
			check{name: name + " with keys that cross", when: single, rule: "a key that points at another tenant's row loads nothing", run: func(c *trial) {
				c.crossKeys()
				c.same(func(db *gorm.DB) any { return load(c, db) })
			}},
		)
	}
	return slices.Concat(out, []check{
		reading("a condition", rule, func(c *trial, db *gorm.DB) any {
			got := c.parents()
			return result(db.Preload("Children", "amount > ? OR amount < ?", 1, 0).Find(got), got)
		}),
		reading("a function", rule, func(c *trial, db *gorm.DB) any {
			got := c.parents()
			return result(db.Preload("Children", func(tx *gorm.DB) *gorm.DB { return tx.Where("amount = 1").Or("amount = 2").Order("amount DESC") }).Find(got), got)
		}),
		reading("First with Preload", rule, func(c *trial, db *gorm.DB) any {
			got := c.noParent()
			return result(db.Preload("Tags").Preload("Children").First(got, c.id(1)), got)
		}),
		reading("Unscoped in a Preload", "Unscoped lifts soft delete and never the tenant", func(c *trial, db *gorm.DB) any {
			got := c.parents()
			return result(db.Preload("Boss", func(tx *gorm.DB) *gorm.DB { return tx.Unscoped() }).Preload("Tags").Unscoped().Find(got), got)
		}),
		{name: "parents loaded for all, then more for A", when: single, rule: "a row of another tenant gets nothing preloaded as A", run: func(c *trial) {
			c.crossKeys()
			mixed := c.parents(c.load(c.a, 1), c.loadB(1), c.loadB(3))
			ids := []uint{c.id(1), c.idB(1), c.idB(3)}
			if err := c.a.Preload("Children").Preload("Tags").Find(mixed, ids).Error; err != nil {
				c.Fatal(err)
			}
			for _, p := range pointers(mixed) {
				if field(p, "Mark") != markA {
					c.Error("a row of B: ", c.rule)
				}
			}
		}},
	})
}
