package prooftest

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/sqlproof"
)

// Fuzzed is what the fuzzing of an analyzer needs to know of it.
type Fuzzed struct {
	Analyzer sqlproof.Analyzer
	Seeds    []string // besides the corpus
	// Each is called for each text that is read or sent.
	Each func(t testing.TB, sql string)
	// Without returns the text of a plan for sql without the conditions that were added; some is false if they cannot be told
	// from the text's own. Nil is for dialects that quote with backticks and have placeholders without numbers.
	Without func(plan *sqlproof.Plan, sql string) (without string, some bool)
	// Refusable tells whether there may be no place for one more condition in a text that has them, besides that its
	// parentheses would be too many.
	Refusable func(sql string) bool
}

// Fuzz changes the statements of the corpus. Whatever comes out of it, nothing panics, no table is overlooked, what is let
// pass binds all its tables by itself, and does not any more once the conditions that were added are taken out again. At a
// place all tables of tenants are there, and nothing else has changed.
func Fuzz(f *testing.F, of Fuzzed) {
	f.Helper()
	for _, s := range Corpus(f) {
		f.Add(s.SQL)
	}
	for _, s := range of.Seeds {
		f.Add(s)
	}
	if of.Without == nil {
		of.Without = withoutAdded
	}
	mayBeRefused := func(sql string) bool {
		return strings.Count(sql, "(") >= 6 || of.Refusable != nil && of.Refusable(sql)
	}
	p := sqlproof.NewProver(of.Analyzer, CorpusTables(), 1) // keeps nothing
	f.Fuzz(func(t *testing.T, sql string) {
		if len(sql) > 4096 {
			return
		}
		of.Each(t, sql)
		plan, strict := p.Prove(sql), p.ProveStrictly(sql)
		for _, plan := range []*sqlproof.Plan{plan, strict} {
			if plan.Refusal == nil {
				of.Each(t, plan.SQL)
				again := p.Prove(plan.SQL)
				require.Nil(t, again.Refusal, plan.SQL)
				require.False(t, again.Rewritten(), "%s\n%s", plan.SQL, again.SQL)
				place(t, of, plan)
			}
		}
		if strict.Refusal == nil {
			again := p.ProveStrictly(strict.SQL)
			require.True(t, again.Refusal == nil || mayBeRefused(strict.SQL), "%s\n%v", strict.SQL, again.Refusal)
		}
		if plan.Refusal != nil || !plan.Rewritten() {
			return
		}
		if without, some := of.Without(plan, sql); some {
			again := p.Prove(without)
			require.True(t, again.Refusal != nil || again.Rewritten(), without)
		}
	})
}

// place puts a text at each place.
func place(t *testing.T, of Fuzzed, plan *sqlproof.Plan) {
	t.Helper()
	tables := CorpusTables()
	places := append(Places(of.Analyzer.Dialect()), Place{"", "`x\" y"}, Place{"`x\" y", ""})
	for _, at := range places {
		sql, refusal := plan.At(at.Schema, at.Suffix)
		if refusal != nil {
			require.NotEmpty(t, refusal.Why)
			continue
		}
		if len(plan.Tables) == 0 {
			require.Equal(t, plan.SQL, sql)
			continue
		}
		of.Each(t, sql)
		IsPlaced(t, of.Analyzer, tables, sql, at)
	}
}

var added = regexp.MustCompile("`(?:[^`]|``)*`\\.`tenant_id` = \\?")

// withoutAdded takes out what looks like an added condition, if the text had nothing that does.
func withoutAdded(plan *sqlproof.Plan, sql string) (without string, some bool) {
	if strings.Contains(strings.ToLower(sql), "tenant_id") {
		return "", false
	}
	return added.ReplaceAllLiteralString(plan.SQL, "1"), added.MatchString(plan.SQL)
}

// CorpusTables are what is known of the tables of the corpus.
func CorpusTables() Tables {
	return Tables{}.
		Own("users", "companies", "orders", "items", "docs", "profiles", "jobs", "languages", "accounts", "tags").
		Open("countries").
		Link("user_tags", "users", "tags")
}
