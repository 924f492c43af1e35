package provision

import (
	"context"
	"errors"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/catalog"
)

// Recovered says what Recover has done.
type Recovered struct {
	Undone  []tenancy.ID // tenants that were being made, and are gone
	Dropped []Dropped    // tenants that were being dropped, and are
	Busy    []tenancy.ID // tenants that another process is making or dropping at the moment
}

// Recover ends what killed processes have left: tenants in the state creating are taken back, those in the state dropping are
// dropped. Call it now and then, and as often as you like; tenants that are being worked on are left alone.
//
// A tenant that fails does not stop the others: the error is a [*tenancy.PartialError] then.
func (p *Provisioner) Recover(ctx context.Context) (Recovered, error) {
	var left []catalog.Tenant
	for t, err := range p.cfg.Catalog.List(ctx, catalog.Filter{States: []catalog.State{catalog.Creating, catalog.Dropping}}) {
		if err != nil {
			return Recovered{}, err
		}
		left = append(left, t)
	}
	var done Recovered
	var partial tenancy.PartialError
	for _, t := range left {
		if err := ctx.Err(); err != nil {
			return done, errors.Join(err, &partial)
		}
		if err := p.finish(ctx, t.ID, &done); err != nil {
			partial.Failed = append(partial.Failed, tenancy.Failure{Name: string(t.ID), Err: err})
			continue
		}
		partial.Done = append(partial.Done, string(t.ID))
	}
	if len(partial.Failed) > 0 {
		return done, &partial
	}
	return done, nil
}

// finish ends what was begun with a tenant.
func (p *Provisioner) finish(ctx context.Context, id tenancy.ID, done *Recovered) error {
	lock, err := p.lock(ctx, id)
	if errors.Is(err, errLocked) {
		done.Busy = append(done.Busy, id)
		return nil
	}
	if err != nil {
		return err
	}
	defer lock.release(ctx)
	t, err := p.cfg.Catalog.Read(ctx, id) // now that nobody else works on it
	switch {
	case errors.Is(err, tenancy.ErrTenantNotFound):
		return nil
	case err != nil:
		return err
	case t.State == catalog.Creating:
		if err = (&undoing{Provisioner: p, lock: lock, id: id, killed: true}).run(ctx); err == nil {
			done.Undone = append(done.Undone, id)
		}
	case t.State == catalog.Dropping:
		d := &removal{Provisioner: p, lock: lock, reason: t.Reason, done: Dropped{Tenant: t}}
		if err = d.run(ctx); err == nil {
			done.Dropped = append(done.Dropped, d.done)
		}
	}
	return err
}
