package sqlproof_test

import (
	"testing"

	"github.com/gormtenancy/tenancy/internal/testdb"
	"github.com/gormtenancy/tenancy/sqlproof"
	"github.com/gormtenancy/tenancy/sqlproof/internal/prooftest"
	"github.com/gormtenancy/tenancy/sqlproof/mysql"
	"github.com/gormtenancy/tenancy/sqlproof/postgres"
	"github.com/gormtenancy/tenancy/sqlproof/sqlite"
)

func TestMain(m *testing.M) { testdb.Main(m) }

// analyzers returns what is tested against databases, by dialect.
func analyzers() map[string]sqlproof.Analyzer {
	return map[string]sqlproof.Analyzer{"sqlite": sqlite.New(), "postgres": postgres.New(), "mysql": mysql.New()}
}

// subject is the tenant whose statements are run.
const subject = "a"

// shop are the tables of the corpus.
func shop() prooftest.Tables {
	return prooftest.Tables{}.
		Own("categories", "products", "tags", "customers", "employees", "orders", "order_items", "payments", "events",
			"subscriptions", "order_totals").
		Open("countries", "exchange_rates", "calendar").
		Link("product_tags", "products", "tags")
}

// keyed are the tables of the corpus that have a unique key without the tenant column.
var keyed = map[string]bool{"products": true, "tags": true, "product_tags": true}

// decision is what is to be sent for a text, or why nothing is.
type decision struct {
	plan   *sqlproof.Plan
	args   []any
	needs  string // what somebody else must see to, and here nobody does
	refuse *sqlproof.Refusal
}

// decide does what the plugin does: it proves a text, checks its values, and proves it strictly if they are not the
// tenant's.
func decide(p *sqlproof.Prover, sql string, args []any, strict bool) decision {
	plan := p.Prove(sql)
	if strict {
		plan = p.ProveStrictly(sql)
	}
	for again := strict; ; again = true {
		if plan.Refusal != nil {
			return decision{plan: plan, refuse: plan.Refusal}
		}
		sent := fill(plan, args)
		fits, stored := checked(plan, sent)
		switch {
		case fits:
			return decision{plan: plan, args: sent, needs: needs(plan)}
		case stored || again:
			r := &sqlproof.Refusal{Why: "a value of a tenant column is another tenant's", Instead: "leave it out", Foreign: true}
			return decision{plan: plan, refuse: r}
		}
		plan = p.ProveStrictly(sql)
	}
}

// fill puts the tenant in its places in the arguments.
func fill(plan *sqlproof.Plan, args []any) []any {
	sent := make([]any, 0, len(args)+len(plan.Inserted))
	from := 0
	for i, in := range plan.Inserted {
		sent = append(append(sent, args[from:in.At-i]...), subject)
		from = in.At - i
	}
	return append(sent, args[from:]...)
}

// checked tells whether the values that the text has itself are the tenant's; stored tells that one that is not is to be
// written.
func checked(plan *sqlproof.Plan, sent []any) (fits, stored bool) {
	fits = true
	for _, c := range plan.Checks {
		values := []any{c.Literal}
		if c.Argument >= 0 {
			values = values[:0]
			for i := range max(c.Times, 1) {
				values = append(values, sent[c.Argument+i*c.Every])
			}
		}
		for _, v := range values {
			if v != any(subject) {
				fits, stored = false, stored || c.Stored
			}
		}
	}
	return fits, stored
}

// needs names a need of a plan that is not met.
func needs(plan *sqlproof.Plan) string {
	for _, n := range plan.Needs {
		switch {
		case n.Kind == sqlproof.Ends:
			return "somebody to look at the ends of the rows for " + n.Name
		case n.Kind == sqlproof.UniqueKeys && keyed[n.Table.Name]:
			return "the tenant column in every unique key of " + n.Name
		}
	}
	return ""
}
