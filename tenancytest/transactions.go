package tenancytest

import (
	"context"
	"database/sql"
	"errors"

	"github.com/stretchr/testify/assert"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
)

var errStop = errors.New("stop")

// transactions are explicit, nested and manual ones.
func transactions() []check {
	const rule = "transactions work as in plain GORM"
	newTag := func(c *trial, tx *gorm.DB, name string) error { return tx.Create(c.tag(fields{"Name": name})).Error }
	return []check{
		reading("commit", rule, func(c *trial, db *gorm.DB) any {
			return db.Transaction(func(tx *gorm.DB) error { return errors.Join(newTag(c, tx, "n1"), newTag(c, tx, "n2")) })
		}),
		reading("rollback", rule, func(c *trial, db *gorm.DB) any {
			return db.Transaction(func(tx *gorm.DB) error { return errors.Join(newTag(c, tx, "n1"), errStop) })
		}),
		reading("a panic", rule, func(c *trial, db *gorm.DB) (out any) {
			defer func() { out = recover() }()
			return db.Transaction(func(tx *gorm.DB) error { _ = newTag(c, tx, "n1"); panic("boom") })
		}),
		reading("nested, inner rollback", rule, func(c *trial, db *gorm.DB) any {
			return db.Transaction(func(tx *gorm.DB) error {
				err := newTag(c, tx, "outer")
				inner := tx.Transaction(func(tx *gorm.DB) error { return errors.Join(newTag(c, tx, "inner"), errStop) })
				if !errors.Is(inner, errStop) {
					return inner
				}
				return errors.Join(err, newTag(c, tx, "after"))
			})
		}),
		reading("nested as the first thing, inner rollback", rule, func(c *trial, db *gorm.DB) any {
			return db.Transaction(func(tx *gorm.DB) error {
				inner := tx.Transaction(func(tx *gorm.DB) error { return errors.Join(newTag(c, tx, "inner"), errStop) })
				if !errors.Is(inner, errStop) {
					return inner
				}
				return newTag(c, tx, "after")
			})
		}),
		reading("three levels", rule, func(c *trial, db *gorm.DB) any {
			return db.Transaction(func(tx *gorm.DB) error {
				return tx.Transaction(func(tx *gorm.DB) error {
					_ = tx.Transaction(func(tx *gorm.DB) error { return errors.Join(newTag(c, tx, "n3"), errStop) })
					return newTag(c, tx, "n2")
				})
			})
		}),
		reading("DisableNestedTransaction", rule, func(c *trial, db *gorm.DB) any {
			return db.Session(&gorm.Session{DisableNestedTransaction: true}).Transaction(func(tx *gorm.DB) error {
				_ = tx.Transaction(func(tx *gorm.DB) error { return errors.Join(newTag(c, tx, "n1"), errStop) })
				return nil
			})
		}),
		reading("by hand, with a savepoint", rule, func(c *trial, db *gorm.DB) any {
			tx := db.Begin()
			errs := []error{tx.Error, newTag(c, tx, "n1"), tx.SavePoint("sp").Error, newTag(c, tx, "n2"), tx.RollbackTo("sp").Error, newTag(c, tx, "n3"), tx.Commit().Error}
			return errors.Join(errs...)
		}),
		reading("by hand, a savepoint first", rule, func(c *trial, db *gorm.DB) any {
			tx := db.Begin()
			errs := []error{tx.Error, tx.SavePoint("sp").Error, newTag(c, tx, "n2"), tx.RollbackTo("sp").Error, newTag(c, tx, "n3"), tx.Commit().Error}
			return errors.Join(errs...)
		}),
		reading("by hand, rolled back", rule, func(c *trial, db *gorm.DB) any {
			tx := db.Begin()
			return errors.Join(newTag(c, tx, "n1"), tx.Rollback().Error)
		}),
		reading("nothing in it", rule, func(_ *trial, db *gorm.DB) any {
			tx := db.Begin()
			return []any{tx.Error, tx.Commit().Error, db.Begin().Rollback().Error, db.Transaction(func(*gorm.DB) error { return nil })}
		}),
		reading("used after its end", rule, func(c *trial, db *gorm.DB) any {
			tx := db.Begin()
			return []any{newTag(c, tx, "n1"), tx.Commit().Error, errors.Is(tx.Commit().Error, sql.ErrTxDone), newTag(c, tx, "n2") != nil}
		}),
		reading("read your own writes", rule, func(c *trial, db *gorm.DB) any {
			var n int64
			err := db.Transaction(func(tx *gorm.DB) error {
				return errors.Join(newTag(c, tx, "n1"), tx.Model(c.noTag()).Count(&n).Error, errStop)
			})
			return []any{err, n}
		}),
		reading("PrepareStmt in it", rule, func(c *trial, db *gorm.DB) any {
			return db.Session(&gorm.Session{PrepareStmt: true}).Transaction(func(tx *gorm.DB) error {
				inner := tx.Transaction(func(tx *gorm.DB) error { return errors.Join(newTag(c, tx, "n1"), errStop) })
				if !errors.Is(inner, errStop) {
					return inner
				}
				return newTag(c, tx, "n2")
			})
		}),
		reading("read-only", rule, func(c *trial, db *gorm.DB) any {
			got := c.parents()
			err := db.Transaction(func(tx *gorm.DB) error { return tx.Find(got).Error }, &sql.TxOptions{ReadOnly: true})
			return []any{err, got}
		}),
		reading("a failed create with associations", "a default transaction undoes all of a call", func(c *trial, db *gorm.DB) any {
			if c.plugin.SkipDefaultTransaction {
				return nil
			}
			p := c.parent(fields{"Name": "new", "Tags": []any{c.tag(fields{"Name": "red"})}, "Children": []any{c.child(fields{"Name": "c1"})}})
			return db.Create(p).Error != nil
		}),
		{name: "another tenant's context in it", rule: "a transaction belongs to one tenant", run: func(c *trial) {
			err := c.a.Transaction(func(tx *gorm.DB) error {
				if err := tx.Create(c.tag(fields{"Name": "n1"})).Error; err != nil {
					return err
				}
				return tx.WithContext(c.asB(c.Context())).Create(c.tag(fields{"Name": "n2"})).Error
			})
			assert.ErrorIs(c, err, tenancy.ErrTenantMismatch, c.rule)
			err = c.a.Transaction(func(tx *gorm.DB) error { return tx.WithContext(c.asB(c.Context())).Find(c.parents()).Error })
			assert.ErrorIs(c, err, tenancy.ErrTenantMismatch, "before its first statement too: %s", c.rule)
			c.unchanged()
		}},
		{name: "a transaction without a tenant, then A, then B", rule: "a transaction belongs to the tenant of its first statement", run: func(c *trial) {
			err := c.none.Transaction(func(tx *gorm.DB) error {
				if err := tx.WithContext(c.asA(c.Context())).Find(c.parents()).Error; err != nil {
					return err
				}
				return tx.WithContext(c.asB(c.Context())).Find(c.parents()).Error
			})
			assert.ErrorIs(c, err, tenancy.ErrTenantMismatch, c.rule)
		}},
		{name: "a global table, then A, and A again after a savepoint", rule: "a transaction becomes a tenant's with the tenant's first statement, and stays so", run: func(c *trial) {
			find := func(db *gorm.DB) (n int64, err error) {
				err = db.WithContext(c.asA(c.Context())).Model(c.noParent()).Count(&n).Error
				return n, err
			}
			want, err := find(c.a)
			assert.NoError(c, err)
			err = c.none.Transaction(func(tx *gorm.DB) error {
				if err := errors.Join(tx.Find(&[]country{}).Error, tx.SavePoint("sp").Error); err != nil {
					return err
				}
				for range 2 {
					n, err := find(tx)
					if err := errors.Join(err, tx.RollbackTo("sp").Error); err != nil {
						return err
					}
					assert.Equal(c, want, n, c.rule)
				}
				return nil
			})
			if c.where[c.world.a].Shard != "" {
				assert.ErrorIs(c, err, tenancy.ErrCrossShard, "it has begun on another database")
				return
			}
			assert.NoError(c, err, c.rule)
		}},
		{name: "PrepareStmt in transactions of two tenants", rule: "a cached statement holds no tenant, and no tenant's database", run: func(c *trial) {
			for range 2 {
				for mark, db := range map[string]*gorm.DB{markB: c.b, markA: c.a} {
					p := c.noParent()
					assert.NoError(c, db.Session(&gorm.Session{PrepareStmt: true}).Transaction(func(tx *gorm.DB) error {
						return tx.Take(p, "name = ?", "p1").Error
					}), c.rule)
					assert.Equal(c, mark, field(p, "Mark"), c.rule)
				}
			}
		}},
		{name: "connections", rule: "statements, refusals and errors give their connections back", run: func(c *trial) {
			pool, err := tenancy.DB(c.a)
			if !assert.NoError(c, err) {
				return
			}
			before := pool.Stats().InUse
			for range 20 {
				_ = c.a.Transaction(func(tx *gorm.DB) error {
					return errors.Join(newTag(c, tx, "n1"), tx.WithContext(c.asB(c.Context())).Find(c.parents()).Error)
				})
				_ = c.none.Transaction(func(tx *gorm.DB) error { return tx.Find(c.parents()).Error })
				_ = c.a.Create(c.parent(fields{"Name": "p1"})).Error
				_ = c.a.Session(&gorm.Session{PrepareStmt: true}).Create(c.parent(fields{"Name": "p1"})).Error
				_ = c.a.Save(c.parent(fields{"ID": c.idB(1), "Name": "p1"})).Error
				_ = c.a.Model(c.noParent()).Select("nonsense").Find(&[]nameOnly{}).Error
				_ = c.none.Model(c.noParent()).Select("name").Row().Scan(new(string))
			}
			assert.Equal(c, before, pool.Stats().InUse, c.rule)
		}},
		{name: "a context that ends in it", rule: "a transaction whose context ends is rolled back", run: func(c *trial) {
			ctx, cancel := context.WithCancel(c.asA(c.Context()))
			err := c.in(ctx).Transaction(func(tx *gorm.DB) error {
				if err := newTag(c, tx, "n1"); err != nil {
					return err
				}
				cancel()
				return nil
			})
			assert.Error(c, err, c.rule)
			c.unchanged()
		}},
		{name: "Connection", rule: "a reserved connection bypasses nothing", run: func(c *trial) {
			got := c.parents()
			err := c.a.Connection(func(tx *gorm.DB) error {
				if err := tx.Find(got).Error; err != nil {
					return err
				}
				err := tx.Exec("DELETE FROM " + c.quotedTable(c.noChild())).Error // B's rows are looked at
				if !c.proven && !errors.Is(err, tenancy.ErrUnconfinedSQL) {
					return errors.Join(errStop, err)
				}
				return nil
			})
			if err != nil {
				assert.NotErrorIs(c, err, errStop, c.rule)
				return
			}
			for _, p := range pointers(got) {
				assert.Equal(c, markA, field(p, "Mark"), c.rule)
			}
			if !c.proven {
				c.unchanged()
			}
		}},
	}
}
