package tenancytest

import (
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
)

// stage is a world set up where its tenants live, and in a database for A alone.
type stage struct {
	*sites
	world   *world
	setting string // that row-level security reads; empty: it is off
	proven  bool   // text is read, and confined or refused
	plugin  *gorm.DB
	raw     *gorm.DB // A's place without the plugin
	alone   *gorm.DB // plain GORM, A's rows only
	tables  []*table // of alone: all

	snapshot *snapshot // of alone
	pristine contents
}

func newStage(t *testing.T, h Harness, w *world, shared, alone func() gorm.Dialector) *stage {
	t.Helper()
	a, b := owner{w.a, markA, fromA}, owner{w.b, markB, fromB}
	if !single(w) {
		b.from = fromA
	}
	places := h.placesOf(t, shared, w.a, w.b)
	cfg := tenancy.Config{SQL: h.SQL}
	places.Configure(&cfg)
	s := &stage{
		world: w, setting: cfg.RowSecurity, proven: h.SQL != nil, plugin: h.open(t, places.Home()), alone: h.open(t, alone()),
		sites: h.locate(t, &cfg, places, shared, []owner{a, b}),
	}
	s.classify(&cfg, w.models, w.global)
	h.install(t, s.plugin, cfg)
	if w.prepare != nil {
		require.NoError(t, w.prepare(s.plugin))
		require.NoError(t, w.prepare(s.alone))
		for _, here := range s.all {
			require.NoError(t, w.prepare(here.db))
		}
	}
	s.sites.make(t, s.plugin, places, s.setting != "", w.models, w.global)
	for _, here := range s.all {
		if here.holds(w.a) {
			s.raw = here.db
		}
		here.fill(t, w)
		skipNumbers(t, here.db, here.tables, madeKeys)
	}

	all := append(append([]any{}, w.global...), w.models...)
	require.NoError(t, s.alone.AutoMigrate(all...))
	s.tables = tablesOf(t, s.alone, all)
	require.NoError(t, stampTenant(s.alone, w, s.tables))
	s.fillAlone(t)
	skipNumbers(t, s.alone, s.tables, madeKeys)
	s.takeSnapshots(t)
	s.pristine = s.rows(t)
	return s
}

// apart tells whether A and B have no table in common, so that a key of B's is nobody's where A is.
func (s *stage) apart() bool { return s.sites.apart(s.world.a, s.world.b) }

// home is the database itself, without the plugin.
func (s *stage) home() *site { return s.all[0] }

func (s *stage) fillAlone(t testing.TB) {
	t.Helper()
	refill(t, s.alone, s.tables, func(tx *gorm.DB) error {
		if s.world.fillGlobal != nil {
			if err := s.world.fillGlobal(tx); err != nil {
				return err
			}
		}
		return s.world.fill(tx, owner{s.world.a, markA, fromA})
	})
}

// perform runs a case: B's rows are the same after it.
func (s *stage) perform(t *testing.T, c check) {
	t.Helper()
	ctx := t.Context()
	trial := &trial{
		T: t, stage: s, rule: c.rule,
		a:    s.plugin.WithContext(tenancy.WithTenant(ctx, s.world.a)),
		b:    s.plugin.WithContext(tenancy.WithTenant(ctx, s.world.b)),
		none: s.plugin.WithContext(ctx),
		was:  s.pristine,
	}
	t.Cleanup(func() { // after a panic or FailNow too
		now := s.rows(t)
		if diff := differ(trial.was.others, now.others); diff != "" {
			t.Errorf("rows of B have changed: %s\n%s", c.rule, diff)
		}
		for _, here := range s.all {
			here.snapshot.restore(t)
		}
		if trial.planted {
			s.snapshot.read(t)
		}
		s.snapshot.restore(t)
	})
	defer func() {
		if p := recover(); p != nil { // the other cases are still worth running
			t.Errorf("panic: %v: %s\n%s", p, c.rule, debug.Stack())
		}
	}()
	c.run(trial)
}
