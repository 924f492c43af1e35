package merge

import (
	"bytes"
	"database/sql/driver"
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// equality makes keys of values: they are equal where the database takes the values for equal, and NULL is equal to NULL.
type equality []column

// equalityOf is that of rows of these columns.
func equalityOf(columns shape) (equality, error) {
	for i := range columns {
		if reason := columns[i].uncomparable(false); reason != "" {
			return nil, &UnmergeableError{Column: columns[i].name, Reason: reason}
		}
	}
	return equality(columns), nil
}

// append adds the key of a row of as many values to key.
func (e equality) append(key []byte, row []driver.Value) ([]byte, error) {
	for i := range e {
		var err error
		if key, err = e[i].appendKey(key, row[i]); err != nil {
			return nil, err
		}
	}
	return key, nil
}

// appendKey adds a value: a letter for its class, its length, and its bytes.
func (c *column) appendKey(key []byte, v driver.Value) ([]byte, error) {
	if v == nil {
		return append(key, '0'), nil
	}
	start := len(key)
	key, ok := c.appendValue(append(key, 0, 0, 0, 0), v)
	if !ok {
		return nil, &UnmergeableError{Column: c.name, Reason: c.indistinct(v)}
	}
	binary.BigEndian.PutUint32(key[start:], uint32(len(key)-start)) //nolint:gosec // no value of a database is longer
	return key, nil
}

func (c *column) indistinct(v driver.Value) string {
	if _, ok := v.(string); ok && c.kind == dynamic {
		return untold(c.collation, false)
	}
	return fmt.Sprintf("a %T in it cannot be told from others", v)
}

// appendValue adds the letter and the bytes.
func (c *column) appendValue(key []byte, v driver.Value) ([]byte, bool) {
	switch c.kind {
	case integer, decimal:
		return appendNumeral(key, v)
	case float:
		f, ok := v.(float64)
		return appendFloat(key, f), ok
	case boolean:
		b, ok := v.(bool)
		return strconv.AppendBool(append(key, 'o'), b), ok
	case text, plain, binaries, duration:
		return appendText(key, v, c.ends())
	case bare:
		return appendText(key, v, true)
	case instant, wall:
		return c.appendTime(key, v)
	case dynamic:
		return c.appendDynamic(key, v)
	default:
		return key, false
	}
}

func appendNumeral(key []byte, v driver.Value) ([]byte, bool) {
	if n, ok := v.(int64); ok {
		return strconv.AppendInt(append(key, 'n'), n, 10), true
	}
	s, ok := numeral(v)
	if !ok {
		return key, false
	}
	if specialOf(s) != finite {
		return append(append(key, 's'), s...), true
	}
	d, err := digitsOf(s)
	if err != nil {
		return key, false
	}
	key = append(key, 'n')
	switch {
	case d.sign == 0:
		return append(key, '0'), true
	case d.sign < 0:
		key = append(key, '-')
	}
	key = append(key, d.whole...)
	if d.fraction != "" {
		key = append(append(key, '.'), d.fraction...)
	}
	return key, true
}

// appendFloat knows one zero and one NaN.
func appendFloat(key []byte, f float64) []byte {
	switch {
	case f == 0:
		f = 0
	case math.IsNaN(f):
		f = math.NaN()
	}
	return binary.BigEndian.AppendUint64(append(key, 'f'), math.Float64bits(f))
}

func appendText(key []byte, v driver.Value, trim bool) ([]byte, bool) {
	key = append(key, 't')
	switch v := v.(type) {
	case string:
		if trim {
			v = strings.TrimRight(v, " ")
		}
		return append(key, v...), true
	case []byte:
		if trim {
			v = bytes.TrimRight(v, " ")
		}
		return append(key, v...), true
	default:
		return key, false
	}
}

func (c *column) appendTime(key []byte, v driver.Value) ([]byte, bool) {
	t, ok := v.(time.Time)
	if !ok {
		return appendText(key, v, false)
	}
	if c.kind == wall {
		t = onWall(t)
	}
	key = binary.BigEndian.AppendUint64(append(key, 'i'), uint64(t.Unix())) //nolint:gosec // the bits tell them apart
	return binary.BigEndian.AppendUint32(key, uint32(t.Nanosecond())), true //nolint:gosec // it has 30 bits
}

// appendDynamic takes 1 and 1.0 for equal, and the text "1" and a blob of one byte for others.
func (c *column) appendDynamic(key []byte, v driver.Value) ([]byte, bool) {
	switch v := v.(type) {
	case int64:
		return appendNumeral(key, v)
	case float64:
		if whole := math.Trunc(v); whole == v && v >= -1<<63 && v < 1<<63 {
			return appendNumeral(key, int64(whole))
		}
		return appendFloat(key, v), true
	case string:
		if untold(c.collation, false) != "" {
			return key, false
		}
		if c.collation == CollationNoCase {
			v = lowerASCII(v)
		}
		return appendText(key, v, c.ends())
	case []byte:
		return append(append(key, 'b'), v...), true
	case time.Time:
		return c.appendTime(key, v)
	default:
		return key, false
	}
}
