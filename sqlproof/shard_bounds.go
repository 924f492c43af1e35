package sqlproof

import (
	"fmt"
	"slices"
	"strings"
)

// bound says which keys the rows of a reference can have.
type bound struct {
	kind   boundKind
	values []keyValue
	parts  []bound
}

// boundKind says what a [bound] is.
type boundKind uint8

const (
	unbound boundKind = iota // any key
	isOneOf                  // one of values
	inAllOf                  // one that each of parts has
	inOneOf                  // one that some of parts has
)

// meet returns the bound of rows that have all of several.
func meet(all []bound) bound {
	switch len(all) {
	case 0:
		return bound{}
	case 1:
		return all[0]
	}
	return bound{kind: inAllOf, parts: all}
}

// of returns the keys that a bound allows with the arguments of a statement; ok is false if it allows any.
func (b *bound) of(args []any, holds string) (keys []any, ok bool) {
	switch b.kind {
	case isOneOf:
		keys = make([]any, 0, len(b.values))
		for i := range b.values {
			if keys, ok = b.values[i].appendTo(keys, args, holds); !ok {
				return nil, false
			}
		}
		return keys, true
	case inOneOf:
		for i := range b.parts {
			more, ok := b.parts[i].of(args, holds)
			if !ok {
				return nil, false
			}
			keys = append(keys, more...)
		}
		return keys, true
	case inAllOf:
		for i := range b.parts {
			more, bounds := b.parts[i].of(args, holds)
			switch {
			case !bounds:
			case ok:
				keys = intersect(keys, more, holds)
			default:
				keys, ok = more, true
			}
		}
		return keys, ok
	}
	return nil, false
}

// intersect returns those of a that may be one of b. Two keys that the database may take for equal count as that.
func intersect(a, b []any, holds string) []any {
	if len(b) == 0 {
		return nil
	}
	for _, k := range b {
		if !distinct(k, holds) {
			return a
		}
	}
	among := func(k any) bool { return slices.Contains(b, k) }
	if len(a)*len(b) > 64 {
		set := make(map[any]struct{}, len(b))
		for _, k := range b {
			set[k] = struct{}{}
		}
		among = func(k any) bool { _, ok := set[k]; return ok }
	}
	return slices.DeleteFunc(a, func(k any) bool { return distinct(k, holds) && !among(k) })
}

// moved returns the bound with its arguments moved to those of a longer text.
func (b *bound) moved(m *moves) bound {
	out := bound{kind: b.kind, values: movedValues(b.values, m)}
	for i := range b.parts {
		out.parts = append(out.parts, b.parts[i].moved(m))
	}
	return out
}

func movedValues(values []keyValue, m *moves) []keyValue {
	out := slices.Clone(values)
	for i := range out {
		if v := &out[i]; v.argument >= 0 {
			v.argument, v.every, v.times = m.argument(v.argument)
		}
	}
	return out
}

// String says which keys they are, without values.
func (b *bound) String() string {
	var all []string
	for _, v := range b.values {
		if v.argument < 0 {
			all = append(all, "a literal")
		} else {
			all = append(all, fmt.Sprintf("argument %d", v.argument+1))
		}
	}
	for i := range b.parts {
		all = append(all, "("+b.parts[i].String()+")")
	}
	switch {
	case b.kind == unbound:
		return "not known"
	case len(all) == 0:
		return "none"
	case b.kind == inAllOf:
		return strings.Join(all, " and ")
	}
	return strings.Join(all, " or ")
}

// size is about how many bytes a bound takes.
func (b *bound) size() int {
	n := 56 + 48*len(b.values)
	for i := range b.parts {
		n += b.parts[i].size()
	}
	return n
}
