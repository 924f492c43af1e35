package shardtest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

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

// shardCount is how many databases there are besides the default one and the one with all rows.
const shardCount = 5

// engine is the databases of one kind, which the layouts use one after the other.
type engine struct {
	dialect string
	whole   *gorm.DB
	home    func() gorm.Dialector             // the default database
	shards  [shardCount]func() gorm.Dialector // s0 and so on
	plain   map[string]*gorm.DB               // by name of shard, without the plugin
	made    map[string]bool                   // tables that there are, by database and name
}

func newEngine(t *testing.T, dialect string) *engine {
	t.Helper()
	e := &engine{dialect: dialect, plain: map[string]*gorm.DB{}, made: map[string]bool{}}
	e.whole = openPlain(t, e.fresh(t)())
	e.home = e.fresh(t)
	e.plain[""] = openPlain(t, e.home())
	for i := range e.shards {
		e.shards[i] = e.fresh(t)
		e.plain[shardName(i)] = openPlain(t, e.shards[i]())
	}
	return e
}

func shardName(i int) string { return fmt.Sprintf("s%d", i) }

func (e *engine) analyzer() sqlproof.Analyzer {
	switch e.dialect {
	case "postgres":
		return postgresproof.New()
	case "mysql":
		return mysqlproof.New()
	}
	return sqliteproof.New()
}

// fresh makes an empty database.
func (e *engine) fresh(t *testing.T) func() gorm.Dialector {
	t.Helper()
	switch e.dialect {
	case "postgres":
		dsn := testdb.Postgres(t)
		return func() gorm.Dialector { return postgres.Open(dsn) }
	case "mysql":
		dsn := testdb.MySQL(t)
		return func() gorm.Dialector { return mysql.Open(dsn) }
	}
	dir, err := os.MkdirTemp("/dev/shm", "shardtest") //nolint:usetesting // in memory
	if err != nil {
		dir = t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return func() gorm.Dialector { return sqlite.Open(filepath.Join(dir, "x.db")) }
}

func gormConfig(prepare bool) *gorm.Config {
	return &gorm.Config{
		Logger: logger.Discard, TranslateError: true, PrepareStmt: prepare,
		NowFunc: func() time.Time { return time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC) },
	}
}

func openPlain(t *testing.T, d gorm.Dialector) *gorm.DB {
	t.Helper()
	db, err := gorm.Open(d, gormConfig(false))
	require.NoError(t, err)
	pool, err := db.DB()
	require.NoError(t, err)
	t.Cleanup(func() { _ = pool.Close() })
	return db
}

// make makes the tables of a family in a database, with the names that they have at a placement.
func (e *engine) make(t *testing.T, db *gorm.DB, database string, f *family, at tenancy.Placement) {
	t.Helper()
	if at.Schema != "" {
		require.NoError(t, db.Exec("CREATE SCHEMA IF NOT EXISTS "+at.Schema).Error)
	}
	for _, table := range f.all() {
		name := nameAt(table, at)
		if e.made[database+" "+name] {
			continue
		}
		e.made[database+" "+name] = true
		var columns []string
		for _, c := range table.columns {
			columns = append(columns, c.name+" "+e.typeOf(c))
		}
		if strings.HasSuffix(table.name, "orders") {
			columns = append(columns, "deleted_at "+e.typeOf(column{kind: moment, null: true}))
		}
		if table.tenant {
			columns = append(columns, "tenant_id "+e.typeOf(column{kind: textKey}))
		}
		require.NoError(t, db.Exec("CREATE TABLE "+name+" ("+strings.Join(columns, ", ")+", PRIMARY KEY (id))").Error)
	}
}

// nameAt is the name of a table in the database of a placement.
func nameAt(t *table, at tenancy.Placement) string {
	if t.same {
		return t.name
	}
	name := t.name + at.TableSuffix
	if at.Schema != "" {
		name = at.Schema + "." + name
	}
	return name
}

// typeOf is the type of a column: texts have the collations that there are.
func (e *engine) typeOf(c column) string {
	var types map[kind]string
	var collations map[string]string
	switch e.dialect {
	case "postgres":
		types = map[kind]string{
			integer: "bigint", text: "text", decimal: "numeric(12,2)", float: "double precision", boolean: "boolean",
			moment: "timestamptz", bytes: "bytea", uuid: "uuid", numberKey: "bigint", textKey: "text",
		}
		collations = map[string]string{"code": ` COLLATE "C"`, "loose": ` COLLATE "und-x-icu"`}
	case "mysql":
		types = map[kind]string{
			integer: "bigint", text: "varchar(60)", decimal: "decimal(12,2)", float: "double", boolean: "boolean",
			moment: "datetime(6)", bytes: "varbinary(60)", uuid: "char(36)", numberKey: "bigint", textKey: "varchar(60) COLLATE utf8mb4_bin",
		}
		collations = map[string]string{"code": " COLLATE utf8mb4_bin", "loose": " COLLATE utf8mb4_general_ci", "name": " COLLATE utf8mb4_unicode_ci"}
	default:
		types = map[kind]string{
			integer: "integer", text: "text", decimal: "real", float: "real", boolean: "numeric",
			moment: "datetime", bytes: "blob", uuid: "text", numberKey: "integer", textKey: "text",
		}
		collations = map[string]string{"loose": " COLLATE NOCASE", "note": " COLLATE RTRIM"}
	}
	text := types[c.kind] + collations[c.name]
	if !c.null {
		text += " NOT NULL"
	}
	return text
}
