package merge

import (
	"errors"
	"fmt"
)

// ErrDescription means that a [Description] contradicts itself, or the columns of the sources. It is a fault of the caller.
var ErrDescription = errors.New("merge: the description does not fit")

// UnmergeableError means that the answers cannot be merged exactly.
type UnmergeableError struct {
	Column string // its name in the answers
	Reason string
}

// Error implements error.
func (e *UnmergeableError) Error() string {
	return fmt.Sprintf("merge: column %q: %s", e.Column, e.Reason)
}

// SourceError means that a source could not be opened or read. The others have been ended.
type SourceError struct {
	Source string
	Err    error
}

// Error implements error.
func (e *SourceError) Error() string { return fmt.Sprintf("merge: %s: %v", e.Source, e.Err) }

// Unwrap returns the source's own error.
func (e *SourceError) Unwrap() error { return e.Err }

// TooManyError means that more would have to be remembered than [Options.Groups] allows.
type TooManyError struct {
	Limit int
}

// Error implements error.
func (e *TooManyError) Error() string {
	return fmt.Sprintf("merge: more than %d groups and distinct values", e.Limit)
}

// AmbiguousError means that two sources have a row that there should be once.
type AmbiguousError struct {
	Sources [2]string
}

// Error implements error.
func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("merge: %s and %s have the same row", e.Sources[0], e.Sources[1])
}

// OverflowError means that a sum leaves the range of its type, as it would in one database.
type OverflowError struct {
	Column string
}

// Error implements error.
func (e *OverflowError) Error() string {
	return fmt.Sprintf("merge: column %q: out of range", e.Column)
}

func misfit(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrDescription, fmt.Sprintf(format, args...))
}
