package tenancytest

import (
	"reflect"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
)

// stage is a world set up in both databases.
type stage struct {
	world  *world
	proven bool     // text is read, and confined or refused
	plugin *gorm.DB // the shared database, as the application uses it
	raw    *gorm.DB // the shared database without the plugin
	alone  *gorm.DB // the other database: plain GORM, A's rows only
	tables []*table

	pristine, pristineAlone contents
}

func newStage(t *testing.T, h Harness, w *world, shared, alone func() gorm.Dialector) *stage {
	t.Helper()
	s := &stage{world: w, proven: h.SQL != nil, plugin: h.open(t, shared()), raw: h.open(t, shared()), alone: h.open(t, alone())}
	h.install(t, s.plugin, tenancy.Config{Models: w.models, Global: w.global, SQL: h.SQL})
	all := append(append([]any{}, w.global...), w.models...)
	for _, db := range []*gorm.DB{s.plugin, s.raw, s.alone} {
		if w.prepare != nil {
			require.NoError(t, w.prepare(db))
		}
	}
	require.NoError(t, s.plugin.AutoMigrate(all...), "AutoMigrate works without a tenant in the context")
	require.NoError(t, s.alone.AutoMigrate(all...))
	s.tables = tablesOf(t, s.raw, all)
	require.NoError(t, stampTenant(s.alone, w))

	s.restore(t, s.raw)
	s.restore(t, s.alone)
	s.skipNumbers(t, s.raw)
	s.skipNumbers(t, s.alone)
	s.pristine, s.pristineAlone = s.read(t, s.raw), s.read(t, s.alone)
	return s
}

// restore empties the tables and fills them again.
func (s *stage) restore(t testing.TB, db *gorm.DB) {
	t.Helper()
	require.NoError(t, db.Transaction(func(tx *gorm.DB) error {
		for _, table := range s.tables {
			if err := tx.Exec("DELETE FROM " + tx.Statement.Quote(table.name)).Error; err != nil {
				return err
			}
		}
		if s.world.fillGlobal != nil {
			if err := s.world.fillGlobal(tx); err != nil {
				return err
			}
		}
		if err := s.world.fill(tx, owner{s.world.a, markA, fromA}); err != nil {
			return err
		}
		if db == s.alone {
			return nil
		}
		from := uint(fromB)
		if !single(s.world) {
			from = fromA
		}
		return s.world.fill(tx, owner{s.world.b, markB, from})
	}))
}

// skipNumbers makes the database count new keys from 5000, which tells them from those of the fixtures.
func (s *stage) skipNumbers(t testing.TB, db *gorm.DB) {
	t.Helper()
	for _, table := range s.tables {
		if len(table.primary) != 1 {
			continue
		}
		var err error
		switch db.Name() {
		case "postgres":
			err = db.Exec("SELECT setval(pg_get_serial_sequence(?, ?), 5000)", `"`+table.name+`"`, table.primary[0]).Error
		case "mysql":
			err = db.Exec("ALTER TABLE " + db.Statement.Quote(table.name) + " AUTO_INCREMENT = 5000").Error
		case "sqlite":
			err = db.Exec("UPDATE sqlite_sequence SET seq = 5000 WHERE name = ?", table.name).Error
		}
		require.NoError(t, err)
	}
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
		raw:  s.raw.WithContext(ctx),
		was:  s.pristine,
	}
	t.Cleanup(func() { // after a panic or FailNow too
		now := s.read(t, s.raw)
		if diff := differ(trial.was.others, now.others); diff != "" {
			t.Errorf("rows of B have changed: %s\n%s", c.rule, diff)
		}
		if !reflect.DeepEqual(now, s.pristine) {
			s.restore(t, s.raw)
		}
		if trial.changedAlone {
			s.restore(t, s.alone)
		}
	})
	defer func() {
		if p := recover(); p != nil { // the other cases are still worth running
			t.Errorf("panic: %v: %s\n%s", p, c.rule, debug.Stack())
		}
	}()
	c.run(trial)
}
