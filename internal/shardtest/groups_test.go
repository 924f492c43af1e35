package shardtest

import (
	"fmt"
	"reflect"
	"strings"

	"gorm.io/gorm"
)

// groups makes a chain with aggregates.
func (g *generator) groups() chain {
	f := g.f
	t := pick(g.d, f.orders, f.orders, f.lines, f.profiles, f.events)
	c := chain{of: t, start: modelOf(t)}
	if t == f.orders && g.d.oneIn(4) {
		p, _ := g.join()
		c.parts = append(c.parts, p)
		g.joined = true
	}
	for range g.d.n(2) {
		c.parts = append(c.parts, g.where(t))
	}
	query := g.aggregates(t)
	c.parts = append(c.parts, part{text: "Select(" + query.list + ")", apply: func(_ *side, db *gorm.DB) *gorm.DB { return db.Select(query.list) }})
	for _, key := range query.keys {
		c.parts = append(c.parts, part{text: "Group(" + key + ")", apply: func(_ *side, db *gorm.DB) *gorm.DB { return db.Group(key) }})
	}
	if h := query.having; h != "" {
		c.parts = append(c.parts, part{text: fmt.Sprintf("Having(%s, %v)", h, query.args), apply: func(_ *side, db *gorm.DB) *gorm.DB { return db.Having(h, query.args...) }})
	}
	if by := strings.Join(query.order, ", "); by != "" {
		key := sortKey{last: query.total}
		c.parts = append(c.parts, part{text: "Order(" + by + ")", order: []sortKey{key}, apply: func(_ *side, db *gorm.DB) *gorm.DB { return db.Order(by) }})
	}
	if len(query.keys) > 0 {
		c.parts = append(c.parts, g.limits()...)
	}
	c.finish = g.ends(len(query.keys) > 0, query.width)
	return c
}

// aggregated is a query with aggregates.
type aggregated struct {
	list   string
	width  int
	keys   []string
	having string
	args   []any
	order  []string
	total  bool // the order leaves no ties
}

func (g *generator) aggregates(t *table) aggregated {
	var q aggregated
	var items []string
	for range g.d.n(3) {
		key := t.name + "." + g.exact(t).name
		if g.d.oneIn(8) {
			key = g.expression(t)
		}
		q.keys = append(q.keys, key)
		if g.d.oneIn(5) {
			continue // it is not in the list
		}
		items = append(items, fmt.Sprintf("%s AS k%d", key, len(q.keys)))
	}
	var aliases, calls []string
	for i := range 1 + g.d.n(3) {
		call := g.aggregate(t)
		calls = append(calls, call)
		aliases = append(aliases, fmt.Sprintf("a%d", i))
		items = append(items, fmt.Sprintf("%s AS a%d", call, i))
	}
	q.list, q.width = strings.Join(items, ", "), len(items)
	if len(q.keys) > 0 && g.d.oneIn(3) {
		switch g.d.n(5) {
		case 1:
			q.having, q.args = "count(*) BETWEEN ? AND ?", []any{1, 4}
		case 2:
			q.having, q.args = "sum("+t.name+".id) > ? OR count(*) = ?", []any{40, 1}
		case 3:
			q.having = "max(" + t.name + ".id) IS NOT NULL"
		case 4:
			if g.w.engine.dialect == "mysql" { // it wants the key to be in the list
				break
			}
			q.having, q.args = "NOT (min("+t.name+".id) < ?) AND "+q.keys[0]+" IS NOT NULL", []any{4}
		default:
			q.having, q.args = "count(*) > ?", []any{1}
		}
	}
	if len(q.keys) > 0 && g.d.oneIn(2) {
		by := pick(g.d, aliases[0], calls[0], "count(*)")
		q.order = append(q.order, by+pick(g.d, "", " DESC"))
	}
	if len(q.keys) > 0 && !g.d.oneIn(4) {
		q.order = append(q.order, q.keys...)
		q.total = true
	}
	return q
}

func (g *generator) aggregate(t *table) string {
	number := t.name + "." + g.columnOf(t, integer).name
	value := t.name + "." + g.exact(t).name
	switch g.d.n(12) {
	case 1:
		return "count(" + value + ")"
	case 2, 3:
		return "sum(" + number + ")"
	case 4:
		return "avg(" + number + ")"
	case 5:
		return "min(" + value + ")"
	case 6:
		return "max(" + number + ")"
	case 7:
		return "count(DISTINCT " + value + ")"
	case 8:
		return "sum(DISTINCT " + number + ")"
	case 9:
		return pick(g.d, "sum("+number+") + 1", "sum("+number+" * 2)", "max("+number+") - min("+number+")", "sum(CASE WHEN "+number+" > 1 THEN 1 ELSE 0 END)")
	case 10:
		if t == g.f.orders {
			return pick(g.d, "sum(", "avg(", "max(") + t.name + pick(g.d, ".price)", ".weight)")
		}
	case 11:
		return "min(" + number + ")"
	}
	return "count(*)"
}

// summary takes aggregates.
type summary struct {
	K1, K2     *string
	A0, A1, A2 *float64
}

// ends reads what aggregates give: a row, or one for each group.
func (g *generator) ends(grouped bool, width int) finisher {
	switch g.d.n(4) {
	case 1:
		return rows(1000)
	case 2:
		return finisher{text: "Scan(&summaries)", run: func(_ *side, db *gorm.DB) outcome {
			var into []summary
			return outcomeOf(db.Scan(&into), nil, &into)
		}}
	case 3:
		if !grouped {
			return finisher{text: "Row()", run: func(_ *side, db *gorm.DB) outcome {
				values := make([]any, width)
				into := make([]any, width)
				for i := range into {
					into[i] = &values[i]
				}
				err := db.Row().Scan(into...)
				return outcome{err: err, rows: rowsOf(nil, reflect.ValueOf(values))}
			}}
		}
		return count()
	}
	return intoMaps(nil)
}

// raw makes a SELECT as text.
func (g *generator) raw() chain {
	f := g.f
	t := pick(g.d, f.orders, f.orders, f.lines, f.profiles, f.events)
	where := g.condition(t, 2)
	tail := where
	var text string
	keys := []sortKey{{last: true}}
	switch g.d.n(12) {
	case 1:
		text = "SELECT count(*) FROM " + t.name + " WHERE " + where.text
	case 2:
		q := g.aggregates(t)
		text = "SELECT " + q.list + " FROM " + t.name + " WHERE " + where.text
		if len(q.keys) > 0 {
			text += " GROUP BY " + strings.Join(q.keys, ", ")
		}
		if q.having != "" {
			text += " HAVING " + q.having
			tail.args = append(append([]any{}, where.args...), q.args...)
		}
		if len(q.order) > 0 {
			text += " ORDER BY " + strings.Join(q.order, ", ")
		}
		keys[0].last = q.total || len(q.keys) == 0
	case 3:
		c := g.exact(t)
		text = "SELECT DISTINCT " + t.name + "." + c.name + " FROM " + t.name + " WHERE " + where.text
		keys[0].last = false
	case 4:
		text = "SELECT id FROM " + t.name + " WHERE " + where.text + pick(g.d, " UNION ALL ", " UNION ") + "SELECT id FROM " + t.name + " WHERE " + where.text + " ORDER BY 1"
		tail.args = append(append([]any{}, where.args...), where.args...)
	case 5:
		text = "WITH x AS (SELECT * FROM " + t.name + " WHERE " + where.text + ") SELECT count(*) FROM x"
	case 6:
		text = "SELECT max(n) FROM (SELECT id, count(*) AS n FROM " + t.name + " WHERE " + where.text + " GROUP BY id) AS x"
	case 7:
		text = "SELECT id, row_number() OVER (ORDER BY id) AS n FROM " + t.name + " WHERE " + where.text + " ORDER BY id"
	case 8:
		text = "SELECT n, count(*) AS c FROM (SELECT id % 3 AS n FROM " + t.name + " WHERE " + where.text + ") AS x GROUP BY n ORDER BY n"
	case 9:
		text = "SELECT (SELECT count(*) FROM " + t.name + " WHERE " + where.text + ") AS n"
	case 10:
		text = "SELECT a.id FROM " + t.name + " a JOIN " + t.name + " b ON b.id = a.id + 1 WHERE a.id IN (SELECT id FROM " + t.name + " WHERE " + where.text + ") ORDER BY a.id"
	case 11:
		text = "SELECT id FROM " + t.name + " WHERE id IN (SELECT max(id) FROM " + t.name + " WHERE " + where.text + ")"
		keys[0].last = false
	default:
		c := pick(g.d, t.columns...)
		text = "SELECT " + t.name + ".*, " + g.expression(t) + " AS e FROM " + t.name + " WHERE " + where.text +
			" ORDER BY " + t.name + "." + c.name + pick(g.d, "", " DESC") + ", id" + pick(g.d, "", " LIMIT 5", " LIMIT 4 OFFSET 3", " LIMIT 0")
	}
	return chain{
		of: t, start: part{text: "db"}, binds: where.binds,
		parts: []part{{
			text: "Raw(" + condition{text: text, args: tail.args}.String() + ")", order: keys,
			apply: func(s *side, db *gorm.DB) *gorm.DB { return db.Raw(text, tail.on(s)...) },
		}},
		finish: intoMaps(nil),
	}
}
