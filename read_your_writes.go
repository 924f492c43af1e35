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
	if _, ok := ctx.Value(writesKey{}).(*writes); ok {
		return ctx
	}
	return context.WithValue(ctx, writesKey{}, &writes{})
}

// wrote remembers a write.
func wrote(ctx context.Context, shard string) {
	w, ok := ctx.Value(writesKey{}).(*writes)
	if !ok {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.shards == nil {
		w.shards = map[string]struct{}{}
	}
	w.shards[shard] = struct{}{}
}

// hasWritten tells whether the context has written to a shard.
func hasWritten(ctx context.Context, shard string) bool {
	w, ok := ctx.Value(writesKey{}).(*writes)
	if !ok {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	_, found := w.shards[shard]
	return found
}
