package difftest

import (
	"fmt"
	"reflect"
	"strings"

	"gorm.io/gorm"
)

// generator makes the steps of one chain from dice.
type generator struct {
	*dice
	dialect string
	models  []*model

	refusable bool // of the step that is being made
	writes    bool
	strange   bool // it holds the key of another tenant's row
}

// step is one use of GORM that ends in a finisher, or a transaction of several.
type step struct {
	text      string
	run       func(*side) []outcome
	refusable bool
	writes    bool
}

// one makes one step and notes what was marked on the way.
func (g *generator) one(kinds ...func() step) step {
	refusable, writes := g.refusable, g.writes
	g.refusable, g.writes, g.strange = false, false, false
	s := kinds[g.n(len(kinds))]()
	s.refusable, s.writes = g.refusable, g.writes
	g.refusable, g.writes = refusable || s.refusable, writes || s.writes
	return s
}

// arg is an argument of a call: one for each run, since GORM writes into them.
type arg struct {
	text string
	of   func(*side) any
}

func fixed(v any) arg { return arg{code(v), func(*side) any { return v }} }

// fresh is an argument that build makes; it throws dice: and for each run the same dice are thrown again.
func (g *generator) fresh(build func(*generator) any) arg {
	start := g.at
	first := build(g)
	again := *g
	return arg{code(first), func(*side) any {
		replay := again
		replay.dice = &dice{data: g.data, at: start}
		return build(&replay)
	}}
}

func all(args []arg, s *side) []any {
	out := make([]any, len(args))
	for i, a := range args {
		out[i] = a.of(s)
	}
	return out
}

func texts(args []arg) string {
	out := make([]string, len(args))
	for i, a := range args {
		out[i] = a.text
	}
	return strings.Join(out, ", ")
}

// byTable finds a model.
func (g *generator) byTable(name string) *model {
	for _, m := range g.models {
		if m.table == name {
			return m
		}
	}
	return nil
}

// ownID is the key of one of the tenant's rows; now and then of none.
func (g *generator) ownID(table string) uint {
	if table == "countries" {
		return uint(g.n(countries) + 1)
	}
	m := g.byTable(table)
	k := g.n(m.ids + 1)
	if k == m.ids {
		return 77
	}
	return uint(rowID(0, k))
}

// otherID is the key of another tenant's row.
func (g *generator) otherID(table string) uint {
	g.strange = true
	m := g.byTable(table)
	return uint(rowID(1+g.n(2), g.n(m.ids)))
}

// anyID is a key to look for: whose row it is must not matter.
func (g *generator) anyID(table string) uint {
	if table != "countries" && g.oneIn(5) {
		return g.otherID(table)
	}
	return g.ownID(table)
}

// writtenID is a key to be written somewhere: that of another tenant's row may be refused.
func (g *generator) writtenID(table string) uint {
	if table != "countries" && g.oneIn(8) {
		g.refusable = true
		return g.otherID(table)
	}
	return g.ownID(table)
}

func words() []string {
	return []string{"ann", "bob", "pen", "ink", "hey", "x", "y", "c1", "t1", "c2", "customers", "orders", ""}
}

// value is a value to compare a column with.
func (g *generator) value(m *model, c column) any {
	switch c.kind {
	case number:
		return g.n(5)
	case key:
		return g.anyID(m.table)
	case foreign:
		return g.anyID(c.to)
	default:
		switch c.name {
		case "code":
			return fmt.Sprintf("c%d", 1+g.n(4))
		case "label":
			return fmt.Sprintf("t%d", 1+g.n(3))
		case "owner_type":
			return pick(g.dice, "customers", "orders")
		}
		return pick(g.dice, words()...)
	}
}

// quote quotes a name as the dialect does.
func (g *generator) quote(names ...string) string {
	q := `"`
	if g.dialect == "mysql" {
		q = "`"
	}
	for i, n := range names {
		names[i] = q + n + q
	}
	return strings.Join(names, ".")
}

// setField sets a field, of whatever integer or pointer type it is.
func setField(v reflect.Value, field string, value any) {
	f := v.FieldByName(field)
	if f.Kind() == reflect.Pointer {
		p := reflect.New(f.Type().Elem())
		p.Elem().Set(reflect.ValueOf(value).Convert(f.Type().Elem()))
		f.Set(p)
		return
	}
	f.Set(reflect.ValueOf(value).Convert(f.Type()))
}

// chained is a *gorm.DB under construction: its calls, in order.
type chained struct {
	calls []string
	apply []func(*side, *gorm.DB) *gorm.DB
}

func (c *chained) add(text string, apply func(*side, *gorm.DB) *gorm.DB) {
	c.calls = append(c.calls, text)
	c.apply = append(c.apply, apply)
}

func (c *chained) text() string { return strings.Join(append([]string{"db"}, c.calls...), ".") }

func (c *chained) on(s *side) *gorm.DB { return c.from(s, s.db) }

func (c *chained) from(s *side, db *gorm.DB) *gorm.DB {
	for _, apply := range c.apply {
		db = apply(s, db)
	}
	return db
}

// elem is the struct that v points to.
func elem(v any) reflect.Value { return reflect.ValueOf(v).Elem() }

// as is a type assertion on what an argument of the generator's own holds.
func as[T any](v any) T {
	out, ok := v.(T)
	if !ok {
		panic(fmt.Sprintf("%T is not the argument's type", v))
	}
	return out
}
