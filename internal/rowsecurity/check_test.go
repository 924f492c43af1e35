package rowsecurity

import (
	"context"
	"database/sql"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/internal/testdb"
)

func TestCheckRole(t *testing.T) {
	dsn := testdb.Postgres(t)
	admin := open(t, dsn)
	for _, d := range drivers() {
		t.Run(d.name, func(t *testing.T) {
			db := d.open(t, dsn)
			err := CheckRole(t.Context(), db, true)
			require.ErrorContains(t, err, `role "postgres" is a superuser`)
			require.ErrorContains(t, err, `has BYPASSRLS`)
			require.NotContains(t, err.Error(), "row_security")
		})
	}
	user := role(t, admin, "")
	for _, d := range drivers() {
		t.Run(d.name, func(t *testing.T) {
			db := d.open(t, as(t, dsn, user))
			require.NoError(t, CheckRole(t.Context(), db, true))
		})
	}

	exec(t, admin, "ALTER ROLE "+user+" BYPASSRLS")
	err := CheckRole(t.Context(), open(t, as(t, dsn, user)), false)
	require.ErrorContains(t, err, "has BYPASSRLS, so policies do not hold for it")
	require.ErrorContains(t, err, `ALTER ROLE "`+user+`" NOBYPASSRLS`)
	require.NotContains(t, err.Error(), "superuser")
	exec(t, admin, "ALTER ROLE "+user+" NOBYPASSRLS", "ALTER ROLE "+user+" SET row_security = off")
	err = CheckRole(t.Context(), open(t, as(t, dsn, user)), false)
	require.ErrorContains(t, err, "row_security is off")
	require.NotContains(t, err.Error(), "BYPASSRLS")
	exec(t, admin, "ALTER ROLE "+user+" RESET row_security")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, CheckRole(ctx, admin, false), context.Canceled)
}

// Without a pooler there is one round trip, on one connection.
func TestCheckRoleKeepsOutOfTheWay(t *testing.T) {
	dsn := testdb.Postgres(t)
	user := role(t, open(t, dsn), "")
	for _, mode := range modes {
		trips, through := testdb.CountRoundTrips(t, with(t, as(t, dsn, user), "default_query_exec_mode", mode))
		db := open(t, through)
		for range 2 {
			require.NoError(t, db.PingContext(t.Context()))
		}
		trips.Reset()
		require.NoError(t, CheckRole(t.Context(), db, true))
		assert.Equal(t, 1, trips.Count(), mode)
	}
}

func TestCheckRoleBehindAPooler(t *testing.T) {
	dsn := testdb.Postgres(t)
	admin := open(t, dsn)
	user := role(t, admin, "")
	for name, settings := range map[string][]string{
		"transactions":              {"pool_mode=transaction"},
		"transactions, one":         {"pool_mode=transaction", "default_pool_size=1"},
		"sessions":                  {"pool_mode=session"},
		"sessions, one":             {"pool_mode=session", "default_pool_size=1"},
		"transactions, round robin": {"pool_mode=transaction", "server_round_robin=1"},
	} {
		t.Run(name, func(t *testing.T) {
			through := testdb.PgBouncer(t, as(t, dsn, user), settings...)
			shared := name[0] == 't'
			for _, mode := range modes {
				for _, prepared := range []bool{false, true} {
					if name == "sessions, one" && mode != "cache_statement" {
						continue // it takes its time
					}
					db, err := sql.Open("pgx", with(t, through, "default_query_exec_mode", mode))
					require.NoError(t, err)
					err = CheckRole(t.Context(), db, prepared)
					require.NoError(t, db.Close())
					breaks := mode == "cache_statement" || mode == "describe_exec"
					if !shared || !prepared && !breaks {
						require.NoError(t, err, mode)
						continue
					}
					require.Error(t, err, mode)
					if breaks {
						assert.ErrorContains(t, err, "default_query_exec_mode=cache_describe")
						assert.ErrorContains(t, err, "PreferSimpleProtocol")
					} else {
						assert.NotContains(t, err.Error(), "default_query_exec_mode")
					}
					if prepared {
						assert.ErrorContains(t, err, "PrepareStmt")
					} else {
						assert.NotContains(t, err.Error(), "PrepareStmt")
					}
				}
			}
			// The probe has left nothing behind on any server connection.
			for range 8 {
				conn, err := pgx.Connect(t.Context(), with(t, through, "default_query_exec_mode", "exec"))
				require.NoError(t, err)
				var n int
				require.NoError(t, conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'tenancy_probe%'").Scan(&n))
				assert.Zero(t, n)
				require.NoError(t, conn.Close(t.Context()))
			}
		})
	}
}

// While others use the pooler too, the two clients of the probe rarely get the same server connection.
func TestCheckRoleBehindABusyPooler(t *testing.T) {
	dsn := testdb.Postgres(t)
	user := role(t, open(t, dsn), "")
	through := testdb.PgBouncer(t, as(t, dsn, user), "default_pool_size=4")
	ctx, cancel := context.WithCancel(t.Context())
	var busy sync.WaitGroup
	for range 3 {
		busy.Go(func() {
			conn, err := pgx.Connect(ctx, with(t, through, "default_query_exec_mode", "simple_protocol"))
			if !assert.NoError(t, err) {
				return
			}
			defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // the end of the test
			for ctx.Err() == nil {
				_, _ = conn.Exec(ctx, "SELECT 1") // fails in the end
			}
		})
	}
	require.ErrorContains(t, CheckRole(ctx, open(t, through), false), "default_query_exec_mode")
	cancel()
	busy.Wait()
}

func TestCheckTables(t *testing.T) {
	dsn := testdb.Postgres(t)
	admin := open(t, dsn)
	user := role(t, admin, "")
	other := user + "_g"
	exec(t, admin, "CREATE ROLE "+other+" NOLOGIN", "CREATE SCHEMA s", "GRANT USAGE, CREATE ON SCHEMA s TO "+user)
	t.Cleanup(func() {
		for _, s := range []string{"DROP OWNED BY " + other, "DROP ROLE " + other} {
			_, err := admin.ExecContext(context.WithoutCancel(t.Context()), s)
			require.NoError(t, err)
		}
	})
	db, b := open(t, as(t, dsn, user)), newBinder(t)
	const rule = "(tenant_id = NULLIF(current_setting('app.tenant_id', true), ''))"
	table := func(name string, more ...string) {
		exec(t, admin, "CREATE TABLE "+name+" (tenant_id text, id bigint)", "GRANT ALL ON "+name+" TO "+user)
		exec(t, admin, more...)
	}
	rls := func(name string) string { return "ALTER TABLE " + name + " ENABLE ROW LEVEL SECURITY" }
	table("good", setting.Policies(Table{Quoted: "good", Column: "tenant_id"})...)
	table("bare")
	table("enabled_only", rls("enabled_only"))
	table("policy_only", "CREATE POLICY p ON policy_only USING "+rule)
	table("unforced", rls("unforced"), "CREATE POLICY p ON unforced USING "+rule)
	table("owned", rls("owned"), "CREATE POLICY p ON owned USING "+rule, "ALTER TABLE owned OWNER TO "+user)
	table("owned_by_group", rls("owned_by_group"), "CREATE POLICY p ON owned_by_group USING "+rule, "ALTER TABLE owned_by_group OWNER TO "+other,
		"GRANT "+other+" TO "+user)
	table("for_others", rls("for_others"), "CREATE POLICY p ON for_others TO pg_monitor USING "+rule)
	table("for_role", rls("for_role"), "CREATE POLICY p ON for_role TO "+user+" USING "+rule)
	table("for_group", rls("for_group"), "CREATE POLICY p ON for_group TO "+other+" USING "+rule)
	table("open_policy", rls("open_policy"), "CREATE POLICY p ON open_policy USING (true)")
	table("two_policies", rls("two_policies"), "CREATE POLICY p ON two_policies USING "+rule, `CREATE POLICY "Ad min" ON two_policies USING (id > 0)`)
	table("open_check", rls("open_check"), "CREATE POLICY p ON open_check USING "+rule+" WITH CHECK (true)")
	table("open_insert", rls("open_insert"), "CREATE POLICY p ON open_insert FOR SELECT USING "+rule,
		"CREATE POLICY q ON open_insert FOR INSERT WITH CHECK (true)")
	table("per_command", rls("per_command"), "CREATE POLICY p ON per_command FOR SELECT USING "+rule,
		"CREATE POLICY q ON per_command FOR INSERT WITH CHECK "+rule)
	table("restricted", rls("restricted"), "CREATE POLICY p ON restricted USING (true)", "CREATE POLICY q ON restricted AS RESTRICTIVE USING "+rule)
	table("half_restricted", rls("half_restricted"), "CREATE POLICY p ON half_restricted USING (true)",
		"CREATE POLICY q ON half_restricted AS RESTRICTIVE FOR SELECT USING "+rule)
	table("restrictive_only", rls("restrictive_only"), "CREATE POLICY q ON restrictive_only AS RESTRICTIVE USING "+rule)
	table("by_function", "CREATE FUNCTION tenant_now() RETURNS text LANGUAGE sql STABLE AS 'SELECT NULLIF(current_setting(''app.tenant_id'', true), '''')'",
		rls("by_function"), "CREATE POLICY p ON by_function USING (tenant_id = tenant_now())")
	table("other_setting", rls("other_setting"), "CREATE POLICY p ON other_setting USING (tenant_id = current_setting('app.user', true))")
	table("longer_setting", rls("longer_setting"), "CREATE POLICY p ON longer_setting USING (tenant_id = current_setting('app.tenant_id2', true))")
	table(`s."Strange ""table"`, setting.Policies(Table{Quoted: `s."Strange ""table"`, Column: "tenant_id"})...)
	exec(t, admin,
		"CREATE TABLE parted (tenant_id text, id bigint) PARTITION BY LIST (tenant_id)", "CREATE TABLE part PARTITION OF parted FOR VALUES IN ('a')",
		"GRANT ALL ON parted, part TO "+user, rls("parted"), "CREATE POLICY p ON parted USING "+rule,
		"CREATE VIEW definer AS SELECT * FROM good", "CREATE VIEW invoker WITH (security_invoker) AS SELECT * FROM good",
		"CREATE VIEW not_invoker WITH (security_invoker = off) AS SELECT * FROM good",
		"CREATE MATERIALIZED VIEW kept AS SELECT * FROM good", "CREATE SEQUENCE seq")

	for _, table := range []string{
		"good", `"good"`, "public.good", "unforced", "for_role", "for_group", "per_command", "restricted", "by_function",
		`s."Strange ""table"`, "parted", "invoker",
	} {
		found, err := b.CheckTables(t.Context(), db, []string{table})
		require.NoError(t, err, table)
		assert.Equal(t, []string{table}, found)
	}
	cures := map[string]string{
		"bare":             "ALTER TABLE bare ENABLE ROW LEVEL SECURITY",
		"enabled_only":     "has no policy for the role",
		"policy_only":      "ALTER TABLE policy_only ENABLE ROW LEVEL SECURITY",
		"owned":            "ALTER TABLE owned FORCE ROW LEVEL SECURITY",
		"owned_by_group":   "ALTER TABLE owned_by_group FORCE ROW LEVEL SECURITY",
		"for_others":       "has no policy for the role",
		"open_policy":      "let rows of any tenant through (p)",
		"two_policies":     `let rows of any tenant through ("Ad min")`,
		"open_check":       "let rows of any tenant through (p)",
		"open_insert":      "let rows of any tenant through (q)",
		"half_restricted":  "let rows of any tenant through (p)",
		"restrictive_only": "has no policy for the role",
		"other_setting":    "let rows of any tenant through (p)",
		"longer_setting":   "let rows of any tenant through (p)",
		"part":             "ALTER TABLE part ENABLE ROW LEVEL SECURITY",
		"definer":          "ALTER VIEW definer SET (security_invoker = on)",
		"not_invoker":      "ALTER VIEW not_invoker SET (security_invoker = on)",
		"kept":             "materialized view kept holds rows of all tenants",
		"seq":              "seq is no table",
	}
	var every []string
	for table, cure := range cures {
		found, err := b.CheckTables(t.Context(), db, []string{"good", table})
		require.ErrorContains(t, err, cure, table)
		assert.Nil(t, found)
		every = append(every, table)
	}
	_, err := b.CheckTables(t.Context(), db, every)
	for _, cure := range cures {
		require.ErrorContains(t, err, cure)
	}
	for _, cure := range []string{"bare", "policy_only"} {
		exec(t, admin, cures[cure])
	}
	exec(t, admin, cures["owned"], cures["definer"])
	found, err := b.CheckTables(t.Context(), db, []string{"policy_only", "owned", "definer", "missing", "nowhere.missing"})
	require.NoError(t, err)
	assert.Equal(t, []string{"policy_only", "owned", "definer"}, found)
	found, err = b.CheckTables(t.Context(), db, nil)
	require.NoError(t, err)
	assert.Empty(t, found)
	for _, d := range drivers() {
		t.Run(d.name, func(t *testing.T) {
			db := d.open(t, as(t, dsn, user))
			_, err := b.CheckTables(t.Context(), db, []string{"good"})
			require.NoError(t, err)
		})
	}
}
