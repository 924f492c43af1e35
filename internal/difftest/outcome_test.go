package difftest

import (
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"
	"strings"

	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
)

// outcome is all that the caller of a finisher sees.
type outcome struct {
	what    string // the finisher
	class   string // of the error; empty: none
	err     error
	rows    int64
	values  []string
	refused bool
}

// text is what two outcomes are compared by. After an error the values are what they happened to be, except where it says
// that there was nothing to be found.
func (o outcome) text() string {
	if o.class != "" && o.class != "not found" {
		return o.what + ": error " + o.class
	}
	return fmt.Sprintf("%s: error %q, %d rows, %s", o.what, o.class, o.rows, strings.Join(o.values, " | "))
}

func (o outcome) String() string {
	if o.err != nil {
		return o.text() + " (" + o.err.Error() + ")"
	}
	return o.text()
}

// outcomeOf makes an outcome from what a finisher returned and the variables that it wrote to.
func outcomeOf(what string, err error, rows int64, ordered bool, into ...any) outcome {
	o := outcome{what: what, err: err, class: classOf(err), rows: rows}
	_, o.refused = errors.AsType[*tenancy.StatementError](err)
	for _, v := range into {
		o.values = append(o.values, showAll(reflect.ValueOf(v), 0, !ordered)...)
	}
	return o
}

// classOf names the class of an error: those that GORM has a variable for, each its own, and the rest.
func classOf(err error) string {
	if err == nil {
		return ""
	}
	if refusal, ok := errors.AsType[*tenancy.StatementError](err); ok {
		return "refusal " + refusal.Err.Error()
	}
	for name, sentinel := range map[string]error{
		"not found": gorm.ErrRecordNotFound, "missing where": gorm.ErrMissingWhereClause, "duplicated key": gorm.ErrDuplicatedKey,
		"invalid transaction": gorm.ErrInvalidTransaction, "primary key required": gorm.ErrPrimaryKeyRequired,
		"model value required": gorm.ErrModelValueRequired, "invalid data": gorm.ErrInvalidData, "unsupported relation": gorm.ErrUnsupportedRelation,
		"empty slice": gorm.ErrEmptySlice, "invalid field": gorm.ErrInvalidField, "invalid value": gorm.ErrInvalidValue,
		"length": gorm.ErrInvalidValueOfLength, "subquery required": gorm.ErrSubQueryRequired, "deliberate": errDeliberate, "panic": errPanic,
	} {
		if errors.Is(err, sentinel) {
			return name
		}
	}
	return "other"
}

// Errors of the chains' own.
var (
	errDeliberate = errors.New("the transaction was to be rolled back")
	errPanic      = errors.New("panic")
	errNoRow      = errors.New("no row: Row returned nil")
)

// guarded runs a step, and takes a panic for an error: some of GORM's own are the same with and without the plugin.
func guarded(s *side, run func(*side) []outcome) (out []outcome) {
	defer func() {
		if p := recover(); p != nil {
			err := fmt.Errorf("%w: %v\n%s", errPanic, p, debug.Stack())
			out = append(out, outcome{what: "panic", class: "panic", err: err})
		}
	}()
	return run(s)
}
