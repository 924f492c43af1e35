package sqlproof

import (
	"slices"
	"sort"
	"strings"

	"github.com/gormtenancy/tenancy/internal/sqltext"
)

// Builder makes a [Statement] of a parser's tree; the analyzers of the dialects share it. It keeps the first error, so that
// a walk need not stop for one. It is not for concurrent use.
type Builder struct {
	st    *Statement
	ctes  []cte
	marks int // placeholders that were found in the tree
	err   error
}

// cte is a name that WITH has given to a query.
type cte struct {
	name  string
	query *Block
}

// alias is a name that ends an item, of which at is the first offset.
type alias struct {
	at   int
	name string
}

// NewBuilder reads the tokens of sql, and refuses what must not reach a parser. dialect is that of [Analyzer.Dialect].
func NewBuilder(dialect, sql string) (*Builder, error) {
	d := sqltext.DialectOf(dialect)
	tokens, why := d.Tokens(sql, make([]sqltext.Token, 0, 16+len(sql)/4))
	if why != "" {
		return nil, refuse(sql, -1, "the text cannot be read for certain: "+why, "")
	}
	if len(tokens) == 0 {
		return nil, refuse(sql, -1, "there is no statement", "")
	}
	st := &Statement{SQL: sql, dialect: d, tokens: tokens}
	for _, t := range tokens {
		if t.Kind != sqltext.Mark {
			continue
		}
		m := Mark{Span: Span{int(t.Start), int(t.End)}, Argument: len(st.Marks)}
		if d == sqltext.Postgres {
			n := 0
			for _, digit := range sql[t.Start+1 : t.End] {
				if n = n*10 + int(digit-'0'); n > 1<<16 {
					return nil, refuse(sql, m.Start, "a placeholder has too high a number", "")
				}
			}
			if m.Argument = n - 1; n == 0 {
				return nil, refuse(sql, m.Start, "$0 is no placeholder", "")
			}
		}
		st.Marks = append(st.Marks, m)
	}
	return &Builder{st: st}, nil
}

// Finish returns the statement, with main as its outermost block, or the first error.
func (b *Builder) Finish(main *Block, tree any) (*Statement, error) {
	if b.err != nil {
		return nil, b.err
	}
	b.st.Main, b.st.Kind, b.st.Tree = main, main.Kind, tree
	return b.st, nil
}

// Tokens returns the tokens of the text, which must not be changed.
func (b *Builder) Tokens() []sqltext.Token { return b.st.tokens }

// Failed tells whether there was an error.
func (b *Builder) Failed() bool { return b.err != nil }

// Fail keeps an error at an offset; -1 is no place.
func (b *Builder) Fail(at int, why, instead string) {
	if b.err == nil {
		b.err = refuse(b.st.SQL, at, why, instead)
	}
}

// Unknown keeps the error that a part of the statement, described in the words of SQL, is not understood.
func (b *Builder) Unknown(at int, what string) {
	b.Fail(at, what+" is not understood", "write it in another way, use GORM's own methods, or run it with tenancy.WithoutTenant")
}

// Writes marks the statement as one that must run on the primary.
func (b *Builder) Writes() { b.st.Writes = true }

// Claim says that the name at an offset is known to be no table: a column, a function, an alias.
func (b *Builder) Claim(at int) {
	if at >= 0 {
		b.st.claimed = append(b.st.claimed, int32(at)) //nolint:gosec // within the text
	}
}

// ClaimAlias says that the last name of an item of a list, of which at is the first offset, is the alias that the item has.
func (b *Builder) ClaimAlias(at int, name string) {
	if at >= 0 && name != "" {
		b.st.aliases = append(b.st.aliases, alias{at, name})
	}
}

// ClaimList says that all names directly within the parentheses that open at an offset, or directly behind the name there,
// are known to be no tables.
func (b *Builder) ClaimList(at int) {
	if at < 0 {
		return
	}
	tokens, i := b.st.tokens, b.st.tokenAt(at)
	for end := i + 1; i <= end && i < len(tokens); i++ {
		if tokens[i].Kind != sqltext.Open {
			continue
		}
		for depth := tokens[i].Depth + 1; i+1 < len(tokens) && tokens[i+1].Depth >= depth; i++ {
			if t := tokens[i+1]; t.Depth == depth {
				b.Claim(int(t.Start))
			}
		}
		return
	}
}

// NameSpan returns where a name stands that begins at an offset and has parts with dots between them.
func (b *Builder) NameSpan(at, parts int) Span {
	i := b.st.tokenAt(at)
	last := i + 2*(parts-1)
	if at < 0 || last >= len(b.st.tokens) || int(b.st.tokens[i].Start) != at {
		b.Fail(at, "a name is not where the parser found one", "")
		return Span{}
	}
	for dot := i + 1; dot < last; dot += 2 {
		if b.st.tokens[dot].Kind != sqltext.Dot {
			b.Fail(at, "a name is not where the parser found one", "")
		}
	}
	return Span{at, int(b.st.tokens[last].End)}
}

// ItemSpan returns where an item of a list in parentheses stands that begins at an offset.
func (b *Builder) ItemSpan(at int) Span {
	tokens, i := b.st.tokens, b.st.tokenAt(at)
	if at < 0 || i == len(tokens) {
		b.Fail(at, "a list is not where the parser found one", "")
		return Span{}
	}
	for depth := tokens[i].Depth; i+1 < len(tokens); i++ {
		if next := tokens[i+1]; next.Depth < depth || next.Depth == depth && next.Kind == sqltext.Comma {
			break
		}
	}
	return Span{at, int(tokens[i].End)}
}

// Begin adds a block of which at is the offset of a token of its own: not within parentheses that the block's keyword is
// outside of; -1 if there is none. outer is the block that it is in. What is correlated sees of outer the sources that are
// added already, so FROM is to be read before what can name its tables.
func (b *Builder) Begin(kind Kind, outer *Block, correlated bool, at int) *Block {
	block := &Block{Kind: kind, Outer: outer, Correlated: correlated, keyword: -1}
	if outer != nil {
		block.sees[1] = int32(len(outer.Sources)) //nolint:gosec // as many as names in the text
	}
	if kind != SetOperation {
		block.keyword = int32(b.st.keywordBefore(kind, at)) //nolint:gosec // an index of a token
	}
	b.st.Blocks = append(b.st.Blocks, block)
	return block
}

// Scope returns a mark for [Builder.Leave], to be taken before names are defined.
func (b *Builder) Scope() int { return len(b.ctes) }

// Define makes a common table expression known from here to the [Builder.Leave] of its scope.
func (b *Builder) Define(name string, query *Block) {
	b.ctes = append(b.ctes, cte{name, query})
	b.st.defined = append(b.st.defined, name)
}

// Resolve says which query the last common table expression of that name is.
func (b *Builder) Resolve(name string, query *Block) {
	for i := range slices.Backward(b.ctes) {
		if b.st.same(b.ctes[i].name, name) {
			b.ctes[i].query = query
			return
		}
	}
}

// Defines tells whether a common table expression of that name is known.
func (b *Builder) Defines(name string) bool {
	return slices.ContainsFunc(b.ctes, func(c cte) bool { return b.st.same(c.name, name) })
}

// Leave ends a scope.
func (b *Builder) Leave(scope int) { b.ctes = b.ctes[:scope] }

// Table adds a table, or a common table expression if one has the name.
func (b *Builder) Table(block *Block, schema, name, alias string, span Span) *Source {
	s := &Source{Kind: TableSource, Span: span, Schema: schema, Name: name, Alias: alias, Block: block}
	if schema == "" {
		for _, c := range slices.Backward(b.ctes) {
			if b.st.same(c.name, name) {
				if c.name != name && b.st.dialect == sqltext.MySQL {
					b.Fail(span.Start, "table "+name+" goes by the name of a common table expression, but for its case", "give that another name")
				}
				s.Kind, s.Query = CTESource, c.query
				break
			}
		}
	}
	block.Sources = append(block.Sources, s)
	return s
}

// Target adds the table that a DML statement writes to, which is never a common table expression.
func (b *Builder) Target(block *Block, schema, name, alias string, span Span) *Source {
	s := &Source{Kind: TableSource, Span: span, Schema: schema, Name: name, Alias: alias, Block: block, Target: true}
	block.Sources = append(block.Sources, s)
	b.st.Writes = true
	return s
}

// Derived adds a derived table.
func (b *Builder) Derived(block, query *Block, alias string) *Source {
	s := &Source{Kind: SubquerySource, Alias: alias, Block: block, Query: query}
	block.Sources = append(block.Sources, s)
	return s
}

// Rows adds a function that returns rows, or a VALUES list. Of functions only those are let pass that are known to read
// nothing but their arguments; name is "" for VALUES.
func (b *Builder) Rows(block *Block, name, alias string, at int) *Source {
	if name != "" && !readsArguments(name) {
		b.Fail(at, "the function "+name+" in FROM may read any table", "use the tables themselves, or run it with tenancy.WithoutTenant")
	}
	s := &Source{Kind: FunctionSource, Name: name, Alias: alias, Block: block}
	block.Sources = append(block.Sources, s)
	return s
}

// Leaf makes a source a part of a tree of joins.
func (b *Builder) Leaf(s *Source) *Join {
	j := &Join{Kind: Leaf, Source: s}
	s.parent = j
	return j
}

// Join joins two trees. A side that is nil is left out.
func (b *Builder) Join(kind JoinKind, left, right *Join) *Join {
	switch {
	case left == nil:
		return right
	case right == nil:
		return left
	}
	j := &Join{Kind: kind, Left: left, Right: right}
	left.parent, right.parent = j, j
	return j
}

// On gives a join its condition, of which at is an offset: the first that the parser has.
func (b *Builder) On(j *Join, on *Expr, at int) {
	j.On, j.on = on, int32(b.st.wordBefore("on", at)) //nolint:gosec // an index of a token
	on.within(j)
}

// within tells the queries of a join's condition that they see nothing of the sources before the join's.
func (e *Expr) within(j *Join) {
	if e == nil {
		return
	}
	if e.Query != nil {
		e.Query.sees[0] = j.sources()[0]
	}
	for _, a := range e.Args {
		a.within(j)
	}
}

// Upsert adds an ON CONFLICT clause to an INSERT; at is an offset in its SET, -1 without one.
func (b *Builder) Upsert(block *Block, u Upsert, at int) {
	u.do = -1
	if at >= 0 {
		u.do = int32(b.st.wordBefore("do", at)) //nolint:gosec // an index of a token
	}
	block.Upserts = append(block.Upserts, u)
}

// Field makes a column of its name and what stands before it; at is its offset.
func (b *Builder) Field(at int, schema, qualifier, name string) *Expr {
	b.Claim(at)
	return &Expr{Op: Field, At: at, Schema: schema, Qualifier: qualifier, Name: name}
}

// Argument makes the placeholder at an offset.
func (b *Builder) Argument(at int) *Expr {
	marks := b.st.Marks
	i := sort.Search(len(marks), func(i int) bool { return marks[i].Start >= at })
	if i == len(marks) || marks[i].Start != at {
		b.Fail(at, "a placeholder is not where the parser found one", "")
		return &Expr{At: at}
	}
	b.marks++
	return &Expr{Op: Argument, At: at, Number: marks[i].Argument}
}

// Call makes a call of a function, and refuses those that read what their arguments name.
func (b *Builder) Call(at int, schema, name string, args []*Expr) *Expr {
	b.Claim(at)
	if why := sqltext.Reaches(name); why != "" {
		if b.err == nil {
			r := refuse(b.st.SQL, at, why, "leave it out, or run it with tenancy.WithoutTenant")
			r.Reaches, b.err = true, r
		}
	}
	if writes(name) {
		b.st.Writes = true
	}
	if strings.EqualFold(name, "nextval") && !ownSequence(b.st.dialect, args) && b.err == nil {
		b.err = refuse(b.st.SQL, at, "nextval takes a number of a sequence that may be another tenant's", "name the sequence without a schema")
	}
	return &Expr{Op: Call, At: at, Schema: schema, Name: name, Args: args}
}

// ownSequence tells whether what nextval is given is the name of a sequence without a schema: a literal, under casts, or
// MariaDB's bare name. What is computed may be any name, and digits are the number of one.
func ownSequence(d sqltext.Dialect, args []*Expr) bool {
	if len(args) != 1 || args[0] == nil {
		return false
	}
	e := args[0]
	switch e.Op {
	case Field:
		return d == sqltext.MySQL && e.Qualifier == ""
	case Text:
		return plainSequence(e.Value)
	case Call:
		return strings.EqualFold(e.Name, "pg_get_serial_sequence") && e.Schema == "" && len(e.Args) == 2 &&
			!slices.ContainsFunc(e.Args, func(a *Expr) bool { return a == nil || a.Op != Text || strings.Contains(a.Value, ".") })
	case Other:
		return e.Query == nil && len(e.Args) == 1 && e.Args[0] != nil && e.Args[0].Op == Text && plainSequence(e.Args[0].Value)
	}
	return false
}

func plainSequence(name string) bool {
	return name != "" && !strings.Contains(name, ".") && (name[0] == '_' || name[0] == '"' || name[0]|0x20 >= 'a' && name[0]|0x20 <= 'z')
}

// SawMarks fails if the text has other placeholders than those that [Builder.Argument] was asked for, each once: something
// of the tree was left out, or read twice.
func (b *Builder) SawMarks() {
	if b.marks != len(b.st.Marks) {
		b.Unknown(-1, "a part of the statement that has a placeholder")
	}
}

// Opaque makes an expression of which only the parts matter. Parts that are nil, or hold nothing, are left out.
func (b *Builder) Opaque(at int, parts ...*Expr) *Expr {
	e := &Expr{At: at}
	for _, p := range parts {
		if p != nil {
			e.Args = append(e.Args, p)
		}
	}
	return e
}

// readsArguments tells whether a function that returns rows makes them of its arguments.
func readsArguments(name string) bool {
	switch strings.ToLower(name) {
	case "generate_series", "generate_subscripts", "unnest", "string_to_table", "regexp_matches", "regexp_split_to_table",
		"json_array_elements", "json_array_elements_text", "json_each", "json_each_text", "json_object_keys",
		"json_populate_record", "json_populate_recordset", "json_to_record", "json_to_recordset",
		"jsonb_array_elements", "jsonb_array_elements_text", "jsonb_each", "jsonb_each_text", "jsonb_object_keys",
		"jsonb_populate_record", "jsonb_populate_recordset", "jsonb_to_record", "jsonb_to_recordset",
		"jsonb_path_query", "jsonb_path_query_tz", "xmltable", "ts_parse", "ts_debug", "each", "skeys", "svals",
		"json_tree", "jsonb_tree", "json_table", "jsonb_table",
		"current_date", "current_timestamp", "now", "date_trunc", "coalesce", "lower", "upper", "length", "abs",
		"jsonb_array_length", "array_length", "cardinality":
		return true
	}
	return false
}

// writes tells whether a function changes something.
func writes(name string) bool {
	switch strings.ToLower(name) {
	case "nextval":
		return true
	}
	return strings.Contains(strings.ToLower(name), "advisory")
}
