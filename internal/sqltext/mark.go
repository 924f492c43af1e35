package sqltext

import "strings"

// HiddenMarks yields the placeholders of GORM's that stand inside a quote or a comment of text: "?", and the name of each
// @name. GORM does not read quotes and replaces them there too. The database then sees fewer marks than it gets arguments,
// and may bind one in the place of another; and SQL in such a place would change where the quote ends.
func (d Dialect) HiddenMarks(text string, yield func(mark string) bool) {
	if !strings.ContainsAny(text, "'\"`[$/-#") { // nothing to hide in
		return
	}
	s := scanner{text: text, dialect: d}
	for end := 0; ; {
		t := s.next()
		if t.kind == nothing {
			t.start = len(text)
		}
		if t.kind == broken || !marks(text[end:max(end, t.start)], yield) { // between tokens: a comment
			return
		}
		switch t.kind {
		case nothing:
			return
		case quoted, literal:
			if !marks(text[t.start:t.end], yield) {
				return
			}
		}
		end = t.end
	}
}

// marks yields the placeholders in a piece of text.
func marks(text string, yield func(string) bool) bool {
	for i := range len(text) {
		switch text[i] {
		case '?':
			if !yield("?") {
				return false
			}
		case '@':
			end := i + 1
			for end < len(text) && inWord(text[end]) {
				end++
			}
			if end > i+1 && !yield(text[i+1:end]) {
				return false
			}
		}
	}
	return true
}

// OpenMarks counts the question marks of a statement that stand outside of quotes and comments. ok is false if the
// statement cannot be read.
func (d Dialect) OpenMarks(sql string) (n int, ok bool) {
	s := scanner{text: sql, dialect: d}
	for {
		switch t := s.next(); t.kind {
		case nothing:
			return n, true
		case broken:
			return 0, false
		case operator:
			n += strings.Count(sql[t.start:t.end], "?")
		}
	}
}

// RawArguments tells whether text has places for arguments that GORM does not fill, given n of them: more question marks
// than that, or PostgreSQL's $1. They would take arguments of other places, the tenant among them.
func (d Dialect) RawArguments(text string, n int) bool {
	if d == Postgres {
		return d.hasDollarNumber(text)
	}
	if strings.Count(text, "?") <= n {
		return false
	}
	open, ok := d.OpenMarks(text)
	return !ok || open > n
}

// hasDollarNumber tells whether $1 or the like stands outside of quotes and comments.
func (d Dialect) hasDollarNumber(text string) bool {
	if strings.IndexByte(text, '$') < 0 {
		return false
	}
	s := scanner{text: text, dialect: d}
	for {
		t := s.next()
		switch t.kind {
		case nothing:
			return false
		case broken:
			return true
		case operator:
			if DollarNumber(text[t.start:min(t.end+1, len(text))]) {
				return true
			}
		}
	}
}

// DollarNumber tells whether text has a $ before a digit, anywhere.
func DollarNumber(text string) bool {
	for i := 0; i+1 < len(text); i++ {
		if text[i] == '$' && isDigit(text[i+1]) {
			return true
		}
	}
	return false
}

// StandsAlone tells whether SQL that is put in the place of an argument, the n-th question mark of text, stands apart from
// what is beside it: not as a part of a word, of a quote or of another argument, and not where IN would take it for a table.
func (d Dialect) StandsAlone(text string, n int) bool {
	for i := range len(text) {
		if text[i] != '?' {
			continue
		}
		if n > 0 {
			n--
			continue
		}
		before, after := strings.TrimRight(text[:i], " \t\r\n"), i+1
		if i > 0 && touches(text[i-1]) || after < len(text) && touches(text[after]) {
			return false
		}
		return d == Postgres || d == MySQL || !endsIn(before)
	}
	return true
}

// NamedStandAlone tells the same of all @name marks of text.
func (d Dialect) NamedStandAlone(text string) bool {
	for i := range len(text) {
		if text[i] == '@' && (i > 0 && touches(text[i-1]) || d != Postgres && d != MySQL && endsIn(strings.TrimRight(text[:i], " \t\r\n"))) {
			return false
		}
	}
	return true
}

// touches tells whether a character joins with what is put beside it.
func touches(b byte) bool {
	return inWord(b) || strings.IndexByte(`'"`+"`"+`[].\?@:`, b) >= 0
}

// endsIn tells whether text ends with the word IN.
func endsIn(text string) bool {
	n := len(text) - 2
	return n >= 0 && strings.EqualFold(text[n:], "in") && (n == 0 || !inWord(text[n-1]))
}
