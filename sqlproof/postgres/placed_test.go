package postgres

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
		{`SELECT * FROM users`, `SELECT * FROM "s".users`},
		{`SELECT * FROM users u`, `SELECT * FROM s.users AS u`},
		{`UPDATE users SET a = 1`, `UPDATE s.users SET a = 1`},
		{`DELETE FROM users USING items`, `DELETE FROM s.users USING s.items`},
		{`INSERT INTO users (a) VALUES (1)`, `INSERT INTO s.users (a) VALUES (1)`},
		{`WITH c AS (TABLE users) SELECT * FROM c`, `WITH c AS (TABLE s.users) SELECT * FROM c`},
	}, []prooftest.Case{
		{`SELECT * FROM users`, `SELECT * FROM t.users`},
		{`SELECT * FROM users`, `SELECT * FROM s.items`},
		{`SELECT * FROM users`, `SELECT * FROM s.users AS users`},
		{`SELECT * FROM t.users`, `SELECT * FROM s.users`},
		{`SELECT * FROM users u`, `SELECT * FROM s.users v`},
		{`SELECT * FROM users`, `SELECT * FROM ONLY s.users`},
		{`SELECT * FROM users`, `SELECT * FROM s.users WHERE true`},
		{`SELECT 1 FROM users`, `SELECT 2 FROM s.users`},
		{`SELECT users.id FROM users`, `SELECT s.users.id FROM s.users`},
		{`UPDATE users SET a = 1`, `UPDATE s.users SET a = 2`},
	})
	prooftest.Placed(t, New(), "", "_x", []prooftest.Case{
		{`SELECT * FROM users`, `SELECT * FROM users_x AS users`},
		{`SELECT * FROM users u (a)`, `SELECT * FROM users_x u (a)`},
		{`SELECT * FROM users`, `SELECT * FROM users_x`},
		{`INSERT INTO users (a) VALUES (1)`, `INSERT INTO users_x AS users (a) VALUES (1)`},
	}, []prooftest.Case{
		{`SELECT * FROM users`, `SELECT * FROM users_x AS users (a)`},
		{`SELECT * FROM users`, `SELECT * FROM users_x AS u`},
		{`SELECT * FROM users`, `SELECT * FROM users_y AS users`},
		{`SELECT * FROM users`, `SELECT * FROM s.users_x AS users`},
		{`SELECT * FROM users u`, `SELECT * FROM users_x users`},
		{`SELECT users.id FROM users`, `SELECT users_x.id FROM users_x AS users`},
	})
}
