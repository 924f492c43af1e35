package sqltext

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReadsOnly(t *testing.T) {
	t.Parallel()
	for _, sql := range []string{
		`SELECT * FROM orders WHERE id = 1`,
		`select count(*) from orders where (a = 1 or b in (1, 2)) group by c having max(d) > 3`,
		`WITH x AS (SELECT 1) SELECT * FROM x`,
		`SELECT t."for" FROM t`,
		`SELECT 'nextval(1) for update' FROM t`,
		`SELECT t.update FROM t`,
	} {
		require.True(t, Postgres.ReadsOnly(sql), sql)
	}
	for _, sql := range []string{
		``, `;`, `(SELECT 1)`,
		`SELECT * FROM orders FOR UPDATE`,
		`SELECT * FROM orders FOR SHARE SKIP LOCKED`,
		`SELECT * FROM orders LOCK IN SHARE MODE`,
		`SELECT nextval('s')`,
		`SELECT pg_advisory_lock(1)`,
		`SELECT app.charge(id) FROM orders`,
		`SELECT "charge"(id) FROM orders`,
		`SELECT NEXT VALUE FOR s`,
		`SELECT * INTO x FROM orders`,
		`WITH d AS (DELETE FROM orders RETURNING *) SELECT * FROM d`,
		`WITH i AS (INSERT INTO orders VALUES (1) RETURNING *) SELECT * FROM i`,
		`INSERT INTO orders VALUES (1)`,
		`UPDATE orders SET a = 1`,
		`EXPLAIN ANALYZE DELETE FROM orders`,
		`SELECT 'unfinished`,
		`SELECT 1; DELETE FROM orders`,
	} {
		require.False(t, Postgres.ReadsOnly(sql), sql)
	}
	require.False(t, MySQL.ReadsOnly("SELECT `f`(1)"))
}
