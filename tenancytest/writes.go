package tenancytest

import (
	"errors"
	"slices"

	"github.com/stretchr/testify/assert"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// creates are GORM's ways to insert: a row gets the tenant of the context, and none is stored as another's.
func creates() []check {
	const rule = "a created row gets the tenant of the context, in the struct and in the database"
	return slices.Concat([]check{
		reading("Create", rule, func(c *trial, db *gorm.DB) any {
			p := c.parent(fields{"Name": "new", "Score": 7})
			return []any{result(db.Create(p), p), cell(unwrap(field(p, "TenantID")))}
		}),
		reading("Create with the tenant given", rule, func(c *trial, db *gorm.DB) any {
			p := c.parent(fields{"Name": "new", "TenantID": c.world.a})
			return result(db.Create(p), p)
		}),
		reading("a list", rule, func(c *trial, db *gorm.DB) any {
			ps := c.parents(c.parent(fields{"Name": "n1"}), c.parent(fields{"Name": "n2", "TenantID": c.world.a}))
			return result(db.Create(ps), ps)
		}),
		reading("CreateInBatches", rule, func(c *trial, db *gorm.DB) any {
			ps := c.parents(c.parent(fields{"Name": "n1"}), c.parent(fields{"Name": "n2"}), c.parent(fields{"Name": "n3"}))
			return result(db.CreateInBatches(ps, 2), ps)
		}),
		reading("Select without the tenant", rule, func(c *trial, db *gorm.DB) any {
			p := c.parent(fields{"Name": "new", "Score": 7})
			return []any{db.Select("ID", "Name", "TenantID").Create(p).Error, field(p, "Name")}
		}),
		{name: "Select leaves the tenant out", rule: rule, run: func(c *trial) {
			created := c.parent(fields{"Name": "new", "Mark": "x"})
			names := []string{"Name"}
			if !single(c.world) {
				names = append(names, "ID")
			}
			assert.NoError(c, c.a.Select(names).Create(created).Error)
			assert.NoError(c, c.a.Omit("TenantID").Create(c.parent(fields{"Name": "new2", "Mark": "x"})).Error)
			var n int64
			assert.NoError(c, c.a.Model(c.noParent()).Where("name IN ?", []string{"new", "new2"}).Count(&n).Error)
			assert.EqualValues(c, 2, n, c.rule)
		}},
		reading("maps", rule, func(c *trial, db *gorm.DB) any {
			one, many := c.rowOf("n3"), []map[string]any{c.rowOf("n4"), c.rowOf("n5")}
			var out []any
			for _, rows := range []any{c.rowOf("n1"), []map[string]any{c.rowOf("n2")}, &one, &many} {
				out = append(out, db.Model(c.noTag()).Create(rows).Error)
			}
			return out
		}),
		{name: "a map without a model", rule: rule, run: func(c *trial) {
			assert.NoError(c, c.a.Table(c.table(c.noTag())).Create(c.rowOf("n1")).Error)
			var n int64
			assert.NoError(c, c.a.Model(c.noTag()).Where("name = ?", "n1").Count(&n).Error)
			assert.EqualValues(c, 1, n, c.rule)
		}},
		reading("with associations", rule, func(c *trial, db *gorm.DB) any {
			p := c.parent(fields{
				"Name": "new", "Children": []any{c.child(fields{"Name": "n1"}), c.child(fields{"Name": "n2"})},
				"Profile": c.profile(fields{"Name": "n"}), "Tags": []any{c.tag(fields{"Name": "n"})},
				"Boss": c.parent(fields{"Name": "boss"}),
			})
			if err := db.Create(p).Error; err != nil {
				return err
			}
			got := c.noParent()
			return []any{db.Preload(clause.Associations).Take(got, "name = ?", "new").Error, got}
		}),
		reading("with own rows as associations", rule, func(c *trial, db *gorm.DB) any {
			p := c.parent(fields{
				"Name": "new", "Children": []any{c.child(fields{"ID": c.id(3), "Name": "c3", "TenantID": c.world.a})},
				"Tags": []any{c.tag(fields{"ID": c.id(2), "Name": "blue", "TenantID": c.world.a})}, "BossID": c.id(1),
			})
			if err := db.Create(p).Error; err != nil {
				return err
			}
			got := c.parents()
			return []any{db.Preload("Children").Preload("Tags").Preload("Boss").Find(got).Error, got}
		}),
		reading("Omit associations", rule, func(c *trial, db *gorm.DB) any {
			p := c.parent(fields{"Name": "new", "Children": []any{c.child(fields{"Name": "n1"})}})
			return db.Omit(clause.Associations).Create(p).Error
		}),
		reading("Save of a new row", rule, func(c *trial, db *gorm.DB) any {
			p := c.parent(fields{"Name": "new"})
			return []any{db.Save(p).Error, p}
		}),
		reading("a natural key that is taken", "an error of the database passes as it is", func(c *trial, db *gorm.DB) any {
			err := db.Create(c.tag(fields{"Name": "red"})).Error
			return []any{err != nil, errors.Is(err, gorm.ErrDuplicatedKey)}
		}),
		reading("FirstOrCreate", "FirstOrCreate finds the tenant's row or creates one, whatever others have", func(c *trial, db *gorm.DB) any {
			found, made := c.noParent(), c.parent()
			return []any{
				db.Where(fields{"name": "p1"}).Attrs(fields{"score": 99}).FirstOrCreate(found).Error, found,
				db.Where(fields{"name": "new"}).Attrs(fields{"score": 99}).FirstOrCreate(made).Error, field(made, "Name"), field(made, "Score"),
			}
		}),
		reading("FirstOrCreate with Assign", "FirstOrCreate updates the tenant's row alone", func(c *trial, db *gorm.DB) any {
			found := c.noParent()
			tx := db.Where(fields{"name": "p1"}).Assign(fields{"score": 99}).FirstOrCreate(found)
			return result(tx, found)
		}),
	}, foreignCreates())
}

// foreignCreates carry another tenant's ID.
func foreignCreates() []check {
	const rule = "a row that carries another tenant's ID is refused and never silently corrected"
	refuse := func(name string, do func(c *trial, db *gorm.DB) *gorm.DB) check {
		return check{name: name, rule: rule, run: func(c *trial) {
			c.foreign(func(db *gorm.DB) error { return do(c, db).Error }, c.undone)
		}}
	}
	asMap := func(c *trial, column string, value any) map[string]any {
		m := c.rowOf("new")
		m[column] = value
		return m
	}
	return []check{
		refuse("B in a struct", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Create(c.parent(fields{"Name": "new", "TenantID": c.world.b}))
		}),
		refuse("B in one of a list", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Create(c.parents(c.parent(fields{"Name": "n1"}), c.parent(fields{"Name": "n2", "TenantID": c.world.b})))
		}),
		refuse("B in the last batch", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.CreateInBatches(c.parents(c.parent(fields{"Name": "n1"}), c.parent(fields{"Name": "n2", "TenantID": c.world.b})), 1)
		}),
		refuse("B in a map, by column", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Model(c.noTag()).Create(asMap(c, c.column(c.noTag(), "TenantID"), string(c.world.b)))
		}),
		refuse("B in a map, by field", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Model(c.noTag()).Create(asMap(c, "TenantID", string(c.world.b)))
		}),
		refuse("B in a list of maps", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Model(c.noTag()).Create([]map[string]any{asMap(c, "TenantID", string(c.world.b))})
		}),
		refuse("B in a map without a model", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Table(c.table(c.noTag())).Create(asMap(c, c.column(c.noTag(), "TenantID"), string(c.world.b)))
		}),
		refuse("an expression for the tenant", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Model(c.noTag()).Create(asMap(c, "TenantID", gorm.Expr("?", string(c.world.b))))
		}),
		// A key with the tenant in it is written by GORM itself, from the parent.
		only(single, refuse("a child of B", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Create(c.parent(fields{"Name": "new", "Children": []any{c.child(fields{"Name": "n", "TenantID": c.world.b})}}))
		}))[0],
		refuse("a boss of B", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Create(c.parent(fields{"Name": "new", "Boss": c.parent(fields{"Name": "n", "TenantID": c.world.b})}))
		}),
		refuse("a tag of B", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Create(c.parent(fields{"Name": "new", "Tags": []any{c.tag(fields{"Name": "n", "TenantID": c.world.b})}}))
		}),
		refuse("FirstOrCreate with B in Attrs", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Where(fields{"name": "new"}).Attrs(fields{"TenantID": string(c.world.b)}).FirstOrCreate(c.parent())
		}),
		refuse("FirstOrCreate with B as condition", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Where(map[string]any{"name": "p1", c.column(c.noParent(), "TenantID"): string(c.world.b)}).FirstOrCreate(c.parent())
		}),
		refuse("Save of B's row as loaded", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Save(with(c.loadB(1), fields{"Name": "stolen"}))
		}),
		refuse("Save of B's rows as loaded", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Save(c.parents(c.load(c.a, 1), c.loadB(1)))
		}),
	}
}

// rowOf is a new tag as a map.
func (c *trial) rowOf(name string) map[string]any {
	m := map[string]any{"name": name, "mark": "made"}
	if !single(c.world) {
		c.next++
		m[c.column(c.noTag(), "ID")] = 5000 + c.next
	}
	return m
}
