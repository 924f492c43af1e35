package pools

import (
	"context"
	"errors"
	"math"
	"sync"
	"sync/atomic"

	"gorm.io/gorm"
)

// beingClosed is added to the leases of a database that is being closed: their number is then negative, whoever comes.
const beingClosed = math.MinInt64 / 2

// Database is one open database. What it returns is to be used only by who holds a lease of it, from [Set.Lease], and
// before Done; transactions and sql.Rows that were begun before may be finished after it.
type Database struct {
	set      *Set
	name     string
	home     bool // it is not ours, so neither leased nor closed
	pinned   bool // outside the limits
	reserved reservation
	spec     Spec
	primary  *Pool
	admin    *part // nil: there is none
	replicas []*replica
	wal      wal

	leases atomic.Int64
	used   atomic.Int64 // when a lease ended, as of Set.now

	mu      sync.Mutex    // guards changed
	changed chan struct{} // closed, and replaced, when something that Replica may wait for has ended
}

func (s *Set) newDatabase(spec Spec, primary gorm.ConnPool, ours bool) *Database {
	d := &Database{set: s, name: spec.Name, home: spec.Name == "", spec: spec, changed: make(chan struct{})}
	d.primary = newPool(d, primary, tolerated, ours)
	if spec.Admin != nil {
		d.admin = newPart(d, spec.Admin, tolerated)
	}
	for _, dialector := range spec.Replicas {
		// One failure is enough, as there are others to read from.
		d.replicas = append(d.replicas, &replica{part: newPart(d, dialector, 1)})
	}
	return d
}

// lease reports whether d may be used; if so, Done must follow.
func (d *Database) lease() bool {
	if d.home {
		return true
	}
	if d.leases.Add(1) > 0 {
		return true
	}
	d.leases.Add(-1)
	return false
}

// Done ends a lease. It must be called once for each.
func (d *Database) Done() {
	if d.home {
		return
	}
	d.used.Store(d.set.now())
	// Whoever waits for room counts itself before it looks at the leases, so one of the two sees the other.
	if d.leases.Add(-1) == 0 && d.set.waiting.Load() > 0 {
		d.set.release(reservation{})
	}
}

// claim reports whether d is not in use; if so, nobody can lease it any more, until unclaim.
func (d *Database) claim() bool {
	if !d.leases.CompareAndSwap(0, beingClosed) {
		return false
	}
	// From here on nobody can begin to use a connection, so what is not in use now will not be.
	if d.inUse() {
		d.unclaim()
		return false
	}
	return true
}

func (d *Database) unclaim() { d.leases.Add(-beingClosed) }

func (d *Database) inUse() bool {
	for _, p := range d.pools() {
		if p.inUse() {
			return true
		}
	}
	return false
}

// pools returns the pools that have been opened.
func (d *Database) pools() []*Pool {
	pools := []*Pool{d.primary}
	for _, p := range d.parts() {
		if pool := p.pool.Load(); pool != nil {
			pools = append(pools, pool)
		}
	}
	return pools
}

// parts returns what is opened on first need.
func (d *Database) parts() []*part {
	parts := make([]*part, 0, len(d.replicas)+1)
	for _, r := range d.replicas {
		parts = append(parts, r.part)
	}
	if d.admin != nil {
		parts = append(parts, d.admin)
	}
	return parts
}

func (d *Database) close() error {
	errs := []error{d.primary.close()}
	for _, p := range d.parts() {
		errs = append(errs, p.close())
	}
	return errors.Join(errs...)
}

// Name returns the name of the database, "" for the one that gorm.Open opened.
func (d *Database) Name() string { return d.name }

// HasReplicas reports whether the database has replicas, fit to be read or not.
func (d *Database) HasReplicas() bool { return len(d.replicas) > 0 }

// HasAdmin reports whether the database has a pool for administration.
func (d *Database) HasAdmin() bool { return d.admin != nil }

// Primary returns the primary. It fails with Unavailable for a while if statements could not reach it; then one at a time
// is let through to find out, so the end of each should be told to [Pool.Report].
func (d *Database) Primary() (*Pool, error) { return d.usable(d.primary) }

func (d *Database) usable(p *Pool) (*Pool, error) {
	if p.health.state.Load() != broken {
		return p, nil
	}
	if now := d.set.now(); !p.health.admit(now) {
		return nil, d.set.broken(d.name, &p.health, now)
	}
	return p, nil
}

// Admin returns the pool for administration, which is opened on first need: nil without an error if there is none. It
// fails with Unavailable as Primary does, and if it cannot be opened.
func (d *Database) Admin(ctx context.Context) (*Pool, error) {
	if d.admin == nil {
		return nil, nil //nolint:nilnil // there may be none
	}
	if d.set.closed.Load() {
		return nil, errClosed
	}
	p, err := d.admin.await(ctx)
	if err != nil {
		return nil, err
	}
	return d.usable(p)
}

// announce wakes those who wait for a replica.
func (d *Database) announce() {
	d.mu.Lock()
	defer d.mu.Unlock()
	close(d.changed)
	d.changed = make(chan struct{})
}

// change returns a channel that the next announcement closes.
func (d *Database) change() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.changed
}
