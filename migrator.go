package tenancy

import (
	"context"
	"reflect"
	"sync"

	"gorm.io/gorm"
	gormmigrator "gorm.io/gorm/migrator"
	"gorm.io/gorm/schema"

	"github.com/gormtenancy/tenancy/callbacks"
	"github.com/gormtenancy/tenancy/internal/tables"
)

// migrator is GORM's Migrator for all placements, under [OnAllShards]: what is done to a table is done wherever it is. Sharded tables are
// on all placements of their resolver, tenants' tables on those of Config.Resolver, reference tables in every database, others in the
// default one. What has one answer is asked of the first placement.
type migrator struct {
	gorm.Migrator // of the default database, for what is about no table

	plugin *Plugin
	db     *gorm.DB
	at     func(*gorm.DB) gorm.Migrator
}

var _ gorm.Migrator = (*migrator)(nil)

// placed returns the Migrator of one placement.
func (m *migrator) placed(at callbacks.Place) gorm.Migrator {
	s := &scope{who: callbacks.Subject{Where: callbacks.AtPlace}, at: Placement(at)}
	ctx := context.WithValue(m.db.Statement.Context, scopeKey{}, s)
	return m.at(m.db.Session(&gorm.Session{Context: ctx}))
}

// places lists where the table of a model is, or one of that name.
func (m *migrator) places(model any) ([]callbacks.Place, error) {
	p, ctx := m.plugin, m.db.Statement.Context
	t := p.hooks.Tables.Named(nameOf(model))
	if t == nil {
		stmt := &gorm.Statement{DB: m.db}
		if err := stmt.Parse(model); err != nil {
			return []callbacks.Place{{}}, nil //nolint:nilerr // GORM reports it
		}
		var err error
		if t, err = p.hooks.Tables.Find(stmt.Schema, stmt.Table); err != nil {
			return nil, err
		}
	}
	switch {
	case t.Shard != nil:
		return p.hooks.Shards[t.Shard.Set].Places(ctx)
	case t.Class == tables.Reference:
		return p.everyDatabase(ctx)
	case t.Class.Confined() && p.cfg.Resolver != nil:
		return p.placesOf(ctx, p.cfg.Resolver, "Resolver")
	}
	return []callbacks.Place{{}}, nil
}

func nameOf(model any) string {
	name, _ := model.(string)
	return name
}

// each does something to the tables of models wherever they are: in the placements of one database one after the other.
func (m *migrator) each(models []any, do func(at gorm.Migrator, models []any) error) error {
	var places []callbacks.Place
	there := map[callbacks.Place][]any{}
	turns := map[string]*sync.Mutex{}
	for _, model := range models {
		own, err := m.places(model)
		if err != nil {
			return err
		}
		for _, at := range own {
			if there[at] == nil {
				places = append(places, at)
			}
			there[at] = append(there[at], model)
			turns[at.Shard] = &sync.Mutex{}
		}
	}
	if len(places) == 1 {
		return do(m.placed(places[0]), there[places[0]])
	}
	parts := make([]callbacks.Part, len(places))
	for i, at := range places {
		parts[i] = callbacks.Part{Name: at.String(), Run: func() (int64, error) {
			turns[at.Shard].Lock()
			defer turns[at.Shard].Unlock()
			return 0, do(m.placed(at), there[at])
		}}
	}
	_, err := m.plugin.hooks.RunApart(parts)
	return err
}

// one does something to the table of a model wherever it is.
func (m *migrator) one(model any, do func(at gorm.Migrator) error) error {
	return m.each([]any{model}, func(at gorm.Migrator, _ []any) error { return do(at) })
}

// all tells whether something is so wherever the table of a model is.
func (m *migrator) all(model any, is func(at gorm.Migrator) bool) bool {
	places, err := m.places(model)
	if err != nil {
		_ = m.db.AddError(err)
		return false
	}
	for _, at := range places {
		if !is(m.placed(at)) {
			return false
		}
	}
	return true
}

// first returns the Migrator of the first placement of a model's table.
func (m *migrator) first(model any) (gorm.Migrator, error) {
	places, err := m.places(model)
	if err != nil || len(places) == 0 {
		return nil, err
	}
	return m.placed(places[0]), nil
}

// AutoMigrate implements [gorm.Migrator].
func (m *migrator) AutoMigrate(models ...any) error {
	return m.each(models, func(at gorm.Migrator, models []any) error { return at.AutoMigrate(models...) })
}

// CreateTable implements [gorm.Migrator].
func (m *migrator) CreateTable(models ...any) error {
	return m.each(models, func(at gorm.Migrator, models []any) error { return at.CreateTable(models...) })
}

// DropTable implements [gorm.Migrator]. MySQL's own needs a connection for itself, to look at no foreign keys meanwhile, and cannot say in
// which database (gorm.io/driver/mysql v1.6.0 migrator.go DropTable): so the tables are dropped in the order of those keys.
func (m *migrator) DropTable(models ...any) error {
	return m.each(models, func(at gorm.Migrator, models []any) error {
		if m.plugin.dialect == "mysql" {
			if own := reflect.Indirect(reflect.ValueOf(at)).FieldByName("Migrator"); own.IsValid() {
				if base, ok := reflect.TypeAssert[gormmigrator.Migrator](own); ok {
					return base.DropTable(models...)
				}
			}
		}
		return at.DropTable(models...)
	})
}

// HasTable implements [gorm.Migrator].
func (m *migrator) HasTable(model any) bool {
	return m.all(model, func(at gorm.Migrator) bool { return at.HasTable(model) })
}

// RenameTable implements [gorm.Migrator].
func (m *migrator) RenameTable(from, to any) error {
	return m.one(from, func(at gorm.Migrator) error { return at.RenameTable(from, to) })
}

// TableType implements [gorm.Migrator].
func (m *migrator) TableType(model any) (gorm.TableType, error) {
	at, err := m.first(model)
	if at == nil {
		return nil, err
	}
	return at.TableType(model)
}

// AddColumn implements [gorm.Migrator].
func (m *migrator) AddColumn(model any, field string) error {
	return m.one(model, func(at gorm.Migrator) error { return at.AddColumn(model, field) })
}

// DropColumn implements [gorm.Migrator].
func (m *migrator) DropColumn(model any, field string) error {
	return m.one(model, func(at gorm.Migrator) error { return at.DropColumn(model, field) })
}

// AlterColumn implements [gorm.Migrator].
func (m *migrator) AlterColumn(model any, field string) error {
	return m.one(model, func(at gorm.Migrator) error { return at.AlterColumn(model, field) })
}

// MigrateColumn implements [gorm.Migrator].
func (m *migrator) MigrateColumn(model any, field *schema.Field, typ gorm.ColumnType) error {
	return m.one(model, func(at gorm.Migrator) error { return at.MigrateColumn(model, field, typ) })
}

// MigrateColumnUnique implements [gorm.Migrator].
func (m *migrator) MigrateColumnUnique(model any, field *schema.Field, typ gorm.ColumnType) error {
	return m.one(model, func(at gorm.Migrator) error { return at.MigrateColumnUnique(model, field, typ) })
}

// HasColumn implements [gorm.Migrator].
func (m *migrator) HasColumn(model any, field string) bool {
	return m.all(model, func(at gorm.Migrator) bool { return at.HasColumn(model, field) })
}

// RenameColumn implements [gorm.Migrator].
func (m *migrator) RenameColumn(model any, from, to string) error {
	return m.one(model, func(at gorm.Migrator) error { return at.RenameColumn(model, from, to) })
}

// ColumnTypes implements [gorm.Migrator].
func (m *migrator) ColumnTypes(model any) ([]gorm.ColumnType, error) {
	at, err := m.first(model)
	if at == nil {
		return nil, err
	}
	return at.ColumnTypes(model)
}

// CreateConstraint implements [gorm.Migrator].
func (m *migrator) CreateConstraint(model any, name string) error {
	return m.one(model, func(at gorm.Migrator) error { return at.CreateConstraint(model, name) })
}

// DropConstraint implements [gorm.Migrator].
func (m *migrator) DropConstraint(model any, name string) error {
	return m.one(model, func(at gorm.Migrator) error { return at.DropConstraint(model, name) })
}

// HasConstraint implements [gorm.Migrator].
func (m *migrator) HasConstraint(model any, name string) bool {
	return m.all(model, func(at gorm.Migrator) bool { return at.HasConstraint(model, name) })
}

// CreateIndex implements [gorm.Migrator].
func (m *migrator) CreateIndex(model any, name string) error {
	return m.one(model, func(at gorm.Migrator) error { return at.CreateIndex(model, name) })
}

// DropIndex implements [gorm.Migrator].
func (m *migrator) DropIndex(model any, name string) error {
	return m.one(model, func(at gorm.Migrator) error { return at.DropIndex(model, name) })
}

// HasIndex implements [gorm.Migrator].
func (m *migrator) HasIndex(model any, name string) bool {
	return m.all(model, func(at gorm.Migrator) bool { return at.HasIndex(model, name) })
}

// RenameIndex implements [gorm.Migrator].
func (m *migrator) RenameIndex(model any, from, to string) error {
	return m.one(model, func(at gorm.Migrator) error { return at.RenameIndex(model, from, to) })
}

// GetIndexes implements [gorm.Migrator].
func (m *migrator) GetIndexes(model any) ([]gorm.Index, error) {
	at, err := m.first(model)
	if at == nil {
		return nil, err
	}
	return at.GetIndexes(model)
}
