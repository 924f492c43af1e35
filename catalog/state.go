package catalog

import "slices"

// State says what may be done with a tenant. Statements of tenants that are not [Active] are refused.
type State string

const (
	// Creating is a tenant whose storage is being made.
	Creating State = "creating"
	// Active is a tenant that is served.
	Active State = "active"
	// Suspended is a tenant that is there and not served.
	Suspended State = "suspended"
	// Moving is a tenant that is being brought to another place.
	Moving State = "moving"
	// Dropping is a tenant whose storage is being removed.
	Dropping State = "dropping"
)

// after returns the states that a tenant may go to from s.
func (s State) after() []State {
	switch s {
	case Creating:
		return []State{Active, Dropping}
	case Active:
		return []State{Suspended, Moving}
	case Suspended:
		return []State{Active, Moving, Dropping}
	case Moving:
		return []State{Active, Suspended}
	default:
		return nil
	}
}

func (s State) mayBecome(to State) bool { return slices.Contains(s.after(), to) }

// known tells whether s is one of the five.
func (s State) known() bool { return s == Dropping || s.after() != nil }

// needsReason tells whether somebody will ask why a tenant is in state s.
func (s State) needsReason() bool { return s == Suspended || s == Dropping }
