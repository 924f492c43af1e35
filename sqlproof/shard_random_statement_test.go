package sqlproof_test

import (
	"fmt"
	"slices"
	"strings"
)

// keyGenerator makes random statements on tables that all have the columns id, k, oid and x. k is the shard key of all but
// countries, which has a column of that name too.
type keyGenerator struct {
	d       *dice
	dialect string
	args    []any
	names   int
	nested  int
}

// keySources are the names of the sources that an expression can use; those in at the end of outer are further out.
type keySources struct {
	names []string
	outer *keySources
}

// statement makes a statement. rowwise tells that each row of its result is made of one row of each source.
func (g *keyGenerator) statement() (text string, rowwise bool) {
	switch g.d.n(10) {
	case 7:
		return g.update(), true
	case 8:
		return g.delete(), true
	case 9:
		return g.insert()
	}
	text, rowwise = g.selects(nil, 2)
	switch g.d.n(12) {
	case 10:
		more, _ := g.selects(nil, 1)
		return text + " UNION ALL " + more, rowwise
	case 11:
		return "WITH w AS (" + g.rows(nil, 1) + ") SELECT w.id FROM w WHERE w.k = " + g.value(), false
	}
	return text, rowwise
}

func (g *keyGenerator) selects(outer *keySources, depth int) (text string, rowwise bool) {
	sc := &keySources{outer: outer}
	from := g.from(sc, depth)
	item, rowwise := g.field(sc), true
	switch g.d.n(12) {
	case 8:
		item = "(SELECT count(*) FROM " + g.exists(sc, 0) + ")"
	case 9:
		item = "CASE WHEN " + g.condition(sc, 1) + " THEN 1 ELSE 0 END"
	case 10:
		item, rowwise = "count(*)", false
	case 11:
		item, rowwise = "DISTINCT "+item, false
	}
	return "SELECT " + item + " FROM " + from + " WHERE " + g.where(sc, depth), rowwise
}

// rows makes a query of all columns of one of its sources.
func (g *keyGenerator) rows(outer *keySources, depth int) string {
	sc := &keySources{outer: outer}
	from := g.from(sc, depth)
	s := pick(g.d, sc.names...)
	return fmt.Sprintf("SELECT %[1]s.id, %[1]s.k, %[1]s.oid, %[1]s.x FROM %[2]s WHERE %[3]s", s, from, g.where(sc, depth))
}

func (g *keyGenerator) name() string {
	g.names++
	return fmt.Sprintf("t%d", g.names)
}

// source makes a table, or a subquery.
func (g *keyGenerator) source(depth int) (text, name string) {
	name = g.name()
	if depth > 0 && g.nested < 6 && g.d.oneIn(12) {
		g.nested++
		return "(" + g.rows(nil, depth-1) + ") " + name, name
	}
	return pick(g.d, "orders", "items", "orders", "items", "parcels", "countries") + " " + name, name
}

func (g *keyGenerator) from(sc *keySources, depth int) string {
	text, name := g.source(depth)
	sc.names = append(sc.names, name)
	for range pick(g.d, 0, 0, 1, 1, 1, 2) {
		item, name := g.source(depth)
		left := sc.names
		sc.names = append(slices.Clip(left), name)
		kind := pick(g.d, "JOIN", "LEFT JOIN", "JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN")
		if kind == "FULL JOIN" && g.dialect == "mysql" {
			kind = "JOIN"
		}
		on := g.link(left, name)
		switch {
		case len(left) == 1 && g.d.oneIn(10):
			text += " " + kind + " " + item + " USING (k)"
			continue
		case kind == "FULL JOIN":
		case g.d.oneIn(3):
			on += " AND " + g.condition(&keySources{names: sc.names, outer: sc.outer}, 1)
		case g.d.oneIn(8):
			on = g.condition(&keySources{names: sc.names, outer: sc.outer}, 1)
		}
		text += " " + kind + " " + item + " ON " + on
	}
	return text
}

// link equates columns of the source that is joined and of one before.
func (g *keyGenerator) link(left []string, right string) string {
	l := pick(g.d, left...)
	switch g.d.n(7) {
	case 0, 1, 2:
		return l + ".k = " + right + ".k"
	case 3, 4:
		return l + ".k = " + right + ".k AND " + right + ".oid = " + l + ".id"
	case 5:
		return right + ".oid = " + l + ".id"
	}
	return right + ".k = " + l + ".x"
}

// where makes conditions, in most cases with a key for some source.
func (g *keyGenerator) where(sc *keySources, depth int) string {
	text := g.condition(sc, depth)
	for range pick(g.d, 1, 1, 2, 0) {
		key := g.key(sc)
		if g.d.oneIn(4) {
			key = "(" + key + " OR " + g.key(sc) + ")"
		}
		text += " AND " + key
	}
	return text
}

// key bounds the key of a source.
func (g *keyGenerator) key(sc *keySources) string {
	k := pick(g.d, sc.names...) + pick(g.d, ".k", ".k", ".k", ".id")
	switch g.d.n(5) {
	case 0, 1:
		return k + " = " + g.value()
	case 2:
		return g.value() + " = " + k
	case 3:
		return k + " IN (" + g.value() + ", " + g.value() + ")"
	}
	return k + " IN (" + g.arg() + ", " + g.arg() + ", " + g.arg() + ")"
}

func (g *keyGenerator) condition(sc *keySources, depth int) string {
	if depth > 0 {
		switch g.d.n(6) {
		case 0:
			return g.condition(sc, depth-1) + " AND " + g.condition(sc, depth-1)
		case 1, 2:
			return "(" + g.condition(sc, depth-1) + " OR " + g.condition(sc, depth-1) + ")"
		case 3:
			return "NOT (" + g.condition(sc, depth-1) + ")"
		}
	}
	switch n := g.d.n(16); {
	case n < 4:
		return g.key(sc)
	case n < 6:
		return g.field(sc) + " = " + g.field(sc)
	case n < 9 && g.nested < 6:
		g.nested++
		return pick(g.d, "", "NOT ") + "EXISTS (SELECT 1 FROM " + g.exists(sc, depth-1) + ")"
	case n < 11 && g.nested < 6:
		g.nested++
		in := &keySources{outer: sc}
		from := g.from(in, depth-1)
		query := "SELECT " + g.field(&keySources{names: in.names}) + " FROM " + from + " WHERE " + g.where(in, 0)
		return g.field(sc) + pick(g.d, " IN (", " IN (", " NOT IN (") + query + ")"
	case n == 11:
		s := pick(g.d, sc.names...)
		return fmt.Sprintf("(%s.x, %s.k) IN ((%s, %s), (%s, %s))", s, s, g.arg(), g.arg(), g.arg(), g.arg())
	case n == 12:
		return g.field(sc) + pick(g.d, " IS NULL", " IS NOT NULL")
	case n == 13:
		return g.field(sc) + " BETWEEN " + g.value() + " AND " + g.value()
	case n == 14:
		return g.field(sc) + pick(g.d, " <> ", " >= ") + g.value()
	}
	return "coalesce(" + g.field(sc) + ", 1) = " + g.value()
}

// exists makes what stands behind FROM in a subquery, which often has the key of a source around it.
func (g *keyGenerator) exists(sc *keySources, depth int) string {
	in := &keySources{outer: sc}
	from := g.from(in, max(depth, 0))
	text := from + " WHERE " + g.condition(in, 0)
	if !g.d.oneIn(4) {
		text += " AND " + pick(g.d, in.names...) + ".k = " + pick(g.d, sc.names...) + ".k"
	}
	return text
}

// field names a column, mostly the key, of a source here or further out.
func (g *keyGenerator) field(sc *keySources) string {
	for sc.outer != nil && g.d.oneIn(4) {
		sc = sc.outer
	}
	column := pick(g.d, "k", "k", "x", "oid", "id")
	if len(sc.names) == 1 && sc.outer == nil && g.d.oneIn(4) {
		return column
	}
	return pick(g.d, sc.names...) + "." + column
}

// value is a key, or a number that is none.
func (g *keyGenerator) value() string {
	return pick(g.d, g.arg(), g.arg(), "1", "2", "3", "NULL")
}

// arg makes a placeholder.
func (g *keyGenerator) arg() string {
	g.args = append(g.args, int64(pick(g.d, 1, 2, 3, 1, 2, 3, 4)))
	return fmt.Sprintf("\x01%d\x01", len(g.args)-1)
}

func (g *keyGenerator) update() string {
	sc := &keySources{names: []string{"orders"}}
	set, from := "x = "+g.value(), ""
	if g.d.oneIn(3) && g.dialect != "mysql" {
		item, name := g.source(1)
		sc.names = append(sc.names, name)
		from = " FROM " + item
	} else if g.d.oneIn(4) {
		set = "x = (SELECT count(*) FROM " + g.exists(sc, 0) + ")"
	}
	text := "UPDATE orders SET " + set + from + " WHERE " + g.where(sc, 1)
	if from != "" && !g.d.oneIn(4) {
		text += " AND orders.k = " + sc.names[1] + ".k"
	}
	return text
}

func (g *keyGenerator) delete() string {
	sc := &keySources{names: []string{"items"}}
	from := ""
	if g.d.oneIn(2) && g.dialect == "postgres" {
		item, name := g.source(1)
		sc.names = append(sc.names, name)
		from = " USING " + item + " "
	}
	text := "DELETE FROM items" + from + " WHERE " + g.where(sc, 1)
	if from != "" && !g.d.oneIn(4) {
		text += " AND items.k = " + sc.names[1] + ".k"
	}
	return text
}

// insert makes rows of values, or of those of a query. Those of several keys are for the caller to split.
func (g *keyGenerator) insert() (text string, rowwise bool) {
	if g.d.oneIn(3) {
		var rows []string
		for range 1 + g.d.n(3) {
			rows = append(rows, "("+g.arg()+", "+g.arg()+")")
		}
		return "INSERT INTO archive (id, k) VALUES " + strings.Join(rows, ", "), false
	}
	sc := &keySources{}
	from := g.from(sc, 1)
	s := pick(g.d, sc.names...)
	key := s + ".k"
	if g.d.oneIn(5) {
		key = pick(g.d, "1", "2", g.arg())
		if strings.HasPrefix(key, "\x01") && g.dialect == "postgres" {
			key += "::bigint"
		}
	}
	return "INSERT INTO archive (id, k) SELECT " + s + ".id, " + key + " FROM " + from + " WHERE " + g.where(sc, 1), true
}
