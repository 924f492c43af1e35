package migrate

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/pressly/goose/v3"
)

// runSteps runs the steps that the place does not have.
func (w *work) runSteps(ctx context.Context) (ahead bool, err error) {
	if w.steps.last == 0 {
		return false, nil
	}
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
		ahead, err = w.stepsOn(ctx, one)
		return err
	})
	var known *StepError
	if err != nil && !errors.As(err, &known) {
		err = fmt.Errorf("migrate: steps at %s: %w", where(w.at), err)
	}
	return ahead, err
}

// stepsOn runs them one by one on one connection.
func (w *work) stepsOn(ctx context.Context, one *sql.DB) (ahead bool, err error) {
	d := dialects()[w.cfg.DB.Name()]
	var h home
	err = onConn(ctx, one, func(c *sql.Conn) error {
		if h, err = d.home(ctx, c, w.at.Schema); err != nil {
			return err
		}
		return d.settle(ctx, c, h, w.cfg.LockTimeout)
	})
	if err != nil {
		return false, err
	}
	store, err := newVersions(d, h.schema)
	if err != nil {
		return false, err
	}
	p, err := w.steps.provider(one, store)
	if err != nil {
		return false, err
	}
	if w.reached, err = p.GetDBVersion(ctx); err != nil {
		return false, err
	}
	if w.reached > w.target.Version {
		return true, nil
	}
	for {
		more, err := w.nextStep(ctx, one, p, d, h)
		if err != nil || !more {
			return false, err
		}
	}
}

// nextStep runs the next one, again and again if a lock is in the way.
func (w *work) nextStep(ctx context.Context, one *sql.DB, p *goose.Provider, d dialect, h home) (more bool, err error) {
	for tried := 1; ; tried++ {
		if err := w.check(ctx); err != nil {
			return false, err
		}
		settle := func(c *sql.Conn) error { return d.settle(ctx, c, h, w.cfg.LockTimeout) }
		if err := onConn(ctx, one, settle); err != nil { // a step may have changed that
			return false, err
		}
		result, err := p.UpByOne(ctx)
		if errors.Is(err, goose.ErrNoNextVersion) {
			return false, nil
		}
		w.attempts.note(tried)
		if err == nil {
			w.reached = result.Source.Version
			return true, nil
		}
		var failed *goose.PartialError
		if !errors.As(err, &failed) {
			return false, err
		}
		s := w.steps.byVer[failed.Failed.Source.Version]
		again := locked(err) && s.repeatable(d)
		if !again || tried > w.cfg.Retries || pause(ctx, tried) != nil {
			return false, &StepError{File: s.name(), Version: s.version, Placement: w.at, Hint: hint(err, again), Err: failed.Err}
		}
	}
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

func onConn(ctx context.Context, one *sql.DB, do func(*sql.Conn) error) (err error) {
	c, err := one.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	return do(c)
}
