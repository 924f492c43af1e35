package merge

import (
	"cmp"
	"database/sql/driver"
)

// space returns what a space weighs, with which the shorter of two weights is filled up; "" if it is not.
func (c Collation) space() string {
	switch c {
	case CollationWeightsGeneral:
		return "\x00\x20"
	case CollationWeightsUnicode:
		return "\x02\x09"
	case CollationWeightsUnicode520:
		return "\x02\x0A"
	default:
		return ""
	}
}

// compareWeights compares what MySQL's WEIGHT_STRING gives of two texts.
func (c Collation) compareWeights(a, b driver.Value) (int, error) {
	space := c.space()
	if space == "" {
		return compareTexts(a, b)
	}
	x, ok := a.([]byte)
	y, also := b.([]byte)
	if !ok || !also {
		return 0, unlike(a, b)
	}
	for i := range max(len(x), len(y)) {
		p, q := space[i%len(space)], space[i%len(space)]
		if i < len(x) {
			p = x[i]
		}
		if i < len(y) {
			q = y[i]
		}
		if p != q {
			return cmp.Compare(p, q), nil
		}
	}
	return 0, nil
}
