package pools

import (
	"context"
	"sync"
	"sync/atomic"

	"gorm.io/gorm"
)

// part is a pool of a database that is opened on first need.
type part struct {
	of        *Database
	dialector gorm.Dialector
	limit     int // failures in a row that are too many
	pool      atomic.Pointer[Pool]
	trouble   trouble

	mu       sync.Mutex // guards what follows
	opening  *opening   // nil: none is under way
	isClosed bool
}

// opening is an attempt to open a part.
type opening struct {
	done  chan struct{}
	began int64
	err   error // set before done is closed
}

func newPart(of *Database, dialector gorm.Dialector, limit int) *part {
	return &part{of: of, dialector: dialector, limit: limit, trouble: trouble{breaker: breaker{limit: limit}}}
}

// await returns the pool, opening it if need be.
func (p *part) await(ctx context.Context) (*Pool, error) {
	if pool := p.pool.Load(); pool != nil {
		return pool, nil
	}
	attempt, err := p.start(ctx)
	if err != nil {
		return nil, err
	}
	if attempt == nil {
		return p.pool.Load(), nil
	}
	select {
	case <-attempt.done:
		if attempt.err != nil {
			return nil, attempt.err
		}
		return p.pool.Load(), nil
	case <-ctx.Done():
		return nil, &fault{p.of.set.options.Errors.Unavailable, p.of.name, "it was being opened when the context ended: " + brief(ctx.Err()), ctx.Err()}
	}
}

// start begins to open the pool, unless it is open (then it returns nil) or an attempt is under way.
func (p *part) start(ctx context.Context) (*opening, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.of.set
	now := s.now()
	switch {
	case p.pool.Load() != nil:
		return nil, nil //nolint:nilnil // it is open
	case p.opening != nil:
		return p.opening, nil
	case p.trouble.hanging.Load() > 0:
		return nil, s.unavailable(p.of.name, "an attempt to open it hangs", p.trouble.lastCause())
	case p.isClosed || !p.of.lease(): // the lease keeps the database open meanwhile
		return nil, errClosed
	case !p.trouble.admit(now):
		p.of.Done()
		return nil, s.broken(p.of.name, &p.trouble.breaker, now)
	}
	p.opening = &opening{done: make(chan struct{}), began: now}
	go func(attempt *opening) {
		defer p.of.Done()
		defer p.of.announce()
		pool, err := s.connect(ctx, p.dialector, &p.trouble)
		p.finish(attempt, pool, err)
	}(p.opening)
	return p.opening, nil
}

func (p *part) finish(attempt *opening, base gorm.ConnPool, err error) {
	s := p.of.set
	p.mu.Lock()
	defer p.mu.Unlock()
	defer close(attempt.done)
	p.opening = nil
	if err != nil {
		attempt.err = s.unavailable(p.of.name, "it cannot be opened: "+brief(err), err)
		p.trouble.fail(s.now(), err)
		return
	}
	p.trouble.succeed()
	pool := newPool(p.of, base, p.limit, !bringsPool(p.dialector))
	if p.isClosed {
		_ = pool.close() // it was opened in vain
		attempt.err = errClosed
		return
	}
	p.pool.Store(pool)
}

func (p *part) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.isClosed = true
	if pool := p.pool.Load(); pool != nil {
		return pool.close()
	}
	return nil
}
