package difftest

import (
	"fmt"
	"reflect"
	"strings"

	"gorm.io/gorm"
)

// association makes a step in association mode.
func (g *generator) association() step {
	m := pick(g.dice, g.byTable("customers"), g.byTable("customers"), g.byTable("orders"), g.byTable("tags"), g.byTable("profiles"))
	var relations []string
	for _, p := range append(append([]string{}, m.preloads...), m.joins...) {
		if !strings.Contains(p, ".") && p != "Country" {
			relations = append(relations, p)
		}
	}
	name := pick(g.dice, relations...)
	target := g.related(m, name)
	f, _ := m.typ.FieldByName(name)
	many := f.Type.Kind() == reflect.Slice
	kind := pick(g.dice, "Find", "Count", "Append", "Replace", "Delete", "Clear", "Append", "Replace")
	g.writes = kind != "Find" && kind != "Count"

	var c chained
	if g.oneIn(6) {
		g.session(&c)
	}
	owner, ownerText := g.owner(m)
	if !g.writes && g.oneIn(3) {
		g.addWhere(&c, target, target.table, 1, true)
	}
	unscoped := g.writes && g.oneIn(8)
	start := func(s *side) (*gorm.Association, any) {
		v := owner(s)
		a := c.on(s).Model(v).Association(name)
		if unscoped {
			a = a.Unscoped()
		}
		return a, v
	}
	text := fmt.Sprintf("%s.Model(%s).Association(%q)", c.text(), ownerText, name)
	if unscoped {
		text += ".Unscoped()"
	}
	switch kind {
	case "Find":
		return step{text: text + fmt.Sprintf(".Find(&[]%s{})", target.name()), run: func(s *side) []outcome {
			a, _ := start(s)
			into := target.newSlice()
			return []outcome{outcomeOf("Find", a.Find(into), 0, false, into)}
		}}
	case "Count":
		return step{text: text + ".Count()", run: func(s *side) []outcome {
			a, _ := start(s)
			n := a.Count()
			return []outcome{outcomeOf("Count", a.Error, n, true)}
		}}
	case "Clear":
		return step{text: text + ".Clear()", run: func(s *side) []outcome {
			a, v := start(s)
			return []outcome{outcomeOf("Clear", a.Clear(), 0, true, v)}
		}}
	}
	value := g.fresh(func(g *generator) any {
		if !many || g.oneIn(2) {
			return g.relative(target, 0)
		}
		s := reflect.New(reflect.SliceOf(target.typ))
		for range 1 + g.n(2) {
			s.Elem().Set(reflect.Append(s.Elem(), elem(g.relative(target, 0))))
		}
		return s.Interface()
	})
	if g.strange { // links and foreign keys to another tenant's rows
		g.refusable = true
	}
	return step{text: fmt.Sprintf("%s.%s(%s)", text, kind, value.text), run: func(s *side) []outcome {
		a, v := start(s)
		if a.Error != nil {
			return []outcome{outcomeOf(kind, a.Error, 0, true)}
		}
		x := value.of(s)
		var err error
		switch kind {
		case "Append":
			err = a.Append(x)
		case "Replace":
			err = a.Replace(x)
		default:
			err = a.Delete(x)
		}
		return []outcome{outcomeOf(kind, err, 0, true, v, x)}
	}}
}

// owner is the model of association mode: a row that was loaded, one with its key alone, or several.
func (g *generator) owner(m *model) (func(*side) any, string) {
	switch g.n(5) {
	case 0, 1:
		id := g.ownID(m.table)
		return func(s *side) any {
			v := m.new()
			s.db.Limit(1).Find(v, id)
			return v
		}, fmt.Sprintf("First(%d)", id)
	case 2:
		a, b := g.ownID(m.table), g.ownID(m.table)
		return func(s *side) any {
			v := m.newSlice()
			s.db.Order("id").Find(v, []uint{a, b})
			return v
		}, fmt.Sprintf("Find(%d, %d)", a, b)
	default:
		v := g.fresh(func(g *generator) any { return g.keyed(m) })
		return v.of, v.text
	}
}
