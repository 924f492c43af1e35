package provision

import (
	"errors"

	"github.com/gormtenancy/tenancy"
)

// takenError means that a database or a schema that was to be made is there already.
type takenError struct {
	what  string
	cause error // why it cannot be used; nil: it can
}

// Error implements error.
func (e *takenError) Error() string {
	text := tenancy.ErrTenantExists.Error() + ": " + e.what + " was made by somebody else in the meantime"
	if e.cause != nil {
		text += ": " + e.cause.Error()
	}
	return text
}

// Unwrap returns [tenancy.ErrTenantExists] and the cause.
func (e *takenError) Unwrap() []error {
	if e.cause == nil {
		return []error{tenancy.ErrTenantExists}
	}
	return []error{tenancy.ErrTenantExists, e.cause}
}

// orThere is for who does not mind what was there before: created tells it from what was made.
func orThere(err error) (created bool, _ error) {
	if there, ok := errors.AsType[*takenError](err); ok {
		return false, there.cause
	}
	return err == nil, err
}
