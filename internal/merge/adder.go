package merge

import (
	"database/sql/driver"
	"math"
	"math/big"

	"github.com/gormtenancy/tenancy/internal/dialect"
)

// adder sums values that are not NULL. Its sum is NULL if there were none.
type adder interface {
	add(v driver.Value) error
	sum() (driver.Value, error)
}

const refusedFloats = "a sum of floating-point numbers depends on the order in which they are added"

// adderOf returns what sums the sums in a column.
func adderOf(d *Description, c *column) (func() adder, error) {
	switch {
	case c.kind == dynamic:
		return func() adder { return &dynamicAdder{name: c.name, floats: d.RoundedFloats} }, nil
	case c.kind == decimal:
		return func() adder { return &decimalAdder{name: c.name, engine: d.Engine} }, nil
	case c.typ == "INT8":
		return func() adder { return &integerAdder{name: c.name} }, nil
	case c.kind == float && !d.RoundedFloats:
		return nil, &UnmergeableError{Column: c.name, Reason: refusedFloats}
	case c.kind == float:
		return func() adder { return &floatAdder{name: c.name, single: c.typ == "FLOAT4"} }, nil
	default:
		return nil, &UnmergeableError{Column: c.name, Reason: "no sum has the type " + c.typ}
	}
}

// distinctAdderOf returns what sums values, rather than sums of them.
func distinctAdderOf(d *Description, c *column) (func() adder, error) {
	if c.kind == integer {
		if d.Engine == dialect.Postgres && (c.typ == "INT2" || c.typ == "INT4") {
			return func() adder { return &integerAdder{name: c.name} }, nil
		}
		return func() adder { return &decimalAdder{name: c.name, engine: d.Engine} }, nil
	}
	return adderOf(d, c)
}

// integerAdder sums PostgreSQL's bigint, which it does not leave.
type integerAdder struct {
	name  string
	total int64
	some  bool
}

func (a *integerAdder) add(v driver.Value) error {
	n, ok := v.(int64)
	if !ok {
		return &UnmergeableError{Column: a.name, Reason: "a sum that is no integer"}
	}
	sum := a.total + n
	if (sum > a.total) != (n > 0) && n != 0 {
		return &OverflowError{Column: a.name}
	}
	a.total, a.some = sum, true
	return nil
}

func (a *integerAdder) sum() (driver.Value, error) {
	if !a.some {
		return nil, nil
	}
	return a.total, nil
}

// mostDigits is how many a DECIMAL of MySQL has.
const mostDigits = 65

// decimalAdder sums exact numbers.
type decimalAdder struct {
	name   string
	engine dialect.Engine
	total  number
	some   bool
}

func (a *decimalAdder) add(v driver.Value) error {
	s, ok := numeral(v)
	n, err := parseNumber(s)
	if !ok || err != nil {
		return &UnmergeableError{Column: a.name, Reason: "a sum that is no number"}
	}
	a.total.add(&n)
	a.some = true
	return nil
}

func (a *decimalAdder) sum() (driver.Value, error) {
	if !a.some {
		return nil, nil
	}
	return a.value(&a.total)
}

// value returns a number as the drivers do.
func (a *decimalAdder) value(n *number) (driver.Value, error) {
	s := n.text()
	if a.engine != dialect.MySQL {
		return s, nil
	}
	if digits := new(big.Int).Abs(&n.unscaled).Text(10); len(digits) > mostDigits {
		return nil, &OverflowError{Column: a.name}
	}
	return []byte(s), nil
}

// floatAdder sums with a correction for what each step rounds off (Neumaier's).
type floatAdder struct {
	name       string
	single     bool // the result has single precision
	total      float64
	correction float64
	some       bool
	infinite   bool // as one of the values was
}

func (a *floatAdder) add(v driver.Value) error {
	f, ok := v.(float64)
	if !ok {
		return &UnmergeableError{Column: a.name, Reason: "a sum that is no floating-point number"}
	}
	a.step(f)
	return nil
}

func (a *floatAdder) step(f float64) {
	a.some = true
	a.infinite = a.infinite || math.IsInf(f, 0)
	sum := a.total + f
	if math.Abs(a.total) > math.Abs(f) {
		a.correction += (a.total - sum) + f
	} else {
		a.correction += (f - sum) + a.total
	}
	a.total = sum
}

// corrected returns the sum. Beside infinity the correction is no number.
func (a *floatAdder) corrected() float64 {
	if c := a.total + a.correction; !math.IsNaN(c) && !math.IsInf(a.total, 0) {
		return c
	}
	return a.total
}

func (a *floatAdder) sum() (driver.Value, error) {
	f := a.corrected()
	if a.single {
		f = float64(float32(f))
	}
	switch {
	case !a.some:
		return nil, nil
	case math.IsInf(f, 0) && !a.infinite:
		return nil, &OverflowError{Column: a.name}
	}
	return f, nil
}

// dynamicAdder sums as SQLite does: integers as long as there is nothing else. (SQLite, func.c, sumStep.)
type dynamicAdder struct {
	name      string
	floats    bool // they are allowed
	total     big.Int
	some      bool
	fractions floatAdder // the values that are no integers
}

func (a *dynamicAdder) add(v driver.Value) error {
	a.some = true
	switch v := v.(type) {
	case int64:
		a.total.Add(&a.total, big.NewInt(v))
	case float64:
		if !a.floats {
			return &UnmergeableError{Column: a.name, Reason: refusedFloats}
		}
		a.fractions.step(v)
	default:
		return &UnmergeableError{Column: a.name, Reason: "a sum that is no number"}
	}
	return nil
}

func (a *dynamicAdder) sum() (driver.Value, error) {
	switch {
	case !a.some:
		return nil, nil
	case a.fractions.some:
		return a.float(), nil
	case !a.total.IsInt64():
		return nil, &OverflowError{Column: a.name}
	default:
		return a.total.Int64(), nil
	}
}

func (a *dynamicAdder) float() float64 {
	whole, _ := new(big.Float).SetInt(&a.total).Float64()
	if !a.fractions.some {
		return whole
	}
	all := a.fractions
	all.step(whole)
	return all.corrected()
}
