package benchmarks

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"gorm.io/gorm"
)

// A contestant is one way to run a statement.
type contestant struct {
	session *session
	run     func(*session) *gorm.DB
}

// The contestants of a contest.
const (
	plain   = iota
	through // the plugin
	again   // plain once more: what it differs by is noise
	contestants
)

// A contest runs one statement in three ways. Single runs take turns, so that a machine whose speed changes, or that others
// use too, changes all three alike. Their order is random: in a fixed one each would always find what the same other has
// left in caches and queues, which was worth 7 %.
type contest struct {
	tb     testing.TB
	site   *site
	before func(*site, int) error
	all    [contestants]contestant
	most   int // 0: runs are not bounded
	runs   int // of each contestant, in a round
	times  [contestants][]time.Duration
}

const (
	roundTime = 2 * time.Millisecond // of each contestant
	leastRuns = 40                   // in a round, however long it takes
)

func newContest(tb testing.TB, s *site, st statement) *contest {
	tb.Helper()
	c := &contest{
		tb: tb, site: s, before: st.before, most: st.most, runs: 10,
		all: [contestants]contestant{plain: {s.plain, st.plain}, through: {s.tenancy, st.tenancy}, again: {s.again, st.plain}},
	}
	c.compare()
	c.round()
	c.runs = c.bounded(max(leastRuns, int(roundTime/c.times[plain][c.runs/2])))
	return c
}

func (c *contest) bounded(runs int) int {
	if c.most > 0 {
		return min(runs, c.most)
	}
	return runs
}

// compare runs each contestant once, which fills the caches of GORM too, and fails if they do not do the same.
func (c *contest) compare() {
	c.tb.Helper()
	c.prepare(contestants)
	var rows [contestants]int64
	for i, who := range c.all {
		db := who.run(who.session)
		check(c.tb, db.Error)
		rows[i] = db.RowsAffected
	}
	if rows[plain] == 0 || rows != [contestants]int64{rows[plain], rows[plain], rows[plain]} {
		c.tb.Fatalf("rows of plain, plugin, plain: %v", rows)
	}
}

// prepare makes the rows that n runs need.
func (c *contest) prepare(n int) {
	c.tb.Helper()
	c.site.next = firstDeleted
	c.site.reconnect()
	if c.before != nil {
		check(c.tb, c.before(c.site, n))
	}
}

// once runs a statement and returns how long it took.
func (c *contest) once(who contestant) time.Duration {
	start := time.Now()
	db := who.run(who.session)
	took := time.Since(start)
	check(c.tb, db.Error)
	return took
}

// A ratio says how many times as long as plain GORM something took, and how long the plugin did.
type ratio struct{ plugin, noise, nanoseconds float64 }

// round measures each contestant once.
func (c *contest) round() ratio {
	c.tb.Helper()
	warmups := 0
	if len(c.site.apart) > 0 {
		warmups = 10 // of new connections: PostgreSQL plans the first five runs of a statement each time
	}
	c.prepare(contestants * (c.runs + warmups))
	for i := range c.times {
		c.times[i] = c.times[i][:0]
		for range warmups {
			c.once(c.all[i])
		}
	}
	for range c.runs {
		for _, i := range rand.Perm(contestants) {
			c.times[i] = append(c.times[i], c.once(c.all[i]))
		}
	}
	typical := func(i int) float64 { return middle(c.times[i]) }
	took := typical(through)
	return ratio{plugin: took / typical(plain), noise: typical(again) / typical(plain), nanoseconds: took}
}

// middle sorts the times and returns the mean of their middle half, which an interruption does not change.
func middle(times []time.Duration) float64 {
	slices.Sort(times)
	cut := len(times) / 4
	sum := time.Duration(0)
	for _, t := range times[cut : len(times)-cut] {
		sum += t
	}
	return float64(sum) / float64(len(times)-2*cut)
}

// space is what runs allocate.
type space struct{ Allocs, Bytes float64 }

// allocates returns what a run allocates, with the other goroutines of database/sql and the drivers.
func (c *contest) allocates(i int) space {
	c.tb.Helper()
	runs := c.bounded(200)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	c.prepare(runs + 1)
	c.once(c.all[i])
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		c.once(c.all[i])
	}
	runtime.ReadMemStats(&after)
	return space{
		Allocs: math.Round(float64(after.Mallocs-before.Mallocs) / float64(runs)),
		Bytes:  math.Round(float64(after.TotalAlloc-before.TotalAlloc) / float64(runs)),
	}
}

// A spread is a number of ratios. It shows their median, and between which the middle half of them is.
type spread []float64

func (s spread) at(share float64) float64 {
	slices.Sort(s)
	at := share * float64(len(s)-1)
	i := int(at)
	return s[i] + (at-float64(i))*(s[min(i+1, len(s)-1)]-s[i])
}

func (s spread) median() float64 { return s.at(0.5) }

// String implements [fmt.Stringer].
func (s spread) String() string {
	return fmt.Sprintf("%.3f (%.3f–%.3f)", s.median(), s.at(0.25), s.at(0.75))
}

// result is what a contest has found.
type result struct {
	Plugin, Noise spread
	Nanoseconds   spread // through the plugin
	Plain, Extra  space
}

// add takes the result of a round.
func (r *result) add(found ratio) {
	r.Plugin, r.Noise = append(r.Plugin, found.plugin), append(r.Noise, found.noise)
	r.Nanoseconds = append(r.Nanoseconds, found.nanoseconds)
}

// weigh adds what runs allocate.
func (r *result) weigh(c *contest) {
	c.tb.Helper()
	r.Plain = c.allocates(plain)
	with := c.allocates(through)
	r.Extra = space{Allocs: with.Allocs - r.Plain.Allocs, Bytes: with.Bytes - r.Plain.Bytes}
}
