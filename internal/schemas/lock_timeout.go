package schemas

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

type lockTimeoutKey struct{}

// WithLockTimeout returns a context whose statements give up a lock of the database's that they do not get in time: on
// PostgreSQL and MySQL. On SQLite the busy_timeout of the connection counts.
func WithLockTimeout(ctx context.Context, d time.Duration) context.Context {
	return context.WithValue(ctx, lockTimeoutKey{}, d)
}

// Concerns tells whether a statement of ctx in a schema, "" for none, is the Runner's to run.
func (r *Runner) Concerns(ctx context.Context, schema, query string) bool {
	if schema != "" {
		return true
	}
	if !r.limits || lockTimeout(ctx) <= 0 {
		return false
	}
	// PostgreSQL's CREATE INDEX CONCURRENTLY waits without blocking others, and refuses to be in a transaction.
	return r.mysql || !strings.Contains(strings.ToUpper(query), "CONCURRENTLY")
}

func lockTimeout(ctx context.Context) time.Duration {
	d, _ := ctx.Value(lockTimeoutKey{}).(time.Duration)
	return d
}

// limit sets the lock timeout of ctx, and returns what sets it back.
func (r *Runner) limit(ctx context.Context, c Conn) (restore func() error, err error) {
	d := lockTimeout(ctx)
	if d <= 0 || !r.limits {
		return func() error { return nil }, nil
	}
	after := context.WithoutCancel(ctx)
	if r.mysql {
		var meta, rows uint64
		if err := c.QueryRowContext(ctx, "SELECT @@SESSION.lock_wait_timeout, @@SESSION.innodb_lock_wait_timeout").Scan(&meta, &rows); err != nil {
			return nil, err
		}
		set := func(ctx context.Context, meta, rows uint64) error {
			_, err := c.ExecContext(ctx, fmt.Sprintf("SET SESSION lock_wait_timeout = %d, innodb_lock_wait_timeout = %d", meta, rows))
			return err
		}
		s := Seconds(d)
		if err := set(ctx, s, s); err != nil {
			return nil, err
		}
		return func() error {
			if err := set(after, meta, rows); err != nil {
				return &notRestoredError{err}
			}
			return nil
		}, nil
	}
	var own, now string
	const set = "SELECT current_setting('lock_timeout'), set_config('lock_timeout', $1, true)"
	if err := c.QueryRowContext(ctx, set, strconv.FormatInt(max(d.Milliseconds(), 1), 10)).Scan(&own, &now); err != nil {
		return nil, err
	}
	return func() error {
		_, err := c.ExecContext(after, "SELECT set_config('lock_timeout', $1, true)", own)
		return err
	}, nil
}

// Seconds is a lock timeout as MySQL takes it: in whole seconds, at least one.
func Seconds(d time.Duration) uint64 {
	return uint64(max((d+time.Second-1)/time.Second, 1))
}

// both sets back in the opposite order.
func both(first, second func() error) func() error {
	return func() error { return errors.Join(second(), first()) }
}
