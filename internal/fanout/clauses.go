package fanout

import (
	"github.com/gormtenancy/tenancy/internal/sqltext"
	"github.com/gormtenancy/tenancy/sqlproof"
)

// clauses are the parts of a SELECT that stands in no parentheses.
type clauses struct {
	distinct int    // the token DISTINCT; -1 without
	items    []span // the SELECT list
	list     span   // all of it
	from     span   // from FROM to the end of WHERE
	group    []span
	groupBy  span // with its keywords
	having   span // without its keyword
	order    []span
	tail     span // from LIMIT, OFFSET or FETCH on
	lock     span // FOR UPDATE and the like
}

// The clauses in their order.
const (
	inList = iota
	inFrom
	inGroup
	inHaving
	inWindow
	inOrder
	inTail
	inLock
	clausesInAll
)

// clausesOf finds the clauses of the main SELECT. What does not agree with what the analyzer found is refused.
func clausesOf(t *text, main *sqlproof.Block) (*clauses, *Unmergeable) {
	begin := 0
	for begin < len(t.tokens) && (!t.is(begin, "select") || !t.top(begin)) {
		begin++
	}
	if begin == len(t.tokens) || begin > 0 && !t.is(0, "with") {
		return nil, t.refuse(0, "a SELECT in parentheses", "leave out the parentheses around the whole statement")
	}
	c := &clauses{distinct: -1}
	first := begin + 1
	if t.is(first, "distinct", "distinctrow", "all") {
		if !t.is(first, "all") {
			c.distinct = first
		}
		first++
	}
	if t.dialect == sqltext.MySQL && t.is(first, "high_priority", "straight_join", "sql_small_result", "sql_big_result", "sql_buffer_result", "sql_no_cache", "sql_calc_found_rows", "distinct", "distinctrow", "all") {
		return nil, t.refuse(first, "a modifier of SELECT", "leave it out")
	}
	var parts [clausesInAll]span
	for i := range parts {
		parts[i] = span{len(t.tokens), len(t.tokens)}
	}
	parts[inList].from = first
	at := inList
	for i := first; i < len(t.tokens); i++ {
		next := t.clauseAt(i)
		if next <= at {
			continue
		}
		parts[at].to, parts[next].from, at = i, i, next
	}
	c.list, c.from, c.groupBy, c.tail, c.lock = parts[inList], parts[inFrom], parts[inGroup], parts[inTail], parts[inLock]
	c.items = t.split(c.list)
	if !c.groupBy.empty() {
		c.group = t.split(span{c.groupBy.from + 2, c.groupBy.to})
	}
	if !parts[inHaving].empty() {
		c.having = span{parts[inHaving].from + 1, parts[inHaving].to}
	}
	if !parts[inOrder].empty() {
		c.order = t.split(span{parts[inOrder].from + 2, parts[inOrder].to})
	}
	limited := main.Limit != nil || main.Offset != nil
	switch {
	case len(c.items) != len(main.Items), len(c.group) != len(main.GroupBy), len(c.order) != len(main.OrderBy),
		c.having.empty() == (main.Having != nil), (c.distinct >= 0) != main.Distinct,
		c.from.empty() == (len(main.Sources) > 0), limited && c.tail.empty(), !parts[inWindow].empty():
		return nil, t.refuse(begin, "the clauses of the statement are not told apart", "write it in another way")
	}
	return c, nil
}

// clauseAt tells which clause a token begins; -1 is none.
func (t *text) clauseAt(i int) int {
	if t.tokens[i].Kind != sqltext.Word || !t.top(i) || t.has(i-1, sqltext.Dot) || t.is(i-1, "as") {
		return -1
	}
	switch {
	case t.is(i, "from") && !t.is(i-1, "distinct"), t.is(i, "where"):
		return inFrom
	case t.is(i, "group") && t.is(i+1, "by") && !t.is(i-1, "for"):
		return inGroup
	case t.is(i, "having"):
		return inHaving
	case t.is(i, "window") && t.is(i+2, "as"):
		return inWindow
	case t.is(i, "order") && t.is(i+1, "by") && !t.is(i-1, "for"):
		return inOrder
	case t.is(i, "limit"), t.dialect == sqltext.Postgres && t.is(i, "offset", "fetch"):
		return inTail
	case t.is(i, "for") && t.is(i+1, "update", "share", "no", "key"), t.is(i, "lock") && t.is(i+1, "in"):
		return inLock
	}
	return -1
}

// item is a column of the SELECT list.
type item struct {
	span        // with its alias
	expr   span // without it
	alias  string
	node   *sqlproof.Expr // nil for a star
	star   bool
	form   string
	output string // the name that ORDER BY may call it by
}

// itemsOf reads the SELECT list.
func itemsOf(t *text, c *clauses, main *sqlproof.Block) ([]item, *Unmergeable) {
	items := make([]item, len(c.items))
	for i, s := range c.items {
		found := main.Items[i]
		it := item{span: s, expr: s, alias: found.Alias, node: found.Expr, star: found.Star}
		if it.alias != "" {
			it.expr.to--
			if t.is(it.expr.to-1, "as") {
				it.expr.to--
			}
			if it.expr.empty() || t.dialect.Unquote(t.at(s.to-1)) != it.alias {
				return nil, t.refuse(s.from, "an alias is not understood", "write it with AS")
			}
		}
		if !it.star {
			it.form = t.form(it.expr)
		}
		switch {
		case it.alias != "":
			it.output = it.alias
		case it.node != nil && it.node.Op == sqlproof.Field:
			it.output = it.node.Name
		}
		items[i] = it
	}
	return items, nil
}
