package shardkey

import (
	"errors"
	"fmt"
	"reflect"
)

// ErrMissing means that there is no key: it is nil, or NULL.
var ErrMissing = errors.New("the key is missing: it is nil or NULL")

// TypeError means that values of a type are no keys. It shows the type alone.
type TypeError struct {
	Type reflect.Type
}

// Error implements error.
func (e *TypeError) Error() string {
	return fmt.Sprintf("a %s is no key: take an integer, a string, a UUID, []byte or time.Time", e.Type)
}

// ValueError means that the Value method of a key failed. Its text leaves out why, for that can show the key.
type ValueError struct {
	Type reflect.Type
	Err  error
}

// Error implements error.
func (e *ValueError) Error() string {
	return fmt.Sprintf("method Value of the key, a %s, failed", e.Type)
}

// Unwrap returns Err.
func (e *ValueError) Unwrap() error { return e.Err }
