package pools

import (
	"sync"
	"sync/atomic"
	"time"
)

const (
	shortestBackoff = 500 * time.Millisecond
	longestBackoff  = 30 * time.Second
	trialTime       = 5 * time.Second // a trial of which nothing has been heard for this long is given up
)

// states of a breaker
const (
	sound  int32 = iota
	shaken       // it has failed, but not often enough
	broken
)

// breaker keeps statements away from what has failed several times in a row: for a back-off, which doubles with every
// trial that fails. Times are those of Set.now. It must be made with its limit.
type breaker struct {
	limit int // failures in a row that break it
	state atomic.Int32
	until atomic.Int64 // while broken: when the next trial may be

	mu       sync.Mutex // guards what follows, and changes of state
	failures int
	backoff  time.Duration
	trial    int64 // when the trial under way began; 0: there is none
	cause    error // of the last failure
}

// admit reports whether something may be tried. If it is broken, that is the trial: nothing else is admitted until it has
// ended, or trialTime is over.
func (b *breaker) admit(now int64) bool {
	if b.state.Load() != broken {
		return true
	}
	if now < b.until.Load() {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.state.Load() != broken {
		return true
	}
	if now < b.until.Load() || (b.trial != 0 && now-b.trial < int64(trialTime)) {
		return false
	}
	b.trial = max(now, 1)
	return true
}

// fail takes note of a failure. What was under way when it broke, and fails now, says nothing new.
func (b *breaker) fail(now int64, cause error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failures++
	b.cause = cause
	switch {
	case b.state.Load() == broken && b.trial == 0:
	case b.state.Load() == broken, b.failures >= b.limit:
		b.open(now)
	default:
		b.state.Store(shaken)
	}
}

// trip breaks it at once, or prolongs the back-off.
func (b *breaker) trip(now int64, cause error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failures++
	b.cause = cause
	b.open(now)
}

func (b *breaker) open(now int64) {
	b.backoff = min(max(2*b.backoff, shortestBackoff), longestBackoff)
	b.trial = 0
	b.until.Store(now + int64(b.backoff))
	b.state.Store(broken)
}

// succeed mends it.
func (b *breaker) succeed() {
	if b.state.Load() == sound {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failures, b.backoff, b.trial, b.cause = 0, 0, 0, nil
	b.state.Store(sound)
}

// inconclusive ends a trial without a result: the next one may be at once.
func (b *breaker) inconclusive() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.trial = 0
}

// lastCause is the cause of the last failure, or nil.
func (b *breaker) lastCause() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.cause
}
