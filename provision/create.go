package provision

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/catalog"
)

// Create makes a tenant: it registers it in the catalog, makes its database or schema, its tables, what holds its rows together and
// apart from others', and its first rows, and makes it active. It returns the tenant as it is then.
//
// If a step fails, or ctx ends, all that was made is taken back, and the [*StepError] says which step it was. If that fails too,
// or the process is killed, the tenant stays in the catalog in the state creating: Create with the same ID begins anew, and
// [Provisioner.Recover] takes back what is there.
//
// A tenant that is there, or is being made by another process, is [tenancy.ErrTenantExists], and so is one for whose ID there are
// rows, or for whose name there is a database or a schema, that the catalog knows nothing of. Those are left alone. Only when a
// process is killed after it has found its place free is what goes by that name later on taken for the tenant's.
//
// A panic of Seed, Tables or the observer goes on when all is taken back.
func (p *Provisioner) Create(ctx context.Context, n catalog.NewTenant) (made catalog.Tenant, err error) {
	lock, err := p.lock(ctx, n.ID)
	if errors.Is(err, errLocked) {
		return catalog.Tenant{}, fmt.Errorf("%w: it is being made or dropped at the moment", tenancy.ErrTenantExists)
	}
	if err != nil {
		return catalog.Tenant{}, &StepError{Tenant: n.ID, Step: Registering, Err: err}
	}
	defer lock.release(ctx)
	if err := p.clear(ctx, lock, n.ID); err != nil {
		return catalog.Tenant{}, err
	}
	c := &creation{Provisioner: p, lock: lock, undoing: undoing{Provisioner: p, lock: lock, id: n.ID}}
	returned := false
	defer func() {
		if !returned { // there is a panic, or runtime.Goexit was called
			_ = c.undoing.after(ctx, nil)
		}
	}()
	made, err = c.make(ctx, n)
	returned = true
	return made, err
}

// clear makes room for a tenant: it takes back what a killed process has left of one.
func (p *Provisioner) clear(ctx context.Context, lock *lock, id tenancy.ID) error {
	t, err := p.cfg.Catalog.Read(ctx, id)
	switch {
	case errors.Is(err, tenancy.ErrTenantNotFound):
		return nil
	case err != nil:
		return &StepError{Tenant: id, Step: Registering, Err: err}
	case t.State == catalog.Creating:
		return (&undoing{Provisioner: p, lock: lock, id: id, killed: true}).run(ctx)
	default:
		return fmt.Errorf("%w: it is %s", tenancy.ErrTenantExists, t.State)
	}
}

// creation is a tenant that is being made.
type creation struct {
	*Provisioner
	lock    *lock
	tenant  catalog.Tenant
	undoing undoing
}

func (c *creation) make(ctx context.Context, n catalog.NewTenant) (made catalog.Tenant, err error) {
	if c.tenant, err = c.register(ctx, n); err != nil {
		return catalog.Tenant{}, err
	}
	if err := c.run(ctx); err != nil {
		return catalog.Tenant{}, c.undoing.after(ctx, err)
	}
	return c.tenant, nil
}

// register enters the tenant into the catalog. If it is not certain whether that was done, it is undone.
func (c *creation) register(ctx context.Context, n catalog.NewTenant) (t catalog.Tenant, err error) {
	err = c.step(ctx, n.ID, Registering, func() error {
		t, err = c.cfg.Catalog.Create(ctx, n)
		return err
	})
	if err == nil || errors.Is(err, tenancy.ErrTenantExists) || errors.Is(err, tenancy.ErrInvalidTenant) || errors.Is(err, tenancy.ErrInvalidConfig) {
		return t, err
	}
	after, cancel := lasting(ctx)
	defer cancel()
	t, looked := c.cfg.Catalog.Read(after, n.ID)
	switch {
	case errors.Is(looked, tenancy.ErrTenantNotFound):
		return t, err
	case looked != nil || t.State != catalog.Creating:
		return t, withUndo(err, looked)
	}
	return t, c.undoing.after(ctx, err)
}

func (c *creation) run(ctx context.Context) error {
	steps := []struct {
		step Step
		do   func(context.Context) error
		skip bool
	}{
		{step: Claiming, do: c.claim},
		{step: Storing, do: c.store, skip: c.shared()},
		{step: MakeTables, do: c.tables},
		{step: MakeKeys, do: c.makeKeys, skip: !c.cfg.Keys || !c.shared()},
		{step: Securing, do: c.secure},
		{step: Referencing, do: c.copyReference, skip: len(c.cfg.Reference) == 0 || c.tenant.Shape != catalog.OwnDatabase},
		{step: Seeding, do: c.seed, skip: c.cfg.Seed == nil},
		{step: Activating, do: c.activate},
	}
	for _, s := range steps {
		if s.skip {
			continue
		}
		if err := c.step(ctx, c.tenant.ID, s.step, func() error {
			if err := c.lock.check(ctx); err != nil {
				return err
			}
			return s.do(ctx)
		}); err != nil {
			return err
		}
	}
	return nil
}

// shared tells whether the tenant lives in tables that others share.
func (c *creation) shared() bool { return isShared(c.tenant) }

func isShared(t catalog.Tenant) bool { return t.Shape == catalog.SharedTables }

// claim makes sure that there is nothing yet that undoing would destroy, and notes in the catalog that from now on all that goes by
// the tenant's names was made for it.
func (c *creation) claim(ctx context.Context) (err error) {
	taken, err := c.storage(c.tenant).there(ctx)
	if err != nil {
		return err
	}
	if taken != "" {
		return fmt.Errorf("%w: there is %s already, of which the catalog knows nothing: enter it with catalog.Create and Activate if it is the tenant's, or remove it", tenancy.ErrTenantExists, taken)
	}
	t, err := c.cfg.Catalog.Place(ctx, c.tenant, c.tenant.Placement, c.tenant.Shape, claimed)
	if err == nil {
		c.tenant = t
	}
	return err
}

// The reasons of the changes that say so, and that it is not so after all: see [Provisioner.hasClaimed].
const (
	claimed = "provision: its place is free"
	taken   = "provision: its place was taken by somebody else"
)

// hasClaimed tells whether what is at the place of a tenant in the state creating was made for it. Its last change says so, and,
// if Tables has made another one since, the history.
func (p *Provisioner) hasClaimed(ctx context.Context, t catalog.Tenant) (claimedIt bool, err error) {
	if t.Reason == claimed || t.Reason == taken {
		return t.Reason == claimed, nil
	}
	for e, err := range p.cfg.Catalog.History(ctx, t.ID) {
		switch {
		case err != nil:
			return false, err
		case e.What == catalog.Created, e.What == catalog.Placed && e.Reason == taken:
			claimedIt = false // by an earlier tenant, or not any more
		case e.What == catalog.Placed && e.Reason == claimed:
			claimedIt = true
		}
	}
	return claimedIt, nil
}

// tables makes the tables. What Tables notes in the catalog, such as their version, is a change of the tenant.
func (c *creation) tables(ctx context.Context) error {
	if err := c.makeTables(ctx); err != nil {
		return err
	}
	t, err := c.cfg.Catalog.Read(ctx, c.tenant.ID)
	if err == nil && t.State != catalog.Creating {
		err = fmt.Errorf("%w: it is %s by now", catalog.ErrIllegalState, t.State)
	}
	if err == nil {
		c.tenant = t
	}
	return err
}

// store makes the tenant's storage. If somebody else was faster, the claim is taken back, so that nobody removes what is his.
func (c *creation) store(ctx context.Context) error {
	err := c.storage(c.tenant).make(ctx)
	if other, ok := errors.AsType[*takenError](err); ok {
		c.undoing.taken = true
		after, cancel := lasting(ctx)
		defer cancel()
		if _, noted := c.cfg.Catalog.Place(after, c.tenant, c.tenant.Placement, c.tenant.Shape, taken); noted != nil {
			err = errors.Join(other, noted)
		}
		return err
	}
	if err == nil {
		c.undoing.made = c.tenant.Placement.Schema
		if c.tenant.Shape == catalog.OwnDatabase {
			c.undoing.made = c.tenant.Placement.Shard
		}
	}
	return err
}

func (c *creation) seed(ctx context.Context) error {
	ctx, db := c.of(ctx, c.tenant)
	return db.Transaction(func(tx *gorm.DB) error { return c.cfg.Seed(ctx, tx, c.tenant) })
}

// activate ends a creation. What comes of it does not depend on when ctx ends.
func (c *creation) activate(ctx context.Context) error {
	t, err := c.cfg.Catalog.SetState(ctx, c.tenant, catalog.Active, "")
	if err == nil {
		c.tenant = t
		return nil
	}
	after, cancel := lasting(ctx)
	defer cancel()
	if t, looked := c.cfg.Catalog.Read(after, c.tenant.ID); looked == nil && t.State == catalog.Active {
		c.tenant = t // only the answer was lost
		return nil
	}
	return err
}

// undoTime is the most that undoing may take.
const undoTime = 2 * time.Minute

// lasting returns a context for what must be done though ctx has ended.
func lasting(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), undoTime)
}
