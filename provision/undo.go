package provision

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/catalog"
)

// undone takes back a creation that has failed, and returns why it has, with what came of that.
func (p *Provisioner) undone(ctx context.Context, lock *lock, t catalog.Tenant, why error) error {
	ctx, cancel := lasting(ctx)
	defer cancel()
	return withUndo(why, p.undo(ctx, lock, t))
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

// undo removes a tenant in the state creating, with all that was made for it. It has nothing worth keeping.
func (p *Provisioner) undo(ctx context.Context, lock *lock, t catalog.Tenant) error {
	return p.step(ctx, t.ID, Undoing, func() error {
		if err := lock.check(ctx); err != nil {
			return err
		}
		now, err := p.cfg.Catalog.Read(ctx, t.ID)
		switch {
		case errors.Is(err, tenancy.ErrTenantNotFound):
			return nil // it never was there, or another process has taken it back after this one had lost the lock
		case err != nil:
			return err
		case now.State != catalog.Creating:
			return fmt.Errorf("%w: it is %s", catalog.ErrIllegalState, now.State)
		}
		ours, err := p.hasClaimed(ctx, t.ID)
		if err == nil && ours {
			err = p.seen(ctx, now)
		}
		if err != nil {
			return err
		}
		if ours {
			if _, err := p.storage(now).remove(ctx); err != nil {
				return err
			}
		}
		return p.cfg.Catalog.Remove(ctx, now, "provision: its creation was undone")
	})
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
