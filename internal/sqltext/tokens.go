package sqltext

import "strings"

// TokenKind says what a [Token] is.
type TokenKind uint8

// The kinds of tokens that a whole statement is split into.
const (
	Word     TokenKind = iota // a keyword or a name without quotes
	Name                      // a name in quotes; in MySQL, "…" is a string unless the session says otherwise
	Literal                   // 'text' or $$text$$
	Number                    // 1, 1.5e3, 0xff
	Open                      // (
	Close                     // )
	Comma                     // ,
	Dot                       // .
	Mark                      // a placeholder: ?, or PostgreSQL's $1
	Operator                  // anything else
)

// Token is a span of a statement; its quotes belong to it.
type Token struct {
	Kind       TokenKind
	Depth      int16 // parentheses around it; those of a parenthesis itself are one less than of what is in it
	Start, End int32
}

// deepest is how many parentheses, and how many brackets, may be open at once, for a parser in Go that recurses too deep
// ends the process. nested is how many parentheses may be open directly inside another: parsers that go back and try again
// take exponential time over "((SELECT … FROM ((SELECT …".
const (
	deepest = 64
	nested  = 6
)

// longestStatement is the most that is read, in bytes.
const longestStatement = 1 << 20

// Tokens appends the tokens of a whole statement to into, without a semicolon at its end. why says why the statement is
// not to be read: parsers, modes and releases of the database differ over it, or reading it could take too long.
func (d Dialect) Tokens(sql string, into []Token) (tokens []Token, why string) {
	tokens = into
	if len(sql) > longestStatement {
		return nil, "it has more than 1 MiB"
	}
	if why := unreadable(sql); why != "" {
		return nil, why
	}
	s := scanner{text: sql, dialect: d, statement: true}
	depth, doubled, brackets, run := 0, 0, 0, 0
	var double [deepest + 1]bool // whether the open parenthesis came directly after another
	for {
		t := s.next()
		k := Operator
		if t.kind != opening {
			if run > 1 && t.kind == word && beginsQueries(sql[t.start:t.end]) {
				for d := depth - run + 2; d <= depth; d++ {
					double[d] = true
				}
				if doubled += run - 1; doubled > nested {
					return nil, `more than 6 queries in "((" in one another`
				}
			}
			run = 0
		}
		switch t.kind {
		case nothing:
			if depth > 0 {
				return nil, "unbalanced parenthesis"
			}
			return tokens, ""
		case broken:
			return nil, s.why
		case word:
			k = Word
		case quoted:
			k = Name
		case literal:
			k = Literal
		case number:
			k = Number
		case comma:
			k = Comma
		case dot:
			k = Dot
		case opening:
			if depth++; depth > deepest {
				return nil, "more than 64 parentheses in one another"
			}
			double[depth] = false
			run++
			tokens = append(tokens, Token{Kind: Open, Depth: int16(depth - 1), Start: int32(t.start), End: int32(t.end)}) //nolint:gosec // bounded above
			continue
		case closing:
			if depth == 0 {
				return nil, "unbalanced parenthesis"
			}
			if double[depth] {
				doubled--
			}
			depth--
			k = Close
		case operator:
			var why string
			if k, why = s.mark(t); why != "" {
				return nil, why
			}
			switch sql[t.start] {
			case '[':
				if brackets++; brackets > deepest {
					return nil, "more than 64 brackets in one another"
				}
			case ']':
				brackets--
			}
		case semicolon:
			if rest := s.next(); rest.kind != nothing {
				return nil, `more than one statement: ";" can only stand at the end`
			}
			if depth > 0 {
				return nil, "unbalanced parenthesis"
			}
			return tokens, ""
		}
		tokens = append(tokens, Token{Kind: k, Depth: int16(depth), Start: int32(t.start), End: int32(t.end)}) //nolint:gosec // bounded above
	}
}

// beginsQueries tells whether a word begins a query.
func beginsQueries(word string) bool {
	switch strings.ToLower(word) {
	case "select", "with", "values", "table":
		return true
	}
	return false
}

// mark tells placeholders from other operators, and refuses what is like one but is bound in another way.
func (s *scanner) mark(t token) (k TokenKind, why string) {
	switch c := s.text[t.start]; {
	case c == '?' && s.dialect != Postgres:
		if isDigit(s.at(t.end)) {
			return 0, `numbered placeholders: use "?"`
		}
		return Mark, ""
	case c == '$' && s.dialect == Postgres:
		return Mark, ""
	case s.dialect == SQLite && (c == ':' || c == '@' || c == '$'):
		return 0, `named placeholders: use "?"`
	case s.dialect == MySQL && c == '@':
		return 0, `variables, which outlive the statement on its connection`
	case s.dialect == MySQL && c == ':' && s.at(t.end) == '=':
		return 0, `":="`
	}
	return Operator, ""
}

// escaped reads PostgreSQL's E'…', in which a backslash escapes what follows it.
func (s *scanner) escaped(from int) token {
	for i := from; i < len(s.text); i++ {
		switch s.text[i] {
		case '\\':
			i++
		case '\'':
			if s.at(i+1) != '\'' {
				if s.continued(i + 1) {
					return s.refuse("string with escapes that goes on behind a line break")
				}
				return s.take(literal, i+1)
			}
			i++
		}
	}
	return s.refuse("unterminated string")
}

// continued tells whether what comes next behind i is a string without a prefix. Behind a line break that is a part of the
// string before it, and has escapes if that has.
func (s *scanner) continued(i int) bool {
	for i < len(s.text) {
		switch {
		case classes[s.text[i]] == ' ':
			i++
		case s.text[i] == '-' && s.at(i+1) == '-':
			n := strings.IndexAny(s.text[i:], "\r\n")
			if n < 0 {
				return false
			}
			i += n
		default:
			return s.text[i] == '\''
		}
	}
	return false
}

// backslashes tells whether a backslash in a string may be an escape: in MySQL it is one unless the mode says no, in
// PostgreSQL it is none unless a setting says so (standard_conforming_strings), and SQLite's strings never have any.
func (s *scanner) backslashes() bool { return !s.statement || s.dialect != SQLite }

// Unquote returns the name that a token spells: without its quotes, and in lower case if it has none and the dialect is
// PostgreSQL.
func (d Dialect) Unquote(text string) string {
	if text == "" {
		return ""
	}
	switch q := text[0]; q {
	case '[':
		return strings.TrimSuffix(text[1:], "]")
	case '"', '`', '\'':
		inner := strings.TrimSuffix(text[1:], text[:1])
		if strings.IndexByte(inner, q) >= 0 {
			inner = strings.ReplaceAll(inner, text[:1]+text[:1], text[:1])
		}
		return inner
	}
	if d == Postgres {
		return strings.ToLower(text)
	}
	return text
}

// Reaches says why a function must not be called in a statement that is held to a tenant: it reads what its argument
// names, or changes the session. "" means that nothing is known against it.
func Reaches(function string) (why string) { return called(function) }

// Plain tells whether a word is a name, and not a keyword that brings in a table or ends an expression.
func Plain(word string) bool { return meaningOf(word) == plain && !isClause(word) }

// Reserved tells whether a word without quotes can be no table in any of the dialects.
func Reserved(word string) bool {
	switch strings.ToLower(word) {
	case "all", "and", "as", "case", "check", "constraint", "create", "default", "distinct", "else", "foreign", "from", "group",
		"having", "in", "into", "is", "join", "limit", "not", "null", "on", "or", "order", "primary", "references", "select", "set",
		"table", "then", "to", "union", "unique", "using", "values", "when", "where":
		return true
	}
	return false
}
