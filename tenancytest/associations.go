package tenancytest

import (
	"slices"

	"github.com/stretchr/testify/assert"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/gormtenancy/tenancy"
)

// associations are GORM's association mode on own rows.
func associations() []check {
	const rule = "association mode on the tenant's own rows does what plain GORM does"
	mode := func(name string, do func(c *trial, db *gorm.DB) any) check { return reading(name, rule, do) }
	return slices.Concat([]check{
		mode("Find children", func(c *trial, db *gorm.DB) any {
			got := c.children()
			return []any{db.Model(c.load(db, 1)).Association("Children").Find(got), got}
		}),
		mode("Find tags", func(c *trial, db *gorm.DB) any {
			got := c.tags()
			return []any{db.Model(c.load(db, 1)).Association("Tags").Find(got), got}
		}),
		mode("Find tags with a condition", func(c *trial, db *gorm.DB) any {
			got := c.tags()
			return []any{db.Model(c.load(db, 1)).Where("name = ? OR name = ?", "red", "green").Association("Tags").Find(got), got}
		}),
		mode("Find a boss", func(c *trial, db *gorm.DB) any {
			got := c.noParent()
			return []any{db.Model(c.load(db, 2)).Association("Boss").Find(got), got}
		}),
		mode("Count", func(c *trial, db *gorm.DB) any {
			p := c.load(db, 1)
			return []any{
				db.Model(p).Association("Children").Count(), db.Model(p).Association("Tags").Count(),
				db.Model(p).Association("Profile").Count(), db.Model(p).Association("Country").Count(),
			}
		}),
		mode("Append a new child", func(c *trial, db *gorm.DB) any {
			return db.Model(c.load(db, 1)).Association("Children").Append(c.child(fields{"Name": "new"}))
		}),
		mode("Append an own child", func(c *trial, db *gorm.DB) any {
			return db.Model(c.load(db, 1)).Association("Children").Append(c.ownChild(db, "c3"))
		}),
		mode("Append a new tag", func(c *trial, db *gorm.DB) any {
			return db.Model(c.load(db, 1)).Association("Tags").Append(c.tag(fields{"Name": "new"}))
		}),
		mode("Append an own tag", func(c *trial, db *gorm.DB) any {
			return db.Model(c.load(db, 1)).Association("Tags").Append(c.ownTag(db, "green"))
		}),
		mode("Append own tags, one of them there already", func(c *trial, db *gorm.DB) any {
			return db.Model(c.load(db, 2)).Association("Tags").Append(c.tags(c.ownTag(db, "red"), c.ownTag(db, "blue")))
		}),
		mode("Append to several parents", func(c *trial, db *gorm.DB) any {
			ps := c.parents(c.load(db, 2), c.load(db, 3))
			return db.Model(ps).Association("Tags").Append(c.ownTag(db, "green"), c.ownTag(db, "black"))
		}),
		mode("Append a boss", func(c *trial, db *gorm.DB) any {
			return db.Model(c.load(db, 3)).Association("Boss").Append(c.load(db, 1))
		}),
		mode("Append a profile", func(c *trial, db *gorm.DB) any {
			return db.Model(c.load(db, 3)).Association("Profile").Append(c.profile(fields{"Name": "new"}))
		}),
		mode("Replace tags", func(c *trial, db *gorm.DB) any {
			return db.Model(c.load(db, 1)).Association("Tags").Replace(c.ownTag(db, "blue"), c.ownTag(db, "green"))
		}),
		mode("Delete a tag", func(c *trial, db *gorm.DB) any {
			return db.Model(c.load(db, 1)).Association("Tags").Delete(c.ownTag(db, "red"))
		}),
		mode("Unscoped Delete of a child", func(c *trial, db *gorm.DB) any {
			return db.Model(c.load(db, 1)).Association("Children").Unscoped().Delete(c.ownChild(db, "c1"))
		}),
		mode("Clear tags", func(c *trial, db *gorm.DB) any { return db.Model(c.load(db, 1)).Association("Tags").Clear() }),
		mode("Clear tags of several parents", func(c *trial, db *gorm.DB) any {
			return db.Model(c.parents(c.load(db, 1), c.load(db, 2))).Association("Tags").Clear()
		}),
		mode("Unscoped Clear of children", func(c *trial, db *gorm.DB) any {
			return db.Model(c.load(db, 1)).Association("Children").Unscoped().Clear()
		}),
		mode("Find by own primary key without the tenant", func(c *trial, db *gorm.DB) any {
			if !single(c.world) { // there the tenant is part of the key
				return nil
			}
			got := c.tags()
			return []any{db.Model(c.parent(fields{"ID": c.id(1)})).Association("Tags").Find(got), got}
		}),
	}, only(single, unlinks(mode)...), []check{
		// GORM sets all columns of the key to NULL, the tenant with them, which no primary key can be.
		{name: "unlink a child whose key has the tenant in it", rule: "a row that loses its parent keeps its tenant", when: composite, run: func(c *trial) {
			if err := c.a.Model(c.load(c.a, 1)).Association("Children").Clear(); err != nil {
				c.unchanged()
			}
			var n int64
			assert.NoError(c, c.a.Model(c.noChild()).Count(&n).Error)
			assert.EqualValues(c, 4, n, c.rule)
		}},
	}, foreignAssociations(), nestedForeign())
}

// unlinks take children from their parent.
func unlinks(mode func(string, func(*trial, *gorm.DB) any) check) []check {
	return []check{
		mode("Replace children", func(c *trial, db *gorm.DB) any {
			return db.Model(c.load(db, 1)).Association("Children").Replace(c.ownChild(db, "c2"), c.child(fields{"Name": "new"}))
		}),
		mode("Replace a profile", func(c *trial, db *gorm.DB) any {
			return db.Model(c.load(db, 1)).Association("Profile").Replace(c.profile(fields{"Name": "new"}))
		}),
		mode("Delete a child", func(c *trial, db *gorm.DB) any {
			return db.Model(c.load(db, 1)).Association("Children").Delete(c.ownChild(db, "c1"))
		}),
		mode("Clear children", func(c *trial, db *gorm.DB) any { return db.Model(c.load(db, 1)).Association("Children").Clear() }),
	}
}

func (c *trial) ownChild(db *gorm.DB, name string) any {
	child := c.noChild()
	if err := db.Take(child, "name = ?", name).Error; err != nil {
		c.Fatal("load: ", err)
	}
	return child
}

func (c *trial) ownTag(db *gorm.DB, name string) any {
	tag := c.noTag()
	if err := db.Take(tag, "name = ?", name).Error; err != nil {
		c.Fatal("load: ", err)
	}
	return tag
}

// foreignAssociations attach rows of B to rows of A, and reach rows of B through their parents.
func foreignAssociations() []check {
	const rule = "association mode attaches, detaches and shows no row of another tenant"
	refuse := func(name string, when func(*world) bool, do func(c *trial, db *gorm.DB) error) check {
		return check{name: name, rule: rule, when: when, run: func(c *trial) {
			c.foreign(func(db *gorm.DB) error { return do(c, db) }, c.undone)
		}}
	}
	// byKey names a row of B by its key alone, as a request would.
	byKey := func(record any, c *trial, n uint) any { return with(record, fields{"ID": c.idB(n), "Name": "x"}) }
	noop := func(name string, do func(c *trial, db *gorm.DB) error) check {
		return check{name: name, rule: rule, when: single, run: func(c *trial) {
			if err := do(c, c.a); err != nil {
				c.refused(err, tenancy.ErrTenantMismatch)
			}
			c.undone()
		}}
	}
	return []check{
		refuse("Append B's child as loaded", single, func(c *trial, db *gorm.DB) error {
			return db.Model(c.load(db, 1)).Association("Children").Append(c.ownChild(c.b, "c1"))
		}),
		refuse("Append B's child by its key", single, func(c *trial, db *gorm.DB) error {
			return db.Model(c.load(db, 1)).Association("Children").Append(byKey(c.noChild(), c, 1))
		}),
		refuse("Append B's tag as loaded", nil, func(c *trial, db *gorm.DB) error {
			return db.Model(c.load(db, 1)).Association("Tags").Append(c.ownTag(c.b, "green"))
		}),
		refuse("Append B's tag by its key", single, func(c *trial, db *gorm.DB) error {
			return db.Model(c.load(db, 1)).Association("Tags").Append(byKey(c.noTag(), c, 3))
		}),
		refuse("Append B's tag by its key, among own tags", single, func(c *trial, db *gorm.DB) error {
			return db.Model(c.load(db, 1)).Association("Tags").Append(c.tags(c.ownTag(db, "green"), byKey(c.noTag(), c, 3)))
		}),
		refuse("Append B's tag, Omit its columns", single, func(c *trial, db *gorm.DB) error {
			return db.Model(c.load(db, 1)).Omit("Tags.*").Association("Tags").Append(byKey(c.noTag(), c, 3))
		}),
		refuse("Append B's boss by its key", single, func(c *trial, db *gorm.DB) error {
			return db.Model(c.load(db, 3)).Association("Boss").Append(byKey(c.noParent(), c, 1))
		}),
		refuse("Append B's boss as loaded", nil, func(c *trial, db *gorm.DB) error {
			return db.Model(c.load(db, 3)).Association("Boss").Append(c.loadB(1))
		}),
		refuse("Append B's profile by its key", single, func(c *trial, db *gorm.DB) error {
			return db.Model(c.load(db, 3)).Association("Profile").Append(byKey(c.profile(), c, 1))
		}),
		refuse("Replace by B's child", single, func(c *trial, db *gorm.DB) error {
			return db.Model(c.load(db, 1)).Association("Children").Replace(byKey(c.noChild(), c, 1))
		}),
		refuse("Replace by B's tag", single, func(c *trial, db *gorm.DB) error {
			return db.Model(c.load(db, 1)).Association("Tags").Replace(byKey(c.noTag(), c, 3))
		}),
		refuse("Append to B's parent as loaded", nil, func(c *trial, db *gorm.DB) error {
			return db.Model(c.loadB(3)).Association("Tags").Append(c.ownTag(db, "green"))
		}),
		refuse("Append to B's parent by its key", single, func(c *trial, db *gorm.DB) error {
			return db.Model(byKey(c.noParent(), c, 3)).Association("Tags").Append(c.ownTag(db, "green"))
		}),
		refuse("Append a child to B's parent by its key", single, func(c *trial, db *gorm.DB) error {
			return db.Model(byKey(c.noParent(), c, 3)).Association("Children").Append(c.child(fields{"Name": "new"}))
		}),
		noop("Clear tags of B's parent by its key", func(c *trial, db *gorm.DB) error {
			return db.Model(byKey(c.noParent(), c, 1)).Association("Tags").Clear()
		}),
		noop("Clear children of B's parent by its key", func(c *trial, db *gorm.DB) error {
			return db.Model(byKey(c.noParent(), c, 1)).Association("Children").Clear()
		}),
		noop("Unscoped Clear of children of B's parent by its key", func(c *trial, db *gorm.DB) error {
			return db.Model(byKey(c.noParent(), c, 1)).Association("Children").Unscoped().Clear()
		}),
		noop("Delete a tag from B's parent by its key", func(c *trial, db *gorm.DB) error {
			return db.Model(byKey(c.noParent(), c, 1)).Association("Tags").Delete(byKey(c.noTag(), c, 1))
		}),
		noop("Delete B's child from an own parent", func(c *trial, db *gorm.DB) error {
			return db.Model(c.load(db, 1)).Association("Children").Delete(byKey(c.noChild(), c, 1))
		}),
		noop("Replace tags of B's parent by nothing", func(c *trial, db *gorm.DB) error {
			return db.Model(byKey(c.noParent(), c, 1)).Association("Tags").Replace()
		}),
		{name: "Find and Count on B's parent", rule: rule, run: func(c *trial) {
			for _, p := range []any{c.loadB(1), byKey(c.noParent(), c, 1)} {
				if !single(c.world) && field(p, "Mark") != markB {
					continue // without the tenant it is nobody's key
				}
				for _, name := range []string{"Children", "Tags"} {
					got := c.children()
					if name == "Tags" {
						got = c.tags()
					}
					err := c.a.Model(p).Association(name).Find(got)
					assert.Empty(c, pointers(got), "%s of B (%v): %s", name, err, c.rule)
					assert.Zero(c, c.a.Model(p).Association(name).Count(), "%s of B: %s", name, c.rule)
				}
			}
		}},
		{name: "Clear tags of B's parent as loaded", rule: rule, run: func(c *trial) {
			_ = c.a.Model(c.loadB(1)).Association("Tags").Clear() // B's rows are looked at
			_ = c.a.Model(c.loadB(1)).Association("Children").Clear()
			_ = c.a.Model(c.loadB(1)).Association("Children").Unscoped().Clear()
			_ = c.a.Model(c.loadB(1)).Association("Tags").Delete(c.ownTag(c.b, "red"))
			_ = c.a.Model(c.loadB(1)).Association("Tags").Replace(c.ownTag(c.b, "green"))
			c.unchanged()
		}},
		{name: "tags over a join row that crosses", rule: rule, when: single, run: func(c *trial) {
			c.crossKeys()
			c.same(func(db *gorm.DB) any {
				got := c.tags()
				p := c.load(db, 3)
				return []any{db.Model(p).Association("Tags").Find(got), got, db.Model(p).Association("Tags").Count()}
			})
		}},
	}
}

// nestedForeign are creates and saves whose associations name rows of B.
func nestedForeign() []check {
	const rule = "a nested write takes no row from another tenant"
	refuse := func(name string, do func(c *trial, db *gorm.DB) error) check {
		return check{name: name, rule: rule, when: single, run: func(c *trial) {
			c.foreign(func(db *gorm.DB) error { return do(c, db) }, c.undone)
		}}
	}
	child := func(c *trial) fields {
		return fields{"Children": []any{c.child(fields{"ID": c.idB(1), "Name": "stolen"})}}
	}
	full := func(db *gorm.DB) *gorm.DB { return db.Session(&gorm.Session{FullSaveAssociations: true}) }
	return []check{
		refuse("Create with B's child", func(c *trial, db *gorm.DB) error {
			return db.Create(with(c.parent(fields{"Name": "new"}), child(c))).Error
		}),
		refuse("Create with B's child, FullSaveAssociations", func(c *trial, db *gorm.DB) error {
			return full(db).Create(with(c.parent(fields{"Name": "new"}), child(c))).Error
		}),
		refuse("Save with B's child", func(c *trial, db *gorm.DB) error { return db.Save(with(c.load(db, 1), child(c))).Error }),
		refuse("Updates with B's child", func(c *trial, db *gorm.DB) error {
			return db.Updates(with(c.load(db, 1), child(c))).Error
		}),
		refuse("Updates with B's child, FullSaveAssociations", func(c *trial, db *gorm.DB) error {
			return full(db).Updates(with(c.load(db, 1), child(c))).Error
		}),
		refuse("Create with B's profile", func(c *trial, db *gorm.DB) error {
			return db.Create(c.parent(fields{"Name": "new", "Profile": c.profile(fields{"ID": c.idB(1), "Name": "stolen"})})).Error
		}),
		refuse("Create with B's boss", func(c *trial, db *gorm.DB) error {
			return db.Create(c.parent(fields{"Name": "new", "Boss": c.parent(fields{"ID": c.idB(1), "Name": "stolen"})})).Error
		}),
		refuse("Create with B's boss, FullSaveAssociations", func(c *trial, db *gorm.DB) error {
			return full(db).Create(c.parent(fields{"Name": "new", "Boss": c.parent(fields{"ID": c.idB(1), "Name": "stolen"})})).Error
		}),
		refuse("Create with B's tag", func(c *trial, db *gorm.DB) error {
			return db.Create(c.parent(fields{"Name": "new", "Tags": []any{c.tag(fields{"ID": c.idB(3), "Name": "stolen"})}})).Error
		}),
		refuse("Create with B's tag, FullSaveAssociations", func(c *trial, db *gorm.DB) error {
			return full(db).Create(c.parent(fields{"Name": "new", "Tags": []any{c.tag(fields{"ID": c.idB(3), "Name": "stolen"})}})).Error
		}),
		refuse("Create with B's tag, Omit its columns", func(c *trial, db *gorm.DB) error {
			return db.Omit("Tags.*").Create(c.parent(fields{"Name": "new", "Tags": []any{c.tag(fields{"ID": c.idB(3)})}})).Error
		}),
		refuse("Create of a child with B's parent as association", func(c *trial, db *gorm.DB) error {
			return db.Create(c.child(fields{"Name": "new", "Parent": c.parent(fields{"ID": c.idB(1), "Name": "x"})})).Error
		}),
		refuse("Create of a child with B's parent, Omit it", func(c *trial, db *gorm.DB) error {
			return db.Omit(clause.Associations).Create(c.child(fields{"Name": "new", "ParentID": c.idB(1)})).Error
		}),
		refuse("two levels down", func(c *trial, db *gorm.DB) error {
			boss := with(c.parent(fields{"Name": "boss"}), child(c))
			return db.Create(c.parent(fields{"Name": "new", "Boss": boss})).Error
		}),
	}
}
