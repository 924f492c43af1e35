package merge

import (
	"cmp"
	"database/sql/driver"
	"errors"
	"math"
	"time"
)

// class is how SQLite orders values of different types. (sqlite.org/datatype3.html, section 4.1.)
type class uint8

const (
	noClass class = iota
	numbers
	texts
	blobs
	times // text that the driver made times of
)

func classOf(v driver.Value) class {
	switch v.(type) {
	case int64, float64:
		return numbers
	case string:
		return texts
	case []byte:
		return blobs
	case time.Time:
		return times
	default:
		return noClass
	}
}

// compareDynamic compares as SQLite does. Times were text there, and it is taken to have been written in one format and zone,
// which orders as they do.
func compareDynamic(a, b driver.Value, c Collation) (int, error) {
	x, y := classOf(a), classOf(b)
	switch {
	case x == noClass || y == noClass, (x == times) != (y == times):
		return 0, unlike(a, b)
	case x != y:
		return cmp.Compare(x, y), nil
	}
	switch x {
	case numbers:
		return compareNumbers(a, b), nil
	case texts:
		if reason := untold(c, true); reason != "" {
			return 0, errors.New(reason)
		}
		return c.compare(a, b)
	case blobs:
		return compareTexts(a, b)
	default:
		return compareInstants(a, b)
	}
}

// compareNumbers compares int64 and float64 exactly.
func compareNumbers(a, b driver.Value) int {
	switch x := a.(type) {
	case int64:
		switch y := b.(type) {
		case int64:
			return cmp.Compare(x, y)
		case float64:
			return compareMixed(x, y)
		}
	case float64:
		switch y := b.(type) {
		case int64:
			return -compareMixed(y, x)
		case float64:
			return cmp.Compare(x, y)
		}
	}
	return 0
}

// compareMixed compares without making a float of the integer, which would round it.
func compareMixed(i int64, f float64) int {
	switch {
	case math.IsNaN(f):
		return 1
	case f >= 1<<63:
		return -1
	case f < -1<<63:
		return 1
	}
	whole := math.Trunc(f)
	if n := cmp.Compare(i, int64(whole)); n != 0 {
		return n
	}
	return cmp.Compare(0, f-whole)
}
