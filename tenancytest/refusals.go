package tenancytest

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/gormtenancy/tenancy"
)

// statements are one of every verb, each of which returns GORM's error.
func statements(c *trial) map[string]func(db *gorm.DB) error {
	parent := func() any { return c.parent(fields{"ID": c.id(1), "Name": "p1"}) }
	return map[string]func(db *gorm.DB) error{
		"Find":  func(db *gorm.DB) error { return db.Find(c.parents()).Error },
		"First": func(db *gorm.DB) error { return db.First(c.noParent()).Error },
		"Last":  func(db *gorm.DB) error { return db.Last(c.noParent()).Error },
		"Take":  func(db *gorm.DB) error { return db.Take(c.noParent()).Error },
		"Count": func(db *gorm.DB) error { return db.Model(c.noParent()).Count(new(int64)).Error },
		"Pluck": func(db *gorm.DB) error { return db.Model(c.noParent()).Pluck("name", &[]string{}).Error },
		"Scan":  func(db *gorm.DB) error { return db.Model(c.noParent()).Scan(&[]nameOnly{}).Error },
		"Row":   func(db *gorm.DB) error { return db.Model(c.noParent()).Select("name").Row().Scan(new(string)) },
		"Rows":  func(db *gorm.DB) error { return closeRows(db.Model(c.noParent())) },
		"FindInBatches": func(db *gorm.DB) error {
			return db.FindInBatches(c.parents(), 2, func(*gorm.DB, int) error { return nil }).Error
		},
		"FirstOrInit":     func(db *gorm.DB) error { return db.FirstOrInit(c.noParent(), fields{"name": "x"}).Error },
		"FirstOrCreate":   func(db *gorm.DB) error { return db.FirstOrCreate(c.parent(), fields{"name": "x"}).Error },
		"Table":           func(db *gorm.DB) error { return db.Table(c.table(c.noParent())).Find(&[]map[string]any{}).Error },
		"Table and Count": func(db *gorm.DB) error { return db.Table(c.table(c.noParent())).Count(new(int64)).Error },
		"Table and Take":  func(db *gorm.DB) error { return db.Table(c.table(c.noParent())).Take(&map[string]any{}).Error },
		"Table and Update": func(db *gorm.DB) error {
			return db.Table(c.table(c.noParent())).Where("1 = 1").Update("score", 0).Error
		},
		"Table and Delete": func(db *gorm.DB) error { return db.Table(c.table(c.noParent())).Where("1 = 1").Delete(nil).Error },
		"Table and Create": func(db *gorm.DB) error { return db.Table(c.table(c.noTag())).Create(c.rowOf("new")).Error },
		"the join table":   func(db *gorm.DB) error { return db.Table(c.joinTable()).Find(&[]map[string]any{}).Error },
		"Joins":            func(db *gorm.DB) error { return db.Joins("Boss").Find(c.parents()).Error },
		"Preload":          func(db *gorm.DB) error { return db.Preload("Children").Find(c.parents()).Error },
		"a derived table": func(db *gorm.DB) error {
			return db.Table("(?) AS x", db.Model(c.noParent())).Find(&[]map[string]any{}).Error
		},
		"a subquery": func(db *gorm.DB) error {
			return db.Model(&country{}).Where("id IN (?)", db.Model(c.noParent()).Select("country_id")).Find(&[]country{}).Error
		},
		"Create": func(db *gorm.DB) error { return db.Create(c.parent(fields{"Name": "new"})).Error },
		"Create with a tenant in it": func(db *gorm.DB) error {
			return db.Create(c.parent(fields{"Name": "new", "TenantID": c.world.a})).Error
		},
		"Create of a list": func(db *gorm.DB) error { return db.Create(c.parents(c.parent(fields{"Name": "new"}))).Error },
		"CreateInBatches":  func(db *gorm.DB) error { return db.CreateInBatches(c.parents(c.parent(fields{"Name": "n"})), 1).Error },
		"Create of a map":  func(db *gorm.DB) error { return db.Model(c.noTag()).Create(c.rowOf("new")).Error },
		"Create with OnConflict": func(db *gorm.DB) error {
			return db.Clauses(clause.OnConflict{UpdateAll: true}).Create(parent()).Error
		},
		"Save":          func(db *gorm.DB) error { return db.Save(parent()).Error },
		"Save a list":   func(db *gorm.DB) error { return db.Save(c.parents(parent())).Error },
		"Update":        func(db *gorm.DB) error { return db.Model(parent()).Update("score", 0).Error },
		"Updates":       func(db *gorm.DB) error { return db.Model(parent()).Updates(map[string]any{"score": 0}).Error },
		"UpdateColumn":  func(db *gorm.DB) error { return db.Model(parent()).UpdateColumn("score", 0).Error },
		"UpdateColumns": func(db *gorm.DB) error { return db.Model(parent()).UpdateColumns(map[string]any{"score": 0}).Error },
		"Delete":        func(db *gorm.DB) error { return db.Delete(parent()).Error },
		"Unscoped Delete": func(db *gorm.DB) error {
			return db.Unscoped().Where("1 = 1").Delete(c.noParent()).Error
		},
		"Raw": func(db *gorm.DB) error {
			return db.Raw("SELECT * FROM " + c.quotedTable(c.noParent())).Scan(&[]nameOnly{}).Error
		},
		"Raw and Row": func(db *gorm.DB) error {
			return db.Raw("SELECT mark FROM " + c.quotedTable(c.noParent())).Row().Scan(new(string))
		},
		"Exec":             func(db *gorm.DB) error { return db.Exec("DELETE FROM " + c.quotedTable(c.noParent())).Error },
		"Association Find": func(db *gorm.DB) error { return db.Model(parent()).Association("Children").Find(c.children()) },
		"Association Append": func(db *gorm.DB) error {
			return db.Model(parent()).Association("Tags").Append(c.tag(fields{"Name": "new"}))
		},
		"Association Clear": func(db *gorm.DB) error { return db.Model(parent()).Association("Tags").Clear() },
		"in a transaction": func(db *gorm.DB) error {
			return db.Transaction(func(tx *gorm.DB) error { return tx.Find(c.parents()).Error })
		},
		"in a nested transaction": func(db *gorm.DB) error {
			return db.Transaction(func(tx *gorm.DB) error {
				return tx.Transaction(func(tx *gorm.DB) error { return tx.Create(c.parent(fields{"Name": "new"})).Error })
			})
		},
		"with PrepareStmt": func(db *gorm.DB) error {
			return db.Session(&gorm.Session{PrepareStmt: true}).Find(c.parents()).Error
		},
		"with SkipHooks": func(db *gorm.DB) error {
			return db.Session(&gorm.Session{SkipHooks: true}).Create(c.parent(fields{"Name": "new"})).Error
		},
	}
}

func closeRows(tx *gorm.DB) error {
	rows, err := tx.Rows()
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	return rows.Err()
}

// refusals are statements of every verb in contexts in which none may run.
func refusals() []check {
	every := func(name, rule string, in func(c *trial) context.Context, sentinel error) check {
		return check{name: name, rule: rule, run: func(c *trial) {
			for verb, do := range statements(c) {
				c.Run(verb, func(t *testing.T) {
					var panicked any
					var err error
					func() {
						defer func() { panicked = recover() }()
						err = do(c.in(in(c)))
					}()
					assert.Nil(t, panicked, "%s panics: %s", verb, rule)
					assert.ErrorIs(t, err, sentinel, rule)
					var statement *tenancy.StatementError
					assert.ErrorAs(t, err, &statement, rule)
				})
			}
			c.unchanged()
		}}
	}
	with := func(id tenancy.ID) func(c *trial) context.Context {
		return func(c *trial) context.Context { return tenancy.WithTenant(c.Context(), id) }
	}
	out := []check{
		every("no tenant", "without a tenant no statement runs", func(c *trial) context.Context { return c.Context() }, tenancy.ErrNoTenant),
		every("an empty ID", "a bad ID lets no statement run", with(""), tenancy.ErrInvalidTenant),
		every("an ID with a NUL", "a bad ID lets no statement run", with("a\x00"), tenancy.ErrInvalidTenant),
		every("WithoutTenant without a reason", "an escape needs a reason", func(c *trial) context.Context {
			return tenancy.WithoutTenant(c.asA(c.Context()), "")
		}, tenancy.ErrNoTenant),
	}
	for _, id := range []tenancy.ID{
		tenancy.ID(strings.Repeat("x", 64)), "a\nb", "\xff\xfe", "a\x1b[0m", "\u0085",
	} {
		out = append(out, check{name: fmt.Sprintf("the ID %.10q", string(id)), rule: "an ID has 1 to 63 bytes of UTF-8 without control characters", run: func(c *trial) {
			err := c.in(tenancy.WithTenant(c.Context(), id)).Find(c.parents()).Error
			assert.ErrorIs(c, err, tenancy.ErrInvalidTenant, c.rule)
			assert.NotContains(c, err.Error(), string(id), "a bad ID is not printed")
		}})
	}
	return append(out, strangers()...)
}

// strangers are tenants that have no rows, and those whose names are close to A's.
func strangers() []check {
	const rule = "a tenant without rows sees nothing and changes nothing"
	return []check{
		{name: "IDs close to A's", rule: rule, run: func(c *trial) {
			a := string(c.world.a)
			for _, id := range []string{
				strings.ToUpper(a), a + " ", " " + a, a + "'", a + "\\", a + "%", "%", "_", a + ".0", "0" + a, "+" + a, a + "' OR '1'='1", "á" + a[1:], "null", "NULL", "0", "-1", "{" + a + "}",
			} {
				if id == a {
					continue
				}
				got := c.parents()
				err := c.in(tenancy.WithTenant(c.Context(), tenancy.ID(id))).Find(got).Error
				if err != nil && !c.placed { // or else the resolver, or the database, does not know it
					assert.ErrorIs(c, err, tenancy.ErrInvalidTenant, "%q: %s", id, c.rule)
				}
				assert.Empty(c, pointers(got), "%q: %s", id, c.rule)
			}
		}},
		{name: "every verb as a stranger", rule: rule, run: func(c *trial) {
			id := tenancy.ID("nobody")
			switch {
			case c.world.a == "77":
				id = "99"
			case len(c.world.a) == 36:
				id = "0190b7c8-7d1e-7000-8000-00000000000c"
			}
			stranger := c.in(tenancy.WithTenant(c.Context(), id))
			for _, verb := range []string{"Find", "Count", "Table", "Update", "Updates", "UpdateColumn", "Delete", "Unscoped Delete", "Table and Delete", "Table and Update"} {
				if err := statements(c)[verb](stranger); !c.placed {
					assert.NoError(c, err, "%s: %s", verb, c.rule)
				}
			}
			c.unchanged()
		}},
	}
}
