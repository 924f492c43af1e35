package shardtest

import (
	"fmt"
	"strings"

	"gorm.io/gorm"
)

// generator makes chains.
type generator struct {
	d      *dice
	w      *world
	f      *family
	joined bool
	serial int64 // of new rows
}

// lazy is an argument that is made for each side.
type lazy func(*side) any

// condition is a text with its arguments.
type condition struct {
	text  string
	args  []any
	binds bool
}

// on are the arguments for a side.
func (c condition) on(s *side) []any {
	args := make([]any, len(c.args))
	for i, a := range c.args {
		if f, ok := a.(lazy); ok {
			a = f(s)
		}
		args[i] = a
	}
	return args
}

func (c condition) String() string {
	args := []string{fmt.Sprintf("%q", c.text)}
	for _, a := range c.args {
		if _, ok := a.(lazy); ok {
			args = append(args, "subquery")
			continue
		}
		args = append(args, literal(a))
	}
	return strings.Join(args, ", ")
}

// name writes a column.
func (g *generator) name(t *table, c column) string {
	if g.joined || g.d.oneIn(2) {
		return t.name + "." + c.name
	}
	return c.name
}

func (g *generator) columnOf(t *table, kinds ...kind) column {
	var fit []column
	for _, c := range t.columns {
		for _, k := range kinds {
			if c.kind == k {
				fit = append(fit, c)
			}
		}
	}
	return pick(g.d, fit...)
}

// known makes a value that is not NULL.
func (g *generator) known(c column) any {
	c.null = false
	return g.w.value(g.d, c)
}

// condition makes a condition on the rows of a table.
func (g *generator) condition(t *table, depth int) condition {
	if depth > 0 {
		switch g.d.n(6) {
		case 4:
			return g.pair(" AND ", t, depth)
		case 5:
			return g.pair(" OR ", t, depth)
		case 3:
			c := g.condition(t, depth-1)
			if g.d.oneIn(2) {
				c.text = "NOT (" + c.text + ")"
			}
			return c
		}
	}
	if g.d.oneIn(3) {
		return g.onKey(t)
	}
	return g.atom(t)
}

func (g *generator) pair(operator string, t *table, depth int) condition {
	a, b := g.condition(t, depth-1), g.condition(t, depth-1)
	return condition{
		text: "(" + a.text + operator + b.text + ")", args: append(append([]any{}, a.args...), b.args...), binds: a.binds || b.binds,
	}
}

// atom makes a condition that says nothing about the shard.
func (g *generator) atom(t *table) condition {
	c := g.columnOf(t, integer, text, decimal, float, boolean, moment, bytes, uuid)
	n := g.name(t, c)
	if c.null && g.d.oneIn(5) {
		return condition{text: n + pick(g.d, " IS NULL", " IS NOT NULL")}
	}
	switch c.kind {
	case text:
		switch g.d.n(4) {
		case 1:
			return condition{text: n + " LIKE ?", args: []any{pick(g.d, "a%", "%", "_", "%s%", "100\\%")}}
		case 2:
			return condition{text: n + " IN ?", args: []any{[]string{pick(g.d, texts()...), pick(g.d, texts()...)}}}
		case 3:
			return condition{text: "lower(" + n + ") = ?", args: []any{"a"}}
		}
	case boolean, bytes, uuid:
		return condition{text: n + pick(g.d, " = ?", " <> ?"), args: []any{g.known(c)}}
	case integer:
		switch g.d.n(6) {
		case 1:
			return condition{text: n + " BETWEEN ? AND ?", args: []any{g.known(c), g.known(c)}}
		case 2:
			return condition{text: n + " IN (?)", args: []any{[]any{g.known(c), g.known(c)}}}
		case 3:
			return g.subquery(t)
		case 4:
			return condition{text: n + " + 1 > ?", args: []any{g.known(c)}}
		}
	default:
	}
	return condition{text: n + pick(g.d, " = ?", " <> ?", " < ?", " >= ?"), args: []any{g.known(c)}}
}

// onKey makes a condition on the shard key, in all positions.
func (g *generator) onKey(t *table) condition {
	if t.same {
		return g.atom(t)
	}
	c := g.columnOf(t, numberKey, textKey)
	n, v := g.name(t, c), g.known(c)
	is := func(text string, args ...any) condition { return condition{text: text, args: args, binds: true} }
	switch g.d.n(16) {
	case 1:
		return is("? = "+n, v)
	case 2:
		return is(n+" IN ?", []any{v, g.known(c), g.known(c)})
	case 3:
		return is("("+n+" = ? OR "+n+" = ?)", v, g.known(c))
	case 4:
		return is(n+" <> ?", v)
	case 5:
		return is(n+" > ?", v)
	case 6:
		return is(n+" BETWEEN ? AND ?", v, g.known(c))
	case 7:
		return is(n+" NOT IN ?", []any{v, g.known(c)})
	case 8:
		return is(n + " IS NULL")
	case 9:
		return is("NOT ("+n+" = ?)", v)
	case 10:
		return is("("+n+" = ? AND "+n+" = ?)", v, g.known(c))
	case 11:
		return is(n+" IN (?)", []any{v})
	case 12:
		return is("("+n+" = ? OR "+g.name(t, t.columns[0])+" = ?)", v, int64(1+g.d.n(orderCount)))
	case 13:
		if t != g.f.events {
			s := g.name(g.f.profiles, g.f.profiles.column("score"))
			return is(n+" IN (SELECT "+g.f.profiles.name+".customer FROM "+g.f.profiles.name+" WHERE "+s+" > ?)", 0)
		}
	case 14:
		if t != g.f.events { // of one database: refused, or it would be that of each shard
			return is(n + " = (SELECT max(customer) FROM " + g.f.profiles.name + ")")
		}
	case 15:
		if c.kind == numberKey {
			return is(pick(g.d, n+" + 0 = ?", n+" = ? + 0", "abs("+n+") = ?", "-"+n+" = ?", "coalesce("+n+", 0) = ?"), v)
		}
		return is(pick(g.d, "lower("+n+") = ?", n+" LIKE ?", "coalesce("+n+", '') = ?"), v)
	}
	return is(n+" = ?", v)
}

// subquery makes a condition with another table: one that is where the row is, or everywhere, or one that may be elsewhere.
func (g *generator) subquery(t *table) condition {
	f := g.f
	if t != f.orders {
		return condition{text: g.name(t, t.columns[0]) + " > ?", args: []any{g.d.n(orderCount)}}
	}
	in := t.name + "."
	switch g.d.n(7) {
	case 1:
		return condition{text: in + "category_id IN (?)", args: []any{lazy(func(s *side) any {
			return s.bare.Model(&Category{}).Select("id").Where("grade > ?", 0)
		})}}
	case 2:
		return condition{
			text: "EXISTS (SELECT 1 FROM " + f.lines.name + " WHERE " + f.lines.name + ".customer = " + in + "customer AND " + f.lines.name + ".order_id = " + in + "id AND amount > ?)",
			args: []any{0},
		}
	case 3:
		return condition{text: in + "id IN (SELECT order_id FROM " + f.lines.name + " WHERE amount > ?)", args: []any{0}}
	case 4:
		return condition{text: in + "qty > (SELECT min(grade) FROM categories)"}
	case 5:
		return condition{text: in + "id NOT IN (SELECT order_id FROM " + f.lines.name + " WHERE " + f.lines.name + ".customer = " + in + "customer)"}
	case 6:
		return condition{text: in + "qty >= (SELECT count(*) FROM " + f.profiles.name + " WHERE " + f.profiles.name + ".customer = " + in + "customer)"}
	}
	return condition{text: in + "category_id IN (SELECT id FROM categories WHERE title IS NOT NULL)"}
}

// where makes a call that adds a condition, in the forms that GORM has.
func (g *generator) where(t *table) part {
	switch g.d.n(9) {
	case 1:
		c := g.columnOf(t, integer, numberKey, textKey, text)
		v := g.known(c)
		m := map[string]any{c.name: v}
		text := "map[" + c.name + ":" + literal(v) + "]"
		if g.d.oneIn(3) {
			v = []any{v, g.known(c)}
			m[c.name], text = v, "map["+c.name+":"+literal(v)+"]"
		}
		return part{text: "Where(" + text + ")", binds: c.kind >= numberKey, apply: func(_ *side, db *gorm.DB) *gorm.DB { return db.Where(m) }}
	case 2:
		model := g.partial(t)
		return part{text: "Where(" + literal(model) + ")", binds: true, apply: func(_ *side, db *gorm.DB) *gorm.DB { return db.Where(model) }}
	case 3:
		c := g.condition(t, 1)
		return part{text: "Not(" + c.String() + ")", binds: c.binds, apply: func(s *side, db *gorm.DB) *gorm.DB { return db.Not(c.text, c.on(s)...) }}
	case 4:
		c := g.condition(t, 1)
		return part{text: "Or(" + c.String() + ")", binds: c.binds, apply: func(s *side, db *gorm.DB) *gorm.DB { return db.Or(c.text, c.on(s)...) }}
	case 5:
		a, b := g.condition(t, 1), g.condition(t, 1)
		return part{
			text: "Where(db.Where(" + a.String() + ").Or(" + b.String() + "))", binds: a.binds || b.binds,
			apply: func(s *side, db *gorm.DB) *gorm.DB {
				return db.Where(s.bare.Where(a.text, a.on(s)...).Or(b.text, b.on(s)...))
			},
		}
	case 6:
		c := g.condition(t, 1)
		return part{text: "Scopes(" + c.String() + ")", binds: c.binds, apply: func(s *side, db *gorm.DB) *gorm.DB {
			return db.Scopes(func(tx *gorm.DB) *gorm.DB { return tx.Where(c.text, c.on(s)...) })
		}}
	default:
		c := g.condition(t, 2)
		return part{text: "Where(" + c.String() + ")", binds: c.binds, apply: func(s *side, db *gorm.DB) *gorm.DB { return db.Where(c.text, c.on(s)...) }}
	}
}
