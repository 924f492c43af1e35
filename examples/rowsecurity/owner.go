package main

import (
	"context"
	"errors"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/examples/internal/page"
	"github.com/gormtenancy/tenancy/examples/internal/pgserver"
)

// makeRoles gives each role what it needs, and no more.
func makeRoles(ctx context.Context, server *pgserver.Server) error {
	for _, role := range []struct{ name, attributes string }{{owner, ""}, {app, ""}, {reports, "BYPASSRLS"}} {
		if err := server.CreateRole(ctx, role.name, role.attributes); err != nil {
			return err
		}
	}
	if err := server.CreateDatabase(ctx, database); err != nil {
		return err
	}
	return server.Exec(ctx, database,
		"GRANT CREATE ON SCHEMA public TO "+owner,
		"ALTER DEFAULT PRIVILEGES FOR ROLE "+owner+" GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO "+app,
		"ALTER DEFAULT PRIVILEGES FOR ROLE "+owner+" GRANT USAGE ON SEQUENCES TO "+app,
		"ALTER DEFAULT PRIVILEGES FOR ROLE "+owner+" GRANT SELECT ON TABLES TO "+reports)
}

// migrate is what runs at a deployment, as the owner.
func migrate(ctx context.Context, p *page.Page, server *pgserver.Server) (err error) {
	p.Title("The owner migrates", "AutoMigrate makes the tables, Plugin.RowSecurityDDL has the policies. Both can be run again.")
	plugin := tenancy.New(config())
	db, pool, err := open(p, server.DSNAs(owner, database), plugin)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, plugin.Close(), pool.Close()) }()
	if err := db.WithContext(ctx).AutoMigrate(&Patient{}); err != nil {
		return err
	}
	ddl, err := plugin.RowSecurityDDL(tenancy.Placement{})
	if err != nil {
		return err
	}
	tx, err := pool.BeginTx(ctx, nil) // beside the plugin, which takes no DDL; at once, so that no policy is missing in between
	if err != nil {
		return err
	}
	for _, text := range ddl {
		p.Step("%s", text)
		if _, err := tx.ExecContext(ctx, text); err != nil {
			_ = tx.Rollback() // the first error says why
			return err
		}
	}
	return tx.Commit()
}
