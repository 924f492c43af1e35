package tenancytest

import (
	"github.com/stretchr/testify/assert"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
)

// texts are SQL that the application writes whole: without an analyzer it is refused, whatever it says.
func texts() []check {
	const rule = "raw SQL that touches tables is refused"
	refuse := func(name string, do func(c *trial, db *gorm.DB) error) check {
		return check{name: name, rule: rule, run: func(c *trial) {
			c.refused(do(c, c.a), tenancy.ErrUnconfinedSQL)
			c.unchanged()
		}}
	}
	parents := func(c *trial) string { return c.quotedTable(c.noParent()) }
	return []check{
		refuse("Raw into a struct", func(c *trial, db *gorm.DB) error {
			return db.Raw("SELECT name, mark FROM " + parents(c)).Scan(&[]nameOnly{}).Error
		}),
		refuse("Raw into a model", func(c *trial, db *gorm.DB) error {
			return db.Raw("SELECT * FROM " + parents(c)).Find(c.parents()).Error
		}),
		refuse("Raw and First", func(c *trial, db *gorm.DB) error {
			return db.Raw("SELECT * FROM " + parents(c)).First(c.noParent()).Error
		}),
		refuse("Raw with the tenant in it", func(c *trial, db *gorm.DB) error {
			return db.Raw("SELECT * FROM "+parents(c)+" WHERE "+c.quotedTenant(c.noParent())+" = ? OR 1 = 1", string(c.world.a)).Find(c.parents()).Error
		}),
		refuse("Raw and Row", func(c *trial, db *gorm.DB) error {
			var mark string
			return db.Raw("SELECT max(mark) FROM " + parents(c)).Row().Scan(&mark)
		}),
		refuse("Raw and Rows", func(c *trial, db *gorm.DB) error {
			return closeRows(db.Raw("SELECT name FROM " + parents(c)))
		}),
		refuse("Raw with a model's context", func(c *trial, db *gorm.DB) error {
			return db.Model(c.noParent()).Raw("SELECT * FROM " + parents(c)).Find(c.parents()).Error
		}),
		refuse("Raw of a common table expression", func(c *trial, db *gorm.DB) error {
			return db.Raw("WITH x AS (SELECT * FROM " + parents(c) + ") SELECT * FROM x").Find(c.parents()).Error
		}),
		refuse("Exec of an update", func(c *trial, db *gorm.DB) error { return db.Exec("UPDATE " + parents(c) + " SET score = 0").Error }),
		refuse("Exec of a delete", func(c *trial, db *gorm.DB) error { return db.Exec("DELETE FROM " + parents(c)).Error }),
		refuse("Exec of an insert", func(c *trial, db *gorm.DB) error {
			return db.Exec("INSERT INTO "+c.quotedTable(c.noTag())+" (name, "+c.quotedTenant(c.noTag())+") VALUES (?, ?)", "new", string(c.world.b)).Error
		}),
		refuse("Exec in a transaction", func(c *trial, db *gorm.DB) error {
			return db.Transaction(func(tx *gorm.DB) error { return tx.Exec("DELETE FROM " + parents(c)).Error })
		}),
		refuse("Exec of two statements", func(c *trial, db *gorm.DB) error {
			return db.Exec("SAVEPOINT x; DELETE FROM " + parents(c)).Error
		}),
		refuse("Exec that begins with a savepoint's words", func(c *trial, db *gorm.DB) error {
			return db.Exec("RELEASE x\n; DELETE FROM " + parents(c)).Error
		}),
		refuse("the pool of a statement", func(c *trial, db *gorm.DB) error {
			_, err := db.Model(c.noParent()).Statement.ConnPool.ExecContext(db.Statement.Context, "DELETE FROM "+parents(c))
			return tenantOf(c, err)
		}),
		refuse("the pool of a transaction", func(c *trial, db *gorm.DB) error {
			return db.Transaction(func(tx *gorm.DB) error {
				_, err := tx.Statement.ConnPool.ExecContext(tx.Statement.Context, "DELETE FROM "+parents(c))
				return tenantOf(c, err)
			})
		}),
		{name: "ToSQL", rule: "ToSQL shows the statement with the tenant in it", run: func(c *trial) {
			text := c.a.ToSQL(func(tx *gorm.DB) *gorm.DB { return tx.Where("score > ?", 10).Find(c.parents()) })
			assert.Contains(c, text, string(c.world.a), c.rule)
			assert.NotContains(c, text, string(c.world.b), c.rule)
		}},
		{name: "ToSQL of writes", rule: "ToSQL sends nothing", run: func(c *trial) {
			for _, do := range []func(tx *gorm.DB) *gorm.DB{
				func(tx *gorm.DB) *gorm.DB { return tx.Create(c.parent(fields{"Name": "new", "BossID": c.id(1)})) },
				func(tx *gorm.DB) *gorm.DB { return tx.Model(c.noParent()).Where("1 = 1").Update("score", 0) },
				func(tx *gorm.DB) *gorm.DB { return tx.Where("1 = 1").Delete(c.noParent()) },
			} {
				assert.Contains(c, c.a.ToSQL(do), string(c.world.a), c.rule)
			}
			c.unchanged()
		}},
	}
}

// tenantOf lets an error pass that is typed but, having no statement, cannot name the tenant.
func tenantOf(c *trial, err error) error {
	if err == nil {
		return nil
	}
	assert.ErrorIs(c, err, tenancy.ErrUnconfinedSQL, c.rule)
	return &tenancy.StatementError{Tenant: c.world.a, Op: "raw", Err: err}
}
