package migrate

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/catalog"
)

// fleet is all places during one run.
type fleet struct {
	*Runner

	places []catalog.Place
	begun  time.Time

	mu      sync.Mutex
	report  Report
	did     tenancy.PartialError // of the places that were tried
	stopped error                // why no further one is begun
}

// fewestTried is from how many places on a share of failures says something.
const fewestTried = 10

// survey lists all places.
func (r *Runner) survey(ctx context.Context) (*fleet, error) {
	f := &fleet{Runner: r, begun: time.Now(), report: Report{Target: r.target}}
	for p, err := range r.cfg.Catalog.Places(ctx) {
		if err != nil {
			return f, fmt.Errorf("migrate: the list of places ended early: %w", err)
		}
		result := resultOf(p)
		result.State = r.stateOf(p)
		f.places = append(f.places, p)
		f.report.Results = append(f.report.Results, result)
		*counterOf(&f.report, result.State)++
	}
	return f, nil
}

func resultOf(p catalog.Place) Result {
	from := catalog.Target{Version: p.Version, Models: p.Models}
	return Result{Placement: p.Placement, Tenants: p.Tenants, Tenant: p.Tenant, From: from, To: from}
}

// run migrates the canaries, and then the others.
func (f *fleet) run(ctx context.Context) (Report, error) {
	canaries, others, err := f.order(ctx)
	if err != nil {
		return f.report, err
	}
	for _, i := range canaries {
		if f.over(ctx) {
			break
		}
		if f.try(ctx, i).State == Failed {
			f.stopped = fmt.Errorf("%w: a canary failed", ErrStopped)
		}
	}
	var workers sync.WaitGroup
	next := make(chan int)
	for range min(f.cfg.Workers, len(others)) {
		workers.Go(func() {
			for i := range next {
				f.try(ctx, i)
			}
		})
	}
	for _, i := range others {
		if f.over(ctx) {
			break
		}
		select {
		case next <- i:
		case <-ctx.Done():
		}
	}
	close(next)
	workers.Wait()
	f.report.Took = time.Since(f.begun)
	errs := []error{ctx.Err(), f.stopped}
	if len(f.did.Failed) > 0 {
		errs = append(errs, &f.did)
	}
	return f.report, errors.Join(errs...)
}

// order returns the places that are to be tried, by their indexes.
func (f *fleet) order(ctx context.Context) (canaries, others []int, err error) {
	first := map[tenancy.Placement]bool{}
	for _, id := range f.cfg.Canary {
		t, err := f.cfg.Catalog.Read(ctx, id)
		if err != nil {
			return nil, nil, fmt.Errorf("migrate: Canary %q: %w", id, err)
		}
		first[t.Placement] = true
	}
	for i, p := range f.places {
		result := f.report.Results[i]
		if f.cfg.Verify && result.State == UpToDate {
			result.State = NotBegun
			replace(&f.report, i, result)
		}
		switch {
		case result.State != NotBegun:
		case first[p.Placement]:
			canaries = append(canaries, i)
		default:
			others = append(others, i)
		}
	}
	return canaries, others, nil
}

// over tells whether no further place is to be begun.
func (f *fleet) over(ctx context.Context) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.stopped != nil || ctx.Err() != nil
}

// try migrates one place, and notes what became of it.
func (f *fleet) try(ctx context.Context, i int) Result {
	if f.over(ctx) { // since it was handed out
		return f.report.Results[i]
	}
	result := f.migrate(ctx, f.places[i], f.places[i].Tenant, true)
	f.mu.Lock()
	defer f.mu.Unlock()
	replace(&f.report, i, result)
	switch result.State {
	case NotBegun:
		return result
	case Failed:
		f.did.Failed = append(f.did.Failed, tenancy.Failure{Name: result.Name(), Err: result.Err})
	default:
		f.did.Done = append(f.did.Done, result.Name())
	}
	done, failed := len(f.did.Done), len(f.did.Failed)
	if tried := done + failed; f.cfg.StopAt > 0 && tried >= fewestTried && float64(failed) > f.cfg.StopAt*float64(tried) && f.stopped == nil {
		f.stopped = fmt.Errorf("%w: %d of %d places failed", ErrStopped, failed, tried)
	}
	if o, ok := f.cfg.Observer.(ProgressObserver); ok {
		total := len(f.places)
		o.PlaceMigrated(ctx, Event{Done: done, Failed: failed, UpToDate: total - done - failed - f.report.NotBegun, Total: total, Result: result})
	}
	return result
}
