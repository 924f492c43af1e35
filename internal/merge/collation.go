package merge

import (
	"database/sql/driver"
	"strings"
)

// compare compares two texts.
func (c Collation) compare(a, b driver.Value) (int, error) {
	switch c {
	case CollationPadded:
		return comparePadded(a, b)
	case CollationNoCase, CollationTrimmed: // SQLite's texts are strings
		x, ok := a.(string)
		y, also := b.(string)
		if !ok || !also {
			return 0, unlike(a, b)
		}
		if c == CollationNoCase {
			return strings.Compare(lowerASCII(x), lowerASCII(y)), nil
		}
		return strings.Compare(strings.TrimRight(x, " "), strings.TrimRight(y, " ")), nil
	default:
		return compareTexts(a, b)
	}
}

// ends tells whether spaces at the end of a text count for nothing when it is compared.
func (c *column) ends() bool {
	return (c.kind == text || c.kind == dynamic) && (c.collation == CollationPadded || c.collation == CollationTrimmed)
}

// lowerASCII makes small letters of A to Z. (SQLite, util.c, sqlite3UpperToLower.)
func lowerASCII(s string) string {
	i := strings.IndexFunc(s, func(r rune) bool { return r >= 'A' && r <= 'Z' })
	if i < 0 {
		return s
	}
	b := []byte(s)
	for ; i < len(b); i++ {
		if b[i] >= 'A' && b[i] <= 'Z' {
			b[i] += 'a' - 'A'
		}
	}
	return string(b)
}
