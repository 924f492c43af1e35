package sqlproof_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/sqlproof"
)

var update = flag.Bool("update", false, "write the golden files")

// sameOnBoth are the rewritten queries that give the same as the original where there is another tenant, and why.
var sameOnBoth = map[string]string{}

// untouched are the queries that are sent as they are: they have nothing of tenants, or their own conditions will do.
var untouched = []string{"exchange_rate_trend", "fully_bound_by_hand"}

// passing is how many of a hundred queries must pass.
var passing = map[string]int{"sqlite": 90, "postgres": 90, "mysql": 80}

// TestReports runs the queries of a shop's reports for one tenant of two, and compares what they give, and what they
// leave in the tables, with the original query where the tenant is alone.
func TestReports(t *testing.T) {
	for dialect, analyzer := range analyzers() {
		t.Run(dialect, func(t *testing.T) {
			t.Parallel()
			p := newPair(t, dialect)
			all := queries(t, dialect)
			var refused []string
			for _, q := range all {
				t.Run(q.name, func(t *testing.T) {
					if why := p.report(t, analyzer, q); why != "" {
						refused = append(refused, q.name+": "+why)
					}
				})
			}
			t.Logf("%d of %d queries pass (%.1f %%); refused:\n%s", len(all)-len(refused), len(all),
				100*float64(len(all)-len(refused))/float64(len(all)), strings.Join(refused, "\n"))
			assert.LessOrEqual(t, 100*len(refused), (100-passing[dialect])*len(all))
		})
	}
}

// report compares one query, by its plan and by its strict plan, and says why it is refused.
func (p *pair) report(t *testing.T, analyzer sqlproof.Analyzer, q query) (refused string) {
	t.Helper()
	prover := sqlproof.NewProver(analyzer, shop(), 0)
	d := decide(prover, q.sql, q.args, false)
	strict := decide(prover, q.sql, q.args, true)
	if d.refuse != nil {
		assert.NotEmpty(t, d.refuse.Why)
		assert.True(t, d.refuse.Instead != "" || d.refuse.Line > 0, "%q says neither where nor what to do", d.refuse.Why)
		assert.NotNil(t, strict.refuse, "it passes only strictly")
		return d.refuse.Error()
	}
	require.Nil(t, strict.refuse, "it does not pass strictly")
	assert.Equal(t, !slices.Contains(untouched, q.name), d.plan.Rewritten())
	alone := p.alone.run(t, q.sql, q.args, q.write, patience)
	for _, d := range []decision{d, strict} {
		both := p.both.run(t, d.plan.SQL, d.args, q.write, patience)
		if diff := p.differ(both, alone, q.unordered); diff != "" {
			t.Errorf("%s\n%s\n%v", diff, d.plan.SQL, d.args)
		}
	}
	leaky := p.both.run(t, q.sql, q.args, q.write, patience)
	if reason, ok := sameOnBoth[q.name]; ok {
		assert.NotEmpty(t, reason)
		assert.Empty(t, p.differ(leaky, alone, q.unordered), "it differs by now")
	} else if d.plan.Rewritten() {
		assert.NotEmpty(t, p.differ(leaky, alone, q.unordered), "the original gives the same, so this proves nothing")
	}
	return d.needs
}

// TestGolden compares the texts that are sent with those that somebody has read. With -update it writes them.
func TestGolden(t *testing.T) {
	for dialect, analyzer := range analyzers() {
		t.Run(dialect, func(t *testing.T) {
			t.Parallel()
			prover := sqlproof.NewProver(analyzer, shop(), 0)
			var b strings.Builder
			for _, q := range queries(t, dialect) {
				d := decide(prover, q.sql, q.args, false)
				fmt.Fprintf(&b, "-- name: %s\n", q.name)
				switch {
				case d.refuse != nil:
					fmt.Fprintf(&b, "refused: %s\n\n", d.refuse)
					continue
				case !d.plan.Rewritten():
					b.WriteString("-- as it is\n")
				default:
					args, err := json.Marshal(d.args)
					require.NoError(t, err)
					fmt.Fprintf(&b, "-- args: %s\n", args)
				}
				if d.needs != "" {
					fmt.Fprintf(&b, "-- refused, for it needs %s\n", d.needs)
				}
				b.WriteString(d.plan.SQL + "\n\n")
			}
			file := corpusFile(dialect, "rewritten.golden")
			if *update {
				require.NoError(t, os.WriteFile(file, []byte(b.String()), 0o600))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			require.Equal(t, string(want), b.String(), "run the test with -update, and read what it changes")
		})
	}
}
