package difftest

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// row is a row to be written, with rows of its relations down to a depth.
func (g *generator) row(m *model, depth int) any {
	v := m.new()
	e := elem(v)
	if m.ids > 0 {
		switch g.n(10) {
		case 7:
			e.FieldByName("ID").SetUint(uint64(500 + g.n(3)))
		case 8:
			e.FieldByName("ID").SetUint(uint64(g.writtenID(m.table)))
		}
	}
	for _, c := range m.columns[1:] {
		g.setOne(m, e, c)
	}
	if m.ids == 0 {
		e.FieldByName("Name").SetString(pick(g.dice, "n1", "n2", "ann", "bob"))
	}
	switch g.n(12) {
	case 10:
		e.FieldByName("TenantID").SetString(subject)
	case 11:
		if g.oneIn(4) {
			g.refusable = true
			e.FieldByName("TenantID").SetString(tenants()[1])
		}
	}
	if depth > 0 {
		for range g.n(3) {
			g.nest(m, e, depth-1)
		}
	}
	return v
}

// setOne sets a column of a row to be written; natural keys are mostly new.
func (g *generator) setOne(m *model, e reflect.Value, c column) {
	switch {
	case c.name == "code" || c.name == "label":
		e.FieldByName(c.field).SetString(pick(g.dice, "n1", "n2", "n3", "n4", "n5", "n6", "n7", m.data()[0].name, "c1", "t2"))
	case c.kind == foreign && m.table == "notes":
		kind := pick(g.dice, "customers", "orders")
		e.FieldByName("OwnerID").SetUint(uint64(g.writtenID(kind)))
		e.FieldByName("OwnerType").SetString(kind)
	case c.name == "owner_type":
	case c.kind == foreign:
		if g.oneIn(2) {
			setField(e, c.field, g.writtenID(c.to))
		}
	case g.oneIn(4):
	case c.kind == number:
		setField(e, c.field, g.n(7))
	default:
		setField(e, c.field, g.value(m, c))
	}
}

// nest puts rows into a relation of e.
func (g *generator) nest(m *model, e reflect.Value, depth int) {
	var relations []string
	for _, p := range append(append([]string{}, m.preloads...), m.joins...) {
		if !strings.Contains(p, ".") {
			relations = append(relations, p)
		}
	}
	if len(relations) == 0 {
		return
	}
	f := e.FieldByName(pick(g.dice, relations...))
	t := f.Type()
	for t.Kind() == reflect.Slice || t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == reflect.TypeFor[Country]() {
		f.Set(reflect.ValueOf(&Country{ID: g.ownID("countries")}))
		return
	}
	var target *model
	for _, other := range g.models {
		if other.typ == t {
			target = other
		}
	}
	one := func() reflect.Value { return elem(g.relative(target, depth)) }
	switch f.Kind() {
	case reflect.Slice:
		s := reflect.MakeSlice(f.Type(), 0, 2)
		for range 1 + g.n(2) {
			s = reflect.Append(s, one())
		}
		f.Set(s)
	default:
		f.Set(one().Addr())
	}
}

// relative is a row for a relation: a new one, or one that is there already.
func (g *generator) relative(m *model, depth int) any {
	if m.ids > 0 && g.oneIn(3) {
		v := m.new()
		elem(v).FieldByName("ID").SetUint(uint64(g.writtenID(m.table)))
		if g.oneIn(2) {
			g.setOne(m, elem(v), pick(g.dice, m.columns[1:]...))
		}
		return v
	}
	return g.row(m, depth)
}

// rows is a slice of rows, or of pointers to rows.
func (g *generator) rows(m *model, depth int) any {
	n := 1 + g.n(3)
	if g.oneIn(3) {
		s := reflect.MakeSlice(reflect.SliceOf(reflect.PointerTo(m.typ)), 0, n)
		for range n {
			s = reflect.Append(s, reflect.ValueOf(g.row(m, depth)))
		}
		return s.Interface()
	}
	s := reflect.New(reflect.SliceOf(m.typ))
	for range n {
		s.Elem().Set(reflect.Append(s.Elem(), elem(g.row(m, depth))))
	}
	return s.Interface()
}

// values is a row as a map, by column or field name; without a model GORM knows no fields.
func (g *generator) values(m *model, modelled bool) map[string]any {
	spell := func(c, field string) string {
		if name := pick(g.dice, c, field); modelled {
			return name
		}
		return c
	}
	e := elem(g.row(m, 0))
	out := map[string]any{}
	for _, c := range m.columns {
		f := e.FieldByName(c.field)
		if f.IsZero() {
			continue
		}
		out[spell(c.name, c.field)] = reflect.Indirect(f).Interface()
	}
	if len(out) == 0 { // GORM cannot upsert a row without columns
		out[m.data()[0].name] = g.value(m, m.data()[0])
	}
	if id := e.FieldByName("TenantID").String(); id != "" {
		out[spell("tenant_id", "TenantID")] = id
	}
	if c := m.columns[1]; c.kind == number && g.oneIn(6) {
		delete(out, c.field)
		out[c.name] = gorm.Expr("1 + ?", 2)
	}
	return out
}

// rowNumber is what GORM puts into maps beside the row.
var rowNumber = regexp.MustCompile(`@id:\d+ ?`)

// create makes a step that creates rows.
func (g *generator) create() step {
	g.writes = true
	m := pick(g.dice, g.models...)
	var c chained
	if g.oneIn(4) {
		g.session(&c)
	}
	g.narrow(&c, m)
	if g.oneIn(3) {
		g.onConflict(&c, m)
	}
	if g.oneIn(6) {
		c.add("Clauses(clause.Returning{})", func(_ *side, db *gorm.DB) *gorm.DB { return db.Clauses(clause.Returning{}) })
	}
	finisher := func(name string, value arg, with func(*gorm.DB) func(any) *gorm.DB) step {
		return step{text: fmt.Sprintf("%s.%s(%s)", c.text(), name, value.text), run: func(s *side) []outcome {
			v := value.of(s)
			tx := with(c.on(s))(v)
			o := outcomeOf(name, tx.Error, tx.RowsAffected, true, v)
			if m.ids == 0 { // SQLite's number of a row without a generated key, or of the row before it
				for i := range o.values {
					o.values[i] = rowNumber.ReplaceAllString(o.values[i], "")
				}
			}
			return []outcome{o}
		}}
	}
	plain := func(db *gorm.DB) func(any) *gorm.DB { return db.Create }
	switch g.n(8) {
	case 0, 1, 2:
		return finisher("Create", g.fresh(func(g *generator) any { return g.row(m, 2) }), plain)
	case 3, 4:
		return finisher("Create", g.fresh(func(g *generator) any { return g.rows(m, 1) }), plain)
	case 5:
		size := 1 + g.n(2)
		return finisher(fmt.Sprintf("CreateInBatches(%d)", size), g.fresh(func(g *generator) any { return g.rows(m, 1) }), func(db *gorm.DB) func(any) *gorm.DB {
			return func(v any) *gorm.DB { return db.CreateInBatches(v, size) }
		})
	default:
		modelled := !g.oneIn(3)
		if !modelled {
			c.add(fmt.Sprintf("Table(%q)", m.table), func(_ *side, db *gorm.DB) *gorm.DB { return db.Table(m.table) })
		} else {
			c.add(fmt.Sprintf("Model(&%s{})", m.name()), func(_ *side, db *gorm.DB) *gorm.DB { return db.Model(m.new()) })
		}
		return finisher("Create", g.fresh(func(g *generator) any {
			switch g.n(4) {
			case 0:
				return g.values(m, modelled)
			case 1:
				v := g.values(m, modelled)
				return &v
			case 2:
				return []map[string]any{g.values(m, modelled), g.values(m, modelled)}
			default:
				return &[]map[string]any{g.values(m, modelled), g.values(m, modelled)}
			}
		}), plain)
	}
}

// narrow adds Select or Omit for what is written.
func (g *generator) narrow(c *chained, m *model) {
	switch g.n(6) {
	case 4:
		omit := pick(g.dice, append(m.preloads, m.columns[1].field, clause.Associations)...)
		c.add(fmt.Sprintf("Omit(%q)", omit), func(_ *side, db *gorm.DB) *gorm.DB { return db.Omit(omit) })
	case 5:
		fields := []string{}
		for _, col := range m.columns[1:] {
			if g.oneIn(2) || col.field == "Name" && m.ids == 0 || col.name == "code" || col.name == "label" {
				fields = append(fields, pick(g.dice, col.field, col.name))
			}
		}
		if m.ids == 0 {
			fields = append(fields, "Name")
		}
		if len(m.preloads) > 0 && g.oneIn(2) {
			fields = append(fields, pick(g.dice, m.preloads...))
		}
		if len(fields) > 0 {
			c.add("Select("+code(fields)+")", func(_ *side, db *gorm.DB) *gorm.DB { return db.Select(fields) })
		}
	}
}

// onConflict adds a conflict clause.
func (g *generator) onConflict(c *chained, m *model) {
	pk := []clause.Column{{Name: m.pk()}}
	natural := pk
	switch m.table {
	case "customers":
		natural = []clause.Column{{Name: "tenant_id"}, {Name: "code"}}
	case "tags":
		natural = []clause.Column{{Name: "tenant_id"}, {Name: "label"}}
	case "settings":
		pk = []clause.Column{{Name: "tenant_id"}, {Name: "name"}}
		natural = pk
	}
	target := pick(g.dice, pk, natural)
	col := pick(g.dice, m.data()...)
	var oc clause.OnConflict
	switch g.n(8) {
	case 0:
		oc = clause.OnConflict{DoNothing: true}
	case 1:
		oc = clause.OnConflict{UpdateAll: true}
	case 2:
		oc = clause.OnConflict{Columns: target, UpdateAll: true}
	case 3:
		oc = clause.OnConflict{Columns: target, DoUpdates: clause.AssignmentColumns([]string{col.name})}
	case 4:
		oc = clause.OnConflict{Columns: target, DoUpdates: clause.Assignments(map[string]any{col.name: g.value(m, col)})}
	case 5:
		text := m.table + "." + col.name
		oc = clause.OnConflict{Columns: target, DoUpdates: clause.Assignments(map[string]any{col.name: gorm.Expr(text)})}
		if col.kind == number {
			oc.DoUpdates[0].Value = gorm.Expr(text+" + ?", 1)
		}
	case 6:
		oc = clause.OnConflict{Columns: target, DoNothing: true}
	default:
		oc = clause.OnConflict{
			Columns: target, DoUpdates: clause.AssignmentColumns([]string{col.name}),
			Where: clause.Where{Exprs: []clause.Expression{
				clause.Neq{Column: clause.Column{Table: m.table, Name: col.name}, Value: g.value(m, col)},
				clause.Or(clause.Eq{Column: clause.Column{Table: m.table, Name: m.pk()}, Value: g.value(m, m.columns[0])}),
			}},
		}
	}
	c.add("Clauses("+code(oc)+")", func(_ *side, db *gorm.DB) *gorm.DB { return db.Clauses(oc) })
}

// save makes a step that saves rows.
func (g *generator) save() step {
	g.writes = true
	m := pick(g.dice, g.models...)
	var c chained
	if g.oneIn(4) {
		g.session(&c)
	}
	if g.oneIn(5) {
		g.narrow(&c, m)
	}
	if m.ids > 0 && g.oneIn(3) { // a row that was loaded before
		id := g.writtenID(m.table)
		col := pick(g.dice, m.columns[1:]...)
		change := g.fresh(func(g *generator) any {
			v := m.new()
			g.setOne(m, elem(v), col)
			return v
		})
		return step{text: fmt.Sprintf("v := First(&%s{}, %d); copy %s; %s.Save(v)", m.name(), id, change.text, c.text()), run: func(s *side) []outcome {
			v := m.new()
			if err := s.db.First(v, id).Error; err != nil {
				return []outcome{outcomeOf("First", err, 0, true)}
			}
			from := elem(change.of(s))
			for _, col := range m.columns {
				if f := from.FieldByName(col.field); !f.IsZero() {
					elem(v).FieldByName(col.field).Set(f)
				}
			}
			tx := c.on(s).Save(v)
			return []outcome{outcomeOf("Save", tx.Error, tx.RowsAffected, true, v)}
		}}
	}
	value := g.fresh(func(g *generator) any {
		if g.oneIn(3) {
			return g.rows(m, 1)
		}
		v := g.row(m, 1)
		if m.ids > 0 && !g.oneIn(4) {
			elem(v).FieldByName("ID").SetUint(uint64(g.writtenID(m.table)))
		}
		return v
	})
	return step{text: fmt.Sprintf("%s.Save(%s)", c.text(), value.text), run: func(s *side) []outcome {
		v := value.of(s)
		tx := c.on(s).Save(v)
		return []outcome{outcomeOf("Save", tx.Error, tx.RowsAffected, true, v)}
	}}
}

// firstOrCreate makes a step that looks for a row before it creates it.
func (g *generator) firstOrCreate() step {
	g.writes = true
	q := &query{g: g, m: pick(g.dice, g.models...), model: true}
	q.name = q.m.table
	for range g.n(3) {
		g.addWhere(&q.chained, q.m, q.name, 1, len(q.calls) == 0)
	}
	s := q.firstOr("FirstOrCreate")
	g.refusable = g.refusable || g.strange // the conditions become the row
	return s
}
