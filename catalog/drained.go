package catalog

import (
	"sync"
	"time"

	"github.com/gormtenancy/tenancy"
)

// drained knows when this process learned of changes: they had been committed by then. No clock of another machine is in
// it, and a COMMIT that took long is not either.
type drained struct {
	mu    sync.Mutex
	known map[lastChange]time.Time
}

// lastChange is one change of one tenant. The epoch alone would not do: a master that was restored from a copy uses some again.
type lastChange struct {
	tenant  tenancy.ID
	epoch   int64
	updated int64
}

// mostDrained bounds what is remembered. Who asks for a change that has been forgotten waits once more.
const mostDrained = 10_000

// note returns when the last change of t was first known to be committed.
func (d *drained) note(t Tenant, now time.Time) time.Time {
	last := lastChange{t.ID, t.Epoch, micros(t.UpdatedAt)}
	d.mu.Lock()
	defer d.mu.Unlock()
	if first, ok := d.known[last]; ok {
		return first
	}
	if d.known == nil || len(d.known) >= mostDrained {
		d.known = map[lastChange]time.Time{}
	}
	d.known[last] = now
	return now
}

// Drained returns from when on no process with the master in reach acts on what was before the last change of t: when that
// has been committed, and the largest MaxStale of all processes that have opened the catalog has passed. It is a time of this process's
// clock. For a change that another process has made, it counts from the first call for it.
func (c *Catalog) Drained(t Tenant) time.Time {
	return c.drained.note(t, time.Now()).Add(c.store.maxStale())
}
