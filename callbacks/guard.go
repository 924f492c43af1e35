package callbacks

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"slices"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gormtenancy/tenancy/internal/tables"
)

// guard is the first callback of every chain: it finds out for whom the statement runs and on which table, refuses what
// must not run, and issues the pass without which the router sends nothing.
func (h *Hooks) guard(op Op) func(*gorm.DB) {
	return func(db *gorm.DB) {
		stmt := db.Statement
		pass := &Pass{Who: &h.nobody, Op: op, hooks: h, stmt: stmt, sub: db.DryRun && db.Logger == logger.Discard}
		pass.Context, pass.outer = callersContext(stmt.Context)
		stmt.Context = pass
		if db.Error != nil {
			h.stop(db, pass, nil)
			return
		}
		stmt.ConnPool = h.Rules.Adopt(stmt.ConnPool)
		if err := h.admitStatement(pass); err != nil {
			h.stop(db, pass, err)
		}
	}
}

// callersContext takes off the passes that a statement inherited from the one whose hook or association it serves.
func callersContext(ctx context.Context) (caller context.Context, outer *Pass) {
	for {
		p, ok := ctx.(*Pass)
		if !ok {
			return ctx, outer
		}
		if outer == nil {
			outer = p
		}
		ctx = p.Context
	}
}

func (h *Hooks) admitStatement(pass *Pass) (err error) {
	if pass.Who, err = h.Rules.Identify(pass.Context); err != nil {
		return h.passOn(pass, err)
	}
	pass.free = h.isFree(pass)
	switch {
	case pass.stmt.SQL.Len() > 0:
		return h.admitRaw(pass)
	case pass.readsColumns() && h.migrators.calling():
		return h.migrates(pass)
	}
	return h.admitTarget(pass)
}

// admitTarget finds the main table and decides whether the subject may use it.
func (h *Hooks) admitTarget(pass *Pass) (err error) {
	pass.confined, pass.keyed, pass.arg = false, false, Arg{}
	if pass.Table, err = h.mainTable(pass); err != nil {
		return err
	}
	pass.target, pass.expr = pass.stmt.Table, pass.stmt.TableExpr
	pass.free = h.isFree(pass) // the first statement on a model may be what makes its tables known
	if pass.Table == nil {
		return nil
	}
	return h.admitTable(pass)
}

// readmit decides again if a hook of the application has given the statement another table.
func (h *Hooks) readmit(pass *Pass) error {
	if pass.target == pass.stmt.Table && pass.expr == pass.stmt.TableExpr {
		return nil
	}
	return h.admitTarget(pass)
}

// isFree tells whether the statement's text needs no reading.
func (h *Hooks) isFree(pass *Pass) bool {
	return pass.Who.Kind == Everyone || h.Rules.UnlistedAreGlobal() && !h.Tables.Confining()
}

// migrates makes the statement one of the Migrator's.
func (h *Hooks) migrates(pass *Pass) error {
	where := pass.Who.Where
	pass.Who = &Subject{Kind: System}
	pass.free, pass.scoped = true, true
	if err := h.migratesShards(pass, where); err != nil {
		return err
	}
	if err := h.place(pass); err != nil {
		return err
	}
	if pass.at.TableSuffix != "" {
		return h.refusal(pass, InvalidConfig, "the Migrator knows no suffix, and would make plain tables: give the tables their names with db.Table")
	}
	if pass.Op != OpRaw || pass.at.Shard == "" && pass.at.Schema == "" {
		return nil
	}
	sql := pass.stmt.SQL.String()
	pass.needless = h.isElsewhere(pass, sql)
	if pass.at.Shard == "" {
		return nil
	}
	return h.reachesHome(pass, sql)
}

// migratesShards refuses to make or change a sharded table in a place that the context does not name: the default database, unless that
// is one of its places.
func (h *Hooks) migratesShards(pass *Pass, where Where) error {
	if len(h.Shards) == 0 || where == AtPlace {
		return nil
	}
	const instead = "use tenancy.WithPlacement for each of its placements"
	if where != Nowhere {
		return h.refusal(pass, MissingShardKey, "the Migrator works on one placement at a time: "+instead)
	}
	if pass.Op != OpRaw {
		return nil
	}
	t := h.Tables.Named(h.text.Defines(pass.stmt.SQL.String()))
	if t == nil || t.Shard == nil {
		return nil
	}
	places, err := h.shards(t.Shard.Set).Places(pass.Context)
	if err == nil && slices.Contains(places, Place{}) {
		return nil
	}
	return h.refusal(pass, MissingShardKey, "the rows of "+t.Name+" are on shards, and not in the default database: "+instead)
}

// reachesHome refuses foreign keys from another database to global tables, which no database could hold.
func (h *Hooks) reachesHome(pass *Pass, sql string) error {
	for _, name := range h.text.References(sql) {
		if t := h.Tables.Named(name); t != nil && t.Class == tables.Global {
			return h.refusal(pass, CrossShard, "a foreign key cannot refer to global table "+t.Name+", which is in the default database: list it in Config.Reference, or set gorm.Config.DisableForeignKeyConstraintWhenMigrating")
		}
	}
	return nil
}

// MigratesAt decides about a statement of the Migrator's for a place: whether it is to be left out, since its table is elsewhere.
func (h *Hooks) MigratesAt(ctx context.Context, at Place, sql string) (needless bool, err error) {
	if at.Shard == "" && at.Schema == "" {
		return false, nil
	}
	pass := &Pass{Context: ctx, Who: &Subject{Kind: System}, hooks: h, at: at}
	if h.isElsewhere(pass, sql) {
		return true, nil
	}
	return false, h.reachesHome(pass, sql)
}

// isElsewhere tells whether a statement makes or changes a table that is not at the statement's place: a global one, or in
// a tenant's schema a reference table. The Migrator makes the tables that a model's relations lead to along with the model's
// own (gorm v1.31.2 migrator/migrator.go ReorderModels); an empty copy would take the foreign keys.
func (h *Hooks) isElsewhere(pass *Pass, sql string) bool {
	name := strings.TrimSuffix(h.text.Defines(sql), "__temp") // of a table of SQLite that is made anew
	t := h.Tables.Named(strings.TrimSuffix(name, pass.at.TableSuffix))
	if t == nil {
		return name != "" && h.Rules.UnlistedAreGlobal()
	}
	global := t.Class == tables.Global || t.Class == tables.Unlisted && h.Rules.UnlistedAreGlobal()
	return global || t.Class == tables.Reference && pass.at.Schema != ""
}

// admitTable decides whether the subject may use the main table at all.
func (h *Hooks) admitTable(pass *Pass) error {
	t := pass.Table
	switch t.Class {
	case tables.Reference:
		return h.admitReference(pass)
	case tables.Global:
		pass.home = t.Name
		pass.mayBeThere = pass.leavesAlone() && pass.Who.Kind == Tenant && h.Rules.Several()
		return nil
	case tables.Unlisted:
		if h.Rules.UnlistedAreGlobal() {
			pass.home = t.Name
			return nil
		}
		return h.refusal(pass, UnknownTable, "it is in none of Config.Models, Global and Reference, and its model has no tenancy tag: list it")
	}
	if t.Shard != nil {
		if err := h.admitSharded(pass); err != nil || t.Class == tables.Sharded {
			return err
		}
	} else if pass.Who.Kind == Everyone && pass.Who.Where == Everywhere && h.fleet != nil {
		pass.keyed = true
	} else if err := h.place(pass); err != nil {
		return err
	}
	switch {
	case pass.Who.Kind == Everyone, pass.Who.Kind == Nobody && pass.sub:
		// A subquery may find its tenant in the statement around it: see Arg.
	case pass.Who.Kind == Nobody:
		return h.refusal(pass, NoTenant, "use db.WithContext(tenancy.WithTenant(ctx, id))")
	case t.Class == tables.Placed && !pass.at.Exclusive:
		return h.refusal(pass, Unconfined, "its model has no tenant column, and the tenant's placement holds other tenants too: tag a field with tenancy:\"tenant\", or list the model as Global")
	}
	pass.confined = pass.confines() && t.Class != tables.Placed
	if t.Class != tables.Owned {
		return nil
	}
	var err error
	pass.arg, err = h.argument(pass, t.Tenant)
	return err
}

// argument makes the tenant's value for a column, or one that is bound late.
func (h *Hooks) argument(pass *Pass, c *tables.Column) (Arg, error) {
	if pass.Who.Kind != Tenant {
		return Arg{column: c}, nil
	}
	v, err := h.tenantValue(pass, c)
	return Arg{column: c, id: pass.Who.ID, value: v, at: &pass.at}, err
}

// tenantValue is what column c holds for a tenant. The database is asked, once for each column, how it compares; not for a
// statement that is not sent.
func (h *Hooks) tenantValue(pass *Pass, c *tables.Column) (any, error) {
	id := pass.Who.ID
	v, err := c.Value(pass.Context, id, pass.Who.Boxed)
	if err != nil {
		return nil, h.refusal(pass, InvalidTenant, err.Error())
	}
	if pass.keyed && !pass.placed {
		return v, nil // tenantFits looks again when its place is known
	}
	if pass.at.alone() && (tables.Simple(id) || pass.at.Schema != "") {
		return v, nil // nobody else has been there, or none whose ID the database could take for this one
	}
	where := pass.at.database()
	if c.MustAsk(where, id) && (pass.sub || !pass.stmt.DryRun) {
		h.askComparison(pass, c, where)
	}
	if err := c.Fits(where, id); err != nil {
		return nil, h.refusal(pass, InvalidTenant, err.Error())
	}
	return v, nil
}

// route makes sure that the statement goes through a pool that asks for its pass, whatever dbresolver has put in place.
func (h *Hooks) route(db *gorm.DB) {
	if db.Error == nil {
		db.Statement.ConnPool = h.Rules.Adopt(db.Statement.ConnPool)
	}
}

// refusal makes the error for a statement that is not sent.
func (h *Hooks) refusal(pass *Pass, reason Reason, why string) error {
	return h.Rules.Refuse(pass.Context, Refusal{Who: pass.Who, Op: pass.Op, Table: pass.TableName(), At: pass.at, Reason: reason, Why: why})
}

// passOn wraps an error of the root package.
func (h *Hooks) passOn(pass *Pass, err error) error {
	return h.Rules.Refuse(pass.Context, Refusal{Who: pass.Who, Op: pass.Op, Table: pass.TableName(), At: pass.at, Cause: err})
}

// stop ends a statement with err, or with the error that it already has.
func (h *Hooks) stop(db *gorm.DB, pass *Pass, err error) {
	if err != nil {
		_ = db.AddError(err)
	}
	stmt := pass.stmt
	if !pass.sub || stmt.SQL.Len() > 0 && err == nil {
		return
	}
	// GORM drops the errors of subqueries and would build "IN ()" of this one (gorm v1.31.2 statement.go AddVar). So it is
	// built here, as something that no router sends and no database runs.
	stmt.SQL.Reset()
	stmt.SQL.WriteString("SELECT " + refusedMark + "(")
	stmt.AddVar(stmt, refusedArg{db.Error})
	stmt.SQL.WriteByte(')')
}

// finish is the last callback: it takes the pass back and tells the observer.
func (h *Hooks) finish(db *gorm.DB) {
	stmt := db.Statement
	pass := passOf(stmt.Context)
	if pass == nil || pass.stmt != stmt {
		return
	}
	if pass.marked {
		delete(stmt.Clauses, predicateClause)
	}
	if db.Error != nil && db.RowsAffected > 0 && pass.sent != "" {
		forget(db, pass.Op)
	}
	if stmt.Context == context.Context(pass) { // or else another plugin has put its own around it
		stmt.Context = pass.Context
	}
	if db.DryRun && db.Error == nil {
		h.finishDry(db, pass)
	}
	if db.Error == nil && pass.scoped && !pass.split && !db.DryRun && (pass.confined || pass.touched || pass.Who.Kind == Everyone && (pass.Table == nil || pass.Table.Class.Confined())) {
		var several []Place
		if pass.fan != nil {
			several = pass.fan.Places
		}
		h.Rules.Ran(pass.Context, pass.Who, pass.Op, pass.TableName(), pass.at, several, db.RowsAffected)
	}
}

// finishRow also gives Row a row that holds the error: after a failed chain GORM would return a nil *sql.Row, whose Scan
// panics (gorm v1.31.2 finisher_api.go Row).
func (h *Hooks) finishRow(db *gorm.DB) {
	if _, ok := db.Statement.Dest.(*sql.Row); !ok && db.Error != nil {
		if rows, ok := db.Get("rows"); !ok || rows == false {
			db.Statement.Dest = ErrorRow(db.Error)
		}
	}
	h.finish(db)
}

// ErrorRow returns a row whose Scan and Err return err.
func ErrorRow(err error) *sql.Row {
	pool := sql.OpenDB(failing{err})
	defer func() { _ = pool.Close() }()
	return pool.QueryRowContext(context.Background(), "") //nolint:forbidigo // it never runs
}

// failing is a database that cannot be connected to.
type failing struct{ err error }

// Connect implements [driver.Connector].
func (f failing) Connect(context.Context) (driver.Conn, error) { return nil, f.err }

// Driver implements [driver.Connector].
func (f failing) Driver() driver.Driver { return nil }
