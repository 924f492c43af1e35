package catalog

import (
	"strings"
	"sync/atomic"
)

// node is what a key leads to, in its chain. A short key lies in the node itself: another place in memory would often have to
// be waited for as long as the node.
type node struct {
	next   atomic.Pointer[node] // of the same bucket
	hash   uint64
	tenant *record
	short  [longestShort]byte
	length uint8 // of short; 0: the key is in long
	kind   keyKind
	used   atomic.Bool // since the hand last came by
	long   string
	asOf   int64 // the epoch at which it was so; for writers
}

const longestShort = 38 // a UUID has 36

func (e *node) setKey(hash uint64, k key) {
	e.hash, e.kind = hash, k.kind
	if len(k.text) > longestShort {
		e.long = strings.Clone(k.text)
		return
	}
	e.length = uint8(copy(e.short[:], k.text)) //nolint:gosec // it is as long as that at most
}

func (e *node) is(k key) bool {
	if e.length == 0 {
		return e.kind == k.kind && e.long == k.text
	}
	return e.kind == k.kind && string(e.short[:e.length]) == k.text
}

func (e *node) key() key {
	if e.length == 0 {
		return key{e.kind, e.long}
	}
	return key{e.kind, string(e.short[:e.length])}
}

// table is a hash table with chains, for one writer at a time, who holds the part's lock. Readers take no lock. A reader that
// runs while the table grows may overlook a node, and then looks again with the lock; it never finds what had been
// removed before it began.
type table struct {
	buckets atomic.Pointer[[]bucket] // nil, or a power of two of them
	count   int
	hand    int
}

type bucket = atomic.Pointer[node]

// leastBuckets is the size of a table that has something in it.
const leastBuckets = 8

// bucketOf uses other bits of the hash than the choice of the part.
func bucketOf(buckets []bucket, hash uint64) *bucket {
	return &buckets[hash>>32&uint64(len(buckets)-1)] //nolint:gosec // it is positive
}

// get finds the node of a key.
func (t *table) get(hash uint64, k key) *node {
	buckets := t.buckets.Load()
	if buckets == nil {
		return nil
	}
	for e := bucketOf(*buckets, hash).Load(); e != nil; e = e.next.Load() {
		if e.hash == hash && e.is(k) {
			return e
		}
	}
	return nil
}

// put adds a node, whose key has none. There are twice as many buckets as nodes, so that chains are short.
func (t *table) put(e *node) {
	if old := t.buckets.Load(); old == nil || 2*t.count >= len(*old) {
		t.grow()
	}
	link(*t.buckets.Load(), e)
	t.count++
}

func link(buckets []bucket, e *node) {
	first := bucketOf(buckets, e.hash)
	e.next.Store(first.Load())
	first.Store(e)
}

// grow doubles the buckets. As each node is moved to the front of its new chain, chains have no circles at any time.
func (t *table) grow() {
	old := t.buckets.Load()
	if old == nil {
		old = new([]bucket)
	}
	larger := make([]bucket, max(leastBuckets, 2*len(*old)))
	for i := range *old {
		for e := (*old)[i].Load(); e != nil; {
			next := e.next.Load()
			link(larger, e)
			e = next
		}
	}
	t.hand = 0
	t.buckets.Store(&larger)
}

// remove takes a node out, if it is there.
func (t *table) remove(e *node) bool {
	buckets := t.buckets.Load()
	if buckets == nil {
		return false
	}
	for at := bucketOf(*buckets, e.hash); at.Load() != nil; at = &at.Load().next {
		if at.Load() == e {
			at.Store(e.next.Load())
			t.count--
			return true
		}
	}
	return false
}

// evict picks a node that was not used since the hand last came by (CLOCK, or second chance). The table must have one.
func (t *table) evict() *node {
	buckets := *t.buckets.Load()
	for {
		for e := buckets[t.hand].Load(); e != nil; e = e.next.Load() {
			if !e.used.Swap(false) {
				return e
			}
		}
		t.hand = (t.hand + 1) % len(buckets)
	}
}

// each calls visit for each node, which may remove it.
func (t *table) each(visit func(*node)) {
	buckets := t.buckets.Load()
	if buckets == nil {
		return
	}
	for i := range *buckets {
		for e := (*buckets)[i].Load(); e != nil; {
			next := e.next.Load()
			visit(e)
			e = next
		}
	}
}
