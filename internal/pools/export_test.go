package pools

// Remembered returns how many unknown names and how many failing ones are remembered.
func (s *Set) Remembered() (missing, troubles int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.missing), len(s.troubles)
}

// Reserved returns what is reserved.
func (s *Set) Reserved() (databases, connections int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.databases, s.connections
}

// JanitorRuns reports whether a timer is set.
func (s *Set) JanitorRuns() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.janitor != nil
}
