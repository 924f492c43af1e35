package sqlproof

import (
	"slices"
)

// proof is the proof of one statement.
type proof struct {
	st     *Statement
	tables Tables
	ours   func(argument int) bool // the tenant's for certain; nil: none is
	trust  bool                    // what is equated with a tenant column is the tenant's, to be checked when it is known

	known   []tableOf
	deps    []dep
	checks  []Check
	needs   []Need
	touches bool // rows of tenants
	placed  bool
	home    string   // an Open table that is in the default database alone
	tenants []Table  // the tables of tenants, each once
	sources int      // how often they are named
	named   *Refusal // one that is named with a schema, which no placement takes
	on      *Join    // whose condition is looked at, which names nothing but the sources of its two sides
	sharded []shardRef
}

// tableOf is what is known of a source that is a table.
type tableOf struct {
	of     *proof
	source *Source
	table  Table
	bound  bool
	by     *Expr   // the condition that binds it
	via    *Source // that by equates it with
	// wrapped tells that it is put in a subquery, through which nothing else is bound: what comes out of that is no table.
	wrapped bool
}

// dep is a question that the proof has asked, with its answer.
type dep struct {
	schema, name string
	table        Table
}

// Check is a value that must be the tenant's for the plan to hold: argument Argument, or the literal Literal if that is -1.
type Check struct {
	Argument int
	Literal  string
	Table    Table
	// Every and Times say that it is for several arguments: Argument, and Times-1 more at distances of Every. Zero: one.
	Every, Times int
	// Stored tells that the value is written to a row. One that is not the tenant's is an error then, and not a condition
	// that finds nothing.
	Stored bool
}

// Need is something that a plan needs and that cannot be seen in the text.
type Need struct {
	Kind         NeedKind
	Table        Table
	Schema, Name string // of the table in the text
}

// NeedKind says what a [Need] is.
type NeedKind uint8

// The needs of plans.
const (
	// UniqueKeys means that every unique key of the table must have the tenant column: MySQL's upserts, and REPLACE, meet
	// rows over any of them.
	UniqueKeys NeedKind = iota
	// Ends means that a row is written to a join table, and somebody must see to it that those at its ends are the tenant's.
	Ends
)

// run looks at all sources and conditions. What is left unbound is for the caller.
func (p *proof) run() *Refusal {
	for _, b := range p.st.Blocks {
		for _, s := range b.Sources {
			if s.Kind != TableSource {
				continue
			}
			t := p.lookup(s.Schema, s.Name)
			if t.ShardKey != nil || t.Class == Sharded {
				if r := p.shards(s, t); r != nil {
					return r
				}
			}
			switch t.Class {
			case Unknown:
				if s.Schema != "" && p.tables.Confined(s.Name) {
					return p.refuse(s, "it is a tenant's table, and schema "+s.Schema+" is not known to have it", "leave the schema out: the tenant's placement says where the table is")
				}
				r := refuse(p.st.SQL, s.Start, "table "+s.Name+" is in none of Config.Models, Global and Reference", "list it; a view too")
				if t.Catalog {
					r = refuse(p.st.SQL, s.Start, "table "+s.Name+" is one of the database's own, with what it knows of all tenants", "read it with tenancy.WithoutTenant")
				}
				r.Table, r.Unknown = s.Name, !t.Catalog
				return r
			case Open:
				if t.Home && p.home == "" {
					p.home = t.Name
				}
				continue
			case Placed:
				p.touch(s, t)
				p.placed = true
				continue
			case Sharded:
				p.touch(s, t)
				continue
			}
			p.touch(s, t)
			if s.Renamed {
				return p.refuse(s, "its columns have other names here", "select it without a list of column names")
			}
			if b.called(p.st, s.Called()) > 1 {
				return p.refuse(s, "another source goes by the same name", "give each an alias of its own")
			}
			p.known = append(p.known, tableOf{of: p, source: s, table: t})
		}
	}
	for i := range p.known {
		p.known[i].source.known = &p.known[i]
	}
	if r := p.account(); r != nil {
		return r
	}
	for _, b := range p.st.Blocks {
		if r := p.writesOf(b); r != nil {
			return r
		}
	}
	if r := p.shardWrites(); r != nil {
		return r
	}
	p.bind()
	return nil
}

// touch notes that the text names a table of tenants, or one that stands where a shard key says.
func (p *proof) touch(s *Source, t Table) {
	p.touches = p.touches || t.Class != Sharded
	p.sources++
	if !slices.Contains(p.tenants, t) {
		p.tenants = append(p.tenants, t)
	}
	if s.Schema != "" && p.named == nil {
		p.named = p.refuse(s, "it is named with schema "+s.Schema+"; the tenant's placement says where the table is", "leave the schema out")
	}
}

func (p *proof) refuse(s *Source, why, instead string) *Refusal {
	r := refuse(p.st.SQL, s.Start, "table "+s.Name+": "+why, instead)
	r.Table = s.Name
	return r
}

// lookup asks what a table is, and remembers the answer.
func (p *proof) lookup(schema, name string) Table {
	for _, d := range p.deps {
		if d.schema == schema && d.name == name {
			return d.table
		}
	}
	t := p.tables.Table(schema, name)
	p.deps = append(p.deps, dep{schema, name, t})
	return t
}

// called counts the sources of a block that go by a name.
func (b *Block) called(st *Statement, name string) (n int) {
	for _, s := range b.Sources {
		if st.same(s.Called(), name) {
			n++
		}
	}
	return n
}

// bind finds the sources that conditions bind, until there are no more: one can be bound through another.
func (p *proof) bind() {
	for again := true; again; {
		again = false
		for i := range p.known {
			k := &p.known[i]
			if k.bound || k.source.Target && k.source.Block.Kind == Insert {
				continue
			}
			if k.bound = p.binds(k); k.bound {
				again = true
			}
		}
	}
}

// binds tells whether some condition that all rows of a source meet binds it.
func (p *proof) binds(k *tableOf) bool {
	conditions := func(yield func(*Expr) bool) { p.conditions(k.source, yield) }
	if k.table.Class == Link {
		return p.bindsLink(k, conditions)
	}
	found := false
	conditions(func(e *Expr) bool {
		if via, ok := p.equates(e, k.source, k.table); ok {
			k.by, k.via, found = e, via, true
		}
		return !found
	})
	return found
}

// conditions yields every condition that each row of s must meet to be a part of a row of the block's result: those of
// WHERE, and those of the joins around it, but not of the outer joins that keep its rows without them. An equality is not
// true of a row of NULLs, so it counts for the side of an outer join that may be missing too.
func (p *proof) conditions(s *Source, yield func(*Expr) bool) {
	if s.Block.Where != nil && !s.Block.Where.Conjuncts(yield) {
		return
	}
	if s.parent == nil {
		return
	}
	for child := s.parent; child.parent != nil; child = child.parent {
		j := child.parent
		filters := j.Kind == Inner || j.Kind == Left && child == j.Right || j.Kind == Right && child == j.Left
		if !filters || j.On == nil {
			continue
		}
		p.on = j
		more := j.On.Conjuncts(yield)
		p.on = nil
		if !more {
			return
		}
	}
}

// equates tells whether a condition equates the tenant column of s with the tenant; via is the source that it does so
// through.
func (p *proof) equates(e *Expr, s *Source, t Table) (via *Source, ok bool) {
	switch e.Op {
	case Equal:
		a, b := e.Args[0], e.Args[1]
		for range 2 {
			if p.isColumn(a, s, t.Column) {
				if p.isTenant(b, t, false) {
					return nil, true
				}
				if via := p.boundColumn(b, s, t); via != nil {
					return via, true
				}
			}
			a, b = b, a
		}
	case In:
		if !p.isColumn(e.Args[0], s, t.Column) || len(e.Args) < 2 {
			return nil, false
		}
		mark := len(p.checks)
		for _, v := range e.Args[1:] {
			if !p.isTenant(v, t, false) {
				p.checks = p.checks[:mark]
				return nil, false
			}
		}
		return nil, true
	}
	return nil, false
}

// isColumn tells whether e is a column of s.
func (p *proof) isColumn(e *Expr, s *Source, column string) bool {
	return e.Op == Field && p.st.same(e.Name, column) && p.resolve(e, s.Block) == s
}

// boundColumn returns the source of which e is the tenant column, if that is bound and holds tenants as t does.
func (p *proof) boundColumn(e *Expr, s *Source, t Table) *Source {
	if e.Op != Field {
		return nil
	}
	src := p.resolve(e, s.Block)
	if src == nil || src == s {
		return nil
	}
	if k := p.tableOf(src); k != nil && k.bound && !k.wrapped && k.table.holdsAs(t) && p.st.same(e.Name, k.table.Column) {
		return src
	}
	return nil
}

// isTenant tells whether a value is the tenant's, for a column of t.
func (p *proof) isTenant(e *Expr, t Table, stored bool) bool {
	switch e.Op {
	case Argument:
		if p.ours != nil && p.ours(e.Number) {
			return true
		}
		if p.trust || stored {
			p.check(Check{Argument: e.Number, Table: t, Stored: stored})
			return true
		}
	case Text, Numeric:
		if e.Op == Numeric && t.Text {
			return false // MySQL would compare them as numbers
		}
		if p.trust || stored {
			p.check(Check{Argument: -1, Literal: e.Value, Table: t, Stored: stored})
			return true
		}
	}
	return false
}

func (p *proof) check(c Check) {
	if !slices.Contains(p.checks, c) {
		p.checks = append(p.checks, c)
	}
}

// resolve finds the source that a column is of, as it is seen from a block; nil if that is not certain. It is not if the
// source found cannot be named where the column stands: a name in LATERAL or in ON that is that of a table further on
// means one of a query outside. Nor is it for a column without a qualifier that any source in between may have.
func (p *proof) resolve(e *Expr, block *Block) *Source {
	if e.resolvedBy != p {
		e.resolvedBy, e.resolved = p, p.find(e, block)
	}
	return e.resolved
}

// find is resolve without a memory. What it finds does not depend on what is bound.
func (p *proof) find(e *Expr, block *Block) *Source {
	sees := [2]int32{0, int32(len(block.Sources))} //nolint:gosec // as many as names in a text
	if p.on != nil && p.on.first().Block == block {
		sees = p.on.sources()
	}
	for b := block; b != nil; {
		if s, found := p.resolveIn(e, b); found {
			if s != nil && !b.shows(s, sees) {
				return nil
			}
			return s
		}
		if e.Qualifier == "" && len(b.Sources) > 0 {
			return nil
		}
		visible := false
		for b != nil && !visible {
			visible, sees = b.Correlated, b.sees
			b = b.Outer
		}
	}
	return nil
}

// shows tells whether a source of b is among those from the first to before the second of sees.
func (b *Block) shows(s *Source, sees [2]int32) bool {
	if sees[0] == 0 && int(sees[1]) >= len(b.Sources) {
		return true
	}
	return slices.Contains(b.Sources[sees[0]:min(int(sees[1]), len(b.Sources))], s)
}

// first returns the leftmost source of a tree.
func (j *Join) first() *Source {
	for j.Kind != Leaf {
		j = j.Left
	}
	return j.Source
}

// sources says which of the sources of its block are in a tree: they stand in the order of the text.
func (j *Join) sources() [2]int32 {
	last := j
	for last.Kind != Leaf {
		last = last.Right
	}
	all := last.Source.Block.Sources
	return [2]int32{int32(slices.Index(all, j.first())), int32(slices.Index(all, last.Source) + 1)} //nolint:gosec // as above
}

// resolveIn finds it in one block. found without a source ends the search: the name is one of the block's, but of which
// source is not certain.
func (p *proof) resolveIn(e *Expr, b *Block) (s *Source, found bool) {
	if e.Qualifier == "" {
		return p.resolveBare(e, b)
	}
	exact, folded := 0, 0
	for _, c := range b.Sources {
		if !p.st.same(c.Called(), e.Qualifier) || e.Schema != "" && c.Alias == "" && c.Schema != "" && !p.st.same(c.Schema, e.Schema) {
			continue
		}
		if e.Schema != "" && (c.Schema == "" || c.Alias != "") { // a search path decides whether it is the same table
			return nil, true
		}
		if folded++; c.Called() == e.Qualifier {
			exact++
			s = c
		} else if exact == 0 {
			s = c
		}
	}
	if exact > 1 || exact == 0 && folded > 1 || s != nil && s.hidden() || b.From.names(p.st, e.Qualifier) {
		return nil, true
	}
	if s != nil && !p.st.calls(s, e.Qualifier) { // another of that name may be further out
		return nil, true
	}
	return s, folded > 0
}

// names tells whether a join of the tree goes by a name.
func (j *Join) names(st *Statement, name string) bool {
	if j == nil || j.Kind == Leaf {
		return false
	}
	return j.Alias != "" && st.same(j.Alias, name) || j.Merged != "" && st.same(j.Merged, name) ||
		j.Left.names(st, name) || j.Right.names(st, name)
}

// resolveBare finds the source of a column without a qualifier. The one table of the block that is known to have such a
// tenant column, shard key or ID has it; another source that has it too makes the database refuse the statement, unless they are joined by
// it.
func (p *proof) resolveBare(e *Expr, b *Block) (s *Source, found bool) {
	for i := range p.known {
		k := &p.known[i]
		if k.source.Block != b || k.table.Class != Owned || !p.st.same(k.table.Column, e.Name) {
			continue
		}
		if found || b.From.merges(p.st, e.Name) {
			return nil, true
		}
		s, found = k.source, true
	}
	for i := range p.sharded {
		r := &p.sharded[i]
		if r.source == s || r.source.Block != b || !p.st.same(r.key.Column, e.Name) && !p.st.same(r.key.ID, e.Name) {
			continue
		}
		if found || b.From.merges(p.st, e.Name) {
			return nil, true
		}
		s, found = r.source, true
	}
	return s, found
}

// merges tells whether a join of the tree makes one column of two of that name.
func (j *Join) merges(st *Statement, name string) bool {
	if j == nil || j.Kind == Leaf {
		return false
	}
	if j.Natural || slices.ContainsFunc(j.Using, func(u string) bool { return st.same(u, name) }) {
		return true
	}
	return j.Left.merges(st, name) || j.Right.merges(st, name)
}

// hidden tells whether a source is in a join with a name of its own, so that its columns are not seen outside.
func (s *Source) hidden() bool {
	for j := s.parent; j != nil; j = j.parent {
		if j.Alias != "" {
			return true
		}
	}
	return false
}
