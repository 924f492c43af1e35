package migrate

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/pressly/goose/v3"
)

// runSteps runs the steps that the place does not have. Each has a connection of its own, so that what it sets is gone before the
// next one; and what another connection does not see then is not done. So the last one is asked for on another connection too,
// before the catalog hears of it.
func (w *work) runSteps(ctx context.Context) (ahead bool, err error) {
	for more := w.steps.last > 0; more; {
		if more, err = w.nextStep(ctx); err != nil {
			if _, known := errors.AsType[*StepError](err); !known {
				err = fmt.Errorf("migrate: steps at %s: %w", where(w.at), err)
			}
			return false, err
		}
	}
	return w.reached > w.target.Version, nil
}

// nextStep runs the next one, again and again if a lock is in the way.
func (w *work) nextStep(ctx context.Context) (more bool, err error) {
	d := dialects()[w.cfg.DB.Name()]
	for tried := 1; ; tried++ {
		if err := w.check(ctx); err != nil {
			return false, err
		}
		version, err := w.tryStep(ctx, d)
		if errors.Is(err, goose.ErrNoNextVersion) {
			return false, nil
		}
		w.attempts.note(tried)
		if err == nil {
			w.ran, w.reached = w.steps.byVer[version], version
			return true, nil
		}
		var failed *goose.PartialError
		if !errors.As(err, &failed) {
			return false, err
		}
		s := w.steps.byVer[failed.Failed.Source.Version]
		again := locked(err) && s.repeatable(d)
		if !again || tried > w.cfg.Retries || pause(ctx, tried) != nil {
			return false, w.failed(s, hint(err, again), failed.Err)
		}
	}
}

// tryStep runs the next one once, on a connection of its own. It is goose.ErrNoNextVersion if there is none, or if the place is
// ahead.
func (w *work) tryStep(ctx context.Context, d dialect) (version int64, err error) {
	var waits *patient
	wrap := func(c driver.Conn) driver.Conn {
		if able, ok := c.(whole); ok && w.cfg.DB.Name() == "mysql" {
			waits = &patient{whole: able, retries: max(w.cfg.Retries, 0), attempts: &w.attempts}
			return waits
		}
		return c
	}
	err = alone(ctx, w.pool, wrap, func(one *sql.DB) error {
		if waits != nil {
			if err := waits.learn(ctx, one); err != nil {
				return err
			}
		}
		p, err := w.provider(ctx, one, d)
		if err != nil {
			return err
		}
		if w.reached, err = p.GetDBVersion(ctx); err != nil {
			return err
		}
		if w.reached < w.ran.version {
			return w.failed(w.ran, leftOpen, errNotSeen)
		}
		if w.reached > w.target.Version {
			return goose.ErrNoNextVersion
		}
		result, err := p.UpByOne(ctx)
		if d.showsAll {
			_ = onConn(ctx, one, rollBack) // if it fails, the server does that when the connection ends
		}
		if err == nil {
			version = result.Source.Version
		}
		return err
	})
	return version, err
}

// errNotSeen is what becomes of a step that left a transaction open: it ended with its connection.
var errNotSeen = errors.New("it was run, and another connection does not see that it was noted")

// leftOpen says what to do about errNotSeen.
const leftOpen = "it left a transaction open, or autocommit off, so that its work was rolled back with its connection: end it with COMMIT, look what it left, then run again"

func rollBack(ctx context.Context, c *sql.Conn) error {
	_, err := c.ExecContext(ctx, "ROLLBACK")
	return err
}

func (w *work) failed(s step, hint string, err error) *StepError {
	return &StepError{File: s.name(), Version: s.version, Placement: w.at, Hint: hint, Err: err}
}

// provider returns goose's on a connection that looks into the place.
func (w *work) provider(ctx context.Context, one *sql.DB, d dialect) (*goose.Provider, error) {
	var h home
	err := onConn(ctx, one, func(ctx context.Context, c *sql.Conn) (err error) {
		if h, err = d.home(ctx, c, w.at.Schema); err != nil {
			return err
		}
		return d.settle(ctx, c, h, w.cfg.LockTimeout)
	})
	if err != nil {
		return nil, err
	}
	store, err := newVersions(d, h.schema)
	if err != nil {
		return nil, err
	}
	return w.steps.provider(one, store)
}

// repeatable tells whether nothing of a step that failed can have stayed.
func (s step) repeatable(d dialect) bool {
	switch {
	case d.undoes && s.begins:
		return true
	case d.goose == goose.DialectPostgres:
		return false // CREATE INDEX CONCURRENTLY leaves an index that is not valid
	default:
		return !s.goes && s.statements == 1
	}
}

// hint says what to do about a step that met a lock.
func hint(err error, again bool) string {
	switch {
	case !locked(err):
		return ""
	case again:
		return "the table is in use: run again when it is not, or raise LockTimeout or Retries"
	default:
		return "the table is in use, and the step was not tried again, as what it began may have stayed: look what it left, then run again"
	}
}

func onConn(ctx context.Context, one *sql.DB, do func(context.Context, *sql.Conn) error) (err error) {
	c, err := one.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	return do(ctx, c)
}
