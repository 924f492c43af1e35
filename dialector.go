package tenancy

import (
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/gormtenancy/tenancy/callbacks"
)

// dialector is the application's, but for the Migrator under [OnAllShards]. GORM has no other place where one could be put in between
// (gorm v1.31.2 migrator.go Migrator). It is there if models are sharded, and then hides the type of the application's own.
type dialector struct {
	gorm.Dialector

	plugin   *Plugin
	builders map[string]clause.ClauseBuilder // that it has registered
	suffixes suffixes
}

var (
	_ gorm.ErrorTranslator               = (*dialector)(nil)
	_ gorm.SavePointerDialectorInterface = (*dialector)(nil)
)

// Migrator implements [gorm.Dialector].
func (d *dialector) Migrator(db *gorm.DB) gorm.Migrator {
	own, s := d.Dialector.Migrator(db), scopeOf(db.Statement.Context)
	switch {
	case s == nil:
		return own
	case s.who.Where == callbacks.Everywhere, s.who.Where == callbacks.AtPlace && s.at.TableSuffix != "" && s.who.Kind != callbacks.Tenant:
		return &migrator{Migrator: own, dialector: d, db: db}
	}
	return own
}

// Translate implements [gorm.ErrorTranslator].
func (d *dialector) Translate(err error) error {
	if t, ok := d.Dialector.(gorm.ErrorTranslator); ok {
		return t.Translate(err)
	}
	return err
}

// SavePoint implements [gorm.SavePointerDialectorInterface].
func (d *dialector) SavePoint(tx *gorm.DB, name string) error {
	if s, ok := d.Dialector.(gorm.SavePointerDialectorInterface); ok {
		return s.SavePoint(tx, name)
	}
	return gorm.ErrUnsupportedDriver
}

// RollbackTo implements [gorm.SavePointerDialectorInterface].
func (d *dialector) RollbackTo(tx *gorm.DB, name string) error {
	if s, ok := d.Dialector.(gorm.SavePointerDialectorInterface); ok {
		return s.RollbackTo(tx, name)
	}
	return gorm.ErrUnsupportedDriver
}
