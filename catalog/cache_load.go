package catalog

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	// loadLimit is how long the master may take to answer for one tenant.
	loadLimit = 5 * time.Second
	// loadAttempts is how often one is read again because changes came in between.
	loadAttempts = 3
)

// flight is one reading of a tenant, however many wait for it.
type flight struct {
	done   chan struct{}
	tenant *record // nil: there is none. Set before done is closed, as is err
	err    error
}

// load returns a tenant that is not in the cache. Each caller waits within its own context; the reading goes on for the others.
func (c *cache) load(ctx context.Context, k key, hash uint64, began time.Time) (*record, error) {
	if checkName(k.text, longestName) != nil { // databases would refuse it, or cut it off
		return nil, notFound()
	}
	f, r, err := c.join(ctx, k, hash, began)
	if f == nil {
		return r, err
	}
	select {
	case <-f.done:
	case <-ctx.Done():
		return nil, &unavailable{"it was being looked up when the context ended", ctx.Err()}
	}
	if f.tenant == nil && f.err == nil {
		return nil, notFound()
	}
	return f.tenant, f.err
}

// join returns the flight to wait for, or what there is without one.
func (c *cache) join(ctx context.Context, k key, hash uint64, began time.Time) (*flight, *record, error) {
	p := c.part(hash)
	p.mu.Lock()
	defer p.mu.Unlock()
	if r := p.find(hash, k); r != nil {
		return nil, r, nil
	}
	if p.lacks(k, began) {
		return nil, nil, notFound()
	}
	if f := p.flights[k]; f != nil { // it does not land with what is older than the check that this look-up relies on
		return f, nil, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, &unavailable{"the context had ended before it was looked up", err}
	}
	if err := c.watch.outOfReach(began); err != nil {
		return nil, nil, err
	}
	f := &flight{done: make(chan struct{})}
	if !c.watch.spawn(func(ctx context.Context) { c.fly(ctx, f, p, k, hash) }) {
		return nil, nil, errClosed()
	}
	if p.flights == nil {
		p.flights = map[key]*flight{}
	}
	p.flights[k] = f
	return f, nil, nil
}

// fly reads a tenant until what it has read may come into the cache. Where changes keep coming, the last attempt answers those
// who were waiting when it began, and nobody else.
func (c *cache) fly(ctx context.Context, f *flight, p *part, k key, hash uint64) {
	err := errGone
	var r *record
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("catalog: panic: %v", v)
		}
		p.leave(k, f)
		f.tenant = r
		if err != nil {
			f.tenant, f.err = nil, c.unreachable(err)
		}
		close(f.done)
	}()
	ctx, cancel := context.WithTimeout(ctx, loadLimit)
	defer cancel()
	for attempt := 1; ; attempt++ {
		if attempt == loadAttempts {
			p.leave(k, f)
		}
		var done bool
		if r, done, err = c.attempt(ctx, f, p, k, hash); done || err != nil || attempt == loadAttempts {
			return
		}
	}
}

// attempt reads a tenant once; done means that it is in the cache, or is known to be absent.
func (c *cache) attempt(ctx context.Context, f *flight, p *part, k key, hash uint64) (r *record, done bool, err error) {
	restarts := c.restarts.Load()
	t, found, asOf, err := c.source.load(ctx, k)
	if err != nil {
		return nil, false, err
	}
	own := hash
	if found {
		if k.kind != byID {
			own = c.hash(key{byID, string(t.ID)})
		}
		r = c.newRecord(t, own, asOf)
	}
	if found && k.kind != byID {
		var in bool
		if r, in = c.put(r, own, restarts); !in || !r.answers(k) {
			return r, false, nil
		}
	}
	r, done = c.land(f, p, k, hash, r, asOf, restarts)
	return r, done, nil
}

// land brings into the cache what was read and ends the flight, in one step: who comes later finds it there. What was changed
// since it was read stays out.
func (c *cache) land(f *flight, p *part, k key, hash uint64, r *record, asOf, restarts int64) (*record, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.dropped > asOf, c.restarts.Load() != restarts:
		return r, false
	case r == nil:
		now := time.Now()
		p.remember(k, absence{now.Add(c.notFoundFor), asOf}, now)
	case k.kind == byID:
		r = c.putTenant(p, r, hash)
	case r.has(gone):
		return r, false
	default:
		c.putAlias(p, hash, k, r)
	}
	if p.flights[k] == f {
		delete(p.flights, k)
	}
	return r, true
}

// leave keeps others from joining a flight.
func (p *part) leave(k key, f *flight) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.flights[k] == f {
		delete(p.flights, k)
	}
}

var errGone = errors.New("catalog: the goroutine that looked it up has ended")
