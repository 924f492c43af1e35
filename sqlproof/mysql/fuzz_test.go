package mysql

import (
	"regexp"
	"strings"
	"testing"

	"github.com/gormtenancy/tenancy/sqlproof"
	"github.com/gormtenancy/tenancy/sqlproof/internal/prooftest"
)

func FuzzProve(f *testing.F) {
	added := regexp.MustCompile("`(?:[^`]|``)*`\\.`tenant_id` = \\?")
	seeds := make([]string, len(proven))
	for i, s := range proven {
		seeds[i] = s.sql
	}
	prooftest.Fuzz(f, prooftest.Fuzzed{
		Analyzer: New(), Seeds: seeds, Each: readsAllTables,
		Without: func(plan *sqlproof.Plan, sql string) (string, bool) {
			if strings.Contains(strings.ToLower(sql), "tenant_id") {
				return "", false
			}
			return added.ReplaceAllLiteralString(plan.SQL, "1"), added.MatchString(plan.SQL)
		},
		// One more pair of parentheses may be too many.
		Refusable: func(sql string) bool { return strings.Count(sql, "(") >= 6 },
	})
}
