package pools

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gorm.io/gorm"
)

// errClosed is what leases fail with after Close. Its text is that of database/sql's own error, which is not exported
// (Go 1.26, database/sql, errDBClosed).
var errClosed = errors.New("sql: database is closed")

// Set is the databases of a plugin. It is safe for concurrent use.
type Set struct {
	options Options
	known   map[string]Spec
	born    time.Time
	home    atomic.Pointer[Database]
	opened  sync.Map     // name → *Database: those that can be leased
	waiting atomic.Int32 // flights in queue
	closed  atomic.Bool  // set under mu

	policy   sync.Mutex // serialises the calls of all policies, as databases may share one
	detached detached
	retiring sync.WaitGroup

	mu          sync.Mutex               // guards what follows
	flights     map[string]*flight       // openings under way
	closing     map[string]chan struct{} // databases that are being closed; the channel is closed with them
	missing     map[string]missing       // unknown names
	troubles    map[string]*trouble      // names that could not be opened
	queue       []*seat                  // flights that wait for room, in order of arrival
	databases   int                      // reserved
	connections int                      // reserved
	janitor     *time.Timer              // nil: nothing is open
}

// New returns the databases of o and those that are known by name; nothing is opened. What is wrong with its input,
// [Faults] says.
func New(o Options, known ...Spec) *Set {
	o.Limits = o.withDefaults()
	if o.MostPrepared <= 0 {
		o.MostPrepared = mostPrepared
	}
	s := &Set{
		options:  o,
		known:    make(map[string]Spec, len(known)),
		born:     time.Now(),
		flights:  map[string]*flight{},
		closing:  map[string]chan struct{}{},
		missing:  map[string]missing{},
		troubles: map[string]*trouble{},
	}
	for _, spec := range known {
		spec.Replicas = slices.Clone(spec.Replicas)
		s.known[spec.Name] = spec
	}
	return s
}

// Home makes base, which gorm.Open opened, the primary of the database "". It is never closed and outside the limits. A
// known Spec with the name "" adds Replicas, Admin, Policy and MaxLag to it; their pools are closed by Close.
func (s *Set) Home(base gorm.ConnPool) {
	s.home.Store(s.newDatabase(s.known[""], base, false))
}

// now is the time since the Set was made, and never 0.
func (s *Set) now() int64 { return int64(time.Since(s.born)) + 1 }

// Lease returns the database of that name, which is opened if need be, and keeps it open until Done.
//
// It fails with NotFound if there is none, Unavailable if it cannot be opened, Overloaded if all that may be open stay in
// use for Limits.Wait, and InvalidConfig if its Spec is wrong. If ctx ends first, the error is ctx's too.
//
// Whoever holds a lease and asks for another one keeps room that others may wait for; if all do, they end with Overloaded.
func (s *Set) Lease(ctx context.Context, name string) (*Database, error) {
	if name == "" {
		if home := s.home.Load(); home != nil {
			return home, nil
		}
	} else if d, ok := s.opened.Load(name); ok {
		if d := d.(*Database); d.lease() { //nolint:errcheck // nothing else is stored
			return d, nil
		}
	}
	return s.await(ctx, name)
}

// Stat is one open database.
type Stat struct {
	Name    string
	Leases  int
	Primary sql.DBStats
}

// Stats returns the databases that are open, other than the one of Home, by name.
func (s *Set) Stats() []Stat {
	var stats []Stat
	for _, d := range s.all() {
		stat := Stat{Name: d.name, Leases: int(max(d.leases.Load(), 0))}
		if d.primary.db != nil {
			stat.Primary = d.primary.db.Stats()
		}
		stats = append(stats, stat)
	}
	slices.SortFunc(stats, func(a, b Stat) int { return strings.Compare(a.Name, b.Name) })
	return stats
}

// all returns the databases that can be leased, other than the one of Home.
func (s *Set) all() []*Database {
	var all []*Database
	s.opened.Range(func(_, d any) bool {
		all = append(all, d.(*Database)) //nolint:errcheck // nothing else is stored
		return true
	})
	return all
}

// Close closes all pools that are ours, in use or not, and ends all that is under way. It waits for no statement: those
// that have a connection keep it until they end. Leases fail afterwards, but for those of the database of Home, which is
// not ours: its primary goes on, without replicas. A second Close does nothing.
func (s *Set) Close() error {
	s.mu.Lock()
	if s.closed.Swap(true) {
		s.mu.Unlock()
		return nil
	}
	if s.janitor != nil {
		s.janitor.Stop()
	}
	s.detached.end()
	open := s.all()
	for _, d := range open {
		d.leases.Add(beingClosed)
		s.opened.Delete(d.name)
	}
	s.mu.Unlock()
	home := s.home.Load() // its primary goes on

	errs := make([]error, len(open)+1)
	var wait sync.WaitGroup
	for i, d := range open {
		wait.Go(func() {
			errs[i] = d.close()
			s.tell(s.options.Closed, d.name)
		})
	}
	if home != nil {
		errs[len(open)] = home.close()
	}
	wait.Wait()
	s.retiring.Wait()
	return errors.Join(errs...)
}

func (s *Set) tell(observer func(string), name string) {
	if observer != nil {
		observer(name)
	}
}
