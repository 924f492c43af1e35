// Package callbacks holds every statement that GORM builds to one tenant. It knows GORM's chains, clauses and models, and
// nothing of contexts, placements or resolvers: those it asks through [Rules], which the root package implements.
package callbacks

import (
	"errors"
	"slices"
	"sync"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/gormtenancy/tenancy/internal/dialect"
	"github.com/gormtenancy/tenancy/internal/fanout"
	"github.com/gormtenancy/tenancy/internal/sqltext"
	"github.com/gormtenancy/tenancy/internal/tables"
	"github.com/gormtenancy/tenancy/sqlproof"
)

// Hooks are the callbacks of one plugin in one *gorm.DB.
type Hooks struct {
	Rules  Rules
	Tables *tables.Registry
	// Shards are the sets of sharded models, by the numbers that the registry knows them by.
	Shards []Shards
	// Parallel is how many places a write goes to at a time; 0: 8.
	Parallel int
	// SQL reads the text of all statements; nil: none is read, and text that could reach a table is refused.
	SQL sqlproof.Analyzer
	// RefuseRaw refuses statements on tenants' tables to which conditions had to be added, and all that came as text.
	RefuseRaw bool

	prover    *sqlproof.Prover
	fleet     *sqlproof.Prover // that takes tenants' tables for sharded by their tenants; nil if all are in one place
	planner   *fanout.Planner
	text      sqltext.Dialect
	engine    dialect.Engine
	migrators migrators
	nobody    Subject
	builders  struct{ where, values, onConflict clause.ClauseBuilder } // that ours replaced
	unique    sync.Map                                                 // uniqueOf → [][]string, on MySQL
	plain     sync.Map                                                 // *schema.Schema → bool: see plainModel
	reading   readings
}

// predicateClause is built right after WHERE. It is in the clauses of a statement that needs a tenant condition and has no
// WHERE yet; if GORM adds one, its builder writes the condition, and takes the clause out.
const predicateClause = "tenancy:where"

// Register puts the hooks into db's chains. The order in each chain, with and without dbresolver and default transactions:
//
//	tenancy:guard    first: who asks, for which table; refuses, and issues the pass
//	gorm:db_resolver if installed
//	tenancy:route    the pool is one that asks for the pass
//	gorm:begin_transaction, hooks, belongs-to associations
//	tenancy:confine  last before the statement is built: condition, rows, foreign keys
//	gorm:create, query, row, update, delete, raw
//	tenancy:settle   what only the result shows: rows of others that an upsert met
//	…
//	tenancy:finish   last: takes the pass back
//
// Register's error matters: GORM answers a chain that cannot be ordered by running none of it, without an error
// (gorm v1.31.2 callbacks.go compile).
func (h *Hooks) Register(db *gorm.DB) error {
	h.text = sqltext.DialectOf(db.Dialector.Name())
	h.engine = dialect.Of(db.Dialector.Name())
	h.migrators = newMigrators(db)
	if h.SQL != nil {
		known := func(fleet bool) *knownTables {
			return &knownTables{registry: h.Tables, engine: h.engine, unlistedGlobal: h.Rules.UnlistedAreGlobal(), resolves: h.Rules.Resolves(), fleet: fleet}
		}
		h.prover, h.planner = sqlproof.NewProver(h.SQL, known(false), 0), fanout.New(h.SQL)
		if h.Rules.Resolves() {
			h.fleet = sqlproof.NewProver(h.SQL, known(true), 0)
		}
	}
	cb := db.Callback()
	begin := func(get func(string) func(*gorm.DB), otherwise string) string {
		if get("gorm:begin_transaction") != nil {
			return "gorm:begin_transaction"
		}
		return otherwise // SkipDefaultTransaction: GORM drops the callback, and an unknown anchor would put ours last
	}
	errs := []error{
		cb.Create().Before("*").Register("tenancy:guard", h.guard(OpCreate)),
		cb.Query().Before("*").Register("tenancy:guard", h.guard(OpQuery)),
		cb.Update().Before("*").Register("tenancy:guard", h.guard(OpUpdate)),
		cb.Delete().Before("*").Register("tenancy:guard", h.guard(OpDelete)),
		cb.Row().Before("*").Register("tenancy:guard", h.guard(OpRow)),
		cb.Raw().Before("*").Register("tenancy:guard", h.guard(OpRaw)),

		cb.Create().After("gorm:db_resolver").Before(begin(cb.Create().Get, "gorm:before_create")).Register("tenancy:route", h.route),
		cb.Query().After("gorm:db_resolver").Before("gorm:query").Register("tenancy:route", h.route),
		cb.Update().After("gorm:db_resolver").Before(begin(cb.Update().Get, "gorm:setup_reflect_value")).Register("tenancy:route", h.route),
		cb.Delete().After("gorm:db_resolver").Before(begin(cb.Delete().Get, "gorm:before_delete")).Register("tenancy:route", h.route),
		cb.Row().After("gorm:db_resolver").Before("gorm:row").Register("tenancy:route", h.route),
		cb.Raw().After("gorm:db_resolver").Before("gorm:raw").Register("tenancy:route", h.route),

		cb.Create().Before("gorm:create").Register("tenancy:confine", h.confineCreate),
		cb.Query().Before("gorm:query").After("tenancy:route").Register("tenancy:confine", h.confineQuery),
		cb.Update().Before("gorm:update").Register("tenancy:confine", h.confineUpdate),
		cb.Delete().Before("gorm:delete").Register("tenancy:confine", h.confineDelete),
		cb.Row().Before("gorm:row").After("tenancy:route").Register("tenancy:confine", h.confineQuery),

		cb.Create().After("gorm:create").Before("gorm:save_after_associations").Register("tenancy:settle", h.settle),
		cb.Update().After("gorm:update").Before("gorm:save_after_associations").Register("tenancy:settle", h.settle),

		cb.Create().After("*").Register("tenancy:finish", h.finish),
		cb.Query().After("*").Register("tenancy:finish", h.finish),
		cb.Update().After("*").Register("tenancy:finish", h.finish),
		cb.Delete().After("*").Register("tenancy:finish", h.finish),
		cb.Row().After("*").Register("tenancy:finish", h.finishRow),
		cb.Raw().After("*").Register("tenancy:finish", h.finish),
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for _, clauses := range []*[]string{&cb.Query().Clauses, &cb.Row().Clauses, &cb.Update().Clauses, &cb.Delete().Clauses, &cb.Raw().Clauses} {
		*clauses = withPredicate(*clauses)
	}
	h.builders.where = h.replaceBuilder(db, "WHERE", h.buildWhere)
	h.builders.values = h.replaceBuilder(db, "VALUES", h.buildValues)
	h.builders.onConflict = h.replaceBuilder(db, "ON CONFLICT", h.buildOnConflict)
	db.ClauseBuilders[predicateClause] = h.buildPredicate
	return nil
}

// withPredicate puts the predicate after WHERE, in a copy: GORM's processors share these slices.
func withPredicate(clauses []string) []string {
	if i := slices.Index(clauses, "WHERE"); i >= 0 {
		return slices.Insert(slices.Clone(clauses), i+1, predicateClause)
	}
	return clauses
}

// replaceBuilder puts builder in the place of the one that the dialect has for a clause, and returns what that did.
func (h *Hooks) replaceBuilder(db *gorm.DB, name string, builder clause.ClauseBuilder) clause.ClauseBuilder {
	replaced := db.ClauseBuilders[name]
	db.ClauseBuilders[name] = builder
	if replaced == nil {
		replaced = func(c clause.Clause, b clause.Builder) { c.Build(b) }
	}
	return replaced
}

// Forget drops what was found out about the tables of a shard.
func (h *Hooks) Forget(shard string) {
	h.Tables.Forget(shard)
	h.unique.Range(func(key, _ any) bool {
		if of, ok := key.(uniqueOf); ok && of.shard == shard {
			h.unique.Delete(key)
		}
		return true
	})
}
