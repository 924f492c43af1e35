// Command migrations brings two hundred tenants, each with a database of its own, to a new version of their tables.
//
//	go run ./examples/migrations
//
// It makes SQLite files in a temporary folder, and removes them. One of the tenants fails at first: it is shown, mended, and
// the rest is done by running again.
package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/catalog"
	"github.com/gormtenancy/tenancy/examples/internal/page"
	"github.com/gormtenancy/tenancy/examples/internal/pgserver"
	"github.com/gormtenancy/tenancy/migrate"
	"github.com/gormtenancy/tenancy/provision"
	"github.com/gormtenancy/tenancy/sqlite"
)

const tenants = 200

// What the old version of the program has, and what the new one has.
var (
	//go:embed steps/00001_invoices.sql
	oldSteps embed.FS
	//go:embed steps/*.sql
	newSteps embed.FS
)

// Invoice is a tenant's.
type Invoice struct {
	ID       int64
	TenantID string `tenancy:"tenant"`
	Number   string
}

func main() {
	ctx, stop := pgserver.Context()
	err := run(ctx, os.Stdout, isTerminal(os.Stdout))
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "migrations:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, terminal bool) (err error) {
	folder, err := os.MkdirTemp("", "migrations-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	s := &show{page: page.New(out), out: out, terminal: terminal}
	before, err := open(ctx, folder, catalog.Config{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, before.close()) }()
	if err := s.make(ctx, before); err != nil {
		return err
	}
	if err := s.fail(ctx, before); err != nil {
		return err
	}
	if err := s.gate(ctx, folder, before); err != nil {
		return err
	}
	return s.mend(ctx, before)
}

// show is what the program shows.
type show struct {
	page     *page.Page
	out      io.Writer
	terminal bool
}

// make makes the tenants, with the tables of the old version.
func (s *show) make(ctx context.Context, a *app) error {
	s.page.Title("Two hundred tenants", "Each gets a database of its own, and the tables of the old version of the program.")
	runner, err := a.runner(oldSteps, migrate.Config{})
	if err != nil {
		return err
	}
	p, err := provision.New(provision.Config{DB: a.db, Catalog: a.catalog, Opener: sqlite.Open, Tables: runner.Tenant})
	if err != nil {
		return err
	}
	for i := range tenants {
		if _, err := p.Create(ctx, catalog.NewTenant{ID: id(i), Shape: catalog.OwnDatabase}); err != nil {
			return err
		}
	}
	s.page.Row("%d tenants at version %d", tenants, runner.Target().Version)
	return nil
}

// fail migrates all tenants but one, in whose database something is in the way.
func (s *show) fail(ctx context.Context, a *app) error {
	s.page.Title("The new version", "Two canaries go first. Then all others: one that fails does not stop the rest.")
	if err := a.exec(ctx, id(150), "CREATE TABLE payments (made_by_hand text)"); err != nil {
		return err
	}
	report, err := s.migrate(ctx, a)
	if _, partly := errors.AsType[*tenancy.PartialError](err); !partly {
		return fmt.Errorf("a tenant should have failed: %w", err)
	}
	return s.print(report)
}

// gate shows what becomes of tenants that are behind.
func (s *show) gate(ctx context.Context, folder string, a *app) (err error) {
	s.page.Title("Behind", "A program that needs the new version opens the catalog with it. The tenant that failed is refused, and no other.")
	runner, err := a.runner(newSteps, migrate.Config{})
	if err != nil {
		return err
	}
	after, err := open(ctx, folder, catalog.Config{MinVersion: runner.Target().Version})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, after.close()) }()
	if err := after.db.WithContext(tenancy.WithTenant(ctx, id(7))).Create(&Invoice{Number: "2026-1"}).Error; err != nil {
		return err
	}
	s.page.Row("%s writes an invoice", id(7))
	err = after.db.WithContext(tenancy.WithTenant(ctx, id(150))).Create(&Invoice{Number: "2026-1"}).Error
	return s.page.Refused(string(id(150))+" writes an invoice", err, tenancy.ErrTenantUnavailable)
}

// mend removes what was in the way, and runs again.
func (s *show) mend(ctx context.Context, a *app) error {
	s.page.Title("Mended", "The same call again does what is left.")
	if err := a.exec(ctx, id(150), "DROP TABLE payments"); err != nil {
		return err
	}
	report, err := s.migrate(ctx, a)
	if err != nil {
		return err
	}
	return s.print(report)
}

func (s *show) migrate(ctx context.Context, a *app) (migrate.Report, error) {
	runner, err := a.runner(newSteps, migrate.Config{
		Workers: 4, Canary: []tenancy.ID{id(3), id(4)}, StopAt: 0.05, Observer: &bar{out: s.out, terminal: s.terminal},
	})
	if err != nil {
		return migrate.Report{}, err
	}
	return runner.Run(ctx)
}

func (s *show) print(report migrate.Report) error {
	_, err := fmt.Fprintf(s.out, "\n")
	// Whoever has many places that failed shows the table: report.WriteTo(out).
	for _, p := range report.Results {
		if p.State != migrate.Migrated && p.State != migrate.UpToDate {
			s.page.Step("%s is %s, at version %d: %v", p.Name(), p.State, p.To.Version, p.Err)
		}
	}
	s.page.Row("%d migrated, %d failed, %d not begun, %d up to date", report.Migrated, report.Failed, report.NotBegun, report.UpToDate)
	return err
}

func id(i int) tenancy.ID { return tenancy.ID(fmt.Sprintf("t%03d", i)) }

// app is an application and its catalog.
type app struct {
	db, master *gorm.DB
	plugin     *tenancy.Plugin
	catalog    *catalog.Catalog
	closers    []func() error
}

// runner makes one for the steps of a version of the program.
func (a *app) runner(files embed.FS, cfg migrate.Config) (r *migrate.Runner, err error) {
	cfg.DB, cfg.Catalog = a.db, a.catalog
	if cfg.Steps, err = fs.Sub(files, "steps"); err != nil {
		return nil, err
	}
	return migrate.New(cfg)
}

// exec sends a statement to the tenant's database, beside the plugin.
func (a *app) exec(ctx context.Context, id tenancy.ID, text string) error {
	pool, err := tenancy.DB(a.db.WithContext(tenancy.WithTenant(ctx, id)))
	if err != nil {
		return err
	}
	_, err = pool.ExecContext(ctx, text)
	return err
}

// close closes the latest first.
func (a *app) close() error {
	var errs []error
	for i := range a.closers {
		errs = append(errs, a.closers[len(a.closers)-1-i]())
	}
	return errors.Join(errs...)
}
