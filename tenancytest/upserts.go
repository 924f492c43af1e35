package tenancytest

import (
	"slices"

	"github.com/stretchr/testify/assert"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/gormtenancy/tenancy"
)

// upserts meet rows by their keys, whoever owns them.
func upserts() []check {
	return slices.Concat(ownUpserts(), foreignUpserts(), saves())
}

// naturalKey is the target of a conflict over the natural key.
func (c *trial) naturalKey(model any) []clause.Column {
	return []clause.Column{{Name: c.column(model, "TenantID")}, {Name: "name"}}
}

// primaryKey is the target of a conflict over the primary key.
func (c *trial) primaryKey(model any) []clause.Column {
	var out []clause.Column
	for _, name := range parse(c, c.stage.raw, model).PrimaryFieldDBNames {
		out = append(out, clause.Column{Name: name})
	}
	return out
}

func ownUpserts() []check {
	const rule = "an upsert on the tenant's own rows does what plain GORM does"
	return []check{
		reading("UpdateAll on a new row", rule, func(c *trial, db *gorm.DB) any {
			return db.Clauses(clause.OnConflict{UpdateAll: true}).Create(c.parent(fields{"Name": "new"})).Error
		}),
		reading("UpdateAll on an own row", rule, func(c *trial, db *gorm.DB) any {
			p := c.parent(fields{"ID": c.id(2), "Name": "p2", "Score": 99, "Mark": markA})
			tx := db.Clauses(clause.OnConflict{UpdateAll: true}).Create(p)
			return []any{tx.RowsAffected, tx.Error, field(p, "ID")}
		}),
		reading("UpdateAll on a list", rule, func(c *trial, db *gorm.DB) any {
			ps := c.parents(c.parent(fields{"ID": c.id(1), "Name": "p1", "Score": 98}), c.parent(fields{"ID": c.id(2), "Name": "p2", "Score": 99}))
			tx := db.Clauses(clause.OnConflict{UpdateAll: true}).Create(ps)
			return []any{tx.RowsAffected, tx.Error}
		}),
		reading("UpdateAll on a list, one of them new", rule, func(c *trial, db *gorm.DB) any {
			ps := c.parents(c.parent(fields{"ID": c.id(1), "Name": "p1", "Score": 98}), c.parent(fields{"ID": uint(1900), "Name": "new", "Score": 99}))
			tx := db.Clauses(clause.OnConflict{UpdateAll: true}).Create(ps)
			return []any{tx.RowsAffected, tx.Error}
		}),
		reading("DoUpdates over the natural key", rule, func(c *trial, db *gorm.DB) any {
			p := c.parent(fields{"Name": "p1", "Score": 99})
			return db.Clauses(clause.OnConflict{
				Columns: c.naturalKey(p), DoUpdates: clause.AssignmentColumns([]string{"score"}),
			}).Create(p).Error
		}),
		reading("DoUpdates on a list over the natural key", rule, func(c *trial, db *gorm.DB) any {
			ps := c.parents(c.parent(fields{"Name": "p1", "Score": 98}), c.parent(fields{"Name": "n1", "Score": 99}), c.parent(fields{"Name": "p2", "Score": 97}))
			return db.Clauses(clause.OnConflict{
				Columns: c.naturalKey(c.noParent()), DoUpdates: clause.AssignmentColumns([]string{"score"}),
			}).Create(ps).Error
		}),
		reading("DoUpdates with values", rule, func(c *trial, db *gorm.DB) any {
			p := c.parent(fields{"ID": c.id(1), "Name": "p1"})
			tx := db.Clauses(clause.OnConflict{
				Columns: c.primaryKey(p), DoUpdates: clause.Assignments(map[string]any{"score": 77, "mark": gorm.Expr("?", "set")}),
			}).Create(p)
			return []any{tx.RowsAffected, tx.Error}
		}),
		reading("DoUpdates with an expression over the old row", rule, func(c *trial, db *gorm.DB) any {
			p := c.parent(fields{"ID": c.id(1), "Name": "p1"})
			return db.Clauses(clause.OnConflict{
				Columns:   c.primaryKey(p),
				DoUpdates: clause.Assignments(map[string]any{"score": gorm.Expr("? + 5", clause.Column{Table: clause.CurrentTable, Name: "score"})}),
			}).Create(p).Error
		}),
		reading("DoUpdates with the tenant in it", rule, func(c *trial, db *gorm.DB) any {
			p := c.parent(fields{"ID": c.id(1), "Name": "p1", "Score": 99})
			return db.Clauses(clause.OnConflict{
				Columns: c.primaryKey(p), DoUpdates: clause.AssignmentColumns([]string{"score", c.column(p, "TenantID")}),
			}).Create(p).Error
		}),
		{
			name: "Where of an upsert", rule: rule,
			run: func(c *trial) {
				if c.a.Name() == "mysql" {
					return // it has no WHERE there: GORM's dialector drops it
				}
				c.same(func(db *gorm.DB) any {
					p := c.parent(fields{"ID": c.id(1), "Name": "p1", "Score": 99})
					tx := db.Clauses(clause.OnConflict{
						Columns: c.primaryKey(p), DoUpdates: clause.AssignmentColumns([]string{"score"}),
						Where: clause.Where{Exprs: []clause.Expression{clause.Or(clause.Gt{Column: clause.Column{Table: clause.CurrentTable, Name: "score"}, Value: 1000})}},
					}).Create(p)
					return []any{tx.RowsAffected, tx.Error}
				})
			},
		},
		reading("DoNothing on an own row", rule, func(c *trial, db *gorm.DB) any {
			tx := db.Clauses(clause.OnConflict{DoNothing: true}).Create(c.parent(fields{"ID": c.id(2), "Name": "p2", "Score": 99}))
			return []any{tx.RowsAffected, tx.Error}
		}),
		reading("DoNothing on a new row", rule, func(c *trial, db *gorm.DB) any {
			tx := db.Clauses(clause.OnConflict{DoNothing: true}).Create(c.parent(fields{"Name": "new", "Score": 99}))
			return []any{tx.RowsAffected, tx.Error}
		}),
		reading("an upsert in a transaction that goes on", rule, func(c *trial, db *gorm.DB) any {
			return db.Transaction(func(tx *gorm.DB) error {
				ps := c.parents(c.parent(fields{"ID": c.id(1), "Name": "p1", "Score": 98}), c.parent(fields{"ID": c.id(2), "Name": "p2", "Score": 99}))
				if err := tx.Clauses(clause.OnConflict{UpdateAll: true}).Create(ps).Error; err != nil {
					return err
				}
				return tx.Create(c.parent(fields{"Name": "after"})).Error
			})
		}),
	}
}

// foreignUpserts meet rows of B. With composite keys there is nothing to meet.
func foreignUpserts() []check {
	const rule = "an upsert that meets another tenant's row leaves it alone and says so"
	refuse := func(name string, do func(c *trial, db *gorm.DB) *gorm.DB) check {
		return check{name: name, rule: rule, when: single, run: func(c *trial) {
			c.foreign(func(db *gorm.DB) error { return do(c, db).Error }, c.undone)
		}}
	}
	mine := func(c *trial, n uint) any { return c.parent(fields{"ID": c.idB(n), "Name": "stolen", "Score": 99}) }
	return []check{
		refuse("UpdateAll on B's row", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Clauses(clause.OnConflict{UpdateAll: true}).Create(mine(c, 1))
		}),
		refuse("UpdateAll on a list with B's row", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Clauses(clause.OnConflict{UpdateAll: true}).Create(c.parents(
				c.parent(fields{"ID": c.id(1), "Name": "p1", "Score": 98}), mine(c, 2), c.parent(fields{"Name": "new"})))
		}),
		refuse("UpdateAll in batches", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Clauses(clause.OnConflict{UpdateAll: true}).CreateInBatches(c.parents(
				c.parent(fields{"ID": c.id(1), "Name": "p1", "Score": 98}), mine(c, 2)), 1)
		}),
		refuse("DoUpdates on B's row", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Clauses(clause.OnConflict{Columns: c.primaryKey(c.noParent()), DoUpdates: clause.AssignmentColumns([]string{"name", "score"})}).Create(mine(c, 1))
		}),
		refuse("DoUpdates of the tenant on B's row", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Clauses(clause.OnConflict{Columns: c.primaryKey(c.noParent()), DoUpdates: clause.AssignmentColumns([]string{c.column(c.noParent(), "TenantID")})}).Create(mine(c, 1))
		}),
		refuse("DoUpdates with values on B's row", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Clauses(clause.OnConflict{Columns: c.primaryKey(c.noParent()), DoUpdates: clause.Assignments(map[string]any{"score": 1})}).Create(mine(c, 1))
		}),
		refuse("DoUpdates with a condition on B's row", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Clauses(clause.OnConflict{
				Columns: c.primaryKey(c.noParent()), DoUpdates: clause.AssignmentColumns([]string{"score"}),
				Where: clause.Where{Exprs: []clause.Expression{clause.Or(clause.Expr{SQL: "1 = 1"}), clause.Or(clause.Expr{SQL: "1 = 1"})}},
			}).Create(mine(c, 1))
		}),
		refuse("a map on B's row", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Model(c.noParent()).Clauses(clause.OnConflict{Columns: c.primaryKey(c.noParent()), DoUpdates: clause.AssignmentColumns([]string{"score"})}).
				Create(map[string]any{c.column(c.noParent(), "ID"): c.idB(1), "name": "stolen", "score": 99})
		}),
		{name: "the other rows' keys after a refusal", rule: "after a refused upsert of a list, no element holds another one's key", when: single, run: func(c *trial) {
			ps := c.parents(c.parent(fields{"Name": "n1"}), c.parent(fields{"ID": c.idB(1), "Name": "n2"}), c.parent(fields{"Name": "n3"}))
			if !c.refused(c.a.Clauses(clause.OnConflict{UpdateAll: true}).Create(ps).Error, tenancy.ErrTenantMismatch) {
				return
			}
			assert.EqualValues(c, c.idB(1), field(pointers(ps)[1], "ID"), c.rule)
			assert.EqualValues(c, 0, field(pointers(ps)[2], "ID"), c.rule)
			c.unchanged()
		}},
		{name: "DoNothing on B's row", rule: "DoNothing does nothing to another tenant's row", when: single, run: func(c *trial) {
			create := func(db *gorm.DB) *gorm.DB { return db.Clauses(clause.OnConflict{DoNothing: true}).Create(mine(c, 1)) }
			if c.apart() {
				c.same(func(db *gorm.DB) any { return create(db).Error })
				return
			}
			tx := create(c.a)
			if tx.Error != nil {
				c.refused(tx.Error, tenancy.ErrTenantMismatch)
			} else {
				assert.Zero(c, tx.RowsAffected, c.rule)
			}
			c.unchanged()
		}},
		{name: "a refused upsert in a transaction that goes on", rule: "a refusal undoes its own statement and no more", when: single, run: func(c *trial) {
			refused := true
			err := c.a.Transaction(func(tx *gorm.DB) error {
				if err := tx.Create(c.tag(fields{"Name": "before"})).Error; err != nil {
					return err
				}
				refused = c.refused(tx.Clauses(clause.OnConflict{UpdateAll: true}).Create(c.parents(
					c.parent(fields{"ID": c.id(1), "Name": "p1", "Score": 98}), mine(c, 2))).Error, tenancy.ErrTenantMismatch)
				return tx.Create(c.tag(fields{"Name": "after"})).Error
			})
			assert.NoError(c, err, c.rule)
			var names []string
			var score []int
			assert.NoError(c, c.a.Model(c.noTag()).Where("name IN ?", []string{"before", "after"}).Order("name").Pluck("name", &names).Error)
			assert.NoError(c, c.a.Model(c.noParent()).Where("name = ?", "p1").Pluck("score", &score).Error)
			assert.Equal(c, []string{"after", "before"}, names, c.rule)
			if refused {
				assert.Equal(c, []int{10}, score, c.rule)
			}
		}},
		{name: "DoUpdates that sets the tenant to B", rule: "an upsert gives no row to another tenant", run: func(c *trial) {
			p := c.parent(fields{"ID": c.id(1), "Name": "p1"})
			c.refused(c.a.Clauses(clause.OnConflict{
				Columns:   c.primaryKey(p),
				DoUpdates: clause.Assignments(map[string]any{c.column(p, "TenantID"): string(c.world.b)}),
			}).Create(p).Error, tenancy.ErrTenantMismatch)
			c.unchanged()
		}},
		textual("a subquery as text in DoUpdates", "text that brings in another table is confined, or refused", func(c *trial, db *gorm.DB) (any, error) {
			p := c.parent(fields{"ID": c.id(1), "Name": "p1"})
			return found(db.Clauses(clause.OnConflict{
				Columns:   c.primaryKey(p),
				DoUpdates: clause.Assignments(map[string]any{"mark": gorm.Expr("(SELECT max(mark) FROM " + c.quotedTable(c.noTag()) + ")")}),
			}).Create(p), nil)
		}),
		{name: "INSERT OR REPLACE", rule: "REPLACE deletes rows that are in its way, whoever owns them, and is refused", run: func(c *trial) {
			modifier := map[string]string{"sqlite": "OR REPLACE"}[c.a.Name()]
			if modifier == "" {
				return // the others do not spell it as a modifier
			}
			c.refused(c.a.Clauses(clause.Insert{Modifier: modifier}).Create(c.parent(fields{"ID": c.idB(1), "Name": "stolen"})).Error, tenancy.ErrUnconfinedSQL)
		}},
	}
}

// saves are GORM's Save: an update, and an upsert if that met no row.
func saves() []check {
	const rule = "Save writes the tenant's own row, as plain GORM does"
	return []check{
		reading("Save of a loaded row", rule, func(c *trial, db *gorm.DB) any {
			p := with(c.load(db, 2), fields{"Score": 99})
			return result(db.Save(p), p)
		}),
		reading("Save of loaded rows", rule, func(c *trial, db *gorm.DB) any {
			ps := c.parents(with(c.load(db, 1), fields{"Score": 98}), with(c.load(db, 2), fields{"Score": 99}))
			return db.Save(ps).Error
		}),
		reading("Save without the tenant", "Save of an own row without its tenant leaves it the tenant's", func(c *trial, db *gorm.DB) any {
			p := c.parent(fields{"ID": c.id(2), "Name": "p2", "Score": 99})
			return []any{db.Save(p).Error, cell(unwrap(field(p, "TenantID")))}
		}),
		reading("Save of rows without the tenant", "Save of an own row without its tenant leaves it the tenant's", func(c *trial, db *gorm.DB) any {
			return db.Save(c.parents(c.parent(fields{"ID": c.id(2), "Name": "p2", "Score": 99}))).Error
		}),
		reading("Save with associations", rule, func(c *trial, db *gorm.DB) any {
			p := c.noParent()
			if err := db.Preload("Children").Preload("Tags").Take(p, "name = ?", "p1").Error; err != nil {
				return err
			}
			return db.Save(p).Error
		}),
		reading("Save with a new association", rule, func(c *trial, db *gorm.DB) any {
			p := with(c.load(db, 3), fields{"Children": []any{c.child(fields{"Name": "new"})}, "Tags": []any{c.tag(fields{"Name": "new"})}})
			return db.Save(p).Error
		}),
		reading("FullSaveAssociations", rule, func(c *trial, db *gorm.DB) any {
			p := c.noParent()
			if err := db.Preload("Children").Preload("Profile").Take(p, "name = ?", "p1").Error; err != nil {
				return err
			}
			for _, child := range pointersOf(p, "Children") {
				with(child, fields{"Amount": 99})
			}
			return db.Session(&gorm.Session{FullSaveAssociations: true}).Save(p).Error
		}),
		{name: "Save with B's primary key", rule: "Save takes no row from another tenant", when: single, run: func(c *trial) {
			c.refused(c.a.Save(c.parent(fields{"ID": c.idB(1), "Name": "stolen"})).Error, tenancy.ErrTenantMismatch)
			c.unchanged()
		}},
		{name: "Save of a list with B's primary key", rule: "Save takes no row from another tenant", when: single, run: func(c *trial) {
			c.refused(c.a.Save(c.parents(c.load(c.a, 1), c.parent(fields{"ID": c.idB(1), "Name": "stolen"}))).Error, tenancy.ErrTenantMismatch)
			c.unchanged()
		}},
		{name: "Save with B's primary key, of a model that has been saved before", rule: "Save takes no row from another tenant", when: single, run: func(c *trial) {
			p := with(c.load(c.a, 1), fields{"ID": c.idB(1), "Name": "stolen"})
			c.refused(c.a.Save(p).Error, tenancy.ErrTenantMismatch)
			c.unchanged()
		}},
	}
}
