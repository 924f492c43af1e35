package migrate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/pressly/goose/v3"
	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/catalog"
)

// Config says what is to be migrated, and how.
type Config struct {
	// DB has the tenancy plugin, with the catalog for its Resolver. Its role owns the tables. Each of its pools needs at least
	// three connections, beside those that others hold for long.
	DB *gorm.DB
	// Catalog knows the places, and notes what became of them.
	Catalog *catalog.Catalog
	// Steps has goose's SQL files in its root. Zero: none.
	Steps fs.FS
	// GoSteps are steps in Go, made with goose.NewGoMigration. Zero: none.
	GoSteps []*goose.Migration
	// Models are given to AutoMigrate after the steps. Zero: none.
	Models []any
	// After is called at each place that was migrated, after the models: for row-level security, for grants. It may be called
	// again for a place, as when the process was killed before the catalog knew. Zero: nothing.
	After func(ctx context.Context, at tenancy.Placement) error
	// Workers is how many places are migrated at once. Zero: 4.
	Workers int
	// LockTimeout is how long a statement waits for a lock of the database's, so that a table in use is not blocked by the
	// queue behind a step. MySQL counts in seconds. Zero: 5 seconds.
	LockTimeout time.Duration
	// Retries is how often a step that met the lock timeout or a deadlock is tried again, after pauses that grow. Zero: 5;
	// negative: never.
	Retries int
	// Canary are the tenants whose places come first, one after the other. If one fails, no further place is begun. Zero: none.
	Canary []tenancy.ID
	// StopAt is the share of failures, of the places that have been tried, above which no further one is begun; it counts once 10
	// have been tried. Zero: never.
	StopAt float64
	// Verify has each place asked for its version, also those that the catalog says are up to date: after a place was restored
	// from a backup, for instance. Zero: the catalog is believed.
	Verify bool
	// Observer implements [ProgressObserver]. Zero: none.
	Observer any
}

const (
	defaultWorkers     = 4
	defaultLockTimeout = 5 * time.Second
	defaultRetries     = 5
)

// withDefaults returns a copy that can be used, or everything that is wrong.
func (cfg Config) withDefaults() (Config, error) {
	cfg.GoSteps, cfg.Models, cfg.Canary = slices.Clone(cfg.GoSteps), slices.Clone(cfg.Models), slices.Clone(cfg.Canary)
	var faults []error
	refuse := func(format string, args ...any) {
		faults = append(faults, fmt.Errorf("%w: "+format, append([]any{tenancy.ErrInvalidConfig}, args...)...))
	}
	switch {
	case cfg.DB == nil:
		refuse("DB: it is missing")
	case cfg.DB.Plugins["tenancy"] == nil:
		refuse("DB: the tenancy plugin is not installed in it: call db.Use first")
	default:
		if _, ok := dialects()[cfg.DB.Name()]; !ok {
			refuse("DB: %s cannot be migrated: it must be postgres, mysql or sqlite", cfg.DB.Name())
		}
	}
	if cfg.Catalog == nil {
		refuse("Catalog: it is missing")
	}
	if cfg.Steps == nil && len(cfg.GoSteps) == 0 && len(cfg.Models) == 0 {
		refuse("Steps, GoSteps, Models: there is nothing to migrate")
	}
	if cfg.Workers < 0 {
		refuse("Workers: %d is negative", cfg.Workers)
	}
	if cfg.LockTimeout < 0 {
		refuse("LockTimeout: %s is negative", cfg.LockTimeout)
	}
	if cfg.StopAt < 0 || cfg.StopAt >= 1 || cfg.StopAt != cfg.StopAt {
		refuse("StopAt: %v is no share: it must be at least 0 and less than 1", cfg.StopAt)
	}
	if cfg.Observer != nil {
		if _, ok := cfg.Observer.(ProgressObserver); !ok {
			refuse("Observer: %T is no ProgressObserver", cfg.Observer)
		}
	}
	if cfg.Workers == 0 {
		cfg.Workers = defaultWorkers
	}
	if cfg.LockTimeout == 0 {
		cfg.LockTimeout = defaultLockTimeout
	}
	if cfg.Retries == 0 {
		cfg.Retries = defaultRetries
	}
	return cfg, errors.Join(faults...)
}
