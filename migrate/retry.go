package migrate

import (
	"context"
	"errors"
	"math/rand/v2"
	"reflect"
	"time"
)

const (
	lockNotAvailable = "55P03" // PostgreSQL: the lock timeout
	deadlockDetected = "40P01"
	lockWaitTimeout  = 1205 // MySQL: ER_LOCK_WAIT_TIMEOUT
	lockDeadlock     = 1213 // ER_LOCK_DEADLOCK
	sqliteBusy       = 5
	sqliteLocked     = 6
)

// locked tells whether err means that a lock could not be had, be it for a deadlock.
func locked(err error) bool {
	var state interface{ SQLState() string }
	if errors.As(err, &state) {
		if s := state.SQLState(); s == lockNotAvailable || s == deadlockDetected {
			return true
		}
	}
	if n, ok := number(err, "MySQLError", "Number"); ok {
		return n == lockWaitTimeout || n == lockDeadlock
	}
	var coded interface{ Code() int } // modernc.org/sqlite v1.62.0 sqlite.go Error
	if errors.As(err, &coded) {
		primary := coded.Code() & 0xff // the rest says more of the same
		return primary == sqliteBusy || primary == sqliteLocked
	}
	n, ok := number(err, "Error", "Code") // github.com/mattn/go-sqlite3 error.go Error
	return ok && (n == sqliteBusy || n == sqliteLocked)
}

// waitedInVain tells whether err is the lock timeout of one statement on MySQL, which undoes that statement alone.
func waitedInVain(err error) bool {
	n, ok := number(err, "MySQLError", "Number")
	return ok && n == lockWaitTimeout
}

// number returns a field of a driver's error. The type is not imported, as nobody should link the driver of another database.
func number(err error, typeName, field string) (n int64, ok bool) {
	if err == nil {
		return 0, false
	}
	if v := reflect.Indirect(reflect.ValueOf(err)); v.Kind() == reflect.Struct && v.Type().Name() == typeName {
		switch f := v.FieldByName(field); {
		case !f.IsValid():
		case f.CanInt():
			return f.Int(), true
		case f.CanUint():
			return int64(f.Uint()), true //nolint:gosec // the codes are small
		}
	}
	switch wrapped := err.(type) { //nolint:errorlint // it is the tree that is walked
	case interface{ Unwrap() error }:
		return number(wrapped.Unwrap(), typeName, field)
	case interface{ Unwrap() []error }:
		for _, err := range wrapped.Unwrap() {
			if n, ok := number(err, typeName, field); ok {
				return n, true
			}
		}
	}
	return 0, false
}

const (
	firstPause   = 50 * time.Millisecond
	longestPause = 3 * time.Second
)

// pause waits before another attempt, the longer the more there were, and by chance: what met each other once is not to meet
// again.
func pause(ctx context.Context, attempt int) error {
	d := min(firstPause<<min(attempt, 10), longestPause)
	d = d/2 + rand.N(d/2) //nolint:gosec // no secret
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
