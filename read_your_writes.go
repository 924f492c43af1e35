package tenancy

import (
	"context"
	"sync"
)

// writes are the shards that statements of a context have written to.
type writes struct {
	mu     sync.Mutex
	shards map[string]struct{}
}

type writesKey struct{}

// ReadYourWrites returns a context in which reads of a shard go to its primary once a statement of the context, or of one
// derived from it, has written to that shard: for a request that reads what it has just stored, whatever the replicas are
// behind. It may be used concurrently.
func ReadYourWrites(ctx context.Context) context.Context {
	if writesOf(ctx) != nil {
		return ctx
	}
	return context.WithValue(ctx, writesKey{}, &writes{})
}

// writesOf returns what a context remembers; nil if it does not.
func writesOf(ctx context.Context) *writes {
	w, _ := ctx.Value(writesKey{}).(*writes)
	return w
}

// note remembers a write.
func (w *writes) note(shard string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.shards == nil {
		w.shards = map[string]struct{}{}
	}
	w.shards[shard] = struct{}{}
}

// has tells whether a shard was written to.
func (w *writes) has(shard string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, found := w.shards[shard]
	return found
}
