package sqltext

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// TableExpr is a table as GORM's db.Table takes it.
type TableExpr struct {
	Schema, Name, Alias string // without quotes, in the spelling of the text
	Derived             bool   // a subquery in place of the name: "(?) AS u", "(?) u" or "(?)"
}

// spaces are those that all dialects know.
const spaces = " \t\n\r\f"

// longestName is what PostgreSQL keeps of a name, in bytes: it cuts longer ones, so those may mean another table.
const longestName = 63

// ParseTable reads a table with at most a schema and an alias; it is not ok for anything more, or for anything else.
func (d Dialect) ParseTable(text string) (expr TableExpr, ok bool) {
	if unreadable(text) != "" {
		return TableExpr{}, false
	}
	rest := strings.Trim(text, spaces)
	if after, derived := strings.CutPrefix(rest, "(?)"); derived {
		expr.Derived = true
		rest = after
	} else if expr.Schema, expr.Name, rest, ok = d.qualified(rest); !ok {
		return TableExpr{}, false
	}
	if rest == "" {
		return expr, true
	}
	if expr.Alias, ok = d.alias(rest); !ok {
		return TableExpr{}, false
	}
	return expr, true
}

// qualified reads a name with or without a schema.
func (d Dialect) qualified(text string) (schema, name, rest string, ok bool) {
	name, rest, ok = d.identifier(text)
	if !ok || !strings.HasPrefix(rest, ".") {
		return "", name, rest, ok
	}
	schema = name
	name, rest, ok = d.identifier(rest[1:])
	return schema, name, rest, ok
}

// alias reads all that follows a table.
func (d Dialect) alias(text string) (name string, ok bool) {
	rest := strings.TrimLeft(text, spaces)
	if len(rest) == len(text) {
		return "", false
	}
	if len(rest) > 3 && strings.EqualFold(rest[:2], "as") && strings.IndexByte(spaces, rest[2]) >= 0 {
		rest = strings.TrimLeft(rest[2:], spaces)
	}
	name, rest, ok = d.identifier(rest)
	return name, ok && rest == ""
}

// identifier reads one name, quoted or plain.
func (d Dialect) identifier(text string) (name, rest string, ok bool) {
	if text == "" {
		return "", "", false
	}
	if d.quotes(text[0]) {
		name, rest, ok = unquote(text)
	} else {
		end := 0
		for end < len(text) && inWord(text[end]) {
			end++
		}
		name, rest = text[:end], text[end:]
		ok = simple(name) && !isClause(name)
	}
	if !ok || d == Postgres && len(name) > longestName || !d.known() && strings.IndexByte(name, '$') >= 0 {
		return "", "", false
	}
	return name, rest, true
}

// unquote reads a quoted name. A backslash in it might be an escape.
func unquote(text string) (name, rest string, ok bool) {
	q := text[0]
	if q == '[' {
		name, rest, ok = strings.Cut(text[1:], "]")
		return name, rest, ok && name != "" && strings.IndexByte(name, '\\') < 0
	}
	doubled := false
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == '\\':
			return "", "", false
		case text[i] != q:
		case i+1 < len(text) && text[i+1] == q:
			doubled = true
			i++
		default:
			name, rest = text[1:i], text[i+1:]
			if doubled {
				name = strings.ReplaceAll(name, text[:1]+text[:1], text[:1])
			}
			return name, rest, name != ""
		}
	}
	return "", "", false
}

// simple tells whether s can be a name without quotes in any dialect: it is a plain name of one part that begins with a
// letter.
func simple(s string) bool {
	return PlainName(s) && strings.IndexByte(s, '.') < 0 && !isDigit(s[0])
}

// PlainName tells whether s is the name of a column or a table, with or without a qualifier, and so needs no further look:
// letters, also beyond ASCII, digits, _ and $ in parts between dots. No part is empty or begins with a $, as PostgreSQL's
// strings do.
func PlainName(s string) bool {
	begins := true
	for _, r := range s {
		if r == '.' || r == '$' {
			if begins {
				return false
			}
		} else if !inName(r) {
			return false
		}
		begins = r == '.'
	}
	return !begins
}

// inName tells whether r may be anywhere in a plain name. Some scripts have marks in every word.
func inName(r rune) bool {
	if r < utf8.RuneSelf {
		return r == '_' || r >= '0' && r <= '9' || r|0x20 >= 'a' && r|0x20 <= 'z'
	}
	return unicode.In(r, unicode.L, unicode.M, unicode.Nd)
}
