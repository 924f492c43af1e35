package tenancy

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"

	"gorm.io/gorm"
	gormcallbacks "gorm.io/gorm/callbacks"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"

	"github.com/gormtenancy/tenancy/callbacks"
	"github.com/gormtenancy/tenancy/internal/tables"
)

// suffixed is a *gorm.DB of its own for the Migrator's work on tables whose names have a suffix. GORM keeps what it has parsed of a
// model in one place for each *gorm.DB (gorm v1.31.2 gorm.go Config.cacheStore): here that has the suffix in the names of
// tables, and of indexes and constraints, which databases want to be different from those of other tables.
type suffixed struct {
	db       *gorm.DB
	suffix   string
	registry *tables.Registry

	mu   sync.Mutex
	done map[*schema.Schema]bool
	read map[*schema.Field]bool
}

// suffixDialector is the application's dialector, whose database is open already.
type suffixDialector struct {
	gorm.Dialector

	builders map[string]clause.ClauseBuilder
}

// Initialize implements [gorm.Dialector].
func (d suffixDialector) Initialize(db *gorm.DB) error {
	gormcallbacks.RegisterDefaultCallbacks(db, &gormcallbacks.Config{})
	maps.Copy(db.ClauseBuilders, d.builders)
	return nil
}

// newSuffixed returns what makes the tables of a suffix, as db would make those without one.
func newSuffixed(db *gorm.DB, d *dialector, suffix string) (*suffixed, error) {
	own, err := gorm.Open(suffixDialector{d.Dialector, d.builders}, &gorm.Config{
		NamingStrategy: db.NamingStrategy, Logger: db.Logger, NowFunc: db.NowFunc, TranslateError: db.TranslateError,
		SkipDefaultTransaction: db.SkipDefaultTransaction, DisableAutomaticPing: true,
		DisableForeignKeyConstraintWhenMigrating: db.DisableForeignKeyConstraintWhenMigrating,
		IgnoreRelationshipsWhenMigrating:         db.IgnoreRelationshipsWhenMigrating,
	})
	if err != nil {
		return nil, err
	}
	return &suffixed{
		db: own, suffix: suffix, registry: d.plugin.hooks.Tables,
		done: map[*schema.Schema]bool{}, read: map[*schema.Field]bool{},
	}, nil
}

// migrator returns GORM's Migrator for a place with the suffix, and what of the session it came from.
func (s *suffixed) migrator(from *gorm.DB, d *dialector, at callbacks.Place) gorm.Migrator {
	tx := s.db.Session(&gorm.Session{NewDB: true, Context: from.Statement.Context, Logger: from.Logger})
	tx.Statement.ConnPool = &placePool{ctx: from.Statement.Context, router: d.plugin.router, at: at}
	from.Statement.Settings.Range(func(key, v any) bool {
		tx.Statement.Settings.Store(key, v)
		return true
	})
	return d.Dialector.Migrator(tx)
}

// prepare gives the tables of a model, and of those that it leads to, their names. A name of a table is returned with the suffix.
func (s *suffixed) prepare(model any) (any, error) {
	if name, ok := model.(string); ok {
		if t := s.registry.Named(name); t != nil && t.Class.HasPlace() {
			return name + s.suffix, nil
		}
		return model, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	parsed, err := s.schemaOf(model)
	if err != nil {
		return model, nil
	}
	return model, s.rename(parsed)
}

func (s *suffixed) schemaOf(model any) (*schema.Schema, error) {
	stmt := &gorm.Statement{DB: s.db}
	err := stmt.Parse(model)
	return stmt.Schema, err
}

func (s *suffixed) rename(of *schema.Schema) error {
	if of == nil || s.done[of] {
		return nil
	}
	s.done[of] = true
	if t := s.registry.Named(of.Table); t != nil && t.Class.HasPlace() {
		of.Table += s.suffix
		for _, f := range of.Fields {
			s.renameField(f)
		}
	}
	for _, rel := range relationsOf(of) {
		if rel.Field != nil && rel.Field.Schema == of {
			s.renameField(rel.Field)
		}
		if err := s.rename(rel.FieldSchema); err != nil {
			return err
		}
		if err := s.rename(rel.JoinTable); err != nil {
			return err
		}
	}
	return s.checkNames(of)
}

func relationsOf(of *schema.Schema) []*schema.Relationship {
	of.Relationships.Mux.RLock()
	defer of.Relationships.Mux.RUnlock()
	return slices.Collect(maps.Values(of.Relationships.Relations))
}

// renameField gives the suffix to the names of indexes and constraints that its tag has. GORM makes the others of the table's.
func (s *suffixed) renameField(f *schema.Field) {
	if s.read[f] {
		return
	}
	s.read[f] = true
	for _, setting := range []string{"CHECK", "CONSTRAINT"} {
		if name, rest, found := strings.Cut(f.TagSettings[setting], ","); found && isName(name) {
			f.TagSettings[setting] = name + s.suffix + "," + rest
		}
	}
	tag := f.Tag.Get("gorm")
	parts := strings.Split(tag, ";")
	for i, part := range parts {
		key, value, found := strings.Cut(part, ":")
		if k := strings.ToUpper(strings.TrimSpace(key)); !found || k != "INDEX" && k != "UNIQUEINDEX" {
			continue
		}
		if name, rest, more := strings.Cut(value, ","); name != "" {
			parts[i] = key + ":" + name + s.suffix
			if more {
				parts[i] += "," + rest
			}
		}
	}
	if now := strings.Join(parts, ";"); now != tag {
		f.Tag = reflect.StructTag(`gorm:` + fmt.Sprintf("%q", now))
	}
}

// isName tells whether GORM takes a text for the name of a constraint (gorm v1.31.2 schema/constraint.go regEnLetterAndMidline).
func isName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '_' && r != '-' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	})
}

// checkNames refuses names that the database would cut off, and so take for one.
func (s *suffixed) checkNames(of *schema.Schema) error {
	const longest = 63 // PostgreSQL's NAMEDATALEN - 1; MySQL has one more
	names := []string{of.Table}
	for _, index := range of.ParseIndexes() {
		names = append(names, index.Name)
	}
	for name := range of.ParseCheckConstraints() {
		names = append(names, name)
	}
	for _, name := range names {
		if len(name) > longest && s.db.Name() != "sqlite" {
			return fmt.Errorf("%w: with the suffix %s of a placement, name %s has more than %d bytes", ErrInvalidConfig, s.suffix, name, longest)
		}
	}
	return nil
}

// index returns the name that an index of a model has with the suffix. plain is the model without.
func (s *suffixed) index(plain *schema.Schema, model any, name string) string {
	own, err := s.schemaOf(model)
	if err != nil || plain == nil {
		return name + s.suffix
	}
	known := plain.LookIndex(name)
	if known == nil || len(known.Fields) == 0 {
		return name + s.suffix
	}
	for i, index := range plain.ParseIndexes() {
		if all := own.ParseIndexes(); index.Name == known.Name && i < len(all) {
			return all[i].Name
		}
	}
	return name + s.suffix
}

// constraint returns the name that a constraint of a model has with the suffix, or that of its field, by which GORM finds it too.
func (s *suffixed) constraint(plain *schema.Schema, name string) string {
	if plain == nil {
		return name + s.suffix
	}
	if f := plain.LookUpField(name); f != nil {
		return name
	}
	if _, isRelation := plain.Relationships.Relations[name]; isRelation {
		return name
	}
	if c, ok := plain.ParseCheckConstraints()[name]; ok {
		return c.Field.Name
	}
	if c, ok := plain.ParseUniqueConstraints()[name]; ok {
		return c.Field.Name
	}
	for _, rel := range relationsOf(plain) {
		if c := rel.ParseConstraint(); c != nil && c.Name == name {
			return rel.Name
		}
	}
	return name + s.suffix
}

// suffixes are those for which there is a [suffixed].
type suffixes struct {
	mu  sync.Mutex
	all map[string]*suffixed
}

func (s *suffixes) of(db *gorm.DB, d *dialector, suffix string) (*suffixed, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.all[suffix]; known != nil {
		return known, nil
	}
	made, err := newSuffixed(db, d, suffix)
	if err != nil {
		return nil, err
	}
	if s.all == nil {
		s.all = map[string]*suffixed{}
	}
	s.all[suffix] = made
	return made, nil
}
