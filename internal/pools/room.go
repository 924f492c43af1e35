package pools

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// reservation is the room that one database takes, as long as it may have connections.
//
// The room of a database that is closed to make place is free only after it is closed: then connections never exceed the
// bound, not even while old ones are being closed and new ones opened.
type reservation struct{ databases, connections int }

// seat is a place in the queue for room.
type seat struct{ wake chan struct{} }

// makeRoom reserves what is needed, closing databases that are not in use for it, or waits until that is possible.
func (s *Set) makeRoom(ctx context.Context, f *flight, need reservation) error {
	ctx, cancel := s.detach(ctx, s.options.Wait)
	defer cancel()
	own := &seat{wake: make(chan struct{}, 1)}
	s.mu.Lock()
	s.waiting.Add(1) // before it looks what is in use, see Database.Done
	s.queue = append(s.queue, own)
	f.queued, f.abandon = true, cancel
	for {
		if ctx.Err() != nil { // before anything else: another flight may be opening the same database already
			s.leaveQueue(f, own)
			s.mu.Unlock()
			return s.overloaded(f.name, fmt.Sprintf("all databases that may be open (at most %d) were in use for %s",
				s.options.Databases, s.options.Wait), nil)
		}
		first := s.queue[0] == own
		if first {
			if victims, ok := s.reserve(need); ok {
				s.leaveQueue(f, own)
				s.mu.Unlock()
				s.shut(victims, need)
				return nil
			}
		}
		s.mu.Unlock()
		own.sleep(ctx, first)
		s.mu.Lock()
	}
}

// sleep waits until there may be room. A sql.Rows or a transaction that ends after its lease gives no sign, so the first in
// the queue also looks from time to time.
func (w *seat) sleep(ctx context.Context, first bool) {
	var again <-chan time.Time
	if first {
		timer := time.NewTimer(lookAgain)
		defer timer.Stop()
		again = timer.C
	}
	select {
	case <-w.wake:
	case <-again:
	case <-ctx.Done():
	}
}

// leaveQueue makes the next one look. s.mu is held.
func (s *Set) leaveQueue(f *flight, own *seat) {
	f.queued = false
	s.waiting.Add(-1)
	s.queue = slices.DeleteFunc(s.queue, func(w *seat) bool { return w == own })
	s.wakeFirst()
}

// wakeFirst makes the first in the queue look. s.mu is held.
func (s *Set) wakeFirst() {
	if len(s.queue) == 0 {
		return
	}
	select {
	case s.queue[0].wake <- struct{}{}:
	default: // it will look anyway
	}
}

// reserve takes what is needed if that is free or can be had by closing the databases it returns, the least recently used
// ones of those that are not in use. Their room is taken over, so they must be closed before anything new is opened.
// s.mu is held.
func (s *Set) reserve(need reservation) (victims []*Database, ok bool) {
	lacking := reservation{databases: s.databases + need.databases - s.options.Databases}
	if s.options.Total > 0 {
		lacking.connections = s.connections + need.connections - s.options.Total
	}
	if lacking.databases > 0 || lacking.connections > 0 {
		idle := slices.DeleteFunc(s.all(), func(d *Database) bool { return d.pinned || d.leases.Load() != 0 })
		slices.SortFunc(idle, func(a, b *Database) int { return cmp.Compare(a.used.Load(), b.used.Load()) })
		for _, d := range idle {
			if lacking.databases <= 0 && lacking.connections <= 0 {
				break
			}
			if d.claim() {
				victims = append(victims, d)
				lacking.databases -= d.reserved.databases
				lacking.connections -= d.reserved.connections
			}
		}
		if lacking.databases > 0 || lacking.connections > 0 {
			for _, d := range victims {
				d.unclaim()
			}
			return nil, false
		}
	}
	for _, d := range victims {
		s.withdraw(d)
	}
	held := sum(victims)
	s.databases += max(need.databases-held.databases, 0)
	s.connections += max(need.connections-held.connections, 0)
	return victims, true
}

func sum(databases []*Database) reservation {
	var all reservation
	for _, d := range databases {
		all.databases += d.reserved.databases
		all.connections += d.reserved.connections
	}
	return all
}

// withdraw makes sure that nobody finds d, which is claimed. s.mu is held.
func (s *Set) withdraw(d *Database) {
	s.opened.Delete(d.name)
	s.closing[d.name] = make(chan struct{})
}

// shut closes databases that have been withdrawn, and gives back what they had reserved beyond kept.
func (s *Set) shut(victims []*Database, kept reservation) {
	var wait sync.WaitGroup
	for _, d := range victims {
		wait.Go(func() {
			_ = d.close() // nobody uses it, and nobody is left to be told
			s.tell(s.options.Closed, d.name)
			s.mu.Lock()
			defer s.mu.Unlock()
			close(s.closing[d.name])
			delete(s.closing, d.name)
		})
	}
	wait.Wait()
	held := sum(victims)
	s.release(reservation{
		databases:   max(held.databases-kept.databases, 0),
		connections: max(held.connections-kept.connections, 0),
	})
}

// release gives room back.
func (s *Set) release(r reservation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.databases -= r.databases
	s.connections -= r.connections
	s.wakeFirst()
}
