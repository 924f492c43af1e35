package sqltext

import "strings"

// Place says where in a statement a fragment stands.
type Place uint8

const (
	// Expression is a condition, a sort order or a column of a result.
	Expression Place = iota
	// Assignment is the right side of an assignment in SET, so that a comma would begin another one.
	Assignment
)

// Fragment says why text must not be spliced into a statement, in words for a message; "" means that it may, between
// parentheses. A text that may is complete in itself: no quote, comment or parenthesis of it reaches into what comes
// after it, and no keyword or function of it brings in a table. It must not stand where a statement lists its tables.
func (d Dialect) Fragment(text string, p Place) (why string) {
	return d.fragment(reader{scan: scanner{text: text, dialect: d}, place: p})
}

// Piece is [Dialect.Fragment] for a statement that is read as a whole before it is sent, so that the text may have queries
// of its own, in parentheses.
func (d Dialect) Piece(text string, p Place) (why string) {
	return d.fragment(reader{scan: scanner{text: text, dialect: d}, place: p, nested: true})
}

// Whole says why text is not complete in itself: a quote, a comment or a parenthesis of it reaches into what comes after
// it. Whatever else it has must be read with the statement.
func (d Dialect) Whole(text string) (why string) {
	if why := unreadable(text); why != "" {
		return why
	}
	s, depth := scanner{text: text, dialect: d}, 0
	for {
		switch t := s.next(); t.kind {
		case nothing:
			if depth > 0 {
				return "unbalanced parenthesis"
			}
			return ""
		case broken:
			return s.why
		case opening:
			depth++
		case closing:
			if depth--; depth < 0 {
				return "unbalanced parenthesis"
			}
		}
	}
}

func (d Dialect) fragment(r reader) (why string) {
	text := r.scan.text
	if why := unreadable(text); why != "" {
		return why
	}
	for {
		t := r.scan.next()
		switch t.kind {
		case nothing:
			return r.end()
		case broken:
			return r.scan.why
		case word:
			why = r.word(t)
		case opening:
			why = r.open()
		case closing:
			why = r.close()
		case comma:
			if r.place == Assignment && r.depth == 0 && r.brackets == 0 {
				why = `"," begins another assignment`
			}
		case dot:
			r.qualifier = r.prev.end == t.start && (r.prev.kind == word || r.prev.kind == quoted)
		case quoted:
			why = r.attribute(t)
		case operator:
			why = r.bracket(text[t.start])
		}
		if why != "" {
			return why
		}
		r.prev = t
	}
}

// reader holds what the rules have to remember of the tokens up to here.
type reader struct {
	scan      scanner
	place     Place
	prev      token
	qualifier bool // prev, if a dot, came directly after a name
	member    bool // prev, if a word, came directly after such a dot
	depth     int  // of parentheses
	nested    bool // queries may stand in parentheses
	brackets  int  // of PostgreSQL's arrays
	compared  int  // where the FROM of the last IS DISTINCT FROM begins; 0 is none

	// from has a bit for each open parenthesis, the innermost lowest, that is set if FROM may stand in it. A bit is lost
	// 64 levels above it, so that FROM is refused there.
	from uint64
}

func (r *reader) text(t token) string { return r.scan.text[t.start:t.end] }

// word judges a keyword or a name.
func (r *reader) word(t token) (why string) {
	w := r.text(t)
	r.member = r.prev.kind == dot && r.qualifier && r.prev.end == t.start
	if r.member {
		return ""
	}
	if why := r.attribute(t); why != "" {
		return why
	}
	if t.foreign {
		return r.foreign(w)
	}
	m := meaningOf(w)
	if m == plain || r.qualifies(t) {
		return ""
	}
	return r.keyword(t, m)
}

// qualifies tells whether t is the table in "table.column". A digit after the dot would make a number of it.
func (r *reader) qualifies(t token) bool {
	if r.scan.at(t.end) != '.' {
		return false
	}
	c := classes[r.scan.at(t.end+1)]
	return c == 'a' || c == 'u'
}

// foreign judges a word with characters beyond ASCII. A connection of MySQL's with an 8-bit character set may take a byte
// of such a character for a space, so each part of the word has to pass on its own.
func (r *reader) foreign(w string) (why string) {
	for len(w) > 0 {
		n := 0
		for n < len(w) && classes[w[n]] != 'u' {
			n++
		}
		if meaningOf(w[:n]) != plain {
			return describe(w[:n], "in a name that is not ASCII")
		}
		w = w[min(n+1, len(w)):]
	}
	return ""
}

// keyword judges a word that has a meaning.
func (r *reader) keyword(t token, m meaning) (why string) {
	w := r.text(t)
	if r.nested && r.depth > 0 {
		switch m {
		case readsTable, takesSource, beginsQuery, makesRows, endsExpression:
			return ""
		}
	}
	switch m {
	case readsTable:
		return describe(w, "reads a table")
	case writesTable:
		return describe(w, "writes to a table")
	case writesUnlessCalled:
		if r.scan.at(t.end) != '(' {
			return describe(w, "writes to a table")
		}
	case changesSchema:
		return describe(w, "changes the schema")
	case runsCode:
		return describe(w, "runs something else")
	case takesSource:
		if r.from&1 == 0 && (r.compared == 0 || t.start != r.compared) {
			return describe(w, "reads a table")
		}
	case beginsQuery:
		if !r.belongs() {
			return describe(w, "begins a query")
		}
	case makesRows:
		if !r.upserted(t) {
			return describe(w, "makes a table")
		}
	case updates:
		if r.prev.kind == nothing {
			return describe(w, "writes to a table")
		}
	case endsExpression:
		if r.depth == 0 {
			return describe(w, "ends the expression")
		}
	case endsAssignment:
		if r.place == Assignment && r.depth == 0 {
			return describe(w, "ends the expression")
		}
	case isMember:
		return r.members(w)
	case compares:
		r.compares()
	}
	return ""
}

// compares remembers the FROM of IS [NOT] DISTINCT FROM, if that is what the IS just read begins. Without the IS, "x
// DISTINCT FROM y" is a column called distinct and a table.
func (r *reader) compares() {
	ahead := r.scan
	t := ahead.next()
	if t.kind == word && strings.EqualFold(r.text(t), "not") {
		t = ahead.next()
	}
	if t.kind == word && strings.EqualFold(r.text(t), "distinct") {
		r.compared = ahead.next().start
	}
}

// belongs tells whether the WITH just read is part of one of the phrases that are no queries.
func (r *reader) belongs() bool {
	ahead := r.scan
	first, second := ahead.next(), ahead.next()
	if first.kind == word && strings.EqualFold(r.text(first), "rollup") {
		return true // MySQL's GROUP BY … WITH ROLLUP
	}
	if first.kind != word || second.kind != word {
		return false
	}
	a, b := r.text(first), r.text(second)
	return strings.EqualFold(a, "time") && strings.EqualFold(b, "zone") ||
		strings.EqualFold(a, "query") && strings.EqualFold(b, "expansion") || // MySQL's full-text search
		strings.EqualFold(a, "unique") && strings.EqualFold(b, "keys") // IS JSON
}

// upserted tells whether the VALUES just read is MySQL's VALUES(column), the value that an upsert meant to insert.
func (r *reader) upserted(t token) bool {
	if r.scan.dialect != MySQL || r.scan.at(t.end) != '(' {
		return false
	}
	ahead := r.scan
	ahead.next()
	column, end := ahead.next(), ahead.next()
	return (column.kind == word || column.kind == quoted) && end.kind == closing
}

// members judges what follows an IN. SQLite takes the name of a table there, bare, quoted or even as a string.
func (r *reader) members(w string) (why string) {
	if d := r.scan.dialect; d == Postgres || d == MySQL {
		return ""
	}
	ahead := r.scan
	t := ahead.next()
	if t.kind == opening {
		return ""
	}
	if t.kind == operator {
		switch r.scan.text[t.start] {
		case '?', '@', ':', '$':
			return ""
		}
	}
	return describe(w, "without a parenthesis reads a table")
}

// attribute judges a name that is written as an attribute of something that is no name: in PostgreSQL (x).f is f(x).
func (r *reader) attribute(t token) (why string) {
	if r.prev.kind != dot || r.qualifier {
		return ""
	}
	return called(r.unquoted(t))
}

// function judges the name of a function, t being what stands before a parenthesis.
func (r *reader) function(t token) (why string) {
	name := r.unquoted(t)
	for i := range len(name) {
		if classes[name[i]] == 'u' { // MariaDB compares names without regard to accents
			return "function with a name that is not ASCII"
		}
	}
	return called(name)
}

// unquoted returns the name that t is. No name that matters has a quote in it.
func (r *reader) unquoted(t token) string {
	if t.kind == quoted {
		return r.scan.text[t.start+1 : t.end-1]
	}
	return r.text(t)
}

// called judges a function.
func called(name string) (why string) {
	switch callOf(name) {
	case readsText:
		return describe(name, "reads what its argument names")
	case tellsOfOthers:
		return describe(name, "tells of other statements or tenants")
	case setsConfig:
		return describe(name, "changes the session")
	default:
		return ""
	}
}

func (r *reader) open() (why string) {
	r.depth++
	r.from <<= 1
	switch r.prev.kind {
	case word:
		if !r.member && !r.prev.foreign && callOf(r.text(r.prev)) == takesFrom {
			r.from |= 1
			return ""
		}
		return r.function(r.prev)
	case quoted:
		return r.function(r.prev)
	default:
		return ""
	}
}

func (r *reader) close() (why string) {
	if r.depth == 0 {
		return "unbalanced parenthesis"
	}
	r.depth--
	r.from >>= 1
	return ""
}

// bracket keeps count of the brackets of arrays, in which a comma begins no assignment. They have to balance like
// parentheses: an array left open would take in the assignments that follow.
func (r *reader) bracket(b byte) (why string) {
	switch b {
	case '[':
		r.brackets++
	case ']':
		if r.brackets == 0 {
			return "unbalanced bracket"
		}
		r.brackets--
	}
	return ""
}

func (r *reader) end() (why string) {
	switch {
	case r.depth > 0:
		return "unbalanced parenthesis"
	case r.brackets > 0:
		return "unbalanced bracket"
	default:
		return ""
	}
}

// describe makes a reason of a word.
func describe(w, does string) string { return `"` + strings.ToUpper(w) + `" ` + does }
