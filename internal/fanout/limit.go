package fanout

import (
	"database/sql/driver"
	"math"
	"reflect"
	"strconv"

	"github.com/gormtenancy/tenancy/internal/sqltext"
	"github.com/gormtenancy/tenancy/sqlproof"
)

// bound is the number of a LIMIT or an OFFSET.
type bound struct {
	set      bool
	argument int // if it is a placeholder; else -1
	value    int64
	none     bool // NULL, ALL, or a LIMIT of SQLite's below zero
	token    int
}

// limits are LIMIT and OFFSET.
type limits struct{ limit, offset bound }

// fixed tells whether no argument is among them.
func (l *limits) fixed() bool { return l.limit.argument < 0 && l.offset.argument < 0 }

// limitsOf reads what stands from LIMIT, OFFSET or FETCH on.
func limitsOf(t *text, tail span, main *sqlproof.Block) (l limits, _ *Unmergeable) {
	l.limit.argument, l.offset.argument = -1, -1
	refused := t.refuse(tail.from, "a LIMIT or OFFSET that is no number and no placeholder", "write a number, or bind one")
	for i := tail.from; i < tail.to; {
		to := &l.limit
		keyword := i
		switch {
		case t.is(i, "limit"):
		case t.is(i, "offset"):
			to = &l.offset
		case t.is(i, "fetch") && t.is(i+1, "first", "next"):
			i++
		default:
			return l, refused
		}
		if i++; to.set {
			return l, refused
		}
		if t.is(keyword, "fetch") && t.is(i, "row", "rows") {
			*to = bound{set: true, argument: -1, value: 1, token: i}
		} else {
			var ok bool
			if *to, i, ok = t.number(i); !ok {
				return l, refused
			}
		}
		switch {
		case t.is(keyword, "fetch"):
			if !t.is(i, "row", "rows") || !t.is(i+1, "only") {
				return l, t.refuse(i, "FETCH … WITH TIES", "use ONLY")
			}
			i += 2
		case t.is(keyword, "offset") && t.is(i, "row", "rows"):
			i++
		case t.is(keyword, "limit") && t.has(i, sqltext.Comma) && t.dialect != sqltext.Postgres && !l.offset.set:
			l.offset = l.limit
			var ok bool
			if l.limit, i, ok = t.number(i + 1); !ok {
				return l, refused
			}
		}
	}
	if main.Ties || l.limit.set != (main.Limit != nil) || l.offset.set != (main.Offset != nil) || !l.limit.agrees(main.Limit) || !l.offset.agrees(main.Offset) {
		return l, refused
	}
	return l, nil
}

// number reads a number, a placeholder, NULL or ALL.
func (t *text) number(i int) (n bound, next int, ok bool) {
	n = bound{set: true, argument: -1, token: i}
	negative := t.at(i) == "-" && t.dialect == sqltext.SQLite
	if negative {
		i++
	}
	switch k, _ := t.kind(i); {
	case i >= len(t.tokens):
		return n, i, false
	case k == sqltext.Mark && !negative:
		n.argument = t.marks[i]
	case k == sqltext.Number:
		v, err := strconv.ParseUint(t.at(i), 10, 64)
		if err != nil {
			return n, i, false
		}
		n.value = int64(min(v, math.MaxInt64))
		if negative {
			n.value = -n.value
		}
	case t.dialect == sqltext.Postgres && t.is(i, "all", "null"):
		n.none = true
	default:
		return n, i, false
	}
	return n, i + 1, true
}

// agrees tells whether the analyzer has found the same.
func (n *bound) agrees(e *sqlproof.Expr) bool {
	switch {
	case !n.set:
		return e == nil
	case n.argument >= 0:
		return e.Op == sqlproof.Argument && e.Number == n.argument
	case n.none:
		return e.Op == sqlproof.Null
	default:
		return e.Op == sqlproof.Numeric || n.value <= 0 && e.Op == sqlproof.Other
	}
}

// of returns the number for a statement's arguments; none means that there is no bound.
func (n *bound) of(t *text, args []any) (value int64, none bool, err error) {
	if !n.set || n.none {
		return 0, true, nil
	}
	value = n.value
	if n.argument >= 0 {
		refused := t.refuse(n.token, "a LIMIT or OFFSET that is bound to what is no number of rows", "bind an integer that is not negative")
		if n.argument >= len(args) {
			return 0, false, refused
		}
		v, convErr := driver.DefaultParameterConverter.ConvertValue(args[n.argument])
		if rv := reflect.ValueOf(args[n.argument]); convErr != nil && rv.IsValid() && rv.CanUint() {
			v, convErr = int64(math.MaxInt64), nil
		}
		if v == nil && convErr == nil && t.dialect == sqltext.Postgres {
			return 0, true, nil
		}
		var ok bool
		if value, ok = v.(int64); !ok || convErr != nil {
			return 0, false, refused
		}
	}
	if value < 0 {
		if t.dialect == sqltext.SQLite {
			return 0, true, nil
		}
		return 0, false, t.refuse(n.token, "a negative LIMIT or OFFSET", "bind an integer that is not negative")
	}
	return value, false, nil
}

// of returns offset and limit of the whole, and the limit of each placement. limit is nil without one.
func (l *limits) of(t *text, args []any) (offset int64, limit *int64, each int64, err error) {
	if offset, _, err = l.offset.of(t, args); err != nil {
		return 0, nil, 0, err
	}
	n, none, err := l.limit.of(t, args)
	if err != nil || none {
		return offset, nil, math.MaxInt64, err
	}
	each = math.MaxInt64
	if n <= math.MaxInt64-offset {
		each = n + offset
	}
	return offset, &n, each, nil
}
