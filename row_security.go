package tenancy

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy/callbacks"
	"github.com/gormtenancy/tenancy/internal/rowsecurity"
	"github.com/gormtenancy/tenancy/internal/sqltext"
	"github.com/gormtenancy/tenancy/internal/tables"
)

// guards tells whether row-level security is to be told of the statement's tenant: of each, for a function of the
// application's own may read tables that the text does not name.
func (p *Plugin) guards(pass *callbacks.Pass) bool { return pass.Who.Kind == callbacks.Tenant }

// secured is what was found out about a pool once.
type secured struct {
	turn   chan struct{} // held by who looks
	role   atomic.Bool   // no policy passes it by
	pooler atomic.Bool   // nothing mixes up its statements with those of others
	tables sync.Map      // quoted name → time.Time: when its policies were seen to hold
}

func (p *Plugin) securedOf(db *sql.DB) *secured {
	known, ok := p.secured.Load(db)
	if !ok {
		known, _ = p.secured.LoadOrStore(db, &secured{turn: make(chan struct{}, 1)})
	}
	s, _ := known.(*secured)
	return s
}

// once calls look unless what it looks for is known, one at a time. what is what its faults are about.
func (s *secured) once(ctx context.Context, what string, known *atomic.Bool, look func() error) error {
	if known.Load() {
		return nil
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if known.Load() {
		return nil
	}
	err := look()
	if err == nil {
		known.Store(true)
	}
	return insecure(what, err)
}

// insecure makes a fault that was found one of the configuration. Errors of the driver, and of the context, pass as they are.
func insecure(what string, err error) error {
	if fault, ok := errors.AsType[*rowsecurity.FaultError](err); ok {
		return fmt.Errorf("%w: %s: %w", ErrInvalidConfig, what, fault)
	}
	return err
}

// checkRole refuses roles that policies do not hold, and settings of the driver that do not work behind a pooler. It looks
// once at each pool, on a connection of conn: the pool, or one that was taken from it already.
func (p *Plugin) checkRole(ctx context.Context, db *sql.DB, conn gorm.ConnPool) error {
	s := p.securedOf(db)
	return s.once(ctx, "RowSecurity", &s.role, func() error { return rowsecurity.CheckRole(ctx, conn, p.prepares) })
}

// checkRoleIn does so within a transaction, which may hold the pool's only connection. What it finds is for this transaction.
func (p *Plugin) checkRoleIn(ctx context.Context, db *sql.DB, tx gorm.ConnPool) error {
	if p.securedOf(db).role.Load() {
		return nil
	}
	return insecure("RowSecurity", rowsecurity.CheckRoleIn(ctx, tx))
}

// checkPooler refuses settings of the driver that mix up the statements of clients behind a pooler. It looks once at each pool.
func (p *Plugin) checkPooler(ctx context.Context, db *sql.DB, conn gorm.ConnPool) error {
	s := p.securedOf(db)
	return s.once(ctx, "the connection", &s.pooler, func() error { return rowsecurity.CheckPooler(ctx, conn, p.prepares) })
}

// seenFor is how long a table's policies are taken to hold once they were seen: other programs may make it anew.
const seenFor = 5 * time.Minute

// forgetTables has the policies of all tables looked at again, when the Migrator has made or changed one.
func (p *Plugin) forgetTables(pass *callbacks.Pass, db *sql.DB) {
	if pass.Who.Kind == callbacks.System && pass.Op == callbacks.OpRaw {
		p.securedOf(db).tables.Clear()
	}
}

// checkTables refuses tables that no policy holds, or not for the role of the pool. It looks at each now and then.
func (p *Plugin) checkTables(pass *callbacks.Pass, db *sql.DB, conn gorm.ConnPool) error {
	if !p.guards(pass) {
		return nil
	}
	s := p.securedOf(db)
	var unknown []string
	for t := range pass.Touched {
		if t.Class == tables.Placed {
			continue // it has no column that a policy could go by
		}
		name := quotedAt(t, pass.At())
		if seen, ok := s.tables.Load(name); !ok || time.Since(seen.(time.Time)) > seenFor { //nolint:errcheck // nothing else is stored
			unknown = append(unknown, name)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	found, err := p.binder.CheckTables(pass.Context, conn, unknown)
	if err != nil {
		return insecure("RowSecurity", err)
	}
	for _, name := range found {
		s.tables.Store(name, time.Now())
	}
	return nil
}

// quotedAt returns the name of a table at a place, as PostgreSQL quotes it.
func quotedAt(t *tables.Table, at callbacks.Place) string {
	name := sqltext.Postgres.Quote(t.Name + at.TableSuffix)
	if schema := at.Schema; schema != "" {
		return sqltext.Postgres.Quote(schema) + "." + name
	}
	if schema := t.Schema(); schema != "" {
		return sqltext.Postgres.Quote(schema) + "." + name
	}
	return name
}

// RowSecurityDDL returns the statements that put row-level security on all tables of tenants that the plugin knows: those
// of Config.Models and of their join tables. For a tenant in a schema, and for tables with a suffix, say where; the zero
// Placement is for shared tables. The statements can be run again; run them as the tables' owner, after each migration
// that makes tables. A role that owns the tables is held by the policies too. A view has no policies: those of its tables hold
// if it was made WITH (security_invoker = on); leave its statements out, which PostgreSQL refuses.
//
// It fails with [ErrInvalidConfig] before db.Use and without Config.RowSecurity, and as statements do for a Placement whose
// names the database cannot have.
func (p *Plugin) RowSecurityDDL(at Placement) ([]string, error) {
	p.mu.Lock()
	hooks := p.hooks
	p.mu.Unlock()
	if hooks == nil || p.binder == nil {
		return nil, fmt.Errorf("%w: RowSecurityDDL needs Config.RowSecurity and an installed plugin", ErrInvalidConfig)
	}
	if err := p.checkNames(at); err != nil {
		return nil, err
	}
	var ddl []string
	for _, t := range hooks.Tables.ConfinedTables() {
		table := rowsecurity.Table{Quoted: quotedAt(t, callbacks.Place(at))}
		switch t.Class {
		case tables.Owned:
			table.Column, table.Type = t.Tenant.Name, t.Tenant.SQLType()
		case tables.Link:
			keys := hooks.Tables.ForeignKeys(t)
			for i := range keys {
				table.Ends = append(table.Ends, rowsecurity.End{
					Columns: slices.Clone(keys[i].Columns), Keys: slices.Clone(keys[i].Keys), Parent: quotedAt(keys[i].Parent, callbacks.Place(at)),
				})
			}
		default:
			continue
		}
		ddl = append(ddl, rowsecurity.Setting(p.cfg.RowSecurity).Policies(table)...)
	}
	return ddl, nil
}

// RowSecurity returns the setting that policies read, Config.RowSecurity: "" if row-level security is off.
func (p *Plugin) RowSecurity() string { return p.cfg.RowSecurity }
