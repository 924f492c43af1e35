package mysql

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
	prooftest.Placed(t, New(), "s", "", []prooftest.Case{
		{"SELECT * FROM users", "SELECT * FROM s.users"},
		{"SELECT * FROM users u", "SELECT * FROM s.users AS u"},
		{"UPDATE users SET a = 1", "UPDATE s.users SET a = 1"},
		{"DELETE users FROM users JOIN items", "DELETE users FROM s.users AS users JOIN s.items"},
		{"INSERT INTO users (a) VALUES (1)", "INSERT INTO s.users (a) VALUES (1)"},
	}, []prooftest.Case{
		{"SELECT * FROM users", "SELECT * FROM t.users"},
		{"SELECT * FROM users", "SELECT * FROM s.items"},
		{"SELECT * FROM t.users", "SELECT * FROM s.users"},
		{"SELECT * FROM users u", "SELECT * FROM s.users v"},
		{"SELECT * FROM users", "SELECT * FROM s.users v"},
		{"SELECT * FROM users", "SELECT * FROM s.users USE INDEX (i)"},
		{"SELECT * FROM users", "SELECT * FROM s.users PARTITION (p)"},
		{"SELECT 1 FROM users", "SELECT 2 FROM s.users"},
		{"SELECT users.id FROM users", "SELECT s.users.id FROM s.users"},
		{"UPDATE users SET a = 1", "UPDATE s.users SET a = 2"},
		{"DELETE users FROM users JOIN items", "DELETE items FROM s.users AS users JOIN s.items AS items"},
	})
	prooftest.Placed(t, New(), "", "_x", []prooftest.Case{
		{"SELECT * FROM users", "SELECT * FROM users_x AS users"},
		{"DELETE FROM users WHERE users.a = 1", "DELETE FROM users_x WHERE users_x.a = 1"},
	}, []prooftest.Case{
		{"SELECT * FROM users", "SELECT * FROM users_x AS u"},
		{"SELECT * FROM users", "SELECT * FROM users_y AS users"},
		{"SELECT * FROM users", "SELECT * FROM s.users_x AS users"},
		{"SELECT * FROM users u", "SELECT * FROM users_x users"},
		{"DELETE FROM users WHERE users.a = 1", "DELETE FROM users_x WHERE users_x.b = 1"},
		{"DELETE FROM users WHERE users.a = 1", "DELETE FROM users_x WHERE users_y.a = 1"},
		{"DELETE FROM users WHERE a = 1", "DELETE FROM users_x WHERE _x.a = 1"},
	})
}
