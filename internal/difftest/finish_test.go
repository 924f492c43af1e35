package difftest

import (
	"fmt"

	"gorm.io/gorm"
)

// finish adds a finisher that reads.
func (q *query) finish() step {
	if !q.model || q.grouped {
		return q.finishAny()
	}
	m := q.m
	var inline []arg
	inlined := ""
	if q.g.oneIn(4) {
		c := q.g.condition(m, q.name, 1)
		inline = append([]arg{c.query}, c.args...)
		inlined = ", " + texts(inline)
	}
	if m.ids == 0 {
		// The first column of its key is the tenant, which puts nothing in order for First and Last.
		if q.order(); !q.total {
			return q.finishAny()
		}
	}
	one := func(name string, finisher func(*gorm.DB) func(any, ...any) *gorm.DB) step {
		return q.step(fmt.Sprintf("%s(&%s{}%s)", name, m.name(), inlined), func(s *side) []outcome {
			v := m.new()
			tx := finisher(q.on(s))(v, all(inline, s)...)
			return []outcome{outcomeOf(name, tx.Error, tx.RowsAffected, true, v)}
		})
	}
	switch kind := q.g.n(16); kind {
	case 0, 1, 2, 3:
		return q.step(fmt.Sprintf("Find(&[]%s{}%s)", m.name(), inlined), func(s *side) []outcome {
			v := m.newSlice()
			tx := q.on(s).Find(v, all(inline, s)...)
			return []outcome{outcomeOf("Find", tx.Error, tx.RowsAffected, q.total, v)}
		})
	case 4:
		return one("First", func(db *gorm.DB) func(any, ...any) *gorm.DB { return db.First })
	case 5:
		return one("Last", func(db *gorm.DB) func(any, ...any) *gorm.DB { return db.Last })
	case 6:
		if q.order(); !q.total {
			return q.finishAny()
		}
		return one("Take", func(db *gorm.DB) func(any, ...any) *gorm.DB { return db.Take })
	case 7:
		size := 1 + q.g.n(3)
		if q.calledWith("Or") || q.calledWith("Scopes") || q.total || q.limited || m.ids == 0 || q.derived || q.name == "x" {
			return q.finishAny() // GORM's own condition for the next batch groups badly with Or, and needs the key's order
		}
		return q.step(fmt.Sprintf("FindInBatches(&[]%s{}, %d, collect)", m.name(), size), func(s *side) []outcome {
			v := m.newSlice()
			var got []string
			tx := q.on(s).FindInBatches(v, size, func(tx *gorm.DB, batch int) error {
				got = append(got, fmt.Sprint(batch, tx.RowsAffected), show(v))
				if batch > 20 {
					return errDeliberate
				}
				return nil
			})
			return []outcome{outcomeOf("FindInBatches", tx.Error, tx.RowsAffected, true, got)}
		})
	case 8:
		return q.firstOr("FirstOrInit")
	case 9, 10: // the same chain twice
		return q.step(fmt.Sprintf("Model(&%s{}); q.Count(&n); q.Find(&[]%s{})", m.name(), m.name()), func(s *side) []outcome {
			var n int64
			v := m.newSlice()
			reused := q.on(s).Model(m.new())
			first := reused.Count(&n)
			out := []outcome{outcomeOf("Count", first.Error, first.RowsAffected, true, n)}
			second := reused.Find(v)
			return append(out, outcomeOf("Find", second.Error, second.RowsAffected, q.total, v))
		})
	default:
		return q.finishAny()
	}
}

// finishAny adds a finisher for which the destination is not the model.
func (q *query) finishAny() step {
	m := q.m
	with := ""
	onModel := q.on
	if q.model && !q.calledWith("Model") && !q.calledWith("Table") {
		with = fmt.Sprintf("Model(&%s{}).", m.name())
		onModel = func(s *side) *gorm.DB { return q.on(s).Model(m.new()) }
	}
	switch q.g.n(7) {
	case 0:
		return q.step(with+"Find(&[]map[string]any{})", func(s *side) []outcome {
			v := []map[string]any{}
			tx := onModel(s).Find(&v)
			return []outcome{outcomeOf("Find", tx.Error, tx.RowsAffected, q.total, v)}
		})
	case 1:
		return q.step(with+"Scan(&[]dto{})", func(s *side) []outcome {
			v := []dto{}
			tx := onModel(s).Scan(&v)
			return []outcome{outcomeOf("Scan", tx.Error, tx.RowsAffected, q.total, v)}
		})
	case 2:
		c := pick(q.g.dice, m.columns...)
		if q.g.oneIn(2) && !q.grouped {
			return q.step(with+fmt.Sprintf("Pluck(%q, &[]string{})", q.name+"."+c.name), func(s *side) []outcome {
				v := []*string{}
				tx := onModel(s).Pluck(q.name+"."+c.name, &v)
				return []outcome{outcomeOf("Pluck", tx.Error, tx.RowsAffected, q.total, v)}
			})
		}
		return q.step(with+fmt.Sprintf("Pluck(%q, &[]string{})", c.name), func(s *side) []outcome {
			v := []*string{}
			tx := onModel(s).Pluck(c.name, &v)
			return []outcome{outcomeOf("Pluck", tx.Error, tx.RowsAffected, q.total, v)}
		})
	case 3:
		return q.step(with+"Count(&n)", func(s *side) []outcome {
			var n int64
			tx := onModel(s).Count(&n)
			return []outcome{outcomeOf("Count", tx.Error, tx.RowsAffected, true, n)}
		})
	case 4:
		return q.step(with+"Rows()", func(s *side) []outcome {
			db := onModel(s)
			rows, err := db.Rows()
			if err != nil {
				return []outcome{outcomeOf("Rows", err, 0, true)}
			}
			defer rows.Close() //nolint:errcheck // Err is asked below
			v := []map[string]any{}
			for rows.Next() {
				m := map[string]any{}
				if err := s.db.ScanRows(rows, &m); err != nil {
					return []outcome{outcomeOf("ScanRows", err, 0, true)}
				}
				v = append(v, m)
			}
			return []outcome{outcomeOf("Rows", rows.Err(), 0, q.total, v)}
		})
	case 5:
		return q.step(with+`Select("COUNT(*)").Row()`, func(s *side) []outcome {
			var n int64
			row := onModel(s).Select("COUNT(*)").Row()
			if row == nil { // GORM has no way to give an error here; with the plugin it comes from Scan
				return []outcome{{what: "Row", class: "other", err: errNoRow}}
			}
			err := row.Scan(&n)
			if q.grouped {
				n = 0 // of whichever group comes first
			}
			return []outcome{outcomeOf("Row", err, 0, true, n)}
		})
	default:
		return q.step(with+"Scan(&map[string]any{})", func(s *side) []outcome {
			v := []map[string]any{}
			tx := onModel(s).Scan(&v)
			return []outcome{outcomeOf("Scan", tx.Error, tx.RowsAffected, q.total, v)}
		})
	}
}

func (q *query) step(finisher string, run func(*side) []outcome) step {
	return step{text: q.text() + "." + finisher, run: run}
}

// firstOr adds FirstOrInit or FirstOrCreate, with Attrs and Assign.
func (q *query) firstOr(name string) step {
	m, g := q.m, q.g
	if m.ids == 0 {
		q.order()
	}
	for _, kind := range []string{"Attrs", "Assign"} {
		if !g.oneIn(3) {
			continue
		}
		c := pick(g.dice, m.data()...)
		values := fixed(map[string]any{c.name: g.value(m, c)})
		if g.oneIn(2) {
			values = g.fresh(func(g *generator) any {
				v := m.new()
				c := pick(g.dice, m.data()...)
				setField(elem(v), c.field, g.value(m, c))
				return v
			})
		}
		q.add(kind+"("+values.text+")", func(s *side, db *gorm.DB) *gorm.DB {
			if kind == "Attrs" {
				return db.Attrs(values.of(s))
			}
			return db.Assign(values.of(s))
		})
	}
	var inline []arg
	if g.oneIn(2) {
		inline = []arg{g.fresh(func(g *generator) any { return g.example(m) })}
	}
	return q.step(fmt.Sprintf("%s(%s)", name, texts(append([]arg{{text: "&" + m.name() + "{}"}}, inline...))), func(s *side) []outcome {
		v := m.new()
		finisher := q.on(s).FirstOrInit
		if name == "FirstOrCreate" {
			finisher = q.on(s).FirstOrCreate
		}
		tx := finisher(v, all(inline, s)...)
		return []outcome{outcomeOf(name, tx.Error, tx.RowsAffected, true, v)}
	})
}
