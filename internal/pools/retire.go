package pools

import (
	"context"
	"time"
)

// Retire closes a database when nothing uses it any more, after a minute at the latest, and forgets that it was unknown or
// could not be reached. It does not wait for that, if the database is in use. Who needs the name in the meantime waits until
// the database is closed, and opens another.
func (s *Set) Retire(name string) {
	s.mu.Lock()
	if s.closed.Load() || name == "" {
		s.mu.Unlock()
		return
	}
	delete(s.missing, name)
	if f := s.flights[name]; f != nil {
		s.mu.Unlock()
		s.retireOpened(f)
		return
	}
	if t := s.troubles[name]; t != nil && t.hanging.Load() == 0 {
		delete(s.troubles, name)
	}
	v, ok := s.opened.Load(name)
	if !ok {
		s.mu.Unlock()
		return
	}
	d := v.(*Database) //nolint:errcheck // nothing else is stored
	d.leases.Add(beingClosed)
	s.withdraw(d)
	s.retiring.Add(1) // under s.mu, or else Close might not wait for it
	s.mu.Unlock()
	if d.retired() {
		defer s.retiring.Done()
		s.shut([]*Database{d}, reservation{})
		return
	}
	ctx, cancel := s.detach(context.Background(), retireTime) //nolint:forbidigo // it ends with the Set
	go func() {
		defer s.retiring.Done()
		defer cancel()
		d.awaitRetired(ctx)
		s.shut([]*Database{d}, reservation{})
	}()
}

// retireOpened retires a database that is being opened: who waits for it gets it first.
func (s *Set) retireOpened(f *flight) {
	go func() {
		<-f.done
		s.Retire(f.name)
	}()
}

// retired tells whether nobody uses a database any more that cannot be leased.
func (d *Database) retired() bool { return d.leases.Load() == beingClosed && !d.inUse() }

// awaitRetired waits for that. A sql.Rows or a transaction that ends after its lease gives no sign.
func (d *Database) awaitRetired(ctx context.Context) {
	again := time.NewTicker(lookAgain)
	defer again.Stop()
	for !d.retired() {
		select {
		case <-again.C:
		case <-ctx.Done():
			return
		}
	}
}
