package provision

import (
	"errors"
	"reflect"
)

// The codes of the servers' answers that are not faults here, or that pass.
const (
	pgDuplicateDatabase = "42P04"
	pgDuplicateSchema   = "42P06"
	pgUniqueViolation   = "23505" // of pg_database or pg_namespace: somebody else was making it at the same time
	pgNoSuchDatabase    = "3D000"
	pgNoSuchSchema      = "3F000"
	pgObjectInUse       = "55006"
	pgLockNotAvailable  = "55P03"
	pgNotAllowed        = "42501"

	mysqlDatabaseExists  = 1007 // ER_DB_CREATE_EXISTS
	mysqlNoSuchDatabase  = 1008 // ER_DB_DROP_EXISTS
	mysqlNoSuchAccount   = 1133 // ER_PASSWORD_NO_MATCH
	mysqlNoSuchGrant     = 1141 // ER_NONEXISTING_GRANT
	mysqlLockWaitTimeout = 1205 // ER_LOCK_WAIT_TIMEOUT
)

// stateOf returns the SQLSTATE of PostgreSQL's answer in err, or "".
func stateOf(err error) string {
	var state interface{ SQLState() string }
	if errors.As(err, &state) {
		return state.SQLState()
	}
	return ""
}

// numberOf returns the number of MySQL's answer in err, or 0.
func numberOf(err error) uint64 {
	if answer := mysqlAnswer(err); answer != nil {
		return reflect.Indirect(reflect.ValueOf(answer)).FieldByName("Number").Uint()
	}
	return 0
}

// answerOf returns what the server itself said, without what the driver says around it, or nil.
func answerOf(err error) error {
	var state interface {
		error
		SQLState() string
	}
	var code interface { // modernc.org/sqlite v1.62.0, Error
		error
		Code() int
	}
	switch {
	case errors.As(err, &state):
		return state
	case errors.As(err, &code):
		return code
	default:
		return mysqlAnswer(err)
	}
}

// mysqlAnswer returns the MySQLError in err's tree, or nil. The type is not imported, as nobody who has another database should
// have to link MySQL's driver.
func mysqlAnswer(err error) error {
	if err == nil {
		return nil
	}
	v := reflect.Indirect(reflect.ValueOf(err))
	if v.Kind() == reflect.Struct && v.Type().Name() == "MySQLError" && v.FieldByName("Number").CanUint() {
		return err
	}
	switch wrapped := err.(type) { //nolint:errorlint // it is the tree that is walked
	case interface{ Unwrap() error }:
		return mysqlAnswer(wrapped.Unwrap())
	case interface{ Unwrap() []error }:
		for _, err := range wrapped.Unwrap() {
			if answer := mysqlAnswer(err); answer != nil {
				return answer
			}
		}
	}
	return nil
}
