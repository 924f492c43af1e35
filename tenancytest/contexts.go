package tenancytest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/stretchr/testify/assert"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
)

// contexts are tenants inside tenants, escapes, and records that outlive the context they were loaded in.
func contexts() []check {
	mark := func(c *trial, ctx context.Context) string {
		p := c.noParent()
		if err := c.in(ctx).Take(p, "name = ?", "p1").Error; err != nil {
			return err.Error()
		}
		return fmt.Sprint(field(p, "Mark"))
	}
	return []check{
		{name: "A, then B, then A", rule: "the innermost tenant counts, and the outer one is not changed by it", run: func(c *trial) {
			a := c.asA(c.Context())
			b := c.asB(a)
			assert.Equal(c, []string{markA, markB, markA, markA}, []string{mark(c, a), mark(c, b), mark(c, c.asA(b)), mark(c, a)}, c.rule)
		}},
		{name: "a panic in the inner tenant", rule: "the outer context is what it was", run: func(c *trial) {
			a := c.asA(c.Context())
			func() {
				defer func() { _ = recover() }()
				_ = c.in(c.asB(a)).Transaction(func(*gorm.DB) error { panic("boom") })
			}()
			assert.Equal(c, markA, mark(c, a), c.rule)
		}},
		{name: "a goroutine that goes on", rule: "a tenant lives in its context and nowhere else", run: func(c *trial) {
			var wg sync.WaitGroup
			got := make([]string, 8)
			for i := range got {
				wg.Go(func() {
					if i%2 == 0 {
						got[i] = mark(c, c.asA(c.Context()))
					} else {
						got[i] = mark(c, c.asB(c.Context()))
					}
				})
			}
			wg.Wait()
			for i, m := range got {
				assert.Equal(c, []string{markA, markB}[i%2], m, c.rule)
			}
		}},
		{name: "WithoutTenant reads all", rule: "an escape with a reason sees all tenants", run: func(c *trial) {
			var n int64
			all := c.in(c.asAll(c.asA(c.Context()), "a count over all tenants"))
			assert.NoError(c, all.Unscoped().Model(c.noParent()).Count(&n).Error)
			assert.EqualValues(c, c.count(4), n, c.rule)
			assert.NoError(c, all.Raw("SELECT count(*) FROM "+c.quotedTable(c.noParent())).Scan(&n).Error, "raw SQL is allowed in it")
			assert.EqualValues(c, c.count(4), n, c.rule)
		}},
		{name: "WithTenant inside WithoutTenant", rule: "the innermost word counts", run: func(c *trial) {
			var n int64
			assert.NoError(c, c.in(c.asA(c.asAll(c.Context(), "all"))).Unscoped().Model(c.noParent()).Count(&n).Error)
			assert.EqualValues(c, 4, n, c.rule)
		}},
		{name: "WithoutTenant, a row without its tenant", rule: "a row that is created without a tenant in the context must carry its tenant", run: func(c *trial) {
			all := c.in(c.asAll(c.Context(), "an import"))
			assert.ErrorIs(c, all.Create(c.parent(fields{"Name": "new"})).Error, tenancy.ErrNoTenant, c.rule)
			assert.ErrorIs(c, all.Create(c.parents(c.parent(fields{"Name": "n1", "TenantID": c.world.a}), c.parent(fields{"Name": "n2"}))).Error, tenancy.ErrNoTenant, c.rule)
			assert.ErrorIs(c, all.Model(c.noTag()).Create(c.rowOf("new")).Error, tenancy.ErrNoTenant, c.rule)
			c.unchanged()
			assert.NoError(c, all.Create(c.parent(fields{"Name": "new", "TenantID": c.world.a})).Error)
			var n int64
			assert.NoError(c, c.a.Unscoped().Model(c.noParent()).Count(&n).Error)
			assert.EqualValues(c, 5, n, "it is A's: %s", c.rule)
		}},
		{name: "the end of WithoutTenant", rule: "an escape ends with its context", run: func(c *trial) {
			outer := c.asA(c.Context())
			_ = tenancy.WithoutTenant(outer, "unused")
			assert.Equal(c, markA, mark(c, outer), c.rule)
			assert.ErrorIs(c, c.in(c.Context()).Find(c.parents()).Error, tenancy.ErrNoTenant, c.rule)
		}},
		{name: "FromContext", rule: "FromContext tells the innermost tenant", run: func(c *trial) {
			id, ok := tenancy.FromContext(c.asB(c.asA(c.Context())))
			assert.True(c, ok)
			assert.Equal(c, c.world.b, id)
			_, ok = tenancy.FromContext(tenancy.WithoutTenant(c.asA(c.Context()), "x"))
			assert.False(c, ok, "there is none under WithoutTenant")
			_, ok = tenancy.FromContext(c.Context())
			assert.False(c, ok)
		}},
		{name: "a cancelled context", rule: "a cancelled statement leaves nothing to the next", run: func(c *trial) {
			ctx, cancel := context.WithCancel(c.asA(c.Context()))
			cancel()
			for range 3 {
				assert.ErrorIs(c, c.in(ctx).Find(c.parents()).Error, context.Canceled)
				assert.ErrorIs(c, c.in(ctx).Create(c.parent(fields{"Name": "new"})).Error, context.Canceled)
			}
			assert.Equal(c, []string{markB, markA}, []string{mark(c, c.asB(c.Context())), mark(c, c.asA(c.Context()))}, c.rule)
			c.unchanged()
		}},
		{name: "a record of A in B's context", rule: "a record is refused in another tenant's context", run: func(c *trial) {
			p := c.load(c.a, 1)
			for _, err := range []error{
				c.b.Model(p).Update("score", 1).Error, c.b.Delete(p).Error, c.b.Save(p).Error,
				c.b.Model(p).Association("Tags").Append(c.tag(fields{"Name": "new"})),
			} {
				assert.ErrorIs(c, err, tenancy.ErrTenantMismatch, c.rule)
			}
			c.unchanged()
		}},
		{name: "AutoMigrate and the migrator, without a tenant and with one", rule: "schema changes need no tenant", run: func(c *trial) {
			for _, here := range c.all {
				db := c.in(here.context(c.Context()))
				if len(here.owners) == 0 {
					assert.False(c, db.Migrator().HasTable(c.noParent()), "a table of tenants in a place that is none's: %s", c.rule)
					assert.NoError(c, db.AutoMigrate(c.world.global...), c.rule)
					continue
				}
				assert.NoError(c, db.AutoMigrate(c.world.models...), c.rule)
				assert.True(c, db.Migrator().HasTable(c.noParent()), c.rule)
				assert.True(c, db.Migrator().HasColumn(c.noParent(), "name"), c.rule)
				columns, err := db.Migrator().ColumnTypes(c.noParent())
				assert.NoError(c, err, c.rule)
				assert.NotEmpty(c, columns)
			}
			assert.NoError(c, c.a.AutoMigrate(c.world.models...), c.rule)
		}},
		{name: "global tables without a tenant", rule: "a table of no tenant needs none", run: func(c *trial) {
			var n int64
			assert.NoError(c, c.none.Model(&country{}).Count(&n).Error, c.rule)
			assert.EqualValues(c, 2, n)
			write := func(db, as *gorm.DB) error {
				return errors.Join(
					db.Create(&country{Name: "new"}).Error, as.Model(&country{}).Where("name = ?", "new").Update("name", "newer").Error,
					as.Where("name = ?", "newer").Delete(&country{}).Error,
				)
			}
			if c.copied {
				assert.ErrorIs(c, write(c.none, c.none), tenancy.ErrCrossShard, "one of its copies is not changed alone")
				assert.ErrorIs(c, write(c.a, c.a), tenancy.ErrCrossShard, "one of its copies is not changed alone")
				for _, here := range c.all {
					if here.global {
						each := c.in(tenancy.WithPlacement(tenancy.WithoutTenant(c.Context(), "what all tenants read"), here.at))
						assert.NoError(c, write(each, each), c.rule)
					}
				}
			} else {
				assert.NoError(c, write(c.none, c.a), c.rule)
			}
			assert.ErrorIs(c, c.none.Joins("Country").Find(c.parents()).Error, tenancy.ErrNoTenant, "a tenant's table joined to it needs one")
		}},
		{name: "an unlisted table", rule: "a table that nothing is known of is refused", run: func(c *trial) {
			c.refused(c.a.Table("never_heard_of").Find(&[]map[string]any{}).Error, tenancy.ErrUnknownTable)
			assert.ErrorIs(c, c.none.Table("never_heard_of").Find(&[]map[string]any{}).Error, tenancy.ErrUnknownTable)
			c.refused(c.a.Find(&[]nameOnly{}).Error, tenancy.ErrUnknownTable)
			c.refused(c.a.Create(&nameOnly{}).Error, tenancy.ErrUnknownTable)
		}},
	}
}
