package tenancy_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/driver/mysql"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/internal/testdb"
	"github.com/gormtenancy/tenancy/sqlproof"
	mysqlproof "github.com/gormtenancy/tenancy/sqlproof/mysql"
	postgresproof "github.com/gormtenancy/tenancy/sqlproof/postgres"
)

func TestMain(m *testing.M) { testdb.Main(m) }

// Ledger has a tenant column whose type the tests choose in the database.
type Ledger struct {
	ID       int64  `gorm:"primaryKey;autoIncrement:false"`
	TenantID string `tenancy:"tenant"`
	Code     string
	Num      int
}

// openServer opens a database with a table of ledgers that somebody else has made.
func openServer(t *testing.T, d gorm.Dialector, table ...string) *gorm.DB {
	t.Helper()
	db, err := gorm.Open(d, &gorm.Config{Logger: logger.Discard})
	require.NoError(t, err)
	pool, err := db.DB()
	require.NoError(t, err)
	t.Cleanup(func() { _ = pool.Close() })
	for _, text := range table {
		_, err = pool.Exec(text)
		require.NoError(t, err, text)
	}
	sql := map[string]func() sqlproof.Analyzer{"postgres": postgresproof.New, "mysql": mysqlproof.New}[db.Name()]()
	require.NoError(t, db.Use(tenancy.New(tenancy.Config{Models: []any{&Ledger{}}, SQL: sql})))
	return db
}

// TestTenantColumns is about promise 2: where a column takes two IDs for one, the IDs that it could mix up are refused.
func TestTenantColumns(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		mysql    bool
		column   string
		fine     []tenancy.ID
		rejected []tenancy.ID
	}{
		"postgres text":    {false, "text", []tenancy.ID{"acme", "Acme", "Ä b "}, nil},
		"postgres char":    {false, "char(9)", []tenancy.ID{"acme", "Acme"}, []tenancy.ID{"acme "}},
		"postgres integer": {false, "integer", []tenancy.ID{"7"}, []tenancy.ID{"07", "acme", "0"}},
		"postgres uuid":    {false, "uuid", []tenancy.ID{"3f2a8f0e-6c1b-4a41-9c3c-0b8b6f6a2d11"}, []tenancy.ID{"3F2A8F0E-6C1B-4A41-9C3C-0B8B6F6A2D11"}},
		"mysql default":    {true, "varchar(63)", []tenancy.ID{"acme", "a-1_x.y:z"}, []tenancy.ID{"Acme", "acme ", "ácme"}},
		"mysql binary":     {true, "varchar(63) COLLATE utf8mb4_bin", []tenancy.ID{"acme", "Acme"}, []tenancy.ID{"acme "}},
		"mysql lithuanian": {true, "varchar(63) COLLATE utf8mb4_lithuanian_ci", []tenancy.ID{"42"}, []tenancy.ID{"yes", "ies"}},
		"mysql integer":    {true, "int", []tenancy.ID{"7"}, []tenancy.ID{"7x", "07"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table := "CREATE TABLE ledgers (id bigint PRIMARY KEY, tenant_id " + c.column + ", code varchar(20), num int)"
			var db *gorm.DB
			if c.mysql {
				db = openServer(t, mysql.Open(testdb.MySQL(t)), table)
			} else {
				db = openServer(t, postgres.Open(testdb.Postgres(t)), table)
			}
			for i, id := range c.fine {
				tx := db.WithContext(ctxOf(id))
				require.NoError(t, tx.Create(&Ledger{ID: int64(i + 1)}).Error, "%q", id)
				var found []Ledger
				require.NoError(t, tx.Find(&found).Error, "%q", id)
				require.Len(t, found, 1, "%q", id)
			}
			for _, id := range c.rejected {
				require.ErrorIs(t, db.WithContext(ctxOf(id)).Find(&[]Ledger{}).Error, tenancy.ErrInvalidTenant, "%q", id)
				require.ErrorIs(t, db.WithContext(ctxOf(id)).Create(&Ledger{ID: 9}).Error, tenancy.ErrInvalidTenant, "%q", id)
			}
		})
	}
}

// TestUpsertsMeetOnAnyKey is about promise 3 on MySQL, where an upsert meets rows over every unique key that the table has:
// also over one that the model does not show.
func TestUpsertsMeetOnAnyKey(t *testing.T) {
	t.Parallel()
	for name, key := range map[string]string{
		"a unique column": "UNIQUE (code)", "the value 0": "UNIQUE (num)", "a prefix": "UNIQUE (code(2))",
		"a generated column": "low varchar(20) AS (lower(code)) STORED, UNIQUE (low)",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := openServer(t, mysql.Open(testdb.MySQL(t)),
				"CREATE TABLE ledgers (id bigint PRIMARY KEY, tenant_id varchar(63), code varchar(20), num int, "+key+")")
			a, b := db.WithContext(ctxOf("a")), db.WithContext(ctxOf("b"))
			theirs := Ledger{ID: 1, Code: "abc"}
			require.NoError(t, b.Create(&theirs).Error)
			for _, oc := range []clause.OnConflict{{UpdateAll: true}, {DoUpdates: clause.AssignmentColumns([]string{"code"})}} {
				mine := Ledger{ID: 2, Code: "ABC"}
				if name == "a unique column" || name == "a prefix" {
					mine.Code = "abc"
				}
				require.NoError(t, a.Where("1 = 1").Delete(&Ledger{}).Error)
				err := a.Clauses(oc).Create(&mine).Error
				if err == nil { // MariaDB gives no key back for this model: then nothing of b's may have changed
					require.Contains(t, []string{"a prefix", "a generated column"}, name)
				} else {
					require.ErrorIs(t, err, tenancy.ErrTenantMismatch)
				}
				require.EqualValues(t, 2, mine.ID)
				var found []Ledger
				require.NoError(t, b.Find(&found).Error)
				require.Equal(t, []Ledger{theirs}, found)
			}
		})
	}
}

// TestUpsertsInRawSQLOnMySQL is about promise 3: there an upsert meets rows over any unique key, and takes no condition.
func TestUpsertsInRawSQLOnMySQL(t *testing.T) {
	t.Parallel()
	dsn := testdb.MySQL(t)
	const columns = "(id bigint, tenant_id varchar(63) COLLATE utf8mb4_bin, code varchar(9), num int, "
	open := func(keys string) *gorm.DB {
		return openServer(t, mysql.Open(dsn), "DROP TABLE IF EXISTS ledgers", "CREATE TABLE ledgers "+columns+keys+")",
			"INSERT INTO ledgers VALUES (1, 'b', 'x', 7)")
	}
	raw := []string{
		"INSERT INTO ledgers (id, code, num) VALUES (1, 'x', 1) ON DUPLICATE KEY UPDATE num = VALUES(num)",
		"REPLACE INTO ledgers (id, code, num) VALUES (1, 'x', 2)",
	}
	for _, keys := range []string{"PRIMARY KEY (id)", "PRIMARY KEY (tenant_id, id), UNIQUE (code)"} {
		db := open(keys)
		for _, text := range raw {
			require.ErrorIs(t, db.WithContext(ctxOf("a")).Exec(text).Error, tenancy.ErrUnconfinedSQL, "%s: %s", keys, text)
		}
		require.NoError(t, db.WithContext(ctxOf("a")).Exec("INSERT INTO ledgers (id, code, num) VALUES (1, 'x', 1) ON DUPLICATE KEY UPDATE num = num").Error, "it changes nothing")
	}
	db := open("PRIMARY KEY (tenant_id, id), UNIQUE (code, tenant_id)")
	for i, text := range raw {
		for range 2 {
			require.NoError(t, db.WithContext(ctxOf("a")).Exec(text).Error, text)
		}
		var rows []Ledger
		require.NoError(t, db.WithContext(ctxOf("a")).Find(&rows).Error)
		require.Equal(t, []Ledger{{ID: 1, TenantID: "a", Code: "x", Num: i + 1}}, rows, text)
		require.NoError(t, db.WithContext(ctxOf("b")).Find(&rows).Error)
		require.Equal(t, []Ledger{{ID: 1, TenantID: "b", Code: "x", Num: 7}}, rows, text)
	}
	require.ErrorIs(t, db.WithContext(ctxOf("a")).Exec("INSERT IGNORE INTO ledgers (id, code) VALUES (2, 'y')").Error, tenancy.ErrUnconfinedSQL)
}

// TestTenantColumnsInRawSQL is about promise 2: the tenant is bound as its column holds it.
func TestTenantColumnsInRawSQL(t *testing.T) {
	t.Parallel()
	const uuid = "3f2a8f0e-6c1b-4a41-9c3c-0b8b6f6a2d11"
	for name, c := range map[string]struct {
		mysql  bool
		column string
		id     tenancy.ID
		wrong  []string // literals of other tenants, or of other spellings
	}{
		"postgres integer": {false, "integer", "7", []string{"8", "'8'", "7.5", "NULL"}},
		"postgres bigint":  {false, "bigint", "7", []string{"8"}},
		"postgres uuid":    {false, "uuid", uuid, []string{"'3f2a8f0e-6c1b-4a41-9c3c-0b8b6f6a2d12'"}},
		"postgres varchar": {false, "varchar(40)", "acme", []string{"'ACME'", "'acme '", "'acm' || 'f'"}},
		"mysql integer":    {true, "int", "7", []string{"8", "'8'", "'8x'"}},
		"mysql text":       {true, "varchar(63)", "7", []string{"8", "'07'", "0x37 + 1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			literal := "'" + string(c.id) + "'"
			var d gorm.Dialector
			if c.mysql {
				d = mysql.Open(testdb.MySQL(t))
			} else {
				d = postgres.Open(testdb.Postgres(t))
			}
			db := openServer(t, d, "CREATE TABLE ledgers (id bigint, tenant_id "+c.column+", code varchar(9), num int)")
			a := db.WithContext(tenancy.WithTenant(t.Context(), c.id))
			count := func(text string, args ...any) (n int64) {
				require.NoError(t, a.Raw(text, args...).Scan(&n).Error, text)
				return n
			}
			require.NoError(t, a.Exec("INSERT INTO ledgers (id, code) VALUES (?, ?), (?, ?)", 1, "x", 2, "y").Error)
			require.NoError(t, a.Exec("INSERT INTO ledgers (id, code) SELECT id + 2, code FROM ledgers").Error)
			require.NoError(t, a.Exec("INSERT INTO ledgers (id, code) SELECT 5, max(code) FROM ledgers GROUP BY id > 0").Error)
			require.NoError(t, a.Exec("INSERT INTO ledgers (id, tenant_id) VALUES (6, "+literal+")").Error)
			require.NoError(t, a.Exec("INSERT INTO ledgers (id, tenant_id) VALUES (?, ?)", 7, string(c.id)).Error)
			require.EqualValues(t, 7, count("SELECT count(*) FROM ledgers"))
			require.EqualValues(t, 7, count("SELECT count(*) FROM ledgers WHERE tenant_id = ?", string(c.id)))
			require.EqualValues(t, 7, count("SELECT count(*) FROM ledgers WHERE tenant_id = "+literal))
			for _, wrong := range c.wrong {
				require.Zero(t, count("SELECT count(*) FROM ledgers WHERE tenant_id = "+wrong), wrong)
			}
		})
	}
}
