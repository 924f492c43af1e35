// This file is compiled into GORM's own tests: run.sh says how.

package tests_test

import (
	"context"
	"os"

	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/sqlproof"
	"github.com/gormtenancy/tenancy/sqlproof/mysql"
	"github.com/gormtenancy/tenancy/sqlproof/postgres"
	"github.com/gormtenancy/tenancy/sqlproof/sqlite"
)

// suiteRow is a tenant's model that the suite does not know.
type suiteRow struct {
	ID       uint
	TenantID string `gorm:"size:63" tenancy:"tenant"`
}

// TableName implements schema.Tabler.
func (suiteRow) TableName() string { return "tenancy_suite_rows" }

// OpenTestConnection stands in for the suite's own, which run.sh renames.
func OpenTestConnection(cfg *gorm.Config) (*gorm.DB, error) {
	db, err := openWithoutPlugin(cfg)
	if err != nil {
		return db, err
	}
	plugin := tenancy.Config{Unlisted: tenancy.UnlistedGlobal}
	switch os.Getenv("TENANCY_MODE") {
	case "confining":
		plugin.Models = []any{&suiteRow{}}
	case "tenant":
		db.Statement.Context = suiteContext(db.Statement.Context)
	case "proven":
		db.Statement.Context = suiteContext(db.Statement.Context)
		plugin.SQL = analyzers[db.Name()]()
	}
	return db, db.Use(tenancy.New(plugin))
}

// analyzers read the text of statements in the mode "proven".
var analyzers = map[string]func() sqlproof.Analyzer{"sqlite": sqlite.New, "postgres": postgres.New, "mysql": mysql.New}

// suiteContext is what run.sh puts around the contexts that tests make, in the modes "tenant" and "proven".
func suiteContext(ctx context.Context) context.Context { return tenancy.WithTenant(ctx, "suite") }
