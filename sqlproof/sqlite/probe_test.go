package sqlite

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/gormtenancy/tenancy/sqlproof"
	"github.com/gormtenancy/tenancy/sqlproof/internal/prooftest"
)

func TestProbe(t *testing.T) {
	tables := prooftest.Tables{}.Own("users", "companies", "orders", "items", "docs", "profiles", "jobs", "languages", "accounts", "tags").Open("countries").Link("user_tags", "users", "tags")
	p := sqlproof.NewProver(New(), tables, 0)
	text, _ := os.ReadFile(os.Getenv("PROBE"))
	for _, line := range strings.Split(string(text), "\n") {
		if line == "" || strings.HasPrefix(line, "-- ") {
			continue
		}
		plan := p.ProveStrictly(line)
		fmt.Println(line)
		switch {
		case plan.Refusal != nil:
			fmt.Println("   REFUSED", plan.Refusal)
		case plan.Rewritten():
			fmt.Println("   =>", plan.SQL, plan.Inserted, plan.Needs)
		default:
			fmt.Println("   OK", plan.Checks, plan.Needs)
		}
	}
}
