package rowsecurity

import (
	"database/sql"
	"fmt"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/internal/testdb"
)

// many tenants at once see no row of another, and the setting stays on no server connection.
func tenantsAtOnce(t *testing.T, db *sql.DB) {
	t.Helper()
	b, ctx := newBinder(t), t.Context()
	db.SetMaxOpenConns(8)
	const workers, rounds = 16, 60
	var servers pids
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			tenant := string(rune('a' + w%3))
			for i := range rounds {
				switch i % 4 {
				case 0:
					var id, pid int64
					err := b.QueryRow(ctx, db, tenant, "SELECT max(id), pg_backend_pid() FROM orders HAVING count(*) = $1", []any{1}).Scan(&id, &pid)
					if !assert.NoError(t, err) || !assert.EqualValues(t, w%3+1, id) {
						return
					}
					servers.add(pid)
				case 1:
					result, err := b.Exec(ctx, db, tenant, "UPDATE orders SET note = $1", []any{"of " + tenant})
					if !assert.NoError(t, err) {
						return
					}
					n, err := result.RowsAffected()
					if !assert.NoError(t, err) || !assert.EqualValues(t, 1, n) {
						return
					}
				case 2: // an error, for which the transaction ends
					_, err := b.Exec(ctx, db, tenant, "INSERT INTO orders VALUES ('x', $1, '')", []any{i})
					if !assert.ErrorContains(t, err, "row-level security") {
						return
					}
				case 3: // nobody's statement in between
					var seen int
					var left string
					// pgx's own statements do not all work behind a pooler: TestCheckRoleBehindAPooler.
					err := db.QueryRowContext(ctx, "SELECT count(*), coalesce(current_setting('app.tenant_id', true), '') FROM orders",
						pgx.QueryExecModeExec).Scan(&seen, &left)
					if !assert.NoError(t, err) || !assert.Zero(t, seen) || !assert.Empty(t, left) {
						return
					}
				}
			}
		})
	}
	all.Wait()
	assert.NotEmpty(t, servers.seen)
}

func TestTenantsAtOnce(t *testing.T) {
	dsn, _ := orders(t)
	for _, d := range drivers() {
		t.Run(d.name, func(t *testing.T) { tenantsAtOnce(t, d.open(t, dsn)) })
	}
}

func TestTenantsAtOnceBehindAPooler(t *testing.T) {
	dsn, _ := orders(t)
	through := testdb.PgBouncer(t, dsn, "default_pool_size=3")
	for _, mode := range []string{"exec", "cache_describe", "describe_exec", "simple_protocol"} {
		t.Run(mode, func(t *testing.T) { tenantsAtOnce(t, open(t, with(t, through, "default_query_exec_mode", mode))) })
	}
	sessions := testdb.PgBouncer(t, dsn, "pool_mode=session", "default_pool_size=10")
	for _, mode := range modes {
		t.Run(fmt.Sprint("sessions, ", mode), func(t *testing.T) { tenantsAtOnce(t, open(t, with(t, sessions, "default_query_exec_mode", mode))) })
	}
	require.NotEmpty(t, through)
}
