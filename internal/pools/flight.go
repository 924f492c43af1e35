package pools

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// flight is one opening of a database, however many wait for it.
type flight struct {
	name string
	done chan struct{}
	db   *Database // leased once for each that waits; set before done is closed, as is err
	err  error

	waiters int                // guarded by Set.mu
	queued  bool               // it waits for room; guarded by Set.mu
	abandon context.CancelFunc // makes it leave the queue
}

// await returns the database with a lease, joining or starting the flight that opens it.
func (s *Set) await(ctx context.Context, name string) (*Database, error) {
	f, d, err := s.join(ctx, name)
	if f == nil {
		return d, err
	}
	select {
	case <-f.done:
		return f.db, f.err
	case <-ctx.Done():
		return s.leave(ctx, f)
	}
}

// join returns the flight to wait for, or what there is without one.
func (s *Set) join(ctx context.Context, name string) (*flight, *Database, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed.Load() {
		return nil, nil, errClosed
	}
	if d, ok := s.opened.Load(name); ok {
		if d := d.(*Database); d.lease() { //nolint:errcheck // nothing else is stored
			return nil, d, nil
		}
	}
	if err := s.unknown(name); err != nil {
		return nil, nil, err
	}
	t, f := s.troubles[name], s.flights[name]
	switch now := s.now(); {
	case f == nil && ctx.Err() != nil:
		return nil, nil, ctx.Err()
	case f == nil && t != nil && t.hanging.Load() > 0:
		return nil, nil, s.unavailable(name, "an attempt to open it hangs", t.lastCause())
	case t != nil && t.state.Load() == broken && (f != nil || !t.admit(now)):
		return nil, nil, s.broken(name, &t.breaker, now)
	case f == nil:
		f = s.takeOff(ctx, name)
	}
	f.waiters++
	return f, nil, nil
}

// unknown returns an error if there is no such database as far as is known.
func (s *Set) unknown(name string) error {
	if name == "" {
		return s.notFound(name, "there is none", nil)
	}
	if _, ok := s.known[name]; !ok && s.options.Open == nil {
		return s.notFound(name, "it is not among the known ones", nil)
	}
	if m, ok := s.missing[name]; ok && s.now()-m.since < int64(missingTime) {
		return s.notFound(name, "it was looked for a moment ago: "+m.what, m.cause)
	}
	return nil
}

// takeOff starts a flight. s.mu is held.
func (s *Set) takeOff(ctx context.Context, name string) *flight {
	f := &flight{name: name, done: make(chan struct{})}
	s.flights[name] = f
	ctx = context.WithoutCancel(ctx)
	t := s.troubleOf(name)
	go func() {
		var d *Database
		err := errGone // if something calls runtime.Goexit
		defer func() {
			if v := recover(); v != nil {
				err = panicked(v)
			}
			s.land(f, t, d, err)
		}()
		if d, err = s.openDatabase(ctx, f, t); err == nil {
			s.tell(s.options.Opened, name)
		}
	}()
	return f
}

// openDatabase finds the Spec of a database, makes room for it, and opens its primary.
func (s *Set) openDatabase(ctx context.Context, f *flight, t *trouble) (*Database, error) {
	spec, err := s.spec(ctx, f.name, t)
	if err != nil {
		return nil, err
	}
	if err := s.options.fault(spec); err != nil {
		return nil, err
	}
	if err := s.closedBefore(ctx, f.name); err != nil {
		return nil, err
	}
	var need reservation
	pinned := bringsPool(spec.Primary) || s.inMemory(spec.Primary)
	if !pinned {
		need = reservation{databases: 1, connections: spec.pools() * s.options.Connections}
		if err := s.makeRoom(ctx, f, need); err != nil {
			return nil, err
		}
	}
	pool, err := s.connect(ctx, spec.Primary, t)
	if err != nil {
		s.release(need)
		return nil, err
	}
	d := s.newDatabase(spec, pool, !bringsPool(spec.Primary))
	d.pinned, d.reserved = pinned, need
	return d, nil
}

// spec returns the Spec of a database by its name.
func (s *Set) spec(ctx context.Context, name string, t *trouble) (Spec, error) {
	if spec, ok := s.known[name]; ok {
		return spec, nil
	}
	ctx, cancel := s.detach(ctx, openTimeout)
	defer cancel()
	spec, err := within(ctx, t, func() (Spec, error) { return s.options.Open(ctx, name) }, func(Spec) {})
	spec.Name = name // so that what it is called here decides
	return spec, err
}

// closedBefore waits until the database that had the name before is closed.
func (s *Set) closedBefore(ctx context.Context, name string) error {
	s.mu.Lock()
	closing := s.closing[name]
	s.mu.Unlock()
	if closing == nil {
		return nil
	}
	ctx, cancel := s.detach(ctx, openTimeout)
	defer cancel()
	select {
	case <-closing:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// land ends a flight: all that wait get d, or an error.
func (s *Set) land(f *flight, t *trouble, d *Database, err error) {
	if err != nil && d != nil { // an observer panicked
		_ = d.close() // that it failed is told already
		s.release(d.reserved)
		d = nil
	}
	s.mu.Lock()
	if err == nil && s.closed.Load() {
		s.mu.Unlock()
		_ = d.close()
		s.tell(s.options.Closed, f.name)
		d, err = nil, errClosed
		s.mu.Lock()
	}
	defer s.mu.Unlock()
	if s.flights[f.name] == f {
		delete(s.flights, f.name)
	}
	defer close(f.done)
	if err == nil {
		t.succeed()
	} else {
		f.err = s.explain(f.name, t, err)
	}
	if s.troubles[f.name] == t && t.state.Load() == sound && t.hanging.Load() == 0 {
		delete(s.troubles, f.name)
	}
	if err != nil {
		return
	}
	delete(s.missing, f.name)
	d.leases.Store(int64(f.waiters))
	d.used.Store(s.now())
	s.opened.Store(f.name, d)
	f.db = d
	if !d.pinned {
		s.arm(s.options.IdleTime)
	}
	s.wakeFirst()
}

// leave is for a waiter whose context has ended.
func (s *Set) leave(ctx context.Context, f *flight) (*Database, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-f.done:
		return f.db, f.err
	default:
	}
	f.waiters--
	if !f.queued {
		return nil, &fault{s.options.Errors.Unavailable, f.name, "it was being opened when the context ended: " + brief(ctx.Err()), ctx.Err()}
	}
	if f.waiters == 0 { // nobody needs the room
		f.abandon()
		delete(s.flights, f.name)
	}
	return nil, s.overloaded(f.name, "all databases that may be open were in use until the context ended: "+brief(ctx.Err()), ctx.Err())
}

// explain turns what an opening failed with into what Lease returns, and remembers it. s.mu is held.
func (s *Set) explain(name string, t *trouble, err error) error {
	sentinels := s.options.Errors
	switch {
	case errors.Is(err, errClosed), s.closed.Load():
		return errClosed
	case errors.Is(err, sentinels.Overloaded), errors.Is(err, sentinels.InvalidConfig):
		t.inconclusive()
		return err
	case errors.Is(err, errNoFile):
		return s.remember(name, "its file does not exist", nil)
	case errors.Is(err, sentinels.NotFound):
		return s.remember(name, "it does not exist", err)
	case noSuchDatabase(err):
		return s.remember(name, "the server does not have it", err)
	default:
		t.fail(s.now(), err)
		return s.unavailable(name, "it cannot be opened: "+brief(err), err)
	}
}

// missing is why a name is unknown, and since when it is.
type missing struct {
	since int64
	what  string
	cause error // may be nil
}

// remember takes note of an unknown name, and returns the error that says so. s.mu is held.
func (s *Set) remember(name, what string, cause error) error {
	now := s.now()
	if len(s.missing) >= remembered {
		for name, m := range s.missing {
			if now-m.since >= int64(missingTime) {
				delete(s.missing, name)
			}
		}
	}
	for other := range s.missing { // any will do: it is only asked for once more
		if len(s.missing) < remembered {
			break
		}
		delete(s.missing, other)
	}
	s.missing[name] = missing{now, what, cause}
	if t := s.troubles[name]; t != nil {
		t.succeed() // it did answer
	}
	return s.notFound(name, what, cause)
}

// troubleOf returns what is remembered of failures to open a name. s.mu is held.
func (s *Set) troubleOf(name string) *trouble {
	if t := s.troubles[name]; t != nil {
		return t
	}
	for other, t := range s.troubles {
		if len(s.troubles) < remembered {
			break
		}
		if s.flights[other] == nil && t.hanging.Load() == 0 {
			delete(s.troubles, other)
		}
	}
	t := &trouble{breaker: breaker{limit: tolerated}}
	s.troubles[name] = t
	return t
}

func (s *Set) notFound(name, what string, cause error) error {
	return &fault{s.options.Errors.NotFound, name, what, cause}
}

func (s *Set) unavailable(name, what string, cause error) error {
	return &fault{s.options.Errors.Unavailable, name, what, cause}
}

func (s *Set) overloaded(name, what string, cause error) error {
	return &fault{s.options.Errors.Overloaded, name, what, cause}
}

// broken is the error while a breaker is open.
func (s *Set) broken(name string, b *breaker, now int64) error {
	what := "it could not be reached, and is being tried again"
	if wait := time.Duration(b.until.Load() - now); wait > 0 {
		what = fmt.Sprintf("it could not be reached, and is tried again in %s", wait.Round(time.Millisecond))
	}
	return s.unavailable(name, what, b.lastCause())
}
