package tenancytest

import (
	"crypto/rand"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	mysqldriver "github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"
	"gorm.io/driver/mysql"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/internal/testdb"
	"github.com/gormtenancy/tenancy/sqlite"
	"github.com/gormtenancy/tenancy/sqlproof"
	mysqlproof "github.com/gormtenancy/tenancy/sqlproof/mysql"
	postgresproof "github.com/gormtenancy/tenancy/sqlproof/postgres"
	sqliteproof "github.com/gormtenancy/tenancy/sqlproof/sqlite"
)

// engine is a database, with what makes the places that tenants can have on it.
type engine struct {
	name string
	sql  sqlproof.Analyzer
	// database makes a fresh database.
	database func(t testing.TB) func() gorm.Dialector
	// schema makes a schema beside the tables of home and returns its name; within opens one. Nil: there are none.
	schema func(t testing.TB, home *gorm.DB, tenant tenancy.ID) string
	within func(home gorm.Dialector, schema string) gorm.Dialector
	// as opens a database as another role. Nil: there is no row-level security.
	as func(home gorm.Dialector, role string) gorm.Dialector
}

func engines() []engine {
	return []engine{
		{
			name: "sqlite", sql: sqliteproof.New(), database: func(t testing.TB) func() gorm.Dialector {
				t.Helper()
				path := filepath.Join(t.TempDir(), "tenancy.db")
				return func() gorm.Dialector { return sqlite.Open(path) }
			},
		},
		{
			name: "postgres", sql: postgresproof.New(), database: func(t testing.TB) func() gorm.Dialector {
				t.Helper()
				dsn := testdb.Postgres(t)
				// Nothing here is worth compiling; estimates for tables that were never analysed say otherwise.
				return func() gorm.Dialector { return withParameters(postgres.Open(dsn), [2]string{"jit", "off"}) }
			},
			schema: postgresSchema,
			within: func(home gorm.Dialector, schema string) gorm.Dialector {
				return withParameters(home, [2]string{"search_path", `"` + schema + `"`})
			},
			as: func(home gorm.Dialector, role string) gorm.Dialector {
				return withParameters(home, [2]string{"user", role}, [2]string{"password", role})
			},
		},
		{
			name: "mariadb", sql: mysqlproof.New(), database: func(t testing.TB) func() gorm.Dialector {
				t.Helper()
				dsn := testdb.MySQL(t)
				return func() gorm.Dialector { return mysql.Open(dsn) }
			},
			schema: mysqlSchema,
			within: func(home gorm.Dialector, schema string) gorm.Dialector {
				dialector, _ := home.(*mysql.Dialector)
				cfg, err := mysqldriver.ParseDSN(dialector.DSN)
				if err != nil {
					panic(err)
				}
				cfg.DBName = schema
				return mysql.Open(cfg.FormatDSN())
			},
		},
	}
}

// engineNamed returns one of them.
func engineNamed(name string) engine {
	for _, e := range engines() {
		if e.name == name {
			return e
		}
	}
	panic("no engine " + name)
}

// postgresSchema makes a schema whose name must be quoted.
func postgresSchema(t testing.TB, home *gorm.DB, tenant tenancy.ID) string {
	t.Helper()
	name := "Tenant-" + string(tenant)
	require.NoError(t, home.Exec(`CREATE SCHEMA IF NOT EXISTS "`+name+`"`).Error)
	return name
}

// mysqlSchema makes a database for one tenant. Databases belong to the whole server, so it has the name of home in it.
func mysqlSchema(t testing.TB, home *gorm.DB, tenant tenancy.ID) string {
	t.Helper()
	name := home.Migrator().CurrentDatabase() + "-" + string(tenant)
	require.NoError(t, home.Exec("CREATE DATABASE IF NOT EXISTS `"+name+"` CHARACTER SET utf8mb4").Error)
	t.Cleanup(func() { require.NoError(t, home.Exec("DROP DATABASE IF EXISTS `"+name+"`").Error) })
	return name
}

// withParameters opens a PostgreSQL database with other connection parameters, in whichever form its DSN is.
func withParameters(home gorm.Dialector, parameters ...[2]string) gorm.Dialector {
	dialector, _ := home.(*postgres.Dialector)
	dsn, err := url.Parse(dialector.DSN)
	if err != nil || dsn.Host == "" {
		words := dialector.DSN // of several with one name the last counts
		for _, p := range parameters {
			words += " " + p[0] + "='" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(p[1]) + "'"
		}
		return postgres.Open(words)
	}
	q := dsn.Query()
	for _, p := range parameters {
		q.Set(p[0], p[1])
	}
	dsn.RawQuery = q.Encode()
	return postgres.Open(dsn.String())
}

// guard is a role of PostgreSQL that row-level security holds.
type guard struct{ role string }

const setting = "app.tenant_id"

// newGuard makes a role. Its databases must be made later, so that they are gone when the role is dropped.
func newGuard(t testing.TB) guard {
	t.Helper()
	db := silent(t, postgres.Open(testdb.Postgres(t)))
	g := guard{"tenancy_guarded_" + strings.ToLower(rand.Text()[:16])}
	require.NoError(t, db.Exec("CREATE ROLE "+g.role+" LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD '"+g.role+"'").Error)
	t.Cleanup(func() { require.NoError(t, db.Exec("DROP ROLE "+g.role).Error) })
	return g
}

// prepare gives the role its privileges, and the tables their policies.
func (g guard) prepare(t testing.TB, at Place, p *tenancy.Plugin) {
	t.Helper()
	var schema string
	require.NoError(t, at.DB.Raw("SELECT quote_ident(current_schema())").Scan(&schema).Error)
	statements := []string{
		"GRANT USAGE ON SCHEMA " + schema + " TO " + g.role,
		"GRANT ALL ON ALL TABLES IN SCHEMA " + schema + " TO " + g.role,
		"GRANT ALL ON ALL SEQUENCES IN SCHEMA " + schema + " TO " + g.role,
	}
	if p != nil && len(at.Tenants) > 0 {
		ddl, err := p.RowSecurityDDL(at.At)
		require.NoError(t, err)
		statements = append(statements, ddl...)
	}
	require.NoError(t, at.DB.Transaction(func(tx *gorm.DB) error {
		for _, statement := range statements {
			if err := tx.Exec(statement).Error; err != nil {
				return err
			}
		}
		return nil
	}))
}

// silent opens a database without the plugin, for as long as the test.
func silent(t testing.TB, dialector gorm.Dialector) *gorm.DB {
	t.Helper()
	db, err := gorm.Open(dialector, &gorm.Config{Logger: logger.Discard})
	require.NoError(t, err)
	pool, err := db.DB()
	require.NoError(t, err)
	t.Cleanup(func() { _ = pool.Close() })
	return db
}
