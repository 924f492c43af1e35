package shardtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/internal/testdb"
)

func TestMain(m *testing.M) { testdb.Main(m) }

const (
	chainBytes = 400
	fixedSeed  = 1
)

// fixedChains is how many chains of the fixed seed run on each layout, so that a run of the tests does not depend on luck.
func fixedChains(dialect string) uint64 {
	if dialect == "sqlite" {
		return 400
	}
	return 150
}

func TestOracle(t *testing.T) {
	for _, dialect := range []string{"sqlite", "postgres", "mysql"} {
		t.Run(dialect, func(t *testing.T) {
			e := newEngine(t, dialect)
			for _, l := range layouts() {
				if l.only != "" && l.only != dialect {
					continue
				}
				t.Run(l.name, func(t *testing.T) { newWorld(t, e, l).test(t) })
			}
		})
	}
}

func (w *world) test(t *testing.T) {
	t.Helper()
	if s := os.Getenv("TENANCY_FUZZ_SEED"); s != "" {
		first, second, single := strings.Cut(s, ":")
		require.True(t, single, "TENANCY_FUZZ_SEED is seed:n")
		seed, err := strconv.ParseUint(first, 10, 64)
		require.NoError(t, err)
		n, err := strconv.ParseUint(second, 10, 64)
		require.NoError(t, err)
		t.Log(w.chainOf(throw(seed, n, chainBytes)))
		w.run(t, seed, n)
		return
	}
	start := time.Now()
	n := uint64(0)
	for ; n < fixedChains(w.engine.dialect); n++ {
		if !w.run(t, fixedSeed, n) && os.Getenv("TENANCY_FUZZ_KEEP") == "" {
			return
		}
	}
	t.Logf("%d chains, %.0f/s, %.2f answered; %s", n, float64(n)/time.Since(start).Seconds(), w.answered(), w.counts())
	require.Greater(t, w.answered(), leastAnswered(w.engine.dialect), "statements are refused that were answered")
	if s := os.Getenv("TENANCY_FUZZ_TIME"); s != "" {
		budget, err := time.ParseDuration(s)
		require.NoError(t, err)
		seed := uint64(start.UnixNano()) % 1e9
		for n = 0; time.Since(start) < budget; n++ {
			if !w.run(t, seed, n) && os.Getenv("TENANCY_FUZZ_KEEP") == "" {
				return
			}
		}
		t.Logf("seed %d: %d chains; %s", seed, n, w.counts())
	}
}

// leastAnswered is the share of statements over all shards that must not be refused: a little less than on the layout that refuses
// most, so that the test does not pass by refusing.
func leastAnswered(dialect string) float64 {
	return map[string]float64{"sqlite": 0.78, "postgres": 0.75, "mysql": 0.72}[dialect]
}

// answered is the share of statements over all shards that were not refused.
func (w *world) answered() float64 {
	answered, refused := 0, 0
	for what, n := range w.stats {
		switch {
		case !strings.HasPrefix(what, "everywhere"):
		case strings.Contains(what, "refused"):
			refused += n
		default:
			answered += n
		}
	}
	return float64(answered) / float64(answered+refused)
}

func (w *world) counts() string {
	var stats []string
	for k, v := range w.stats {
		stats = append(stats, k+": "+strconv.Itoa(v))
	}
	sort.Strings(stats)
	return strings.Join(stats, ", ")
}

// run runs one chain, and reports it, with what is not needed left out, if it fails.
func (w *world) run(t *testing.T, seed, n uint64) bool {
	t.Helper()
	ctx := context.Background()
	c := w.chainOf(throw(seed, n, chainBytes))
	what, detail, err := w.compare(ctx, c)
	require.NoError(t, err, "TENANCY_FUZZ_SEED=%d:%d %s", seed, n, c)
	if what == "" {
		return true
	}
	small := w.shrink(ctx, c, what)
	if again, d, err := w.compare(ctx, small); err == nil && again == what {
		detail = d
	}
	t.Errorf("TENANCY_FUZZ_SEED=%d:%d: %s\n  %s\n  %s", seed, n, what, small, detail)
	return false
}

// shrink leaves out what a failure does not need.
func (w *world) shrink(ctx context.Context, c chain, what string) chain {
	for again := true; again; {
		again = false
		for i := range c.parts {
			less := c.without(func(k int, _ part) bool { return k == i })
			if found, _, err := w.compare(ctx, less); err == nil && found == what {
				c, again = less, true
				break
			}
		}
	}
	if c.inside {
		out := c
		out.inside = false
		if found, _, err := w.compare(ctx, out); err == nil && found == what {
			return out
		}
	}
	return c
}

// side returns a side of the comparison. everywhere is for one with the plugin.
func (w *world) side(whole, everywhere bool) *side {
	ctx, db := context.Background(), w.db
	if whole {
		db = w.engine.whole
	} else if w.family.orders.tenant {
		ctx = tenancy.WithTenant(ctx, tenancy.ID(tenants()[0]))
	}
	if everywhere {
		ctx = tenancy.OnAllShards(ctx)
	}
	return &side{db: db.WithContext(ctx), bare: db.Session(&gorm.Session{NewDB: true}), ctx: ctx, dialect: w.engine.dialect}
}

// compare runs a chain on both sides. what is how they differ; empty if they do not.
func (w *world) compare(ctx context.Context, c chain) (what, detail string, err error) {
	if c.writes {
		return w.compareWrite(ctx, c)
	}
	if err := w.reset(ctx); err != nil {
		return "", "", err
	}
	want := guarded(c, w.side(true, false))
	full := func() outcome { return guarded(c.all(), w.side(true, false)) }
	got := guarded(c, w.side(false, true))
	what, detail = w.judge(c, want, got, full, "everywhere")
	if what != "" {
		return what, detail, nil
	}
	alone := guarded(c, w.side(false, false))
	if !c.bound() && got.refused() == "" && got.err == nil && alone.refused() != "no placement to run on" {
		return "it says no shard, and was not refused", fmt.Sprint("without OnAllShards: ", alone), nil
	}
	if what, detail = w.judge(c, want, alone, full, "without"); what != "" {
		return what, detail, nil
	}
	what, detail = w.compareShard(c)
	return what, detail, nil
}

// compareShard runs a chain with the key of one shard, and on that shard without the plugin.
func (w *world) compareShard(c chain) (what, detail string) {
	if w.family.orders.tenant || c.of.same || w.at[0] != (tenancy.Placement{Shard: w.at[0].Shard}) {
		return "", ""
	}
	key := w.keys[len(c.String())%len(w.keys)]
	at, err := w.placeOf(c.of, key)
	if err != nil {
		return "the key has no place", err.Error()
	}
	there, in := w.side(true, false), w.side(false, false)
	there.db = w.engine.plain[at.Shard].WithContext(there.ctx)
	there.bare = there.db
	in.ctx = tenancy.WithShardKey(in.ctx, key)
	in.db = w.db.WithContext(in.ctx)
	full := func() outcome { return guarded(c.all(), there) }
	return w.judge(c, guarded(c, there), guarded(c, in), full, "by key")
}

// judge counts what an outcome is, and says how it is wrong.
func (w *world) judge(c chain, want, got outcome, full func() outcome, how string) (what, detail string) {
	if sentinel := got.refused(); sentinel != "" {
		w.stats[how+" refused, "+sentinel]++
		return "", ""
	}
	if want.class() == "panic" {
		w.stats["panics of GORM's own"]++
		return "", ""
	}
	if what := c.differs(want, got, full); what != "" {
		return how + ": " + what, fmt.Sprintf("whole:   %s\n  sharded: %s", want, got)
	}
	if want.err != nil {
		w.stats[how+" errors"]++
	} else {
		w.stats[how+" answered"]++
	}
	return "", ""
}

// compareWrite runs a chain that writes, with the context of all shards and without, each on the rows of the fixture.
func (w *world) compareWrite(ctx context.Context, c chain) (what, detail string, err error) {
	for _, everywhere := range []bool{true, false} {
		how := "without"
		if everywhere {
			how = "everywhere"
		}
		if err := w.reset(ctx); err != nil {
			return "", "", err
		}
		strangers, err := w.strangers(ctx)
		if err != nil {
			return "", "", err
		}
		w.dirty = true
		got := guarded(c, w.side(false, everywhere))
		if got.refused() != "" {
			w.stats[how+" write refused, "+got.refused()]++
			if c.steps {
				continue // those before it are done
			}
		} else {
			want := guarded(c, w.side(true, false))
			if want.class() == "panic" {
				w.stats["panics of GORM's own"]++
				return "", "", nil
			}
			if !everywhere && !c.bound() && want.err == nil {
				return "it says no shard, and was not refused", got.String(), nil
			}
			if what := c.differs(want, got, func() outcome { return want }); what != "" {
				return how + ": " + what, fmt.Sprintf("whole:   %s\n  sharded: %s", want, got), nil
			}
			if want.err != nil { // what several shards have done before the error stays
				w.stats[how+" write errors"]++
				continue
			}
			w.stats[how+" write answered"]++
		}
		if what, detail, err = w.compareRows(ctx); what != "" || err != nil {
			return how + ": " + what, detail + "\n  " + got.String(), err
		}
		if after, err := w.strangers(ctx); err != nil || after != strangers {
			return how + ": rows of another tenant changed", after, err
		}
	}
	return "", "", nil
}

// compareRows compares what all tables have.
func (w *world) compareRows(ctx context.Context) (what, detail string, err error) {
	whole, spread, err := w.rows(ctx)
	if err != nil {
		if errors.Is(err, errMisplaced) {
			return "a row is misplaced", err.Error(), nil
		}
		return "", "", err
	}
	if slices.Equal(whole, spread) {
		return "", "", nil
	}
	return "the tables differ", "whole alone:   " + strings.Join(less(whole, spread), "\n    ") + "\n  sharded alone: " + strings.Join(less(spread, whole), "\n    "), nil
}

// less returns what is in a and not in b.
func less(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(s string) bool { return slices.Contains(b, s) })
}
