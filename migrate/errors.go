package migrate

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/gormtenancy/tenancy"
)

// ErrStopped means that places have not been begun because others had failed: see Config.Canary and Config.StopAt. Mend what
// is in the report, and run again.
var ErrStopped = errors.New("migrate: stopped")

// StepError says which step failed, and where.
type StepError struct {
	File      string // of the step; for a step in Go without a file, its version
	Version   int64
	Placement tenancy.Placement
	Hint      string // what to do about it; may be empty
	Err       error
}

// Error implements error.
func (e *StepError) Error() string {
	text := fmt.Sprintf("migrate: step %s at %s: %v", e.File, where(e.Placement), e.Err)
	if e.Hint != "" {
		text += " (" + e.Hint + ")"
	}
	return text
}

// Unwrap returns Err.
func (e *StepError) Unwrap() error { return e.Err }

// unreachableError is about a database that gives no connection. Its text leaves out that of its cause, which may hold a host and
// a user: whoever may see those unwraps it.
type unreachableError struct {
	what  string
	cause error
}

// Error implements error.
func (e *unreachableError) Error() string {
	var network *net.OpError
	var state interface{ SQLState() string }
	brief := "see the wrapped error"
	switch {
	case errors.Is(e.cause, tenancy.ErrTenantUnavailable), errors.Is(e.cause, tenancy.ErrShardNotFound), errors.Is(e.cause, tenancy.ErrInvalidConfig), errors.Is(e.cause, tenancy.ErrOverloaded):
		brief = e.cause.Error() // written by the plugin, for anybody
	case errors.Is(e.cause, context.Canceled):
		brief = context.Canceled.Error()
	case errors.Is(e.cause, context.DeadlineExceeded):
		brief = context.DeadlineExceeded.Error()
	case errors.As(e.cause, &state):
		brief = "SQLSTATE " + state.SQLState()
	case errors.As(e.cause, &network):
		brief = network.Error()
	}
	return e.what + ": " + brief
}

// Unwrap returns the cause.
func (e *unreachableError) Unwrap() error { return e.cause }
