package fanout

import (
	"strconv"
	"strings"

	"github.com/gormtenancy/tenancy/internal/merge"
	"github.com/gormtenancy/tenancy/internal/sqltext"
	"github.com/gormtenancy/tenancy/sqlproof"
)

// condition makes a predicate for a statement's arguments.
type condition = func(args []any) merge.Predicate

// operand makes one for a statement's arguments.
type operand struct {
	of     func(args []any) merge.Operand
	column bool
	key    bool // its value is that of a column of the tables
}

// having reads the condition of HAVING: comparisons, IN, BETWEEN and IS NULL over aggregates and keys, with AND, OR and NOT.
type having struct {
	*builder
	at, end int
	depth   int
}

func (h *having) read() (condition, *Unmergeable) {
	c, u := h.or()
	if u == nil && h.at < h.end {
		u = h.refuse()
	}
	return c, u
}

func (h *having) refuse() *Unmergeable {
	return h.text.refuse(h.at, "a condition in HAVING that is not understood", "compare aggregates and keys of GROUP BY with values, or choose the groups in Go")
}

// word takes a keyword.
func (h *having) word(word string) bool {
	if h.at < h.end && h.text.is(h.at, word) {
		h.at++
		return true
	}
	return false
}

func (h *having) or() (condition, *Unmergeable) {
	return h.chain("or", h.and, func(all []merge.Predicate) merge.Predicate { return merge.Or(all) })
}

func (h *having) and() (condition, *Unmergeable) {
	return h.chain("and", h.not, func(all []merge.Predicate) merge.Predicate { return merge.And(all) })
}

func (h *having) chain(word string, part func() (condition, *Unmergeable), join func([]merge.Predicate) merge.Predicate) (condition, *Unmergeable) {
	var all []condition
	for {
		c, u := part()
		if u != nil {
			return nil, u
		}
		all = append(all, c)
		if !h.word(word) {
			break
		}
	}
	if len(all) == 1 {
		return all[0], nil
	}
	return func(args []any) merge.Predicate {
		parts := make([]merge.Predicate, len(all))
		for i, c := range all {
			parts[i] = c(args)
		}
		return join(parts)
	}, nil
}

func (h *having) not() (condition, *Unmergeable) {
	if h.word("not") {
		if h.depth++; h.depth > 100 {
			return nil, h.refuse()
		}
		c, u := h.not()
		if u != nil {
			return nil, u
		}
		return negated(c), nil
	}
	if closing := h.text.closing(h.at, span{h.at, h.end}); closing >= 0 && h.isCondition(closing) {
		inner := having{builder: h.builder, at: h.at + 1, end: closing}
		c, u := inner.read()
		h.at = closing + 1
		return c, u
	}
	return h.comparison()
}

// isCondition tells whether parentheses are around a condition, and not around an operand.
func (h *having) isCondition(closing int) bool {
	return closing+1 == h.end || h.text.is(closing+1, "and", "or")
}

func negated(c condition) condition {
	return func(args []any) merge.Predicate { return merge.Not{Predicate: c(args)} }
}

// comparison reads one condition.
func (h *having) comparison() (condition, *Unmergeable) {
	left, u := h.operand()
	if u != nil {
		return nil, u
	}
	if h.word("is") {
		not := h.word("not")
		if !h.word("null") || !left.column {
			return nil, h.refuse()
		}
		c := func(args []any) merge.Predicate { return merge.IsNull{Operand: left.of(args)} }
		if not {
			return negated(c), nil
		}
		return c, nil
	}
	not := h.word("not")
	var c condition
	switch {
	case h.word("in"):
		c, u = h.in(left)
	case h.word("between"):
		c, u = h.between(left)
	case not:
		return nil, h.refuse()
	default:
		op, ok := h.operator()
		if !ok {
			return nil, h.refuse()
		}
		right, u := h.operand()
		if u != nil {
			return nil, u
		}
		return h.compare(left, op, right)
	}
	if u == nil && not {
		c = negated(c)
	}
	return c, u
}

func (h *having) compare(left operand, op merge.Op, right operand) (condition, *Unmergeable) {
	if !left.column && !right.column {
		return nil, h.refuse()
	}
	alike := left.key || right.key
	return func(args []any) merge.Predicate {
		return merge.Comparison{Left: left.of(args), Op: op, Right: right.of(args), Alike: alike}
	}, nil
}

func (h *having) in(left operand) (condition, *Unmergeable) {
	closing := h.text.closing(h.at, span{h.at, h.end})
	if closing < 0 || !left.column {
		return nil, h.refuse()
	}
	var list []operand
	for _, s := range h.text.split(span{h.at + 1, closing}) {
		item := having{builder: h.builder, at: s.from, end: s.to}
		o, u := item.operand()
		if u == nil && item.at != s.to {
			u = item.refuse()
		}
		if u != nil {
			return nil, u
		}
		list = append(list, o)
	}
	h.at = closing + 1
	return func(args []any) merge.Predicate {
		in := merge.In{Operand: left.of(args), Alike: true}
		for _, o := range list {
			in.List = append(in.List, o.of(args))
		}
		return in
	}, nil
}

func (h *having) between(left operand) (condition, *Unmergeable) {
	low, u := h.operand()
	if u != nil {
		return nil, u
	}
	if !h.word("and") {
		return nil, h.refuse()
	}
	high, u := h.operand()
	if u != nil {
		return nil, u
	}
	from, u := h.compare(left, merge.GreaterOrEqual, low)
	if u != nil {
		return nil, u
	}
	to, u := h.compare(left, merge.LessOrEqual, high)
	if u != nil {
		return nil, u
	}
	return func(args []any) merge.Predicate { return merge.And{from(args), to(args)} }, nil
}

// operator takes the sign of a comparison, of which each character is a token.
func (h *having) operator() (merge.Op, bool) {
	sign := ""
	for h.at < h.end && h.text.has(h.at, sqltext.Operator) && strings.Contains("=<>!", h.text.at(h.at)) {
		if sign != "" && h.text.tokens[h.at].Start != h.text.tokens[h.at-1].End {
			return 0, false
		}
		sign += h.text.at(h.at)
		h.at++
	}
	op, ok := map[string]merge.Op{
		"=": merge.Equal, "<>": merge.NotEqual, "!=": merge.NotEqual, "<": merge.Less, "<=": merge.LessOrEqual, ">": merge.Greater,
		">=": merge.GreaterOrEqual,
	}[sign]
	return op, ok
}

// operand takes a value, a key or an aggregate.
func (h *having) operand() (operand, *Unmergeable) {
	t := h.text
	if h.at >= h.end {
		return operand{}, h.refuse()
	}
	if argument, ok := t.marks[h.at]; ok {
		h.at++
		return operand{of: func(args []any) merge.Operand {
			if argument < len(args) {
				return merge.Constant(args[argument])
			}
			return merge.Constant(nil)
		}}, nil
	}
	if v, ok := h.literal(); ok {
		return operand{of: func([]any) merge.Operand { return merge.Constant(v) }}, nil
	}
	s := span{h.at, h.at}
	switch {
	case t.closing(h.at, span{h.at, h.end}) >= 0:
		s.to = t.closing(h.at, span{h.at, h.end}) + 1
	case t.has(h.at, sqltext.Word) || t.has(h.at, sqltext.Name):
		s.to++
		for t.has(s.to, sqltext.Dot) && s.to+1 < h.end {
			s.to += 2
		}
		if closing := t.closing(s.to, span{s.to, h.end}); closing >= 0 {
			s.to = closing + 1
			if t.is(s.to, "filter") {
				s.to = t.closing(s.to+1, span{s.to, h.end}) + 1
			}
		}
	}
	if s.to <= s.from || s.to > h.end {
		return operand{}, h.refuse()
	}
	at, u := h.column(s)
	if u != nil {
		return operand{}, u
	}
	h.at = s.to
	key := h.results[at].Func == merge.Key
	return operand{column: true, key: key, of: func([]any) merge.Operand { return merge.Column(at) }}, nil
}

// literal takes a number or a text.
func (h *having) literal() (any, bool) {
	t, i := h.text, h.at
	sign := ""
	if t.at(i) == "-" && i+1 < h.end {
		sign = "-"
		i++
	}
	token := t.at(i)
	switch {
	case t.has(i, sqltext.Number):
		if n, err := strconv.ParseInt(sign+token, 10, 64); err == nil {
			h.at = i + 1
			return n, true
		}
		f, err := strconv.ParseFloat(sign+token, 64)
		if err != nil || len(strings.Trim(token, "0.")) > 16 || strings.Trim(token, "0123456789.") != "" {
			return nil, false
		}
		h.at = i + 1
		return f, true
	case t.has(i, sqltext.Literal) && sign == "" && token[0] == '\'' && !strings.Contains(token, `\`) && !t.has(i+1, sqltext.Literal):
		h.at = i + 1
		return t.dialect.Unquote(token), true
	}
	return nil, false
}

// column returns the result that an operand is.
func (h *having) column(s span) (int, *Unmergeable) {
	t := h.text
	s = t.bare(s)
	if name, ok := t.name(s); ok {
		if i, ok, u := h.named(name, s); ok || u != nil {
			return i, u
		}
	}
	at, u := h.result(s, h.find(s))
	if u == nil && at < 0 {
		u = h.refuse()
	}
	return at, u
}

// named returns the result that a bare name is: a key's, or that of an alias where no column has it.
func (h *having) named(name string, s span) (int, bool, *Unmergeable) {
	t := h.text
	if t.dialect == sqltext.Postgres {
		return -1, false, nil // there HAVING does not know aliases
	}
	found := -1
	for i := range h.items {
		it := &h.items[i]
		if it.alias == "" || !t.same(it.alias, name) || it.form == t.form(s) {
			continue
		}
		if found >= 0 {
			return -1, false, t.refuse(s.from, "HAVING with a name that two columns have", "give them different names")
		}
		found = i
	}
	if found < 0 {
		return -1, false, nil
	}
	for _, g := range h.clauses.group {
		if t.form(g) == t.form(s) && t.form(g) != "" {
			if at, u := h.groupKey(g); u != nil || at != found {
				return -1, false, t.refuse(s.from, "HAVING with a name that is a key's and an alias's", "give the alias another name")
			}
		}
	}
	return found, true, h.isNoColumn(name, s.from)
}

// find returns the analyzer's expression for the part of HAVING that begins with a call, or is a key.
func (h *having) find(s span) *sqlproof.Expr {
	at := int(h.text.tokens[s.from].Start)
	var found *sqlproof.Expr
	var walk func(e *sqlproof.Expr)
	walk = func(e *sqlproof.Expr) {
		if e == nil || found != nil {
			return
		}
		if e.At == at && e.Op == sqlproof.Call && e.Aggregate {
			found = e
			return
		}
		for _, a := range e.Args {
			walk(a)
		}
	}
	walk(h.main.Having)
	return found
}
