package tenancy_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing/fstest"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/catalog"
	"github.com/gormtenancy/tenancy/migrate"
	"github.com/gormtenancy/tenancy/provision"
	"github.com/gormtenancy/tenancy/sqlite"
	sqlproof "github.com/gormtenancy/tenancy/sqlproof/sqlite"
)

// Tenants come, are migrated, and go while the application runs.
func Example_masterDatabase() {
	dir, _ := os.MkdirTemp("", "tenancy-example-")
	defer func() { _ = os.RemoveAll(dir) }()
	shardPath := filepath.Join(dir, "eu1.db")
	if err := runMasterDatabase(context.Background(), filepath.Join(dir, "master.db"), shardPath); err != nil {
		fmt.Println(err)
	}

	// Output:
	// acme is in database tenant_acme, globex on eu1
	// 0 up to date, 2 migrated
	// suspended: true
	// dropped with tenant_acme
	// unknown: true
}

// steps are the migrations, as embed.FS has them from a folder.
func steps() fstest.MapFS {
	return fstest.MapFS{"00001_invoices.sql": {Data: []byte(`-- +goose Up
CREATE TABLE IF NOT EXISTS invoices (id integer PRIMARY KEY, tenant_id text NOT NULL, number text, cents integer);
-- +goose Down
DROP TABLE invoices;
`)}}
}

func runMasterDatabase(ctx context.Context, masterPath, shardPath string) error {
	silent := &gorm.Config{Logger: logger.Discard}
	master, err := gorm.Open(sqlite.Open(masterPath), silent)
	if err != nil {
		return err
	}

	tenants, err := catalog.Open(ctx, master, catalog.Config{
		Connect: func(_ context.Context, s catalog.Shard) (tenancy.Shard, error) {
			return tenancy.Shard{Primary: sqlite.Open(s.DSN)}, nil // passwords are added here
		},
		MaxStale: 100 * time.Millisecond, // until every process acts on a change
	})
	if err != nil {
		return err
	}

	plugin := tenancy.New(tenancy.Config{
		Models:   []any{&Invoice{}},
		SQL:      sqlproof.New(),
		Resolver: tenants,
		Open:     tenants.OpenShard,
	})

	db, err := gorm.Open(sqlite.Open(masterPath), silent)
	if err != nil {
		return err
	}
	home, err := db.DB()
	if err != nil {
		return err
	}
	own, err := master.DB()
	if err != nil {
		return err
	}
	if err := db.Use(plugin); err != nil {
		return err
	}
	defer func() { _ = errors.Join(plugin.Close(), tenants.Close(), home.Close(), own.Close()) }()
	if err := manageTenants(ctx, db, tenants, shardPath); err != nil {
		return err
	}
	err = db.WithContext(tenancy.WithTenant(ctx, "acme")).First(&Invoice{}).Error
	fmt.Println("unknown:", errors.Is(err, tenancy.ErrTenantNotFound))
	return nil
}

func manageTenants(ctx context.Context, db *gorm.DB, tenants *catalog.Catalog, shardPath string) error {
	_, err := provision.CreateDatabase(ctx, sqlite.Open, shardPath)
	if err != nil {
		return err
	}
	err = tenants.AddShard(ctx, catalog.Shard{Name: "eu1", DSN: shardPath})
	if err != nil {
		return err
	}

	life, err := provision.New(provision.Config{DB: db, Catalog: tenants, Opener: sqlite.Open, Models: []any{&Invoice{}}})
	if err != nil {
		return err
	}
	acme, err := life.Create(ctx, catalog.NewTenant{ID: "acme", Domains: []string{"acme.example"}, Shape: catalog.OwnDatabase})
	if err != nil {
		return err
	}
	globex, err := life.Create(ctx, catalog.NewTenant{ID: "globex"}) // on the shard with the fewest tenants
	if err != nil {
		return err
	}
	fmt.Printf("%s is in database %s, %s on %s\n", acme.ID, acme.Placement.Shard, globex.ID, globex.Placement.Shard)

	runner, err := migrate.New(migrate.Config{DB: db, Catalog: tenants, Steps: steps(), Canary: []tenancy.ID{"acme"}})
	if err != nil {
		return err
	}
	report, err := runner.Run(ctx)
	if err != nil {
		return err
	}
	fmt.Println(report.UpToDate, "up to date,", report.Migrated, "migrated")

	_, err = tenants.Suspend(ctx, "acme", "invoice overdue")
	if err != nil {
		return err
	}
	err = db.WithContext(tenancy.WithTenant(ctx, "acme")).First(&Invoice{}).Error
	fmt.Println("suspended:", errors.Is(err, tenancy.ErrTenantUnavailable))

	dropped, err := life.Drop(ctx, "acme", "has left")
	if err != nil {
		return err
	}
	fmt.Println("dropped with", dropped.Database)
	return nil
}
