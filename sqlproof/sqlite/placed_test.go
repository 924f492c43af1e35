package sqlite

import (
	"testing"

	"github.com/gormtenancy/tenancy/sqlproof/internal/prooftest"
)

func TestCorpusAtPlaces(t *testing.T) {
	t.Parallel()
	prooftest.GoldenPlaces(t, New(), tables(), *update, func(sql string) { readsAllTables(t, sql) })
}

func TestPlaced(t *testing.T) {
	t.Parallel()
	prooftest.Placed(t, New(), "", "_x", []prooftest.Case{
		{"SELECT * FROM users", "SELECT * FROM users_x AS users"},
		{"SELECT * FROM users u", "SELECT * FROM users_x u"},
		{"UPDATE users SET a = 1", "UPDATE users_x AS users SET a = 1"},
		{"UPDATE users SET a = 1 RETURNING users.a", "UPDATE users_x AS users SET a = 1 RETURNING users_x.a"},
		{"DELETE FROM users", "DELETE FROM users_x AS users"},
		{"INSERT INTO users (a) VALUES (1)", "INSERT INTO users_x AS users (a) VALUES (1)"},
	}, []prooftest.Case{
		{"SELECT * FROM users", "SELECT * FROM users_x AS u"},
		{"SELECT * FROM users", "SELECT * FROM users_y AS users"},
		{"SELECT * FROM users", "SELECT * FROM main.users_x AS users"},
		{"SELECT * FROM main.users", "SELECT * FROM users_x AS users"},
		{"SELECT * FROM users u", "SELECT * FROM users_x users"},
		{"SELECT * FROM users", "SELECT * FROM users_x AS users NOT INDEXED"},
		{"SELECT 1 FROM users", "SELECT 2 FROM users_x AS users"},
		{"SELECT * FROM users JOIN items", "SELECT * FROM users_x AS users LEFT JOIN items_x AS items"},
		{"UPDATE users SET a = 1", "UPDATE users_x AS users SET a = 2"},
		{"UPDATE users SET a = 1 RETURNING users.a", "UPDATE users_x AS users SET a = 1 RETURNING users_y.a"},
		{"UPDATE users SET a = 1 RETURNING users.a", "UPDATE users_x AS users SET a = 1 RETURNING users_x.b"},
	})
	prooftest.Placed(t, New(), "s", "", nil, []prooftest.Case{
		{"SELECT * FROM users", "SELECT * FROM s.users"},
	})
}
