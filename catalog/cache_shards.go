package catalog

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/gormtenancy/tenancy"
)

// mostShards bounds the shards in the cache. With more, databases that are opened again while the master is out of reach may
// not be found.
const mostShards = 100_000

// shards keeps how to reach databases, so that pools can be opened while the master is out of reach. They are looked up when
// a database is opened, which is rare: one lock will do.
type shards struct {
	mu      sync.Mutex
	known   map[string]heldShard
	beside  map[string]int // shard → how many own databases are known beside it, whose DSNs come from it
	dropped int64          // the newest change of any shard
}

type heldShard struct {
	Shard
	asOf int64
}

// shard returns a shard as it was at most MaxStale before the call, or [tenancy.ErrShardNotFound].
func (c *cache) shard(ctx context.Context, name string) (Shard, error) {
	if !mayBeShard(name) { // databases would refuse it, or cut it off
		return Shard{}, noShard(name)
	}
	began := time.Now()
	if !c.watch.fresh(began) {
		if err := c.watch.renew(ctx, began); err != nil {
			return Shard{}, err
		}
	}
	if sh, ok := c.shards.find(name); ok {
		return sh, nil
	}
	if err := c.watch.outOfReach(began); err != nil {
		return Shard{}, err
	}
	limited, cancel := context.WithTimeout(ctx, loadLimit)
	defer cancel()
	restarts := c.restarts.Load()
	sh, found, asOf, err := c.source.loadShard(limited, name)
	switch {
	case err != nil && asOf == 0 && ctx.Err() != nil:
		return Shard{}, &unavailable{"a shard was being looked up when the context ended", ctx.Err()}
	case err != nil && asOf == 0:
		return Shard{}, c.unreachable(err)
	case err != nil:
		return Shard{}, err
	case !found:
		return Shard{}, fmt.Errorf("%w: %q is not in the catalog", tenancy.ErrShardNotFound, name)
	}
	if c.restarts.Load() == restarts {
		c.shards.put(sh, asOf)
	}
	return sh.clone(), nil
}

func (s *shards) find(name string) (Shard, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	held, ok := s.known[name]
	return held.clone(), ok
}

func (s *shards) put(sh Shard, asOf int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dropped > asOf {
		return
	}
	s.remove(sh.Name)
	for other := range s.known { // any will do: it is only read once more
		if len(s.known) < mostShards {
			break
		}
		s.remove(other)
	}
	if s.known == nil {
		s.known, s.beside = map[string]heldShard{}, map[string]int{}
	}
	s.known[sh.Name] = heldShard{sh, asOf}
	if sh.Own {
		s.beside[sh.Host]++
	}
}

// remove takes a shard out. s.mu is held.
func (s *shards) remove(name string) {
	held, ok := s.known[name]
	if !ok {
		return
	}
	delete(s.known, name)
	if held.Own {
		if s.beside[held.Host]--; s.beside[held.Host] == 0 {
			delete(s.beside, held.Host)
		}
	}
}

// drop drops a shard that has changed, and the own databases beside it.
func (s *shards) drop(name string, epoch int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropped = max(s.dropped, epoch)
	beside := s.beside[name] > 0
	if held, ok := s.known[name]; ok && held.asOf < epoch {
		s.remove(name)
	}
	if !beside {
		return
	}
	for other, held := range s.known {
		if held.Own && held.Host == name && held.asOf < epoch {
			s.remove(other)
		}
	}
}

func (s *shards) dropAll(epoch int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropped = max(s.dropped, epoch)
	for name, held := range s.known {
		if held.asOf < epoch {
			s.remove(name)
		}
	}
}

// restart drops all, and goes on with the epochs of another copy of the master.
func (s *shards) restart(epoch int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known, s.beside, s.dropped = nil, nil, epoch
}

// clone returns a shard that the caller may change.
func (s Shard) clone() Shard {
	s.Replicas, s.Attributes, s.Shapes = slices.Clone(s.Replicas), maps.Clone(s.Attributes), slices.Clone(s.Shapes)
	return s
}
