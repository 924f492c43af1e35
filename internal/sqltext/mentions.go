package sqltext

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Mentions returns the first of the names, which are in lower case, that may be spelled in text. It looks everywhere, in
// code, quotes, strings and comments, without regard to case, and rather finds a name too many than one too few. Of a
// name with a schema it looks for the last part. A text with PostgreSQL's U&"…" can spell any name; for it the name is
// "U&".
//
// It does not see names that a statement puts together from pieces as it runs.
func Mentions(text string, names func(yield func(string) bool)) (name string, found bool) {
	if names != nil {
		folded := fold(text)
		for n := range names {
			if spells(folded, n) {
				return n, true
			}
		}
	}
	for i := 0; i+2 < len(text); i++ {
		if text[i]|0x20 == 'u' && text[i+1] == '&' && (text[i+2] == '"' || text[i+2] == '\'') {
			return "U&", true
		}
	}
	return "", false
}

// spells tells whether text, which is folded, has the name as a word of its own. No word's edges are certain in a text
// with backslashes, as the n of '\norders' shows.
func spells(text, name string) bool {
	if name == "" {
		return false
	}
	name = fold(name[strings.LastIndexByte(name, '.')+1:])
	anywhere := strings.IndexByte(text, '\\') >= 0
	if strings.ContainsAny(name, "\"`'[]") { // there are several ways to quote such a name
		name, anywhere = longestPart(name), true
	}
	if name == "" { // nothing to look for is left of it
		return true
	}
	for from := 0; ; {
		i := strings.Index(text[from:], name)
		if i < 0 {
			return false
		}
		i += from
		if anywhere || startsWord(text, i) && endsWord(text, i+len(name), len(name)) {
			return true
		}
		from = i + 1
	}
}

// longestPart returns the longest part of a name between its quotes.
func longestPart(name string) string {
	longest := ""
	for part := range strings.FieldsFuncSeq(name, func(r rune) bool { return strings.ContainsRune("\"`'[]", r) }) {
		if len(part) > len(longest) {
			longest = part
		}
	}
	return longest
}

// startsWord tells whether a word may begin at i. Digits may stand before it, as in MySQL's /*!50000orders*/, and a $,
// as in PostgreSQL's $$orders$$.
func startsWord(text string, i int) bool {
	for i > 0 && isDigit(text[i-1]) {
		i--
	}
	return i == 0 || classes[text[i-1]] != 'a'
}

// endsWord tells whether a word of n bytes may end before i. PostgreSQL cuts long names, so a longer one may mean it.
func endsWord(text string, i, n int) bool {
	if i == len(text) || n >= longestName {
		return true
	}
	c := classes[text[i]]
	return c != 'a' && c != '0'
}

// fold replaces each character by one and the same of those that [strings.EqualFold] takes for equal to it.
func fold(s string) string {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return strings.Map(foldRune, s)
		}
	}
	return strings.ToLower(s)
}

func foldRune(r rune) rune {
	least := r
	for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
		least = min(least, other)
	}
	if least < utf8.RuneSelf {
		return unicode.ToLower(least)
	}
	return least
}
