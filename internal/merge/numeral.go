package merge

import (
	"cmp"
	"errors"
)

var (
	errNoNumber = errors.New("a value that is no decimal number")
	errNoTime   = errors.New("a value that is no time of day")
)

// special is what PostgreSQL's numeric has beside numbers, as it orders them.
type special int8

const (
	negativeInfinity special = iota - 1
	finite
	positiveInfinity
	notANumber
)

func specialOf[T string | []byte](s T) special {
	switch string(s) {
	case "NaN":
		return notANumber
	case "Infinity":
		return positiveInfinity
	case "-Infinity":
		return negativeInfinity
	default:
		return finite
	}
}

// digits is a decimal number taken apart: zeros that say nothing are left out, so that equal numbers have equal digits.
type digits[T string | []byte] struct {
	sign            int
	whole, fraction T
}

func digitsOf[T string | []byte](s T) (d digits[T], err error) {
	d.sign = 1
	if len(s) > 0 && (s[0] == '-' || s[0] == '+') {
		if s[0] == '-' {
			d.sign = -1
		}
		s = s[1:]
	}
	point, end := len(s), len(s)
	for i := range end {
		switch {
		case s[i] == '.' && point == end:
			point = i
		case s[i] < '0' || s[i] > '9':
			return d, errNoNumber
		}
	}
	from := 0
	for from < point && s[from] == '0' {
		from++
	}
	d.whole = s[from:point]
	if point < end {
		for s[end-1] == '0' {
			end--
		}
		d.fraction = s[point+1 : end]
	}
	if len(s) == 0 || len(s) == 1 && point == 0 {
		return d, errNoNumber
	}
	if len(d.whole) == 0 && len(d.fraction) == 0 {
		d.sign = 0
	}
	return d, nil
}

// compareNumerals compares decimal numbers of any length by their texts.
func compareNumerals[T string | []byte](a, b T) (int, error) {
	if x, y := specialOf(a), specialOf(b); x != finite || y != finite {
		return cmp.Compare(x, y), nil
	}
	x, err := digitsOf(a)
	if err != nil {
		return 0, err
	}
	y, err := digitsOf(b)
	if err != nil || x.sign != y.sign {
		return cmp.Compare(x.sign, y.sign), err
	}
	n := cmp.Compare(len(x.whole), len(y.whole))
	if n == 0 {
		n = compareDigits(x.whole, y.whole)
	}
	if n == 0 {
		n = compareDigits(x.fraction, y.fraction)
	}
	return n * x.sign, nil
}

func compareDigits[T string | []byte](x, y T) int {
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return cmp.Compare(x[i], y[i])
		}
	}
	return cmp.Compare(len(x), len(y))
}
