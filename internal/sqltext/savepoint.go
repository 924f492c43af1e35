package sqltext

import "strings"

// Savepoint is a statement that sets, undoes or forgets a part of a transaction.
type Savepoint struct {
	Op   string // "SAVEPOINT", "ROLLBACK TO" or "RELEASE"
	Name string // without quotes
}

// SavepointOf tells whether sql is such a statement, and nothing else: SAVEPOINT n, ROLLBACK [TRANSACTION | WORK] TO
// [SAVEPOINT] n or RELEASE [SAVEPOINT] n, with or without a semicolon. The name is of one part and, between its quotes
// too, simple.
func SavepointOf(sql string) (Savepoint, bool) {
	rest := strings.TrimRight(sql, spaces)
	rest = strings.TrimRight(strings.TrimSuffix(rest, ";"), spaces)
	first, rest := cutWord(rest)
	var s Savepoint
	switch {
	case strings.EqualFold(first, "savepoint"):
		s.Op = "SAVEPOINT"
	case strings.EqualFold(first, "rollback"):
		s.Op = "ROLLBACK TO"
		var to string
		if to, rest = cutWord(rest); strings.EqualFold(to, "transaction") || strings.EqualFold(to, "work") {
			to, rest = cutWord(rest)
		}
		if !strings.EqualFold(to, "to") {
			return Savepoint{}, false
		}
	case strings.EqualFold(first, "release"):
		s.Op = "RELEASE"
	default:
		return Savepoint{}, false
	}
	name, rest := cutWord(rest)
	if strings.EqualFold(name, "savepoint") && s.Op != "SAVEPOINT" {
		name, rest = cutWord(rest)
	}
	if n := len(name); n > 2 && name[0] == name[n-1] && (name[0] == '"' || name[0] == '`') {
		s.Name = name[1 : n-1]
	} else if !strings.EqualFold(name, "savepoint") {
		s.Name = name
	}
	if rest != "" || !simple(s.Name) {
		return Savepoint{}, false
	}
	return s, true
}

// cutWord returns what stands before the next space, and what comes after it.
func cutWord(text string) (first, rest string) {
	text = strings.TrimLeft(text, spaces)
	end := strings.IndexAny(text, spaces)
	if end < 0 {
		return text, ""
	}
	return text[:end], text[end:]
}
