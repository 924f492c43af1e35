package tenancy

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// ForEachTenant calls fn for each tenant that Config.Resolver lists, in the tenant's own context, by up to workers at once;
// fewer than 1 is 1. A tenant that fails, or panics, does not stop the others: the error has a [*PartialError] then, in which
// errors.Is finds each tenant's. When ctx ends, or the resolver's list fails, no further tenant is begun, and that error is
// joined with it. Tenants that share tables are each called for: migrate those by one worker.
//
// It fails with [ErrInvalidConfig] if the resolver is no [TenantLister].
func (p *Plugin) ForEachTenant(ctx context.Context, workers int, fn func(ctx context.Context, id ID) error) error {
	lister, ok := p.cfg.Resolver.(TenantLister)
	if !ok {
		return fmt.Errorf("%w: ForEachTenant needs a Resolver that lists its tenants: one with the methods of tenancy.TenantLister", ErrInvalidConfig)
	}
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		did   PartialError
		lists error
	)
	turns := make(chan struct{}, max(workers, 1))
	for id, err := range lister.Tenants(ctx) {
		if err != nil {
			lists = fmt.Errorf("the list of tenants ended early: %w", err)
			break
		}
		select {
		case turns <- struct{}{}:
		case <-ctx.Done():
		}
		if lists = ctx.Err(); lists != nil {
			break
		}
		wg.Go(func() {
			defer func() { <-turns }()
			err := callForTenant(ctx, id, fn)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				did.Failed = append(did.Failed, Failure{string(id), err})
				return
			}
			did.Done = append(did.Done, string(id))
		})
	}
	wg.Wait()
	if lists == nil && len(did.Failed) == 0 {
		return nil
	}
	return errors.Join(lists, &did) // what was done is of interest, however it ended
}

// callForTenant turns a panic into an error: it would end the process from a goroutine that the caller cannot see.
func callForTenant(ctx context.Context, id ID, fn func(ctx context.Context, id ID) error) (err error) {
	ended := make(chan error, 1)
	go func() { // runtime.Goexit in fn ends this goroutine, and not the one that notes what came of it
		err := errors.New("it ended its goroutine")
		defer func() {
			if r := recover(); r != nil {
				err = fmt.Errorf("panic: %v", r)
			}
			ended <- err
		}()
		err = fn(WithTenant(ctx, id), id)
	}()
	return <-ended
}
