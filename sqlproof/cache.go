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
	c.sets = make([]set, n)
}

func (c *cache) get(text string) *Plan {
	h := maphash.String(c.seed, text)
	set := &c.sets[h&uint64(len(c.sets)-1)]
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
	set := &c.sets[e.hash&uint64(len(c.sets)-1)]
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
func (p *Plan) size(text string) int {
	n := 320 + len(text) + 96*(len(p.Inserted)+len(p.Checks)+len(p.Needs)+len(p.deps)+len(p.edits))
	if p.Rewritten() {
		n += len(p.SQL)
	}
	if p.Refusal != nil {
		n += 128 + len(p.Refusal.Why) + len(p.Refusal.Instead)
	}
	return n
}
