package migrate

import (
	"context"
	"database/sql"
	"fmt"
	"sync"

	"github.com/gormtenancy/tenancy"
)

// connectionsEach is how many a place needs at once: one for the lock, and two for AutoMigrate, which asks for more while it reads.
const connectionsEach = 3

// slots bounds how many places are migrated at once in a pool, so that there are connections for all of them: places that each
// have one and wait for another would wait for ever.
type slots struct {
	mu    sync.Mutex
	taken map[*sql.DB]int // without those where there is none
	freed chan struct{}   // closed when one is free again, in whichever pool; nil: nobody waits
}

// allSlots are those of all Runners: a pool is used by as many as like.
var allSlots = slots{taken: map[*sql.DB]int{}} //nolint:gochecknoglobals // pools are the process's

// take waits for a slot.
func (s *slots) take(ctx context.Context, pool *sql.DB) (free func(), err error) {
	for {
		most := pool.Stats().MaxOpenConnections // it can be set at any time
		if most > 0 && most < connectionsEach {
			return nil, fmt.Errorf("%w: its pool may have %d connections, and a place needs %d: see tenancy.PoolLimits", tenancy.ErrInvalidConfig, most, connectionsEach)
		}
		freed := s.try(pool, most/connectionsEach)
		if freed == nil {
			return sync.OnceFunc(func() { s.free(pool) }), nil
		}
		select {
		case <-freed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// try takes a slot, or returns what is closed when another try is worth it. most is 0 where there is no bound.
func (s *slots) try(pool *sql.DB, most int) (freed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if most <= 0 || s.taken[pool] < most {
		s.taken[pool]++
		return nil
	}
	if s.freed == nil {
		s.freed = make(chan struct{})
	}
	return s.freed
}

func (s *slots) free(pool *sql.DB) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken[pool]--; s.taken[pool] == 0 {
		delete(s.taken, pool)
	}
	if s.freed != nil {
		close(s.freed)
		s.freed = nil
	}
}
