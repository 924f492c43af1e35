package callbacks

import (
	"context"

	"github.com/gormtenancy/tenancy/internal/sqltext"
	"github.com/gormtenancy/tenancy/internal/tables"
	"github.com/gormtenancy/tenancy/sqlproof"
)

// place asks where the rows are that the statement is about, once. For whom it runs may still be open.
func (h *Hooks) place(pass *Pass) error {
	if pass.placed || pass.Who.Kind == Nobody && !pass.Who.Placed() {
		return nil
	}
	at, err := h.Rules.Place(pass.Context, pass.Who, pass.stmt.ConnPool)
	if err != nil {
		return h.passOn(pass, err)
	}
	if at.named() && !h.proves() && pass.Who.Kind != System {
		return h.refusal(pass, InvalidConfig, "the placement has a schema or a suffix, which only the reader of SQL can put into a statement: set Config.SQL")
	}
	pass.at, pass.placed, pass.reach = at, true, There
	return nil
}

// placeArguments finds the place of a statement that has a tenant among its arguments: of a subquery, if not of its own.
func (h *Hooks) placeArguments(pass *Pass, args []any) error {
	if pass.placed || pass.keyed || pass.stmt == nil {
		return nil
	}
	for _, a := range args {
		if _, ok := a.(*Arg); ok {
			return h.place(pass)
		}
	}
	return nil
}

// unproven finds the database of a statement that no proof has looked at, and returns its text for there.
func (h *Hooks) unproven(pass *Pass, query string, args []any) (string, error) {
	if pass.stmt == nil || pass.exempt || pass.Who.Kind == System {
		return query, nil
	}
	if h.isMirrored(pass, nil) {
		return query, h.mirror(pass, query, args)
	}
	if pass.Who.Kind == Everyone && h.proves() {
		if plan := h.locate(pass, query); len(plan.Keys) > 0 {
			return h.unprovenKeyed(pass, query, plan, args)
		} else if refused, err := h.shardsUnclear(pass, query, plan); refused {
			return query, err
		} else if h.writesReference(pass, query, plan) {
			return query, h.referenceWrite(pass)
		}
	}
	if err := h.placeText(pass, query); err != nil {
		return query, err
	}
	if err := h.reaches(pass, pass.home); err != nil {
		return query, err
	}
	if pass.Who.Kind != Everyone || !pass.at.named() {
		return query, nil
	}
	return h.named(pass, query, h.prover.Locate(query))
}

// writesReference tells whether a text writes to a reference table in one database of several, without a word of which.
func (h *Hooks) writesReference(pass *Pass, query string, plan *sqlproof.Plan) bool {
	if !pass.raw || pass.Who.Placed() || plan.Refusal != nil || plan.Kind <= sqlproof.SetOperation || plan.Touches || plan.Home != "" || !h.Rules.Several() {
		return false
	}
	_, names := sqltext.Mentions(query, h.Tables.ReferenceNames())
	return names
}

// locate finds the tables of a statement for all tenants. If it is for those of all places, tenants' tables are taken for sharded by
// their tenant columns.
func (h *Hooks) locate(pass *Pass, query string) *sqlproof.Plan {
	if pass.Who.Where == Everywhere && h.fleet != nil {
		return h.fleet.Locate(query)
	}
	return h.prover.Locate(query)
}

// unprovenKeyed does it for a statement on sharded tables.
func (h *Hooks) unprovenKeyed(pass *Pass, query string, plan *sqlproof.Plan, args []any) (string, error) {
	pass.keyed, pass.plan = true, plan
	if err := h.keyed(pass, plan, args); err != nil {
		return query, err
	}
	if pass.fan != nil || !pass.at.named() {
		return query, nil
	}
	return h.named(pass, query, plan)
}

// shardsUnclear refuses a statement for all tenants that is not understood and has a sharded table in it, unless the context says
// where it is to run.
func (h *Hooks) shardsUnclear(pass *Pass, query string, plan *sqlproof.Plan) (refused bool, err error) {
	r := plan.Refusal
	switch {
	case r == nil || pass.Who.Placed() && !r.Crosses && !r.Keyless:
		return false, nil
	case r.Crosses || r.Keyless:
		return true, h.notProven(pass, query, r)
	case len(h.Shards) == 0 && pass.Who.Where != Everywhere:
		return false, nil
	case !h.mentionsSharded(query):
		return false, nil
	}
	return true, h.refusal(pass, MissingShardKey, "it names a sharded table and is not understood, so that its shard is not known: use tenancy.WithPlacement; "+r.Error())
}

// placeText finds the place of a statement by its text, whatever its main table is: one with a table of tenants in a subquery or
// a join must run where their rows are.
func (h *Hooks) placeText(pass *Pass, query string) error {
	if pass.placed && pass.home == "" && !h.proves() {
		return nil
	}
	if !h.Rules.Resolves() && !h.Rules.HidesRows() && !pass.Who.Placed() {
		if pass.raw && pass.Who.Kind == Everyone {
			return h.place(pass)
		}
		return nil // all is in one place
	}
	if pass.Who.Kind == Everyone && h.proves() {
		plan := h.prover.Locate(query)
		if plan.Refusal == nil && plan.Home != "" {
			pass.home = plan.Home
		}
		if plan.Refusal != nil || plan.Touches {
			return h.place(pass)
		}
		return nil
	}
	if pass.Who.Kind != Everyone && !pass.nests { // text that could have a table of tenants in it was refused
		return nil
	}
	if _, names := mentions(query, h.Tables); !names && (!pass.raw || pass.Who.Kind != Everyone) {
		return nil
	}
	if pass.Who.Kind == Nobody && !pass.Who.Placed() {
		return h.noTenant(pass)
	}
	return h.place(pass)
}

// reaches decides which database has all that a statement touches; home is the name of a global table in it.
func (h *Hooks) reaches(pass *Pass, home string) error {
	switch {
	case home == "" && pass.Who.Placed():
		return h.place(pass)
	case home == "":
		return nil
	case pass.reach != There:
		pass.reach = Home
	case pass.at.Shard != "":
		return h.refusal(pass, CrossShard, "table "+home+" is global, so it is in the default database, and the rows of tenants are in another here: read it in a statement of its own, or list it in Config.Reference if all databases have it")
	}
	return nil
}

// named returns the text of a plan with the names that the tables have at the statement's place.
func (h *Hooks) named(pass *Pass, query string, plan *sqlproof.Plan) (string, error) {
	if plan.Refusal != nil && pass.Who.Kind == Everyone {
		if _, names := mentions(query, h.Tables); !names {
			return query, nil // nothing in it goes by another name at the place
		}
		return query, h.refusal(pass, Unconfined, "tables of tenants have names of their own at the placement, and the statement is not understood, so that they cannot be put in: use the *sql.DB that tenancy.DB returns")
	}
	if plan.Refusal != nil {
		return query, h.refusal(pass, Unconfined, plan.Refusal.Error())
	}
	if refusal := plan.WriteAt(&pass.stmt.SQL, pass.at.Schema, pass.at.TableSuffix); refusal != nil {
		return query, h.refusal(pass, Unconfined, refusal.Error())
	}
	return pass.stmt.SQL.String(), nil
}

// table writes the name that a table has at the statement's place. The name of its model still qualifies its columns.
func (o *own) table(t *tables.Table) { o.tableAs(t, "") }

// tableAs writes the same with an alias.
func (o *own) tableAs(t *tables.Table, alias string) {
	at := o.pass.at
	switch {
	case at.Schema != "":
		o.identifier(at.Schema)
		o.text(".")
		o.identifier(t.Name + at.TableSuffix)
	case t.Schema() != "":
		o.identifier(t.Schema())
		o.text(".")
		o.identifier(t.Name + at.TableSuffix)
	default:
		o.identifier(t.Name + at.TableSuffix)
	}
	if alias == "" && at.TableSuffix != "" {
		alias = t.Name
	}
	if alias != "" {
		o.text(" AS ")
		o.identifier(alias)
	}
}

// identifier writes a name in the dialect's quotes. GORM's own would take a dot in it for the end of a schema.
func (o *own) identifier(name string) { o.text(o.pass.hooks.text.Quote(name)) }

// DefaultTransactionAtHome tells whether ctx is that of a statement on a global table, for which GORM begins a transaction.
func DefaultTransactionAtHome(ctx context.Context) bool {
	pass := passOf(ctx)
	return pass != nil && pass.Table != nil && (pass.Table.Class == tables.Global || pass.Table.Class == tables.Unlisted)
}

// Needless tells that the statement is to be taken for done.
func (p *Pass) Needless() bool { return p.needless }

// At returns the place of the tenants' rows that the statement touches, if its reach is There.
func (p *Pass) At() Place { return p.at }

// Reach tells which databases have what the statement touches.
func (p *Pass) Reach() Reach { return p.reach }

// Touched returns the tables of tenants that the proof found in the statement, or its main table if there was no proof.
func (p *Pass) Touched(yield func(*tables.Table) bool) {
	if p.plan == nil {
		if p.Table != nil && p.Table.Class.Confined() {
			yield(p.Table)
		}
		return
	}
	for _, of := range p.plan.Tables {
		if t, ok := of.Key.(*tables.Table); ok && !yield(t) {
			return
		}
	}
}
