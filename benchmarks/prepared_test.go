package benchmarks

import (
	"database/sql"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gormtenancy/tenancy"
	postgresproof "github.com/gormtenancy/tenancy/sqlproof/postgres"
)

// mostPrepared is how many statements the plugin keeps prepared for a database if gorm.Config does not say.
const mostPrepared = 512

// TestPreparedStatements looks at what a connection has prepared. In rows, tenants share their texts, so it does not matter
// how many tenants there are; in schemas each has its own, so there is a bound.
func TestPreparedStatements(t *testing.T) {
	const schemas, texts = 200, 3
	for _, test := range []struct {
		name   string
		config gorm.Config
		tenant tenancy.ShardResolver
		want   int
		exact  bool
	}{
		{"rows", gorm.Config{}, tenancy.Single(tenancy.Placement{}), texts, true},
		{"schemas", gorm.Config{}, tenancy.SchemaPerTenant("", ""), mostPrepared, false},
		{"schemas, with a bound of the application's", gorm.Config{PrepareStmtMaxSize: 50}, tenancy.SchemaPerTenant("", ""), 50, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			pool := makeSchemas(t, schemas)
			pool.SetMaxOpenConns(1)
			_, err := pool.ExecContext(t.Context(), "CREATE TABLE invoices (id bigint, tenant_id text, number text, status text, cents bigint, created_at timestamptz, updated_at timestamptz)")
			require.NoError(t, err)
			test.config.Logger, test.config.PrepareStmt = logger.Discard, true
			db, err := gorm.Open(postgres.New(postgres.Config{Conn: pool}), &test.config)
			require.NoError(t, err)
			model := any(&Rate{})
			if test.exact {
				model = &Invoice{}
			}
			plugin := tenancy.New(tenancy.Config{Models: []any{model}, Resolver: test.tenant, SQL: postgresproof.New()})
			require.NoError(t, db.Use(plugin))
			t.Cleanup(func() { require.NoError(t, plugin.Close()) })
			for _, ctx := range contexts(t, schemas) {
				tx := db.WithContext(ctx).Model(model)
				var n int64
				require.NoError(t, tx.Session(&gorm.Session{}).Count(&n).Error)
				require.NoError(t, tx.Session(&gorm.Session{}).Where("number = ?", "7").Count(&n).Error)
				require.NoError(t, tx.Session(&gorm.Session{}).Where("status = ?", "open").Count(&n).Error)
			}
			if test.exact {
				require.Equal(t, test.want, prepared(t, pool))
				return
			}
			// GORM closes what falls out of its cache in the background (gorm v1.31.2 internal/stmt_store/stmt_store.go New).
			require.Eventually(t, func() bool { return prepared(t, pool) == test.want }, 10*time.Second, 10*time.Millisecond,
				"%d are prepared", prepared(t, pool))
		})
	}
}

// prepared counts the statements on tables of ours that the only connection of a pool has prepared.
func prepared(tb testing.TB, pool *sql.DB) (n int) {
	tb.Helper()
	check(tb, pool.QueryRowContext(tb.Context(), `SELECT count(*) FROM pg_prepared_statements
		WHERE statement ~ '"(rates|invoices)"' AND statement !~ 'pg_prepared_statements'`).Scan(&n))
	return n
}
