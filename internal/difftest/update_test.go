package difftest

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// aim begins a write on rows that are there: by model, key or table, with conditions.
func (g *generator) aim(m *model) (c *chained, model arg) {
	c = &chained{}
	if g.oneIn(5) {
		g.session(c)
	}
	model = arg{}
	byKey := false
	switch g.n(8) {
	case 0, 1, 2:
		model = arg{fmt.Sprintf("&%s{}", m.name()), func(*side) any { return m.new() }}
	case 3, 4:
		model = g.fresh(func(g *generator) any { return g.keyed(m) })
		byKey = true
	case 5:
		if m.ids == 0 {
			model = arg{fmt.Sprintf("&%s{}", m.name()), func(*side) any { return m.new() }}
			break
		}
		id := g.ownID(m.table)
		byKey = true
		model = arg{fmt.Sprintf("First(%d)", id), func(s *side) any {
			v := m.new()
			s.db.Limit(1).Find(v, id)
			return v
		}}
	case 6:
		model = g.fresh(func(g *generator) any {
			s := reflect.New(reflect.SliceOf(m.typ))
			for range 1 + g.n(2) {
				s.Elem().Set(reflect.Append(s.Elem(), elem(g.keyed(m))))
			}
			return s.Interface()
		})
		byKey = true
	default:
		c.add(fmt.Sprintf("Table(%q)", m.table), func(_ *side, db *gorm.DB) *gorm.DB { return db.Table(m.table) })
	}
	wheres := g.n(3)
	if wheres == 0 && !byKey && !g.oneIn(3) {
		wheres = 1
	}
	for i := range wheres {
		g.addWhere(c, m, pick(g.dice, "", m.table), 1, i == 0)
	}
	if g.oneIn(6) {
		c.add("Unscoped()", func(_ *side, db *gorm.DB) *gorm.DB { return db.Unscoped() })
	}
	if g.dialect == "mysql" && g.oneIn(6) {
		pk, n := m.pk(), 1+g.n(2)
		c.add(fmt.Sprintf("Order(%q).Limit(%d)", pk, n), func(_ *side, db *gorm.DB) *gorm.DB { return db.Order(pk).Limit(n) })
	}
	if g.dialect != "mysql" && g.oneIn(6) {
		c.add("Clauses(clause.Returning{})", func(_ *side, db *gorm.DB) *gorm.DB { return db.Clauses(clause.Returning{}) })
	}
	return c, model
}

// written is what a write has left of its model. RETURNING gives the rows in no order, so which of them a single struct
// ends up with says nothing.
func (c *chained) written(model any) any {
	if slices.Contains(c.calls, "Clauses(clause.Returning{})") && reflect.Indirect(reflect.ValueOf(model)).Kind() == reflect.Struct {
		return nil
	}
	return model
}

// keyed is a row with a key alone. To aim at another tenant's row is to aim at none.
func (g *generator) keyed(m *model) any {
	v := m.new()
	if m.ids == 0 {
		elem(v).FieldByName("Name").SetString(pick(g.dice, "ann", "bob", "zoe"))
		return v
	}
	elem(v).FieldByName("ID").SetUint(uint64(g.anyID(m.table)))
	return v
}

// update makes a step that updates.
func (g *generator) update() step {
	g.writes = true
	m := pick(g.dice, g.models...)
	c, model := g.aim(m)
	if model.of != nil && g.oneIn(5) {
		g.narrow(c, m)
	}
	finisher := func(name string, args []arg, run func(*gorm.DB, []any) *gorm.DB) step {
		text := c.text()
		if model.of != nil {
			text = strings.Replace(text, "db", "db.Model("+model.text+")", 1)
		}
		return step{text: fmt.Sprintf("%s.%s(%s)", text, name, texts(args)), run: func(s *side) []outcome {
			db := s.db
			var v any
			if model.of != nil {
				v = model.of(s)
				db = db.Model(v)
			}
			tx := run(c.from(s, db), all(args, s))
			return []outcome{outcomeOf(name, tx.Error, tx.RowsAffected, false, c.written(v))}
		}}
	}
	switch kind := g.n(6); kind {
	case 0, 1:
		column, value := g.assignment(m)
		if kind == 1 && g.oneIn(2) {
			return finisher("UpdateColumn", []arg{column, value}, func(db *gorm.DB, a []any) *gorm.DB { return db.UpdateColumn(as[string](a[0]), a[1]) })
		}
		return finisher("Update", []arg{column, value}, func(db *gorm.DB, a []any) *gorm.DB { return db.Update(as[string](a[0]), a[1]) })
	case 2, 3:
		n := 1 + g.n(2)
		columns, values := make([]arg, n), make([]arg, n)
		var items []string
		for i := range n {
			columns[i], values[i] = g.assignment(m)
			items = append(items, columns[i].text+": "+values[i].text)
		}
		set := arg{"map[string]any{" + strings.Join(items, ", ") + "}", func(s *side) any {
			out := map[string]any{}
			for i := range columns {
				out[as[string](columns[i].of(s))] = values[i].of(s)
			}
			return out
		}}
		if kind == 3 && g.oneIn(2) {
			return finisher("UpdateColumns", []arg{set}, func(db *gorm.DB, a []any) *gorm.DB { return db.UpdateColumns(a[0]) })
		}
		return finisher("Updates", []arg{set}, func(db *gorm.DB, a []any) *gorm.DB { return db.Updates(a[0]) })
	case 4:
		set := g.fresh(func(g *generator) any {
			v := m.new()
			for range 1 + g.n(2) {
				g.setOne(m, elem(v), pick(g.dice, m.columns[1:]...))
			}
			if m.ids > 0 && g.oneIn(4) {
				elem(v).FieldByName("ID").SetUint(uint64(g.writtenID(m.table)))
			}
			if g.oneIn(6) {
				g.nest(m, elem(v), 0)
			}
			return v
		})
		return finisher("Updates", []arg{set}, func(db *gorm.DB, a []any) *gorm.DB { return db.Updates(a[0]) })
	default:
		set := g.fresh(func(g *generator) any {
			col := pick(g.dice, m.data()...)
			return clause.Assignments(map[string]any{col.name: g.value(m, col)})
		})
		if model.of == nil {
			model = arg{fmt.Sprintf("&%s{}", m.name()), func(*side) any { return m.new() }}
		}
		return finisher("Clauses(set).Updates", []arg{set}, func(db *gorm.DB, a []any) *gorm.DB {
			return db.Clauses(as[clause.Set](a[0])).Updates(map[string]any{})
		})
	}
}

// assignment is a column and what it is set to.
func (g *generator) assignment(m *model) (name, value arg) {
	if g.oneIn(16) {
		id := pick(g.dice, subject, tenants()[1])
		g.refusable = g.refusable || id != subject
		return fixed(pick(g.dice, "tenant_id", "TenantID")), fixed(id)
	}
	c := pick(g.dice, m.columns[1:]...)
	spelled := fixed(pick(g.dice, c.name, c.field, c.name))
	switch {
	case c.kind == foreign && g.oneIn(4):
		g.refusable = true // leads to whatever row has the key
		return spelled, fixed(gorm.Expr(c.name + " + 1"))
	case c.kind == foreign && g.oneIn(4):
		return spelled, fixed(nil)
	case c.kind == foreign:
		return spelled, fixed(g.writtenID(c.to))
	case c.kind == number && g.oneIn(3):
		return spelled, fixed(gorm.Expr(c.name+" + ?", g.n(3)+1))
	case c.kind == number && g.oneIn(3):
		from := g.byTable(pick(g.dice, "orders", "customers", "settings"))
		return spelled, g.aggregate(from, from.data()[len(from.data())-1-b2i(from.table != "settings")], 1)
	case c.kind == text && g.oneIn(6):
		return spelled, fixed(gorm.Expr("LOWER("+c.name+")", []any{}...))
	}
	return spelled, fixed(g.value(m, c))
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// remove makes a step that deletes.
func (g *generator) remove() step {
	g.writes = true
	m := pick(g.dice, g.models...)
	c, model := g.aim(m)
	if model.of == nil { // Table
		model = arg{fmt.Sprintf("&%s{}", m.name()), func(*side) any { return m.new() }}
	}
	if len(m.preloads) > 0 && g.oneIn(6) {
		relation := pick(g.dice, append(m.preloads, clause.Associations)...)
		c.add(fmt.Sprintf("Select(%q)", relation), func(_ *side, db *gorm.DB) *gorm.DB { return db.Select(relation) })
	}
	var inline []arg
	inlined := ""
	if g.oneIn(3) {
		cond := g.condition(m, "", 1)
		inline = append([]arg{cond.query}, cond.args...)
		inlined = ", " + texts(inline)
	}
	return step{text: fmt.Sprintf("%s.Delete(%s%s)", c.text(), model.text, inlined), run: func(s *side) []outcome {
		v := model.of(s)
		tx := c.on(s).Delete(v, all(inline, s)...)
		return []outcome{outcomeOf("Delete", tx.Error, tx.RowsAffected, false, c.written(v))}
	}}
}
