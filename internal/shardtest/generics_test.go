package shardtest

import (
	"fmt"
	"reflect"

	"gorm.io/gorm"
)

// generic runs one statement of gorm.G on the rows of a condition.
type generic func(s *side, db *gorm.DB, what string, where condition, limit int) outcome

func genericOf[T any](t *table) generic {
	return func(s *side, db *gorm.DB, what string, where condition, limit int) outcome {
		q := gorm.G[T](db).Where(where.text, where.on(s)...)
		switch what {
		case "First":
			first, err := q.First(s.ctx)
			return outcome{err: err, rows: rowsOf(t, reflect.ValueOf(&first))}
		case "Count":
			n, err := q.Count(s.ctx, "*")
			return outcome{err: err, rows: rowsOf(nil, reflect.ValueOf(n))}
		case "Delete":
			n, err := q.Delete(s.ctx)
			return outcome{err: err, affected: int64(n)}
		case "Update":
			last := t.columns[len(t.columns)-1]
			n, err := q.Update(s.ctx, last.name, nil)
			return outcome{err: err, affected: int64(n)}
		case "Find":
			all, err := q.Order(t.name + ".id").Limit(limit).Find(s.ctx)
			return outcome{err: err, rows: rowsOf(t, reflect.ValueOf(all))}
		}
		all, err := q.Order(t.name + ".id DESC").Offset(limit).Find(s.ctx)
		return outcome{err: err, rows: rowsOf(t, reflect.ValueOf(all))}
	}
}

// generics makes a chain of gorm.G.
func (g *generator) generics() chain {
	t := pick(g.d, g.f.orders, g.f.lines, g.f.profiles, g.f.events)
	where := g.condition(t, 2)
	what := pick(g.d, "Find", "First", "Count", "Offset", "Find", "Delete", "Update")
	limit := g.d.n(12)
	return chain{
		of: t, start: part{text: fmt.Sprintf("gorm.G[%s]", t.row)}, binds: where.binds, writes: what == "Delete" || what == "Update",
		finish: finisher{
			text: fmt.Sprintf("Where(%s).%s(%d)", where, what, limit), total: true,
			run: func(s *side, db *gorm.DB) outcome { return t.generic(s, db, what, where, limit) },
		},
	}
}
