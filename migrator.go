package tenancy

import (
	"context"
	"fmt"
	"reflect"
	"slices"

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

	dialector *dialector
	db        *gorm.DB
}

var _ gorm.Migrator = (*migrator)(nil)

// local is the Migrator of one placement.
type local struct {
	gorm.Migrator

	suffix *suffixed // of its tables; nil for none
}

// placed returns the Migrator of a placement for models, and what it is to be given for them.
func (m *migrator) placed(at callbacks.Place, models ...any) (local, []any, error) {
	if at.TableSuffix == "" {
		s := &scope{who: callbacks.Subject{Where: callbacks.AtPlace}, at: Placement(at)}
		ctx := context.WithValue(m.db.Statement.Context, scopeKey{}, s)
		return local{Migrator: m.dialector.Dialector.Migrator(m.db.Session(&gorm.Session{Context: ctx}))}, models, nil
	}
	if at.Schema != "" {
		return local{}, nil, fmt.Errorf("%w: the Migrator makes no tables with a suffix in a schema: make them with migrations of your own", ErrInvalidConfig)
	}
	if err := m.dialector.plugin.checkNames(Placement(at)); err != nil {
		return local{}, nil, err
	}
	suffix, err := m.dialector.suffixes.of(m.db, m.dialector, at.TableSuffix)
	if err != nil {
		return local{}, nil, err
	}
	named := slices.Clone(models)
	for i := range named {
		if named[i], err = suffix.prepare(named[i]); err != nil {
			return local{}, nil, err
		}
	}
	return local{Migrator: suffix.migrator(m.db, m.dialector, at), suffix: suffix}, named, nil
}

// index returns the name that an index of a model has at a placement.
func (m *migrator) index(at local, model any, name string) string {
	if at.suffix == nil {
		return name
	}
	return at.suffix.index(m.schemaOf(model), model, name)
}

// constraint returns the name that a constraint of a model is found by at a placement.
func (m *migrator) constraint(at local, model any, name string) string {
	if at.suffix == nil {
		return name
	}
	return at.suffix.constraint(m.schemaOf(model), name)
}

// schemaOf returns what is parsed of a model without a suffix; nil of the name of a table.
func (m *migrator) schemaOf(model any) *schema.Schema {
	stmt := &gorm.Statement{DB: m.db}
	_ = stmt.Parse(model) // GORM reports it
	return stmt.Schema
}

// places lists where the table of a model is, or one of that name.
func (m *migrator) places(model any) ([]callbacks.Place, error) {
	p, ctx := m.dialector.plugin, m.db.Statement.Context
	if s := scopeOf(ctx); s.who.Where == callbacks.AtPlace {
		return []callbacks.Place{callbacks.Place(s.at)}, nil
	}
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

// each does something to the tables of models wherever they are, in one placement after the other: GORM writes to what it has parsed of a
// model while it migrates (gorm v1.31.2 schema/index.go ParseIndexes). What fails somewhere is tried elsewhere all the same.
func (m *migrator) each(models []any, do func(at local, models []any) error) error {
	var places []callbacks.Place
	there := map[callbacks.Place][]any{}
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
		}
	}
	partial := &PartialError{}
	for _, at := range places {
		own, models, err := m.placed(at, there[at]...)
		if err == nil {
			err = do(own, models)
		}
		switch {
		case err != nil && len(places) == 1:
			return err
		case err != nil:
			partial.Failed = append(partial.Failed, Failure{Name: at.String(), Err: err})
		default:
			partial.Done = append(partial.Done, at.String())
		}
	}
	if len(partial.Failed) > 0 {
		return partial
	}
	return nil
}

// one does something to the table of a model wherever it is.
func (m *migrator) one(model any, do func(at local, model any) error) error {
	return m.each([]any{model}, func(at local, models []any) error { return do(at, models[0]) })
}

// all tells whether something is so wherever the table of a model is.
func (m *migrator) all(model any, is func(at local, model any) bool) bool {
	places, err := m.places(model)
	for _, at := range places {
		own, models, failed := m.placed(at, model)
		if failed != nil {
			err = failed
			break
		}
		if !is(own, models[0]) {
			return false
		}
	}
	if err != nil {
		_ = m.db.AddError(err)
	}
	return err == nil && len(places) > 0
}

// first returns the Migrator of the first placement of a model's table, and what it is to be given for the model.
func (m *migrator) first(model any) (gorm.Migrator, any, error) {
	places, err := m.places(model)
	if err == nil && len(places) == 0 {
		err = fmt.Errorf("%w: its resolver has no placements", ErrMissingShardKey)
	}
	if err != nil {
		return nil, nil, err
	}
	own, models, err := m.placed(places[0], model)
	if err != nil {
		return nil, nil, err
	}
	return own.Migrator, models[0], nil
}

// AutoMigrate implements [gorm.Migrator].
func (m *migrator) AutoMigrate(models ...any) error {
	return m.each(models, func(at local, models []any) error { return at.AutoMigrate(models...) })
}

// CreateTable implements [gorm.Migrator].
func (m *migrator) CreateTable(models ...any) error {
	return m.each(models, func(at local, models []any) error { return at.CreateTable(models...) })
}

// DropTable implements [gorm.Migrator]. MySQL's own needs a connection for itself, to look at no foreign keys meanwhile, and cannot say in
// which database (gorm.io/driver/mysql v1.6.0 migrator.go DropTable): so the tables are dropped in the order of those keys.
func (m *migrator) DropTable(models ...any) error {
	return m.each(models, func(at local, models []any) error {
		if m.dialector.plugin.dialect == "mysql" {
			if own := reflect.Indirect(reflect.ValueOf(at.Migrator)).FieldByName("Migrator"); own.IsValid() {
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
	return m.all(model, func(at local, model any) bool { return at.HasTable(model) })
}

// RenameTable implements [gorm.Migrator].
func (m *migrator) RenameTable(from, to any) error {
	return m.one(from, func(at local, from any) error {
		if at.suffix != nil {
			if name, ok := to.(string); ok {
				return at.RenameTable(from, name+at.suffix.suffix)
			}
			if _, err := at.suffix.prepare(to); err != nil {
				return err
			}
		}
		return at.RenameTable(from, to)
	})
}

// TableType implements [gorm.Migrator].
func (m *migrator) TableType(model any) (gorm.TableType, error) {
	at, model, err := m.first(model)
	if err != nil {
		return nil, err
	}
	return at.TableType(model)
}

// AddColumn implements [gorm.Migrator].
func (m *migrator) AddColumn(model any, field string) error {
	return m.one(model, func(at local, model any) error { return at.AddColumn(model, field) })
}

// DropColumn implements [gorm.Migrator].
func (m *migrator) DropColumn(model any, field string) error {
	return m.one(model, func(at local, model any) error { return at.DropColumn(model, field) })
}

// AlterColumn implements [gorm.Migrator].
func (m *migrator) AlterColumn(model any, field string) error {
	return m.one(model, func(at local, model any) error { return at.AlterColumn(model, field) })
}

// MigrateColumn implements [gorm.Migrator].
func (m *migrator) MigrateColumn(model any, field *schema.Field, typ gorm.ColumnType) error {
	return m.one(model, func(at local, model any) error { return at.MigrateColumn(model, field, typ) })
}

// MigrateColumnUnique implements [gorm.Migrator].
func (m *migrator) MigrateColumnUnique(model any, field *schema.Field, typ gorm.ColumnType) error {
	return m.one(model, func(at local, model any) error { return at.MigrateColumnUnique(model, field, typ) })
}

// HasColumn implements [gorm.Migrator].
func (m *migrator) HasColumn(model any, field string) bool {
	return m.all(model, func(at local, model any) bool { return at.HasColumn(model, field) })
}

// RenameColumn implements [gorm.Migrator].
func (m *migrator) RenameColumn(model any, from, to string) error {
	return m.one(model, func(at local, model any) error { return at.RenameColumn(model, from, to) })
}

// ColumnTypes implements [gorm.Migrator].
func (m *migrator) ColumnTypes(model any) ([]gorm.ColumnType, error) {
	at, model, err := m.first(model)
	if err != nil {
		return nil, err
	}
	return at.ColumnTypes(model)
}

// CreateConstraint implements [gorm.Migrator].
func (m *migrator) CreateConstraint(model any, name string) error {
	return m.one(model, func(at local, model any) error { return at.CreateConstraint(model, m.constraint(at, model, name)) })
}

// DropConstraint implements [gorm.Migrator].
func (m *migrator) DropConstraint(model any, name string) error {
	return m.one(model, func(at local, model any) error { return at.DropConstraint(model, m.constraint(at, model, name)) })
}

// HasConstraint implements [gorm.Migrator].
func (m *migrator) HasConstraint(model any, name string) bool {
	return m.all(model, func(at local, model any) bool { return at.HasConstraint(model, m.constraint(at, model, name)) })
}

// CreateIndex implements [gorm.Migrator].
func (m *migrator) CreateIndex(model any, name string) error {
	return m.one(model, func(at local, model any) error { return at.CreateIndex(model, m.index(at, model, name)) })
}

// DropIndex implements [gorm.Migrator].
func (m *migrator) DropIndex(model any, name string) error {
	return m.one(model, func(at local, model any) error { return at.DropIndex(model, m.index(at, model, name)) })
}

// HasIndex implements [gorm.Migrator].
func (m *migrator) HasIndex(model any, name string) bool {
	return m.all(model, func(at local, model any) bool { return at.HasIndex(model, m.index(at, model, name)) })
}

// RenameIndex implements [gorm.Migrator].
func (m *migrator) RenameIndex(model any, from, to string) error {
	return m.one(model, func(at local, model any) error {
		return at.RenameIndex(model, m.index(at, model, from), m.index(at, model, to))
	})
}

// GetIndexes implements [gorm.Migrator].
func (m *migrator) GetIndexes(model any) ([]gorm.Index, error) {
	at, model, err := m.first(model)
	if err != nil {
		return nil, err
	}
	return at.GetIndexes(model)
}
