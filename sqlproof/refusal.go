package sqlproof

import (
	"fmt"
	"strings"
)

// Refusal says why a statement cannot be shown to stay within the tenant, and what to do instead. It has none of the
// statement's literals.
type Refusal struct { //nolint:errname // that is what it is called throughout
	Why     string // what was found
	Instead string // how to write it; "" if there is nothing to say
	Table   string // the table in question; "" for the whole statement
	Unknown bool   // the table is in none of the lists
	Foreign bool   // a row is to be another tenant's
	Crosses bool   // a row would have to go to another shard, or to meet one of another
	Keyless bool   // a row is to be written of which the shard key is not known
	Reaches bool   // a function in it reads what its argument names, so that no table need be named

	Offset       int // where; -1 if that is not known
	Line, Column int // the same, counted from 1, in characters; 0 if not known
}

// Error implements error.
func (r *Refusal) Error() string {
	var b strings.Builder
	b.WriteString(r.Why)
	if r.Line > 0 {
		fmt.Fprintf(&b, " (line %d, column %d)", r.Line, r.Column)
	}
	if r.Instead != "" {
		b.WriteString(": ")
		b.WriteString(r.Instead)
	}
	return b.String()
}

// refuse makes a refusal at an offset of sql.
func refuse(sql string, at int, why, instead string) *Refusal {
	r := &Refusal{Why: why, Instead: instead, Offset: at}
	r.Line, r.Column = position(sql, at)
	return r
}

// Refuse makes the error of an analyzer for what stands at an offset of sql; -1 is no place.
func Refuse(sql string, at int, why, instead string) error { return refuse(sql, at, why, instead) }
