package prooftest

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/sqlproof"
)

// Statement is one of the corpus, with the line above it that names it.
type Statement struct{ Comment, SQL string }

// Corpus reads testdata/corpus.sql: one statement per line, and comments that begin with "-- ".
func Corpus(t testing.TB) []Statement {
	t.Helper()
	text, err := os.ReadFile("testdata/corpus.sql")
	require.NoError(t, err)
	var all []Statement
	comment := ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "-- "):
			comment = line
		case line != "":
			all = append(all, Statement{comment, line})
		}
	}
	return all
}

// Golden compares what becomes of each statement of the corpus with what became of it before, in testdata/corpus.golden:
// what the database itself must refuse is refused, and the rest can be read by people. each is called for the texts that are
// let pass.
func Golden(t *testing.T, analyzer sqlproof.Analyzer, tables sqlproof.Tables, update bool, each func(sql string)) {
	t.Helper()
	p := sqlproof.NewProver(analyzer, tables, 0)
	var got strings.Builder
	for _, s := range Corpus(t) {
		plan := p.ProveStrictly(s.SQL)
		fmt.Fprintf(&got, "%s\n%s\n", s.Comment, s.SQL)
		switch {
		case plan.Refusal != nil:
			fmt.Fprintf(&got, "refused: %v\n\n", plan.Refusal)
			continue
		case plan.Rewritten():
			fmt.Fprintf(&got, "=> %s\n\n", plan.SQL)
		default:
			got.WriteString("ok\n\n")
		}
		assert.False(t, strings.HasPrefix(s.Comment, "-- reject:"), s.SQL)
		each(s.SQL)
		each(plan.SQL)
	}
	const file = "testdata/corpus.golden"
	if update {
		require.NoError(t, os.WriteFile(file, []byte(got.String()), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), got.String(), "run the test with -update, and read what it changes")
}

// Found counts the tables, by name, that an analyzer has found in a statement.
func Found(st *sqlproof.Statement) map[string]int {
	found := map[string]int{}
	for _, b := range st.Blocks {
		for _, s := range b.Sources {
			if s.Kind == sqlproof.TableSource || s.Kind == sqlproof.CTESource {
				found[s.Name]++
			}
		}
	}
	return found
}

// Concurrent is for the race detector: an analyzer is used by many at once.
func Concurrent(t *testing.T, analyzer sqlproof.Analyzer) {
	t.Helper()
	p := sqlproof.NewProver(analyzer, CorpusTables(), 1)
	corpus := Corpus(t)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for _, s := range corpus {
				p.ProveStrictly(s.SQL)
			}
		})
	}
	all.Wait()
}

// Case is a text and what becomes of it if nothing in it is trusted: the text that is sent, AsItIs, or a part of the
// refusal.
type Case [2]string

// AsItIs is what a statement is to become that nothing is added to.
const AsItIs = ""

// Sent checks what texts become.
func Sent(t *testing.T, analyzer sqlproof.Analyzer, tables sqlproof.Tables, cases []Case, each func(t *testing.T, sql string)) {
	t.Helper()
	p := sqlproof.NewProver(analyzer, tables, 0)
	for _, c := range cases {
		sql, want := c[0], c[1]
		t.Run(sql, func(t *testing.T) {
			plan := p.ProveStrictly(sql)
			require.Nil(t, plan.Refusal)
			if want == AsItIs {
				want = sql
			}
			assert.Equal(t, want, plan.SQL)
			each(t, sql)
			each(t, plan.SQL)
		})
	}
}

// Refused checks why texts are refused.
func Refused(t *testing.T, analyzer sqlproof.Analyzer, tables sqlproof.Tables, cases []Case) {
	t.Helper()
	p := sqlproof.NewProver(analyzer, tables, 0)
	for _, c := range cases {
		sql, want := c[0], c[1]
		t.Run(sql, func(t *testing.T) {
			plan := p.ProveStrictly(sql)
			require.NotNil(t, plan.Refusal, plan.SQL)
			assert.Contains(t, plan.Refusal.Error(), want)
		})
	}
}
