package shardtest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// chainOf makes a chain from bytes.
func (w *world) chainOf(data []byte) chain {
	g := &generator{d: &dice{data: data}, w: w, f: w.family, serial: 1000}
	var c chain
	switch g.d.n(11) {
	case 0, 1, 2, 3:
		c = g.entities()
	case 4, 5:
		c = g.groups()
	case 6:
		c = g.raw()
	case 7:
		c = g.generics()
	default:
		c = g.write()
	}
	c.inside = g.d.oneIn(8)
	return c
}

func modelOf(t *table) part {
	return part{text: "Model(" + t.row.String() + ")", apply: func(_ *side, db *gorm.DB) *gorm.DB { return db.Model(t.new()) }}
}

// partial makes a model with some of its fields.
func (g *generator) partial(t *table) any {
	v := reflect.New(t.row)
	for range 1 + g.d.n(2) {
		if c := g.columnOf(t, integer, text, numberKey, textKey); c.name != "id" {
			setField(v.Elem().FieldByName(c.field), g.known(c))
		}
	}
	return v.Interface()
}

// entities makes a chain that reads rows of a model.
func (g *generator) entities() chain {
	f := g.f
	t := pick(g.d, f.orders, f.orders, f.orders, f.lines, f.profiles, f.events, f.categories)
	c := chain{of: t, start: modelOf(t)}
	if t == f.categories { // in every database
		c.binds = true
	}
	tie := []string{t.name + ".id"}
	joins := false
	if t == f.orders && g.d.oneIn(3) {
		p, more := g.join()
		c.parts = append(c.parts, p)
		tie = append(tie, more...)
		g.joined, joins = true, true
	}
	for range g.d.n(3) {
		c.parts = append(c.parts, g.where(t))
	}
	if t == f.orders && g.d.oneIn(5) {
		c.parts = append(c.parts, part{text: "Unscoped()", apply: func(_ *side, db *gorm.DB) *gorm.DB { return db.Unscoped() }})
	}
	if g.d.oneIn(5) {
		return g.distinct(c, t)
	}
	c.parts = append(c.parts, g.orders(t, tie)...)
	c.parts = append(c.parts, g.limits()...)
	if t == f.orders && g.d.oneIn(4) {
		name := pick(g.d, "Lines", "Category")
		c.parts = append(c.parts, part{text: "Preload(" + name + ")", apply: func(_ *side, db *gorm.DB) *gorm.DB { return db.Preload(name) }})
	}
	if g.d.oneIn(4) {
		c.parts = append(c.parts, g.columns(t, joins))
	}
	c.finish = g.finisher(t, c.parts, len(tie) == 1)
	return c
}

// join joins another table to orders. tie are the columns that tell the rows of one order apart.
func (g *generator) join() (p part, tie []string) {
	o, l, f := g.f.orders.name, g.f.lines.name, g.f.profiles.name
	text := func(text string, tie ...string) (part, []string) {
		return part{text: "Joins(" + text + ")", binds: true, apply: func(_ *side, db *gorm.DB) *gorm.DB { return db.Joins(text) }}, tie
	}
	switch g.d.n(9) {
	case 1:
		return part{text: "InnerJoins(Category)", apply: func(_ *side, db *gorm.DB) *gorm.DB { return db.InnerJoins("Category") }}, nil
	case 2:
		return text("JOIN "+l+" ON "+l+".customer = "+o+".customer AND "+l+".order_id = "+o+".id", l+".id")
	case 3:
		return text("LEFT JOIN "+l+" ON "+l+".customer = "+o+".customer AND "+l+".order_id = "+o+".id", l+".id")
	case 4:
		return text("LEFT JOIN "+f+" ON "+f+".customer = "+o+".customer", f+".id")
	case 5:
		return text("JOIN categories ON categories.id = " + o + ".category_id")
	case 6:
		return text("JOIN "+l+" ON "+l+".order_id = "+o+".id", l+".id") // not where the order is
	case 7:
		return text("JOIN events ON events.id = "+o+".id", "events.id") // sharded in another way
	case 8:
		return text("LEFT JOIN categories ON categories.id = " + o + ".category_id AND categories.grade > 0")
	}
	return part{text: "Joins(Category)", apply: func(_ *side, db *gorm.DB) *gorm.DB { return db.Joins("Category") }}, nil
}

// orders makes ORDER BY, most often with the columns last that leave no ties.
func (g *generator) orders(t *table, tie []string) []part {
	var parts []part
	for range g.d.n(3) {
		parts = append(parts, g.orderBy(t))
	}
	if g.d.oneIn(3) {
		return parts
	}
	text := strings.Join(tie, ", ")
	if g.d.oneIn(2) {
		text = strings.Join(tie, " DESC, ") + " DESC"
	}
	return append(parts, part{text: "Order(" + text + ")", order: []sortKey{{last: true}}, apply: func(_ *side, db *gorm.DB) *gorm.DB { return db.Order(text) }})
}

func (g *generator) orderBy(t *table) part {
	c := pick(g.d, t.columns...)
	n := g.name(t, c)
	key := sortKey{column: c.name, loose: c.loose}
	desc := g.d.oneIn(2)
	switch g.d.n(5) {
	case 1:
		by := clause.OrderByColumn{Column: clause.Column{Table: clause.CurrentTable, Name: c.name}, Desc: desc}
		return part{text: fmt.Sprintf("Order(%s desc %v)", c.name, desc), order: []sortKey{key}, apply: func(_ *side, db *gorm.DB) *gorm.DB { return db.Order(by) }}
	case 2:
		n, key = g.expression(t), sortKey{}
	case 3:
		if g.w.engine.dialect != "mysql" {
			n += pick(g.d, "", " DESC") + pick(g.d, " NULLS FIRST", " NULLS LAST")
			desc = false
		}
	case 4:
		if c.kind == text && g.w.engine.dialect != "mysql" {
			n += pick(g.d, map[string][]string{"postgres": {` COLLATE "C"`}, "sqlite": {" COLLATE NOCASE", " COLLATE BINARY"}}[g.w.engine.dialect]...)
			key.loose = true
		}
	}
	if desc {
		n += " DESC"
	}
	return part{text: "Order(" + n + ")", order: []sortKey{key}, apply: func(_ *side, db *gorm.DB) *gorm.DB { return db.Order(n) }}
}

// expression is one over the columns of a row.
func (g *generator) expression(t *table) string {
	c := g.columnOf(t, integer)
	n := g.name(t, c)
	return pick(g.d, "abs("+n+")", n+" + 1", "CASE WHEN "+n+" > 2 THEN 1 ELSE 0 END", "coalesce("+n+", 5)", "-"+n)
}

func (g *generator) limits() []part {
	var parts []part
	limit := g.d.oneIn(3)
	if limit {
		n := pick(g.d, 3, 1, 0, 10, 7, 100, -1)
		parts = append(parts, part{text: fmt.Sprintf("Limit(%d)", n), limits: true, apply: func(_ *side, db *gorm.DB) *gorm.DB { return db.Limit(n) }})
	}
	if limit && g.d.oneIn(2) || g.d.oneIn(10) {
		n := pick(g.d, 2, 5, 0, 1000, 17)
		parts = append(parts, part{text: fmt.Sprintf("Offset(%d)", n), limits: true, apply: func(_ *side, db *gorm.DB) *gorm.DB { return db.Offset(n) }})
	}
	return parts
}

// columns makes Select or Omit.
func (g *generator) columns(t *table, joins bool) part {
	a, b := pick(g.d, t.columns...), pick(g.d, t.columns...)
	switch g.d.n(4) {
	case 1:
		return part{text: "Omit(" + a.name + ")", apply: func(_ *side, db *gorm.DB) *gorm.DB { return db.Omit(a.name) }}
	case 2:
		names := []string{"id", a.name, b.name}
		if joins {
			names = []string{t.name + ".id"}
		}
		return part{text: fmt.Sprintf("Select(%v)", names), apply: func(_ *side, db *gorm.DB) *gorm.DB { return db.Select(names) }}
	case 3:
		text := g.name(t, t.columns[0]) + ", " + g.expression(t) + " AS x"
		return part{text: "Select(" + text + ")", apply: func(_ *side, db *gorm.DB) *gorm.DB { return db.Select(text) }}
	}
	text := t.name + ".id, " + t.name + "." + a.name + ", " + t.name + "." + b.name + " AS other"
	return part{text: "Select(" + text + ")", apply: func(_ *side, db *gorm.DB) *gorm.DB { return db.Select(text) }}
}

// distinct ends a chain that asks for each value once.
func (g *generator) distinct(c chain, t *table) chain {
	var names []string
	var by []part
	for range 1 + g.d.n(2) {
		column := g.exact(t)
		name := t.name + "." + column.name
		names = append(names, name)
		if g.d.oneIn(2) {
			by = append(by, part{text: "Order(" + name + ")", order: []sortKey{{column: column.name, loose: column.loose}}, apply: func(_ *side, db *gorm.DB) *gorm.DB { return db.Order(name) }})
		}
	}
	list := strings.Join(names, ", ")
	c.parts = append(c.parts, part{text: "Distinct(" + list + ")", apply: func(_ *side, db *gorm.DB) *gorm.DB { return db.Distinct(list) }})
	c.parts = append(c.parts, by...)
	c.parts = append(c.parts, g.limits()...)
	switch g.d.n(3) {
	case 1:
		c.finish = count()
		return c
	case 2:
		c.finish = pluck(names[0])
		return c
	}
	c.finish = intoMaps(t)
	return c
}

// exact is a column whose equal values are the same.
func (g *generator) exact(t *table) column {
	for {
		if c := pick(g.d, t.columns...); !g.w.engine.folds(c) {
			return c
		}
	}
}

// folds tells whether the database takes different values of a column for equal.
func (e *engine) folds(c column) bool {
	switch e.dialect {
	case "mysql":
		return c.kind == text
	case "sqlite":
		return c.name == "loose" || c.name == "note"
	}
	return false
}

func intoMaps(t *table) finisher {
	return finisher{text: "Find(&maps)", run: func(_ *side, db *gorm.DB) outcome {
		var into []map[string]any
		return outcomeOf(db.Find(&into), t, &into)
	}}
}

func count() finisher {
	return finisher{text: "Count(&n)", total: true, run: func(_ *side, db *gorm.DB) outcome {
		var n int64
		err := db.Count(&n).Error
		return outcome{err: err, rows: rowsOf(nil, reflect.ValueOf(n))}
	}}
}

func pluck(name string) finisher {
	return finisher{text: "Pluck(" + name + ")", run: func(_ *side, db *gorm.DB) outcome {
		var into []any
		return outcomeOf(db.Pluck(name, &into), nil, &into)
	}}
}

// finisher ends a chain that reads rows. plain tells that each row of the model comes once.
func (g *generator) finisher(t *table, parts []part, plain bool) finisher {
	into := func(name string, fresh func() any, run func(db *gorm.DB, into any) *gorm.DB, f finisher) finisher {
		f.text = name
		f.run = func(_ *side, db *gorm.DB) outcome {
			v := fresh()
			return outcomeOf(run(db, v), t, v)
		}
		return f
	}
	all := into("Find(&rows)", t.newSlice, func(db *gorm.DB, v any) *gorm.DB { return db.Find(v) }, finisher{})
	switch g.d.n(14) {
	case 1:
		return intoMaps(t)
	case 2:
		return into("First(&row)", t.new, func(db *gorm.DB, v any) *gorm.DB { return db.First(v) }, finisher{total: plain, one: true, all: &all})
	case 3:
		return into("Last(&row)", t.new, func(db *gorm.DB, v any) *gorm.DB { return db.Last(v) }, finisher{total: plain, one: true, all: &all})
	case 4:
		return into("Take(&row)", t.new, func(db *gorm.DB, v any) *gorm.DB { return db.Take(v) }, finisher{one: true, all: &all})
	case 5, 6:
		return count()
	case 7:
		return pluck(t.name + "." + pick(g.d, t.columns...).name)
	case 8:
		return into("Scan(&rows)", t.newSlice, func(db *gorm.DB, v any) *gorm.DB { return db.Scan(v) }, finisher{})
	case 9:
		return rows(1000)
	case 10:
		return rows(1 + g.d.n(4))
	case 11:
		if plain && !slices.ContainsFunc(parts, func(p part) bool { return len(p.order) > 0 }) {
			return batches(t, 1+g.d.n(9))
		}
	}
	return all
}

// rows reads at most n rows.
func rows(n int) finisher {
	return finisher{text: fmt.Sprintf("Rows() to %d", n), some: n < 1000, run: func(_ *side, db *gorm.DB) outcome {
		rows, err := db.Rows()
		if err != nil {
			return outcome{err: err}
		}
		defer rows.Close() //nolint:errcheck // Err is asked
		var out outcome
		for len(out.rows) < n && rows.Next() {
			m := map[string]any{}
			if err := db.ScanRows(rows, &m); err != nil {
				return outcome{err: err}
			}
			out.rows = append(out.rows, rowOf(nil, reflect.ValueOf(m)))
		}
		out.err = rows.Err()
		return out
	}}
}

var errEndless = errors.New("there is always one more batch")

// batches reads all rows, some at a time, by their primary key.
func batches(t *table, size int) finisher {
	return finisher{text: fmt.Sprintf("FindInBatches(%d)", size), total: true, run: func(_ *side, db *gorm.DB) outcome {
		into := t.newSlice()
		var all []row
		tx := db.FindInBatches(into, size, func(_ *gorm.DB, batch int) error {
			if batch > orderCount { // with Or or another order GORM begins again and again
				return errEndless
			}
			all = append(all, rowsOf(t, reflect.ValueOf(into))...)
			return nil
		})
		return outcome{err: tx.Error, affected: tx.RowsAffected, rows: all}
	}}
}
