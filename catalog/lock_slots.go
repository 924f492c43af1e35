package catalog

import (
	"context"
	"fmt"
	"sync"

	"github.com/gormtenancy/tenancy"
)

// A lock keeps a connection of the master's pool, and who holds it needs others: for look-ups, for changes, for a second lock.
// If locks had all of them, nobody could go on. So their number is bounded where the pool's is: spare ones stay for
// everything else, one in four for locks that are taken by holders of one, and the rest for first ones. A pool without a bound
// may stand before a pooler or a server that has one.
const (
	mostForLocks     = 8
	spareConnections = 4 // for look-ups, for changes, and those that are kept for LISTEN and for asking for changes
	fewestForLocks   = spareConnections + 2
)

// lockSlots are the connections that locks may keep.
type lockSlots struct{ first, second slots }

// most returns how many locks there may be at once of each kind.
func mostLocks(connections int) (first, second int, err error) {
	forLocks := mostForLocks
	if connections > 0 {
		forLocks = min(connections-spareConnections, mostForLocks)
	}
	if forLocks < 2 {
		return 0, 0, fmt.Errorf("%w: catalog: the pool of the master may have %d connections, and locks in it need %d (SetMaxOpenConns)", tenancy.ErrInvalidConfig, connections, fewestForLocks)
	}
	second = max(1, forLocks/4)
	return forLocks - second, second, nil
}

// slots bounds how many hold something.
type slots struct {
	mu    sync.Mutex
	taken int
	freed chan struct{} // closed when one is free again; nil: nobody waits
}

// take waits for a slot. most may differ from call to call.
func (s *slots) take(ctx context.Context, most int) error {
	for {
		s.mu.Lock()
		if s.taken < most {
			s.taken++
			s.mu.Unlock()
			return nil
		}
		if s.freed == nil {
			s.freed = make(chan struct{})
		}
		freed := s.freed
		s.mu.Unlock()
		select {
		case <-freed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *slots) free() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken--
	if s.freed != nil {
		close(s.freed)
		s.freed = nil
	}
}
