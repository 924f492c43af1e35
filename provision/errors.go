package provision

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"

	"github.com/gormtenancy/tenancy/internal/dsn"
)

var (
	// ErrInvalidName means that a database or a schema cannot have this name, or that it is one of the server's own, which are
	// not made or dropped here.
	ErrInvalidName = errors.New("tenancy: invalid name of a database or schema")
	// ErrInvalidDSN means that a DSN cannot be read or names no database. Its text does not show the DSN.
	ErrInvalidDSN = dsn.ErrInvalid
	// ErrInUse means that a database or a schema, or the template of a new one, was still in use after half a minute of trying:
	// by sessions that the role may not end, by a prepared transaction or a replication slot; or it was still being made. End them
	// and try again.
	ErrInUse = errors.New("tenancy: database in use")
	// ErrBroken means that a database is the rest of one whose drop was cut short, so that nobody can connect to it: drop it
	// again.
	ErrBroken = errors.New("tenancy: database is broken")
)

// failure is an error of a database. Its text never repeats that of its cause unless that is the server's own answer: a
// driver's may hold the DSN. Whoever may see it unwraps it.
type failure struct {
	sentinel error // may be nil
	what     string
	cause    error // may be nil if there is a sentinel
}

// failed returns err as a failure of what was done, or nil if there is none.
func failed(what string, err error) error {
	var already *failure
	if err == nil || errors.As(err, &already) {
		return err
	}
	return &failure{what: what, cause: err}
}

// Error implements error.
func (f *failure) Error() string {
	text := "tenancy: "
	if f.sentinel != nil {
		text = f.sentinel.Error() + ": "
	}
	if f.cause == nil {
		return text + f.what
	}
	return text + f.what + ": " + brief(f.cause)
}

// Unwrap returns the sentinel and the cause.
func (f *failure) Unwrap() []error {
	var all []error
	for _, err := range []error{f.sentinel, f.cause} {
		if err != nil {
			all = append(all, err)
		}
	}
	return all
}

// brief says as much of err as anybody may read.
func brief(err error) string {
	if text := known(err); text != "" {
		return text
	}
	return "the wrapped error says why, and may show the DSN"
}

// known is the text of an error of a kind that shows no DSN, or "".
func known(err error) string {
	var file *fs.PathError
	var network *net.OpError
	answer := answerOf(err)
	switch {
	case answer != nil:
		return answer.Error()
	case errors.As(err, &file):
		return file.Op + ": " + file.Err.Error() // its path may be all of a DSN
	case errors.As(err, &network):
		return network.Error()
	case errors.Is(err, context.DeadlineExceeded):
		return context.DeadlineExceeded.Error()
	case errors.Is(err, context.Canceled):
		return context.Canceled.Error()
	default:
		return ""
	}
}

func invalidName(name, format string, args ...any) error {
	return fmt.Errorf("%w: %q %s", ErrInvalidName, name, fmt.Sprintf(format, args...))
}
