package difftest

import (
	"database/sql"
	"fmt"
	"reflect"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// condition is what Where and its relatives take.
type condition struct {
	query arg
	args  []arg
}

func (c condition) text() string { return texts(append([]arg{c.query}, c.args...)) }

func (c condition) all(s *side) []any { return all(append([]arg{c.query}, c.args...), s) }

func sqlText(query string, args ...arg) condition { return condition{fixed(query), args} }

// condition makes a condition on model m, whose columns are named name.column where name is not empty.
func (g *generator) condition(m *model, name string, depth int) condition {
	column := func() (column, string) {
		c := pick(g.dice, m.columns...)
		if name == "" {
			return c, c.name
		}
		return c, name + "." + c.name
	}
	c, at := column()
	v := func() arg { return fixed(g.value(m, c)) }
	switch g.n(22) {
	case 0:
		return sqlText(at+" = ?", v())
	case 1:
		return condition{query: g.fresh(func(g *generator) any { return g.example(m) })}
	case 2:
		return condition{query: g.fresh(func(g *generator) any {
			values := map[string]any{}
			for range 1 + g.n(2) {
				c := pick(g.dice, m.columns...)
				values[pick(g.dice, c.name, c.field)] = g.value(m, c)
			}
			return values
		})}
	case 3:
		values := reflect.MakeSlice(reflect.SliceOf(reflect.TypeOf(g.value(m, c))), 0, 3)
		for range 1 + g.n(3) {
			values = reflect.Append(values, reflect.ValueOf(g.value(m, c)))
		}
		return sqlText(at+pick(g.dice, " IN ?", " NOT IN ?", " IN (?)"), fixed(values.Interface()))
	case 4, 5:
		first := v()
		d, at2 := column()
		or := pick(g.dice, " OR ", " or ", "\nOR\t", " AND ", "\n OR\n ")
		return sqlText(at+" = ?"+or+at2+" = ?", first, fixed(g.value(m, d)))
	case 6:
		d, at2 := column()
		a, b := g.value(m, c), g.value(m, d)
		query := at + " = @first OR " + at2 + " = @second"
		switch g.n(3) {
		case 0:
			return sqlText(query, fixed(sql.Named("first", a)), fixed(sql.Named("second", b)))
		case 1:
			return sqlText(query, fixed(map[string]any{"first": a, "second": b}))
		default:
			return sqlText(at+" = @first AND NOT "+at+" = @first OR "+at2+" = @second", fixed(map[string]any{"first": a, "second": b}))
		}
	case 7, 8:
		return condition{query: g.clause(m, name, 1)}
	case 9, 10:
		if depth > 0 {
			return condition{query: g.group(m, name, depth-1)}
		}
		return sqlText(at+" > ?", v())
	case 11, 12:
		if depth > 0 && len(m.links) > 0 {
			l := pick(g.dice, m.links...)
			at := l.column
			if name != "" {
				at = name + "." + at
			}
			return sqlText(at+pick(g.dice, " IN (?)", " NOT IN (?)", " = ANY (?)"), g.subquery(l, depth-1))
		}
		return sqlText(at+" >= ?", v())
	case 13:
		if depth > 0 && len(m.links) > 0 && name != "" {
			return sqlText(pick(g.dice, "EXISTS (?)", "NOT EXISTS (?)"), g.correlated(m, name, depth-1))
		}
		return sqlText(at+" <> ?", v())
	case 14:
		if depth > 0 {
			return sqlText(at+pick(g.dice, " > (?)", " = (?)", " <= (?)"), g.aggregate(m, c, depth-1))
		}
		return sqlText(at + " IS NOT NULL")
	case 15:
		if m.ids == 0 {
			return sqlText(at+" = ?", v())
		}
		ids := []uint{g.anyID(m.table), g.anyID(m.table)}
		return condition{query: pick(g.dice, fixed(ids), fixed(ids[0]), fixed(fmt.Sprint(ids[0])))}
	case 16:
		d, at2 := column()
		return sqlText("("+at+", "+at2+") IN ?", fixed([][]any{{g.value(m, c), g.value(m, d)}, {g.value(m, c), g.value(m, d)}}))
	case 17:
		return sqlText(at+" BETWEEN ? AND ?", v(), v())
	case 18:
		return sqlText(fmt.Sprintf("CASE WHEN %s = ? THEN 1 ELSE 0 END = ?", at), v(), fixed(g.n(2)))
	case 19:
		if g.oneIn(3) {
			g.refusable = true // comments
			return sqlText(at+" = ?/* a */OR/**/"+at+" = ?", v(), v())
		}
		quoted := g.quote(strings.Split(at, ".")...)
		if g.oneIn(3) {
			return sqlText(quoted+" IS NULL OR 1 = ?", fixed(g.n(2)))
		}
		return sqlText(quoted+pick(g.dice, " = ?", " != ?"), v())
	case 20:
		if g.oneIn(2) {
			d := pick(g.dice, m.data()...)
			return condition{query: g.fresh(func(g *generator) any { return g.example(m) }), args: []arg{fixed(d.field)}}
		}
		return sqlText(at + pick(g.dice, " IS NULL", " IS NOT NULL", " LIKE '%n%' OR 1 = 0"))
	default:
		own := "tenant_id"
		if name != "" {
			own = name + "." + own
		}
		if g.writes {
			return sqlText("1 = 1")
		}
		return sqlText(own+pick(g.dice, " = ?", " <> ?"), fixed(pick(g.dice, subject, tenants()[1])))
	}
}

// example is a struct with a field or two.
func (g *generator) example(m *model) any {
	v := m.new()
	for range 1 + g.n(2) {
		c := pick(g.dice, m.columns...)
		setField(reflect.ValueOf(v).Elem(), c.field, g.value(m, c))
	}
	return v
}

// clause is one of GORM's own expressions.
func (g *generator) clause(m *model, name string, depth int) arg {
	c := pick(g.dice, m.columns...)
	col := pick[any](g.dice, c.name, clause.Column{Table: clause.CurrentTable, Name: c.name}, clause.Column{Table: name, Name: c.name})
	if name != "" { // other tables may have a column of the name
		col = clause.Column{Table: name, Name: c.name}
	}
	v := g.value(m, c)
	switch g.n(11) {
	case 0:
		return fixed(clause.Eq{Column: col, Value: v})
	case 1:
		return fixed(clause.IN{Column: col, Values: []any{v, g.value(m, c)}})
	case 2:
		return fixed(clause.Neq{Column: col, Value: v})
	case 3:
		return fixed(clause.Gt{Column: col, Value: v})
	case 4:
		return fixed(clause.Like{Column: col, Value: "%n%"})
	case 5:
		return fixed(clause.Lte{Column: col, Value: v})
	case 6:
		return fixed(clause.Eq{Column: col, Value: []any{v, g.value(m, c)}})
	case 7:
		return fixed(clause.Expr{SQL: "? = ? OR ? IS NULL", Vars: []any{clause.Column{Table: name, Name: c.name}, v, clause.Column{Table: name, Name: c.name}}})
	default:
		if depth == 0 {
			return fixed(clause.Eq{Column: col, Value: nil})
		}
		a, b := g.clause(m, name, depth-1), g.clause(m, name, depth-1)
		join := pick(g.dice, "Or", "And", "Not")
		return arg{fmt.Sprintf("clause.%s(%s, %s)", join, a.text, b.text), func(s *side) any {
			left, right := as[clause.Expression](a.of(s)), as[clause.Expression](b.of(s))
			switch join {
			case "Or":
				return clause.Or(left, right)
			case "And":
				return clause.And(left, right)
			default:
				return clause.Not(left, right)
			}
		}}
	}
}

// group is a *gorm.DB whose conditions alone are taken.
func (g *generator) group(m *model, name string, depth int) arg {
	var c chained
	for i := range 1 + g.n(3) {
		g.addWhere(&c, m, name, depth, i == 0)
	}
	return arg{c.text(), func(s *side) any { return c.on(s) }}
}

// addWhere adds Where, Or or Not.
func (g *generator) addWhere(c *chained, m *model, name string, depth int, first bool) {
	cond := g.condition(m, name, depth)
	kinds := []string{"Where", "Or", "Not", "Where"}
	if first {
		kinds = []string{"Where", "Where", "Not", "Or"}
	}
	kind := pick(g.dice, kinds...)
	c.add(kind+"("+cond.text()+")", func(s *side, db *gorm.DB) *gorm.DB {
		args := cond.all(s)
		switch kind {
		case "Or":
			return db.Or(args[0], args[1:]...)
		case "Not":
			return db.Not(args[0], args[1:]...)
		default:
			return db.Where(args[0], args[1:]...)
		}
	})
}

// subqueryOn begins a subquery on a table: with the tenant's context, or with none.
func (g *generator) subqueryOn(table string) (string, func(*side) *gorm.DB) {
	m := g.byTable(table)
	bare, byName := g.oneIn(2), m == nil || g.oneIn(4)
	db := "db"
	if bare {
		db = "bare"
	}
	begin := func(s *side) *gorm.DB {
		if bare {
			return s.bare
		}
		return s.db
	}
	switch {
	case table == "countries":
		return db + ".Model(&Country{})", func(s *side) *gorm.DB { return begin(s).Model(&Country{}) }
	case byName:
		return fmt.Sprintf("%s.Table(%q)", db, table), func(s *side) *gorm.DB { return begin(s).Table(table) }
	default:
		return fmt.Sprintf("%s.Model(&%s{})", db, m.name()), func(s *side) *gorm.DB { return begin(s).Model(m.new()) }
	}
}

// subquery selects the other column of a link.
func (g *generator) subquery(l link, depth int) arg {
	text, begin := g.subqueryOn(l.table)
	var c chained
	g.addWheres(&c, l.table, "", depth)
	if g.oneIn(4) {
		c.add("Distinct()", func(_ *side, db *gorm.DB) *gorm.DB { return db.Distinct() })
	}
	return arg{
		text + strings.TrimPrefix(c.text(), "db") + fmt.Sprintf(".Select(%q)", l.other),
		func(s *side) any { return c.from(s, begin(s)).Select(l.other) },
	}
}

func (g *generator) addWheres(c *chained, table, name string, depth int) {
	m := g.byTable(table)
	if m == nil {
		return
	}
	for i := range g.n(3) {
		g.addWhere(c, m, name, depth, i == 0)
	}
}

// correlated selects rows of a linked table that belong to the outer row.
func (g *generator) correlated(m *model, name string, depth int) arg {
	l := pick(g.dice, m.links...)
	if l.table == m.table {
		return g.subquery(l, depth)
	}
	text, begin := g.subqueryOn(l.table)
	on := fmt.Sprintf("%s.%s = %s.%s", l.table, l.other, name, l.column)
	var c chained
	g.addWheres(&c, l.table, l.table, depth)
	return arg{
		text + fmt.Sprintf(".Select(\"1\").Where(%q)", on) + strings.TrimPrefix(c.text(), "db"),
		func(s *side) any { return c.from(s, begin(s).Select("1").Where(on)) },
	}
}

// aggregate selects one value over another table, or the same.
func (g *generator) aggregate(m *model, c column, depth int) arg {
	table := m.table
	selected := "MAX(" + c.name + ")"
	if c.kind == number {
		selected = pick(g.dice, "MAX(", "MIN(", "COUNT(", "SUM(") + c.name + ")"
	}
	text, begin := g.subqueryOn(table)
	var q chained
	g.addWheres(&q, table, "", depth)
	return arg{
		text + fmt.Sprintf(".Select(%q)", selected) + strings.TrimPrefix(q.text(), "db"),
		func(s *side) any { return q.from(s, begin(s).Select(selected)) },
	}
}
