package catalog

import "sync/atomic"

// node is what a key leads to, in its chain. It fits into a line of a processor's cache, with a short key: each other place in
// memory would have to be waited for as long as the node itself.
type node struct {
	next   atomic.Pointer[node] // of the same bucket
	tenant *record
	hash   uint32 // the half of it that chooses the bucket
	flags  atomic.Uint32
	short  [longestShort]byte
	length uint8 // of short; 0: the key is long, and the tenant has it
	kind   keyKind
}

const longestShort = 38 // a UUID has 36

// What may be set in a node's flags.
const (
	used    = 1 << iota // since the hand last came by
	gone                // the tenant is not in the cache any more; names and domains may still lead to it
	refused             // Resolve does not serve the tenant
)

// setKey gives a node its key, and the tenant that this leads to.
func (e *node) setKey(hash uint64, k key, tenant *record) {
	e.hash, e.kind, e.tenant = bucketHash(hash), k.kind, tenant
	if len(k.text) <= longestShort {
		e.length = uint8(copy(e.short[:], k.text)) //nolint:gosec // it is as long as that at most
	}
}

func (e *node) is(k key) bool {
	switch {
	case e.kind != k.kind:
		return false
	case e.length == 0:
		return e.tenant.answers(k)
	default:
		return string(e.short[:e.length]) == k.text
	}
}

func (e *node) has(flag uint32) bool { return e.flags.Load()&flag != 0 }

// use sets the flag that keeps a node, if it is not set: most readers do not write.
func (e *node) use() {
	if !e.has(used) {
		e.flags.Or(used)
	}
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

// bucketHash is the half of a hash that does not choose the part.
func bucketHash(hash uint64) uint32 { return uint32(hash >> 32) }

func bucketOf(buckets []bucket, hash uint32) *bucket {
	return &buckets[hash&uint32(len(buckets)-1)] //nolint:gosec // there is one at least, and not so many
}

// get finds the node of a key.
func (t *table) get(hash uint64, k key) *node {
	buckets := t.buckets.Load()
	if buckets == nil {
		return nil
	}
	half := bucketHash(hash)
	for e := bucketOf(*buckets, half).Load(); e != nil; e = e.next.Load() {
		if e.hash == half && e.is(k) {
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
			if e.flags.And(^uint32(used))&used == 0 {
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
