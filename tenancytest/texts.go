package tenancytest

import (
	"github.com/stretchr/testify/assert"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
)

// texts are SQL that the application writes whole: without an analyzer it is refused, whatever it says.
func texts() []check {
	const rule = "raw SQL that touches tables is confined, or refused"
	text := func(name string, do func(c *trial, db *gorm.DB) (any, error)) check { return textual(name, rule, do) }
	refuse := func(name string, do func(c *trial, db *gorm.DB) error) check {
		return check{name: name, rule: rule, run: func(c *trial) {
			c.refused(do(c, c.a), tenancy.ErrUnconfinedSQL)
			c.unchanged()
		}}
	}
	parents := func(c *trial) string { return c.quotedTable(c.noParent()) }
	return []check{
		text("Raw into a struct", func(c *trial, db *gorm.DB) (any, error) {
			rows := &[]nameOnly{}
			return found(db.Raw("SELECT name, mark FROM "+parents(c)).Scan(rows), rows)
		}),
		text("Raw into a model", func(c *trial, db *gorm.DB) (any, error) {
			rows := c.parents()
			return found(db.Raw("SELECT * FROM "+parents(c)).Find(rows), rows)
		}),
		text("Raw and First", func(c *trial, db *gorm.DB) (any, error) {
			row := c.noParent()
			return found(db.Raw("SELECT * FROM "+parents(c)+" ORDER BY name").First(row), row)
		}),
		text("Raw with an argument", func(c *trial, db *gorm.DB) (any, error) {
			rows := c.parents()
			return found(db.Raw("SELECT * FROM "+parents(c)+" WHERE score > ? OR name = ?", 10, "p1").Find(rows), rows)
		}),
		text("Raw with named arguments", func(c *trial, db *gorm.DB) (any, error) {
			rows := c.parents()
			return found(db.Raw("SELECT * FROM "+parents(c)+" WHERE score > @score OR name = @name", map[string]any{"score": 10, "name": "p1"}).Find(rows), rows)
		}),
		text("Raw with the tenant in it", func(c *trial, db *gorm.DB) (any, error) {
			rows := c.parents()
			return found(db.Raw("SELECT * FROM "+parents(c)+" WHERE "+c.quotedTenant(c.noParent())+" = ? OR 1 = 1", string(c.world.a)).Find(rows), rows)
		}),
		text("Raw that binds the tenant", func(c *trial, db *gorm.DB) (any, error) {
			rows := c.parents()
			return found(db.Raw("SELECT * FROM "+parents(c)+" WHERE "+c.quotedTenant(c.noParent())+" = ?", string(c.world.a)).Find(rows), rows)
		}),
		text("Raw that binds another tenant", func(c *trial, db *gorm.DB) (any, error) {
			rows := c.parents()
			return found(db.Raw("SELECT * FROM "+parents(c)+" WHERE "+c.quotedTenant(c.noParent())+" = ?", string(c.world.b)).Find(rows), rows)
		}),
		text("Raw that binds two tenants", func(c *trial, db *gorm.DB) (any, error) {
			rows := c.parents()
			return found(db.Raw("SELECT * FROM "+parents(c)+" WHERE "+c.quotedTenant(c.noParent())+" IN ?", []string{string(c.world.a), string(c.world.b)}).Find(rows), rows)
		}),
		text("Raw and Row", func(c *trial, db *gorm.DB) (any, error) {
			var mark string
			err := db.Raw("SELECT max(mark) FROM " + parents(c)).Row().Scan(&mark)
			return mark, err
		}),
		text("Raw and Rows", func(c *trial, db *gorm.DB) (any, error) {
			return nil, closeRows(db.Raw("SELECT name FROM " + parents(c)))
		}),
		text("Raw with a model's context", func(c *trial, db *gorm.DB) (any, error) {
			rows := c.parents()
			return found(db.Model(c.noParent()).Raw("SELECT * FROM "+parents(c)).Find(rows), rows)
		}),
		text("Raw of a common table expression", func(c *trial, db *gorm.DB) (any, error) {
			rows := c.parents()
			return found(db.Raw("WITH x AS (SELECT * FROM "+parents(c)+") SELECT * FROM x").Find(rows), rows)
		}),
		text("Raw of a join table", func(c *trial, db *gorm.DB) (any, error) {
			rows := &[]map[string]any{}
			return found(db.Raw("SELECT * FROM "+db.Statement.Quote(c.joinTable())).Find(rows), rows)
		}),
		text("Raw of a join of three tables", func(c *trial, db *gorm.DB) (any, error) {
			rows, q := &[]map[string]any{}, db.Statement.Quote
			return found(db.Raw("SELECT p.name AS parent, t.name AS tag FROM "+parents(c)+" p JOIN "+q(c.joinTable())+" l ON l.parent_id = p."+q(c.column(c.noParent(), "ID"))+
				" LEFT JOIN "+c.quotedTable(c.noTag())+" t ON t."+q(c.column(c.noTag(), "ID"))+" = l.tag_id").Find(rows), rows)
		}),
		text("Exec of an update", func(c *trial, db *gorm.DB) (any, error) {
			return found(db.Exec("UPDATE "+parents(c)+" SET score = 0"), nil)
		}),
		text("Exec of a delete", func(c *trial, db *gorm.DB) (any, error) { return found(db.Exec("DELETE FROM "+parents(c)), nil) }),
		text("Exec in a transaction", func(c *trial, db *gorm.DB) (any, error) {
			return nil, db.Transaction(func(tx *gorm.DB) error { return tx.Exec("DELETE FROM " + parents(c)).Error })
		}),
		{name: "Exec of an insert for B", rule: "raw SQL writes no row of another tenant", run: func(c *trial) {
			err := c.a.Exec("INSERT INTO "+c.quotedTable(c.noTag())+" (name, "+c.quotedTenant(c.noTag())+") VALUES (?, ?)", "new", string(c.world.b)).Error
			want := tenancy.ErrUnconfinedSQL
			if c.proven {
				want = tenancy.ErrTenantMismatch
			}
			c.refused(err, want)
			c.unchanged()
		}},
		{name: "Exec of an update to B", rule: "raw SQL gives no row to another tenant", run: func(c *trial) {
			want := tenancy.ErrUnconfinedSQL
			if c.proven {
				want = tenancy.ErrTenantMismatch
			}
			for _, value := range []any{string(c.world.b), gorm.Expr("(SELECT max(" + c.quotedTenant(c.noTag()) + ") FROM " + c.quotedTable(c.noTag()) + ")")} {
				c.refused(c.a.Exec("UPDATE "+c.quotedTable(c.noTag())+" SET "+c.quotedTenant(c.noTag())+" = ?", value).Error, want)
			}
			c.unchanged()
		}},
		{name: "Raw without a tenant", rule: "no tenant, no statement", run: func(c *trial) {
			c.noTenant(c.none.Raw("SELECT * FROM " + parents(c)).Find(c.parents()).Error)
			c.noTenant(c.none.Exec("DELETE FROM " + parents(c)).Error)
			if c.proven {
				assert.NoError(c, c.none.Raw("SELECT * FROM countries").Scan(&[]map[string]any{}).Error, "a global table needs no tenant")
			}
		}},
		{name: "Raw of an unknown table", rule: "an unknown table is refused", run: func(c *trial) {
			want := tenancy.ErrUnconfinedSQL
			if c.proven {
				want = tenancy.ErrUnknownTable
			}
			c.refused(c.a.Raw("SELECT * FROM nobody_knows").Scan(&[]map[string]any{}).Error, want)
		}},
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
