package sqlproof

import (
	"slices"
	"sort"
	"strings"

	"github.com/gormtenancy/tenancy/internal/sqltext"
)

// placer finds the names of tenants' tables in the text of a plan.
type placer struct {
	plan    *Plan
	mode    mode
	st      *Statement
	out     placement
	middles []int     // the tokens between two dots
	names   []string  // of the tables that are placed
	renamed []*Source // that go by their new names, as they take no alias
}

// place finds out what the text becomes with a mode of names, and shows that it is the same text but for those.
func (plan *Plan) place(m mode) *placement {
	st, err := plan.placing.analyzer.Analyze(plan.SQL)
	if err != nil {
		return &placement{refusal: asRefusal(plan.SQL, err)}
	}
	p := &placer{plan: plan, mode: m, st: st, out: placement{dialect: st.dialect}}
	if p.out.refusal = p.find(); p.out.refusal == nil && !p.holds() {
		p.out.refusal = p.refuse(-1, "", "the names of the tenant's tables could not be put in: the text with them would mean something else", "write it in another way")
	}
	if p.out.refusal != nil {
		p.out.pieces = nil
	}
	return &p.out
}

// refuse makes a refusal. The place counts only in the application's own text.
func (p *placer) refuse(at int, table, why, instead string) *Refusal {
	if p.plan.Rewritten() {
		at = -1
	}
	r := refuse(p.st.SQL, at, why, instead)
	r.Table = table
	return r
}

// tenants tells whether a source is a table of tenants.
func (p *placer) tenants(s *Source) bool {
	if s.Kind != TableSource {
		return false
	}
	for i := range p.plan.deps {
		if d := &p.plan.deps[i]; d.schema == s.Schema && d.name == s.Name {
			return d.table.Class.tenants()
		}
	}
	return false
}

// find finds all names, and refuses those that cannot be placed.
func (p *placer) find() *Refusal {
	if p.plan.placing.named != nil {
		return p.plan.placing.named
	}
	if p.mode&inSchema != 0 && p.st.dialect == sqltext.SQLite {
		return p.refuse(-1, "", "SQLite has no schemas for tenants", "use a suffix")
	}
	for i := range p.st.tokens {
		if p.isDot(i-1) && p.isDot(i+1) {
			p.middles = append(p.middles, i)
		}
	}
	for _, b := range p.st.Blocks {
		for _, s := range b.Sources {
			if !p.tenants(s) {
				continue
			}
			if r := p.source(s); r != nil {
				return r
			}
		}
	}
	slices.SortFunc(p.out.pieces, func(a, b piece) int { return int(a.from - b.from) })
	for i := range p.out.pieces {
		e := &p.out.pieces[i]
		p.out.grows += len(e.head) + len(e.tail) - int(e.to-e.from)
		if e.schema && p.mode&inSchema != 0 {
			p.out.schemas++
		}
		if e.suffix {
			p.out.ends++
		}
	}
	return nil
}

// source places one table.
func (p *placer) source(s *Source) *Refusal {
	if i := p.namesSchema(s); i >= 0 {
		return p.refuse(int(p.st.tokens[i].Start), s.Name, "a column of table "+s.Name+" is named with a schema; the tenant's placement says where the table is", "leave the schema out")
	}
	if i := p.listsSchema(s); i >= 0 {
		return p.refuse(int(p.st.tokens[i].Start), s.Name, "DELETE names table "+s.Name+" with a schema; the tenant's placement says where the table is", "leave the schema out")
	}
	alias := p.alias(s)
	if p.mode&withSuffix == 0 {
		p.add(piece{from: int32(s.Start), to: int32(s.Start), schema: true}) //nolint:gosec // within the text
		if alias >= 0 && p.fromSeveral(s.Block) && s.Target {
			p.addAlias(s, alias)
		}
		return nil
	}
	p.out.longest = max(p.out.longest, len(s.Name))
	p.names = append(p.names, s.Name)
	p.take(s)
	name, quote := p.quoted(s.Name), quoteOf(p.st.dialect)
	e := piece{from: int32(s.Start), to: int32(s.End), schema: true, suffix: true, head: strings.TrimSuffix(name, quote), tail: quote} //nolint:gosec // within the text
	switch {
	case s.Alias != "":
	case alias < 0:
		p.renamed = append(p.renamed, s)
		if r := p.rename(s, 0); r != nil {
			return r
		}
	case alias == s.End:
		e.tail += " AS " + name
	default:
		p.addAlias(s, alias)
	}
	p.add(e)
	if returning := p.behind("returning"); s.Target && p.st.dialect == sqltext.SQLite {
		return p.rename(s, returning) // there a table goes by its own name, whatever its alias is
	}
	return nil
}

// add adds a piece, with a space behind a name that something stands next to.
func (p *placer) add(e piece) {
	if n := int(e.to); n < len(p.st.SQL) && e.tail != "" && strings.IndexByte("\"`'[", p.st.SQL[n]) >= 0 {
		e.tail += " "
	}
	p.out.pieces = append(p.out.pieces, e)
}

// addAlias gives a source its own name as an alias.
func (p *placer) addAlias(s *Source, at int) {
	p.add(piece{from: int32(at), to: int32(at), tail: " AS " + p.quoted(s.Name)}) //nolint:gosec // within the text
}

func (p *placer) quoted(name string) string { return quoted(p.st.dialect, name) }

// take remembers the suffixes that would make a common table expression of a table.
func (p *placer) take(s *Source) {
	if p.mode&inSchema != 0 {
		return // what has a schema is a table
	}
	for _, name := range p.st.defined {
		if n := len(s.Name); len(name) > n && strings.EqualFold(name[:n], s.Name) {
			p.out.taken = append(p.out.taken, name[n:])
		}
	}
}

// token returns the index of the token that ends at an offset.
func (p *placer) token(end int) int { return p.st.tokenAt(end - 1) }

// alias returns where an alias of a table that has none would stand; -1 if it takes none.
func (p *placer) alias(s *Source) int {
	st, i := p.st, p.token(s.End)
	switch {
	case s.Alias != "":
		return -1
	case st.dialect == sqltext.MySQL && s.Target && s.Block.Kind == Insert:
		return -1
	case st.dialect == sqltext.MySQL && s.Block.Kind == Delete && !p.fromSeveral(s.Block):
		return -1 // MariaDB takes one since 11.6
	case st.is(i-1, "table"):
		return -1
	case st.dialect == sqltext.Postgres && i+1 < len(st.tokens) && st.text(i+1) == "*":
		return int(st.tokens[i+1].End)
	case st.dialect == sqltext.Postgres && i+1 < len(st.tokens) && st.tokens[i+1].Kind == sqltext.Close && st.is(i-2, "only"):
		return int(st.tokens[i+1].End)
	case st.dialect == sqltext.MySQL && st.is(i+1, "partition"):
		for depth := st.tokens[i].Depth; i+1 < len(st.tokens); i++ {
			if t := st.tokens[i+1]; t.Depth == depth && t.Kind == sqltext.Close {
				return int(t.End)
			}
		}
	}
	return s.End
}

// fromSeveral tells whether a DELETE of MySQL's lists the tables that it deletes from.
func (p *placer) fromSeveral(b *Block) bool {
	from, to := p.listed(b)
	return from < to
}

// listed returns the tokens of the list of tables in "DELETE list FROM …" and "DELETE FROM list USING …" of MySQL's; none
// for others.
func (p *placer) listed(b *Block) (from, to int) {
	if b.Kind != Delete || p.st.dialect != sqltext.MySQL || b.keyword < 0 {
		return 0, 0
	}
	from = int(b.keyword) + 1
	to = p.st.clause(b, from, "from")
	for from < to && p.st.is(from, "low_priority", "quick", "ignore") {
		from++
	}
	if from < to {
		return from, to
	}
	return to + 1, p.st.clause(b, to+1, "using")
}

// listsSchema finds a schema in the list of a DELETE; -1 if there is none.
func (p *placer) listsSchema(s *Source) int {
	if !s.Target {
		return -1
	}
	from, to := p.listed(s.Block)
	for i := from; i < to; i++ {
		if p.st.tokens[i].Kind == sqltext.Dot && i+1 < to && p.st.text(i+1) != "*" {
			return i - 1
		}
	}
	return -1
}

// spells tells whether token i may be a name.
func (p *placer) spells(i int, name string) bool {
	if i < 0 || i >= len(p.st.tokens) {
		return false
	}
	if k := p.st.tokens[i].Kind; k != sqltext.Word && k != sqltext.Name {
		return false
	}
	return p.st.same(p.st.dialect.Unquote(p.st.text(i)), name)
}

func (p *placer) isDot(i int) bool {
	return i >= 0 && i < len(p.st.tokens) && p.st.tokens[i].Kind == sqltext.Dot
}

// namesSchema finds a column of a table that is named with a schema, as in "schema.table.column"; -1 if there is none. The
// token is that of the schema.
func (p *placer) namesSchema(s *Source) int {
	for _, i := range p.middles {
		if p.spells(i, s.Called()) {
			return i - 2
		}
	}
	return -1
}

// qualifies tells whether token i qualifies a column by a name.
func (p *placer) qualifies(i int, name string) bool {
	if !p.spells(i, name) || !p.isDot(i+1) || p.isDot(i-1) {
		return false
	}
	at := int(p.st.tokens[i].Start)
	for _, b := range p.st.Blocks {
		for _, other := range b.Sources {
			if at >= other.Start && at < other.End {
				return false // the schema of a table
			}
		}
	}
	return true
}

// rename gives the qualifiers of columns, from a token on, the suffix of a table that takes no alias there.
func (p *placer) rename(s *Source, from int) *Refusal {
	others := p.calledLike(s)
	both := len(p.st.tokens) // from where on an INSERT's table and those of its query can be named
	if len(others) > 0 && s.Block.Query != nil {
		both = p.behind("duplicate")
	}
	for i := from; i < len(p.st.tokens); i++ {
		if !p.qualifies(i, s.Name) || i < both && p.within(i, others) {
			continue
		}
		if !s.Target || i >= both {
			return p.refuse(int(p.st.tokens[i].Start), s.Name, "a column is qualified with the name of table "+s.Name+", which has a suffix for the tenant and takes no alias here",
				"leave the qualifier out, or give the others that go by the name an alias")
		}
		t, quote := p.st.tokens[i], quoteOf(p.st.dialect)
		name := p.quoted(p.st.dialect.Unquote(p.st.text(i))) // as it is written there: case may count
		p.add(piece{from: t.Start, to: t.End, suffix: true, head: strings.TrimSuffix(name, quote), tail: quote})
	}
	return nil
}

// calledLike returns the blocks that have another source that goes by the name of a table.
func (p *placer) calledLike(s *Source) (others []*Block) {
	for _, b := range p.st.Blocks {
		for _, other := range b.Sources {
			if other != s && p.st.same(other.Called(), s.Name) {
				others = append(others, b)
			}
		}
	}
	return others
}

// within tells whether token i is in one of some blocks. What stands behind the query of an INSERT is not.
func (p *placer) within(i int, blocks []*Block) bool {
	tail := min(p.behind("duplicate"), p.behind("returning"))
	return slices.ContainsFunc(blocks, func(b *Block) bool {
		k := int(b.keyword)
		return k >= 0 && i > k && i < p.st.blockEnd(k) && (p.st.tokens[k].Depth > 0 || i < tail)
	})
}

// behind returns the token behind a keyword that stands outside of all parentheses, or the end.
func (p *placer) behind(keyword string) int {
	for i := range p.st.tokens {
		if p.st.tokens[i].Depth == 0 && p.st.is(i, keyword) {
			return i + 1
		}
	}
	return len(p.st.tokens)
}

// holds tells whether the text with the names of a sample means the same, but that the tenants' tables are those.
func (p *placer) holds() bool {
	schema, suffix := "", ""
	if p.mode&inSchema != 0 {
		schema = p.unused("tenancy_schema")
	}
	if p.mode&withSuffix != 0 {
		suffix = p.unusedSuffix()
	}
	analyzer := p.plan.placing.analyzer
	sql := p.out.text(p.st.SQL, schema, suffix)
	now, err := analyzer.Analyze(sql)
	return err == nil && p.sameTokens(now, len(schema), len(suffix)) && p.sameSources(now, schema, suffix) &&
		analyzer.Placed(p.st, now, schema, suffix)
}

// unusedSuffix finds a suffix with which no table has a name that the text has. It is short, for PostgreSQL's names may be no
// longer than mostBytes.
func (p *placer) unusedSuffix() string {
	text := strings.ToLower(p.st.SQL)
	for i := range 10 {
		suffix := string(rune('0' + i))
		if !slices.ContainsFunc(p.names, func(name string) bool { return strings.Contains(text, strings.ToLower(name)+suffix) }) {
			return suffix
		}
	}
	return p.unused("_tenancy")
}

// unused makes a name of one that the text does not have.
func (p *placer) unused(name string) string {
	for strings.Contains(strings.ToLower(p.st.SQL), name) {
		name += "x"
	}
	return name
}

// sameTokens tells whether nothing but the pieces has changed: the other tokens are those that were.
func (p *placer) sameTokens(now *Statement, schema, suffix int) bool {
	i, grown, pieces := 0, 0, p.out.pieces
	for _, t := range now.tokens {
		for len(pieces) > 0 && int(t.Start) >= int(pieces[0].from)+grown+p.length(&pieces[0], schema, suffix) {
			grown += p.length(&pieces[0], schema, suffix) - int(pieces[0].to-pieces[0].from)
			pieces = pieces[1:]
		}
		if len(pieces) > 0 && int(t.Start) >= int(pieces[0].from)+grown {
			if int(t.End) > int(pieces[0].from)+grown+p.length(&pieces[0], schema, suffix) {
				return false
			}
			continue
		}
		for i < len(p.st.tokens) && p.replaced(i) {
			i++
		}
		if i == len(p.st.tokens) || int(t.Start) != int(p.st.tokens[i].Start)+grown || int(t.End) != int(p.st.tokens[i].End)+grown {
			return false
		}
		i++
	}
	for i < len(p.st.tokens) && p.replaced(i) {
		i++
	}
	return i == len(p.st.tokens)
}

// length is how many bytes a piece has.
func (p *placer) length(e *piece, schema, suffix int) int {
	n := len(e.head) + len(e.tail)
	if e.schema && schema > 0 {
		n += schema + len(`"".`)
	}
	if e.suffix {
		n += suffix
	}
	return n
}

// replaced tells whether a piece replaces token i.
func (p *placer) replaced(i int) bool {
	t, pieces := p.st.tokens[i], p.out.pieces
	n := sort.Search(len(pieces), func(n int) bool { return pieces[n].to >= t.End })
	return n < len(pieces) && t.Start >= pieces[n].from
}

// sameSources tells whether a statement has the same blocks and sources, but for the names of the tenants' tables.
func (p *placer) sameSources(now *Statement, schema, suffix string) bool {
	if now.Kind != p.st.Kind || now.Writes != p.st.Writes || len(now.Blocks) != len(p.st.Blocks) || len(now.Marks) != len(p.st.Marks) {
		return false
	}
	for i, b := range p.st.Blocks {
		n := now.Blocks[i]
		if n.Kind != b.Kind || len(n.Sources) != len(b.Sources) {
			return false
		}
		for j, s := range b.Sources {
			if !p.sameSource(s, n.Sources[j], schema, suffix) {
				return false
			}
		}
	}
	return true
}

func (p *placer) sameSource(s, now *Source, schema, suffix string) bool {
	if now.Kind != s.Kind || now.Target != s.Target || now.Fixed != s.Fixed || now.Renamed != s.Renamed {
		return false
	}
	if !p.tenants(s) {
		return now.Schema == s.Schema && now.Name == s.Name && now.Alias == s.Alias
	}
	return now.Schema == schema && now.Name == s.Name+suffix && (now.Called() == s.Called() || slices.Contains(p.renamed, s))
}
