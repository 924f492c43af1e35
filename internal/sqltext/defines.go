package sqltext

import "strings"

// Defines returns the name of the table that a statement makes, changes or drops, or whose index it does; "" if it does none
// of that, or in a form that GORM's migrators do not write.
func (d Dialect) Defines(sql string) string {
	tokens, why := d.Tokens(sql, nil)
	if why != "" || len(tokens) < 3 {
		return ""
	}
	is := func(i int, word string) bool {
		return i < len(tokens) && tokens[i].Kind == Word && isWord(sql[tokens[i].Start:tokens[i].End], word)
	}
	i := 1
	switch {
	case is(0, "create"), is(0, "alter"), is(0, "drop"), is(0, "rename"), is(0, "truncate"):
		for is(i, "unique") || is(i, "fulltext") || is(i, "spatial") || is(i, "temporary") {
			i++
		}
		switch {
		case is(i, "table"):
			i++
		case is(i, "index"):
			for ; i < len(tokens) && !is(i, "on"); i++ {
			}
			i++
		default:
			return ""
		}
	case is(0, "comment") && is(1, "on") && is(2, "table"), is(0, "comment") && is(1, "on") && is(2, "column"):
		i = 3
	default:
		return ""
	}
	for is(i, "if") || is(i, "not") || is(i, "exists") || is(i, "only") {
		i++
	}
	if i >= len(tokens) || tokens[i].Kind != Word && tokens[i].Kind != Name {
		return ""
	}
	if !is(2, "column") && i+2 < len(tokens) && tokens[i+1].Kind == Dot { // a schema in front
		i += 2
	}
	return d.Unquote(sql[tokens[i].Start:tokens[i].End])
}

// QualifyReferences puts a schema before the tables that foreign keys in a statement refer to without one, and that picked
// picks.
func (d Dialect) QualifyReferences(sql, schema string, picked func(table string) bool) string {
	tokens, why := d.Tokens(sql, nil)
	if why != "" {
		return sql
	}
	var b strings.Builder
	from := 0
	for i := 1; i < len(tokens); i++ {
		before, t := tokens[i-1], tokens[i]
		if before.Kind != Word || !isWord(sql[before.Start:before.End], "references") || t.Kind != Word && t.Kind != Name ||
			i+1 < len(tokens) && tokens[i+1].Kind == Dot || !picked(d.Unquote(sql[t.Start:t.End])) {
			continue
		}
		b.WriteString(sql[from:t.Start])
		b.WriteString(d.Quote(schema) + ".")
		from = int(t.Start)
	}
	if from == 0 {
		return sql
	}
	b.WriteString(sql[from:])
	return b.String()
}
