package fanout

import (
	"fmt"
	"strings"

	"github.com/gormtenancy/tenancy/internal/sqltext"
)

// Unmergeable says why a statement cannot run in several placements with the answer that one database would give. It has no
// literals of the statement in it.
type Unmergeable struct { //nolint:errname // as sqlproof.Refusal
	Why          string // what was found
	Instead      string // how to write it; "" if there is nothing to say
	Line, Column int    // where, counted from 1, in characters; 0 if not known
}

// Error implements error.
func (u *Unmergeable) Error() string {
	var b strings.Builder
	b.WriteString(u.Why)
	if u.Line > 0 {
		fmt.Fprintf(&b, " (line %d, column %d)", u.Line, u.Column)
	}
	if u.Instead != "" {
		b.WriteString(": ")
		b.WriteString(u.Instead)
	}
	return b.String()
}

// refuse makes the error for what stands at a token; -1 is no place.
func (t *text) refuse(token int, why, instead string) *Unmergeable {
	u := &Unmergeable{Why: why, Instead: instead}
	if token >= 0 && token < len(t.tokens) {
		before := t.sql[:t.tokens[token].Start]
		u.Line = 1 + strings.Count(before, "\n")
		u.Column = 1 + len([]rune(before[strings.LastIndexByte(before, '\n')+1:]))
	}
	return u
}

// advice says how text is to be sorted so that its order is known.
func advice(d sqltext.Dialect) string {
	switch d {
	case sqltext.Postgres:
		return `compare it by bytes, as in ORDER BY name COLLATE "C"`
	case sqltext.MySQL:
		return "compare it by bytes, as in ORDER BY name COLLATE utf8mb4_bin"
	default:
		return "compare it by bytes, as in ORDER BY name COLLATE BINARY"
	}
}
