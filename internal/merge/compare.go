package merge

import (
	"bytes"
	"cmp"
	"database/sql/driver"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// comparison compares two values that are not NULL, as the database orders them.
type comparison func(a, b driver.Value) (int, error)

// comparisonOf returns how the values of a column are ordered.
func comparisonOf(c *column) (comparison, error) {
	if reason := c.uncomparable(true); reason != "" {
		return nil, &UnmergeableError{Column: c.name, Reason: reason}
	}
	compare := map[kind]comparison{
		integer: compareIntegers, decimal: compareDecimals, float: compareFloats, boolean: compareBooleans,
		text: compareTexts, bare: compareBare, plain: compareTexts, binaries: compareTexts,
		instant: compareInstants, wall: compareWalls, duration: compareDurations,
		dynamic: func(a, b driver.Value) (int, error) { return compareDynamic(a, b, c.collation) },
	}[c.kind]
	switch c.kind {
	case text:
		compare = c.collation.compare
	case binaries:
		compare = c.collation.compareWeights
	default:
	}
	return func(a, b driver.Value) (int, error) {
		n, err := compare(a, b)
		if err != nil {
			err = &UnmergeableError{Column: c.name, Reason: err.Error()}
		}
		return n, err
	}, nil
}

// unlike never shows the values.
func unlike(a, b driver.Value) error {
	return fmt.Errorf("a %T cannot be compared with a %T", a, b)
}

func compareIntegers(a, b driver.Value) (int, error) {
	if x, ok := a.(int64); ok {
		if y, ok := b.(int64); ok {
			return cmp.Compare(x, y), nil
		}
	}
	return compareDecimals(a, b)
}

func compareDecimals(a, b driver.Value) (int, error) {
	switch x := a.(type) {
	case string:
		if y, ok := b.(string); ok {
			return compareNumerals(x, y)
		}
	case []byte:
		if y, ok := b.([]byte); ok {
			return compareNumerals(x, y)
		}
	}
	x, ok := numeral(a)
	y, also := numeral(b)
	if !ok || !also {
		return 0, unlike(a, b)
	}
	return compareNumerals(x, y)
}

// numeral returns an exact number as text.
func numeral(v driver.Value) (string, bool) {
	switch v := v.(type) {
	case int64:
		return strconv.FormatInt(v, 10), true
	case uint64:
		return strconv.FormatUint(v, 10), true
	case string:
		return v, true
	case []byte:
		return string(v), true
	default:
		return "", false
	}
}

// compareFloats orders NaN as PostgreSQL does: equal to itself, behind all others. The other databases have none.
func compareFloats(a, b driver.Value) (int, error) {
	x, ok := a.(float64)
	y, also := b.(float64)
	switch {
	case !ok || !also:
		return 0, unlike(a, b)
	case math.IsNaN(x) || math.IsNaN(y):
		return compareBool(math.IsNaN(x), math.IsNaN(y)), nil
	default:
		return cmp.Compare(x, y), nil
	}
}

func compareBooleans(a, b driver.Value) (int, error) {
	x, ok := a.(bool)
	y, also := b.(bool)
	if !ok || !also {
		return 0, unlike(a, b)
	}
	return compareBool(x, y), nil
}

func compareBool(x, y bool) int {
	switch {
	case x == y:
		return 0
	case x:
		return 1
	default:
		return -1
	}
}

func compareTexts(a, b driver.Value) (int, error) {
	switch x := a.(type) {
	case string:
		if y, ok := b.(string); ok {
			return strings.Compare(x, y), nil
		}
	case []byte:
		if y, ok := b.([]byte); ok {
			return bytes.Compare(x, y), nil
		}
	}
	return 0, unlike(a, b)
}

// comparePadded fills the shorter text up with spaces: a tab is less than nothing.
func comparePadded(a, b driver.Value) (int, error) {
	switch x := a.(type) {
	case string:
		if y, ok := b.(string); ok {
			return padded(x, y), nil
		}
	case []byte:
		if y, ok := b.([]byte); ok {
			return padded(x, y), nil
		}
	}
	return 0, unlike(a, b)
}

func padded[T string | []byte](x, y T) int {
	for i := range max(len(x), len(y)) {
		p, q := byte(' '), byte(' ')
		if i < len(x) {
			p = x[i]
		}
		if i < len(y) {
			q = y[i]
		}
		if p != q {
			return cmp.Compare(p, q)
		}
	}
	return 0
}

// compareBare leaves out the spaces at the end. (PostgreSQL 15, varchar.c, bpcharcmp.)
func compareBare(a, b driver.Value) (int, error) {
	x, ok := a.(string)
	y, also := b.(string)
	if !ok || !also {
		return 0, unlike(a, b)
	}
	return strings.Compare(strings.TrimRight(x, " "), strings.TrimRight(y, " ")), nil
}

func compareInstants(a, b driver.Value) (int, error) {
	x, ok := a.(time.Time)
	y, also := b.(time.Time)
	if !ok || !also {
		return compareInfinite(a, b)
	}
	return x.Compare(y), nil
}

// compareWalls compares what the clock shows: MySQL's driver reads it in the zone of its DSN, where an hour can come twice.
func compareWalls(a, b driver.Value) (int, error) {
	x, ok := a.(time.Time)
	y, also := b.(time.Time)
	if !ok || !also {
		return compareInfinite(a, b)
	}
	return onWall(x).Compare(onWall(y)), nil
}

func onWall(t time.Time) time.Time {
	if _, offset := t.Zone(); offset != 0 {
		return t.Add(time.Duration(offset) * time.Second)
	}
	return t
}

// compareInfinite compares times of which one is text: PostgreSQL's infinity and -infinity (pgx v5.11.0,
// pgtype/timestamptz.go, Timestamptz.Value), or all of MySQL's without parseTime, which have a fixed width.
func compareInfinite(a, b driver.Value) (int, error) {
	if _, ok := a.([]byte); ok {
		return compareTexts(a, b)
	}
	x, ok := infinite(a)
	y, also := infinite(b)
	if !ok || !also {
		return 0, unlike(a, b)
	}
	return cmp.Compare(x, y), nil
}

func infinite(v driver.Value) (int, bool) {
	switch v {
	case "infinity":
		return 1, true
	case "-infinity":
		return -1, true
	}
	_, ok := v.(time.Time)
	return 0, ok
}

func compareDurations(a, b driver.Value) (int, error) {
	x, ok := a.([]byte)
	y, also := b.([]byte)
	if !ok || !also {
		return 0, unlike(a, b)
	}
	p, err := microseconds(string(x))
	if err != nil {
		return 0, err
	}
	q, err := microseconds(string(y))
	return cmp.Compare(p, q), err
}

// microseconds reads MySQL's TIME: [-]HHH:MM:SS[.ffffff].
func microseconds(s string) (n int64, err error) {
	rest, negative := strings.CutPrefix(s, "-")
	whole, fraction, _ := strings.Cut(rest, ".")
	parts := strings.Split(whole, ":")
	if len(parts) != 3 || len(fraction) > 6 {
		return 0, errNoTime
	}
	for i, part := range append(parts, fraction+"000000"[len(fraction):]) {
		v, err := strconv.ParseUint(part, 10, 31)
		if err != nil {
			return 0, errNoTime
		}
		n = n*[]int64{1, 60, 60, 1_000_000}[i] + int64(v)
	}
	if negative {
		n = -n
	}
	return n, nil
}
