package fanout

import (
	"strings"

	"github.com/gormtenancy/tenancy/internal/merge"
	"github.com/gormtenancy/tenancy/internal/sqltext"
)

// condition makes a predicate for a statement's arguments.
type condition = func(args []any) merge.Predicate

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
