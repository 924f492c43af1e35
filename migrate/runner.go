package migrate

import (
	"context"
	"fmt"
	"sync"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/catalog"
)

// Runner migrates places. Make it with [New]. It may be used concurrently, and beside others, in other processes too.
type Runner struct {
	cfg    Config
	steps  *steps
	target catalog.Target

	mu    sync.Mutex
	clear map[string]bool // shards that no pooler is in front of, or one that does no harm
}

// New reads the steps and the models. It reports every fault at once, as tenancy.ErrInvalidConfig, and sends no SQL.
func New(cfg Config) (*Runner, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	r := &Runner{cfg: cfg, clear: map[string]bool{}}
	if r.steps, err = readSteps(cfg.DB.Statement.Context, cfg.Steps, cfg.GoSteps); err != nil {
		return nil, fmt.Errorf("%w: Steps: %w", tenancy.ErrInvalidConfig, err)
	}
	r.target.Version = r.steps.last
	if len(cfg.Models) > 0 {
		if r.target.Models, err = Fingerprint(cfg.DB, cfg.Models...); err != nil {
			return nil, fmt.Errorf("%w: Models: %w", tenancy.ErrInvalidConfig, err)
		}
	}
	return r, nil
}

// Target is what places are brought to: the version of the last step, and the fingerprint of the models. A program that needs it
// sets catalog.Config.MinVersion and Models.
func (r *Runner) Target() catalog.Target { return r.target }

// Run migrates all places that are behind. The report is complete whatever happens, as far as the catalog could be read. The
// error has a *tenancy.PartialError if places failed, ErrStopped if some were left for that, and the context's own if it ended.
func (r *Runner) Run(ctx context.Context) (Report, error) {
	ctx = ofNobody(ctx)
	f, err := r.survey(ctx)
	if err != nil {
		return f.report, err
	}
	return f.run(ctx)
}

// Status says where all places are, as the catalog has it. It changes nothing, and connects to no place.
func (r *Runner) Status(ctx context.Context) (Report, error) {
	f, err := r.survey(ctx)
	for i, p := range f.places {
		if result := f.report.Results[i]; p.Err != "" && result.State == NotBegun {
			result.State, result.Err = Failed, fmt.Errorf("%s", p.Err)
			replace(&f.report, i, result)
		}
	}
	return f.report, err
}

// Tenant migrates the place of one tenant now, whatever its state: it fits provision.Config.Tables.
func (r *Runner) Tenant(ctx context.Context, t catalog.Tenant) error {
	ctx = ofNobody(ctx)
	t, err := r.cfg.Catalog.Read(ctx, t.ID)
	if err != nil {
		return err
	}
	p := catalog.Place{Placement: t.Placement, Shape: t.Shape, Tenants: 1, Version: t.Version, Models: t.Models}
	if t.Placement.Exclusive || t.Placement.Schema != "" {
		p.Tenant = t.ID
	}
	if s := r.stateOf(p); !r.cfg.Verify && s == UpToDate || s == Ahead {
		return nil
	}
	return r.migrate(ctx, p, t.ID, false).Err
}

// stateOf is what the catalog says of a place.
func (r *Runner) stateOf(p catalog.Place) State {
	switch {
	case p.Version > r.target.Version:
		return Ahead
	case p.Version == r.target.Version && p.Models == r.target.Models && p.Err == "":
		return UpToDate
	default:
		return NotBegun
	}
}

// ofNobody takes a tenant out of a context: the places of all are to be reached in it.
func ofNobody(ctx context.Context) context.Context {
	ctx = catalog.Maintenance(ctx)
	if _, ok := tenancy.FromContext(ctx); ok {
		ctx = tenancy.WithoutTenant(ctx, "migrating")
	}
	return ctx
}
