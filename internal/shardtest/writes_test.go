package shardtest

import (
	"fmt"
	"maps"
	"reflect"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// write makes a chain that changes rows.
func (g *generator) write() chain {
	f := g.f
	t := pick(g.d, f.orders, f.orders, f.lines, f.profiles, f.events)
	var c chain
	switch g.d.n(10) {
	case 0, 1:
		c = g.create(t)
	case 2:
		c = g.upsert(t)
	case 3:
		c = g.save(t)
	case 4:
		c = g.remove(t)
	case 5:
		c = g.exec(t)
	case 6:
		c = g.ofRow(t)
	default:
		c = g.update(t)
	}
	c.writes = true
	return c
}

// newRows makes rows with new primary keys, or those of the fixture.
func (g *generator) newRows(t *table, n int) reflect.Value {
	rows := reflect.MakeSlice(reflect.SliceOf(t.row), n, n)
	for i := range n {
		g.serial++
		g.w.fill(g.d, t, rows.Index(i), g.serial)
		if t.tenant {
			rows.Index(i).FieldByName("TenantID").SetString(tenants()[0])
		}
	}
	return rows
}

// copied returns a pointer to a copy, since what is written may be changed.
func copied(rows reflect.Value) reflect.Value {
	p := reflect.New(rows.Type())
	if rows.Kind() != reflect.Slice {
		p.Elem().Set(rows)
		return p
	}
	p.Elem().Set(reflect.AppendSlice(reflect.MakeSlice(rows.Type(), 0, rows.Len()), rows))
	return p
}

func (g *generator) create(t *table) chain {
	c := chain{start: part{text: "db"}, binds: true}
	n := pick(g.d, 1, 2, 5)
	rows := g.newRows(t, n)
	if t == g.f.orders && g.d.oneIn(3) {
		for i := range n {
			of := g.newRows(g.f.lines, 1+g.d.n(2))
			rows.Index(i).FieldByName("Lines").Set(of)
		}
	}
	switch g.d.n(4) {
	case 1:
		c.parts = append(c.parts, part{text: "Session(SkipDefaultTransaction)", apply: func(_ *side, db *gorm.DB) *gorm.DB {
			return db.Session(&gorm.Session{SkipDefaultTransaction: true})
		}})
		c.steps = true
		c.finish = finisher{text: "CreateInBatches(2, " + show(rows) + ")", run: func(_ *side, db *gorm.DB) outcome {
			into := copied(rows)
			return outcomeOf(db.CreateInBatches(into.Interface(), 2), t, into.Interface())
		}}
		return c
	case 2:
		values := make([]map[string]any, n)
		for i := range values {
			values[i] = map[string]any{}
			for _, column := range t.columns {
				values[i][column.name] = rows.Index(i).FieldByName(column.field).Interface()
			}
			if t.tenant {
				values[i]["tenant_id"] = tenants()[0]
			}
		}
		c.parts = append(c.parts, modelOf(t))
		c.finish = finisher{text: fmt.Sprint("Create(maps ", show(reflect.ValueOf(values)), ")"), run: func(_ *side, db *gorm.DB) outcome {
			into := make([]map[string]any, n)
			for i := range values {
				into[i] = maps.Clone(values[i])
			}
			tx := db.Create(&into)
			return outcome{err: tx.Error, affected: tx.RowsAffected}
		}}
		return c
	}
	if n == 1 {
		rows = rows.Index(0)
	}
	c.finish = finisher{text: "Create(" + show(rows) + ")", run: func(_ *side, db *gorm.DB) outcome {
		into := copied(rows)
		return outcomeOf(db.Create(into.Interface()), t, into.Interface())
	}}
	return c
}

// existing is a row of the fixture, of the tenant's own.
func (g *generator) existing(t *table) reflect.Value {
	all := g.w.own(t)
	row := reflect.New(t.row).Elem()
	row.Set(all[g.d.n(len(all))].Elem())
	return row
}

// change gives a row new values, but its keys.
func (g *generator) change(t *table, row reflect.Value) {
	for range 1 + g.d.n(3) {
		if c := pick(g.d, t.columns...); c.name != "id" && c.kind < numberKey {
			setField(row.FieldByName(c.field), g.w.value(g.d, c))
		}
	}
}

func (g *generator) upsert(t *table) chain {
	rows := g.newRows(t, 1+g.d.n(3))
	for i := range rows.Len() {
		if g.d.oneIn(2) { // with its own key
			row := g.existing(t)
			g.change(t, row)
			rows.Index(i).Set(row)
		}
	}
	oc := clause.OnConflict{Columns: []clause.Column{{Name: "id"}}}
	switch g.d.n(3) {
	case 0:
		oc.UpdateAll = true
	case 1:
		oc.DoNothing = true
	default:
		oc.DoUpdates = clause.AssignmentColumns([]string{pick(g.d, t.columns[2:]...).name})
	}
	return chain{
		start: part{text: "db"}, binds: true,
		parts: []part{{text: fmt.Sprintf("Clauses(%+v)", oc), apply: func(_ *side, db *gorm.DB) *gorm.DB { return db.Clauses(oc) }}},
		finish: finisher{text: "Create(" + show(rows) + ")", run: func(_ *side, db *gorm.DB) outcome {
			into := copied(rows)
			tx := db.Create(into.Interface())
			return outcome{err: tx.Error, affected: tx.RowsAffected} // each database gives something else back
		}},
	}
}

func (g *generator) save(t *table) chain {
	row := g.existing(t)
	g.change(t, row)
	if g.d.oneIn(4) {
		row = g.newRows(t, 1).Index(0)
	}
	return chain{start: part{text: "db"}, binds: true, finish: finisher{text: "Save(" + show(row) + ")", run: func(_ *side, db *gorm.DB) outcome {
		into := copied(row)
		return outcomeOf(db.Save(into.Interface()), t, into.Interface())
	}}}
}

// assignments makes what an update sets.
func (g *generator) assignments(t *table) map[string]any {
	set := map[string]any{}
	for range 1 + g.d.n(2) {
		c := pick(g.d, t.columns[2:]...)
		switch {
		case c.name == "id" || c.kind >= numberKey && !g.d.oneIn(4):
		case c.kind == integer && g.d.oneIn(3):
			set[c.name] = gorm.Expr(c.name+" + ?", 1)
		default:
			set[c.name] = g.w.value(g.d, c)
		}
	}
	if len(set) == 0 {
		set[t.columns[len(t.columns)-1].name] = nil
	}
	return set
}

func (g *generator) update(t *table) chain {
	c := chain{start: modelOf(t)}
	for range g.d.n(3) {
		c.parts = append(c.parts, g.where(t))
	}
	if g.d.oneIn(8) {
		c.parts = append(c.parts, part{text: "Limit(2)", limits: true, apply: func(_ *side, db *gorm.DB) *gorm.DB { return db.Order("id").Limit(2) }})
	}
	set := g.assignments(t)
	shown := show(reflect.ValueOf(set))
	switch g.d.n(4) {
	case 1:
		c.finish = finisher{text: "UpdateColumns(" + shown + ")", run: func(_ *side, db *gorm.DB) outcome {
			tx := db.UpdateColumns(set)
			return outcome{err: tx.Error, affected: tx.RowsAffected}
		}}
	case 2:
		model := g.partial(t)
		c.binds = reflect.ValueOf(model).Elem().IsZero() // then nothing is sent
		c.finish = finisher{text: "Updates(" + literal(model) + ")", run: func(_ *side, db *gorm.DB) outcome {
			tx := db.Updates(copied(reflect.ValueOf(model).Elem()).Interface())
			return outcome{err: tx.Error, affected: tx.RowsAffected}
		}}
	case 3:
		if g.w.engine.dialect != "mysql" {
			c.parts = append(c.parts, part{text: "Clauses(Returning)", apply: func(_ *side, db *gorm.DB) *gorm.DB { return db.Clauses(clause.Returning{}) }})
			c.start = part{text: "db"}
			c.finish = finisher{text: "Model(&rows).Updates(" + shown + ")", run: func(_ *side, db *gorm.DB) outcome {
				into := t.newSlice()
				tx := db.Model(into).Updates(set)
				return outcomeOf(tx, t, into)
			}}
			return c
		}
		fallthrough
	default:
		c.finish = finisher{text: "Updates(" + shown + ")", run: func(_ *side, db *gorm.DB) outcome {
			tx := db.Updates(set)
			return outcome{err: tx.Error, affected: tx.RowsAffected}
		}}
	}
	return c
}

func (g *generator) remove(t *table) chain {
	var c chain
	c.start = part{text: "db"}
	if t == g.f.orders && g.d.oneIn(3) {
		c.parts = append(c.parts, part{text: "Unscoped()", apply: func(_ *side, db *gorm.DB) *gorm.DB { return db.Unscoped() }})
	}
	for range g.d.n(3) {
		c.parts = append(c.parts, g.where(t))
	}
	c.finish = finisher{text: "Delete(" + t.row.String() + ")", run: func(_ *side, db *gorm.DB) outcome {
		tx := db.Delete(t.new())
		return outcome{err: tx.Error, affected: tx.RowsAffected}
	}}
	return c
}

// ofRow writes to rows of the fixture, as they were read.
func (g *generator) ofRow(t *table) chain {
	row := g.existing(t)
	c := chain{start: part{text: "db"}, binds: true}
	switch g.d.n(4) {
	case 1:
		c.finish = finisher{text: "Delete(" + show(row) + ")", run: func(_ *side, db *gorm.DB) outcome {
			tx := db.Delete(copied(row).Interface())
			return outcome{err: tx.Error, affected: tx.RowsAffected}
		}}
	case 2:
		other := g.existing(t)
		rows := reflect.MakeSlice(reflect.SliceOf(t.row), 2, 2)
		rows.Index(0).Set(row)
		rows.Index(1).Set(other)
		c.finish = finisher{text: "Delete(" + show(rows) + ")", run: func(_ *side, db *gorm.DB) outcome {
			tx := db.Delete(copied(rows).Interface())
			return outcome{err: tx.Error, affected: tx.RowsAffected}
		}}
	case 3:
		id := row.FieldByName("ID").Int()
		c.binds = false
		c.finish = finisher{text: fmt.Sprintf("Delete(%s, %d)", t.row, id), run: func(_ *side, db *gorm.DB) outcome {
			tx := db.Delete(t.new(), id)
			return outcome{err: tx.Error, affected: tx.RowsAffected}
		}}
	default:
		set := g.assignments(t)
		c.finish = finisher{text: "Model(" + show(row) + ").Updates(" + show(reflect.ValueOf(set)) + ")", run: func(_ *side, db *gorm.DB) outcome {
			tx := db.Model(copied(row).Interface()).Updates(set)
			return outcome{err: tx.Error, affected: tx.RowsAffected}
		}}
	}
	return c
}

// exec writes with text.
func (g *generator) exec(t *table) chain {
	where := g.condition(t, 2)
	text := "UPDATE " + t.name + " SET " + pick(g.d, t.columns[2:]...).name + " = NULL WHERE " + where.text
	switch g.d.n(4) {
	case 0:
		text = "DELETE FROM " + t.name + " WHERE " + where.text
	case 1:
		column := g.columnOf(t, integer).name
		if column == "id" {
			column = t.columns[len(t.columns)-1].name
			text = "UPDATE " + t.name + " SET " + column + " = " + column + " WHERE " + where.text
			break
		}
		text = "UPDATE " + t.name + " SET " + column + " = " + column + " * 2 WHERE " + where.text
	}
	return chain{start: part{text: "db"}, binds: where.binds, finish: finisher{
		text: "Exec(" + condition{text: text, args: where.args}.String() + ")",
		run: func(s *side, db *gorm.DB) outcome {
			tx := db.Exec(text, where.on(s)...)
			return outcome{err: tx.Error, affected: tx.RowsAffected}
		},
	}}
}
