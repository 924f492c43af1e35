package sqlproof_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// seen is a source with the qualifier that names it from some scope.
type seen struct {
	*source
	outside bool // of the query block
}

// visible returns the sources that a scope can name: those outside come last, without those whose name is taken inside.
func (sc *scope) visible() (all []seen) {
	taken := map[string]bool{}
	for at := sc; at != nil; at = at.outer {
		for _, s := range at.sources {
			if !taken[s.called] {
				all = append(all, seen{s, at != sc})
			}
		}
		for _, s := range at.sources {
			taken[s.called] = true
		}
	}
	return all
}

// column picks a column of one of two types; "" if there is none.
func (g *generator) column(sc *scope, text bool) string {
	var names []string
	for _, s := range sc.visible() {
		for _, c := range s.columns {
			if c.text == text {
				names = append(names, s.called+"."+c.name)
			}
		}
	}
	if len(names) == 0 {
		return ""
	}
	return names[(g.d.n(256)+256*g.d.n(4))%len(names)]
}

// value makes an expression of one of two types.
func (g *generator) value(sc *scope, text bool, depth int) string {
	name := g.column(sc, text)
	n := g.d.n(10)
	switch {
	case name == "" || n == 7:
		return g.constant(text)
	case n == 8 && depth > 0:
		query, _ := g.aggregate(text, sc, depth-1)
		return "(" + query + ")"
	case n == 9 && depth > 0:
		return "CASE WHEN " + g.condition(sc, depth-1) + " THEN " + name + " ELSE " + g.constant(text) + " END"
	case n == 6 && !text:
		return name + " + " + g.constant(false)
	}
	return name
}

func (g *generator) constant(text bool) string {
	if text {
		return pick(g.d,
			"'paid'", "'shipped'", "'card'", "'a'", "'b'", "'retail'", "'it''s tenant_id = ''a'''", "'-- x'", "'SO-1004'")
	}
	return pick(g.d, "1", "2", "3", "10", "0", "1001", "500", "5000")
}

// compare writes an operator that compares.
func (g *generator) compare() string { return pick(g.d, " = ", " > ", " <> ", " <= ", " < ") }

// condition makes a condition, in which the tenant column is often mentioned, and mostly in vain.
func (g *generator) condition(sc *scope, depth int) string {
	if depth <= 0 {
		return g.simple(sc)
	}
	switch g.d.n(14) {
	case 0, 1:
		return g.simple(sc)
	case 2, 3:
		return g.tenant(sc)
	case 4, 5:
		return g.condition(sc, depth-1) + " AND " + g.condition(sc, depth-1)
	case 6:
		return "(" + g.condition(sc, depth-1) + " OR " + g.condition(sc, depth-1) + ")"
	case 7:
		return "NOT (" + g.condition(sc, depth-1) + ")"
	case 8:
		return "(" + g.tenant(sc) + " OR " + g.condition(sc, depth-1) + ")"
	case 9:
		return "CASE WHEN " + g.condition(sc, depth-1) + " THEN 1 ELSE " + pick(g.d, "0", "1") + " END = 1"
	case 10, 11:
		not := pick(g.d, "", "NOT ")
		query, _ := g.block(g.types(2), sc, depth-1, false)
		return not + "EXISTS (" + query + ")"
	case 12:
		return g.inQuery(sc, depth)
	}
	text := g.d.oneIn(3)
	query, _ := g.aggregate(text, sc, depth-1)
	return g.value(sc, text, 0) + g.compare() + "(" + query + ")"
}

func (g *generator) inQuery(sc *scope, depth int) string {
	text := g.d.oneIn(3)
	left := g.value(sc, text, 0)
	query, _ := g.query([]bool{text}, sc, depth-1, false)
	return left + pick(g.d, " IN (", " NOT IN (") + query + ")"
}

// simple makes a condition on one column.
func (g *generator) simple(sc *scope) string {
	text := g.d.oneIn(3)
	name := g.column(sc, text)
	if name == "" {
		return g.constant(text) + g.compare() + g.constant(text)
	}
	switch g.d.n(8) {
	case 0, 1, 2:
		return name + g.compare() + g.constant(text)
	case 3:
		return name + pick(g.d, " IS NULL", " IS NOT NULL")
	case 4:
		return name + g.compare() + g.value(sc, text, 0)
	case 5:
		return name + g.compare() + g.arg(pick(g.d, int64(2), 7, 100), text)
	case 6:
		var list []string
		for range 1 + g.d.n(3) {
			list = append(list, g.arg(pick(g.d, int64(1), 3, 4), text))
		}
		return name + pick(g.d, " IN (", " NOT IN (") + strings.Join(list, ", ") + ")"
	}
	return g.tenant(sc)
}

// tenant makes a condition on a tenant column. It is no mistake for most of them to find nothing.
func (g *generator) tenant(sc *scope) string {
	var names []string
	bare := 0
	for _, s := range sc.visible() {
		if s.has("tenant_id") {
			names = append(names, s.called+".tenant_id")
			if !s.outside {
				bare++
			}
		}
	}
	if len(names) == 0 {
		return "'a' = " + pick(g.d, "'a'", "'b'")
	}
	name := pick(g.d, names...)
	if bare == 1 && !sc.vague && g.d.oneIn(4) {
		name = "tenant_id"
	}
	who := pick(g.d, "'a'", "'a'", "'b'", g.arg("a", true), g.arg("b", true))
	switch g.d.n(14) {
	case 0, 1, 2:
		return name + " = " + who
	case 3:
		return who + " = " + name
	case 4, 5:
		return name + " = " + pick(g.d, names...)
	case 6:
		return name + " IN (" + who + ")"
	case 7:
		return name + " IN ('a', " + who + ")"
	case 8:
		return name + " IN (" + g.arg("a", true) + ", " + g.arg(pick(g.d, "a", "b"), true) + ")"
	case 9:
		return name + " <> " + who
	case 10:
		return "NOT (" + name + " = 'b')"
	case 11:
		return "coalesce(" + name + ", " + who + ") = 'a'"
	case 12:
		return name + " IS NOT NULL"
	}
	return "(" + name + " = 'a' OR 1 = 1)"
}

// bound makes the conditions that an application would write itself.
func (g *generator) bound(sources []*source) (text string) {
	for i, s := range sources {
		if !g.eager || !s.has("tenant_id") || g.d.oneIn(6) {
			continue
		}
		text += " AND " + s.called + ".tenant_id = "
		if other := sources[(i+1)%len(sources)]; other.has("tenant_id") && g.d.oneIn(4) {
			text += other.called + ".tenant_id"
		} else {
			text += pick(g.d, "'a'", g.arg("a", true))
		}
	}
	return text
}

// arg makes a placeholder. Its place among the arguments is known only when the text is whole.
func (g *generator) arg(v any, text bool) string {
	if n, ok := v.(int64); ok && text {
		v = pick(g.d, "paid", "new", "SO-"+strconv.FormatInt(1000+n, 10))
	}
	g.args = append(g.args, v)
	return fmt.Sprintf("\x01%d\x01", len(g.args)-1)
}

// finish puts the placeholders in as the dialect writes them.
func (g *generator) finish(text string) (string, []any) {
	var b strings.Builder
	var args []any
	for i, part := range strings.Split(text, "\x01") {
		if i%2 == 0 {
			b.WriteString(part)
			continue
		}
		n, err := strconv.Atoi(part)
		if err != nil {
			panic(err)
		}
		args = append(args, g.args[n])
		if g.dialect == "postgres" {
			b.WriteString("$" + strconv.Itoa(len(args)))
		} else {
			b.WriteByte('?')
		}
	}
	return b.String(), args
}

// types picks the types of the columns of a query.
func (g *generator) types(most int) []bool {
	types := make([]bool, 1+g.d.n(most))
	for i := range types {
		types[i] = g.d.oneIn(3)
	}
	return types
}

// owned picks a table that has a tenant column.
func (g *generator) owned() string {
	others := func(name string) bool { return name == "countries" || name == "product_tags" }
	return pick(g.d, slices.DeleteFunc(slices.Clone(tableNames), others)...)
}
