package sqlproof

import "slices"

// Plan is what is known of one text, for every tenant. It must not be changed.
type Plan struct {
	// SQL is the text to send; the one that was asked for if there was nothing to add.
	SQL string
	// Refusal says why it must not be sent; nil if it may.
	Refusal *Refusal
	// Inserted are the places in the arguments that the tenant's value is put in, in ascending order.
	Inserted []Insertion
	// Checks are the values that must be the tenant's, with arguments counted as they are sent.
	Checks []Check
	// Needs are what the text cannot show.
	Needs []Need
	// Arguments is how many arguments the original text takes.
	Arguments int
	Kind      Kind
	Writes    bool // it must run on the primary
	Touches   bool // it touches rows of tenants
	Placed    bool // it touches tables that only their placement confines
	// Home is the name of a table that it touches and that is in the default database alone; "" if there is none.
	Home string
	// Tables are the tables of tenants that it touches, each once: those that SQL names, added conditions included.
	Tables []Table
	// Keys are the shard keys that the rows it touches can have: one for each [ShardKey.Sharding], none without sharded tables.
	Keys []*Keys

	edits      []edit // that made SQL of the original text
	deps       []dep  // of SQL
	generation uint64
	placing    *placing
}

// Rewritten tells whether something was added to the text.
func (plan *Plan) Rewritten() bool { return len(plan.Inserted) > 0 }

// prove makes the plan of a text. If trust is set, a value that the text equates with a tenant column is taken for the
// tenant's, to be checked; otherwise each condition is added, whatever the text says itself.
func prove(analyzer Analyzer, tables Tables, sql string, trust bool) *Plan {
	generation := tables.Generation()
	st, err := analyzer.Analyze(sql)
	if err != nil {
		return &Plan{SQL: sql, Refusal: asRefusal(sql, err), Touches: true, generation: generation}
	}
	plan, _, _ := proveStatement(analyzer, tables, st, trust)
	plan.generation = generation
	return plan
}

// asRefusal makes a refusal of what an analyzer of somebody else's may return.
func asRefusal(sql string, err error) *Refusal {
	if r, ok := err.(*Refusal); ok { //nolint:errorlint // analyzers return it as it is
		return r
	}
	return refuse(sql, -1, err.Error(), "")
}

// proveStatement makes the plan of a statement. The proof and what was added are for [Explain].
func proveStatement(analyzer Analyzer, tables Tables, st *Statement, trust bool) (*Plan, *proof, *rewrite) {
	p := &proof{st: st, tables: tables, trust: trust}
	plan := &Plan{SQL: st.SQL, Kind: st.Kind, Writes: st.Writes, Arguments: st.arguments()}
	plan.Refusal = p.run()
	plan.Touches, plan.Placed = p.touches || plan.Refusal != nil && !plan.Refusal.Unknown, p.placed
	var added *rewrite
	if plan.Refusal == nil && !p.holds() {
		added, plan.Refusal = p.complete()
		if plan.Refusal == nil {
			plan.deps = p.deps
			plan.rewrite(analyzer, tables, st, trust, added)
			if plan.Refusal == nil && p.named != nil {
				plan.placing.named = p.named // with its place in the application's own text
			}
			return plan, p, added
		}
	}
	plan.take(analyzer, p)
	return plan, p, added
}

// take takes over what the proof of the plan's text has found.
func (plan *Plan) take(analyzer Analyzer, p *proof) {
	plan.Checks, plan.Needs, plan.deps, plan.Home, plan.Tables = p.checks, p.needs, p.deps, p.home, p.tenants
	plan.placing = &placing{analyzer: analyzer, named: p.named, sources: p.sources}
	if len(p.sharded) > 0 && plan.Refusal == nil {
		plan.Keys = p.keys()
	}
}

// holds tells whether all is bound as it stands.
func (p *proof) holds() bool {
	for i := range p.known {
		k := &p.known[i]
		if !k.source.Target || k.source.Block.Kind != Insert {
			if !k.bound {
				return false
			}
			continue
		}
		if !p.insertBound(k) {
			return false
		}
	}
	return true
}

// insertBound tells whether an INSERT gives the tenant, and its upserts leave other tenants' rows alone.
func (p *proof) insertBound(k *tableOf) bool {
	b := k.source.Block
	names := func(column string) bool {
		return slices.ContainsFunc(b.Columns, func(c Column) bool { return p.st.same(c.Name, column) })
	}
	if k.table.Class == Owned {
		if !names(k.table.Column) {
			return false
		}
	} else {
		for _, end := range *k.table.Ends {
			if end.Carries != "" && !names(end.Carries) {
				return false
			}
		}
	}
	for i := range b.Upserts {
		if !p.upsertBound(k, &b.Upserts[i]) {
			return false
		}
	}
	return true
}

// rewrite fills in the plan of a text to which something was added. The new text is read again, and must hold by itself.
func (plan *Plan) rewrite(analyzer Analyzer, tables Tables, st *Statement, trust bool, added *rewrite) {
	sql, spans, inserted := added.apply()
	fail := func(why string) {
		r := refuse(st.SQL, -1, "the tenant's condition could not be added: "+why, "add it yourself: "+added.example())
		plan.Refusal = r
	}
	now, err := analyzer.Analyze(sql)
	if err != nil {
		fail("the text with it is not understood")
		return
	}
	if !analyzer.Same(st, now, spans) {
		fail("the text with it would mean something else")
		return
	}
	again := &proof{st: now, tables: tables, trust: trust, ours: func(argument int) bool {
		return slices.ContainsFunc(inserted, func(i Insertion) bool { return i.At == argument })
	}}
	if r := again.run(); r != nil {
		fail(r.Why)
		return
	}
	if !again.holds() {
		fail("it does not bind the table")
		return
	}
	plan.SQL, plan.Inserted, plan.edits = sql, inserted, added.edits
	plan.take(analyzer, again)
	plan.placing.added = spans
}

// example is a condition that the application can write itself.
func (r *rewrite) example() string {
	for i := range r.p.known {
		if k := &r.p.known[i]; k.table.Class == Owned {
			return k.source.Called() + "." + k.table.Column + " = ?"
		}
	}
	return "a condition on the tenant column"
}
