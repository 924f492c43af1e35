package provision

import (
	"context"
	"errors"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/catalog"
)

// errLocked means that another process, or another goroutine, works on the tenant.
var errLocked = catalog.ErrLocked

// lock keeps others from working on a tenant.
type lock struct{ held *catalog.Lock }

// lock takes the lock of a tenant, if it is free.
func (p *Provisioner) lock(ctx context.Context, id tenancy.ID) (*lock, error) {
	held, err := p.cfg.Catalog.TryLock(ctx, "provision tenant "+string(id))
	if err != nil {
		return nil, err
	}
	return &lock{held}, nil
}

// lockPlace waits for the lock of a place that tenants share.
func (p *Provisioner) lockPlace(ctx context.Context, at tenancy.Placement) (*lock, error) {
	held, err := p.cfg.Catalog.AcquireLock(ctx, "provision place "+at.Shard+"\x00"+at.TableSuffix)
	if err != nil {
		return nil, err
	}
	return &lock{held}, nil
}

// check makes sure that the lock is still held: with the connection that holds it, it can be lost.
func (l *lock) check(ctx context.Context) error {
	if err := l.held.Check(ctx); err != nil {
		return errors.Join(errors.New("the lock on the tenant was lost, and another process may work on it"), err)
	}
	return nil
}

// release gives the lock back. A lock that cannot be given back is lost with its connection.
func (l *lock) release(ctx context.Context) {
	ctx, cancel := lasting(ctx)
	defer cancel()
	_ = l.held.Release(ctx)
}
