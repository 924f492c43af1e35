package catalog

import (
	"context"
	"errors"

	"github.com/gormtenancy/tenancy"
)

// unavailable is a [tenancy.ErrTenantUnavailable] with a cause, whose text it does not repeat: that may hold a host, a user or a
// DSN. Whoever may see those unwraps it.
type unavailable struct {
	what  string
	cause error
}

// Error implements error.
func (u *unavailable) Error() string {
	text := tenancy.ErrTenantUnavailable.Error() + ": " + u.what
	if said := brief(u.cause); said != "" {
		text += " (" + said + ")"
	}
	return text
}

// Unwrap returns the sentinel and the cause.
func (u *unavailable) Unwrap() []error { return []error{tenancy.ErrTenantUnavailable, u.cause} }

// brief says as much of err as anybody may read.
func brief(err error) string {
	var state interface{ SQLState() string }
	switch {
	case errors.As(err, &state):
		return "SQLSTATE " + state.SQLState()
	case errors.Is(err, context.DeadlineExceeded):
		return context.DeadlineExceeded.Error()
	case errors.Is(err, context.Canceled):
		return context.Canceled.Error()
	default:
		return ""
	}
}

var errCatalogClosed = errors.New("catalog: it is closed")

func errClosed() error { return &unavailable{"the catalog has been closed", errCatalogClosed} }

// unreachable is the error of a look-up that the master did not answer.
func (c *cache) unreachable(err error) error {
	if c.watch.closed() {
		return errClosed()
	}
	c.watch.nudge() // others need not find out one by one
	return &unavailable{"the master database does not answer", err}
}
