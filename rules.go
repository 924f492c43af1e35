package tenancy

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy/callbacks"
)

// rules answers what the callbacks ask.
type rules struct{ *Plugin }

var _ callbacks.Rules = rules{}

// Identify implements [callbacks.Rules].
func (r rules) Identify(ctx context.Context) (*callbacks.Subject, error) {
	s := scopeOf(ctx)
	if s == nil {
		return &r.nobody, nil
	}
	return &s.who, s.err
}

// Place implements [callbacks.Rules].
func (r rules) Place(ctx context.Context, who *callbacks.Subject, pool gorm.ConnPool) (callbacks.Place, error) {
	if t, ok := pool.(*transaction); ok {
		if at, known := t.placeOf(who); known {
			if who.Placed() && !scopeOf(ctx).at.is(at) {
				return callbacks.Place{}, errPlacedElsewhere()
			}
			return callbacks.Place(at), nil
		}
	}
	at, err := r.place(ctx, who)
	return callbacks.Place(at), err
}

// Resolves implements [callbacks.Rules].
func (r rules) Resolves() bool { return r.cfg.Resolver != nil }

// Several implements [callbacks.Rules].
func (r rules) Several() bool { return r.several() }

// HidesRows implements [callbacks.Rules].
func (r rules) HidesRows() bool { return r.binder != nil }

// Pool implements [callbacks.Rules].
func (r rules) Pool() gorm.ConnPool { return r.router }

// Adopt implements [callbacks.Rules].
func (r rules) Adopt(pool gorm.ConnPool) gorm.ConnPool { return r.router.adopt(pool) }

// UnlistedAreGlobal implements [callbacks.Rules].
func (r rules) UnlistedAreGlobal() bool { return r.cfg.Unlisted == UnlistedGlobal }

// Refuse implements [callbacks.Rules].
func (r rules) Refuse(ctx context.Context, refusal callbacks.Refusal) error {
	err := refusal.Cause
	if err == nil {
		err = fmt.Errorf("%w: %s", sentinel(refusal.Reason), refusal.Why)
	}
	if refusal.Who == nil {
		refusal.Who = &r.nobody
	}
	wrapped := &StatementError{Tenant: ID(refusal.Who.ID), Op: refusal.Op.String(), Table: refusal.Table, Err: err}
	if o := r.observers.refused; o != nil {
		o.StatementRefused(ctx, StatementEvent{Tenant: wrapped.Tenant, Op: wrapped.Op, Table: wrapped.Table, Reason: refusal.Who.Reason, Err: wrapped, Placement: Placement(refusal.At)})
	}
	return wrapped
}

// Ran implements [callbacks.Rules].
func (r rules) Ran(ctx context.Context, who *callbacks.Subject, op callbacks.Op, table string, place callbacks.Place, several []callbacks.Place, rows int64) {
	if r.observers.without == nil && r.observers.scoped == nil {
		return
	}
	at := Placement(place)
	var all []Placement
	switch len(several) {
	case 0:
	case 1:
		at = Placement(several[0])
	default:
		at, all = Placement{}, placements(several)
	}
	if who.Kind == callbacks.Everyone {
		if o := r.observers.without; o != nil {
			o.StatementWithoutTenant(ctx, StatementEvent{Op: op.String(), Table: table, Rows: rows, Reason: who.Reason, Placement: at, Placements: all})
		}
		return
	}
	if o := r.observers.scoped; o != nil {
		o.StatementScoped(ctx, StatementEvent{Tenant: ID(who.ID), Op: op.String(), Table: table, Rows: rows, Placement: at, Placements: all})
	}
}

// sentinel is the error of a reason.
func sentinel(reason callbacks.Reason) error {
	switch reason {
	case callbacks.NoTenant:
		return ErrNoTenant
	case callbacks.InvalidTenant:
		return ErrInvalidTenant
	case callbacks.Mismatch:
		return ErrTenantMismatch
	case callbacks.UnknownTable:
		return ErrUnknownTable
	case callbacks.InvalidConfig:
		return ErrInvalidConfig
	case callbacks.CrossShard:
		return ErrCrossShard
	case callbacks.MissingShardKey:
		return ErrMissingShardKey
	case callbacks.Unmergeable:
		return ErrUnmergeable
	default:
		return ErrUnconfinedSQL
	}
}

// placements translates places.
func placements(places []callbacks.Place) []Placement {
	out := make([]Placement, len(places))
	for i, at := range places {
		out[i] = Placement(at)
	}
	return out
}

// Named implements [callbacks.Rules].
func (r rules) Named(ctx context.Context) (callbacks.Place, error) {
	return r.shardPlace(scopeOf(ctx).at, nil)
}

// HomeOf implements [callbacks.Rules].
func (r rules) HomeOf(ctx context.Context, id string) (callbacks.Place, error) {
	tenant := ID(id)
	if err := tenant.check(); err != nil {
		return callbacks.Place{}, fmt.Errorf("%w: %w", ErrInvalidTenant, err)
	}
	at, err := r.cfg.Resolver.Resolve(ctx, tenant)
	return r.shardPlace(at, err)
}

// Homes implements [callbacks.Rules].
func (r rules) Homes(ctx context.Context) ([]callbacks.Place, error) {
	return r.placesOf(ctx, r.cfg.Resolver, "Resolver")
}

// Databases implements [callbacks.Rules].
func (r rules) Databases(ctx context.Context) ([]callbacks.Place, error) { return r.everyDatabase(ctx) }

// Toward implements [callbacks.Rules].
func (rules) Toward(ctx context.Context, at callbacks.Place) context.Context {
	s := scope{who: callbacks.Subject{Where: callbacks.AtPlace}, at: Placement(at)}
	return s.with(ctx)
}

// Apart implements [callbacks.Rules].
func (r rules) Apart(done, failed []string, errs []error) error {
	e := &PartialError{Done: done, Failed: make([]Failure, len(failed))}
	for i, name := range failed {
		e.Failed[i] = Failure{Name: name, Err: errs[i]}
	}
	return e
}

// Pinned implements [callbacks.Rules].
func (r rules) Pinned(pool gorm.ConnPool) bool {
	switch p := pool.(type) {
	case *transaction:
		return p.pinned()
	case gorm.TxCommitter:
		return true
	}
	return false
}
