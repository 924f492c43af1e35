package merge

import (
	"context"
	"errors"
	"sync"
	"time"
)

// patience is how long a source may take to end by itself. A driver gives up the connection whose query is cancelled.
const patience = 50 * time.Millisecond

// fanIn is all sources, and the goroutines that read them.
type fanIn struct {
	caller  context.Context
	cancel  context.CancelFunc
	sources []*source
	slots   chan struct{}
	running sync.WaitGroup

	stopping sync.Once
	stop     chan struct{} // closed when no more rows are wanted
	timer    *time.Timer
	failing  sync.Once
	failed   chan struct{} // closed with err set
	err      error
}

// newFanIn begins to open the sources, in their order. A source holds its slot to its end, or, if all must be open together, to
// its first row.
func newFanIn(ctx context.Context, o Options, together bool, sources []Source) *fanIn {
	all, cancel := context.WithCancel(ctx)
	f := &fanIn{
		caller: ctx, cancel: cancel, slots: make(chan struct{}, o.Parallel), stop: make(chan struct{}), failed: make(chan struct{}),
	}
	for _, s := range sources {
		own, cancel := context.WithCancel(all)
		f.sources = append(f.sources, &source{Source: s, buffer: newBuffer(o), ctx: own, cancel: cancel})
	}
	f.running.Go(func() {
		for _, s := range f.sources {
			select {
			case f.slots <- struct{}{}:
				f.running.Go(func() { f.run(s, together) })
			case <-f.stop:
				return
			case <-all.Done():
				return
			}
		}
	})
	return f
}

func (f *fanIn) run(s *source, together bool) {
	release := sync.OnceFunc(func() { <-f.slots })
	defer release()
	defer s.buffer.end()
	defer s.cancel()
	err := errExited // if something calls runtime.Goexit
	defer func() {
		if err != nil {
			f.fail(s, err)
		}
	}()
	err = s.read(f.stop, func() {
		if together {
			release()
		}
	})
}

var errExited = errors.New("its goroutine ended")

// fail ends all sources because of one. What comes after the first failure is its consequence.
func (f *fanIn) fail(s *source, err error) {
	select {
	case <-f.stop:
		return
	default:
	}
	f.failing.Do(func() {
		f.err = &SourceError{Source: s.Name, Err: err}
		if ended := f.caller.Err(); ended != nil {
			f.err = ended
		}
		close(f.failed)
		f.cancel()
	})
}

// failure returns why no more rows can be had, if so.
func (f *fanIn) failure() error {
	select {
	case <-f.failed:
		return f.err
	default:
		return f.caller.Err()
	}
}

// enough says that no more rows are wanted, and waits for nothing. Sources that are in the midst of their rows have a moment
// to end, the others are cancelled.
func (f *fanIn) enough() {
	f.stopping.Do(func() {
		close(f.stop)
		for _, s := range f.sources {
			if !s.begun.Load() {
				s.cancel()
			}
		}
		f.timer = time.AfterFunc(patience, f.cancel)
	})
}

// close ends the sources and waits until they are closed.
func (f *fanIn) close() {
	f.enough()
	f.running.Wait()
	f.timer.Stop()
	f.cancel()
}
