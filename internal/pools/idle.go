package pools

import "time"

// arm has the janitor look in a while, unless it will anyway. s.mu is held.
func (s *Set) arm(in time.Duration) {
	if s.janitor == nil && !s.closed.Load() {
		s.janitor = time.AfterFunc(in, s.sweep)
	}
}

// sweep closes the databases that have been idle for long, and comes back when the next one will have been.
func (s *Set) sweep() {
	s.mu.Lock()
	s.janitor = nil
	if s.closed.Load() {
		s.mu.Unlock()
		return
	}
	var idle []*Database
	next, now := s.options.IdleTime, s.now()
	kept := false
	for _, d := range s.all() {
		if d.pinned {
			continue
		}
		rest := s.options.IdleTime - time.Duration(now-d.used.Load())
		if rest <= 0 && d.claim() {
			s.withdraw(d)
			idle = append(idle, d)
			continue
		}
		if rest <= 0 { // in use, so not idle yet
			rest = s.options.IdleTime
		}
		kept, next = true, min(next, rest)
	}
	if kept {
		s.arm(next)
	}
	s.mu.Unlock()
	s.shut(idle, reservation{})
}
