package idgen

import (
	"crypto/rand"
	"fmt"
	"sync"
	"time"
)

// UUIDv7Generator makes UUIDs of version 7 (RFC 9562, section 5.7). Each is greater than the one before, whatever their shards.
// Its zero value is ready, and it is safe for concurrent use; it must not be copied. As text they are
//
//	018bcfe5-6800-7fff-8005-0242ac120002
//	time          |    |    random: 48 bits
//	              |    shard: 5, behind the two bits of the variant
//	              fraction of the millisecond, behind the version
//
// The fraction, in 1/4096 ms, keeps them in order: when the clock has not moved on, or went back, it counts on from the newest
// UUID (RFC 9562, section 6.2, method 3). PostgreSQL 18's uuidv7 does the same (src/backend/utils/adt/uuid.c,
// get_real_time_ns_ascending). So after a clock was set back, UUIDs have times ahead of it until it has caught up, or
// the process is started again. That makes none of them twice: two that were made in the same fraction for the same shard differ in 48 random bits.
type UUIDv7Generator struct {
	now func() time.Time // nil: time.Now

	mu     sync.Mutex
	newest int64 // time of the newest UUID, in 1/4096 ms since 1970
	random [64 * 6]byte
	left   int // bytes of random that are not used yet, at its beginning
}

// Next makes a UUID for a row of a shard. A shard above [MaxUUIDShard] or below 0 is [ErrInvalidShard], and a clock before 1970
// is [ErrTimeRange].
func (g *UUIDv7Generator) Next(shard int) ([16]byte, error) {
	if shard < 0 || shard > MaxUUIDShard {
		return [16]byte{}, fmt.Errorf("%w: it is %d, UUIDs have room for 0 to %d", ErrInvalidShard, shard, MaxUUIDShard)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.advance(); err != nil {
		return [16]byte{}, err
	}
	id := packUUID(g.newest>>12, g.newest&(1<<12-1), shard)
	g.draw(id[10:])
	return id, nil
}

// advance moves the time to that of a new UUID.
func (g *UUIDv7Generator) advance() error {
	now := time.Now
	if g.now != nil {
		now = g.now
	}
	t := now()
	ms, err := uuidTime(t)
	if err != nil {
		return err
	}
	fraction := (int64(t.Nanosecond()) % int64(time.Millisecond) << 12) / int64(time.Millisecond)
	g.newest = max(ms<<12|fraction, g.newest+1)
	return nil
}

// draw takes random bytes from the buffer, which makes a call of the system rare, and leaves none of them there.
func (g *UUIDv7Generator) draw(to []byte) {
	if g.left < len(to) {
		_, _ = rand.Read(g.random[:]) // it never fails: the program ends if there is no chance to be had
		g.left = len(g.random)
	}
	from := g.random[g.left-len(to) : g.left]
	copy(to, from)
	clear(from)
	g.left -= len(to)
}
