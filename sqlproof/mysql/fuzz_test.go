package mysql

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/sqlproof"
	"github.com/gormtenancy/tenancy/sqlproof/internal/prooftest"
)

// FuzzProve changes the statements of the corpus. Whatever comes out of it, nothing panics, no table is overlooked, what is
// let pass binds all its tables by itself, and does not any more once the conditions that were added are taken out again.
func FuzzProve(f *testing.F) {
	for _, s := range prooftest.Corpus(f) {
		f.Add(s.SQL)
	}
	for _, s := range proven {
		f.Add(s.sql)
	}
	p := sqlproof.NewProver(New(), tables(), 1) // keeps nothing
	f.Fuzz(func(t *testing.T, sql string) {
		if len(sql) > 4096 {
			return
		}
		holds(t, p, sql)
	})
}

func holds(t *testing.T, p *sqlproof.Prover, sql string) {
	t.Helper()
	readsAllTables(t, sql)
	plan, strict := p.Prove(sql), p.ProveStrictly(sql)
	for _, plan := range []*sqlproof.Plan{plan, strict} {
		if plan.Refusal == nil {
			readsAllTables(t, plan.SQL)
			again := p.Prove(plan.SQL)
			require.Nil(t, again.Refusal, plan.SQL)
			require.False(t, again.Rewritten(), "%s\n%s", plan.SQL, again.SQL)
		}
	}
	if strict.Refusal == nil {
		again := p.ProveStrictly(strict.SQL)
		require.True(t, again.Refusal == nil || mayBeRefused(strict.SQL), "%s\n%v", strict.SQL, again.Refusal)
	}
	if plan.Refusal != nil || !plan.Rewritten() {
		return
	}
	if without, some := takenOut(plan.SQL, sql); some {
		again := p.Prove(without)
		require.True(t, again.Refusal != nil || again.Rewritten(), without)
	}
}

// mayBeRefused tells whether a text with conditions may have no place for another: one more pair of parentheses may be too
// many.
func mayBeRefused(sql string) bool { return strings.Count(sql, "(") >= 6 }

var added = regexp.MustCompile("`(?:[^`]|``)*`\\.`tenant_id` = \\?")

// takenOut returns a text without the conditions that were added to it, if all such conditions were.
func takenOut(sql, before string) (without string, some bool) {
	if added.MatchString(before) || strings.Contains(strings.ToLower(before), "tenant_id") {
		return "", false
	}
	return added.ReplaceAllLiteralString(sql, "1"), added.MatchString(sql)
}
