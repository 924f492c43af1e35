package fanout

import (
	"strconv"
	"strings"

	"github.com/gormtenancy/tenancy/internal/merge"
	"github.com/gormtenancy/tenancy/internal/sqltext"
	"github.com/gormtenancy/tenancy/sqlproof"
)

// operand makes one for a statement's arguments.
type operand struct {
	of     func(args []any) merge.Operand
	column bool
	key    bool // its value is that of a column of the tables
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
