package merge

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"sync"
)

// errStopped ends a source whose rows nobody wants any more.
var errStopped = errors.New("merge: stopped")

// buffer is between the goroutine that reads a source and the one that merges. Each has a batch at a time.
type buffer struct {
	options Options
	ready   chan struct{} // there are rows, or no more will come
	room    chan struct{} // there is an empty batch

	mu      sync.Mutex
	filling *batch
	ended   bool
}

func newBuffer(o Options) *buffer {
	return &buffer{options: o, ready: make(chan struct{}, 1), room: make(chan struct{}, 1), filling: new(batch)}
}

// put adds a row, when there is room.
func (b *buffer) put(ctx context.Context, stop <-chan struct{}, row []driver.Value, ours bool) error {
	for {
		b.mu.Lock()
		if !b.filling.full(b.options) {
			b.filling.add(row, ours)
			first := b.filling.count == 1
			b.mu.Unlock()
			if first {
				signal(b.ready)
			}
			return nil
		}
		b.mu.Unlock()
		select {
		case <-b.room:
		case <-stop:
			return errStopped
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// end says that no more rows will come.
func (b *buffer) end() {
	b.mu.Lock()
	b.ended = true
	b.mu.Unlock()
	signal(b.ready)
}

// take exchanges a batch that has been read for one with all rows that are there, when there are some.
func (b *buffer) take(ctx context.Context, f *fanIn, read *batch) (*batch, error) {
	read.reset(b.options)
	for {
		b.mu.Lock()
		if b.filling.count > 0 {
			taken := b.filling
			b.filling = read
			b.mu.Unlock()
			signal(b.room)
			return taken, nil
		}
		ended := b.ended
		b.mu.Unlock()
		if ended {
			if err := f.failure(); err != nil {
				return read, err
			}
			return read, io.EOF
		}
		select {
		case <-b.ready:
		case <-f.failed:
			return read, f.err
		case <-ctx.Done():
			return read, ctx.Err()
		}
	}
}

func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
