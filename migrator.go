package tenancy

import "gorm.io/gorm"

// migrations is a dialector whose Migrator's statements are known to be that: db.AutoMigrate and db.Migrator change
// schemas and read catalogs, for no tenant. Asking the dialector is the only way to tell them from raw SQL of the
// application (gorm v1.31.2 migrator.go Migrator).
type migrations struct{ gorm.Dialector }

// Migrator implements [gorm.Dialector]. It returns the dialect's own migrator.
func (m migrations) Migrator(db *gorm.DB) gorm.Migrator {
	return m.Dialector.Migrator(db.WithContext(migrating(db.Statement.Context)))
}

// Unwrap returns the dialector that gorm.Open was given.
func (m migrations) Unwrap() gorm.Dialector { return m.Dialector }

// GORM asks dialectors for optional interfaces; each combination is a type, so that the wrapped one offers what the
// original offers and no more.
type (
	savepoints interface {
		gorm.SavePointerDialectorInterface
	}
	translator interface {
		gorm.ErrorTranslator
	}
	migrationsSavepoints struct {
		migrations
		savepoints
	}
	migrationsTranslator struct {
		migrations
		translator
	}
	migrationsBoth struct {
		migrations
		savepoints
		translator
	}
)

// withMigrations wraps d.
func withMigrations(d gorm.Dialector) gorm.Dialector {
	m := migrations{d}
	s, canSave := d.(gorm.SavePointerDialectorInterface)
	t, canTranslate := d.(gorm.ErrorTranslator)
	switch {
	case canSave && canTranslate:
		return migrationsBoth{m, s, t}
	case canSave:
		return migrationsSavepoints{m, s}
	case canTranslate:
		return migrationsTranslator{m, t}
	default:
		return m
	}
}
