package tenancytest

import (
	"context"
	"strings"

	"github.com/stretchr/testify/assert"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/gormtenancy/tenancy"
)

// smuggled is an expression that only its Build knows.
type smuggled struct{ text string }

// Build implements clause.Expression.
func (s smuggled) Build(b clause.Builder) { _, _ = b.WriteString(s.text) }

// valued is a value that builds its own SQL.
type valued struct{ text string }

// GormValue implements gorm.Valuer.
func (v valued) GormValue(context.Context, *gorm.DB) clause.Expr { return clause.Expr{SQL: v.text} }

// extra is a clause of the application's own.
type extra struct{ name, text string }

// Name implements clause.Interface.
func (e extra) Name() string { return e.name }

// Build implements clause.Interface.
func (e extra) Build(b clause.Builder) { _, _ = b.WriteString(e.text) }

// MergeClause implements clause.Interface.
func (e extra) MergeClause(c *clause.Clause) { c.Expression = e }

// smuggling is the rest of the ways by which text of the application gets into a statement.
func smuggling() []check {
	const rule = "text that reaches out of its place is refused, wherever it stands"
	sites := map[string]func(c *trial, db *gorm.DB, text string) error{
		"clause.Expr": func(c *trial, db *gorm.DB, s string) error {
			return db.Where(clause.Expr{SQL: s}).Find(c.parents()).Error
		},
		"clause.NamedExpr": func(c *trial, db *gorm.DB, s string) error {
			return db.Where(clause.NamedExpr{SQL: s}).Find(c.parents()).Error
		},
		"an expression": func(c *trial, db *gorm.DB, s string) error { return db.Where(smuggled{s}).Find(c.parents()).Error },
		"an argument": func(c *trial, db *gorm.DB, s string) error {
			return db.Where("name = ?", gorm.Expr(s)).Find(c.parents()).Error
		},
		"a valuer": func(c *trial, db *gorm.DB, s string) error {
			return db.Where("name = ?", valued{s}).Find(c.parents()).Error
		},
		"a list": func(c *trial, db *gorm.DB, s string) error {
			return db.Where("name IN ?", []any{"p1", gorm.Expr(s)}).Find(c.parents()).Error
		},
		"a map": func(c *trial, db *gorm.DB, s string) error {
			return db.Where(map[string]any{"name": gorm.Expr(s)}).Find(c.parents()).Error
		},
		"Order": func(c *trial, db *gorm.DB, s string) error { return db.Order(s).Find(c.parents()).Error },
		"an order clause": func(c *trial, db *gorm.DB, s string) error {
			return db.Clauses(clause.OrderBy{Expression: smuggled{s}}).Find(c.parents()).Error
		},
		"Select": func(c *trial, db *gorm.DB, s string) error {
			return db.Model(c.noParent()).Select(s + " AS x").Find(&[]map[string]any{}).Error
		},
		"Select argument": func(c *trial, db *gorm.DB, s string) error {
			return db.Model(c.noParent()).Select("? AS x", gorm.Expr(s)).Find(&[]map[string]any{}).Error
		},
		"Returning": func(c *trial, db *gorm.DB, s string) error {
			return db.Clauses(clause.Returning{Columns: []clause.Column{{Name: s, Raw: true}}}).Where("1 = 1").Delete(c.children()).Error
		},
		"Joins on": func(c *trial, db *gorm.DB, s string) error {
			return db.Joins("Boss", c.none.Where(s)).Find(c.parents()).Error
		},
		"Preload": func(c *trial, db *gorm.DB, s string) error { return db.Preload("Children", s).Find(c.parents()).Error },
		"SET": func(c *trial, db *gorm.DB, s string) error {
			return db.Model(c.noParent()).Where("1 = 1").Update("score", gorm.Expr(s)).Error
		},
		"SET, valuer": func(c *trial, db *gorm.DB, s string) error {
			return db.Model(c.noParent()).Where("1 = 1").Update("score", valued{s}).Error
		},
		"a value": func(c *trial, db *gorm.DB, s string) error {
			row := c.rowOf("new")
			row["mark"] = valued{s}
			return db.Model(c.noTag()).Create(row).Error
		},
		"DO UPDATE": func(c *trial, db *gorm.DB, s string) error {
			return db.Clauses(clause.OnConflict{Columns: c.primaryKey(c.noParent()), DoUpdates: clause.Assignments(map[string]any{"score": gorm.Expr(s)})}).
				Create(c.parent(fields{"ID": c.id(1), "Name": "p1"})).Error
		},
		"a clause of its own": func(c *trial, db *gorm.DB, s string) error {
			return db.Clauses(extra{"FOR", s}).Find(c.parents()).Error
		},
		"Table": func(c *trial, db *gorm.DB, s string) error {
			return db.Table(c.quotedTable(c.noParent()) + " AS x WHERE " + s).Find(&[]map[string]any{}).Error
		},
		"Joins": func(c *trial, db *gorm.DB, s string) error { return db.Joins(s).Find(c.parents()).Error },
	}
	texts := map[string]string{
		"a closing parenthesis": "1 = 1) OR (1 = 1",
		"a comment":             "1 = 1 OR 1 = 1 -- ",
		"a subquery":            "(SELECT count(*) FROM countries)",
		"a second statement":    "1 = 1; DELETE FROM countries",
		"a quote":               "'x",
	}
	var out []check
	for site, do := range sites {
		out = append(out, check{name: "in " + site, rule: rule, run: func(c *trial) {
			for what, text := range texts {
				if c.proven && what == "a subquery" {
					continue // it reads a global table
				}
				// A driver may get it and find that it makes no sense; but it must never run.
				err := do(c, c.a, text)
				if assert.Error(c, err, "%s: %s", what, rule) {
					assert.ErrorIs(c, err, tenancy.ErrUnconfinedSQL, "%s: %s", what, rule)
				}
			}
			c.unchanged()
		}}, check{name: "a subquery in " + site, rule: "a query in a text is confined, or refused", run: func(c *trial) {
			if err := do(c, c.a, texts["a subquery"]); !c.proven { // B's rows are looked at
				assert.ErrorIs(c, err, tenancy.ErrUnconfinedSQL)
			}
		}})
	}
	return append(append(out, absorbed(texts)...), tables()...)
}

// absorbed are places where GORM or the plugin may put parentheses around the text, or drop it: then it can run, as long as
// it finds no row of another tenant.
func absorbed(texts map[string]string) []check {
	const rule = "text that is let through stays within the tenant's rows"
	var out []check
	for site, where := range map[string]func(db *gorm.DB, text string) *gorm.DB{
		"And": func(db *gorm.DB, s string) *gorm.DB {
			return db.Where(clause.And(smuggled{s}, clause.Expr{SQL: "1 = 1"}))
		},
		"Not": func(db *gorm.DB, s string) *gorm.DB { return db.Where(clause.Not(smuggled{s}, smuggled{"1 = 1"})) },
		"Or":  func(db *gorm.DB, s string) *gorm.DB { return db.Where("1 = 1").Or(smuggled{s}) },
		"a group": func(db *gorm.DB, s string) *gorm.DB {
			return db.Where(db.Session(&gorm.Session{NewDB: true}).Where(smuggled{s}).Or("1 = 1"))
		},
		"WHERE of its own": func(db *gorm.DB, s string) *gorm.DB { return db.Clauses(extra{"WHERE", s}) },
		"a clause": func(db *gorm.DB, s string) *gorm.DB {
			return db.Clauses(clause.Where{Exprs: []clause.Expression{smuggled{s}, smuggled{"1 = 1"}}})
		},
	} {
		out = append(out, check{name: "in " + site, rule: rule, run: func(c *trial) {
			for what, text := range texts {
				got := c.parents()
				readable := c.proven && what == "a subquery"
				if err := where(c.a, text).Find(got).Error; err != nil && !readable {
					assert.ErrorIs(c, err, tenancy.ErrUnconfinedSQL, "%s: %s", what, rule)
				}
				for _, p := range pointers(got) {
					assert.Equal(c, markA, field(p, "Mark"), "%s: %s", what, rule)
				}
				if softly(c.world) {
					continue // what the application's own text deletes is its own business
				}
				_ = where(c.a, text).Delete(c.noChild()).Error // B's rows are looked at
			}
		}})
	}
	return out
}

// tables are names of tables and columns that are more than names.
func tables() []check {
	const rule = "a name that is more than a name is refused"
	refuse := func(name string, do func(c *trial, db *gorm.DB) *gorm.DB) check {
		return check{name: name, rule: rule, run: func(c *trial) {
			assert.Error(c, do(c, c.a).Error, c.rule)
			c.unchanged()
		}}
	}
	text := func(name string, do func(c *trial, db *gorm.DB, rows any) *gorm.DB) check {
		return check{name: name, rule: "a name that is more than a name is confined, or refused", run: func(c *trial) {
			c.unread(false, func(db *gorm.DB) (any, error) {
				rows := &[]map[string]any{}
				return found(do(c, db, rows), rows)
			})
		}}
	}
	unbuilt := func(name string, do func(c *trial, db *gorm.DB) *gorm.DB) check {
		return check{name: name, rule: "a statement that lost its tenant condition is not sent", run: func(c *trial) {
			c.refused(do(c, c.a).Error, tenancy.ErrUnconfinedSQL)
			c.unchanged()
		}}
	}
	maps := func() *[]map[string]any { return &[]map[string]any{} }
	p := func(c *trial) string { return c.quotedTable(c.noParent()) }
	// marks finds rows and asserts that they are A's.
	marks := func(name string, do func(c *trial, db *gorm.DB) *gorm.DB) check {
		return check{name: name, rule: "a table is known however it is named", run: func(c *trial) {
			var got []nameOnly
			err := do(c, c.a).Select("name", "mark").Find(&got).Error
			for _, row := range got {
				assert.Equal(c, markA, row.Mark, "%v: %s", err, c.rule)
			}
		}}
	}
	return []check{
		refuse("Table with a comment", func(c *trial, db *gorm.DB) *gorm.DB { return db.Table(p(c) + " AS x --").Find(maps()) }),
		refuse("Table with a statement", func(c *trial, db *gorm.DB) *gorm.DB { return db.Table(p(c) + "; DELETE FROM countries").Find(maps()) }),
		text("Table with parentheses", func(c *trial, db *gorm.DB, rows any) *gorm.DB { return db.Table("(" + p(c) + ") AS x").Find(rows) }),
		text("Table with a function", func(c *trial, db *gorm.DB, rows any) *gorm.DB { return db.Table("json_each('[1]') AS x").Find(rows) }),
		text("Table with a table as argument", func(c *trial, db *gorm.DB, rows any) *gorm.DB {
			return db.Table("? AS x", clause.Table{Name: c.table(c.noParent())}).Find(rows)
		}),
		text("Table with text as argument", func(c *trial, db *gorm.DB, rows any) *gorm.DB { return db.Table("? AS x", gorm.Expr(p(c))).Find(rows) }),
		text("a derived table and a second one", func(c *trial, db *gorm.DB, rows any) *gorm.DB {
			return db.Table("(?) AS x, "+p(c), db.Session(&gorm.Session{NewDB: true}).Model(c.noParent())).Find(rows)
		}),
		text("a derived table of text", func(c *trial, db *gorm.DB, rows any) *gorm.DB {
			return db.Table("(?) AS x", gorm.Expr("SELECT * FROM "+p(c))).Find(rows)
		}),
		text("a derived table of raw SQL", func(c *trial, db *gorm.DB, rows any) *gorm.DB {
			return db.Table("(?) AS x", db.Session(&gorm.Session{NewDB: true}).Raw("SELECT * FROM "+p(c))).Find(rows)
		}),
		refuse("a column name with an assignment", func(c *trial, db *gorm.DB) *gorm.DB {
			q := strings.NewReplacer(`"`, "`").Replace
			return db.Model(c.noParent()).Where("1 = 1").Update(q(`score" = 1, "mark`), "PWN")
		}),
		refuse("a column name with an assignment, quoted otherwise", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Model(c.noParent()).Where("1 = 1").Update(`score" = 1, "mark`, "PWN")
		}),
		refuse("a column name with a condition", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Where(map[string]any{"name` = 'x' OR 1 = 1) OR (`name": "x", `name" = 'x' OR 1 = 1) OR ("name`: "y"}).Find(c.parents())
		}),
		text("a raw column in Order", func(c *trial, db *gorm.DB, rows any) *gorm.DB {
			return db.Model(c.noParent()).Select("name").Order(clause.OrderByColumn{Column: clause.Column{Name: "(SELECT 1 FROM countries)", Raw: true}}).Find(rows)
		}),
		refuse("a raw column in a condition", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Where(clause.Eq{Column: clause.Column{Name: "1 = 1) OR (1", Raw: true}, Value: 1}).Find(c.parents())
		}),
		refuse("a locking clause with text", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Clauses(clause.Locking{Strength: "UPDATE; DELETE FROM countries"}).Find(c.parents())
		}),
		refuse("the text of a dry run as raw SQL", func(c *trial, db *gorm.DB) *gorm.DB {
			dry := db.Session(&gorm.Session{DryRun: true}).Find(c.parents())
			return c.b.Raw(dry.Statement.SQL.String(), dry.Statement.Vars...).Find(c.parents())
		}),
		unbuilt("a statement that is built without WHERE", func(c *trial, db *gorm.DB) *gorm.DB {
			tx := db.Model(c.noParent())
			tx.Statement.BuildClauses = []string{"SELECT", "FROM"}
			return tx.Find(c.parents())
		}),
		unbuilt("a statement that is built without WHERE, with a subquery", func(c *trial, db *gorm.DB) *gorm.DB {
			tx := db.Model(c.noParent()).Select("name, mark, (?) AS score", c.a.Model(c.noChild()).Select("count(*)"))
			tx.Statement.BuildClauses = []string{"SELECT", "FROM"}
			return tx.Find(c.parents())
		}),
		unbuilt("an update that is built without WHERE, with a subquery", func(c *trial, db *gorm.DB) *gorm.DB {
			tx := db.Model(c.noParent()).Where("1 = 1")
			tx.Statement.BuildClauses = []string{"UPDATE", "SET"}
			return tx.Update("score", c.a.Model(c.noChild()).Select("count(*)"))
		}),
		marks("a table in upper case", func(c *trial, db *gorm.DB) *gorm.DB { return db.Table(strings.ToUpper(c.table(c.noParent()))) }),
		marks("a table with its schema", func(c *trial, db *gorm.DB) *gorm.DB {
			schema := map[string]string{"sqlite": "main", "postgres": "public", "mysql": c.stage.raw.Migrator().CurrentDatabase()}[db.Name()]
			return db.Table(schema + "." + c.table(c.noParent()))
		}),
		marks("a model under another model's table", func(c *trial, db *gorm.DB) *gorm.DB { return db.Model(&country{}).Table(c.table(c.noParent())) }),
		marks("a tag's model under the parents' table", func(c *trial, db *gorm.DB) *gorm.DB { return db.Model(c.noTag()).Table(c.table(c.noParent())) }),
		marks("a table with quotes", func(c *trial, db *gorm.DB) *gorm.DB { return db.Table(p(c) + " x") }),
		marks("a table with quotes and its schema", func(c *trial, db *gorm.DB) *gorm.DB {
			schema := map[string]string{"sqlite": "main", "postgres": "public", "mysql": c.stage.raw.Migrator().CurrentDatabase()}[db.Name()]
			return db.Table(schema + "." + p(c) + " AS x")
		}),
	}
}
