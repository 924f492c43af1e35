package sqlproof

import (
	"encoding/hex"
	"reflect"
	"strconv"
	"strings"

	"github.com/gormtenancy/tenancy/internal/shardkey"
)

// keyValue is a value that a key is equated with, or is to have: argument, or literal if that is -1.
type keyValue struct {
	argument int
	literal  any
	// every and times say that it is several arguments: argument, and times-1 more at distances of every. Zero: one.
	every, times int
}

// keyValueOf reads a value for a column that holds keys of a type: none for NULL, which no key is equal to. ok is false if
// it is not understood.
func keyValueOf(e *Expr, holds string) (v []keyValue, ok bool) {
	switch e.Op {
	case Argument:
		return []keyValue{{argument: e.Number}}, true
	case Null:
		return nil, true
	case Text:
		if holds == "" {
			return nil, false // what the database makes of it is not known
		}
		key, ok := canonicalKey(e.Value, holds)
		return []keyValue{{argument: -1, literal: key}}, ok
	case Numeric:
		n, err := strconv.ParseInt(e.Value, 10, 64)
		if holds != "bigint" || err != nil {
			return nil, false
		}
		return []keyValue{{argument: -1, literal: n}}, true
	}
	return nil, false
}

// appendTo appends the keys that a value is with the arguments of a statement; ok is false if that is not certain.
func (v *keyValue) appendTo(keys, args []any, holds string) (all []any, ok bool) {
	if v.argument < 0 {
		return append(keys, v.literal), true
	}
	for i := range max(v.times, 1) {
		n := v.argument + i*v.every
		if n >= len(args) {
			return nil, false
		}
		if isNull(args[n]) {
			continue // nothing is equal to it
		}
		key, ok := canonicalKey(args[n], holds)
		if !ok {
			return nil, false
		}
		keys = append(keys, key)
	}
	return keys, true
}

// isNull tells whether an argument is NULL for certain.
func isNull(v any) bool {
	if v == nil {
		return true
	}
	switch v.(type) {
	case int64, int, string:
		return false
	}
	rv := reflect.ValueOf(v)
	return rv.Kind() == reflect.Pointer && rv.IsNil() && rv.NumMethod() == 0
}

// exact is the greatest integer that is compared with text as what it is where both are taken for floating-point numbers.
const exact = 1 << 53

// canonicalKey returns the key that a value stands for in a column, in its canonical form; ok is false if it may be equal to other keys than
// that, as '1.0' is to 1 for some databases.
func canonicalKey(v any, holds string) (key any, ok bool) {
	key, err := shardkey.Canonical(v)
	if err != nil {
		return nil, false
	}
	switch holds {
	case "bigint":
		switch k := key.(type) {
		case int64, uint64:
			return key, true
		case string:
			n, err := strconv.ParseInt(k, 10, 64)
			return n, err == nil && strconv.FormatInt(n, 10) == k && -exact <= n && n <= exact
		}
		return nil, false
	case "text":
		_, ok := key.(string)
		return key, ok
	case "uuid":
		switch k := key.(type) {
		case [16]byte:
			return key, true
		case string:
			return parseUUID(k)
		}
		return nil, false
	}
	return key, true
}

// parseUUID reads a UUID that is written with four dashes.
func parseUUID(s string) (key any, ok bool) {
	var uuid [16]byte
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return nil, false
	}
	n, err := hex.Decode(uuid[:], []byte(strings.ReplaceAll(s, "-", "")))
	return uuid, err == nil && n == len(uuid)
}

// distinct tells whether the database takes a key for no other one. Of text that depends on the collation: with some it
// ignores case, accents or spaces at the end.
func distinct(key any, holds string) bool {
	switch holds {
	case "bigint", "uuid":
		return true
	case "text":
		s, ok := key.(string)
		return ok && s != "" && !strings.ContainsFunc(s, func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_' && r != '-' && r != '.' && r != ':'
		})
	}
	return false
}
