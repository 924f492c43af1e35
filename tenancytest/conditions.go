package tenancytest

import (
	"database/sql"
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/gormtenancy/tenancy"
)

// conditions are the ways to write WHERE: none gets around the tenant, none loses its own meaning.
func conditions() []check {
	const rule = "no condition of the application reaches around the tenant's"
	find := func(name string, where func(c *trial, db *gorm.DB) *gorm.DB) check {
		return reading(name, rule, func(c *trial, db *gorm.DB) any {
			got := c.parents()
			return result(where(c, db).Find(got), got)
		})
	}
	texts := []struct{ name, text string }{
		{"text with OR", "score = 10 OR score = 20"},
		{"text with OR 1=1", "score = 10 OR 1=1"},
		{"text with or in lower case", "score = 10 or score = 20"},
		{"text with OR between lines", "score = 10\nOR\tscore = 20"},
		{"text with OR between comments", "score = 10/**/OR/**/score = 20"},
		{"text with NOT", "NOT score = 10"},
		{"text that is always true", "1 = 1"},
		{"text that is never true", "1 = 0"},
		{"text with a quoted parenthesis", "name <> ')' OR name <> '('"},
		{"text with a quoted dash", "name <> '--' OR score = 10"},
	}
	var out []check
	for _, x := range texts {
		out = append(out, find(x.name, func(_ *trial, db *gorm.DB) *gorm.DB { return db.Where(x.text) }))
		out = append(out, find(x.name+", negated", func(_ *trial, db *gorm.DB) *gorm.DB { return db.Not(x.text) }))
	}
	out = append(out,
		find("Or", func(_ *trial, db *gorm.DB) *gorm.DB { return db.Where("score = ?", 10).Or("score = ?", 20) }),
		find("Or first", func(_ *trial, db *gorm.DB) *gorm.DB { return db.Or("score = ?", 10).Or("1 = 1") }),
		find("Or with a struct", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Where("score = 10").Or(with(c.noParent(), fields{"Name": "p3"}))
		}),
		find("Or with a map", func(_ *trial, db *gorm.DB) *gorm.DB { return db.Where("score = 10").Or(fields{"name": "p3"}) }),
		find("groups", func(_ *trial, db *gorm.DB) *gorm.DB {
			return db.Where(db.Where("score = 10").Or("score = 20")).Where(db.Where("name = ?", "p1").Or("name = ?", "p2"))
		}),
		find("groups joined by Or", func(_ *trial, db *gorm.DB) *gorm.DB {
			return db.Where(db.Where("score = 10").Where("name = ?", "p1")).Or(db.Where("score = 20").Where("name = ?", "p2"))
		}),
		find("Not with a map", func(_ *trial, db *gorm.DB) *gorm.DB { return db.Not(map[string]any{"name": []string{"p1", "p2"}}) }),
		find("Not with a struct", func(c *trial, db *gorm.DB) *gorm.DB { return db.Not(with(c.noParent(), fields{"Name": "p1"})) }),
		find("named arguments", func(_ *trial, db *gorm.DB) *gorm.DB {
			return db.Where("name = @n OR mark = @n OR score = 20", sql.Named("n", "p1"))
		}),
		find("named arguments from a map", func(_ *trial, db *gorm.DB) *gorm.DB {
			return db.Where("name = @n OR score = @s", map[string]any{"n": "p1", "s": 30})
		}),
		find("named arguments from a struct", func(_ *trial, db *gorm.DB) *gorm.DB {
			return db.Where("name = @Name OR mark = @Mark", nameOnly{Name: "p1", Mark: markB})
		}),
		find("IN with a list", func(_ *trial, db *gorm.DB) *gorm.DB { return db.Where("name IN ?", []string{"p1", "p2"}) }),
		find("IN with an empty list", func(_ *trial, db *gorm.DB) *gorm.DB { return db.Where("name IN ?", []string{}) }),
		find("NOT IN with an empty list", func(_ *trial, db *gorm.DB) *gorm.DB { return db.Not("name IN ?", []string{"x"}) }),
		find("BETWEEN", func(_ *trial, db *gorm.DB) *gorm.DB { return db.Where("score BETWEEN ? AND ?", 10, 20) }),
		find("clause.Or", func(_ *trial, db *gorm.DB) *gorm.DB {
			return db.Clauses(clause.Or(clause.Eq{Column: "score", Value: 10}, clause.Gt{Column: "score", Value: 15}))
		}),
		find("clause.Where", func(_ *trial, db *gorm.DB) *gorm.DB {
			return db.Clauses(clause.Where{Exprs: []clause.Expression{clause.Or(clause.Eq{Column: "score", Value: 10}), clause.Or(clause.Expr{SQL: "1 = 1"})}})
		}),
		find("clause.Like and clause.IN", func(_ *trial, db *gorm.DB) *gorm.DB {
			return db.Where(clause.Like{Column: "name", Value: "p%"}).Where(clause.IN{Column: clause.Column{Table: clause.CurrentTable, Name: "score"}, Values: []any{10, 30}})
		}),
		find("an expression for a column", func(_ *trial, db *gorm.DB) *gorm.DB {
			return db.Where(clause.Eq{Column: clause.Expr{SQL: "lower(?)", Vars: []any{clause.Column{Name: "name"}}}, Value: "p1"})
		}),
		find("a condition on A", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Where(clause.Eq{Column: c.column(c.noParent(), "TenantID"), Value: string(c.world.a)})
		}),
		find("a condition on B", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Where(clause.Eq{Column: c.column(c.noParent(), "TenantID"), Value: string(c.world.b)})
		}),
		find("a condition on B as text", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Where(c.quotedTenant(c.noParent())+" = ?", string(c.world.b))
		}),
		find("A or B", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Where(c.quotedTenant(c.noParent())+" IN ?", []string{string(c.world.a), string(c.world.b)})
		}),
		find("a struct with B in it", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Where(with(c.noParent(), fields{"TenantID": c.world.b}))
		}),
		find("not A", func(c *trial, db *gorm.DB) *gorm.DB {
			return db.Not(map[string]any{c.column(c.noParent(), "TenantID"): string(c.world.a)})
		}),
		find("order by text", func(_ *trial, db *gorm.DB) *gorm.DB {
			return db.Order("CASE WHEN score > 10 THEN 0 ELSE 1 END").Order("name").Limit(1)
		}),
		find("order by an expression", func(_ *trial, db *gorm.DB) *gorm.DB {
			return db.Clauses(clause.OrderBy{Expression: clause.Expr{SQL: "CASE WHEN name = ? THEN 0 ELSE 1 END", Vars: []any{"p3"}}}).Limit(1)
		}),
		find("select an expression", func(_ *trial, db *gorm.DB) *gorm.DB { return db.Select("name, mark, score + ? AS score", 1) }),
		find("an argument with quotes in it", func(_ *trial, db *gorm.DB) *gorm.DB { return db.Where("name = ?", "p1') OR ('1' = '1") }),
		find("inline conditions in Find", func(_ *trial, db *gorm.DB) *gorm.DB {
			return db.Where("score > 1").Session(&gorm.Session{}).Where("name = ? OR name = ?", "p1", "p2")
		}),
	)
	return slices.Concat(out, breakouts())
}

// breakouts are texts that leave the parentheses they stand in. No database may be asked to make sense of them.
func breakouts() []check {
	const rule = "text that reaches out of its clause is refused"
	texts := map[string]string{
		"a closing parenthesis":       "score = 10) OR (1 = 1",
		"a comment to the end":        "score = 10 OR 1 = 1 -- ",
		"a comment that stays open":   "score = 10 OR 1 = 1 /*",
		"a second statement":          "1 = 1; SELECT 1",
		"a union":                     "1 = 1 UNION SELECT * FROM countries",
		"a quote that stays open":     "name = 'x OR 1 = 1",
		"a parenthesis that was open": "(1 = 1",
	}
	var out []check
	for name, text := range texts {
		refuse := func(c *trial, tx *gorm.DB) { c.Helper(); c.refused(tx.Error, tenancy.ErrUnconfinedSQL) }
		out = append(out,
			check{name: name + " in Where", rule: rule, run: func(c *trial) { refuse(c, c.a.Where(text).Find(c.parents())) }},
			check{name: name + " in Or", rule: rule, run: func(c *trial) { refuse(c, c.a.Where("1 = 1").Or(text).Find(c.parents())) }},
			check{name: name + " in Not", rule: rule, run: func(c *trial) { refuse(c, c.a.Not(text).Find(c.parents())) }},
			check{name: name + " in Having", rule: rule, run: func(c *trial) {
				refuse(c, c.a.Model(c.noParent()).Select("count(*)").Group("mark").Having(text).Find(&[]int64{}))
			}},
			check{name: name + " in Delete", rule: rule, run: func(c *trial) { refuse(c, c.a.Where(text).Delete(c.noParent())) }},
			check{name: name + " in Update", rule: rule, run: func(c *trial) {
				refuse(c, c.a.Model(c.noParent()).Where(text).Update("score", 1))
			}},
		)
	}
	out = append(out, subqueryTexts()...)
	slices.SortFunc(out, func(x, y check) int { return compare(x.name, y.name) })
	return out
}

// subqueryTexts are conditions with a query in them.
func subqueryTexts() []check {
	const rule = "a query in a condition is confined, or refused"
	texts := map[string]func(c *trial) string{
		"a subquery":                   func(*trial) string { return "EXISTS (SELECT 1 FROM countries)" },
		"a table in a subquery by key": func(*trial) string { return "score IN (SELECT id FROM countries)" },
		"a query of the children": func(c *trial) string {
			return "EXISTS (SELECT 1 FROM " + c.quotedTable(c.noChild()) + " WHERE amount = 1)"
		},
		"a query with OR": func(c *trial) string {
			return "score = (SELECT max(score) FROM " + c.quotedTable(c.noParent()) + " WHERE score < 30 OR score > 30) OR 1 = 0"
		},
	}
	var out []check
	for name, text := range texts {
		out = append(out,
			textual(name+" in Where", rule, func(c *trial, db *gorm.DB) (any, error) {
				rows := c.parents()
				return found(db.Where(text(c)).Find(rows), rows)
			}),
			textual(name+" in Or", rule, func(c *trial, db *gorm.DB) (any, error) {
				rows := c.parents()
				return found(db.Where("1 = 0").Or(text(c)).Find(rows), rows)
			}),
			textual(name+" in Not", rule, func(c *trial, db *gorm.DB) (any, error) {
				rows := c.parents()
				return found(db.Not(text(c)).Find(rows), rows)
			}),
			textual(name+" in Having", rule, func(c *trial, db *gorm.DB) (any, error) {
				rows := &[]int64{}
				return found(db.Model(c.noParent()).Select("count(*)").Group("mark, score").Having(text(c)).Find(rows), rows)
			}),
		)
		if name == "a query with OR" {
			continue // MySQL refuses to change a table by a query on it
		}
		out = append(out,
			textual(name+" in Delete", rule, func(c *trial, db *gorm.DB) (any, error) {
				return found(db.Where(text(c)).Delete(c.noParent()), nil)
			}),
			textual(name+" in Update", rule, func(c *trial, db *gorm.DB) (any, error) {
				return found(db.Model(c.noParent()).Where(text(c)).Update("score", 1), nil)
			}),
		)
	}
	return out
}

func compare(x, y string) int {
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}
