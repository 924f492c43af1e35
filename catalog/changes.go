package catalog

import (
	"context"
	"fmt"
	"time"

	"github.com/gormtenancy/tenancy"
)

// Create adds a tenant in the state [Creating], and chooses its place. Names of own schemas and databases are Config's prefix
// and the ID; if there was an earlier tenant with this ID, or the name is taken, _2, _3 and so on follow. It makes no storage:
// package provision does. [tenancy.ErrTenantExists] says what is taken.
func (c *Catalog) Create(ctx context.Context, n NewTenant) (Tenant, error) {
	t, err := n.tenant()
	if err != nil {
		return Tenant{}, err
	}
	return c.made(ctx, func(ctx context.Context, w *writer) (Tenant, error) {
		t := t // a change that is tried again begins anew
		err := w.create(ctx, &t, n.On, c.cfg)
		return t, err
	})
}

// SetState brings a tenant into another state. Its Epoch must be the current one, else it is [ErrChanged]; with 0 it is not
// looked at. A change that [State] does not allow is [ErrIllegalState]. Suspended and dropping tenants need a reason.
func (c *Catalog) SetState(ctx context.Context, t Tenant, to State, reason string) (Tenant, error) {
	return c.changed(ctx, t, func(ctx context.Context, w *writer, t *Tenant) error { return w.setState(ctx, t, to, reason) })
}

// Activate makes a tenant [Active], whatever was changed since it was read.
func (c *Catalog) Activate(ctx context.Context, id tenancy.ID, reason string) (Tenant, error) {
	return c.SetState(ctx, Tenant{ID: id}, Active, reason)
}

// Suspend makes a tenant [Suspended], whatever was changed since it was read.
func (c *Catalog) Suspend(ctx context.Context, id tenancy.ID, reason string) (Tenant, error) {
	return c.SetState(ctx, Tenant{ID: id}, Suspended, reason)
}

// Update changes the name, the domains and the attributes of a tenant into those of t. Its Epoch must be the current one, as
// with [Catalog.SetState].
func (c *Catalog) Update(ctx context.Context, t Tenant) (Tenant, error) {
	if t.Name == "" {
		t.Name = string(t.ID)
	}
	if err := t.tidy(); err != nil {
		return Tenant{}, err
	}
	return c.changed(ctx, t, func(ctx context.Context, w *writer, now *Tenant) error { return w.update(ctx, now, t) })
}

// Place brings a tenant to another place while it is [Moving], or [Creating]. It moves no rows. Its Epoch must be the current one,
// as with [Catalog.SetState]. The shard of an own database must have been added, with Own and Host.
func (c *Catalog) Place(ctx context.Context, t Tenant, at tenancy.Placement, shape Shape, reason string) (Tenant, error) {
	if err := checkPlacement(at); err != nil {
		return Tenant{}, err
	}
	if err := checkShape(at, shape); err != nil {
		return Tenant{}, err
	}
	return c.changed(ctx, t, func(ctx context.Context, w *writer, t *Tenant) error { return w.place(ctx, t, at, shape, reason) })
}

// Remove takes a tenant that is [Creating] or [Dropping] out of the catalog, with its domains and the shard that it had alone. Its
// history stays. Its Epoch must be the current one, as with [Catalog.SetState]. It removes no storage: package provision does.
func (c *Catalog) Remove(ctx context.Context, t Tenant, reason string) error {
	_, err := c.changed(ctx, t, func(ctx context.Context, w *writer, t *Tenant) error { return w.remove(ctx, *t, reason) })
	return err
}

// changed changes the tenant that t names, if it is as t says.
func (c *Catalog) changed(ctx context.Context, t Tenant, do func(ctx context.Context, w *writer, now *Tenant) error) (Tenant, error) {
	return c.made(ctx, func(ctx context.Context, w *writer) (Tenant, error) {
		now, err := w.tenant(ctx, t.ID, t.Epoch)
		if err != nil {
			return Tenant{}, err
		}
		err = do(ctx, w, &now)
		return now, err
	})
}

// made returns the tenant that a change has made of another, or of none.
func (c *Catalog) made(ctx context.Context, do func(ctx context.Context, w *writer) (Tenant, error)) (t Tenant, err error) {
	err = c.change(ctx, func(ctx context.Context, w *writer) error {
		t, err = do(ctx, w)
		return err
	})
	if err != nil {
		return Tenant{}, err
	}
	c.drained.note(t, time.Now())
	return t, nil
}

// AddShard adds a shard, which takes tenants from then on, in all processes. One of this name is [ErrShardExists].
func (c *Catalog) AddShard(ctx context.Context, s Shard) error {
	s, err := s.checked()
	if err != nil {
		return err
	}
	return c.change(ctx, func(ctx context.Context, w *writer) error { return w.addShard(ctx, s) })
}

// UpdateShard changes the DSNs, the attributes and the shapes of a shard, and whether it is closed, into those of s. Its Epoch
// must be the current one, else it is [ErrChanged]; with 0 it is not looked at. Pools that are open already stay as they are.
func (c *Catalog) UpdateShard(ctx context.Context, s Shard) error {
	s, err := s.checked()
	if err != nil {
		return err
	}
	return c.change(ctx, func(ctx context.Context, w *writer) error { return w.updateShard(ctx, s) })
}

// RemoveShard removes a shard. While tenants are in it, or have databases beside it, it is [ErrShardInUse].
func (c *Catalog) RemoveShard(ctx context.Context, name string) error {
	return c.change(ctx, func(ctx context.Context, w *writer) error { return w.removeShard(ctx, name) })
}

// SetBytes notes how large a shard is, for [LeastBytes]. It is no change: it has no epoch, and is not in the history.
func (c *Catalog) SetBytes(ctx context.Context, shard string, bytes int64) error {
	if bytes < 0 {
		return fmt.Errorf("%w: a shard has no negative number of bytes", tenancy.ErrInvalidConfig)
	}
	return c.store.setBytes(ctx, shard, bytes)
}
