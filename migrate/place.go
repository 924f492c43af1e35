package migrate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/catalog"
	"github.com/gormtenancy/tenancy/internal/locks"
	"github.com/gormtenancy/tenancy/internal/rowsecurity"
	"github.com/gormtenancy/tenancy/internal/schemas"
)

// noteTimeout bounds what is sent when the caller's context may have ended.
const noteTimeout = 10 * time.Second

// work is one place that is being migrated.
type work struct {
	*Runner

	at       tenancy.Placement
	pool     *sql.DB
	held     *locks.Held
	from     catalog.Target // as the catalog has it, once the lock is held
	reached  int64          // the version of the place
	ran      step           // the last one that was run; its version is 0 if there was none
	attempts attempts
	lenient  bool // that its tenant is not there, or not yet, is no failure: see passes
}

// migrate migrates a place. witness is a tenant that is there, if one is known.
func (r *Runner) migrate(ctx context.Context, p catalog.Place, witness tenancy.ID, lenient bool) (result Result) {
	result = resultOf(p)
	begun := time.Now()
	w := &work{Runner: r, at: p.Placement, from: result.From, reached: p.Version, lenient: lenient}
	state, err := w.underLock(tenancy.WithPlacement(ctx, p.Placement), p, witness)
	result.State, result.Err, result.Attempts, result.Took = state, err, int(w.attempts), time.Since(begun)
	result.From = w.from
	if err != nil {
		result.State, result.To = Failed, catalog.Target{Version: w.reached, Models: w.from.Models}
	} else if state == Migrated || state == UpToDate {
		result.To = r.target
	}
	return result
}

// passes tells whether a place is to be left alone, because its tenant is not there, or not yet: one that is being created is
// for who creates it. If the catalog cannot be asked, what is done at the place will fail.
func (w *work) passes(ctx context.Context, p catalog.Place) bool {
	if !w.lenient || p.Tenant == "" {
		return false
	}
	t, err := w.cfg.Catalog.Read(ctx, p.Tenant)
	if err != nil {
		return errors.Is(err, tenancy.ErrTenantNotFound)
	}
	return t.Placement != p.Placement || t.State == catalog.Creating || t.State == catalog.Dropping
}

// note tells the catalog; with a fault, the version that it knows stays.
func (w *work) note(ctx context.Context, t catalog.Target, fault string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTimeout)
	defer cancel()
	if err := w.cfg.Catalog.SetPlace(ctx, w.at, t, fault); err != nil {
		return fmt.Errorf("migrate: the catalog did not take what became of %s: %w", where(w.at), err)
	}
	return nil
}

// underLock migrates the place while no other migrator does, and has the catalog note what became of it before another one may.
func (w *work) underLock(ctx context.Context, p catalog.Place, witness tenancy.ID) (state State, err error) {
	if w.at.TableSuffix != "" {
		err = fmt.Errorf("%w: migrate: %s has a TableSuffix, and such tables are not migrated", tenancy.ErrInvalidConfig, where(w.at))
		return Failed, errors.Join(err, w.note(ctx, w.from, err.Error()))
	}
	if w.passes(ctx, p) { // not even looked for: that a database is not there is remembered for a moment
		return NotBegun, nil
	}
	leave, err := w.lock(ctx)
	if err == nil {
		defer func() { // also if After ends the goroutine
			lost := leave()
			if lost != nil && w.passes(ctx, p) { // the lock's connection ended with the database
				state, err, lost = NotBegun, nil, nil
			}
			err = errors.Join(err, lost)
		}()
		state, err = w.safely(ctx, p, witness)
	}
	switch {
	case err == nil && state != Migrated:
	case w.passes(ctx, p): // by now
		state, err = NotBegun, nil
	case err == nil:
		err = w.note(ctx, w.target, "")
	case ctx.Err() == nil:
		err = errors.Join(err, w.note(ctx, w.from, err.Error()))
	}
	return state, err
}

// safely turns a panic of models, or of Config.After, into an error of this place.
func (w *work) safely(ctx context.Context, p catalog.Place, witness tenancy.ID) (state State, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("migrate: panic at %s: %v", where(w.at), v)
		}
	}()
	return w.do(ctx, p, witness)
}

// do migrates the place.
func (w *work) do(ctx context.Context, p catalog.Place, witness tenancy.ID) (state State, err error) {
	p, err = w.recorded(ctx, p, witness)
	if err != nil {
		return Failed, err
	}
	w.from, w.reached = catalog.Target{Version: p.Version, Models: p.Models}, p.Version
	if s := w.stateOf(p); s == Ahead || s == UpToDate && !w.cfg.Verify {
		return s, nil // another migrator was here
	}
	ahead, err := w.runSteps(ctx)
	if err != nil || ahead {
		return Ahead, err
	}
	if err := w.migrateModels(ctx); err != nil {
		return Failed, fmt.Errorf("migrate: models at %s: %w", where(w.at), err)
	}
	if w.cfg.After != nil {
		if err := w.cfg.After(ctx, w.at); err != nil {
			return Failed, fmt.Errorf("migrate: Config.After at %s: %w", where(w.at), err)
		}
	}
	return Migrated, w.check(ctx)
}

// recorded asks the catalog again what is known of the place, and not of a tenant that has left it.
func (w *work) recorded(ctx context.Context, p catalog.Place, witness tenancy.ID) (catalog.Place, error) {
	now := p
	if witness != "" {
		t, err := w.cfg.Catalog.Read(ctx, witness)
		if err == nil && t.Placement != w.at {
			err = fmt.Errorf("%w: its tenant is elsewhere by now", tenancy.ErrTenantMismatch)
		}
		if err != nil {
			return p, fmt.Errorf("migrate: what the catalog knows of %s: %w", where(w.at), err)
		}
		now.Version, now.Models = t.Version, t.Models
	} else {
		for known, err := range w.cfg.Catalog.Places(ctx) {
			if err != nil {
				return p, fmt.Errorf("migrate: what the catalog knows of %s: %w", where(w.at), err)
			}
			if known.Placement == w.at {
				now = known
				break
			}
		}
	}
	if now.Version != p.Version || now.Models != p.Models {
		now.Err = "" // what failed has been done since
	}
	return now, nil
}

// migrateModels calls AutoMigrate, which can be called again.
func (w *work) migrateModels(ctx context.Context) error {
	if len(w.cfg.Models) == 0 {
		return nil
	}
	if err := w.check(ctx); err != nil {
		return err
	}
	ctx = schemas.WithLockTimeout(ctx, w.cfg.LockTimeout)
	for tried := 1; ; tried++ {
		w.attempts.note(tried)
		err := w.cfg.DB.Session(&gorm.Session{NewDB: true, Context: ctx}).AutoMigrate(w.cfg.Models...)
		if err == nil || tried > w.cfg.Retries || !locked(err) || pause(ctx, tried) != nil {
			return err
		}
	}
}

// lock takes the place's lock, and what it needs to be migrated beside others.
func (w *work) lock(ctx context.Context) (leave func() error, err error) {
	pool, letClose, err := w.open(ctx)
	if err != nil {
		return nil, fmt.Errorf("migrate: %s: %w", where(w.at), err)
	}
	w.pool = pool
	free, err := allSlots.take(ctx, w.pool)
	if err == nil {
		if err = w.lockIn(ctx); err != nil {
			free()
		}
	}
	if err != nil {
		letClose()
		return nil, fmt.Errorf("migrate: %s: %w", where(w.at), err)
	}
	return func() error {
		defer letClose()
		defer free()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTimeout)
		defer cancel()
		if err := w.held.Release(ctx); err != nil {
			return &unreachableError{"migrate: the lock of " + where(w.at) + " was not released", err}
		}
		return nil
	}, nil
}

// lockIn takes the lock in the pool.
func (w *work) lockIn(ctx context.Context) (err error) {
	if err := w.checkPooler(ctx); err != nil {
		return err
	}
	w.held, err = locks.Acquire(ctx, w.pool, w.cfg.DB.Name(), "migrate "+w.at.Shard+"/"+w.at.Schema)
	if err != nil {
		return &unreachableError{"its lock cannot be had", err}
	}
	return nil
}

// check fails when the lock has been lost, so that another migrator may be here.
func (w *work) check(ctx context.Context) error {
	if err := w.held.Check(ctx); err != nil {
		return &unreachableError{"migrate: the lock of " + where(w.at) + " was lost", err}
	}
	return nil
}

// opens is how often a database that is out of reach is asked for: its server may have come back a moment ago.
const opens = 4

// open returns the pool, which is not closed for others before letClose is called. That all databases that may be open are in use is
// waited for: this run's own places may have them.
func (w *work) open(ctx context.Context) (pool *sql.DB, letClose func(), err error) {
	for tried := 1; ; {
		pool, letClose, err = tenancy.LeaseDB(w.cfg.DB.WithContext(ctx))
		if err == nil {
			return pool, letClose, nil
		}
		if errors.Is(err, tenancy.ErrOverloaded) && ctx.Err() == nil {
			continue // it has waited
		}
		if tried == opens || !errors.Is(err, tenancy.ErrTenantUnavailable) || pause(ctx, tried) != nil {
			return nil, nil, &unreachableError{"it cannot be opened", err}
		}
		tried++
	}
}

// checkPooler refuses a pooler that would let others see what is set on a connection. It looks once at each shard.
func (w *work) checkPooler(ctx context.Context) error {
	w.mu.Lock()
	known := w.clear[w.at.Shard]
	w.mu.Unlock()
	if known || w.cfg.DB.Name() != "postgres" || w.steps.last == 0 {
		return nil
	}
	shares, err := rowsecurity.Shares(ctx, w.pool)
	if err != nil {
		return &unreachableError{"it cannot be reached", err}
	}
	if shares {
		return fmt.Errorf("%w: a pooler in front of it gives connections out by transaction, and others would see what steps set: connect directly", tenancy.ErrInvalidConfig)
	}
	w.mu.Lock()
	w.clear[w.at.Shard] = true
	w.mu.Unlock()
	return nil
}
