package provision

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/catalog"
)

// undoing takes back a creation.
type undoing struct {
	*Provisioner
	lock   *lock
	id     tenancy.ID
	taken  bool   // what is at its place is somebody else's
	made   string // the database or the schema that was made; "": none, or it is not known
	killed bool   // its process may have been killed, and the database be busy with its last statement
}

// after takes back a creation that has failed, and returns why it has, with what came of that.
func (u *undoing) after(ctx context.Context, why error) error {
	ctx, cancel := lasting(ctx)
	defer cancel()
	return withUndo(why, u.run(ctx))
}

// withUndo adds to an error why undoing has failed.
func withUndo(why, undo error) error {
	at, ok := errors.AsType[*StepError](why)
	if undo == nil || !ok {
		return why
	}
	if inner, ok := errors.AsType[*StepError](undo); ok {
		undo = inner.Err
	}
	return &StepError{Tenant: at.Tenant, Step: at.Step, Err: at.Err, Undo: undo}
}

// run removes a tenant in the state creating, with all that was made for it. It has nothing worth keeping.
func (u *undoing) run(ctx context.Context) error {
	return u.step(ctx, u.id, Undoing, func() error {
		if err := u.lock.check(ctx); err != nil {
			return err
		}
		now, err := u.cfg.Catalog.Read(ctx, u.id)
		switch {
		case errors.Is(err, tenancy.ErrTenantNotFound) && u.made != "" && !u.taken:
			return fmt.Errorf("%w: it was taken out of the catalog while it was being made: drop %q by hand, if it is still there", err, u.made)
		case errors.Is(err, tenancy.ErrTenantNotFound):
			return nil // it never was there
		case err != nil:
			return err
		case now.State != catalog.Creating:
			return fmt.Errorf("%w: it is %s", catalog.ErrIllegalState, now.State)
		}
		if err := u.remove(ctx, now); err != nil {
			return err
		}
		return u.cfg.Catalog.Remove(ctx, now, "provision: its creation was undone")
	})
}

// remove removes what was made for the tenant.
func (u *undoing) remove(ctx context.Context, t catalog.Tenant) error {
	if u.taken {
		return nil
	}
	if ours, err := u.hasClaimed(ctx, t); err != nil || !ours {
		return err
	}
	if err := u.seen(ctx, t); err != nil {
		return err
	}
	if u.killed && isShared(t) {
		if err := (tenantRows{u.Provisioner, t}).ended(ctx); err != nil {
			return err
		}
	}
	_, err := u.storage(t).remove(ctx)
	return err
}

// seen waits until this process's catalog acts on what another process has changed, at most MaxStale ago.
func (p *Provisioner) seen(ctx context.Context, t catalog.Tenant) error {
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for {
		cached, err := p.cfg.Catalog.Tenant(ctx, t.ID)
		if err == nil && cached.Epoch >= t.Epoch {
			return nil
		}
		if err != nil && !errors.Is(err, tenancy.ErrTenantNotFound) {
			return err
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
