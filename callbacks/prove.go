package callbacks

import (
	"slices"

	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy/internal/sqltext"
	"github.com/gormtenancy/tenancy/internal/tables"
	"github.com/gormtenancy/tenancy/sqlproof"
)

// What the hooks add, the proof checks; and what no hook can see, it adds: the text of each statement is read once more
// when GORM hands it to the pool. A mistake in either is caught by the other.

// proves tells whether statements are proven.
func (h *Hooks) proves() bool { return h.prover != nil }

// fragment says why a piece of the application's SQL must not stand in a statement.
func (h *Hooks) fragment(s string, p sqltext.Place) (why string) {
	if h.proves() {
		return h.text.Piece(s, p)
	}
	return h.text.Fragment(s, p)
}

// mayBeMigrators tells whether a text could be one of the Migrator's, so that it is worth to look who sent it: its queries
// of the catalog need no tenant, and copies of whole tables must not get one.
func (h *Hooks) mayBeMigrators(pass *Pass, sql string) bool {
	plan := h.prover.Prove(sql)
	return plan.Refusal != nil || plan.Touches && plan.Kind != sqlproof.Select ||
		!plan.Touches && plan.Home == "" && pass.elsewhere() // it may ask the catalog
}

// elsewhere tells whether the context may lead to another place than the default database: there the Migrator asks too.
func (p *Pass) elsewhere() bool { return p.Who.Kind != Nobody || p.Who.Placed() }

// admitText refuses raw SQL as early as it can be: the error is then the chain's own, as Row wants it.
func (h *Hooks) admitText(pass *Pass, sql string) error {
	plan := h.prover.Prove(sql)
	switch {
	case plan.Refusal != nil:
		return h.notProven(pass, sql, plan.Refusal)
	case plan.Touches && pass.Who.Kind != Tenant:
		return h.noTenant(pass)
	}
	pass.keyed = len(plan.Keys) > 0
	return nil
}

func (h *Hooks) noTenant(pass *Pass) error {
	return h.refusal(pass, NoTenant, "use db.WithContext(tenancy.WithTenant(ctx, id)), or tenancy.WithoutTenant(ctx, reason) for all tenants")
}

// prove shows by its plan that a statement stays within the tenant, with conditions added if need be. It returns the text and the
// arguments to send; those given are changed where a value is written in another way than the tenant column holds it.
func (h *Hooks) prove(pass *Pass, query string, plan *sqlproof.Plan, args []any) (string, []any, error) {
	if h.isMirrored(pass, plan) {
		return query, args, h.mirror(pass, query, args)
	}
	if plan.Refusal != nil {
		return query, args, h.notProven(pass, query, plan.Refusal)
	}
	pass.plan = plan
	if len(plan.Keys) > 0 {
		return h.proveKeyed(pass, query, plan, args)
	}
	if !plan.Touches {
		if pass.raw && plan.Kind > sqlproof.SetOperation && plan.Home == "" && h.Rules.Several() && !pass.Who.Placed() {
			return query, args, h.referenceWrite(pass)
		}
		return query, args, h.reaches(pass, plan.Home)
	}
	if err := h.mayTouch(pass, plan, len(args)); err != nil {
		return query, args, err
	}
	if err := h.placeTenant(pass, plan); err != nil {
		return query, args, err
	}
	plan, sent, err := h.hold(pass, query, plan, args)
	if err != nil {
		return query, args, err
	}
	return h.placed(pass, query, plan, sent)
}

// proveKeyed does it for a statement on sharded tables, some of which can be tenants' too.
func (h *Hooks) proveKeyed(pass *Pass, query string, plan *sqlproof.Plan, args []any) (string, []any, error) {
	pass.keyed, pass.touched = true, true
	sent := args
	if plan.Touches {
		err := h.mayTouch(pass, plan, len(args))
		if err == nil {
			plan, sent, err = h.hold(pass, query, plan, args)
		}
		if err != nil {
			return query, args, err
		}
	}
	if err := h.keyed(pass, plan, sent); err != nil {
		return query, args, err
	}
	if plan.Touches {
		if err := h.tenantFits(pass, plan); err != nil {
			return query, args, err
		}
		if err := h.fulfilAll(pass, plan); err != nil {
			return query, args, err
		}
	}
	if pass.fan != nil {
		return plan.SQL, sent, nil
	}
	return h.placed(pass, query, plan, sent)
}

// hold puts the tenant's values into a statement, and looks at those that it has itself. It returns the plan by which it is held.
func (h *Hooks) hold(pass *Pass, query string, plan *sqlproof.Plan, args []any) (*sqlproof.Plan, []any, error) {
	for again := false; ; again = true {
		sent, err := h.arguments(pass, plan, args)
		if err != nil {
			return plan, args, err
		}
		fits, err := h.checked(pass, plan, sent)
		switch {
		case err != nil:
			return plan, args, err
		case fits:
			return plan, sent, nil
		case again:
			return plan, args, h.refusal(pass, Mismatch, "a value of a tenant column is another tenant's")
		}
		// The text asks for another tenant's rows. With a condition of ours beside its own it finds none.
		if plan = h.prover.ProveStrictly(query); plan.Refusal != nil {
			return plan, args, h.notProven(pass, query, plan.Refusal)
		}
	}
}

// tenantFits looks, now that its places are known, whether the databases there tell the tenant from others.
func (h *Hooks) tenantFits(pass *Pass, plan *sqlproof.Plan) error {
	at := pass.at
	defer func() { pass.at = at }()
	places := []Place{at}
	if pass.fan != nil {
		places = pass.fan.Places
	}
	for _, place := range places {
		pass.at = place
		for i := range plan.Tables {
			if t, ok := plan.Tables[i].Key.(*tables.Table); ok && t.Tenant != nil {
				if _, err := h.tenantValue(pass, t.Tenant); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// placed returns the text of a plan for the statement's place.
func (h *Hooks) placed(pass *Pass, query string, plan *sqlproof.Plan, args []any) (string, []any, error) {
	pass.plan = plan
	if !pass.at.named() {
		return plan.SQL, args, nil
	}
	text, err := h.named(pass, query, plan)
	return text, args, err
}

// mayTouch refuses statements on tenants' tables that cannot run whatever their text is.
func (h *Hooks) mayTouch(pass *Pass, plan *sqlproof.Plan, args int) error {
	pass.touched = true
	switch {
	case pass.Who.Kind != Tenant:
		return h.noTenant(pass)
	case h.RefuseRaw && pass.raw:
		return h.refusal(pass, Unconfined, "Config.RawSQL is RawRefuse, and the text names a tenant's table: use a model")
	case h.RefuseRaw && plan.Rewritten():
		return h.refusal(pass, Unconfined, "Config.RawSQL is RawRefuse, and the statement has a tenant's table in text without a condition on its tenant: use associations")
	case args != plan.Arguments:
		return h.refusal(pass, Unconfined, "it has more or fewer placeholders than arguments")
	}
	return nil
}

// placeTenant finds the tenant's place, and whether all that a statement touches is there.
func (h *Hooks) placeTenant(pass *Pass, plan *sqlproof.Plan) error {
	if err := h.place(pass); err != nil {
		return err
	}
	if plan.Placed && !pass.at.Exclusive {
		return h.refusal(pass, Unconfined, "it has a table without a tenant column, and the tenant's placement holds other tenants too")
	}
	if err := h.reaches(pass, plan.Home); err != nil {
		return err
	}
	return h.fulfilAll(pass, plan)
}

// fulfilAll looks at all that the text cannot show.
func (h *Hooks) fulfilAll(pass *Pass, plan *sqlproof.Plan) error {
	for _, need := range plan.Needs {
		if err := h.fulfil(pass, need); err != nil {
			return err
		}
	}
	return nil
}

// fulfil looks at what the text cannot show.
func (h *Hooks) fulfil(pass *Pass, need sqlproof.Need) error {
	switch need.Kind {
	case sqlproof.Ends:
		if !pass.raw && (pass.Op == OpCreate || pass.Op == OpUpdate) && pass.Table != nil && pass.Table.Class == tables.Link {
			return nil // foreignKeysOfRows or foreignKeysOfSet has looked at them
		}
		return h.refusal(pass, Unconfined, "raw SQL writes to join table "+need.Name+", whose rows belong to those that they join: use association mode or Create")
	case sqlproof.UniqueKeys:
		t, ok := need.Table.Key.(*tables.Table)
		if !ok {
			break
		}
		keys, err := h.askKeys(pass, t) // each time: a key may have been made since
		if err != nil {
			return err
		}
		if len(keys) == 0 || need.Schema != "" {
			return h.refusal(pass, Unconfined, "an upsert in raw SQL meets rows over any unique key, and those of "+need.Name+" are not known: it is a view, has none, or is in another database; use clause.OnConflict")
		}
		for _, key := range keys {
			if !slices.Contains(key, need.Table.Column) {
				return h.refusal(pass, Unconfined, "an upsert in raw SQL meets rows over any unique key of "+need.Name+", and one of them has no tenant column: use clause.OnConflict, or put the tenant into every unique key")
			}
		}
		return nil
	}
	return h.refusal(pass, Unconfined, "it needs what the plugin does not know")
}

// arguments puts the tenant's values in their places.
func (h *Hooks) arguments(pass *Pass, plan *sqlproof.Plan, args []any) ([]any, error) {
	if len(plan.Inserted) == 0 {
		return args, nil
	}
	sent := make([]any, 0, len(args)+len(plan.Inserted))
	from := 0
	for i, in := range plan.Inserted {
		for ; from < in.At-i; from++ {
			sent = append(sent, args[from])
		}
		v, err := h.valueFor(pass, in.Table)
		if err != nil {
			return nil, err
		}
		sent = append(sent, v)
	}
	return append(sent, args[from:]...), nil
}

// valueFor is what the tenant column of a table holds for the tenant.
func (h *Hooks) valueFor(pass *Pass, of sqlproof.Table) (any, error) {
	t, ok := of.Key.(*tables.Table)
	if !ok || t.Tenant == nil {
		return nil, h.refusal(pass, Unconfined, "table "+of.Name+" has no tenant column")
	}
	return h.tenantValue(pass, t.Tenant)
}

// checked tells whether the values that the text itself has for tenant columns are the tenant's. Values that are to be
// stored must be.
func (h *Hooks) checked(pass *Pass, plan *sqlproof.Plan, args []any) (fits bool, err error) {
	for i := range plan.Checks {
		c := &plan.Checks[i]
		want, err := h.valueFor(pass, c.Table)
		if err != nil {
			return false, err
		}
		same := c.Argument >= 0
		if same {
			for n := 0; same && n < max(c.Times, 1); n++ {
				same = h.isTenants(pass, args, c.Argument+n*c.Every, want)
			}
		} else if spelled, err := tables.Spell(want); err == nil {
			same = spelled == c.Literal
		}
		switch {
		case same:
		case c.Stored:
			return false, h.refusal(pass, Mismatch, "a row of "+c.Table.Name+" is to be another tenant's: leave its tenant column out, or use the context of that tenant")
		default:
			return false, nil
		}
	}
	return true, nil
}

// isTenants tells whether an argument is the tenant, and gives it the form that the column holds.
func (h *Hooks) isTenants(pass *Pass, args []any, i int, want any) bool {
	switch got := args[i].(type) {
	case *Arg:
		return got.value == nil || got.id == pass.Who.ID
	case string:
		if w, ok := want.(string); ok {
			return got == w
		}
	}
	if compareTenant(pass, args[i]) != sameTenant {
		return false
	}
	args[i] = want
	return true
}

// notProven is the error of a statement that was refused by its text.
func (h *Hooks) notProven(pass *Pass, query string, r *sqlproof.Refusal) error {
	reason := Unconfined
	switch {
	case !r.Reaches && h.namesNoTenantTable(query) && !composing.MatchString(query) && !h.text.ChangesSession(query):
		return nil // the application has other tables than those listed
	case r.Unknown:
		reason = UnknownTable
	case r.Crosses:
		reason = CrossShard
	case r.Keyless:
		reason = MissingShardKey
	case pass.Who.Kind == Nobody && h.Tables.Owning():
		reason = NoTenant
	case r.Foreign:
		reason = Mismatch
	}
	return h.refusal(pass, reason, r.Error())
}

// finishDry gives a statement that is built and not sent the text that would be sent.
func (h *Hooks) finishDry(db *gorm.DB, pass *Pass) {
	stmt := db.Statement
	if pass.sub || stmt.SQL.Len() == 0 {
		return
	}
	query := stmt.SQL.String()
	var sent string
	var err error
	args := stmt.Vars
	if h.provable(pass) {
		sent, args, err = h.prove(pass, query, h.prover.Prove(query), slices.Clone(stmt.Vars))
	} else {
		sent, err = h.unproven(pass, query, args)
	}
	if err != nil {
		_ = db.AddError(err)
		return
	}
	if sent != query {
		pass.rewrite(sent, args)
	}
}

// provable tells whether a statement is to be proven: not one that the hooks or the Migrator send, nor a savepoint.
func (h *Hooks) provable(pass *Pass) bool {
	return h.prover != nil && !pass.free && !pass.exempt && pass.stmt != nil && pass.Who.Kind != System
}

// rewrite gives the statement another text, so that GORM logs what is sent.
func (p *Pass) rewrite(query string, args []any) {
	if p.stmt.SQL.String() != query { // or else it was written there
		p.stmt.SQL.Reset()
		p.stmt.SQL.WriteString(query)
	}
	p.stmt.Vars = args
}
