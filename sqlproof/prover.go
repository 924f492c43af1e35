package sqlproof

import "github.com/gormtenancy/tenancy/internal/sqltext"

// Prover makes plans of texts and keeps them. It may be used concurrently.
type Prover struct {
	analyzer Analyzer
	dialect  sqltext.Dialect
	tables   Tables
	trusting cache // plans that take the text's own conditions for the tenant's, and check them
	strict   cache // plans that do not
	located  cache // plans that add nothing
}

// NewProver returns a prover. It keeps plans of up to most bytes in all; 0 is 16 MiB.
func NewProver(analyzer Analyzer, tables Tables, most int) *Prover {
	if most <= 0 {
		most = 16 << 20
	}
	p := &Prover{analyzer: analyzer, dialect: sqltext.DialectOf(analyzer.Dialect()), tables: tables}
	p.trusting.init(most - most/4)
	p.strict.init(most / 8)
	p.located.init(most / 8)
	return p
}

// Prove returns the plan of a text; never nil. A value that the text itself equates with a tenant column is in the plan's
// Checks. If one of them turns out not to be the tenant's, use [Prover.ProveStrictly].
func (p *Prover) Prove(sql string) *Plan { return p.from(&p.trusting, sql, true) }

// ProveStrictly returns a plan that adds a condition for each table, whatever the text has itself.
func (p *Prover) ProveStrictly(sql string) *Plan { return p.from(&p.strict, sql, false) }

func (p *Prover) from(c *cache, sql string, trust bool) *Plan {
	generation := p.tables.Generation()
	plan := c.get(sql)
	if plan != nil && plan.generation == generation {
		return plan
	}
	if plan != nil && plan.still(p.tables) {
		renewed := *plan
		renewed.generation = generation
		c.put(sql, &renewed)
		return &renewed
	}
	if s := shapeOf(p.dialect, sql); len(s.runs) > 0 {
		if plan = p.from(c, s.sql, trust).expand(p.dialect, sql, s); plan != nil {
			c.put(sql, plan)
			return plan
		}
	}
	plan = prove(p.analyzer, p.tables, sql, trust)
	c.put(sql, plan)
	return plan
}

// still tells whether all that a plan rests on is as it was.
func (plan *Plan) still(tables Tables) bool {
	if plan.Refusal != nil {
		return false
	}
	for _, d := range plan.deps {
		if tables.Table(d.schema, d.name) != d.table {
			return false
		}
	}
	return true
}

// Fresh makes the plan of a text without keeping it: for tools that look at each text once.
func Fresh(analyzer Analyzer, tables Tables, sql string) *Plan {
	return prove(analyzer, tables, sql, true)
}

// FreshStrictly is [Fresh] as [Prover.ProveStrictly] proves.
func FreshStrictly(analyzer Analyzer, tables Tables, sql string) *Plan {
	return prove(analyzer, tables, sql, false)
}
