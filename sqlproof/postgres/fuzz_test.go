package postgres

import (
	"regexp"
	"strconv"
	"testing"

	"github.com/gormtenancy/tenancy/sqlproof"
	"github.com/gormtenancy/tenancy/sqlproof/internal/prooftest"
)

func FuzzProve(f *testing.F) {
	prooftest.Fuzz(f, prooftest.Fuzzed{
		Analyzer: New(), Seeds: prooftest.Texts(proven), Each: readsAllTables, Refusable: beginsUnseen.MatchString,
		Without: func(plan *sqlproof.Plan, _ string) (string, bool) { return takenOut(plan) },
	})
}

// beginsUnseen finds a SELECT without a list: where it begins is not always known.
var beginsUnseen = regexp.MustCompile(`(?i)select(\s|/\*.*\*/)*(all\b(\s)*)?from`)

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
