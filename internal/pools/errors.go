package pools

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"reflect"
	"strconv"
	"strings"
)

// fault is an error about one database. Its text never repeats that of its cause, which may hold a host, a user or a DSN:
// whoever may see those unwraps it.
type fault struct {
	sentinel error
	name     string
	what     string
	cause    error // may be nil
}

// Error implements error.
func (f *fault) Error() string {
	return f.sentinel.Error() + ": shard " + strconv.Quote(f.name) + ": " + f.what
}

// Unwrap returns the sentinel and the cause.
func (f *fault) Unwrap() []error {
	if f.cause == nil {
		return []error{f.sentinel}
	}
	return []error{f.sentinel, f.cause}
}

// brief says as much of err as anybody may read.
func brief(err error) string {
	var network *net.OpError
	var state interface{ SQLState() string }
	switch {
	case errors.As(err, &state):
		return "SQLSTATE " + state.SQLState()
	case errors.As(err, &network):
		return network.Error()
	case errors.Is(err, context.DeadlineExceeded):
		return context.DeadlineExceeded.Error()
	case errors.Is(err, context.Canceled):
		return context.Canceled.Error()
	default:
		return "see the wrapped error"
	}
}

const (
	noSuchDatabasePostgres = "3D000" // invalid_catalog_name
	noSuchDatabaseMySQL    = 1049    // ER_BAD_DB_ERROR
)

// noSuchDatabase reports whether a server said that it has no database of that name.
func noSuchDatabase(err error) bool {
	var state interface{ SQLState() string }
	if errors.As(err, &state) && state.SQLState() == noSuchDatabasePostgres {
		return true
	}
	return numberOf(err) == noSuchDatabaseMySQL
}

// numberOf returns the Number of a MySQLError in err's tree, or 0. The type is not imported, as nobody who has another
// database should have to link MySQL's driver.
func numberOf(err error) uint64 {
	if err == nil {
		return 0
	}
	v := reflect.Indirect(reflect.ValueOf(err))
	if v.Kind() == reflect.Struct && v.Type().Name() == "MySQLError" {
		if n := v.FieldByName("Number"); n.IsValid() && n.CanUint() {
			return n.Uint()
		}
	}
	switch wrapped := err.(type) { //nolint:errorlint // it is the tree that is walked
	case interface{ Unwrap() error }:
		return numberOf(wrapped.Unwrap())
	case interface{ Unwrap() []error }:
		for _, err := range wrapped.Unwrap() {
			if n := numberOf(err); n != 0 {
				return n
			}
		}
	}
	return 0
}

// verdict is what the end of a statement says of the database.
type verdict uint8

const (
	reached     verdict = iota // it answered, be it with an error
	unreached                  // it cannot be reached
	suspicious                 // it did not answer in the time that the caller had
	undisclosed                // the caller went away
)

// judge tells what err, of a statement that had ctx, says of the database.
func judge(ctx context.Context, err error) verdict {
	switch {
	case err == nil:
		return reached
	// The context comes first: a driver cuts the connection of a statement whose context ends, and what it returns then
	// may look like a fault of the network.
	case errors.Is(ctx.Err(), context.Canceled):
		return undisclosed
	case ctx.Err() != nil:
		return suspicious
	case lost(err):
		return unreached
	// Of a context that was derived from ctx, such as by gorm.Config.DefaultContextTimeout.
	case errors.Is(err, context.DeadlineExceeded):
		return suspicious
	case errors.Is(err, context.Canceled):
		return undisclosed
	default:
		return reached
	}
}

// lost reports whether err means that there is no connection to the database.
func lost(err error) bool {
	var network *net.OpError
	var state interface{ SQLState() string }
	switch {
	case errors.As(err, &state):
		code := state.SQLState()
		// Class 08 is about connections; 57P01 to 57P03: the server stops, has crashed, or is starting.
		return strings.HasPrefix(code, "08") || code == "57P01" || code == "57P02" || code == "57P03"
	case errors.Is(err, driver.ErrBadConn), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return true
	case errors.As(err, &network):
		return true
	default:
		// go-sql-driver/mysql v1.10.1, errors.go, ErrInvalidConn.
		return err.Error() == "invalid connection"
	}
}
