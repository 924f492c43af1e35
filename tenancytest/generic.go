package tenancytest

import (
	"github.com/stretchr/testify/assert"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/gormtenancy/tenancy"
)

// generic is the world of GORM's generic API, whose context comes with each call.
func generic() *world {
	w := linked()
	w.name = "gorm.G"
	w.groups = []group{{"own", genericOwn()}, {"foreign", genericForeign()}}
	return w
}

func genericOwn() []check {
	const rule = "gorm.G gives what it gives in plain GORM"
	return []check{
		reading("Find", rule, func(c *trial, db *gorm.DB) any {
			got, err := gorm.G[member](db).Where("name = ? OR 1 = 1", "m1").Order("name").Find(db.Statement.Context)
			return []any{got, err}
		}),
		reading("First, Take, Last", rule, func(_ *trial, db *gorm.DB) any {
			ctx := db.Statement.Context
			first, err1 := gorm.G[member](db).First(ctx)
			take, err2 := gorm.G[member](db).Where("name = ?", "m2").Take(ctx)
			last, err3 := gorm.G[member](db).Last(ctx)
			_, err4 := gorm.G[member](db).Where("name = ?", "nobody").First(ctx)
			return []any{first, err1, take, err2, last, err3, err4}
		}),
		reading("B's primary key", rule, func(c *trial, db *gorm.DB) any {
			_, err := gorm.G[member](db).Where("id = ?", c.fixedB(1)).First(db.Statement.Context)
			return err
		}),
		reading("Count, Scan, Row", rule, func(_ *trial, db *gorm.DB) any {
			ctx := db.Statement.Context
			n, err := gorm.G[member](db).Count(ctx, "*")
			var names []nameOnly
			err2 := gorm.G[member](db).Select("name, mark").Scan(ctx, &names)
			var mark string
			err3 := gorm.G[member](db).Where("name = ?", "m1").Select("mark").Row(ctx).Scan(&mark)
			return []any{n, err, names, err2, mark, err3}
		}),
		reading("FindInBatches", rule, func(_ *trial, db *gorm.DB) any {
			var names []string
			err := gorm.G[member](db).FindInBatches(db.Statement.Context, 2, func(data []member, _ int) error {
				for _, m := range data {
					names = append(names, m.Name+m.Mark)
				}
				return nil
			})
			return []any{names, err}
		}),
		reading("Create", rule, func(_ *trial, db *gorm.DB) any {
			m, batch := member{Name: "new"}, []member{{Name: "n1"}, {Name: "n2"}, {Name: "n3"}}
			return []any{gorm.G[member](db).Create(db.Statement.Context, &m), m, gorm.G[member](db).CreateInBatches(db.Statement.Context, &batch, 2)}
		}),
		reading("Update and Updates", rule, func(_ *trial, db *gorm.DB) any {
			ctx := db.Statement.Context
			n, err := gorm.G[member](db).Where("name = ?", "m1").Update(ctx, "mark", "x")
			n2, err2 := gorm.G[member](db).Where("1 = 1").Updates(ctx, member{Mark: "y"})
			return []any{n, err, n2, err2}
		}),
		reading("Delete", rule, func(_ *trial, db *gorm.DB) any {
			n, err := gorm.G[club](db).Where("name = ?", "k4").Delete(db.Statement.Context)
			n2, err2 := gorm.G[club](db).Delete(db.Statement.Context)
			return []any{n, err, n2, err2}
		}),
		reading("Set", rule, func(_ *trial, db *gorm.DB) any {
			n, err := gorm.G[member](db).Where("name = ?", "m1").Set(clause.Assignment{Column: clause.Column{Name: "mark"}, Value: "x"}).Update(db.Statement.Context)
			return []any{n, err}
		}),
		reading("Preload", rule, func(_ *trial, db *gorm.DB) any {
			got, err := gorm.G[member](db).Preload("Clubs", func(pb gorm.PreloadBuilder) error { pb.Where("name <> ?", "x"); return nil }).Find(db.Statement.Context)
			return []any{got, err}
		}),
		reading("Preload with LimitPerRecord", rule, func(_ *trial, db *gorm.DB) any {
			got, err := gorm.G[member](db).Preload("Clubs", func(pb gorm.PreloadBuilder) error { pb.Order("name").LimitPerRecord(1); return nil }).Find(db.Statement.Context)
			return []any{got, err}
		}),
		reading("a subquery of gorm.G", rule, func(_ *trial, db *gorm.DB) any {
			got, err := gorm.G[member](db).Where("id IN (?)", gorm.G[membership](db).Select("member_id").Where("role = ?", "coach")).Find(db.Statement.Context)
			return []any{got, err}
		}),
		reading("OnConflict", rule, func(c *trial, db *gorm.DB) any {
			m := member{ID: c.fixed(1), Name: "m1", Mark: "x"}
			return gorm.G[member](db, clause.OnConflict{UpdateAll: true}).Create(db.Statement.Context, &m)
		}),
		{name: "the context of the call", rule: "gorm.G runs for the tenant of the context it is given", run: func(c *trial) {
			got, err := gorm.G[member](c.a).Where("name = ?", "m1").Take(c.asB(c.Context()))
			assert.NoError(c, err)
			assert.Equal(c, markB, got.Mark, c.rule)
			_, err = gorm.G[member](c.a).Find(c.Context())
			c.noTenant(err)
		}},
	}
}

func genericForeign() []check {
	const rule = "gorm.G changes no other tenant's rows"
	return []check{
		{name: "association operations", rule: rule, run: func(c *trial) {
			ctx := c.asA(c.Context())
			// GORM itself drops the owner's conditions in some of these; whatever they do, they do it to A's rows.
			for _, op := range []clause.Association{
				{Association: "Idols", Type: clause.OpUnlink},
				{Association: "Idols", Type: clause.OpDelete},
				{Association: "Idols", Type: clause.OpUpdate, Set: []clause.Assignment{{Column: clause.Column{Name: "mark"}, Value: "PWN"}}},
				{Association: "Friends", Type: clause.OpUnlink},
				{Association: "Clubs", Type: clause.OpUnlink},
				{Association: "Clubs", Type: clause.OpUpdate, Set: []clause.Assignment{{Column: clause.Column{Name: "mark"}, Value: "PWN"}}},
				{Association: "Clubs", Type: clause.OpCreate, Values: []any{club{Name: "new"}}},
			} {
				_, _ = gorm.G[member](c.a).Where("name = ?", "m1").Set(op).Update(ctx) // B's rows are looked at
				_, _ = gorm.G[member](c.a).Where("id = ?", c.fixedB(1)).Set(op).Update(ctx)
			}
		}},
		{name: "association operations with B's rows", rule: rule, run: func(c *trial) {
			_, err := gorm.G[member](c.a).Where("name = ?", "m1").
				Set(clause.Association{Association: "Clubs", Type: clause.OpCreate, Values: []any{club{ID: c.fixedB(1), Name: "stolen"}}}).Update(c.asA(c.Context()))
			c.refused(err, tenancy.ErrTenantMismatch)
		}},
		{name: "Create with B", rule: rule, run: func(c *trial) {
			c.refused(gorm.G[member](c.a).Create(c.asA(c.Context()), &member{Name: "x", TenantID: "globex"}), tenancy.ErrTenantMismatch)
			_, err := gorm.G[member](c.a).Where("1 = 1").Update(c.asA(c.Context()), "tenant_id", "globex")
			c.refused(err, tenancy.ErrTenantMismatch)
			c.unchanged()
		}},
		{name: "Raw and Exec", rule: "raw SQL that touches tables is confined, or refused", run: func(c *trial) {
			c.unread(true, func(db *gorm.DB) (any, error) {
				rows, err := gorm.G[member](db).Raw("SELECT * FROM members").Find(c.asA(c.Context()))
				return &rows, err
			})
			c.unread(true, func(db *gorm.DB) (any, error) {
				return nil, gorm.G[member](db).Exec(c.asA(c.Context()), "DELETE FROM members")
			})
		}},
	}
}
