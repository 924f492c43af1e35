package pools

import (
	"context"
	"sync"
	"time"
)

// detached are the contexts of what goes on in the background. They end with the Set.
type detached struct {
	mu      sync.Mutex
	cancels map[*context.CancelFunc]struct{}
	ended   bool
}

// detach returns a context with the values of ctx that does not end with it, but after a time and with the Set.
func (s *Set) detach(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	d := &s.detached
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended {
		cancel()
		return ctx, cancel
	}
	if d.cancels == nil {
		d.cancels = map[*context.CancelFunc]struct{}{}
	}
	d.cancels[&cancel] = struct{}{}
	return ctx, func() {
		cancel()
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.cancels, &cancel)
	}
}

// end ends all contexts, and those to come.
func (d *detached) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ended = true
	for cancel := range d.cancels {
		(*cancel)()
	}
}
