package sqlproof_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/sqlproof"
	"github.com/gormtenancy/tenancy/sqlproof/internal/prooftest"
	"github.com/gormtenancy/tenancy/sqlproof/sqlite"
)

// faulty is an analyzer with a fault in what it says of texts to which something was added.
type faulty struct {
	sqlproof.Analyzer
	same   bool
	second func(sql string) (*sqlproof.Statement, error)
	reads  int
}

func (f *faulty) Analyze(sql string) (*sqlproof.Statement, error) {
	if f.reads++; f.reads > 1 && f.second != nil {
		return f.second(sql)
	}
	return f.Analyzer.Analyze(sql)
}

func (f *faulty) Same(before, now *sqlproof.Statement, added []sqlproof.Span) bool {
	return f.same && (f.second != nil || f.Analyzer.Same(before, now, added))
}

// TestSecondReading shows that a fault in the analyzer, the parser or the splice ends in a refusal: the text is read again,
// its tree must be the old one and what was added, and it must be proven by itself.
func TestSecondReading(t *testing.T) {
	text := "SELECT o.id FROM orders o"
	reads := func(other string) func(string) (*sqlproof.Statement, error) {
		return func(string) (*sqlproof.Statement, error) { return sqlite.New().Analyze(other) }
	}
	fails := func(string) (*sqlproof.Statement, error) { return nil, errors.New("no SQL") }
	for name, f := range map[string]*faulty{
		"the tree is another one":    {},
		"the text is not understood": {same: true, second: fails},
		"it binds nothing":           {same: true, second: reads(text)},
		"it binds another table": {
			same: true, second: reads("SELECT o.id FROM orders o, customers c WHERE c.tenant_id = ?"),
		},
		"it binds with another's argument": {
			same: true, second: reads("SELECT o.id FROM orders o WHERE ? = 1 AND o.tenant_id <> ? OR o.tenant_id = ?"),
		},
		"it has a table of no list": {
			same: true, second: reads("SELECT o.id FROM orders o, secrets s WHERE o.tenant_id = ?"),
		},
		"it has no other table": {same: true, second: reads("SELECT s.id FROM secrets s WHERE s.id = ?")},
		"it writes":             {same: true, second: reads("UPDATE orders SET tenant_id = note WHERE tenant_id = ?")},
	} {
		t.Run(name, func(t *testing.T) {
			f.Analyzer = sqlite.New()
			plan := sqlproof.NewProver(f, shop(), 0).Prove(text)
			require.NotNil(t, plan.Refusal)
			assert.Contains(t, plan.Refusal.Why, "the tenant's condition could not be added")
			assert.Equal(t, "add it yourself: o.tenant_id = ?", plan.Refusal.Instead)
			assert.Equal(t, text, plan.SQL)
			assert.Equal(t, 2, f.reads)
		})
	}
	plan := sqlproof.NewProver(&faulty{Analyzer: sqlite.New(), same: true}, shop(), 0).Prove(text)
	assert.Nil(t, plan.Refusal, "without a fault it passes")
}

// TestStrictReading shows that a strict plan trusts nothing but what was added, in the second reading too.
func TestStrictReading(t *testing.T) {
	f := &faulty{Analyzer: sqlite.New(), same: true, second: func(string) (*sqlproof.Statement, error) {
		return sqlite.New().Analyze("SELECT o.id FROM orders o WHERE o.tenant_id = 'a' AND o.id = ?")
	}}
	plan := sqlproof.NewProver(f, shop(), 0).ProveStrictly("SELECT o.id FROM orders o WHERE o.tenant_id = 'a'")
	assert.NotNil(t, plan.Refusal)
}

// changing are tables that are registered while a prover is at work.
type changing struct {
	prooftest.Tables
	generation uint64
}

func (c *changing) Generation() uint64 { return c.generation }

// TestRegistryChanges shows that a plan is made anew when what it rests on has changed, and only then.
func TestRegistryChanges(t *testing.T) {
	tables := &changing{Tables: prooftest.Tables{}.Open("orders", "customers")}
	f := &faulty{Analyzer: sqlite.New(), same: true}
	prover := sqlproof.NewProver(f, tables, 0)
	text := "SELECT o.id FROM orders o"
	assert.False(t, prover.Prove(text).Touches)
	tables.Own("customers")
	tables.generation++
	assert.False(t, prover.Prove(text).Touches)
	assert.Equal(t, 1, f.reads, "it rests on orders alone")
	tables.Own("orders")
	tables.generation++
	assert.True(t, prover.Prove(text).Rewritten())
	assert.True(t, prover.Prove("SELECT s.id FROM secrets s").Refusal.Unknown)
	tables.Open("secrets")
	tables.generation++
	assert.Nil(t, prover.Prove("SELECT s.id FROM secrets s").Refusal)
}
