package fanout

import (
	"fmt"
	"strconv"
)

// hiddenName begins the names of columns that are added to sort by.
const hiddenName = "fanout_"

// hiddenColumn is a column that is added to sort by: an expression, or its weights.
type hiddenColumn struct {
	span
	weighed bool
}

func (h hiddenColumn) write(w *writer) {
	if !h.weighed {
		w.copy(h.span)
		return
	}
	w.write("WEIGHT_STRING(LEFT(")
	w.copyTight(h.span)
	w.b.WriteString(", " + strconv.Itoa(weighedLength) + "))")
}

// rows makes the plan of a statement that gives rows as they are.
func (b *builder) rows() *Unmergeable {
	t, c := b.text, b.clauses
	for i := range b.items {
		if u := b.isRowwise(b.items[i].expr, b.items[i].node); u != nil {
			return u
		}
	}
	d := &b.plan.description
	if d.Distinct = b.main.Distinct; d.Distinct {
		if u := b.distinct(); u != nil {
			return u
		}
	}
	var hidden []hiddenColumn
	compares := make([]comparing, len(b.items)) // of the items that are sorted by
	for i, s := range c.order {
		k, u := b.sortKeyOf(s, b.main.OrderBy[i])
		if u == nil {
			u = b.isRowwise(k.expr, k.node)
		}
		if u != nil {
			return u
		}
		at, u := b.selected(&k)
		if u != nil {
			return u
		}
		if at < 0 && !hasField(k.node) {
			return t.refuse(s.from, "ORDER BY a value that is of no column", "leave it out")
		}
		weigh := b.weigh.has(i)
		if at >= 0 && !b.stars && !weigh {
			if compares[at], u = b.comparingOf(b.items[at].expr, b.items[at].node); u != nil {
				return u
			}
			k.Column = at
			d.Order = append(d.Order, k.Sort)
			continue
		}
		if d.Distinct {
			return t.refuse(s.from, "SELECT DISTINCT sorted by what is not one of its columns", "name the columns in the SELECT list, this one too")
		}
		expr := k.expr
		if at >= 0 { // behind a *, nobody knows where it is
			expr = b.items[at].expr
			if k.compare, u = b.comparingOf(expr, b.items[at].node); u != nil {
				return u
			}
		}
		if weigh {
			k.compare = comparing{known: b.weigh.weights[i]}
		}
		k.Column = -1 - len(hidden) // turned round below
		hidden = append(hidden, hiddenColumn{t.bare(expr), weigh})
		b.plan.hidden = append(b.plan.hidden, k.compare)
		d.Order = append(d.Order, k.Sort)
	}
	for i := range d.Order {
		if o := &d.Order[i]; o.Column < 0 {
			o.Column = -len(hidden) - 1 - o.Column
		}
	}
	if d.Hidden = len(hidden); !d.Distinct && !b.stars {
		b.plan.compares = compares
	}

	w := b.writer
	w.copy(span{0, c.list.to})
	for i, s := range hidden {
		w.b.WriteByte(',')
		s.write(w)
		w.write("AS " + hiddenName + strconv.Itoa(i+1))
	}
	w.copy(span{c.list.to, min(c.tail.from, c.lock.from)})
	if l := &b.plan.limits; l.limit.set {
		switch _, limit, each, err := l.of(t, nil); {
		case !l.fixed():
			w.write("LIMIT ")
			w.mark(theLimit)
			b.plan.limited = true
		case err != nil:
			return t.refuse(l.limit.token, "a negative LIMIT or OFFSET", "write numbers that are not negative")
		case limit != nil:
			w.write(fmt.Sprintf("LIMIT %d", each))
			b.plan.limited = true
		}
	}
	w.copy(c.lock)
	b.expected = shape{items: len(b.items) + len(hidden), order: len(c.order), distinct: d.Distinct, limit: b.plan.limited}
	return nil
}

// distinct finds out how the items are told apart.
func (b *builder) distinct() *Unmergeable {
	b.plan.compares = make([]comparing, len(b.items))
	for i := range b.items {
		it := &b.items[i]
		if b.stars {
			if !it.star {
				return b.text.refuse(it.from, "SELECT DISTINCT with * and other columns", "name the columns")
			}
			for _, s := range b.main.Sources {
				if s.Query != nil || s.Renamed {
					return b.text.refuse(it.from, "SELECT DISTINCT * from a subquery", "name the columns")
				}
			}
			b.plan.named = true
			continue
		}
		var u *Unmergeable
		if b.plan.compares[i], u = b.comparingOf(it.expr, it.node); u != nil {
			return u
		}
	}
	if b.stars {
		b.plan.compares = nil
	}
	return nil
}
