package catalog

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// check is one look at the master, however many wait for it.
type check struct{ done chan struct{} }

// attempts of a check follow each other at once: the first may have met a connection that had died unnoticed, or have run
// out of time because this process was stopped.
const attempts = 2

// wait returns whether the check ended before ctx did.
func (c *check) wait(ctx context.Context) bool {
	select {
	case <-c.done:
		return true
	case <-ctx.Done():
		return false
	}
}

// fresh tells whether the cache may answer a look-up that began at a time.
func (w *watch) fresh(began time.Time) bool { return !older(began, w.standing.Load().asOf, w.maxStale) }

// renew waits until the cache may answer a look-up that began at a time: a check was successful, or the master is out of reach
// and Outage is not over.
func (w *watch) renew(ctx context.Context, began time.Time) error {
	patience := time.NewTimer(attempts*w.limit + leastLimit) // should a driver not listen to its context
	defer patience.Stop()
	for {
		if w.closed() {
			return errClosed()
		}
		now, s := time.Now(), w.standing.Load()
		switch {
		case !older(began, s.asOf, w.maxStale):
			return nil
		case s.recentlyFailed(now, w.grace):
			return w.despite(s, now)
		}
		c, _ := w.ask()
		if c == nil {
			return errClosed()
		}
		select {
		case <-c.done:
		case <-ctx.Done():
			return &unavailable{"the context ended while the master database was asked for changes", ctx.Err()}
		case <-patience.C:
			return w.despite(&standing{asOf: s.asOf, cause: context.DeadlineExceeded}, time.Now())
		}
	}
}

func (s *standing) recentlyFailed(now time.Time, grace time.Duration) bool {
	return !s.failed.IsZero() && !older(now, s.failed, grace)
}

// despite returns nil if look-ups are answered although the master is out of reach. It is in reach if only the pool had no
// connection.
func (w *watch) despite(s *standing, now time.Time) error {
	if errors.Is(s.cause, errStarved) {
		return &unavailable{fmt.Sprintf("all connections of the master's pool are in use, so that it cannot be asked for changes: allow it %d or more", fewestForLocks), s.cause}
	}
	if w.outage > 0 && !older(now, s.asOf, w.outage) {
		return nil
	}
	return &unavailable{fmt.Sprintf("the master database has not answered for %s", now.Sub(s.asOf).Round(time.Millisecond)), s.cause}
}

// outOfReach returns an error if the master did not answer a moment ago: what is not in the cache is not asked for then.
func (w *watch) outOfReach(now time.Time) error {
	if s := w.standing.Load(); s.recentlyFailed(now, w.grace) {
		return &unavailable{"the master database does not answer, and it is not cached", s.cause}
	}
	return nil
}

// ask returns the check under way, or starts one; mine tells which. It is nil after stop.
func (w *watch) ask() (c *check, mine bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.checks != nil {
		return w.checks, false
	}
	c = &check{done: make(chan struct{})}
	if !w.spawnHeld(func(ctx context.Context) { w.run(ctx, c) }) {
		return nil, false
	}
	w.checks = c
	return c, true
}

// run makes a check and notes what came of it.
func (w *watch) run(ctx context.Context, c *check) {
	s := standing{asOf: w.standing.Load().asOf, cause: errGone}
	defer func() {
		if v := recover(); v != nil {
			s.cause = fmt.Errorf("catalog: panic: %v", v)
		}
		if s.cause != nil {
			s.failed = time.Now()
			w.failures.Add(1)
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.checks = nil
		if !w.ended {
			w.standing.Store(&s)
		}
		close(c.done)
	}()
	for range attempts {
		began := time.Now()
		if s.cause = w.catchUp(ctx); s.cause == nil {
			s.asOf, w.noOther = began, 0
			return
		}
	}
	if errors.Is(s.cause, errNoOther) {
		if w.noOther++; w.noOther > mostNoOther {
			s.cause = fmt.Errorf("%w: %w", errStarved, s.cause)
		}
	}
}

// mostNoOther is how many checks may find no connection at all before the master counts as in reach, and the pool as used up.
// Look-ups that wait for a master out of reach give their connections back before.
const mostNoOther = 2

// catchUp applies all changes that have been committed before it is called.
func (w *watch) catchUp(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, w.limit)
	defer cancel()
	epoch, err := w.source.epoch(ctx)
	if err != nil || epoch == w.seen {
		return err
	}
	changed, upTo, err := w.source.changes(ctx, w.seen)
	switch {
	case err != nil:
		return err
	case upTo < w.seen: // the master was restored from a copy
		w.cache.restart(upTo)
	default:
		w.cache.apply(changed...)
	}
	w.seen = upTo
	return nil
}
