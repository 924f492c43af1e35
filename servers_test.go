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
	require.NoError(t, db.Use(tenancy.New(tenancy.Config{Models: []any{&Ledger{}}})))
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
