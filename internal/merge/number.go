package merge

import (
	"math/big"
	"strings"
)

// number is an exact decimal number, or one of PostgreSQL's special ones.
type number struct {
	special  special
	unscaled big.Int
	scale    int // digits behind the point, zeros included
}

func parseNumber(s string) (n number, err error) {
	if n.special = specialOf(s); n.special != finite {
		return n, nil
	}
	if _, err := digitsOf(s); err != nil {
		return n, err
	}
	whole, fraction, _ := strings.Cut(s, ".")
	n.scale = len(fraction)
	n.unscaled.SetString(whole+fraction, 10) // digitsOf has looked at it
	return n, nil
}

// add adds m. The scale becomes the larger one.
func (n *number) add(m *number) {
	switch {
	case n.special != finite || m.special != finite:
		n.special = addSpecial(n.special, m.special)
		return
	case m.scale > n.scale:
		n.unscaled.Mul(&n.unscaled, powerOfTen(m.scale-n.scale))
		n.scale = m.scale
		n.unscaled.Add(&n.unscaled, &m.unscaled)
	default:
		var scaled big.Int
		scaled.Mul(&m.unscaled, powerOfTen(n.scale-m.scale))
		n.unscaled.Add(&n.unscaled, &scaled)
	}
}

func addSpecial(a, b special) special {
	switch {
	case a == finite:
		return b
	case b == finite || a == b:
		return a
	default:
		return notANumber
	}
}

// text writes all digits of the scale.
func (n *number) text() string {
	switch n.special {
	case notANumber:
		return "NaN"
	case positiveInfinity:
		return "Infinity"
	case negativeInfinity:
		return "-Infinity"
	}
	s, negative := strings.CutPrefix(n.unscaled.String(), "-")
	if n.scale > 0 {
		if len(s) <= n.scale {
			s = strings.Repeat("0", n.scale+1-len(s)) + s
		}
		s = s[:len(s)-n.scale] + "." + s[len(s)-n.scale:]
	}
	if negative {
		s = "-" + s
	}
	return s
}

// rescale moves the point to another scale. Digits that are cut off round half away from zero.
func (n *number) rescale(scale int) {
	if scale >= n.scale {
		n.unscaled.Mul(&n.unscaled, powerOfTen(scale-n.scale))
	} else {
		n.unscaled = divideRounded(&n.unscaled, powerOfTen(n.scale-scale))
	}
	n.scale = scale
}

// divideRounded divides by a positive number, half away from zero.
func divideRounded(a, b *big.Int) (q big.Int) {
	var doubled, twice big.Int
	doubled.Abs(a).Lsh(&doubled, 1).Add(&doubled, b)
	q.Quo(&doubled, twice.Lsh(b, 1))
	if a.Sign() < 0 {
		q.Neg(&q)
	}
	return q
}

func powerOfTen(n int) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)
}
