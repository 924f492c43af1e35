package sqltext

import "strings"

// Within returns a statement of GORM's Migrator for PostgreSQL with a schema before each name of a table, an index, a sequence or
// a view that it makes, changes, drops or reads the columns of, and before the tables that its foreign keys refer to and that
// picked picks. Where such a name is not in the schema, a search_path would go on to the next one, and so to tables of others.
// ok is false for a statement that changes something and whose names were not found.
func (d Dialect) Within(sql, schema string, picked func(table string) bool) (text string, ok bool) {
	tokens, why := d.Tokens(sql, nil)
	if why != "" || len(tokens) == 0 {
		return sql, false
	}
	r := definition{text: sql, tokens: tokens, elsewhere: func(i, table int) bool {
		name := d.Unquote(sql[tokens[i].Start:tokens[i].End])
		return name != schema && picked(d.Unquote(sql[tokens[table].Start:tokens[table].End]))
	}}
	known := r.read()
	for i := 1; i < len(tokens); i++ {
		if !r.is(i-1, "references") || !r.isName(i) {
			continue
		}
		table := i
		if i+2 < len(tokens) && tokens[i+1].Kind == Dot && r.isName(i+2) {
			table = i + 2
		}
		if picked(d.Unquote(r.word(table))) {
			r.add(i, 1)
		}
	}
	if !known || r.strays {
		return sql, false
	}
	var b strings.Builder
	from := 0
	for _, i := range r.names {
		b.WriteString(sql[from:tokens[i].Start])
		b.WriteString(d.Quote(schema) + ".")
		from = int(tokens[i].Start)
	}
	b.WriteString(sql[from:])
	return b.String(), true
}

// definition is a statement that defines something.
type definition struct {
	text   string
	tokens []Token
	names  []int // tokens that a schema goes before, in ascending order
	// elsewhere tells whether token i is another schema than the tenant's, of a table that may be a tenant's.
	elsewhere func(i, table int) bool
	strays    bool // it names a table elsewhere
}

func (r *definition) word(i int) string { return r.text[r.tokens[i].Start:r.tokens[i].End] }

func (r *definition) is(i int, words ...string) bool {
	if i < 0 || i >= len(r.tokens) || r.tokens[i].Kind != Word {
		return false
	}
	for _, w := range words {
		if isWord(r.word(i), w) {
			return true
		}
	}
	return false
}

func (r *definition) isName(i int) bool {
	return i < len(r.tokens) && (r.tokens[i].Kind == Word || r.tokens[i].Kind == Name)
}

// skip returns the first token from i on that is none of the words.
func (r *definition) skip(i int, words ...string) int {
	for r.is(i, words...) {
		i++
	}
	return i
}

// add notes a name that begins at token i and has at most parts parts without a schema. It returns the token behind it.
func (r *definition) add(i, parts int) (behind int) {
	n := 1
	behind = i + 1
	for behind+1 < len(r.tokens) && r.tokens[behind].Kind == Dot && r.isName(behind+1) {
		n++
		behind += 2
	}
	if n <= parts {
		r.names = append(r.names, i)
	} else if r.elsewhere != nil && r.elsewhere(i, i+2) {
		r.strays = true
	}
	return behind
}

// one notes the name at token i, which must be one.
func (r *definition) one(i, parts int) bool {
	if !r.isName(i) {
		return false
	}
	r.add(i, parts)
	return true
}

// read finds the names of what the statement is about.
func (r *definition) read() bool {
	i := r.skip(1, "or", "replace", "unique", "temporary", "materialized")
	switch {
	case r.is(0, "select", "with"):
		if r.is(2, "from") && r.isName(3) && r.tokens[1].Kind == Operator && !r.is(3, "information_schema", "pg_catalog") {
			r.add(3, 1) // SELECT * FROM x: the Migrator's look at the columns of a table
		}
		return true // of the catalog, which goes by the connection's own schema
	case r.is(0, "comment") && r.is(1, "on") && r.is(2, "column"):
		return r.one(3, 2)
	case r.is(0, "comment") && r.is(1, "on") && r.is(2, "table"):
		return r.one(3, 1)
	case r.is(0, "truncate"):
		return r.one(r.skip(1, "table", "only"), 1)
	case !r.is(0, "create", "alter", "drop"):
		return false
	case r.is(i, "index") && r.is(0, "create"):
		for ; i < len(r.tokens) && !r.is(i, "on"); i++ {
		}
		return r.one(r.skip(i+1, "only"), 1)
	case r.is(i, "sequence") && r.is(0, "alter"):
		if i = r.skip(i+1, "if", "exists"); !r.isName(i) {
			return false
		}
		if i = r.add(i, 1); r.is(i, "owned") && r.is(i+1, "by") {
			return r.one(i+2, 2)
		}
		return true
	case r.is(i, "table", "index", "sequence", "view"):
		i = r.skip(i+1, "concurrently", "if", "not", "exists", "only")
		for r.isName(i) {
			if i = r.add(i, 1); i >= len(r.tokens) || r.tokens[i].Kind != Comma || !r.is(0, "drop") {
				return true
			}
			i++
		}
	}
	return false
}

// References returns the tables that foreign keys in a statement refer to.
func (d Dialect) References(sql string) (names []string) {
	tokens, why := d.Tokens(sql, nil)
	if why != "" {
		return nil
	}
	r := definition{text: sql, tokens: tokens}
	for i := 1; i < len(tokens); i++ {
		if r.is(i-1, "references") && r.isName(i) {
			names = append(names, d.Unquote(r.word(i)))
		}
	}
	return names
}
