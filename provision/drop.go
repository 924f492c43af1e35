package provision

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/catalog"
)

// Dropped says what Drop has removed.
type Dropped struct {
	Tenant   catalog.Tenant   // as it was last in the catalog
	Database string           // its own one, "" if it had none, or a call before has dropped it
	Schema   string           // likewise
	Rows     map[string]int64 // deleted from shared tables, by table, by this call
	Took     time.Duration
}

// Drop removes a tenant for ever: with its database or its schema, or with all its rows in shared tables, those included that
// are deleted softly, and from the catalog, whose history stays. No row of another tenant is touched.
//
// On SQLite it waits for statements that wait for others, for half a second at least. Transactions have to begin with BEGIN IMMEDIATE there,
// as with this module's sqlite.Open: another kind, in which nothing has been done so far, may write when all was removed.
//
// The tenant is suspended first; nothing is removed until no process that has the master database in reach acts on it any more (see [catalog.Catalog.Drained]). A
// call that failed, or whose process was killed, is gone on with by another one; until its data begins to be removed, the tenant can be made active
// again instead. Of a tenant in the state creating what is there is taken back. An
// unknown tenant is [tenancy.ErrTenantNotFound], and one that is being made, dropped or moved at the moment [tenancy.ErrTenantUnavailable].
func (p *Provisioner) Drop(ctx context.Context, id tenancy.ID, reason string) (Dropped, error) {
	began := time.Now()
	lock, err := p.lock(ctx, id)
	if errors.Is(err, errLocked) {
		return Dropped{}, fmt.Errorf("%w: it is being made or dropped at the moment", tenancy.ErrTenantUnavailable)
	}
	if err != nil {
		return Dropped{}, &StepError{Tenant: id, Step: Suspending, Err: err}
	}
	defer lock.release(ctx)
	t, err := p.cfg.Catalog.Read(ctx, id)
	if err != nil {
		return Dropped{}, err
	}
	d := &removal{Provisioner: p, lock: lock, reason: reason, done: Dropped{Tenant: t}}
	err = d.run(ctx)
	d.done.Took = time.Since(began)
	return d.done, err
}

// removal is a tenant that is being dropped.
type removal struct {
	*Provisioner
	lock   *lock
	reason string
	done   Dropped
}

func (d *removal) run(ctx context.Context) error {
	switch d.done.Tenant.State {
	case catalog.Creating:
		return (&undoing{Provisioner: d.Provisioner, lock: d.lock, id: d.done.Tenant.ID, killed: true}).run(ctx)
	case catalog.Moving:
		return fmt.Errorf("%w: it is being moved: drop it when that has ended", tenancy.ErrTenantUnavailable)
	}
	dropping := d.done.Tenant.State == catalog.Dropping
	steps := []struct {
		step Step
		do   func(context.Context) error
		skip bool
	}{
		{step: Suspending, do: d.suspend, skip: d.done.Tenant.State != catalog.Active},
		{step: Draining, do: d.drain},
		{step: Dropping, do: d.mark, skip: dropping},
		{step: Emptying, do: d.empty},
		{step: Removing, do: d.remove},
	}
	for _, s := range steps {
		if s.skip {
			continue
		}
		if err := d.step(ctx, d.done.Tenant.ID, s.step, func() error {
			if err := d.lock.check(ctx); err != nil {
				return err
			}
			return s.do(ctx)
		}); err != nil {
			return err
		}
	}
	return nil
}

// become changes the tenant's state, unless somebody else has changed the tenant since it was read.
func (d *removal) become(ctx context.Context, state catalog.State) error {
	t, err := d.cfg.Catalog.SetState(ctx, d.done.Tenant, state, d.reason)
	if err == nil {
		d.done.Tenant = t
	}
	return err
}

func (d *removal) suspend(ctx context.Context) error { return d.become(ctx, catalog.Suspended) }

func (d *removal) mark(ctx context.Context) error { return d.become(ctx, catalog.Dropping) }

// drain waits until no process acts on the tenant as it was before it was suspended, and no transaction in tables that it shares
// may still be its own. What it has alone is taken from under those that use it.
func (d *removal) drain(ctx context.Context) error {
	timer := time.NewTimer(time.Until(d.cfg.Catalog.Drained(d.done.Tenant)))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	if !isShared(d.done.Tenant) {
		return nil
	}
	if err := d.seen(ctx, d.done.Tenant); err != nil {
		return err
	}
	rows := tenantRows{d.Provisioner, d.done.Tenant}
	if d.cfg.DB.Name() == sqliteDialect {
		return rows.outwaited(ctx)
	}
	return rows.ended(ctx)
}

func (d *removal) empty(ctx context.Context) error {
	if err := d.seen(ctx, d.done.Tenant); err != nil {
		return err
	}
	gone, err := d.storage(d.done.Tenant).remove(ctx)
	d.done.Database, d.done.Schema, d.done.Rows = gone.database, gone.schema, gone.rows
	return err
}

func (d *removal) remove(ctx context.Context) error {
	return d.cfg.Catalog.Remove(ctx, d.done.Tenant, d.reason)
}
