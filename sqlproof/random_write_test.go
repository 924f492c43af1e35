package sqlproof_test

// written are the columns that random statements change: no keys.
var written = map[string]column{
	"orders":        {"note", true},
	"customers":     {"segment", true},
	"payments":      {"amount_cents", false},
	"order_items":   {"quantity", false},
	"products":      {"price_cents", false},
	"tags":          {"color", true},
	"employees":     {"salary_cents", false},
	"subscriptions": {"monthly_cents", false},
}

// write makes a statement that changes rows.
func (g *generator) write(depth int) string {
	with := ""
	if g.d.oneIn(6) && g.dialect != "mysql" {
		with = g.with(nil, depth-1)
	}
	n := g.d.n(6)
	switch {
	case n < 2:
		return with + g.update(depth)
	case n < 4:
		return with + g.delete(depth)
	case n == 4 && g.dialect == "postgres" && with == "":
		return g.changed(depth)
	}
	return with + g.insert(depth)
}

// changed makes a query of the rows that an expression changes.
func (g *generator) changed(depth int) string {
	g.returns = true
	text := g.delete(depth)
	if g.d.oneIn(2) {
		text = g.update(depth)
	}
	g.ctes = []*source{{called: "changed", columns: ints("id")}}
	query, _ := g.block(g.types(3), nil, depth-1, true)
	return "WITH changed AS (" + text + ") " + query
}

// target picks a table to write to, which is never a common table expression.
func (g *generator) target(sc *scope) (*source, string) {
	name := g.owned()
	s := &source{called: name, table: name, columns: randomTables[name]}
	text := name
	if g.d.oneIn(3) {
		s.called = g.alias(sc, name)
		text += " AS " + s.called
	}
	sc.sources = append(sc.sources, s)
	return s, text
}

func (g *generator) update(depth int) string {
	sc := &scope{}
	s, text := g.target(sc)
	c := written[s.table]
	alone := &scope{sources: []*source{s}} // with several partners, it is chance from which of them a value is
	set := c.name + " = " + g.value(alone, c.text, depth-1)
	if g.d.oneIn(12) {
		set += ", tenant_id = " + pick(g.d, "'a'", "'b'", "tenant_id", g.arg("a", true))
	}
	joined, links := "", ""
	if g.d.oneIn(2) {
		if g.dialect == "mysql" {
			text += g.join(sc, &chain{sources: []*source{s}}, depth-1)
			set = s.called + "." + set
		} else {
			others := &scope{sources: sc.sources}
			var from string
			from, links = g.from(others, depth-1)
			joined = " FROM " + from
			sc.sources = others.sources
		}
	}
	text = "UPDATE " + text + " SET " + set + joined
	if !g.d.oneIn(4) {
		text += " WHERE " + links + g.condition(sc, depth) + g.bound(sc.sources)
	}
	return text + g.returning(s)
}

func (g *generator) delete(depth int) string {
	sc := &scope{}
	s, text := g.target(sc)
	before, links := "", ""
	if g.d.oneIn(2) && g.dialect != "sqlite" {
		if g.dialect == "mysql" {
			before = s.called + " "
			text += g.join(sc, &chain{sources: []*source{s}}, depth-1)
		} else {
			var from string
			from, links = g.from(sc, depth-1)
			text += " USING " + from
		}
	} else if g.dialect == "mysql" { // the alias needs the other form
		before = s.called + " "
	}
	text = "DELETE " + before + "FROM " + text
	if !g.d.oneIn(5) {
		text += " WHERE " + links + g.condition(sc, depth) + g.bound(sc.sources)
	}
	return text + g.returning(s)
}

// returning returns what the target has, in two dialects.
func (g *generator) returning(s *source) string {
	if g.dialect == "mysql" || !g.returns && !g.d.oneIn(3) {
		return ""
	}
	text := " RETURNING " + s.called + ".id"
	if g.dialect == "sqlite" {
		text = " RETURNING id"
	}
	if !g.returns && g.d.oneIn(3) {
		return text + ", (SELECT count(*) FROM customers WHERE customers.tenant_id = 'a' OR 1 = 1) AS n"
	}
	return text
}

// fresh are tables that rows are inserted into: their numbers, and how a row goes on.
var fresh = []struct{ table, key, number, rest, values string }{
	{"order_totals", "order_id", "net_cents", "", ""},
	{"payments", "id", "amount_cents", "order_id, method, status, paid_at", "1, 'x', 'y', '2024-06-01'"},
	{"subscriptions", "id", "monthly_cents", "customer_id, plan, starts_on", "1, 'y', '2024-06-01'"},
}

// insert makes rows of those of another table, one of each, so that their keys are new; or else one of values.
func (g *generator) insert(depth int) string {
	into := pick(g.d, fresh...)
	sc := &scope{}
	columns := into.key + ", " + into.number
	var items, from string
	if g.d.oneIn(5) {
		query, _ := g.aggregate(false, nil, depth-1)
		items = pick(g.d, "5001", "2", "7777") + ", coalesce((" + query + "), 9)"
	} else {
		var s *source
		s, from = g.target(sc)
		items = s.called + ".id + " + pick(g.d, "5000", "0", "20")
		items += ", coalesce(" + g.value(sc, false, depth-1) + ", 7)"
	}
	if into.rest != "" {
		columns, items = columns+", "+into.rest, items+", "+into.values
	}
	if g.d.oneIn(3) {
		columns += ", tenant_id"
		own := "'a'"
		if from != "" {
			own = sc.sources[0].called + ".tenant_id"
		}
		items += ", " + pick(g.d, "'a'", own, g.arg("a", true), "'b'")
	}
	text := "INSERT INTO " + into.table + " (" + columns + ") "
	if from == "" {
		text += "VALUES (" + items + ")"
	} else {
		text += "SELECT " + items + " FROM " + from + " WHERE " + g.condition(sc, depth) + g.bound(sc.sources)
	}
	return text + g.conflict(into.table, into.key, into.number)
}

// conflict says what becomes of a row that is there already.
func (g *generator) conflict(table, key, number string) string {
	n := g.d.n(5)
	old := table + "." + number
	switch {
	case n < 3:
		return ""
	case g.dialect == "mysql":
		return " ON DUPLICATE KEY UPDATE " + number + " = " + pick(g.d, "VALUES("+number+") + 1", old+" + 1")
	case n == 3:
		return " ON CONFLICT (tenant_id, " + key + ") DO NOTHING"
	}
	return " ON CONFLICT (tenant_id, " + key + ") DO UPDATE SET " + number + " = excluded." + number + " + " + old +
		pick(g.d, "", " WHERE "+old+" > 5", " WHERE "+table+".tenant_id = 'a' OR 1 = 1", " WHERE excluded.tenant_id = 'a'",
			" WHERE "+table+".tenant_id = "+g.arg("a", true))
}
