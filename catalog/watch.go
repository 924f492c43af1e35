package catalog

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// watch follows the changes of the master, and knows up to when the cache has them all.
//
// It asks for the catalog's epoch every quarter of MaxStale, and sooner if PostgreSQL notifies it. What counts is not that, but
// what a look-up sees: it compares the time at which the last successful check began with the clock, and if that is
// longer ago than MaxStale, it waits for a check. So nothing depends on a timer that fires in time, nor on a process that was
// not stopped in between.
//
// While the master is out of reach, look-ups do not wait: a check has just failed, and others follow.
type watch struct {
	source source
	cache  *cache

	maxStale time.Duration
	outage   time.Duration
	interval time.Duration // between checks
	apart    time.Duration // between checks that are asked for, if there are many
	limit    time.Duration // of one attempt of a check
	grace    time.Duration // how long after a failed check look-ups do not wait for the next one

	standing atomic.Pointer[standing]
	nudges   chan struct{} // with room for one
	failures atomic.Int64  // checks that failed
	seen     int64         // the epoch up to which changes have been applied; of the check under way
	noOther  int           // checks that ended with errNoOther, since one was successful; likewise

	mu      sync.Mutex
	checks  *check             // under way, or nil
	ctx     context.Context    // of all goroutines; nil before start
	cancel  context.CancelFunc // nil before start
	ended   bool
	running sync.WaitGroup
}

// standing is what the last check has found.
type standing struct {
	asOf   time.Time // the cache has all that was committed before
	failed time.Time // the end of the last check if it failed, else zero
	cause  error     // why it failed
}

const (
	leastLimit = time.Second // of an attempt: machines pause
	mostApart  = 50 * time.Millisecond
	mostRetry  = time.Second // between checks of a master that is out of reach
)

func newWatch(from source, c *cache, cfg Config) *watch {
	w := &watch{
		source: from, cache: c, maxStale: cfg.MaxStale, outage: cfg.Outage, interval: cfg.MaxStale / 4, apart: min(cfg.MaxStale/8, mostApart),
		limit: max(cfg.MaxStale/2, leastLimit), nudges: make(chan struct{}, 1),
	}
	// The next check has failed by then.
	w.grace = w.retry() + attempts*w.limit + leastLimit
	w.standing.Store(&standing{})
	return w
}

func (w *watch) retry() time.Duration { return min(w.interval, mostRetry) }

// start begins to follow. It fails if the master does not answer. The goroutines have the values of ctx, and end with stop.
func (w *watch) start(ctx context.Context) error {
	began := time.Now()
	epoch, err := w.source.epoch(ctx)
	if err != nil {
		return err
	}
	w.seen = epoch
	w.standing.Store(&standing{asOf: began})
	w.mu.Lock()
	w.ctx, w.cancel = context.WithCancel(context.WithoutCancel(ctx))
	w.mu.Unlock()
	w.spawn(w.follow)
	w.spawn(w.listen)
	return nil
}

// stop ends all goroutines and waits for them. Look-ups fail from now on.
func (w *watch) stop() {
	w.mu.Lock()
	w.ended = true
	if w.cancel != nil {
		w.cancel()
	}
	w.standing.Store(&standing{})
	w.mu.Unlock()
	w.running.Wait()
}

func (w *watch) closed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ended
}

// spawn runs do in a goroutine that stop waits for. It says no after stop, and before start.
func (w *watch) spawn(do func(ctx context.Context)) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.spawnHeld(do)
}

func (w *watch) spawnHeld(do func(ctx context.Context)) bool {
	if w.ended || w.ctx == nil {
		return false
	}
	ctx := w.ctx
	w.running.Go(func() { do(ctx) })
	return true
}

// nudge makes it check now.
func (w *watch) nudge() {
	select {
	case w.nudges <- struct{}{}:
	default: // one waits already
	}
}

// follow checks until ctx ends.
func (w *watch) follow(ctx context.Context) {
	timer := time.NewTimer(w.interval)
	defer timer.Stop()
	for {
		nudged := false
		select {
		case <-ctx.Done():
			return
		case <-w.nudges:
			nudged = true
			if !w.space(ctx) {
				return
			}
		case <-timer.C:
		}
		c, mine := w.ask()
		if c == nil || !c.wait(ctx) {
			return
		}
		if nudged && !mine { // it may have asked before what it was to find out
			w.nudge()
		}
		if w.standing.Load().failed.IsZero() {
			timer.Reset(w.interval)
		} else {
			timer.Reset(w.retry())
		}
	}
}

// space keeps checks apart that notifications ask for: in a burst of changes, one check finds many. It says no when ctx has ended.
func (w *watch) space(ctx context.Context) bool {
	wait := w.apart - time.Since(w.standing.Load().asOf)
	if wait <= 0 {
		return true
	}
	select {
	case <-ctx.Done():
		return false
	case <-time.After(wait):
		return true
	}
}

// older tells whether then is longer ago than limit. Go's monotonic clock decides, which on some systems stands still while the
// machine sleeps, and the wall clock, which somebody may set back.
func older(now, then time.Time, limit time.Duration) bool {
	return now.Sub(then) > limit || now.Round(0).Sub(then.Round(0)) > limit
}
