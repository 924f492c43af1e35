package merge

import (
	"database/sql/driver"
	"reflect"
	"strconv"
	"time"

	"github.com/gormtenancy/tenancy/internal/dialect"
)

// operandsOf makes two operands comparable, constants as the database would read them beside a column. order is false if only
// equality is asked for.
func operandsOf(e dialect.Engine, columns shape, left, right Operand, order bool) (_, _ Operand, _ comparison, err error) {
	for _, o := range []Operand{left, right} {
		if err := o.check(columns); err != nil {
			return left, right, nil, err
		}
	}
	switch {
	case left.isColumn && right.isColumn:
		compare, err := betweenColumns(&columns[left.column], &columns[right.column], order)
		return left, right, compare, err
	case !left.isColumn && !right.isColumn:
		return left, right, nil, misfit("a condition that compares two constants")
	case left.isColumn:
		right.constant, err = asIn(e, &columns[left.column], right.constant)
		if err != nil {
			return left, right, nil, err
		}
		compare, err := columnComparison(&columns[left.column], order)
		return left, right, compare, err
	default:
		left.constant, err = asIn(e, &columns[right.column], left.constant)
		if err != nil {
			return left, right, nil, err
		}
		compare, err := columnComparison(&columns[right.column], order)
		return left, right, compare, err
	}
}

// betweenColumns compares columns of the same kind, or exact numbers.
func betweenColumns(a, b *column, order bool) (comparison, error) {
	exact := func(k kind) bool { return k == integer || k == decimal }
	switch {
	case exact(a.kind) && exact(b.kind):
		return compareDecimals, nil
	case a.kind != b.kind || a.collation != b.collation && (a.kind == text || a.kind == dynamic):
		return nil, &UnmergeableError{Column: a.name, Reason: "it is compared with a column of another type or collation"}
	default:
		return columnComparison(a, order)
	}
}

// columnComparison is that of the column; if only equality is asked for, a deterministic collation will do.
func columnComparison(c *column, order bool) (comparison, error) {
	if own := *c; !order && own.collation == CollationDeterministic {
		own.collation = CollationBinary
		return comparisonOf(&own)
	}
	return comparisonOf(c)
}

// asIn returns a constant as the driver returns values of the column.
func asIn(e dialect.Engine, c *column, constant any) (driver.Value, error) {
	v, err := driver.DefaultParameterConverter.ConvertValue(constant)
	if err != nil {
		if rv := reflect.ValueOf(constant); rv.CanUint() {
			v, err = rv.Uint(), nil // too large for it
		}
	}
	refused := &UnmergeableError{Column: c.name, Reason: "it is compared with a value of another type"}
	if err != nil {
		return nil, refused
	}
	if v == nil {
		return nil, nil
	}
	if b, ok := v.(bool); ok && e != dialect.Postgres {
		v = int64(0)
		if b {
			v = int64(1)
		}
	}
	var ok bool
	switch c.kind {
	case integer, decimal:
		v, ok = asNumeral(e, v)
	case float:
		v, ok = asFloat(v)
	case boolean:
		_, ok = v.(bool)
	case text, bare, plain, binaries, duration:
		v, ok = asText(c, e, v)
	case instant, wall:
		_, ok = v.(time.Time)
	case dynamic:
		ok = classOf(v) != noClass && classOf(v) != times
	}
	if !ok {
		return nil, refused
	}
	return v, nil
}

// asNumeral makes an exact number. A float is taken for what it is written as. Text is a number to PostgreSQL alone.
func asNumeral(e dialect.Engine, v driver.Value) (driver.Value, bool) {
	switch n := v.(type) {
	case int64:
		v = strconv.FormatInt(n, 10)
	case uint64:
		v = strconv.FormatUint(n, 10)
	case float64:
		v = strconv.FormatFloat(n, 'f', -1, 64)
	case string:
		if e != dialect.Postgres {
			return nil, false
		}
	default:
		return nil, false
	}
	s, ok := v.(string)
	if !ok {
		return nil, false
	}
	if _, err := digitsOf(s); err != nil && specialOf(s) == finite {
		return nil, false
	}
	return v, true
}

func asFloat(v driver.Value) (driver.Value, bool) {
	switch n := v.(type) {
	case int64:
		return float64(n), true
	case float64:
		return n, true
	default:
		return nil, false
	}
}

// asText makes text, in the Go type that the driver has for the column.
func asText(c *column, e dialect.Engine, v driver.Value) (driver.Value, bool) {
	var s string
	switch t := v.(type) {
	case string:
		s = t
	case []byte:
		s = string(t)
	default:
		return nil, false
	}
	if e == dialect.MySQL || c.kind == binaries {
		return []byte(s), true
	}
	return s, true
}
