package sqlproof_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/sqlproof"
)

// same tells how what two databases with the same rows give differs; "" if it does not.
func same(got, want outcome, unordered bool) string {
	nobody := pair{others: map[string]int{}}
	return nobody.differ(got, want, unordered)
}

// elsewhere are the queries that name a schema themselves.
var elsewhere = []string{"quoted_identifiers", "cte_shadows_orders"}

// TestReportsAtAPlace runs the queries of a shop's reports where the tenants' tables are at a place, and compares what they
// give and leave behind with the text without it where the tables have their own names.
func TestReportsAtAPlace(t *testing.T) {
	for dialect, analyzer := range analyzers() {
		t.Run(dialect, func(t *testing.T) {
			t.Parallel()
			p := newPair(t, dialect)
			for kind, at := range places(dialect) {
				t.Run(kind, func(t *testing.T) {
					there := p.move(t, dialect, at)
					prover := sqlproof.NewProver(analyzer, shop(), 0)
					ran := 0
					for _, q := range queries(t, dialect) {
						for _, strict := range []bool{false, true} {
							d := decide(prover, q.sql, q.args, strict)
							if d.refuse != nil {
								continue
							}
							text, refusal := d.plan.At(there.schema, there.suffix)
							if slices.Contains(elsewhere, q.name) && refusal != nil {
								assert.Contains(t, refusal.Error(), "is named with schema")
								continue
							}
							if !assert.Nil(t, refusal, d.plan.SQL) {
								continue
							}
							want := p.both.run(t, d.plan.SQL, d.args, q.write, patience)
							require.NoError(t, want.err)
							if diff := same(there.run(t, text, d.args, q.write, patience), want, q.unordered); diff != "" {
								t.Errorf("%s: %s\n%s", q.name, diff, text)
							}
							if len(d.plan.Tables) > 0 {
								unplaced := there.run(t, d.plan.SQL, d.args, false, patience)
								assert.Error(t, unplaced.err, "there is a table of that name here too: %s", d.plan.SQL)
							}
							ran++
						}
					}
					assert.Greater(t, ran, 100)
				})
			}
		})
	}
}

// TestFormsAtAPlace does the same with statements in which a table is named in every way that there is. Some of them bind
// their tables by themselves, and in none of them is it another tenant's value.
func TestFormsAtAPlace(t *testing.T) {
	for dialect, analyzer := range analyzers() {
		t.Run(dialect, func(t *testing.T) {
			t.Parallel()
			p := newPair(t, dialect)
			prover := sqlproof.NewProver(analyzer, shop(), 0)
			for kind, at := range places(dialect) {
				t.Run(kind, func(t *testing.T) {
					there := p.move(t, dialect, at)
					for _, sql := range forms(dialect) {
						for _, strict := range []bool{false, true} {
							d := decide(prover, sql, nil, strict)
							if d.refuse != nil {
								assert.True(t, strict, "%s: %s", sql, d.refuse)
								continue
							}
							text, refusal := d.plan.At(there.schema, there.suffix)
							if !assert.Nil(t, refusal, d.plan.SQL) {
								continue
							}
							want := p.both.run(t, d.plan.SQL, d.args, d.plan.Writes, patience)
							if !assert.NoError(t, want.err, d.plan.SQL) {
								continue
							}
							if diff := same(there.run(t, text, d.args, d.plan.Writes, patience), want, true); diff != "" {
								t.Errorf("%s\n%s\n%s", sql, diff, text)
							}
						}
					}
				})
			}
		})
	}
}
