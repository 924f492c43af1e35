package mysql

import (
	"strings"

	"github.com/gormtenancy/tenancy/internal/sqltext"
)

// MariaDB gives rows back with RETURNING, which the parser does not know, and GORM's driver writes it. A list of columns
// reads no table, so it is taken off before the text is parsed; anything more is left, and refused.

// returning finds the token RETURNING that ends an INSERT, REPLACE or DELETE with a list of columns; -1 if there is none.
func returning(sql string, tokens []sqltext.Token) int {
	at := -1
	for i, t := range tokens {
		if t.Depth == 0 && t.Kind == sqltext.Word && strings.EqualFold(sql[t.Start:t.End], "returning") {
			at = i
		}
	}
	if at < 1 || !writesRows(sql, tokens[0]) {
		return -1
	}
	name := func(i int) bool {
		return i < len(tokens) && tokens[i].Depth == 0 && (tokens[i].Kind == sqltext.Name && sql[tokens[i].Start] == '`' ||
			tokens[i].Kind == sqltext.Word && sqltext.Plain(sql[tokens[i].Start:tokens[i].End]))
	}
	star := func(i int) bool { return i < len(tokens) && sql[tokens[i].Start:tokens[i].End] == "*" }
	for i := at + 1; ; i++ {
		switch {
		case star(i):
			i++
		case name(i):
			if i++; i < len(tokens) && tokens[i].Kind == sqltext.Dot {
				if i++; !name(i) && !star(i) {
					return -1
				}
				i++
			}
			if i < len(tokens) && tokens[i].Kind == sqltext.Word && strings.EqualFold(sql[tokens[i].Start:tokens[i].End], "as") {
				if i++; !name(i) {
					return -1
				}
				i++
			}
		default:
			return -1
		}
		if i == len(tokens) {
			return at
		}
		if tokens[i].Kind != sqltext.Comma {
			return -1
		}
	}
}

func writesRows(sql string, first sqltext.Token) bool {
	switch strings.ToLower(sql[first.Start:first.End]) {
	case "insert", "replace", "delete":
		return true
	}
	return false
}
