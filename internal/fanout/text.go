package fanout

import (
	"strings"

	"github.com/gormtenancy/tenancy/internal/sqltext"
	"github.com/gormtenancy/tenancy/sqlproof"
)

// text is a statement and its tokens.
type text struct {
	sql      string
	dialect  sqltext.Dialect
	tokens   []sqltext.Token
	brackets []bool // whether a token is in PostgreSQL's […]
	marks    map[int]int
	single   string // the name of the only source; "" if there are several
}

// span is a part of the tokens: those from the first to before the second.
type span struct{ from, to int }

func (s span) empty() bool { return s.from >= s.to }

func newText(st *sqlproof.Statement, d sqltext.Dialect) (*text, string) {
	tokens, why := d.Tokens(st.SQL, nil)
	if why != "" {
		return nil, why
	}
	t := &text{sql: st.SQL, dialect: d, tokens: tokens, brackets: make([]bool, len(tokens)), marks: map[int]int{}}
	open, mark := 0, 0
	for i := range tokens {
		switch t.at(i) {
		case "[":
			open++
		case "]":
			open--
		}
		t.brackets[i] = open > 0
		if tokens[i].Kind == sqltext.Mark {
			t.marks[i] = st.Marks[mark].Argument
			mark++
		}
	}
	if sources := st.Main.Sources; len(sources) == 1 {
		t.single = sources[0].Called()
	}
	return t, ""
}

// at returns a token; "" is none.
func (t *text) at(i int) string {
	if i < 0 || i >= len(t.tokens) {
		return ""
	}
	return t.sql[t.tokens[i].Start:t.tokens[i].End]
}

// is tells whether a token is one of some words, which are in lower case.
func (t *text) is(i int, words ...string) bool {
	if i < 0 || i >= len(t.tokens) || t.tokens[i].Kind != sqltext.Word {
		return false
	}
	for _, w := range words {
		if strings.EqualFold(t.at(i), w) {
			return true
		}
	}
	return false
}

func (t *text) kind(i int) (sqltext.TokenKind, bool) {
	if i < 0 || i >= len(t.tokens) {
		return 0, false
	}
	return t.tokens[i].Kind, true
}

// has tells whether a token is of a kind.
func (t *text) has(i int, k sqltext.TokenKind) bool {
	kind, ok := t.kind(i)
	return ok && kind == k
}

// top tells whether a token is in no parentheses and brackets.
func (t *text) top(i int) bool { return t.tokens[i].Depth == 0 && !t.brackets[i] }

// of returns the text of a span.
func (t *text) of(s span) string {
	if s.empty() {
		return ""
	}
	return t.sql[t.tokens[s.from].Start:t.tokens[s.to-1].End]
}

// split splits a span at the commas that are as deep as its first token.
func (t *text) split(s span) []span {
	if s.empty() {
		return nil
	}
	var parts []span
	depth, from := t.tokens[s.from].Depth, s.from
	for i := s.from; i < s.to; i++ {
		if t.tokens[i].Kind == sqltext.Comma && t.tokens[i].Depth == depth && !t.brackets[i] {
			parts = append(parts, span{from, i})
			from = i + 1
		}
	}
	return append(parts, span{from, s.to})
}

// closing returns the parenthesis that closes the one at a token; -1 if that is none, or it closes behind the span.
func (t *text) closing(open int, s span) int {
	if open >= s.to || t.tokens[open].Kind != sqltext.Open {
		return -1
	}
	for i := open + 1; i < s.to; i++ {
		if t.tokens[i].Kind == sqltext.Close && t.tokens[i].Depth == t.tokens[open].Depth {
			return i
		}
	}
	return -1
}

// bare returns a span without parentheses around all of it.
func (t *text) bare(s span) span {
	for !s.empty() && t.closing(s.from, s) == s.to-1 {
		s = span{s.from + 1, s.to - 1}
	}
	return s
}

// contains tells whether one of some words is in a span.
func (t *text) contains(s span, words ...string) bool {
	for i := s.from; i < s.to; i++ {
		if t.is(i, words...) && !t.has(i-1, sqltext.Dot) {
			return true
		}
	}
	return false
}

// hasMarks tells whether a placeholder is in a span.
func (t *text) hasMarks(s span) bool {
	for i := s.from; i < s.to; i++ {
		if t.tokens[i].Kind == sqltext.Mark {
			return true
		}
	}
	return false
}

// name returns the name that a span is, if it is one without a qualifier.
func (t *text) name(s span) (string, bool) {
	if s.to-s.from != 1 || !t.has(s.from, sqltext.Word) && !t.has(s.from, sqltext.Name) {
		return "", false
	}
	return t.dialect.Unquote(t.at(s.from)), true
}

// same tells whether two names are one. MySQL's of columns and aliases are so whatever their case is.
func (t *text) same(a, b string) bool {
	if t.dialect == sqltext.Postgres {
		return a == b
	}
	return strings.EqualFold(a, b)
}

// form writes an expression so that two with the same form mean the same. Placeholders that are counted have none.
func (t *text) form(s span) string {
	s = t.bare(s)
	var b strings.Builder
	nested := t.contains(s, "select", "values", "table")
	for i := s.from; i < s.to; i++ {
		token := t.at(i)
		switch k := t.tokens[i].Kind; {
		case k == sqltext.Mark && t.dialect != sqltext.Postgres:
			return ""
		case k != sqltext.Word && k != sqltext.Name:
		case !nested && t.single != "" && t.has(i+1, sqltext.Dot) && !t.has(i-1, sqltext.Dot) && t.calls(t.dialect.Unquote(token)):
			i++ // the only source, which needs no name
			continue
		default:
			token = t.word(i)
		}
		b.WriteString(token)
		b.WriteByte(0)
	}
	return b.String()
}

// calls tells whether a name is that of the only source.
func (t *text) calls(name string) bool {
	if t.dialect == sqltext.SQLite {
		return strings.EqualFold(name, t.single)
	}
	return name == t.single
}

// word is the form of a word or a name in quotes. A name that is a keyword without them stays quoted.
func (t *text) word(i int) string {
	token := t.at(i)
	name := t.dialect.Unquote(token)
	if t.dialect == sqltext.SQLite || t.has(i+1, sqltext.Open) {
		name = strings.ToLower(name)
	}
	if t.has(i, sqltext.Name) {
		if t.dialect == sqltext.MySQL && token[0] == '"' || !sqltext.Plain(name) || sqltext.Reserved(name) || isValue(name) || !isPlainName(name) {
			return "`" + name
		}
		return name
	}
	if isValue(token) || !sqltext.Plain(token) || sqltext.Reserved(token) {
		return strings.ToLower(token)
	}
	return name
}

// isValue tells whether a word without quotes is a value in one of the dialects.
func isValue(word string) bool {
	switch strings.ToLower(word) {
	case "true", "false", "unknown", "current_date", "current_time", "current_timestamp", "current_user", "current_role",
		"current_catalog", "current_schema", "session_user", "system_user", "user", "localtime", "localtimestamp", "utc_date",
		"utc_time", "utc_timestamp", "rowid", "oid", "_rowid_":
		return true
	}
	return false
}

func isPlainName(name string) bool {
	for i := range len(name) {
		if c := name[i]; c != '_' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}
