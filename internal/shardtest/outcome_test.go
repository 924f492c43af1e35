package shardtest

import (
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"

	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
)

// row is one of a result: its text, and the texts of its columns.
type row struct {
	text   string
	values map[string]string
}

// outcome is all that the caller of a finisher sees.
type outcome struct {
	err      error
	affected int64
	rows     []row
}

var errPanic = errors.New("panic")

// guarded runs a chain, and takes a panic for an error.
func guarded(c chain, s *side) (out outcome) {
	defer func() {
		if p := recover(); p != nil {
			out = outcome{err: fmt.Errorf("%w: %v\n%s", errPanic, p, debug.Stack())}
		}
	}()
	return c.run(s)
}

// refused names the sentinel of a refusal; empty if it is none.
func (o outcome) refused() string {
	if o.err == nil {
		return ""
	}
	if partial, ok := errors.AsType[*tenancy.PartialError](o.err); ok && len(partial.Done) > 0 {
		return ""
	}
	for _, sentinel := range []error{
		tenancy.ErrMissingShardKey, tenancy.ErrCrossShard, tenancy.ErrUnmergeable, tenancy.ErrUnconfinedSQL, tenancy.ErrShardNotFound, tenancy.ErrInvalidConfig,
		tenancy.ErrTenantMismatch,
	} {
		if errors.Is(o.err, sentinel) {
			return strings.TrimPrefix(sentinel.Error(), "tenancy: ")
		}
	}
	return ""
}

// class names the error, those that GORM has a variable for each their own.
func (o outcome) class() string {
	switch {
	case o.err == nil:
		return ""
	case errors.Is(o.err, errPanic):
		return "panic"
	case errors.Is(o.err, gorm.ErrRecordNotFound):
		return "not found"
	case errors.Is(o.err, gorm.ErrMissingWhereClause):
		return "missing where"
	case errors.Is(o.err, gorm.ErrDuplicatedKey):
		return "duplicated key"
	case errors.Is(o.err, errEndless):
		return "endless"
	case errors.Is(o.err, sql.ErrNoRows):
		return "no rows"
	}
	return "other"
}

func (o outcome) String() string {
	if o.err != nil {
		return "error " + o.class() + ": " + o.err.Error()
	}
	texts := o.texts()
	if len(texts) > shownRows {
		texts = append(texts[:shownRows], "…")
	}
	return fmt.Sprintf("%d rows affected, %d rows:\n    %s", o.affected, len(o.rows), strings.Join(texts, "\n    "))
}

// shownRows is how many rows of a result a failure shows.
const shownRows = 12

func (o outcome) texts() []string {
	all := make([]string, len(o.rows))
	for i, r := range o.rows {
		all[i] = r.text
	}
	return all
}

// sorted are the texts, each by the keys alone.
func (o outcome) keys(keys []sortKey) []string {
	all := make([]string, len(o.rows))
	for i, r := range o.rows {
		for _, k := range keys {
			v, known := r.values[k.column]
			if !known {
				break
			}
			all[i] += v + "|"
		}
	}
	return all
}

// differs says how an outcome is not the one of the database with all rows; full is that without a limit, where the chain has one.
func (c chain) differs(want, got outcome, full func() outcome) string {
	switch {
	case want.class() != got.class():
		return "the errors differ"
	case want.err != nil:
		return ""
	case want.affected != got.affected:
		return "the rows affected differ"
	case len(want.rows) != len(got.rows):
		return "there are more or fewer rows"
	}
	keys, total := c.order()
	if total && !slices.Equal(want.texts(), got.texts()) {
		return "the rows, or their order, differ"
	}
	if !slices.Equal(want.keys(keys), got.keys(keys)) {
		return "the order differs"
	}
	if total {
		return ""
	}
	have := want.texts()
	if c.limited() {
		have = full().texts()
	}
	if missing(got.texts(), have) || !c.limited() && missing(have, got.texts()) {
		return "the rows differ"
	}
	return ""
}

// missing tells whether a has texts that b has not, or fewer times.
func missing(a, b []string) bool {
	count := map[string]int{}
	for _, s := range b {
		count[s]++
	}
	for _, s := range a {
		if count[s]--; count[s] < 0 {
			return true
		}
	}
	return false
}

// outcomeOf makes an outcome of a statement and what it wrote to.
func outcomeOf(tx *gorm.DB, t *table, into any) outcome {
	return outcome{err: tx.Error, affected: tx.RowsAffected, rows: rowsOf(t, reflect.ValueOf(into))}
}

// rowsOf takes a result apart.
func rowsOf(t *table, v reflect.Value) []row {
	for v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	if v.Kind() != reflect.Slice || v.Type().Elem().Kind() == reflect.Uint8 {
		return []row{rowOf(t, v)}
	}
	var all []row
	for i := range v.Len() {
		all = append(all, rowOf(t, v.Index(i)))
	}
	return all
}

func rowOf(t *table, v reflect.Value) row {
	r := row{text: show(v), values: map[string]string{}}
	for v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	switch {
	case v.Kind() == reflect.Struct && t != nil && v.Type() == t.row:
		for _, c := range t.columns {
			r.values[c.name] = show(v.FieldByName(c.field))
		}
	case v.Kind() == reflect.Map:
		for _, k := range v.MapKeys() {
			r.values[k.String()] = show(v.MapIndex(k))
		}
	}
	return r
}
