package tenancy_test

import (
	"context"
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/internal/testdb"
	postgresproof "github.com/gormtenancy/tenancy/sqlproof/postgres"
)

// TestReadmeSchemas runs what README says of schemas.
func TestReadmeSchemas(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db, err := gorm.Open(postgres.Open(testdb.Postgres(t)), &gorm.Config{Logger: logger.Default.LogMode(logger.Silent)})
	require.NoError(t, err)
	require.NoError(t, db.Exec("CREATE SCHEMA tenant_acme").Error)
	plugin := tenancy.New(tenancy.Config{
		Models:   []any{&Invoice{}},
		SQL:      postgresproof.New(),
		Resolver: tenancy.SchemaPerTenant("", "tenant_"),
	})
	require.NoError(t, db.Use(plugin))
	t.Cleanup(func() { require.NoError(t, plugin.Close()) })
	acme := db.WithContext(tenancy.WithTenant(ctx, "acme"))
	require.NoError(t, acme.AutoMigrate(&Invoice{}))
	text := acme.ToSQL(func(tx *gorm.DB) *gorm.DB { return tx.Find(&[]Invoice{}) })
	require.Equal(t, `SELECT * FROM "tenant_acme"."invoices" WHERE "invoices"."tenant_id" = 'acme'`, text)
}

// TestReadmeRowSecurity runs what README says of row-level security.
func TestReadmeRowSecurity(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	adminDSN := testdb.Postgres(t)
	admin, err := sql.Open("pgx", adminDSN)
	require.NoError(t, err)
	role, appDSN := roleOf(t, admin, adminDSN, "")
	_, err = admin.ExecContext(ctx, "GRANT ALL ON SCHEMA public TO "+role)
	require.NoError(t, err)
	db, err := gorm.Open(postgres.Open(appDSN), &gorm.Config{Logger: logger.Discard})
	require.NoError(t, err)

	plugin := tenancy.New(tenancy.Config{
		Models:      []any{&Invoice{}},
		SQL:         postgresproof.New(),
		RowSecurity: "app.tenant_id",
		Shards:      []tenancy.Shard{{Admin: postgres.Open(adminDSN)}}, // WithoutTenant alone uses this role
	})
	require.NoError(t, db.Use(plugin))
	t.Cleanup(func() { require.NoError(t, plugin.Close()) })
	require.NoError(t, db.AutoMigrate(&Invoice{}))
	exec := func(text string) error {
		_, err := admin.ExecContext(ctx, text)
		return err
	}
	require.NoError(t, func() error {
		ddl, err := plugin.RowSecurityDDL(tenancy.Placement{}) // of shared tables
		for _, text := range ddl {
			if err == nil {
				err = exec(text) // as the owner of the tables
			}
		}
		return err
	}())
	require.NoError(t, db.WithContext(tenancy.WithTenant(ctx, "acme")).Create(&Invoice{Number: "1"}).Error)
	var n int
	app, err := sql.Open("pgx", appDSN)
	require.NoError(t, err)
	t.Cleanup(func() { _ = app.Close() })
	require.NoError(t, app.QueryRowContext(context.WithoutCancel(ctx), "SELECT count(*) FROM invoices").Scan(&n))
	require.Zero(t, n, "past the plugin nobody sees a row")
	require.NoError(t, db.WithContext(tenancy.WithTenant(ctx, "acme")).First(&Invoice{}).Error)
}
