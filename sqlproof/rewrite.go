package sqlproof

import (
	"slices"
	"strconv"
	"strings"

	"github.com/gormtenancy/tenancy/internal/sqltext"
)

// rewrite is what is to be added to a text.
type rewrite struct {
	p     *proof
	where map[*Block][]*tableOf
	on    map[*Join][]*tableOf
	edits []edit
	notes map[*Source]string // what was added where, for Explain
}

// edit is one piece to be added, before a token if its order is opens, or else behind it.
type edit struct {
	token int
	order int8 // of edits in the same place
	text  string
	marks []Table // whose tenant each mark in text stands for
	// stored tells that its marks are values of rows. PostgreSQL gives them the type of the column, varchar, and those that a
	// column is compared with that of the operator, text: they must not be one placeholder.
	stored bool
}

// at returns the offset of the edit.
func (e *edit) at(tokens []sqltext.Token) int {
	if e.order == opens {
		return int(tokens[e.token].Start)
	}
	return int(tokens[e.token].End)
}

// mark stands in the text of an edit for a placeholder.
const mark = "\x00"

// The order of edits in the same place, from the inside out.
const (
	closesWrap int8 = iota
	closesOn
	closesWhere
	opens
)

// complete finds a place for the condition of each source that is not bound. Each that is placed may bind others.
func (p *proof) complete() (*rewrite, *Refusal) {
	r := &rewrite{p: p, where: map[*Block][]*tableOf{}, on: map[*Join][]*tableOf{}, notes: map[*Source]string{}}
	for _, links := range []bool{false, true} { // join tables last: by then they are bound if they are joined with both parents
		for i := range p.known {
			if k := &p.known[i]; (k.table.Class == Link) == links {
				if refusal := r.add(k); refusal != nil {
					return nil, refusal
				}
			}
		}
	}
	for _, b := range p.st.Blocks { // in the order of the text, so that it is the same each time
		if ks := r.where[b]; len(ks) > 0 {
			if refusal := r.addWhere(b, ks); refusal != nil {
				return nil, refusal
			}
		}
		for _, s := range b.Sources {
			for j := s.parent; j != nil; j = j.parent {
				if ks := r.on[j]; len(ks) > 0 {
					r.addOn(j, ks)
					delete(r.on, j)
				}
			}
		}
	}
	return r, nil
}

// add finds the place for one source, unless it is bound.
func (r *rewrite) add(k *tableOf) *Refusal {
	if k.source.Target && k.source.Block.Kind == Insert {
		return r.insert(k)
	}
	if k.bound {
		return nil
	}
	if refusal := r.place(k); refusal != nil {
		return refusal
	}
	k.bound = true
	r.p.bind()
	return nil
}

// place decides where the condition of a source stands: it climbs from the source up to the first outer join that
// restricts its rows by ON, or to WHERE. Where it cannot stand in ON, it stands around the table.
func (r *rewrite) place(k *tableOf) *Refusal {
	s := k.source
	if s.Block.keyword < 0 {
		return r.p.refuse(s, "its query has no place for a condition", "write it with SELECT")
	}
	if of := r.p.writesEnd(k); of != nil {
		return r.p.refuse(s, "its condition reads table "+of.source.Name+", which the statement writes to, and MySQL allows no such subquery",
			"join it with both of the tables that it joins")
	}
	if s.hidden() {
		return r.wrap(k, "in a join with a name of its own")
	}
	for child := s.parent; child != nil && child.parent != nil; child = child.parent {
		j := child.parent
		switch {
		case j.Kind == Full:
			return r.wrap(k, "in a FULL JOIN")
		case j.Kind == Left && child == j.Right, j.Kind == Right && child == j.Left:
			if j.On == nil || j.on <= 0 {
				return r.wrap(k, "in an outer join without ON")
			}
			r.on[j] = append(r.on[j], k)
			r.note(k, "the ON of its "+j.Kind.String())
			return nil
		}
	}
	r.where[s.Block] = append(r.where[s.Block], k)
	r.note(k, "WHERE")
	return nil
}

func (r *rewrite) note(k *tableOf, where string) {
	r.notes[k.source] = "condition added to " + where
}

// describe names a source for people.
func describe(s *Source) string {
	if s.Alias != "" && s.Name != "" && s.Alias != s.Name {
		return s.Name + " " + s.Alias
	}
	return s.Called()
}

// wrap puts the table in parentheses, with its condition: (SELECT * FROM t WHERE …) AS t. That is the same for every join,
// but the database no longer sees the table's keys, so it is the second choice.
func (r *rewrite) wrap(k *tableOf, why string) *Refusal {
	s := k.source
	if s.Target || s.Fixed {
		return r.p.refuse(s, "its condition has no place, "+why, "join it with ON, or put it in a subquery")
	}
	alias := ""
	if s.Alias == "" {
		alias = " AS " + r.quote(s.Name)
	}
	condition, marks := r.predicate(k, s.Name)
	r.edits = append(r.edits,
		edit{token: r.p.st.tokenAt(s.Start), order: opens, text: "(SELECT * FROM "},
		edit{token: r.p.st.tokenAt(s.End - 1), order: closesWrap, text: " WHERE " + condition + ")" + alias, marks: marks})
	k.wrapped = true
	r.notes[s] = "put in a subquery with its condition, as it is " + why
	return nil
}

func (r *rewrite) quote(name string) string { return quoted(r.p.st.dialect, name) }

// quoted writes a name as a dialect does.
func quoted(d sqltext.Dialect, name string) string {
	quote := quoteOf(d)
	return quote + strings.ReplaceAll(name, quote, quote+quote) + quote
}

func (r *rewrite) equal(qualifier, column string) string {
	return r.quote(qualifier) + "." + r.quote(column) + " = " + mark
}

// predicate writes the condition that binds a source that goes by a name.
func (r *rewrite) predicate(k *tableOf, name string) (text string, marks []Table) {
	if k.table.Class == Owned {
		return r.equal(name, k.table.Column), []Table{k.table}
	}
	ends := *k.table.Ends
	if len(ends) != 2 || ends[0].Carries != "" || ends[1].Carries != "" {
		for i := range ends {
			if i > 0 {
				text += " AND "
			}
			end, parent := r.end(name, &ends[i], true)
			text, marks = text+end, append(marks, parent)
		}
		return text, marks
	}
	e1, t1 := r.end(name, &ends[0], true)
	e2, t2 := r.end(name, &ends[1], true)
	m1, _ := r.end(name, &ends[0], false)
	m2, _ := r.end(name, &ends[1], false)
	return "((" + e1 + " AND " + e2 + ") OR (" + e1 + " AND NOT " + m2 + ") OR (" + e2 + " AND NOT " + m1 + "))", []Table{t1, t2, t1, t2}
}

// end writes e of link.go, or m if it is not to be owned.
func (r *rewrite) end(link string, end *End, owned bool) (text string, parent Table) {
	if end.Carries != "" {
		return r.equal(link, end.Carries), end.Parent
	}
	name := r.quote(end.Parent.Name)
	if end.Schema != "" {
		name = r.quote(end.Schema) + "." + name
	}
	text = "EXISTS (SELECT 1 FROM " + name + " WHERE "
	for i := range end.Columns {
		if i > 0 {
			text += " AND "
		}
		text += r.quote(end.Parent.Name) + "." + r.quote(end.Keys[i]) + " = " + r.quote(link) + "." + r.quote(end.Columns[i])
	}
	if owned {
		text += " AND " + r.equal(end.Parent.Name, end.Parent.Column)
	}
	return text + ")", end.Parent
}

// predicates writes the conditions of several sources.
func (r *rewrite) predicates(ks []*tableOf) (text string, marks []Table) {
	for i, k := range ks {
		if i > 0 {
			text += " AND "
		}
		predicate, of := r.predicate(k, k.source.Called())
		text, marks = text+predicate, append(marks, of...)
	}
	return text, marks
}

// addWhere adds conditions to the WHERE of a block.
func (r *rewrite) addWhere(b *Block, ks []*tableOf) *Refusal {
	st := r.p.st
	keyword := int(b.keyword)
	text, marks := r.predicates(ks)
	where := st.clause(b, keyword, "where")
	if b.Where != nil {
		if where < 0 {
			return r.p.refuse(ks[0].source, "the WHERE of its query was not found", "")
		}
		r.around(where, st.conditionEnd(b, where+1), closesWhere, text, marks)
		return nil
	}
	from := keyword + 1
	if b.Kind == Select {
		if from = st.clauseFrom(b); from < 0 {
			return r.p.refuse(ks[0].source, "the FROM of its query was not found", "")
		}
	}
	end := st.conditionEnd(b, from)
	if where >= 0 && where < end { // further on, it is that of ON CONFLICT … DO UPDATE
		return r.p.refuse(ks[0].source, "its query has a WHERE where none was expected", "")
	}
	r.edits = append(r.edits, edit{token: end - 1, order: closesWhere, text: " WHERE " + text, marks: marks})
	return nil
}

// clauseFrom finds the FROM of a SELECT, which is not that of IS DISTINCT FROM.
func (s *Statement) clauseFrom(b *Block) int {
	for i := s.clause(b, int(b.keyword), "from"); i >= 0; i = s.clause(b, i+1, "from") {
		if !s.is(i-1, "distinct") || i-1 == int(b.keyword)+1 {
			return i
		}
	}
	return -1
}

// addOn adds conditions to the ON of a join.
func (r *rewrite) addOn(j *Join, ks []*tableOf) {
	text, marks := r.predicates(ks)
	r.around(int(j.on), r.p.st.onEnd(int(j.on)), closesOn, text, marks)
}

// around puts what stands between a keyword and the token end in parentheses, and text before it: databases that evaluate
// from left to right then do not come to the application's condition with another tenant's row, of which an error could tell.
func (r *rewrite) around(keyword, end int, order int8, text string, marks []Table) {
	if keyword+1 >= end { // found when the text is read again
		return
	}
	r.edits = append(r.edits,
		edit{token: keyword + 1, order: opens, text: text + " AND (", marks: marks},
		edit{token: end - 1, order: order, text: ")"})
}

// insert adds the tenant column to an INSERT that does not name it, and the condition to its upserts.
func (r *rewrite) insert(k *tableOf) *Refusal {
	b, st := k.source.Block, r.p.st
	add := func(column string, t Table) *Refusal {
		if slices.ContainsFunc(b.Columns, func(c Column) bool { return st.same(c.Name, column) }) {
			return nil
		}
		return r.addColumn(k, column, t)
	}
	if k.table.Class == Owned {
		if refusal := add(k.table.Column, k.table); refusal != nil {
			return refusal
		}
	} else {
		for _, end := range *k.table.Ends {
			if end.Carries != "" {
				if refusal := add(end.Carries, end.Parent); refusal != nil {
					return refusal
				}
			}
		}
	}
	for i := range b.Upserts {
		u := &b.Upserts[i]
		if r.p.upsertBound(k, u) {
			continue
		}
		if u.do < 0 {
			return r.p.refuse(k.source, "the DO UPDATE of its ON CONFLICT was not found", "")
		}
		r.addUpsert(k, u)
	}
	k.bound = true
	return nil
}

func (r *rewrite) addUpsert(k *tableOf, u *Upsert) {
	st := r.p.st
	text, marks := r.predicate(k, k.source.Called())
	depth, end, where := st.tokens[u.do].Depth, len(st.tokens), -1
	for i := int(u.do) + 1; i < len(st.tokens); i++ {
		t := st.tokens[i]
		if t.Depth < depth || t.Depth == depth && (st.is(i, "returning") || st.is(i, "on") && st.is(i+1, "conflict")) {
			end = i
			break
		}
		if t.Depth == depth && st.is(i, "where") {
			where = i
		}
	}
	r.note(k, "the WHERE of DO UPDATE")
	if where >= 0 {
		r.around(where, end, closesWhere, text, marks)
		return
	}
	r.edits = append(r.edits, edit{token: end - 1, order: closesWhere, text: " WHERE " + text, marks: marks})
}

// addColumn adds a column with the tenant to all rows of an INSERT.
func (r *rewrite) addColumn(k *tableOf, column string, t Table) *Refusal {
	b, st := k.source.Block, r.p.st
	last := b.Columns[len(b.Columns)-1]
	r.notes[k.source] = "column " + column + " added"
	r.edits = append(r.edits, edit{token: st.tokenAt(last.End - 1), order: closesWrap, text: ", " + r.quote(column)})
	if b.Query == nil {
		return r.addToRows(k, t)
	}
	arms := b.Query.arms()
	value := mark
	if st.dialect == sqltext.Postgres && (len(arms) > 1 || arms[0].Distinct) && t.Type != "" && !t.Text {
		value = "CAST(" + mark + " AS " + t.Type + ")" // in a UNION it would be text; otherwise it has the column's type
	}
	for _, arm := range arms {
		if arm.Kind != Select || arm.keyword < 0 || len(arm.Items) == 0 {
			return r.p.refuse(k.source, "the tenant cannot be added to the query that its rows come from", "name column "+column+" and select the tenant")
		}
		end := st.clauseFrom(arm)
		if end < 0 {
			end = st.itemsEnd(arm)
		}
		r.edits = append(r.edits, edit{token: end - 1, order: closesWrap, text: ", " + value, marks: []Table{t}, stored: true})
	}
	return nil
}

// addToRows adds the tenant to each row of VALUES.
func (r *rewrite) addToRows(k *tableOf, t Table) *Refusal {
	b, st := k.source.Block, r.p.st
	refusal := r.p.refuse(k.source, "the tenant cannot be added to its rows", "use VALUES with as many values as columns")
	if b.keyword < 0 || len(b.Rows) == 0 {
		return refusal
	}
	values := st.clause(b, int(b.keyword), "values")
	if values < 0 && st.dialect == sqltext.MySQL {
		values = st.clause(b, int(b.keyword), "value")
	}
	if values < 0 {
		return refusal
	}
	depth, rows := st.tokens[values].Depth, 0
	for i := values + 1; i < len(st.tokens) && st.tokens[i].Depth >= depth; i++ {
		if st.tokens[i].Depth > depth {
			continue
		}
		switch st.tokens[i].Kind {
		case sqltext.Open, sqltext.Comma:
		case sqltext.Close:
			r.edits = append(r.edits, edit{token: i - 1, order: closesWrap, text: ", " + mark, marks: []Table{t}, stored: true})
			rows++
		default:
			i = len(st.tokens)
		}
		if rows == len(b.Rows) {
			break
		}
	}
	if rows != len(b.Rows) {
		return refusal
	}
	return nil
}

// Insertion is a place in the arguments of a plan's text at which the tenant's value is put in.
type Insertion struct {
	At     int // its index in the arguments as they are sent
	Table  Table
	Stored bool // it is a value of a row, and not one that a column is compared with
}

// apply makes the new text, and says where in it the pieces are and where in its arguments the tenant is.
func (r *rewrite) apply() (sql string, added []Span, inserted []Insertion) {
	st := r.p.st
	slices.SortStableFunc(r.edits, func(a, b edit) int {
		if at, bt := a.at(st.tokens), b.at(st.tokens); at != bt {
			return at - bt
		}
		return int(a.order - b.order)
	})
	return render(st.dialect, st.SQL, st.tokens, r.edits)
}

// render puts edits, in the order of their places, into a text.
func render(d sqltext.Dialect, sql string, tokens []sqltext.Token, edits []edit) (text string, added []Span, inserted []Insertion) {
	arguments := 0
	for _, t := range tokens {
		if t.Kind == sqltext.Mark {
			arguments = max(arguments, argumentOf(d, sql, t, arguments)+1)
		}
	}
	var b strings.Builder
	from, token, marks := 0, 0, 0
	for i := range edits {
		e := &edits[i]
		at := e.at(tokens)
		for ; token < len(tokens) && int(tokens[token].Start) < at; token++ {
			if tokens[token].Kind == sqltext.Mark {
				marks++
			}
		}
		b.WriteString(sql[from:at])
		from = at
		start, piece := b.Len(), e.text
		for _, t := range e.marks {
			before, after, _ := strings.Cut(piece, mark)
			b.WriteString(before)
			piece = after
			if d != sqltext.Postgres {
				b.WriteByte('?')
				inserted = append(inserted, Insertion{marks + len(inserted), t, e.stored})
				continue
			}
			i := slices.IndexFunc(inserted, func(i Insertion) bool { return i.Table.is(t) && i.Stored == e.stored })
			if i < 0 {
				i = len(inserted)
				inserted = append(inserted, Insertion{arguments + i, t, e.stored})
			}
			b.WriteString("$" + strconv.Itoa(inserted[i].At+1))
		}
		b.WriteString(piece)
		if piece == "" && token < len(tokens) && int(tokens[token].Start) == at && tokens[token].Kind == sqltext.Word {
			b.WriteByte(' ') // a placeholder ends the piece, and "$1order" is no two tokens for PostgreSQL 16
		}
		added = append(added, Span{start, b.Len()})
	}
	b.WriteString(sql[from:])
	return b.String(), added, inserted
}

// argumentOf returns which argument a placeholder stands for; before is how many there were.
func argumentOf(d sqltext.Dialect, sql string, t sqltext.Token, before int) int {
	if d != sqltext.Postgres {
		return before
	}
	n, _ := strconv.Atoi(sql[t.Start+1 : t.End])
	return n - 1
}
