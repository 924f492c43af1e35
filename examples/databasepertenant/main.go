// Command databasepertenant shows tenants that have a database each. The handlers are those of any other layout: the context
// names the tenant, and so the database.
//
//	go run ./examples/databasepertenant
//	go run ./examples/databasepertenant -postgres "postgres://user@localhost/postgres?sslmode=disable"
//
// The first makes SQLite files in a temporary folder. The second creates the databases tenant_acme and tenant_globex on the
// server, and drops them at the end; the user must be allowed to create databases.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/examples/internal/page"
	"github.com/gormtenancy/tenancy/examples/internal/pgserver"
)

// Project has a tenant column, as it would in tables that tenants share: nothing has to be changed to move it here.
type Project struct {
	ID       uint
	TenantID string `tenancy:"tenant"`
	Name     string
	Tasks    []Task
}

// Task has none: the database says whose it is. The plugin takes it only where a database is one tenant's alone, which is
// what DatabasePerTenant promises.
type Task struct {
	ID        uint
	ProjectID uint
	Title     string
	Done      bool
}

func main() {
	dsn := flag.String("postgres", "", "connection string of a PostgreSQL server; without it, SQLite files are made")
	flag.Parse()
	ctx, stop := pgserver.Context()
	err := run(ctx, os.Stdout, *dsn)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "databasepertenant:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, dsn string) (err error) {
	where, err := openStorage(ctx, dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, where.remove(ctx)) }()

	p := page.New(out)
	db, err := gorm.Open(where.home, &gorm.Config{Logger: p})
	if err != nil {
		return err
	}
	home, err := db.DB() // before db.Use: with several databases, tenancy.DB(db.WithContext(ctx)) is the way
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, home.Close()) }()

	plugin := tenancy.New(tenancy.Config{
		Models:   []any{&Project{}, &Task{}},
		Resolver: tenancy.DatabasePerTenant("tenant_"),
		// Called when a database is first needed, and again after it was closed for others. It makes none.
		Open: func(_ context.Context, name string) (tenancy.Shard, error) {
			primary, err := where.open(name)
			return tenancy.Shard{Primary: primary}, err
		},
		// Of thousands of databases 20 are open at once, so that this process has 100 connections at most.
		Pools: tenancy.PoolLimits{Databases: 20, Connections: 5},
		SQL:   where.sql,
	})
	if err := db.Use(plugin); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, plugin.Close()) }()

	return show(ctx, p, db, where)
}

func show(ctx context.Context, p *page.Page, db *gorm.DB, where *storage) error {
	tenants := []tenancy.ID{"acme", "globex"}

	p.Title("A database for each tenant", "To make one is the application's own work. Its tables are made in the tenant's context.")
	for _, id := range tenants {
		name := "tenant_" + string(id)
		if err := where.create(ctx, name); err != nil {
			return err
		}
		if err := db.WithContext(tenancy.WithTenant(ctx, id)).AutoMigrate(&Project{}, &Task{}); err != nil {
			return err
		}
		p.Row("%s has its tables in %s", id, name)
	}

	p.Title("Both write", "Nobody names a database, nor a tenant_id.")
	p.ShowSQL = true
	for _, id := range tenants {
		p.Step("%s:", id)
		if err := plan(tenancy.WithTenant(ctx, id), db, "Move "+string(id)); err != nil {
			return err
		}
	}

	for _, id := range tenants {
		p.Title("The same handlers, as "+string(id), "Each database counts from 1, and the names are those of one tenant.")
		projects, err := openProjects(tenancy.WithTenant(ctx, id), db)
		if err != nil {
			return err
		}
		for _, project := range projects {
			p.Row("#%d %s: %d task(s) open, tenant_id %q", project.ID, project.Name, len(project.Tasks), project.TenantID)
		}
		done, err := countDone(tenancy.WithTenant(ctx, id), db)
		if err != nil {
			return err
		}
		p.Row("%d task(s) done", done)
	}

	p.Title("A tenant that nobody has made", "It is refused, and nothing is made for it.")
	_, err := openProjects(tenancy.WithTenant(ctx, "initech"), db)
	if err := p.Refused("initech reads its projects", err, tenancy.ErrShardNotFound); err != nil {
		return err
	}
	there, err := where.exists(ctx, "tenant_initech")
	if err != nil {
		return err
	}
	if there {
		return errors.New("a database was made for a tenant that nobody has made")
	}
	p.Row("there is no database tenant_initech")

	p.Title("Beside the plugin", "tenancy.DB gives the tenant's own pool: for statistics, for a backup. What is sent on it is not confined.")
	for _, id := range tenants {
		pool, err := tenancy.DB(db.WithContext(tenancy.WithTenant(ctx, id)))
		if err != nil {
			return err
		}
		var tasks int
		if err := pool.QueryRowContext(ctx, "SELECT count(*) FROM tasks").Scan(&tasks); err != nil {
			return err
		}
		p.Row("%s: %d tasks, %d connections at most, %d in use", id, tasks, pool.Stats().MaxOpenConnections, pool.Stats().InUse)
	}
	return nil
}

// plan, openProjects and countDone are ordinary handlers: they know nothing of tenants.
func plan(ctx context.Context, db *gorm.DB, name string) error {
	project := Project{Name: name, Tasks: []Task{{Title: "pack", Done: true}, {Title: "drive"}, {Title: "unpack"}}}
	return db.WithContext(ctx).Create(&project).Error
}

func openProjects(ctx context.Context, db *gorm.DB) (projects []Project, err error) {
	err = db.WithContext(ctx).Preload("Tasks", "NOT done").Order("name").Find(&projects).Error
	return projects, err
}

func countDone(ctx context.Context, db *gorm.DB) (done int, err error) {
	err = db.WithContext(ctx).Raw("SELECT count(*) FROM projects p JOIN tasks t ON t.project_id = p.id WHERE t.done").Scan(&done).Error
	return done, err
}
