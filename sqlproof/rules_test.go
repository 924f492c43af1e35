package sqlproof_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/gormtenancy/tenancy/sqlproof"
	"github.com/gormtenancy/tenancy/sqlproof/internal/prooftest"
)

// rule is a rule of the proof, shown by a statement and what becomes of it.
type rule struct{ name, sql, want string }

// ruled are the tables of the rules: those of the shop, and others that differ in how they belong to tenants.
func ruled() prooftest.Tables {
	t := shop()
	t["notes"] = sqlproof.Table{Class: sqlproof.Owned, Name: "notes", Column: "org", Type: "text", Text: true}
	t["counters"] = sqlproof.Table{Class: sqlproof.Owned, Name: "counters", Column: "tenant_id", Type: "bigint"}
	t["places"] = sqlproof.Table{Class: sqlproof.Placed, Name: "places"}
	t["order_tags"] = sqlproof.Table{Class: sqlproof.Link, Name: "order_tags", Ends: &[]sqlproof.End{
		{Columns: []string{"order_id", "shop"}, Keys: []string{"id", "tenant_id"}, Parent: t["orders"], Carries: "shop"},
		{Columns: []string{"tag_id"}, Keys: []string{"id"}, Parent: t["tags"]},
	}}
	t["shelf_tags"] = sqlproof.Table{Class: sqlproof.Link, Name: "shelf_tags", Ends: &[]sqlproof.End{
		{Columns: []string{"shelf", "place"}, Keys: []string{"shelf", "place"}, Parent: t["products"]},
		{Columns: []string{"tag_id"}, Keys: []string{"id"}, Parent: t["tags"]},
	}}
	t["loose_tags"] = sqlproof.Table{Class: sqlproof.Link, Name: "loose_tags", Ends: &[]sqlproof.End{}}
	return t
}

// check proves each statement, and then what is sent for it, which must hold as it is.
func check(t *testing.T, analyzer sqlproof.Analyzer, rules []rule) {
	t.Helper()
	prover := sqlproof.NewProver(analyzer, ruled(), 0)
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			plan := prover.Prove(r.sql)
			assert.Equal(t, spelled(analyzer, r.want), outline(plan, r.sql), r.sql)
			if plan.Refusal == nil {
				again := prover.Prove(plan.SQL)
				assert.Nil(t, again.Refusal)
				assert.False(t, again.Rewritten(), "what is sent is not proven")
			}
			for _, c := range prover.ProveStrictly(r.sql).Checks {
				assert.True(t, c.Stored, "it trusts the text")
			}
		})
	}
}

// outline writes what matters of a plan: the text, unless it is sent as it is, and in a line of its own which arguments
// are the tenant's and what else must be looked at.
func outline(plan *sqlproof.Plan, sql string) string {
	if plan.Refusal != nil {
		return "refused: " + plan.Refusal.Why
	}
	var all []string
	for _, in := range plan.Inserted {
		all = append(all, fmt.Sprintf("%s at %d", in.Table.Name, in.At))
	}
	for _, c := range plan.Checks {
		what := fmt.Sprintf("check '%s'", c.Literal)
		if c.Argument >= 0 {
			what = fmt.Sprintf("check %d", c.Argument)
		}
		if c.Times > 1 {
			what += fmt.Sprintf("+%d×%d", c.Times-1, c.Every)
		}
		if c.Stored {
			what += " stored"
		}
		all = append(all, what+" for "+c.Table.Name)
	}
	for _, n := range plan.Needs {
		all = append(all, "needs "+[]string{"unique keys", "ends"}[n.Kind]+" of "+n.Name)
	}
	switch {
	case plan.Placed:
		all = append(all, "placed")
	case !plan.Touches:
		all = append(all, "nobody's")
	}
	text := strings.Join(all, "; ")
	if plan.SQL != sql {
		text = plan.SQL + "\n" + text
	}
	return text
}

var short = regexp.MustCompile(`\{(link )?(\w+)(?:\.(\w+))?(?: (\$\d))?(?: (\$\d))?\}`)

// spelled puts into a text what is written shorter in the rules: {o} for the condition that o is the tenant's, {n.org} if
// its column has another name, and {link l} for that on l as a row of product_tags. PostgreSQL's placeholders follow.
func spelled(analyzer sqlproof.Analyzer, text string) string {
	return short.ReplaceAllStringFunc(text, func(s string) string {
		m := short.FindStringSubmatch(s)
		link, name, column, first, second := m[1], m[2], m[3], m[4], m[5]
		if column == "" {
			column = "tenant_id"
		}
		quote := "`"
		if analyzer.Dialect() == "postgres" {
			quote = `"`
		} else {
			first, second = "?", "?"
		}
		long := fmt.Sprintf("«%s».«%s» = %s", name, column, first)
		if link != "" {
			long = linked(name, first, second)
		}
		return strings.NewReplacer("«", quote, "»", quote).Replace(long)
	})
}

// linked is the condition that a row of product_tags that goes by a name is the tenant's: both of its ends are, or one is
// and the other is missing.
func linked(name, product, tag string) string {
	end := func(table, column, tenant string) string {
		text := fmt.Sprintf("EXISTS (SELECT 1 FROM %[1]s WHERE %[1]s.«id» = «%[2]s».«%[3]s»", "«"+table+"»", name, column)
		if tenant != "" {
			text += " AND «" + table + "».«tenant_id» = " + tenant
		}
		return text + ")"
	}
	e1, e2 := end("products", "product_id", product), end("tags", "tag_id", tag)
	m1, m2 := end("products", "product_id", ""), end("tags", "tag_id", "")
	return "((" + e1 + " AND " + e2 + ") OR (" + e1 + " AND NOT " + m2 + ") OR (" + e2 + " AND NOT " + m1 + "))"
}
