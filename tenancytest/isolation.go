package tenancytest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/sqlproof"
)

// Harness is what a suite needs to know of an application. Only Database is necessary.
type Harness struct {
	// Database makes a fresh, empty database that lives as long as the test, and returns what opens it. The suite opens
	// each database more than once: with the plugin, and without it to look at the rows.
	Database func(t testing.TB) func() gorm.Dialector
	// Config returns the configuration that the application opens GORM with. Nil: GORM's own, with a logger that is silent.
	// The suite turns off the creation of foreign key constraints, which would hide what the plugin does or does not do.
	Config func() *gorm.Config
	// Install installs the plugin with at least this configuration. Nil: db.Use(tenancy.New(cfg)).
	Install func(db *gorm.DB, cfg tenancy.Config) error
	// SQL is the analyzer that the application configures, of the database's dialect. Nil: none, so that text which could
	// reach a table is refused.
	SQL sqlproof.Analyzer
	// Places makes the places of tenants that are to live in a database that Database has made, home, or beside it. They live
	// as long as the test. Nil: all tenants share the tables of home.
	Places func(t testing.TB, home func() gorm.Dialector, tenants []tenancy.ID) Places
}

// TestIsolation runs every case on every shape of models, each as a subtest named shape/subject/case.
func TestIsolation(t *testing.T, h Harness) {
	t.Helper()
	testWorlds(t, h, worlds())
}

// worlds are the sets of models that cases run on, each with its cases.
func worlds() []*world {
	return append(shapes(), linked(), polymorphic(), hooked(), keyless(), fielded(), generic())
}

func testWorlds(t *testing.T, h Harness, all []*world) {
	t.Helper()
	shared, alone := h.Database(t), h.Database(t)
	for _, w := range all {
		t.Run(w.name, func(t *testing.T) {
			s := newStage(t, h, w, shared, alone)
			if s.setting != "" {
				t.Run("row-level security", s.walls)
			}
			for _, group := range w.groups {
				t.Run(group.subject, func(t *testing.T) {
					for _, c := range group.checks {
						if c.when == nil || c.when(w) {
							t.Run(c.name, func(t *testing.T) { s.perform(t, c) })
						}
					}
				})
			}
			if s.where[w.a].Schema != "" {
				t.Run("a table that is missing", s.absence)
			}
		})
	}
}

// open opens a database as the application does.
func (h Harness) open(t testing.TB, dialector gorm.Dialector) *gorm.DB {
	t.Helper()
	cfg := &gorm.Config{Logger: logger.Discard}
	if h.Config != nil {
		cfg = h.Config()
	}
	cfg.DisableForeignKeyConstraintWhenMigrating = true
	db, err := gorm.Open(dialector, cfg)
	require.NoError(t, err)
	pool, err := db.DB()
	require.NoError(t, err)
	pool.SetMaxOpenConns(8)
	pool.SetMaxIdleConns(8) // or else each case opens new ones
	t.Cleanup(func() { _ = pool.Close() })
	return db
}

// install installs the plugin.
func (h Harness) install(t testing.TB, db *gorm.DB, cfg tenancy.Config) {
	t.Helper()
	if h.Install == nil {
		h.Install = func(db *gorm.DB, cfg tenancy.Config) error { return db.Use(tenancy.New(cfg)) }
	}
	require.NoError(t, h.Install(db, cfg))
	t.Cleanup(func() {
		if p := pluginOf(db); p != nil {
			assert.NoError(t, p.Close())
		}
	})
}
