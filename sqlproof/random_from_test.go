package sqlproof_test

import (
	"slices"
	"strings"
)

// column is a column of a source.
type column struct {
	name string
	text bool // or else it holds whole numbers
}

// source is what a FROM clause of a random statement reads.
type source struct {
	called  string
	table   string // "" for a subquery
	columns []column
}

// scope are the sources that an expression may name.
type scope struct {
	sources []*source
	outer   *scope
	vague   bool // names need a qualifier: columns are merged, or there are sources that are not listed
}

func ints(names string) []column { return columnsOf(names, false) }

func columnsOf(names string, text bool) (all []column) {
	for name := range strings.FieldsSeq(names) {
		all = append(all, column{name, text})
	}
	return all
}

// randomTables are the tables that random statements are about. All but countries and product_tags have a tenant
// column.
var randomTables = func() map[string][]column {
	own := func(numbers, texts string) []column {
		return append(ints(numbers), columnsOf(texts+" tenant_id", true)...)
	}
	return map[string][]column{
		"orders":        own("id customer_id employee_id discount_cents", "number status currency note"),
		"customers":     own("id referred_by credit_limit_cents", "email name country_code segment"),
		"order_items":   own("id order_id line_no product_id quantity unit_price_cents", ""),
		"payments":      own("id order_id amount_cents", "method status"),
		"products":      own("id category_id price_cents cost_cents", "sku name"),
		"tags":          own("id", "name color"),
		"employees":     own("id manager_id salary_cents", "name title department"),
		"subscriptions": own("id customer_id monthly_cents", "plan"),
		"product_tags":  ints("product_id tag_id"),
		"countries":     columnsOf("code name region", true),
	}
}()

// tableNames are in the order of simplicity.
var tableNames = []string{
	"orders", "customers", "payments", "order_items", "products",
	"product_tags", "tags", "countries", "employees", "subscriptions",
}

// has finds a column by name.
func (s *source) has(name string) bool {
	return slices.ContainsFunc(s.columns, func(c column) bool { return c.name == name })
}

// chain is what has been joined so far, between two commas.
type chain struct {
	sources []*source
	merged  bool // by USING or NATURAL, so that names without a qualifier are not what they seem
}

// from makes a FROM clause, and fills the scope with its sources. links are conditions for WHERE.
func (g *generator) from(sc *scope, depth int) (text, links string) {
	was := g.links
	defer func() { g.links = was }()
	g.links = nil
	text = g.sources(sc, depth)
	for _, l := range g.links {
		links += l + " AND "
	}
	return text, links
}

func (g *generator) sources(sc *scope, depth int) string {
	c := &chain{}
	text := g.item(sc, c, depth)
	for n := pick(g.d, 0, 1, 1, 2); n > 0; n-- {
		if g.d.oneIn(5) {
			left := slices.Clone(sc.sources)
			c = &chain{}
			text += ", " + g.item(sc, c, depth)
			g.loose(left, c.sources)
			continue
		}
		text += g.join(sc, c, depth)
	}
	return text
}

// loose keeps a condition for WHERE in most cases: products of several tables are not worth their time.
func (g *generator) loose(left, right []*source) {
	if !g.d.oneIn(6) {
		g.links = append(g.links, g.link(left, right))
	}
}

// join makes one join onto a chain.
func (g *generator) join(sc *scope, c *chain, depth int) string {
	kinds := []string{
		" JOIN ", " LEFT JOIN ", " INNER JOIN ", " RIGHT JOIN ", " LEFT OUTER JOIN ",
		" CROSS JOIN ", " FULL JOIN ", " NATURAL JOIN ",
	}
	kind := pick(g.d, kinds...)
	if kind == " FULL JOIN " && g.dialect == "mysql" || kind == " NATURAL JOIN " && !g.d.oneIn(2) {
		kind = " LEFT JOIN "
	}
	left := slices.Clone(c.sources)
	g.lateral = g.dialect == "postgres" && kind != " RIGHT JOIN " && kind != " FULL JOIN " && kind != " NATURAL JOIN "
	right := &chain{}
	var item string
	if g.d.oneIn(5) {
		item = "(" + g.item(sc, right, depth) + g.join(sc, right, depth) + ")"
	} else {
		item = g.item(sc, right, depth)
	}
	g.lateral = false
	c.sources = append(c.sources, right.sources...)
	c.merged = c.merged || right.merged
	text := kind + item
	switch kind {
	case " CROSS JOIN ":
		g.loose(left, right.sources)
		return text
	case " NATURAL JOIN ":
		if c.merged || len(left) > 1 || len(right.sources) > 1 {
			return " JOIN " + item + " ON " + g.on(sc, left, right.sources, depth)
		}
		c.merged, sc.vague = true, true
		return text
	}
	if using := g.using(left, right.sources); using != "" && !c.merged && g.d.oneIn(4) {
		c.merged, sc.vague = true, true
		return text + " USING (" + using + ")"
	}
	on := g.on(sc, left, right.sources, depth)
	if kind == " FULL JOIN " && g.dialect == "postgres" {
		on = g.link(left, right.sources) // it has no others for these
	}
	return text + " ON " + on
}

// using returns columns that exactly one source of either side has.
func (g *generator) using(left, right []*source) string {
	once := func(of []*source, name string) bool {
		n := 0
		for _, s := range of {
			if s.has(name) {
				n++
			}
		}
		return n == 1
	}
	var names []string
	for _, name := range []string{"customer_id", "order_id", "product_id", "tenant_id", "id"} {
		if once(left, name) && once(right, name) && (len(names) == 0 || name != "id") {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return strings.Join(names[:1+g.d.n(len(names))], ", ")
}

// on makes the condition of a join, which sees nothing of the block but the two sides.
func (g *generator) on(sc *scope, left, right []*source, depth int) string {
	sides := &scope{sources: append(slices.Clone(left), right...), outer: sc.outer, vague: true}
	text := g.link(left, right)
	if g.d.oneIn(2) {
		text += g.bound(right)
	}
	switch g.d.n(6) {
	case 1:
		text += " AND " + g.tenant(sides)
	case 2:
		text += " AND " + g.condition(sides, depth-1)
	case 3:
		text = g.condition(sides, depth-1) + " AND " + text
	case 4:
		text = "(" + text + ") AND (" + g.condition(sides, depth-1) + " OR " + g.tenant(sides) + ")"
	}
	return text
}

// link equates columns of two sides that belong together.
func (g *generator) link(left, right []*source) string {
	l, r := pick(g.d, left...), right[0]
	for _, ends := range [][2]*source{{l, r}, {r, l}} {
		for _, c := range ends[0].columns {
			parent := strings.TrimSuffix(c.name, "_id") + "s"
			if c.name != "tenant_id" && parent != c.name+"s" && ends[1].table == parent {
				return ends[0].called + "." + c.name + " = " + ends[1].called + ".id"
			}
		}
	}
	for _, c := range l.columns {
		if c.name != "id" && c.name != "tenant_id" && r.hasOf(c) {
			return l.called + "." + c.name + " = " + r.called + "." + c.name
		}
	}
	for _, a := range l.columns {
		for _, b := range r.columns {
			if a.text == b.text {
				return l.called + "." + a.name + " = " + r.called + "." + b.name
			}
		}
	}
	return "1 = 1"
}

func (s *source) hasOf(c column) bool { return slices.Contains(s.columns, c) }

// item makes one item of FROM: a table, a common table expression or a subquery.
func (g *generator) item(sc *scope, c *chain, depth int) string {
	s, text := g.table(sc)
	switch n := g.d.n(8); {
	case n == 6 && len(g.ctes) > 0:
		cte := pick(g.d, g.ctes...)
		s = &source{columns: cte.columns}
		s.called = g.alias(sc, "")
		text = cte.called + g.as() + s.called
	case n == 7 && depth > 0:
		inside := (*scope)(nil)
		if sc.outer != nil && g.dialect != "mysql" { // a subquery in FROM sees what is around the whole query
			inside = sc.outer
		}
		lateral := ""
		if g.lateral && g.d.oneIn(2) {
			lateral = "LATERAL "
			inside = &scope{sources: slices.Clone(sc.sources), outer: sc.outer}
		}
		was := g.lateral
		g.lateral = false
		query, columns := g.query(g.types(3), inside, depth-1, g.dialect != "mysql")
		g.lateral = was
		s = &source{columns: columns}
		s.called = g.alias(sc, "")
		text = lateral + "(" + query + ")" + g.as() + s.called
	}
	sc.sources = append(sc.sources, s)
	c.sources = append(c.sources, s)
	return text
}

// table makes a table, which is a common table expression if one has its name.
func (g *generator) table(sc *scope) (*source, string) {
	name := pick(g.d, tableNames...)
	s := &source{table: name, columns: randomTables[name]}
	text := name
	if i := slices.IndexFunc(g.ctes, func(c *source) bool { return c.called == name }); i >= 0 {
		s = &source{columns: g.ctes[i].columns}
	} else {
		switch g.d.n(12) {
		case 10:
			text = g.quote(name)
		case 11:
			text = g.qualified(name)
		}
	}
	if !g.taken(sc, name) && !g.d.oneIn(3) {
		s.called = name
		return s, text
	}
	s.called = g.alias(sc, name)
	return s, text + g.as() + s.called
}

func (g *generator) as() string { return pick(g.d, " AS ", " ") }

func (g *generator) quote(name string) string {
	if g.dialect == "mysql" {
		return "`" + name + "`"
	}
	return `"` + name + `"`
}

// qualified writes a table with its schema, so that no common table expression is meant.
func (g *generator) qualified(name string) string {
	switch g.dialect {
	case "postgres":
		return "public." + name
	case "sqlite":
		return "main." + name
	}
	return name
}

// taken tells whether a block has a source of that name already.
func (g *generator) taken(sc *scope, name string) bool {
	return slices.ContainsFunc(sc.sources, func(s *source) bool { return s.called == name })
}

// alias makes up a name for a source. The same ones come again and again in inner queries, and some are those of
// tables.
func (g *generator) alias(sc *scope, not string) string {
	pool := []string{
		"x", "y", "z", "o", "c", "v", "w", "customers", "orders", "payments", "t1", "t2", "t3", "t4", "t5", "t6",
	}
	for i := g.d.n(10); ; i++ {
		if name := pool[i%len(pool)]; name != not && !g.taken(sc, name) {
			return name
		}
	}
}
