package callbacks

import (
	"context"
	"database/sql/driver"
	"errors"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/gormtenancy/tenancy/internal/dialect"
	"github.com/gormtenancy/tenancy/internal/tables"
	"github.com/gormtenancy/tenancy/sqlproof"
)

// Op is the GORM chain that a statement runs through.
type Op uint8

// GORM's six chains (gorm v1.31.2 callbacks.go initializeCallbacks).
const (
	OpRaw Op = iota
	OpRow
	OpQuery
	OpCreate
	OpUpdate
	OpDelete
)

// String returns the name that errors and observers use.
func (o Op) String() string {
	return [...]string{"raw", "row", "query", "create", "update", "delete"}[o]
}

// Pass travels with one statement, as its context, from the guard to the router: it says for whom the statement runs, that
// the hooks have confined it, and which text it belongs to. A statement that reaches the router without one, or with the
// pass of another statement, is not sent.
type Pass struct {
	context.Context // the caller's

	Who   *Subject
	Table *tables.Table // the main table; nil for raw SQL and derived tables
	Op    Op

	sub      bool // built as an argument of another statement: its context may come from there
	free     bool // its text needs no reading: no tenant's rows are anywhere, or the caller asked for all of them
	confined bool // it carries the tenant predicate, or rows of the tenant only
	scoped   bool // the hooks have seen it to the end
	pending  bool // the tenant condition, or the tenant's column of new rows, is still to be written
	marked   bool // the statement has predicateClause
	ownSet   bool // the SET clause is the hooks' and goes with the statement
	opaque   bool // conditions can only be read once they are written
	raw      bool // it came as text
	exempt   bool // it is not to be proven: a savepoint
	yields   bool // the conditions on its tables are left to the proof
	touched  bool // the proof found tables of tenants in it
	placed   bool // at is known
	nests    bool // it has a subquery built with GORM
	needless bool // it is not to be sent, for it is about a global table that is elsewhere
	// mustExist tells that the rows of a create are expected to be there, and none is to be written.
	mustExist bool
	// mayBeThere tells the same of a global table, whose rows are looked for in the default database.
	mayBeThere bool
	keyed      bool // it touches sharded tables, whose place is known by their keys
	split      bool // its rows have been written by statements of their own
	mirrors    bool // it writes to a reference table in all databases
	fan        *Fan // it is for several places
	// modelKeys are the shard keys of the rows that its model stands for.
	modelKeys []any
	answers   *answers // of a create
	reach     Reach
	inside    int8 // depth of pools that have admitted the statement and are passing it on

	hooks      *Hooks
	stmt       *gorm.Statement
	outer      *Pass             // of the statement whose hooks or associations this one serves
	text       string            // of a statement that the hooks themselves send
	sent       string            // the text that was admitted
	conditions clause.Expression // the application's
	target     string            // Statement.Table when Table was found
	expr       *clause.Expr      // Statement.TableExpr likewise
	right      *rightJoin        // if it has one
	write      *writeState       // of a create or update that needs more than its own statement
	arg        Arg               // the tenant of Table
	at         Place             // of the rows of tenants that it touches
	home       string            // the name of a global table that it touches
	plan       *sqlproof.Plan    // of the text that is sent
}

type passKey struct{}

// Value makes the pass its own context value.
func (p *Pass) Value(key any) any {
	if key == (passKey{}) {
		return p
	}
	return p.Context.Value(key)
}

// passOf finds the pass of a context; nil if there is none.
func passOf(ctx context.Context) *Pass {
	if p, ok := ctx.(*Pass); ok {
		return p
	}
	if ctx == nil {
		return nil
	}
	p, _ := ctx.Value(passKey{}).(*Pass)
	return p
}

// confines tells whether the statement touches rows of tenants and must be held to one of them.
func (p *Pass) confines() bool {
	return p.Table != nil && p.Table.Class.Confined() && (p.Who.Kind == Tenant || p.Who.Kind == Nobody)
}

// TableName names the main table, for errors.
func (p *Pass) TableName() string {
	if p.Table != nil {
		return p.Table.Name
	}
	if p.stmt != nil && p.stmt.SQL.Len() == 0 {
		return p.stmt.Table
	}
	return ""
}

// Arg stands for the tenant among the arguments of a statement. The router replaces it by the value of the column, taken
// from the outermost statement, so a subquery that was built without a context is still its caller's. If nobody replaces
// it, the statement fails instead of running with something else (GORM hands typed arguments on untouched, and
// database/sql asks a driver.Valuer for its value).
type Arg struct {
	column *tables.Column
	id     string
	value  any    // nil: to be bound late
	at     *Place // of the tenant; nil: to be bound late
}

// refusedArg stands in a subquery that must not run: neither must the statement around it.
type refusedArg struct{ err error }

// Value implements [driver.Valuer].
func (a refusedArg) Value() (driver.Value, error) { return refusedMark, a.err }

var errUnbound = errors.New("tenancy: the tenant of this statement was not bound: it was not sent through the plugin's pool")

// What stands in a text that GORM makes of a statement with an [Arg] that cannot be bound.
const (
	unboundMark = "tenancy.unbound"
	refusedMark = "tenancy.refused"
)

// Value implements [driver.Valuer]. GORM's logger asks it too, ignores the error, and writes the value: a mark that tells
// why it is not the tenant's.
func (a *Arg) Value() (driver.Value, error) {
	if a.value == nil {
		return unboundMark, errUnbound
	}
	return driver.DefaultParameterConverter.ConvertValue(a.value)
}

// Admit is the router's question: may the statement query, with args, be sent? It returns what to send: the same, or with
// conditions that the proof has added. It binds the tenant in args.
func (h *Hooks) Admit(ctx context.Context, query string, args []any) (pass *Pass, text string, with []any, err error) {
	pass = passOf(ctx)
	if pass == nil {
		return nil, "", nil, h.Rules.Refuse(ctx, Refusal{Op: OpRaw, Reason: Unconfined, Why: "it did not come through GORM's callbacks; use *gorm.DB, or the *sql.DB that tenancy.DB returns"})
	}
	if pass.inside > 0 && query == pass.sent { // or else an argument sends a statement of its own while it is asked for its value
		return pass, query, args, nil
	}
	if !pass.covers(query) {
		return nil, "", nil, h.refusal(pass, Unconfined, "it is not the statement that the callbacks saw; use *gorm.DB instead of its ConnPool")
	}
	if !pass.scoped {
		return nil, "", nil, h.refusal(pass, Unconfined, "the plugin's callbacks did not see it: one of them was removed or replaced")
	}
	if pass.pending {
		return nil, "", nil, h.refusal(pass, Unconfined, "it was built without its tenant condition: Statement.BuildClauses or another plugin left out WHERE or VALUES")
	}
	proving := h.provable(pass)
	if pass.confined && !proving && !h.marksFit(query, len(args)) {
		return nil, "", nil, h.refusal(pass, Unconfined, "it has more or fewer placeholders than arguments, so the tenant would be bound in another place")
	}
	if pass.split {
		pass.needless = true
		return pass, query, args, nil
	}
	var plan *sqlproof.Plan
	if proving {
		plan = h.prover.Prove(query)
		pass.keyed = pass.keyed || len(plan.Keys) > 0
	}
	if err := h.placeArguments(pass, args); err != nil {
		return nil, "", nil, err
	}
	for i, a := range args {
		switch arg := a.(type) {
		case *Arg:
			if args[i], err = h.bind(pass, arg); err != nil {
				return nil, "", nil, err
			}
		case refusedArg:
			return nil, "", nil, arg.err
		}
	}
	if proving {
		text, with, err = h.prove(pass, query, plan, args)
	} else {
		text, err = h.unproven(pass, query, args)
		with = args
	}
	if err != nil {
		return nil, "", nil, err
	}
	if text != query && pass.stmt != nil {
		pass.rewrite(text, with)
	}
	pass.sent = text
	return pass, text, with, nil
}

// marksFit tells whether a statement has a place for each argument, where arguments go by their order: SQLite's driver
// ignores those that are too many.
func (h *Hooks) marksFit(query string, args int) bool {
	if h.engine == dialect.Postgres {
		return true // numbered
	}
	if strings.Count(query, "?") == args && strings.IndexByte(query, '\'') < 0 {
		return true
	}
	n, ok := h.text.OpenMarks(query)
	return ok && n == args
}

// covers tells whether query is the text that this pass was made for. For GORM's statements that is a comparison of two
// pointers.
func (p *Pass) covers(query string) bool {
	if p.stmt != nil {
		return p.stmt.SQL.String() == query
	}
	return p.text == query
}

// Enter and Leave frame the call of the pool below, so that pools stacked on one another admit a statement once.
func (p *Pass) Enter() { p.inside++ }

// Leave ends what [Pass.Enter] began.
func (p *Pass) Leave() { p.inside-- }

// bind returns the value that a stands for in a statement with pass.
func (h *Hooks) bind(pass *Pass, a *Arg) (any, error) {
	switch {
	case a.value != nil && pass.Who.Kind == Tenant && pass.Who.ID != a.id:
		return nil, h.refusal(pass, Mismatch, "a subquery in it runs for another tenant: build both from one context")
	case a.value != nil && pass.Who.Kind == Everyone && pass.placed && a.at != nil && *a.at != pass.at:
		return nil, h.refusal(pass, Mismatch, "a subquery in it runs for a tenant that is elsewhere: build both for one placement")
	case a.value != nil:
		return a.value, nil
	case pass.Who.Kind != Tenant:
		return nil, h.refusal(pass, NoTenant, "a subquery in it reads a tenant's rows, and neither has a tenant: give both the same context")
	}
	return h.tenantValue(pass, a.column)
}
