package tenancytest

import (
	"github.com/stretchr/testify/assert"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// House, car and Photo are a polymorphic relation; Node is one to itself, as a has-many.
type (
	house struct {
		ID       uint
		TenantID string `gorm:"size:40" tenancy:"tenant"`
		Name     string
		Photos   []photo `gorm:"polymorphic:Owner"`
		Cover    *photo  `gorm:"polymorphicType:OwnerType;polymorphicId:OwnerID;polymorphicValue:cover"`
	}
	car struct {
		ID       uint
		TenantID string `gorm:"size:40" tenancy:"tenant"`
		Name     string
		Photos   []photo `gorm:"polymorphic:Owner;polymorphicValue:auto"`
	}
	photo struct {
		ID        uint
		TenantID  string `gorm:"size:40" tenancy:"tenant"`
		Name      string
		Mark      string
		OwnerID   uint
		OwnerType string
	}
	node struct {
		ID       uint
		TenantID string `gorm:"size:40" tenancy:"tenant"`
		Name     string
		Mark     string
		UpID     *uint
		Up       *node
		Down     []node `gorm:"foreignKey:UpID"`
	}
)

func polymorphic() *world {
	return &world{
		name: "polymorphic and self-referential", a: "acme", b: "globex",
		models: []any{&house{}, &car{}, &photo{}, &node{}},
		fill: func(raw *gorm.DB, who owner) error {
			id, n := string(who.id), who.from
			for _, rows := range []any{
				&[]house{{ID: n + 1, TenantID: id, Name: "h1"}, {ID: n + 2, TenantID: id, Name: "h2"}},
				&[]car{{ID: n + 1, TenantID: id, Name: "v1"}, {ID: n + 2, TenantID: id, Name: "v2"}},
				&[]photo{
					{n + 1, id, "f1", who.mark, n + 1, "houses"},
					{n + 2, id, "f2", who.mark, n + 1, "auto"},
					{n + 3, id, "f3", who.mark, n + 1, "cover"},
					{n + 4, id, "f4", who.mark, n + 2, "houses"},
				},
				&[]node{
					{ID: n + 1, TenantID: id, Name: "n1", Mark: who.mark},
					{ID: n + 2, TenantID: id, Name: "n2", Mark: who.mark, UpID: new(n + 1)},
					{ID: n + 3, TenantID: id, Name: "n3", Mark: who.mark, UpID: new(n + 2)},
				},
			} {
				if err := raw.Create(rows).Error; err != nil {
					return err
				}
			}
			return nil
		},
		groups: []group{{"own", polymorphicOwn()}, {"foreign", polymorphicForeign()}},
	}
}

func named[T any](db *gorm.DB, name string) *T {
	v := new(T)
	_ = db.Take(v, "name = ?", name).Error // a zero record fails the case
	return v
}

func polymorphicOwn() []check {
	const rule = "polymorphic and self-referential relations work as in plain GORM"
	return []check{
		reading("Preload", rule, func(_ *trial, db *gorm.DB) any {
			var houses []house
			var cars []car
			return []any{db.Preload("Photos").Preload("Cover").Find(&houses).Error, houses, db.Preload("Photos").Find(&cars).Error, cars}
		}),
		reading("Joins of a polymorphic has-one", rule, func(_ *trial, db *gorm.DB) any {
			var houses []house
			return []any{db.Joins("Cover").Find(&houses).Error, houses}
		}),
		reading("Create", rule, func(_ *trial, db *gorm.DB) any {
			return []any{
				db.Create(&house{Name: "new", Photos: []photo{{Name: "x"}}, Cover: &photo{Name: "y"}}).Error,
				db.Create(&car{Name: "new", Photos: []photo{{Name: "x"}}}).Error,
			}
		}),
		reading("Append, Replace, Clear", rule, func(_ *trial, db *gorm.DB) any {
			return []any{
				db.Model(named[house](db, "h1")).Association("Photos").Append(&photo{Name: "x"}),
				db.Model(named[car](db, "v2")).Association("Photos").Append(named[photo](db, "f4")),
				db.Model(named[house](db, "h1")).Association("Photos").Replace(&photo{Name: "y"}),
				db.Model(named[car](db, "v1")).Association("Photos").Clear(),
			}
		}),
		reading("a photo by its columns", rule, func(c *trial, db *gorm.DB) any {
			return []any{
				db.Create(&photo{Name: "x", OwnerID: c.fixed(2), OwnerType: "houses"}).Error,
				db.Model(&photo{}).Where("name = ?", "f1").Updates(map[string]any{"owner_id": c.fixed(2), "owner_type": "auto"}).Error,
			}
		}),
		reading("joins of gorm.G", rule, treeJoins),
		reading("trees", rule, func(_ *trial, db *gorm.DB) any {
			var got []node
			return []any{
				db.Preload("Down.Down").Joins("Up").Find(&got).Error, got,
				db.Create(&node{Name: "new", Down: []node{{Name: "d1", Down: []node{{Name: "d2"}}}}, Up: &node{Name: "u"}}).Error,
			}
		}),
	}
}

// treeJoins are the kinds of joins that gorm.G has.
func treeJoins(_ *trial, db *gorm.DB) any {
	ctx := db.Statement.Context
	var out []any
	for i, join := range []clause.JoinTarget{
		clause.Has("Up"), clause.LeftJoin.Association("Up"), clause.InnerJoin.Association("Up"), clause.LeftJoin.Association("Up").As("u"),
		clause.LeftJoin.AssociationFrom("Up", gorm.G[node](db).Where("name <> ?", "x")).As("v"),
	} {
		if i < 4 { // GORM writes no ON for the last one
			got, err := gorm.G[node](db).Joins(join, nil).Find(ctx)
			out = append(out, got, err)
		}
		on, err := gorm.G[node](db).Joins(join, func(db gorm.JoinBuilder, joined, current clause.Table) error {
			db.Where("? = ? OR 1 = 1", clause.Column{Table: joined.Name, Name: "id"}, clause.Column{Table: current.Name, Name: "up_id"})
			return nil
		}).Where(clause.Neq{Column: clause.Column{Table: clause.CurrentTable, Name: "name"}, Value: "x"}).Find(ctx)
		out = append(out, on, err)
	}
	return out
}

func polymorphicForeign() []check {
	const rule = "a polymorphic key points at rows of the tenant, whatever type it names"
	refuse := func(name string, do func(c *trial, db *gorm.DB) error) check {
		return check{name: name, rule: rule, run: func(c *trial) {
			c.foreign(func(db *gorm.DB) error { return do(c, db) }, c.undone)
		}}
	}
	return []check{
		refuse("create for B's house", func(c *trial, db *gorm.DB) error {
			return db.Create(&photo{Name: "x", OwnerID: c.fixedB(1), OwnerType: "houses"}).Error
		}),
		refuse("create for B's car", func(c *trial, db *gorm.DB) error {
			return db.Create(&photo{Name: "x", OwnerID: c.fixedB(1), OwnerType: "auto"}).Error
		}),
		refuse("create a list, for B's car", func(c *trial, db *gorm.DB) error {
			return db.Create(&[]photo{{Name: "x", OwnerID: c.fixed(1), OwnerType: "houses"}, {Name: "y", OwnerID: c.fixedB(1), OwnerType: "auto"}}).Error
		}),
		refuse("move to B's house, the key alone", func(c *trial, db *gorm.DB) error {
			return db.Model(&photo{}).Where("name = ?", "f1").Update("owner_id", c.fixedB(1)).Error
		}),
		refuse("move to B's car, key and type", func(c *trial, db *gorm.DB) error {
			return db.Model(&photo{}).Where("name = ?", "f1").Updates(map[string]any{"owner_id": c.fixedB(1), "owner_type": "auto"}).Error
		}),
		refuse("append B's photo", func(c *trial, db *gorm.DB) error {
			return db.Model(named[house](db, "h1")).Association("Photos").Append(&photo{ID: c.fixedB(1), Name: "x"})
		}),
		refuse("append to B's house", func(c *trial, db *gorm.DB) error {
			return db.Model(&house{ID: c.fixedB(1)}).Association("Photos").Append(&photo{Name: "x"})
		}),
		refuse("create a node below B's", func(c *trial, db *gorm.DB) error {
			return db.Create(&node{Name: "x", UpID: new(c.fixedB(1))}).Error
		}),
		refuse("create a node above B's", func(c *trial, db *gorm.DB) error {
			return db.Create(&node{Name: "x", Down: []node{{ID: c.fixedB(2), Name: "x"}}}).Error
		}),
		refuse("move a node below B's", func(c *trial, db *gorm.DB) error {
			return db.Model(named[node](db, "n2")).Update("up_id", c.fixedB(1)).Error
		}),
		{name: "keys that cross", rule: rule, run: func(c *trial) {
			c.plant(func(raw *gorm.DB) error {
				if err := raw.Model(&photo{}).Where("id = ?", c.fixed(4)).Update("owner_id", c.fixedB(1)).Error; err != nil {
					return err
				}
				if err := raw.Model(&photo{}).Where("id IN ?", []uint{c.fixedB(1), c.fixedB(3)}).Update("owner_id", c.fixed(2)).Error; err != nil {
					return err
				}
				return raw.Model(&node{}).Where("id IN ?", []uint{c.fixed(3), c.fixedB(3)}).Update("up_id", gorm.Expr("CASE WHEN up_id < ? THEN up_id + ? ELSE up_id - ? END", fromB, fromB-fromA, fromB-fromA)).Error
			})
			c.same(func(db *gorm.DB) any {
				var houses, joined []house
				var nodes, up []node
				return []any{
					db.Preload("Photos").Preload("Cover").Find(&houses).Error, houses, db.Joins("Cover").Find(&joined).Error, joined,
					treeJoins(c, db),
					db.Preload("Down").Preload("Up").Find(&nodes).Error, nodes, db.Joins("Up").Find(&up).Error, up,
				}
			})
		}},
		{name: "no tenant", rule: "without a tenant no statement runs", run: func(c *trial) {
			c.noTenant(c.none.Preload("Photos").Find(&[]house{}).Error)
			assert.Error(c, c.none.Model(&house{ID: c.fixed(1)}).Association("Photos").Clear())
			c.unchanged()
		}},
	}
}
