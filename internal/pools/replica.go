package pools

import (
	"context"
	"math/rand/v2"
	"reflect"
	"sync/atomic"
	"time"

	"gorm.io/gorm"
)

// replica is one replica of a database, and how far it is behind. Times are those of Set.now.
type replica struct {
	*part

	has       atomic.Int64 // all that was committed by this time; 0: not known
	asked     atomic.Int64 // when the last measurement began
	measured  atomic.Int64 // when the last one ended, well or not
	measuring atomic.Bool
}

// Replica returns a replica that is fit to be read, as far as is known: it answered, and is not further behind than MaxLag.
// Among several the Policy chooses. Nil means that there is none, so the primary is to be read.
//
// Replicas are opened, measured and tried again in the background while others are read. Only if there is no other one
// does it wait for that: a second at the most, and not beyond ctx.
func (d *Database) Replica(ctx context.Context) *Pool {
	if d.set.closed.Load() {
		return nil
	}
	if len(d.replicas) == 0 {
		return nil
	}
	p, wait := d.pick(ctx)
	if p != nil || !wait {
		return p
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		change := d.change()
		p, wait := d.pick(ctx)
		if p != nil || !wait || ctx.Err() != nil {
			return p
		}
		select {
		case <-change:
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

// pick returns a replica that is fit now, or else whether there soon may be one.
func (d *Database) pick(ctx context.Context) (p *Pool, wait bool) {
	var room [8]*Pool
	fit := room[:0]
	now := d.set.now()
	for _, r := range d.replicas {
		if p := r.fit(now); p != nil {
			fit = append(fit, p)
		}
		if r.tend(ctx, now) {
			wait = true
		}
	}
	switch {
	case len(fit) == 0:
		return nil, wait
	case len(fit) == 1:
		return fit[0], false
	case d.spec.Policy == nil:
		return fit[rand.IntN(len(fit))], false //nolint:gosec // nobody gains by guessing it
	}
	chosen := d.ask(fit)
	for _, p := range fit {
		if same(p.plain, chosen) {
			return p, false
		}
	}
	return fit[0], false
}

// ask has the Policy choose.
func (d *Database) ask(fit []*Pool) gorm.ConnPool {
	pools := make([]gorm.ConnPool, len(fit))
	for i, p := range fit {
		pools[i] = p.plain
	}
	d.set.policy.Lock()
	defer d.set.policy.Unlock()
	return d.spec.Policy.Resolve(pools)
}

// same is a == b, which panics for a ConnPool that cannot be compared.
func same(a, b gorm.ConnPool) bool {
	return a != nil && b != nil && reflect.TypeOf(a) == reflect.TypeOf(b) && reflect.ValueOf(a).Comparable() && a == b
}

// fit returns the replica's pool if it may be read.
func (r *replica) fit(now int64) *Pool {
	p := r.pool.Load()
	if p == nil || p.health.state.Load() != sound || !r.recent(now) {
		return nil
	}
	return p
}

// recent reports whether the replica is known not to be further behind than MaxLag.
func (r *replica) recent(now int64) bool {
	bound := r.of.spec.MaxLag
	if bound == 0 {
		return true
	}
	has := r.has.Load()
	return has != 0 && now-has <= int64(bound)
}

// tend starts what may make the replica fit, or keep it so, and reports whether that is worth waiting for.
func (r *replica) tend(ctx context.Context, now int64) (wait bool) {
	p := r.pool.Load()
	if p == nil {
		if t := &r.trouble; t.state.Load() == broken && now < t.until.Load() {
			return false // as start would find out, at a higher price
		}
		attempt, err := r.start(ctx)
		return err == nil && (attempt == nil || now-attempt.began < int64(patience))
	}
	if p.health.state.Load() != sound {
		if now >= p.health.until.Load() {
			p.probe(ctx)
		}
		return false
	}
	if r.of.spec.MaxLag == 0 {
		return false
	}
	return r.measure(ctx, now)
}
