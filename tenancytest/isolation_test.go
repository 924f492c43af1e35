package tenancytest

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/uuid"
	"gorm.io/driver/mysql"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gormtenancy/tenancy/internal/testdb"
	"github.com/gormtenancy/tenancy/sqlite"
	"github.com/gormtenancy/tenancy/sqlproof"
	mysqlproof "github.com/gormtenancy/tenancy/sqlproof/mysql"
	postgresproof "github.com/gormtenancy/tenancy/sqlproof/postgres"
	sqliteproof "github.com/gormtenancy/tenancy/sqlproof/sqlite"
)

func TestMain(m *testing.M) { testdb.Main(m) }

// engines are the databases, each with what makes a fresh one.
var engines = []struct {
	name     string
	sql      sqlproof.Analyzer
	database func(t testing.TB) func() gorm.Dialector
}{
	{"sqlite", sqliteproof.New(), func(t testing.TB) func() gorm.Dialector {
		t.Helper()
		path := filepath.Join(t.TempDir(), "tenancy.db")
		return func() gorm.Dialector { return sqlite.Open(path) }
	}},
	{"postgres", postgresproof.New(), func(t testing.TB) func() gorm.Dialector {
		t.Helper()
		dsn := testdb.Postgres(t)
		return func() gorm.Dialector { return postgres.Open(dsn) }
	}},
	{"mariadb", mysqlproof.New(), func(t testing.TB) func() gorm.Dialector {
		t.Helper()
		dsn := testdb.MySQL(t)
		return func() gorm.Dialector { return mysql.Open(dsn) }
	}},
}

type config struct {
	name   string
	change func(*gorm.Config)
}

// configs are the ways to open GORM that change how statements are sent.
var configs = []config{
	{"default", func(*gorm.Config) {}},
	{"PrepareStmt", func(c *gorm.Config) { c.PrepareStmt = true }},
	{"proven", func(*gorm.Config) {}},
	{"SkipDefaultTransaction", func(c *gorm.Config) { c.SkipDefaultTransaction = true; c.TranslateError = true }},
}

// uuidParent and the models around it: the tenant is a UUID of github.com/google/uuid.
type (
	uuidParent struct {
		ID       uint
		TenantID uuid.UUID `gorm:"type:char(36);uniqueIndex:,composite:natural" tenancy:"tenant"`
		ParentData
		Boss     *uuidParent
		Country  *country
		Profile  *uuidProfile `gorm:"foreignKey:ParentID"`
		Children []uuidChild  `gorm:"foreignKey:ParentID"`
		Tags     []uuidTag    `gorm:"many2many:uuid_parent_tags;joinForeignKey:ParentID;joinReferences:TagID"`
	}
	uuidChild struct {
		ID       uint
		TenantID uuid.UUID `gorm:"type:char(36);uniqueIndex:,composite:natural" tenancy:"tenant"`
		ChildData
		Parent *uuidParent
	}
	uuidProfile struct {
		ID       uint
		TenantID uuid.UUID `gorm:"type:char(36);uniqueIndex:,composite:natural" tenancy:"tenant"`
		ChildData
	}
	uuidTag struct {
		ID       uint
		TenantID uuid.UUID `gorm:"type:char(36);uniqueIndex:,composite:natural" tenancy:"tenant"`
		TagData
	}
)

func TestIsolationMatrix(t *testing.T) {
	t.Parallel()
	for _, engine := range engines {
		for i, config := range configs {
			t.Run(engine.name+"/"+config.name, func(t *testing.T) {
				t.Parallel()
				h := config.harness(engine.database)
				if config.name == "proven" {
					h.SQL = engine.sql
				}
				if raced || i > 0 && h.SQL == nil { // types of the tenant change nothing in how statements are sent
					testWorlds(t, h, slices.DeleteFunc(worlds(), func(w *world) bool { return w.shape != nil && !slices.Contains(structural, w.name) }))
					return
				}
				TestIsolation(t, h)
				testWorlds(t, h, []*world{newShape[uuidParent, uuidChild, uuidProfile, uuidTag]("uuid",
					"0190b7c8-7d1e-7000-8000-00000000000a", "0190b7c8-7d1e-7000-8000-00000000000b")})
			})
		}
	}
}

// structural are the shapes that run with every configuration.
var structural = []string{"string", "composite key", "soft delete before tenant"}

func (c config) harness(database func(testing.TB) func() gorm.Dialector) Harness {
	return Harness{Database: database, Config: func() *gorm.Config {
		cfg := &gorm.Config{Logger: logger.Discard}
		c.change(cfg)
		return cfg
	}}
}

func TestConcurrencyMatrix(t *testing.T) { //nolint:paralleltest // it wants the machine for itself
	for _, engine := range engines {
		for _, config := range configs[:2] {
			t.Run(engine.name+"/"+config.name, func(t *testing.T) {
				TestConcurrency(t, config.harness(engine.database), Crowd{})
			})
		}
	}
}
