package postgres

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/gormtenancy/tenancy/sqlproof"
	"github.com/gormtenancy/tenancy/sqlproof/internal/prooftest"
)

func FuzzProve(f *testing.F) {
	seeds := make([]string, len(proven))
	for i, s := range proven {
		seeds[i] = s.sql
	}
	prooftest.Fuzz(f, prooftest.Fuzzed{
		Analyzer: New(), Seeds: seeds, Each: readsAllTables, Refusable: mayBeRefused,
		Without: func(plan *sqlproof.Plan, _ string) (string, bool) { return takenOut(plan) },
	})
}

// mayBeRefused tells whether a text with conditions may have no place for another: one more pair of parentheses may be too
// many, and where a SELECT without a list begins is not always known.
func mayBeRefused(sql string) bool {
	return strings.Count(sql, "(") >= 6 || regexp.MustCompile(`(?i)select(\s|/\*.*\*/)*(all\b(\s)*)?from`).MatchString(sql)
}

// takenOut returns the text of a plan without the conditions that were added to it, if any were.
func takenOut(plan *sqlproof.Plan) (sql string, some bool) {
	sql = plan.SQL
	for _, i := range plan.Inserted {
		added := regexp.MustCompile(`"(?:[^"]|"")*"\."tenant_id" = \$` + strconv.Itoa(i.At+1) + `\b`)
		some = some || added.MatchString(sql)
		sql = added.ReplaceAllLiteralString(sql, "true")
	}
	return sql, some
}
