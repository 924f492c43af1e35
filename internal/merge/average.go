package merge

import (
	"database/sql/driver"
	"math/big"
	"strconv"

	"github.com/gormtenancy/tenancy/internal/dialect"
)

// division divides a sum that is not NULL by a count that is not 0.
type division func(sum adder, count int64) (driver.Value, error)

// averageOf returns what sums a column for an average, and what divides the sum as the database does. The column has sums, or
// the values themselves.
func averageOf(d *Description, c *column, values bool) (func() adder, division, error) {
	switch {
	case c.kind == dynamic:
		adds, err := adderOf(d, c)
		return adds, divideDynamic, err
	case c.kind == decimal, c.typ == "INT8", values && c.kind == integer:
		divide := dividePostgres
		if d.Engine == dialect.MySQL {
			increment := d.DivisionScale
			if increment == 0 {
				increment = 4
			}
			divide = func(sum *decimalAdder, count int64) (driver.Value, error) { return divideMySQL(sum, count, increment) }
		}
		return func() adder { return &decimalAdder{name: c.name, engine: d.Engine} }, func(sum adder, count int64) (driver.Value, error) {
			decimals, ok := sum.(*decimalAdder)
			if !ok || !decimals.some {
				return nil, &UnmergeableError{Column: c.name, Reason: "a count without a sum"}
			}
			return divide(decimals, count)
		}, nil
	case c.typ == "FLOAT4" && !values:
		return nil, nil, &UnmergeableError{Column: c.name, Reason: "an average of real is made of a sum of double precision; a cast gives that"}
	default:
		adds, err := adderOf(d, c)
		return adds, divideFloat, err
	}
}

func divideDynamic(sum adder, count int64) (driver.Value, error) {
	a, ok := sum.(*dynamicAdder)
	if !ok || !a.some {
		return nil, misfit("a count without a sum")
	}
	return a.float() / float64(count), nil
}

func divideFloat(sum adder, count int64) (driver.Value, error) {
	a, ok := sum.(*floatAdder)
	if !ok || !a.some {
		return nil, misfit("a count without a sum")
	}
	a.single = false
	v, err := a.sum()
	if f, ok := v.(float64); ok {
		return f / float64(count), err
	}
	return nil, err
}

// Digits of PostgreSQL's numeric. (PostgreSQL 15, utils/numeric.h and numeric.c: NUMERIC_MIN_SIG_DIGITS,
// NUMERIC_MAX_DISPLAY_SCALE, DEC_DIGITS.)
const (
	significantDigits = 16
	largestScale      = 1000
	groupDigits       = 4
)

// dividePostgres divides numeric by bigint. (PostgreSQL 15, numeric.c, select_div_scale and div_var.)
func dividePostgres(sum *decimalAdder, count int64) (driver.Value, error) {
	n := sum.total
	if n.special != finite {
		return n.text(), nil
	}
	weight, lead := leadingGroup(new(big.Int).Abs(&n.unscaled).String(), n.scale)
	countWeight, countLead := leadingGroup(strconv.FormatInt(count, 10), 0)
	quotient := weight - countWeight
	if lead <= countLead {
		quotient--
	}
	scale := min(max(significantDigits-quotient*groupDigits, n.scale, 0), largestScale)
	var shifted big.Int
	shifted.Mul(&n.unscaled, powerOfTen(scale-min(n.scale, scale)))
	result := number{scale: scale, unscaled: divideRounded(&shifted, big.NewInt(count))}
	return result.text(), nil
}

// leadingGroup returns the first group of four digits that is not zero, counted from the point, and where it stands. digits
// have no zeros in front.
func leadingGroup(digits string, scale int) (weight, lead int) {
	if digits == "0" {
		return 0, 0
	}
	first := len(digits) - scale - 1 // the power of ten of the first digit
	weight = first / groupDigits
	if first < 0 && first%groupDigits != 0 {
		weight--
	}
	for i := range first - weight*groupDigits + 1 {
		lead *= 10
		if i < len(digits) {
			lead += int(digits[i] - '0')
		}
	}
	return weight, lead
}

// mostDecimals is how many digits a DECIMAL of MySQL has behind the point; MariaDB's has 38.
const mostDecimals = 30

// divideMySQL divides DECIMAL by BIGINT: it cuts off behind whole words of nine digits, and rounds that to the scale. (MariaDB
// 10.11, strings/decimal.c, do_div_mod, and sql/item_sum.cc, Item_sum_avg.)
func divideMySQL(sum *decimalAdder, count int64, increment int) (driver.Value, error) {
	const word = 9
	n := sum.total
	scale := n.scale + increment
	if scale > mostDecimals {
		return nil, &UnmergeableError{Column: sum.name, Reason: "its average has more decimals than are known to be kept"}
	}
	filled := (n.scale + word - 1) / word * word
	kept := (filled + max(increment-(filled-n.scale), 0) + word - 1) / word * word
	result := number{scale: kept}
	result.unscaled.Mul(&n.unscaled, powerOfTen(kept-n.scale))
	result.unscaled.Quo(&result.unscaled, big.NewInt(count))
	result.rescale(scale)
	return sum.value(&result)
}
