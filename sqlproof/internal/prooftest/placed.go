package prooftest

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/sqlproof"
)

// Place is where the tables of a tenant are.
type Place struct{ Schema, Suffix string }

// Places are those that the corpus is put in.
func Places(dialect string) []Place {
	if dialect == "sqlite" {
		return []Place{{"", "_03"}}
	}
	return []Place{{"tenant_x", ""}, {"", "_03"}, {"tenant_x", "_03"}}
}

// GoldenPlaces compares what becomes of each statement of the corpus at each place with what became of it before, in
// testdata/placed.golden. each is called for the texts.
func GoldenPlaces(t *testing.T, analyzer sqlproof.Analyzer, tables sqlproof.Tables, update bool, each func(sql string)) {
	t.Helper()
	p := sqlproof.NewProver(analyzer, tables, 0)
	var got strings.Builder
	for _, s := range Corpus(t) {
		plan := p.ProveStrictly(s.SQL)
		if plan.Refusal != nil {
			continue
		}
		fmt.Fprintf(&got, "%s\n", s.SQL)
		for _, at := range Places(analyzer.Dialect()) {
			sql, refusal := plan.At(at.Schema, at.Suffix)
			switch {
			case refusal != nil:
				fmt.Fprintf(&got, "%s refused: %v\n", at, refusal)
				continue
			case sql == plan.SQL:
				assert.Empty(t, plan.Tables)
			default:
				fmt.Fprintf(&got, "%s %s\n", at, sql)
			}
			each(sql)
			IsPlaced(t, analyzer, tables, sql, at)
		}
		got.WriteByte('\n')
	}
	const file = "testdata/placed.golden"
	if update {
		require.NoError(t, os.WriteFile(file, []byte(got.String()), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), got.String(), "run the test with -update, and read what it changes")
}

// String returns what a name begins and ends with.
func (at Place) String() string { return "@" + at.Schema + at.Suffix }

// IsPlaced checks that a text names tables of tenants at a place and nowhere else.
func IsPlaced(t testing.TB, analyzer sqlproof.Analyzer, tables sqlproof.Tables, sql string, at Place) {
	t.Helper()
	st, err := analyzer.Analyze(sql)
	require.NoError(t, err, sql)
	for _, b := range st.Blocks {
		for _, s := range b.Sources {
			if s.Kind != sqlproof.TableSource {
				continue
			}
			require.False(t, at.Suffix != "" && tables.Confined(s.Name), "table %s has no suffix: %s", s.Name, sql)
			name := strings.TrimSuffix(s.Name, at.Suffix)
			if tables.Confined(name) {
				require.Equal(t, at.Schema, s.Schema, "table %s: %s", s.Name, sql)
			}
		}
	}
}
