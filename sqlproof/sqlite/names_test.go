package sqlite

import (
	"testing"

	"github.com/gormtenancy/tenancy/sqlproof/internal/prooftest"
)

// TestNames has names that are the same but for what SQLite does not fold: only the letters of ASCII have two cases, so that
// a long s is no S.
func TestNames(t *testing.T) {
	t.Parallel()
	prooftest.Sent(t, New(), tables(), []prooftest.Case{
		{"WITH USERS AS (SELECT 1) SELECT * FROM users", prooftest.AsItIs},
		{
			"WITH uſers AS (SELECT * FROM countries) SELECT * FROM users",
			condition("WITH uſers AS (SELECT * FROM countries) SELECT * FROM users WHERE T(users)"),
		},
		{
			"SELECT * FROM orders AS uſers WHERE EXISTS (SELECT 1 FROM users WHERE uſers.tenant_id = users.tenant_id)",
			condition("SELECT * FROM orders AS uſers WHERE `uſers`.`tenant_id` = ? AND (EXISTS (SELECT 1 FROM users WHERE uſers.tenant_id = users.tenant_id))"),
		},
	}, func(t *testing.T, sql string) {
		t.Helper()
		readsAllTables(t, sql)
	})
}
