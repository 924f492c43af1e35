package tenancytest

import (
	"github.com/stretchr/testify/assert"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// linked is the world of join tables with a model.
func linked() *world {
	return &world{
		name: "join models", a: "acme", b: "globex",
		models: []any{&member{}, &club{}, &membership{}, &fan{}}, global: []any{&country{}},
		prepare: setupJoins, fill: fillLinked,
		fillGlobal: func(raw *gorm.DB) error {
			return raw.Create(&[]country{{ID: 1, Name: "cz"}, {ID: 2, Name: "at"}}).Error
		},
		groups: []group{{"own", linkedOwn()}, {"foreign", linkedForeign()}},
	}
}

func linkedOwn() []check {
	const rule = "join models, with a tenant or without, work as in plain GORM"
	return []check{
		reading("Preload", rule, func(_ *trial, db *gorm.DB) any {
			var got []member
			err := db.Preload("Clubs").Preload("Idols").Preload("Friends").Preload("Lands").Find(&got).Error
			return []any{err, got}
		}),
		reading("Preload the other way", rule, func(_ *trial, db *gorm.DB) any {
			var got []club
			return []any{db.Preload("Members.Friends").Find(&got).Error, got}
		}),
		reading("Find the join model", rule, func(_ *trial, db *gorm.DB) any {
			var joins []membership
			var fans []fan
			return []any{db.Find(&joins).Error, joins, db.Find(&fans).Error, fans}
		}),
		reading("Append", rule, func(_ *trial, db *gorm.DB) any {
			m := named[member](db, "m3")
			return []any{
				db.Model(m).Association("Clubs").Append(named[club](db, "k1"), &club{Name: "new"}),
				db.Model(m).Association("Idols").Append(named[club](db, "k2")),
				db.Model(m).Association("Friends").Append(named[member](db, "m1")),
				db.Model(m).Association("Lands").Append(&country{ID: 2, Name: "at"}),
			}
		}),
		reading("Replace and Clear", rule, func(_ *trial, db *gorm.DB) any {
			m := named[member](db, "m1")
			return []any{
				db.Model(m).Association("Clubs").Replace(named[club](db, "k3")),
				db.Model(m).Association("Idols").Clear(),
				db.Model(m).Association("Friends").Delete(named[member](db, "m2")),
				db.Model(m).Association("Lands").Clear(),
			}
		}),
		reading("Create with links", rule, func(_ *trial, db *gorm.DB) any {
			m := &member{Name: "new", Clubs: []club{*named[club](db, "k1"), {Name: "new"}}, Idols: []club{*named[club](db, "k2")}, Friends: []member{*named[member](db, "m1")}, Lands: []country{{ID: 1, Name: "cz"}}}
			return db.Create(m).Error
		}),
		reading("update the join model", rule, func(_ *trial, db *gorm.DB) any {
			tx := db.Model(&membership{}).Where("role = ?", "player").Update("role", "referee")
			return []any{tx.RowsAffected, tx.Error}
		}),
		reading("update the join model without a tenant", rule, func(_ *trial, db *gorm.DB) any {
			tx := db.Model(&fan{}).Where("1 = 1").Update("since", 2020)
			return []any{tx.RowsAffected, tx.Error}
		}),
		reading("create the join models", rule, func(_ *trial, db *gorm.DB) any {
			m, k := named[member](db, "m4"), named[club](db, "k4")
			return []any{db.Create(&membership{MemberID: m.ID, ClubID: k.ID, Role: "x"}).Error, db.Create(&fan{MemberID: m.ID, ClubID: k.ID, Since: 1}).Error}
		}),
		reading("upsert the join model", rule, func(c *trial, db *gorm.DB) any {
			return db.Clauses(clause.OnConflict{UpdateAll: true}).Create(&membership{MemberID: c.fixed(1), ClubID: c.fixed(1), Role: "captain"}).Error
		}),
		reading("delete the join model without a tenant", rule, func(_ *trial, db *gorm.DB) any {
			tx := db.Where("1 = 1").Delete(&fan{})
			return []any{tx.RowsAffected, tx.Error}
		}),
		reading("delete with links in Select", rule, func(_ *trial, db *gorm.DB) any {
			tx := db.Select("Clubs", "Idols", "Friends", "Lands").Delete(named[member](db, "m1"))
			return []any{tx.RowsAffected, tx.Error}
		}),
	}
}

// fixed and fixedB are primary keys in worlds without a shape.
func (c *trial) fixed(n uint) uint { return fromA + n }

func (c *trial) fixedB(n uint) uint {
	c.keyed = true
	return fromB + n
}

func linkedForeign() []check {
	const rule = "a join row joins rows of one tenant"
	refuse := func(name string, do func(c *trial, db *gorm.DB) error) check {
		return check{name: name, rule: rule, run: func(c *trial) {
			c.foreign(func(db *gorm.DB) error { return do(c, db) }, c.undone)
		}}
	}
	var out []check
	for _, relation := range []string{"Clubs", "Idols"} {
		out = append(
			out,
			refuse("Append B's club to "+relation, func(c *trial, db *gorm.DB) error {
				return db.Model(named[member](db, "m3")).Association(relation).Append(&club{ID: c.fixedB(1)})
			}),
			refuse("Append B's club to "+relation+", Omit its columns", func(c *trial, db *gorm.DB) error {
				return db.Model(named[member](db, "m3")).Omit(relation + ".*").Association(relation).Append(&club{ID: c.fixedB(1)})
			}),
			refuse("Append to "+relation+" of B's member", func(c *trial, db *gorm.DB) error {
				return db.Model(&member{ID: c.fixedB(1)}).Association(relation).Append(named[club](db, "k4"))
			}),
			check{name: "Clear " + relation + " of B's member", rule: rule, run: func(c *trial) {
				_ = c.a.Model(&member{ID: c.fixedB(1)}).Association(relation).Clear() // B's rows are looked at
				c.unchanged()
			}},
		)
	}
	return append(
		out,
		refuse("Append B's member as a friend", func(c *trial, db *gorm.DB) error {
			return db.Model(named[member](db, "m3")).Omit("Friends.*").Association("Friends").Append(&member{ID: c.fixedB(1)})
		}),
		refuse("Append a land to B's member", func(c *trial, db *gorm.DB) error {
			return db.Model(&member{ID: c.fixedB(2)}).Association("Lands").Append(&country{ID: 2, Name: "at"})
		}),
		refuse("create a membership of B's club", func(c *trial, db *gorm.DB) error {
			return db.Create(&membership{MemberID: c.fixed(4), ClubID: c.fixedB(4)}).Error
		}),
		refuse("create a membership as B's", func(c *trial, db *gorm.DB) error {
			return db.Create(&membership{MemberID: c.fixed(4), ClubID: c.fixed(4), TenantID: "globex"}).Error
		}),
		refuse("create a fan of B's club", func(c *trial, db *gorm.DB) error {
			return db.Create(&fan{MemberID: c.fixed(4), ClubID: c.fixedB(4)}).Error
		}),
		refuse("create fans, one of B's club", func(c *trial, db *gorm.DB) error {
			return db.Create(&[]fan{{MemberID: c.fixed(4), ClubID: c.fixed(4)}, {MemberID: c.fixedB(4), ClubID: c.fixed(3)}}).Error
		}),
		refuse("upsert B's membership", func(c *trial, db *gorm.DB) error {
			return db.Clauses(clause.OnConflict{UpdateAll: true}).Create(&membership{MemberID: c.fixedB(1), ClubID: c.fixedB(1), Role: "x"}).Error
		}),
		refuse("move a membership to B's club", func(c *trial, db *gorm.DB) error {
			return db.Model(&membership{}).Where("member_id = ? AND club_id = ?", c.fixed(1), c.fixed(1)).Update("club_id", c.fixedB(3)).Error
		}),
		refuse("move a fan to B's club", func(c *trial, db *gorm.DB) error {
			return db.Model(&fan{}).Where("member_id = ?", c.fixed(1)).Update("club_id", c.fixedB(3)).Error
		}),
		check{name: "fans that cross", rule: rule, run: func(c *trial) {
			c.plant(func(raw *gorm.DB) error {
				return raw.Create(&[]fan{{c.fixed(4), c.fixedB(1), 1}, {c.fixedB(4), c.fixed(1), 1}}).Error
			})
			c.same(func(db *gorm.DB) any {
				var got []member
				return []any{db.Preload("Idols").Find(&got).Error, got, db.Model(named[member](db, "m4")).Association("Idols").Count()}
			})
			var n int64
			assert.NoError(c, c.a.Model(&fan{}).Count(&n).Error)
			if c.apart() && c.setting == "" { // there they point at nothing, which is no crossing
				assert.EqualValues(c, 4, n, c.rule)
			} else {
				assert.EqualValues(c, 2, n, c.rule)
			}
			assert.NoError(c, c.a.Model(&fan{}).Where("1 = 1").Update("since", 5).Error)
			assert.NoError(c, c.a.Where("1 = 1").Delete(&fan{}).Error)
		}},
		check{name: "no tenant", rule: "without a tenant no join row is read or written", run: func(c *trial) {
			c.noTenant(c.none.Find(&[]fan{}).Error)
			c.noTenant(c.none.Create(&fan{MemberID: c.fixed(4), ClubID: c.fixed(4)}).Error)
			c.noTenant(c.none.Where("1 = 1").Delete(&fan{}).Error)
			c.noTenant(c.none.Table("friendships").Where("1 = 1").Delete(nil).Error)
			c.unchanged()
		}},
	)
}
