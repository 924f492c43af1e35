package sqltext

import (
	"strings"
	"unicode/utf8"
)

// kind says what a token is.
type kind uint8

const (
	nothing   kind = iota // the end of the text, or what stands before its start
	broken                // cannot be read; scanner.why says why
	word                  // a keyword or a name
	quoted                // "name", `name` or [name]
	literal               // 'text' or $$text$$
	number                // 1, 1.5e3, 0xff
	opening               // (
	closing               // )
	comma                 // ,
	dot                   // .
	operator              // anything else: =, ?, @, ::, [, …
	semicolon             // ;, in a whole statement alone
)

// token is a span of the text. Its quotes belong to it.
type token struct {
	kind       kind
	foreign    bool // a word that has characters beyond ASCII
	start, end int
}

// classes holds a letter for every byte, which says what a token does that begins with it. A constant, so that nothing
// can change it:
//
//	' ' a space in all dialects    'a' a letter or _       'u' a byte of a character beyond ASCII
//	'0' a digit                    '!' no token begins so  '+' an operator without a second meaning
//
// and the other characters stand for themselves. A vertical tab is '!', for only some databases take it for a space.
const classes = "!!!!!!!!!  !  !!" +
	"!!!!!!!!!!!!!!!!" +
	" +\"#$++'()*+,-./" +
	"0000000000:;++++" +
	"@aaaaaaaaaaaaaaa" +
	"aaaaaaaaaaa[!]+a" +
	"`aaaaaaaaaaaaaaa" +
	"aaaaaaaaaaa++++!" +
	beyondASCII + beyondASCII

const beyondASCII = "uuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu"

// inWord tells whether a word that has begun goes on with b.
func inWord(b byte) bool {
	c := classes[b]
	return c == 'a' || c == '0' || c == 'u' || c == '$'
}

func isDigit(b byte) bool { return b-'0' < 10 }

// scanner splits a text into tokens, leaving out spaces and comments. It allocates nothing, and a copy of it looks ahead.
type scanner struct {
	text      string
	pos       int
	dialect   Dialect
	statement bool   // text is a whole statement, to be sent as it is, and not a piece of one
	why       string // set with the first broken token
}

// unreadable says why the bytes of text are not to be trusted, wherever in it they are: a NUL ends the text for some
// databases, and bytes that are no UTF-8 may hide a quote from some.
func unreadable(text string) (why string) {
	if strings.IndexByte(text, 0) >= 0 {
		return "NUL byte"
	}
	if !utf8.ValidString(text) {
		return "invalid UTF-8"
	}
	return ""
}

// at returns the byte at i, and 0 after the end; no NUL is in the text itself.
func (s *scanner) at(i int) byte {
	if i < len(s.text) {
		return s.text[i]
	}
	return 0
}

func (s *scanner) refuse(why string) token {
	if s.why == "" {
		s.why = why
	}
	s.pos = len(s.text)
	return token{kind: broken, start: s.pos, end: s.pos}
}

// take returns the token up to end and goes on after it.
func (s *scanner) take(k kind, end int) token {
	t := token{kind: k, start: s.pos, end: end}
	s.pos = end
	return t
}

// next returns the next token.
func (s *scanner) next() token {
	for s.pos < len(s.text) {
		switch classes[s.text[s.pos]] {
		case ' ':
			s.pos++
		case 'a', 'u':
			return s.word()
		case '+', ']':
			return s.take(operator, s.pos+1)
		case '0':
			return s.number()
		case '(':
			return s.take(opening, s.pos+1)
		case ')':
			return s.take(closing, s.pos+1)
		case ',':
			return s.take(comma, s.pos+1)
		case '.':
			if isDigit(s.at(s.pos + 1)) {
				return s.number()
			}
			return s.take(dot, s.pos+1)
		case '\'':
			return s.span(literal, '\'')
		case '"':
			return s.span(quoted, '"')
		case '`', '[':
			return s.bracket()
		case '$':
			return s.dollar()
		case ':', '@':
			return s.variable()
		case '*':
			if s.at(s.pos+1) == '/' && s.at(s.pos+2) != '*' { // the end of a comment that another piece has opened
				return s.refuse(`"*/" without "/*"`)
			}
			return s.take(operator, s.pos+1)
		case ';':
			if s.statement {
				return s.take(semicolon, s.pos+1)
			}
			return s.refuse(`";" ends the statement`)
		case '-', '#', '/':
			comment, ok := s.comment()
			if !ok {
				return s.refuse(s.why)
			}
			if !comment {
				return s.take(operator, s.pos+1)
			}
		default: // a backslash too: MySQL reads \Nunion as two words
			return s.refuse("unreadable character")
		}
	}
	return token{start: s.pos, end: s.pos}
}

// word reads a keyword or a name.
func (s *scanner) word() token {
	text, end, bits := s.text, s.pos, byte(0)
	for end < len(text) && inWord(text[end]) {
		bits |= text[end]
		end++
	}
	if end < len(text) && end == s.pos+1 && text[s.pos]|0x20 == 'u' && s.unicodeEscape(end) {
		return s.refuse("Unicode escapes")
	}
	if s.statement && s.dialect == Postgres && end == s.pos+1 && text[s.pos]|0x20 == 'e' && s.at(end) == '\'' {
		return s.escaped(end + 1)
	}
	if !s.dialect.known() {
		if strings.IndexByte(text[s.pos:end], '$') >= 0 {
			return s.refuse(`"$" in a name`)
		}
		if q := s.at(end); q == '\'' || q == '"' { // q'[…]' and the like have rules of their own
			return s.refuse("prefix before a string")
		}
	}
	t := s.take(word, end)
	t.foreign = bits >= utf8.RuneSelf
	// SQLite takes a byte order mark for a space, so a keyword may come after it.
	if t.foreign && strings.Contains(text[t.start:t.end], "\uFEFF") {
		return s.refuse("byte order mark")
	}
	return t
}

// unicodeEscape tells whether what follows a U at i makes it PostgreSQL's U&"…", a name spelled in another way.
func (s *scanner) unicodeEscape(i int) bool {
	q := s.at(i + 1)
	return s.text[i] == '&' && (q == '"' || q == '\'') && s.dialect != MySQL && s.dialect != SQLite
}

// number reads a number. A word that follows without a space is refused: databases differ in where the number ends, and
// for MySQL 1.union and 1e0union are a number and a keyword.
func (s *scanner) number() token {
	end := s.pos
	if s.text[end] == '0' && s.at(end+1)|0x20 == 'x' {
		for end += 2; isHex(s.at(end)); end++ {
		}
	} else {
		end = s.digits(end)
		if s.at(end) == '.' {
			end = s.digits(end + 1)
		}
		end = s.exponent(end)
	}
	if inWord(s.at(end)) {
		return s.refuse("word directly after a number")
	}
	return s.take(number, end)
}

func (s *scanner) digits(i int) int {
	for isDigit(s.at(i)) {
		i++
	}
	return i
}

func (s *scanner) exponent(i int) int {
	if s.at(i)|0x20 != 'e' {
		return i
	}
	from := i + 1
	if sign := s.at(from); sign == '+' || sign == '-' {
		from++
	}
	if end := s.digits(from); end > from {
		return end
	}
	return i
}

func isHex(b byte) bool { return isDigit(b) || (b|0x20)-'a' < 6 }

// span reads what stands between two q, where a doubled q is one of the text. A backslash before a q is refused: it
// escapes the q for some databases and in some modes, and for the others the q ends the text.
func (s *scanner) span(k kind, q byte) token {
	for i := s.pos + 1; ; {
		n := strings.IndexByte(s.text[i:], q)
		if n < 0 {
			if q == '\'' {
				return s.refuse("unterminated string")
			}
			return s.refuse("unterminated quoted name")
		}
		i += n
		if s.text[i-1] == '\\' && (k != literal || s.backslashes()) {
			return s.refuse("backslash before a quote")
		}
		if s.at(i+1) != q {
			return s.take(k, i+1)
		}
		i += 2
	}
}

// bracket reads a name between backticks or brackets, where the dialect has such.
func (s *scanner) bracket() token {
	q := s.text[s.pos]
	switch {
	case q == '[' && (s.dialect == Postgres || s.dialect == MySQL):
		return s.take(operator, s.pos+1)
	case !s.dialect.quotes(q):
		return s.refuse(`"` + string(rune(q)) + `" is no quote here`)
	case q == '`':
		return s.span(quoted, q)
	}
	n := strings.IndexByte(s.text[s.pos:], ']')
	if n < 0 {
		return s.refuse("unterminated quoted name")
	}
	return s.take(quoted, s.pos+n+1)
}

// dollar reads what a $ begins outside of a word: a placeholder, a string of PostgreSQL's or a variable of SQLite's. New
// releases of MySQL have such strings too, but not in the places where the old ones have names.
func (s *scanner) dollar() token {
	if s.dialect == SQLite {
		return s.variable()
	}
	next := s.at(s.pos + 1)
	if isDigit(next) && s.dialect != MySQL {
		end := s.digits(s.pos + 1)
		if inWord(s.at(end)) {
			return s.refuse("word directly after a placeholder")
		}
		return s.take(operator, end)
	}
	if s.dialect != Postgres {
		return s.refuse(`"$" outside of a name`)
	}
	end := s.pos + 1
	for b := s.at(end); b != '$' && inWord(b); b = s.at(end) {
		end++
	}
	if s.at(end) != '$' {
		return s.refuse(`"$" outside of a name`)
	}
	end++
	n := strings.Index(s.text[end:], s.text[s.pos:end])
	if n < 0 {
		return s.refuse("unterminated dollar quote")
	}
	return s.take(literal, end+n+end-s.pos)
}

// variable reads the : or @ that begins a named parameter; what comes next is a word of its own, except for SQLite. There
// the name of a parameter may go on in parentheses, and up to a space anything is part of it, even a quote.
func (s *scanner) variable() token {
	if s.dialect == Postgres || s.dialect == MySQL {
		return s.take(operator, s.pos+1)
	}
	end, named := s.pos+1, false
	for {
		switch {
		case inWord(s.at(end)):
			end, named = end+1, true
			continue
		case s.at(end) == ':' && s.at(end+1) == ':':
			end += 2
			continue
		case named && s.at(end) == '(':
			return s.refuse("parenthesis directly after a parameter")
		}
		break
	}
	if s.dialect != SQLite {
		end = s.pos + 1
	}
	return s.take(operator, end)
}

// comment skips a comment, if one begins here; it is not ok if that cannot be read.
func (s *scanner) comment() (comment, ok bool) {
	switch next := s.at(s.pos + 1); s.text[s.pos] {
	case '#':
		switch s.dialect {
		case Postgres:
			return false, true
		case MySQL:
			return true, s.lineComment()
		default:
			s.why = `"#" is a comment for some databases`
			return false, false
		}
	case '-':
		switch {
		case next != '-':
			return false, true
		case !s.dialect.known():
			s.why = `"--" is a comment for some databases`
			return false, false
		case s.dialect == MySQL && classes[s.at(s.pos+2)] != ' ' && classes[s.at(s.pos+2)] != '!':
			return false, true
		case s.dialect == MySQL && s.at(s.pos+2) == '\\':
			return false, true // two minus signs; the backslash is refused next
		}
		return true, s.lineComment()
	default:
		if next != '*' {
			return false, true
		}
		return true, s.blockComment()
	}
}

// lineComment skips a comment that ends with its line. PostgreSQL ends a line at a carriage return, others do not.
func (s *scanner) lineComment() bool {
	n := strings.IndexByte(s.text[s.pos:], '\n')
	if n < 0 && s.statement {
		n = len(s.text) - s.pos - 1
	} else if n < 0 {
		s.why = "comment up to the end"
		return false
	}
	line := strings.TrimSuffix(s.text[s.pos:s.pos+n], "\r")
	if strings.IndexByte(line, '\r') >= 0 {
		s.why = "carriage return in a comment"
		return false
	}
	s.pos += n + 1
	return true
}

// blockComment skips /* … */. MySQL runs what is in /*! … */ and MariaDB what is in /*M! … */; PostgreSQL alone nests
// comments. A hint, /*+ … */, has a grammar of its own, in which quotes may hide its end.
func (s *scanner) blockComment() bool {
	start := s.pos + 2
	first := s.at(start)
	if first == '!' || first|0x20 == 'm' && s.at(start+1) == '!' {
		s.why = "comment that is code"
		return false
	}
	depth := 1
	for i := start; i < len(s.text); i++ {
		switch two := s.at(i + 1); {
		case s.text[i] == '*' && two == '/':
			i++
			if depth--; depth > 0 {
				continue
			}
			if first == '+' && strings.ContainsAny(s.text[start:i], "'\"`") {
				s.why = "quote in a hint"
				return false
			}
			s.pos = i + 1
			return true
		case s.text[i] == '/' && two == '*':
			if s.dialect != Postgres {
				s.why = "comment in a comment"
				return false
			}
			i++
			depth++
		}
	}
	s.why = "unterminated comment"
	return false
}
