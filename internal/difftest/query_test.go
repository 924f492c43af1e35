package difftest

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// query is a chain of reads under construction.
type query struct {
	chained
	g *generator
	m *model

	name    string // of the main table in text
	model   bool   // has a Model, or will take one from its destination
	derived bool   // from a subquery
	grouped bool
	joined  bool
	total   bool // ordered by all that tells rows apart
	limited bool
	chosen  bool // has a Select
}

// query makes a step that reads.
func (g *generator) query() step {
	q := g.begin()
	for range g.n(5) {
		q.grow()
	}
	return q.finish()
}

// begin makes the first calls: sessions, and what is read.
func (g *generator) begin() *query {
	m := pick(g.dice, g.models...)
	q := &query{g: g, m: m, name: m.table, model: true}
	if g.oneIn(5) {
		g.session(&q.chained)
	}
	switch g.n(8) {
	case 0, 1, 2, 3:
	case 4:
		q.add(fmt.Sprintf("Model(&%s{})", m.name()), func(_ *side, db *gorm.DB) *gorm.DB { return db.Model(m.new()) })
	case 5:
		q.add(fmt.Sprintf("Table(%q)", m.table), func(_ *side, db *gorm.DB) *gorm.DB { return db.Table(m.table) })
		q.model = g.oneIn(2)
	case 6:
		q.name = "x"
		q.add(fmt.Sprintf("Table(%q)", m.table+" AS x"), func(_ *side, db *gorm.DB) *gorm.DB { return db.Table(m.table + " AS x") })
		q.model = g.oneIn(2)
	default:
		q.name, q.derived, q.model = "u", true, g.oneIn(2)
		text, begin := g.subqueryOn(m.table)
		var inner chained
		g.addWheres(&inner, m.table, "", 1)
		q.add(fmt.Sprintf("Table(%q, %s)", "(?) AS u", text+strings.TrimPrefix(inner.text(), "db")), func(s *side, db *gorm.DB) *gorm.DB {
			return db.Table("(?) AS u", inner.from(s, begin(s)))
		})
	}
	return q
}

// session adds a variant of the session.
func (g *generator) session(c *chained) {
	type variant struct {
		text string
		with gorm.Session
	}
	v := pick(g.dice,
		variant{"PrepareStmt: true", gorm.Session{PrepareStmt: true}},
		variant{"NewDB: true", gorm.Session{NewDB: true}},
		variant{"SkipHooks: true", gorm.Session{SkipHooks: true}},
		variant{"QueryFields: true", gorm.Session{QueryFields: true}},
		variant{"PropagateUnscoped: true", gorm.Session{PropagateUnscoped: true}},
		variant{"CreateBatchSize: 2", gorm.Session{CreateBatchSize: 2}},
		variant{"FullSaveAssociations: true", gorm.Session{FullSaveAssociations: true}},
		variant{"AllowGlobalUpdate: true", gorm.Session{AllowGlobalUpdate: true}},
		variant{"PrepareStmt: true", gorm.Session{PrepareStmt: true}},
	)
	c.add("Session(&gorm.Session{"+v.text+"})", func(s *side, db *gorm.DB) *gorm.DB {
		with := v.with
		if with.NewDB {
			with.Context = s.ctx
		}
		return db.Session(&with)
	})
}

// grow adds a call.
func (q *query) grow() {
	g := q.g
	switch g.n(16) {
	case 0, 1, 2, 3, 4:
		g.addWhere(&q.chained, q.m, q.name, 2, len(q.calls) == 0)
	case 5:
		q.order()
	case 6:
		q.page()
	case 7:
		q.choose()
	case 8:
		q.group()
	case 9, 10:
		q.join()
	case 11, 12:
		q.preload()
	case 13:
		q.add("Unscoped()", func(_ *side, db *gorm.DB) *gorm.DB { return db.Unscoped() })
	case 14:
		var inner chained
		g.addWhere(&inner, q.m, q.name, 1, false)
		q.add("Scopes(func(db *gorm.DB) *gorm.DB { return "+inner.text()+" })", func(s *side, db *gorm.DB) *gorm.DB {
			return db.Scopes(func(db *gorm.DB) *gorm.DB { return inner.from(s, db) })
		})
	default:
		if g.dialect != "sqlite" && !q.grouped && !q.derived {
			q.add(`Clauses(clause.Locking{Strength: "UPDATE"})`, func(_ *side, db *gorm.DB) *gorm.DB {
				return db.Clauses(clause.Locking{Strength: "UPDATE", Table: clause.Table{Name: clause.CurrentTable}})
			})
			return
		}
		if q.total || q.limited {
			return
		}
		q.add("Distinct()", func(_ *side, db *gorm.DB) *gorm.DB { return db.Distinct() })
	}
}

func (q *query) order() {
	if q.total || q.grouped || q.calledWith("Distinct") {
		return
	}
	c := pick(q.g.dice, q.m.columns...)
	by := q.name + "." + c.name + pick(q.g.dice, "", " DESC")
	pk := q.name + "." + q.m.pk()
	if q.g.oneIn(3) {
		q.add(fmt.Sprintf("Order(clause.OrderByColumn{Column: clause.Column{Table: clause.CurrentTable, Name: %q}})", c.name), func(_ *side, db *gorm.DB) *gorm.DB {
			return db.Order(clause.OrderByColumn{Column: clause.Column{Table: clause.CurrentTable, Name: c.name}})
		})
		by = pk
	}
	q.add(fmt.Sprintf("Order(%q)", by+", "+pk), func(_ *side, db *gorm.DB) *gorm.DB { return db.Order(by + ", " + pk) })
	q.total = true
}

// page limits the result, which takes an order to be the same everywhere.
func (q *query) page() {
	if q.grouped || q.limited || q.calledWith("Distinct") {
		return
	}
	q.order()
	if !q.total {
		return
	}
	n := 1 + q.g.n(3)
	q.limited = true
	q.add(fmt.Sprintf("Limit(%d)", n), func(_ *side, db *gorm.DB) *gorm.DB { return db.Limit(n) })
	if skip := q.g.n(3); skip > 0 {
		q.add(fmt.Sprintf("Offset(%d)", skip), func(_ *side, db *gorm.DB) *gorm.DB { return db.Offset(skip) })
	}
}

func (q *query) calledWith(name string) bool {
	return slices.ContainsFunc(q.calls, func(c string) bool { return strings.HasPrefix(c, name+"(") })
}

// choose adds Select, Omit or Distinct with columns.
func (q *query) choose() {
	g := q.g
	if q.chosen || q.grouped {
		return
	}
	c := pick(g.dice, q.m.columns...)
	pk := q.m.pk()
	switch g.n(6) {
	case 0:
		q.add(fmt.Sprintf("Select(%q, %q)", pk, c.name), func(_ *side, db *gorm.DB) *gorm.DB { return db.Select(pk, c.name) })
	case 1:
		text := q.name + "." + pk + ", " + q.name + "." + c.name
		q.add(fmt.Sprintf("Select(%q)", text), func(_ *side, db *gorm.DB) *gorm.DB { return db.Select(text) })
	case 2:
		sub := g.aggregate(q.m, c, 1)
		text := q.name + "." + pk + ", (?) AS n"
		q.add(fmt.Sprintf("Select(%q, %s)", text, sub.text), func(s *side, db *gorm.DB) *gorm.DB { return db.Select(text, sub.of(s)) })
	case 3:
		q.add(fmt.Sprintf("Omit(%q)", c.field), func(_ *side, db *gorm.DB) *gorm.DB { return db.Omit(c.field) })
	case 4:
		text := "CASE WHEN " + q.name + "." + c.name + " = ? THEN 1 ELSE 2 END AS n, " + q.name + "." + pk
		v := g.value(q.m, c)
		q.add(fmt.Sprintf("Select(%q, %s)", text, code(v)), func(_ *side, db *gorm.DB) *gorm.DB { return db.Select(text, v) })
	default:
		if q.total || q.joined {
			return
		}
		q.add(fmt.Sprintf("Distinct(%q)", c.name), func(_ *side, db *gorm.DB) *gorm.DB { return db.Distinct(c.name) })
	}
	q.chosen = true
}

// group adds Group and Having.
func (q *query) group() {
	g := q.g
	if q.grouped || q.chosen || q.joined || q.total || q.calledWith("Preload") || q.calledWith("Clauses") {
		return
	}
	c := pick(g.dice, q.m.columns[1:]...)
	at := q.name + "." + c.name
	text := at + ", COUNT(*) AS n"
	q.grouped, q.chosen = true, true
	q.add(fmt.Sprintf("Select(%q)", text), func(_ *side, db *gorm.DB) *gorm.DB { return db.Select(text) })
	q.add(fmt.Sprintf("Group(%q)", at), func(_ *side, db *gorm.DB) *gorm.DB { return db.Group(at) })
	switch g.n(4) {
	case 0:
	case 1:
		q.add(`Having("COUNT(*) > ?", 1)`, func(_ *side, db *gorm.DB) *gorm.DB { return db.Having("COUNT(*) > ?", 1) })
	case 2:
		q.add(`Having("COUNT(*) > 1 OR 1 = ?", 1)`, func(_ *side, db *gorm.DB) *gorm.DB { return db.Having("COUNT(*) > 1 OR 1 = ?", 1) })
	default:
		sub := g.aggregate(q.m, q.m.columns[0], 1)
		q.add(fmt.Sprintf("Having(%q, %s)", "COUNT(*) < (?)", sub.text), func(s *side, db *gorm.DB) *gorm.DB { return db.Having("COUNT(*) < (?)", sub.of(s)) })
	}
}

// join adds an association's join, or one as text, which may be refused.
func (q *query) join() {
	g, m := q.g, q.m
	if len(m.joins) == 0 || q.grouped || !q.model || q.derived && g.oneIn(2) {
		return
	}
	q.joined = true
	if q.calledWith("Table") && !q.calledWith("Model") {
		g.refusable = true // with a destination that is no model, the name of the association is text
	}
	if g.oneIn(10) && len(m.links) > 0 {
		g.refusable = true
		l := pick(g.dice, m.links...)
		text := fmt.Sprintf("%s JOIN %s ON %s.%s = %s.%s", pick(g.dice, "", "LEFT"), l.table, l.table, l.other, q.name, l.column)
		q.add(fmt.Sprintf("Joins(%q)", text), func(_ *side, db *gorm.DB) *gorm.DB { return db.Joins(text) })
		q.total = false
		return
	}
	name := pick(g.dice, m.joins...)
	inner := g.oneIn(3)
	verb := "Joins"
	if inner {
		verb = "InnerJoins"
	}
	target := g.related(m, name)
	var on *chained
	if g.oneIn(3) && target != nil {
		on = &chained{}
		g.addWhere(on, target, "", 0, true)
		if strings.ContainsAny(on.text(), "\\/") {
			// GORM does not see an OR between line breaks or comments, and lets it out of the ON's parentheses
			// (gorm v1.31.2 clause/where.go); the plugin keeps it in.
			on = &chained{}
			c := pick(g.dice, target.columns...)
			where := map[string]any{c.name: g.value(target, c)}
			on.add("Where("+code(where)+")", func(_ *side, db *gorm.DB) *gorm.DB { return db.Where(where) })
		}
		alias := strings.ReplaceAll(name, ".", "__")
		if g.oneIn(2) && !strings.Contains(name, ".") {
			on = &chained{}
			c, d := pick(g.dice, target.columns...), pick(g.dice, target.columns...)
			text := g.quote(alias, c.name) + " = ? OR " + g.quote(alias, d.name) + " = ?"
			a, b := g.value(target, c), g.value(target, d)
			on.add(fmt.Sprintf("Where(%q, %s, %s)", text, code(a), code(b)), func(_ *side, db *gorm.DB) *gorm.DB { return db.Where(text, a, b) })
		}
		if g.oneIn(4) {
			on.add(fmt.Sprintf("Select(%q)", target.pk()), func(_ *side, db *gorm.DB) *gorm.DB { return db.Select(target.pk()) })
		}
	}
	text := fmt.Sprintf("%s(%q)", verb, name)
	if on != nil {
		text = fmt.Sprintf("%s(%q, %s)", verb, name, on.text())
	}
	q.add(text, func(s *side, db *gorm.DB) *gorm.DB {
		var args []any
		if on != nil {
			args = append(args, on.from(s, s.db))
		}
		if inner {
			return db.InnerJoins(name, args...)
		}
		return db.Joins(name, args...)
	})
}

// related finds the model at the end of a path of relations.
func (g *generator) related(m *model, path string) *model {
	t := m.typ
	for part := range strings.SplitSeq(path, ".") {
		f, ok := t.FieldByName(part)
		if !ok {
			return nil
		}
		t = f.Type
		for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
			t = t.Elem()
		}
	}
	for _, m := range g.models {
		if m.typ == t {
			return m
		}
	}
	return nil
}

// preload adds Preload, with conditions or a function now and then.
func (q *query) preload() {
	g, m := q.g, q.m
	if len(m.preloads) == 0 || q.grouped || !q.model {
		return
	}
	name := pick(g.dice, append(m.preloads, clause.Associations)...)
	target := g.related(m, name)
	var cond *condition
	var fn *chained
	switch g.n(4) {
	case 1:
		if target != nil {
			c := g.condition(target, target.table, 1)
			cond = &c
		}
	case 2:
		if target != nil {
			fn = &chained{}
			g.addWhere(fn, target, target.table, 1, true)
			if g.oneIn(2) {
				fn.add("Unscoped()", func(_ *side, db *gorm.DB) *gorm.DB { return db.Unscoped() })
			}
			fn.add("Order(\"1\")", func(_ *side, db *gorm.DB) *gorm.DB { return db.Order("1") })
		}
	}
	text := fmt.Sprintf("Preload(%q)", name)
	if cond != nil {
		text = fmt.Sprintf("Preload(%q, %s)", name, cond.text())
	}
	if fn != nil {
		text = fmt.Sprintf("Preload(%q, func(db *gorm.DB) *gorm.DB { return %s })", name, fn.text())
	}
	q.add(text, func(s *side, db *gorm.DB) *gorm.DB {
		switch {
		case cond != nil:
			return db.Preload(name, cond.all(s)...)
		case fn != nil:
			return db.Preload(name, func(db *gorm.DB) *gorm.DB { return fn.from(s, db) })
		default:
			return db.Preload(name)
		}
	})
}
