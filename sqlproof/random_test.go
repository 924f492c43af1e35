package sqlproof_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gormtenancy/tenancy/sqlproof"
)

// fixedStatements is how many statements of seed 1 each run of the tests makes.
const fixedStatements = 1500

// haste is how long a statement may take where the tenant is alone: one of many products tells no more than others.
const haste = 30 * time.Millisecond

// TestRandom holds the proof to its promise with random statements: what is sent for a tenant gives where there are two
// what the statement itself gives where the tenant is alone, and leaves the rows of the other as they are. The statements
// mention the tenant column in many places where that binds nothing.
//
// TENANCY_FUZZ_TIME bounds it on each database instead, with fresh seeds; TENANCY_FUZZ_SEED=seed:n runs the one
// statement that a failure has printed; TENANCY_FUZZ_KEEP=1 goes on after a failure. A failure on MariaDB is to be looked
// at twice: what it finds there is mostly a fault of the optimizer's, if it does not crash the server.
func TestRandom(t *testing.T) {
	budget := time.Duration(0)
	if s := os.Getenv("TENANCY_FUZZ_TIME"); s != "" {
		var err error
		budget, err = time.ParseDuration(s)
		require.NoError(t, err)
	}
	for dialect, analyzer := range analyzers() {
		t.Run(dialect, func(t *testing.T) {
			t.Parallel()
			r := &random{pair: newPair(t, dialect), dialect: dialect, prover: sqlproof.NewProver(analyzer, shop(), 0)}
			all := places(dialect)
			for _, kind := range slices.Sorted(maps.Keys(all)) {
				r.there = append(r.there, r.move(t, dialect, all[kind]))
			}
			if s := os.Getenv("TENANCY_FUZZ_SEED"); s != "" {
				from, only, _ := strings.Cut(s, ":")
				seed, err := strconv.ParseUint(from, 10, 64)
				require.NoError(t, err)
				n, err := strconv.ParseUint(only, 10, 64)
				require.NoError(t, err)
				sql, args := r.statement(throw(seed, n))
				t.Log(sql, args)
				r.run(t, seed, n)
				return
			}
			start := time.Now()
			for n := range uint64(fixedStatements) {
				r.run(t, 1, n)
			}
			assert.False(t, r.gone, "the server is gone")
			for seed := uint64(start.UnixNano()) % 1e9; !r.gone && time.Since(start) < budget; seed++ {
				for n := range uint64(500) {
					r.run(t, seed, n)
				}
			}
			r.summary(t, time.Since(start))
		})
	}
}

// random runs random statements on one pair of databases.
type random struct {
	*pair
	dialect string
	prover  *sqlproof.Prover
	there   []moved
	failed  bool
	gone    bool // the server has crashed, as MariaDB does for some of these statements

	runs, refused, invalid, slow, plain, empty, nowhere int
	reasons                                             map[string]int
}

// statement makes a statement of choices.
func (r *random) statement(data []byte) (string, []any) {
	g := &generator{d: &dice{data: data}, dialect: r.dialect}
	g.eager = g.d.oneIn(3)
	if g.d.oneIn(4) {
		return g.finish(g.write(2))
	}
	text, _ := g.query(g.types(4), nil, 1+g.d.n(3), true)
	return g.finish(text)
}

// run runs one statement, and reports it, shrunk, if it fails.
func (r *random) run(t *testing.T, seed, n uint64) {
	t.Helper()
	if r.gone || r.failed && os.Getenv("TENANCY_FUZZ_KEEP") == "" {
		return
	}
	data := throw(seed, n)
	diff := r.check(t, data, true)
	if diff == "" {
		return
	}
	r.failed = true
	if data = r.shrink(t, data); r.gone {
		return
	}
	sql, args := r.statement(data)
	t.Errorf("TENANCY_FUZZ_SEED=%d:%d on %s\n%s %v\n%s", seed, n, r.dialect, sql, args, r.check(t, data, false))
}

// check compares what one statement gives; "" if it is the same, or if the statement is refused or none of the database's.
func (r *random) check(t *testing.T, data []byte, count bool) string {
	t.Helper()
	sql, args := r.statement(data)
	d := decide(r.prover, sql, args, false)
	if count {
		r.count(d)
	}
	if d.refuse != nil || d.needs != "" {
		return ""
	}
	write := d.plan.Writes
	if r.gone {
		return ""
	}
	alone := r.alone.run(t, sql, args, write, haste)
	if r.died(t, alone, sql, args) {
		return ""
	}
	if alone.err != nil {
		if count && errors.Is(alone.err, context.DeadlineExceeded) {
			r.slow++
		} else if count {
			r.invalid++
		}
		return ""
	}
	if count && len(alone.rows) == 0 && !write {
		r.empty++
	}
	for _, strict := range []bool{false, true} {
		d := decide(r.prover, sql, args, strict)
		if d.refuse != nil {
			break // the condition that the text has itself could not be put where it must stand
		}
		both := r.both.run(t, d.plan.SQL, d.args, write, patience)
		if errors.Is(both.err, context.DeadlineExceeded) || r.died(t, both, d.plan.SQL, d.args) {
			return ""
		}
		if diff := r.differ(both, alone, true); diff != "" {
			return fmt.Sprintf("%s\nsent: %s %v", diff, d.plan.SQL, d.args)
		}
		if strict == (len(sql)%2 == 0) {
			if diff := r.elsewhere(t, sql, args, strict, count); diff != "" {
				return diff
			}
		}
	}
	return ""
}

// elsewhere compares what a statement gives with what it gives where the tenants' tables are at a place.
func (r *random) elsewhere(t *testing.T, sql string, args []any, strict, count bool) string {
	t.Helper()
	sql = strings.NewReplacer("main.", "", "public.", "").Replace(sql) // of a schema there is no other place
	d := decide(r.prover, sql, args, strict)
	if d.refuse != nil || d.needs != "" {
		return ""
	}
	there := r.there[len(sql)/2%len(r.there)]
	text, refusal := d.plan.At(there.schema, there.suffix)
	if refusal != nil {
		if count {
			r.nowhere++
		}
		if !strings.Contains(refusal.Why, "qualified with the name") {
			return fmt.Sprintf("%v\nplan: %s", refusal, d.plan.SQL)
		}
		return ""
	}
	want := r.both.run(t, d.plan.SQL, d.args, d.plan.Writes, patience)
	if want.err != nil || r.died(t, want, d.plan.SQL, d.args) {
		return ""
	}
	got := there.run(t, text, d.args, d.plan.Writes, patience)
	if errors.Is(got.err, context.DeadlineExceeded) || r.died(t, got, text, d.args) {
		return ""
	}
	if diff := same(got, want, true); diff != "" {
		return fmt.Sprintf("%s\nat a place: %s %v", diff, text, d.args)
	}
	return ""
}

// died tells whether a statement has made the server crash.
func (r *random) died(t *testing.T, o outcome, sql string, args []any) bool {
	t.Helper()
	var unreachable *net.OpError
	if errors.Is(o.err, mysql.ErrInvalidConn) || errors.Is(o.err, driver.ErrBadConn) || errors.As(o.err, &unreachable) {
		r.gone = true
		t.Logf("the server has crashed, of this statement or the one before:\n%s %v", sql, args)
	}
	return r.gone
}

func (r *random) count(d decision) {
	r.runs++
	switch {
	case d.refuse != nil || d.needs != "":
		r.refused++
		why := d.needs
		if d.refuse != nil {
			why = d.refuse.Why
		}
		if r.reasons == nil {
			r.reasons = map[string]int{}
		}
		r.reasons[why]++
	case !d.plan.Rewritten():
		r.plain++
	}
}

// summary says what was run. A test in which too little is compared proves nothing.
func (r *random) summary(t *testing.T, took time.Duration) {
	t.Helper()
	t.Logf("%d statements in %v: %d refused, %d sent as they are, %d that the database does not take, %d too slow, "+
		"%d without rows, %d at no place", r.runs, took.Round(time.Millisecond), r.refused, r.plain, r.invalid, r.slow, r.empty, r.nowhere)
	for why, n := range r.reasons {
		t.Logf("%5d × %s", n, why)
	}
	assert.LessOrEqual(t, 3*r.refused, r.runs, "too many are refused")
	assert.LessOrEqual(t, 5*r.invalid, r.runs, "too many are none of the database's")
	assert.LessOrEqual(t, 100*r.nowhere, r.runs, "too many can be put at no place")
	assert.LessOrEqual(t, 2*r.empty, r.runs, "too many find nothing")
}

// shrink sets choices to the simplest ones as long as the statement fails.
func (r *random) shrink(t *testing.T, data []byte) []byte {
	t.Helper()
	best := append([]byte(nil), data...)
	for size := len(best) / 2; size > 0; {
		smaller := false
		for at := 0; at < len(best); at += size {
			trial := append([]byte(nil), best...)
			clear(trial[at:min(at+size, len(trial))])
			if string(trial) != string(best) && r.check(t, trial, false) != "" {
				best, smaller = trial, true
			}
		}
		if !smaller || size > 1 {
			size /= 2
		}
	}
	return best
}
