package sqlproof

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
)

// cache keeps plans by text. It is a table of sets of a few slots: a text has its set by its hash. A reader compares the
// slots of one set and takes no lock; what it touches is written only if an entry was not used since the clock's hand last
// came by. Writers take a lock, and drop what was not used (CLOCK, or second chance) until the new entry fits: a flood of
// texts that are seen once drops itself.
type cache struct {
	seed  maphash.Seed
	sets  []set
	mask  uint64 // of a hash, for its set
	most  int
	mu    sync.Mutex
	bytes int
	hand  int
}

const ways = 8

type set [ways]atomic.Pointer[entry]

type entry struct {
	hash uint64
	text string
	plan *Plan
	size int
	used atomic.Bool
}

// init makes the cache empty, for entries of up to most bytes.
func (c *cache) init(most int) {
	c.seed = maphash.MakeSeed()
	c.most = most
	n := 64
	for n*ways*1024 < most {
		n *= 2
	}
	c.sets, c.mask = make([]set, n), uint64(n-1) //nolint:gosec // n is positive
}

// setOf returns the set that a hash belongs to; there is a power of two of them.
func (c *cache) setOf(hash uint64) *set { return &c.sets[hash&c.mask] }

func (c *cache) get(text string) *Plan {
	h := maphash.String(c.seed, text)
	set := c.setOf(h)
	for i := range set {
		if e := set[i].Load(); e != nil && e.hash == h && e.text == text {
			if !e.used.Load() {
				e.used.Store(true)
			}
			return e.plan
		}
	}
	return nil
}

// put stores a plan. An entry that alone would take an eighth of the cache is not kept.
func (c *cache) put(text string, plan *Plan) {
	e := &entry{hash: maphash.String(c.seed, text), text: text, plan: plan, size: plan.size(text)}
	if e.size > c.most/8 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	set := c.setOf(e.hash)
	slot := -1
	for i := range set {
		old := set[i].Load()
		switch {
		case old == nil:
			if slot < 0 {
				slot = i
			}
		case old.hash == e.hash && old.text == text:
			slot = i
		default:
			continue
		}
		if old != nil {
			break
		}
	}
	if slot < 0 {
		slot = c.victim(set)
	}
	if old := set[slot].Load(); old != nil {
		c.bytes -= old.size
	}
	set[slot].Store(e)
	c.bytes += e.size
	for c.bytes > c.most {
		c.sweep(e)
	}
}

// victim picks a slot of a full set.
func (c *cache) victim(set *set) int {
	for i := range set {
		if e := set[i].Load(); !e.used.Swap(false) {
			return i
		}
	}
	return 0
}

// sweep moves the hand by one set, and drops what was not used since it last came.
func (c *cache) sweep(keep *entry) {
	set := &c.sets[c.hand]
	c.hand = (c.hand + 1) & (len(c.sets) - 1)
	for i := range set {
		if e := set[i].Load(); e != nil && e != keep && !e.used.Swap(false) {
			set[i].Store(nil)
			c.bytes -= e.size
		}
	}
}

// size is about how many bytes an entry takes.
func (plan *Plan) size(text string) int {
	n := 320 + len(text) + 96*(len(plan.Inserted)+len(plan.Checks)+len(plan.Needs)+len(plan.deps)+len(plan.edits))
	if plan.Rewritten() {
		n += len(plan.SQL)
	}
	for _, k := range plan.Keys {
		n += k.size()
	}
	if plan.placing != nil {
		n += plan.placing.size()
	}
	if plan.Refusal != nil {
		n += 128 + len(plan.Refusal.Why) + len(plan.Refusal.Instead)
	}
	return n
}
