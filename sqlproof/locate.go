package sqlproof

// Locate returns a plan that says which tables a text touches, and adds nothing to it: for a statement that runs for all
// tenants of a placement, whose tables may still have names of their own there.
func (p *Prover) Locate(sql string) *Plan {
	generation := p.tables.Generation()
	if plan := p.located.get(sql); plan != nil && plan.generation == generation {
		return plan
	}
	plan := locate(p.analyzer, p.tables, sql)
	plan.generation = generation
	p.located.put(sql, plan)
	return plan
}

func locate(analyzer Analyzer, tables Tables, sql string) *Plan {
	st, err := analyzer.Analyze(sql)
	if err != nil {
		return &Plan{SQL: sql, Refusal: asRefusal(sql, err), Touches: true}
	}
	plan := &Plan{SQL: sql, Kind: st.Kind, Writes: st.Writes, Arguments: st.arguments()}
	p := &proof{st: st, tables: tables}
	for _, b := range st.Blocks {
		for _, s := range b.Sources {
			if s.Kind != TableSource {
				continue
			}
			t := p.lookup(s.Schema, s.Name)
			if t.ShardKey != nil || t.Class == Sharded {
				if r := p.shards(s, t); r != nil {
					plan.Refusal, plan.Touches = r, true
					return plan
				}
			}
			switch t.Class {
			case Unknown:
			case Open:
				if t.Home && p.home == "" {
					p.home = t.Name
				}
			default:
				p.touch(s, t)
			}
		}
	}
	if plan.Refusal = p.account(); plan.Refusal == nil {
		plan.Refusal = p.shardWrites()
	}
	plan.Touches = p.touches || plan.Refusal != nil
	plan.take(analyzer, p)
	return plan
}
