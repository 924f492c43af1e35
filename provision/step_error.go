package provision

import (
	"fmt"

	"github.com/gormtenancy/tenancy"
)

// StepError is why a tenant could not be made or dropped. errors.Is and errors.As find what is in it.
type StepError struct {
	Tenant tenancy.ID
	Step   Step
	Err    error
	// Undo is why what had been made could not be taken back: the tenant is still in the catalog, in the state creating, and
	// Create or Recover take it back later.
	Undo error
}

// Error implements error.
func (e *StepError) Error() string {
	text := fmt.Sprintf("provision: tenant %s: %s: %v", e.Tenant, e.Step, e.Err)
	if e.Undo != nil {
		text += fmt.Sprintf("; what had been made is still there, until Create or Recover is called: %v", e.Undo)
	}
	return text
}

// Unwrap returns Err and Undo.
func (e *StepError) Unwrap() []error {
	if e.Undo == nil {
		return []error{e.Err}
	}
	return []error{e.Err, e.Undo}
}
