package tables

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"gorm.io/gorm/schema"
)

// Declared is a table named without a model, such as a view.
type Declared struct{ Name, TenantColumn, ShardKey string }

// Registry knows the tables of one application. Its methods may be called concurrently; reads take no lock.
type Registry struct {
	parse func(model any) (*schema.Schema, error)
	mu    sync.Mutex // for writers
	state atomic.Pointer[state]
}

// state is immutable once published.
type state struct {
	schemas  map[*schema.Schema]*Table
	names    map[string]*Table
	foreign  map[string][]ForeignKey // by the name of the child
	confined bool                    // some table belongs to tenants, or is sharded
	owned    bool                    // some table belongs to tenants
	number   uint64                  // of the states before it
	suffixed map[string]bool         // names that tables have at a placement with a suffix
}

// NewRegistry returns an empty registry; parse is GORM's own way from a model to its schema.
func NewRegistry(parse func(model any) (*schema.Schema, error)) *Registry {
	r := &Registry{parse: parse}
	r.state.Store(&state{})
	return r
}

// builder makes the next state from the present one.
type builder struct {
	parse func(model any) (*schema.Schema, error)
	next  state
	errs  []error
	set   *ShardSet // that is being declared
}

func (r *Registry) begin() *builder {
	s := r.state.Load()
	next := state{schemas: maps.Clone(s.schemas), names: maps.Clone(s.names), foreign: maps.Clone(s.foreign), number: s.number + 1, suffixed: s.suffixed}
	if next.schemas == nil {
		next.schemas, next.names, next.foreign = map[*schema.Schema]*Table{}, map[string]*Table{}, map[string][]ForeignKey{}
	}
	return &builder{parse: r.parse, next: next}
}

func (r *Registry) publish(b *builder) {
	for _, t := range b.next.names {
		b.next.confined = b.next.confined || t.Class.HasPlace()
		b.next.owned = b.next.owned || t.Class.Confined()
	}
	for s, t := range b.next.schemas { // another model may have said more about the same table
		if known := b.next.names[t.folded]; known != nil && (t.Class == Unlisted || t.Class == Placed || known.Shard != nil) {
			b.next.schemas[s] = known
		}
	}
	r.state.Store(&b.next)
}

// Declare classifies the models and tables of the configuration and returns everything that is wrong with them. global
// and reference are looked at first, so that a model's relations find their classes.
func (r *Registry) Declare(models, global, reference []any, sharded []ShardSet) []error {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.begin()
	b.declare("Global", global, Global)
	b.declare("Reference", reference, Reference)
	for i := range sharded {
		b.set = &sharded[i]
		b.declare(fmt.Sprintf("Sharding[%d].Models", i), b.set.Models, Sharded)
	}
	b.set = nil
	b.declare("Models", models, Placed)
	// The classes are known: now the relations between them.
	for s, t := range maps.Clone(b.next.schemas) {
		b.relations(s, t)
	}
	r.publish(b)
	return b.errs
}

func (b *builder) declare(list string, models []any, class Class) {
	for i, m := range models {
		if err := b.declareOne(m, class); err != nil {
			b.errs = append(b.errs, fmt.Errorf("%s[%d]: %w", list, i, err))
		}
	}
}

func (b *builder) declareOne(m any, class Class) error {
	if d, ok := m.(Declared); ok {
		return b.declareTable(d, class)
	}
	typ := reflect.TypeOf(m)
	for typ != nil && (typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice) {
		typ = typ.Elem()
	}
	if typ == nil || typ.Kind() != reflect.Struct {
		return fmt.Errorf("%T is not a model: give a struct, or a Table", m)
	}
	s, err := b.parse(reflect.New(typ).Interface())
	if err != nil {
		return fmt.Errorf("%T does not parse: %w", m, err)
	}
	return b.add(s, class)
}

func (b *builder) declareTable(d Declared, class Class) error {
	if d.Name == "" {
		return errors.New("a Table needs a Name")
	}
	t := &Table{Name: lastPart(d.Name), Path: d.Name, Class: class, folded: fold(d.Name)}
	if d.TenantColumn != "" {
		t.Class, t.Tenant = Owned, &Column{Name: d.TenantColumn, Table: t.Path}
		if class != Placed && class != Sharded {
			return fmt.Errorf("table %s has a tenant column and is listed as %s", d.Name, class)
		}
	}
	if err := b.keyOfTable(t, d.ShardKey); err != nil {
		return err
	}
	return b.name(t)
}

// add classifies a model by its tags; class is that of a model without any.
func (b *builder) add(s *schema.Schema, class Class) error {
	t := &Table{Name: lastPart(s.Table), Path: s.Table, Model: s.Name, Class: class, folded: fold(s.Table)}
	column, err := tenantColumn(s)
	if err != nil {
		return fmt.Errorf("model %s: %w", s.Name, err)
	}
	if column != nil {
		if class == Global || class == Reference {
			return fmt.Errorf("model %s has a tenant field and is listed as %s", s.Name, class)
		}
		t.Class, t.Tenant = Owned, column
	}
	if err := b.keyOfModel(s, t); err != nil {
		return fmt.Errorf("model %s: %w", s.Name, err)
	}
	if t.Class == Unlisted {
		if known := b.next.names[t.folded]; known != nil {
			t = known // another model of a known table
		}
		b.next.schemas[s] = t
		return nil
	}
	if err := b.name(t); err != nil {
		return err
	}
	b.next.schemas[s] = t
	return nil
}

// name makes t known by its name, and checks it against what is known by that name already.
func (b *builder) name(t *Table) error {
	known := b.next.names[t.folded]
	switch {
	case known != nil && known.Shard != nil && t.Shard != nil && (known.Shard.Set != t.Shard.Set || known.Shard.Column.Name != t.Shard.Column.Name):
		return fmt.Errorf("table %s has two shard keys, or is in two sets of sharded models", t.Describe())
	case known != nil && known.Shard != nil && t.Shard == nil && t.Class.HasPlace():
		return nil // by a model without the field
	case known == nil, known.Class == Link && t.Class == Owned: // a join model with a tenant field of its own
	case known.Class == t.Class && (known.Tenant == nil || known.Tenant.Name == t.Tenant.Name):
	case known.Class == Owned && t.Class == Placed: // listed too, by a model without the field
		return nil
	case known.Class == Placed && t.Class == Owned:
	case known.Class == Sharded && t.Class == Placed: // listed too, by a model without the field
		return nil
	default:
		return fmt.Errorf("table %s is both %s and %s", t.Describe(), known.Class, t.Class)
	}
	b.next.names[t.folded] = t
	return nil
}

// joinTable makes a generated join table known, or a join model of the application's own.
func (b *builder) joinTable(s *schema.Schema, class Class, key *ShardKey) {
	column, err := tenantColumn(s)
	if err == nil && (column != nil || b.isSharded(s)) {
		if err := b.add(s, Unlisted); err != nil {
			b.errs = append(b.errs, err)
		}
		return
	}
	name := fold(s.Table)
	known := b.next.names[name]
	if known == nil || known.Class == Placed && class == Link {
		known = &Table{Name: lastPart(s.Table), Path: s.Table, Class: class, Shard: key, folded: name}
		if class != Unlisted {
			b.next.names[name] = known
		}
	}
	b.next.schemas[s] = known
}

// related classifies the model at the other end of a relation.
func (b *builder) related(s *schema.Schema) *Table {
	if parsed, err := b.parse(reflect.New(s.ModelType).Interface()); err == nil && parsed.Table == s.Table {
		s = parsed // waits until another goroutine has parsed it completely
	}
	if t := b.next.schemas[s]; t != nil {
		return t
	}
	if err := b.add(s, Unlisted); err != nil {
		b.errs = append(b.errs, err)
		return &Table{Name: lastPart(s.Table), Path: s.Table, Model: s.Name, folded: fold(s.Table)}
	}
	t := b.next.schemas[s]
	b.relations(s, t)
	return t
}

// tenantColumn finds the field that is tagged as tenant; nil if there is none.
func tenantColumn(s *schema.Schema) (*Column, error) {
	var found *schema.Field
	for _, f := range s.Fields {
		switch tag := f.Tag.Get("tenancy"); tag {
		case "":
		case "tenant":
			if found != nil {
				return nil, fmt.Errorf("two tenant fields, %s and %s: a row has one tenant", found.Name, f.Name)
			}
			found = f
		case "shard_key": // keyOfModel has a look at it
		default:
			return nil, fmt.Errorf("field %s: tag tenancy:%q is unknown, there are tenancy:\"tenant\" and tenancy:\"shard_key\"", f.Name, tag)
		}
	}
	if found == nil {
		return nil, nil
	}
	return newColumn(found)
}

func lastPart(name string) string {
	for i := len(name) - 1; i >= 0; i-- {
		if name[i] == '.' {
			return name[i+1:]
		}
	}
	return name
}

// Find returns what is known of the table that a statement names, with the model it was built from, if any. A model met for
// the first time is classified by its tags; wrong ones are the error. A table that nothing is known of is [Unlisted].
func (r *Registry) Find(s *schema.Schema, name string) (*Table, error) {
	st := r.state.Load()
	var byModel *Table
	if s != nil {
		byModel = st.schemas[s]
		if byModel == nil {
			var err error
			if byModel, err = r.meet(s); err != nil {
				// A struct that rows of a known table are read into, such as one that embeds two models, need be no model.
				if t := st.names[fold(name)]; t != nil && fold(s.Table) != t.folded {
					return t, nil
				}
				return nil, err
			}
			st = r.state.Load()
		}
		if byModel.Name == name && byModel.Class != Unlisted {
			return byModel, nil
		}
	}
	if t := st.names[fold(name)]; t != nil {
		return t, nil
	}
	if byModel != nil && byModel.Class == Owned && byModel.Shard == nil {
		return byModel, nil // the model under another table name: its tags still say whose the rows are
	}
	return &Table{Name: name, Path: name, folded: fold(name)}, nil
}

// meet classifies a model on first use.
func (r *Registry) meet(s *schema.Schema) (*Table, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if t := r.state.Load().schemas[s]; t != nil {
		return t, nil
	}
	b := r.begin()
	if err := b.add(s, Unlisted); err != nil {
		return nil, err
	}
	b.relations(s, b.next.schemas[s])
	b.adopt(s)
	if len(b.errs) > 0 {
		return nil, errors.Join(b.errs...)
	}
	r.publish(b)
	return b.next.schemas[s], nil
}

// adopt makes s a join table if a known relation has got it since it was read: db.SetupJoinTable replaces the generated one
// (gorm v1.31.2 gorm.go SetupJoinTable).
func (b *builder) adopt(s *schema.Schema) {
	if b.next.schemas[s].Class != Unlisted {
		return
	}
	for known, t := range maps.Clone(b.next.schemas) {
		for _, rel := range relationsOf(&known.Relationships) {
			if rel.JoinTable == s && rel.FieldSchema != nil {
				delete(b.next.schemas, s)
				b.link(known.Name+"."+rel.Name, t, b.related(rel.FieldSchema), rel)
			}
		}
	}
}

// mostLearned is how many tables under other names than their models' a registry takes in.
const mostLearned = 10_000

// Learn makes a model's table under another name, as [Table.Under] returns it, known by that name, so that it is found in
// text too. Of tables with the names of days or of customers there can be any number: after many it does nothing.
func (r *Registry) Learn(t *Table) {
	name := fold(t.Path) // t.folded is that of its model, whose foreign keys it has
	if r.state.Load().names[name] != nil || t.Class != Owned {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.begin()
	if b.next.names[name] != nil || len(b.next.names) > mostLearned {
		return
	}
	b.next.names[name] = t
	r.publish(b)
}

// Owning tells whether any known table belongs to tenants.
func (r *Registry) Owning() bool { return r.state.Load().owned }

// Generation changes with what is known.
func (r *Registry) Generation() uint64 { return r.state.Load().number }

// Named returns what is known of a table by its name alone; nil if that is nothing.
func (r *Registry) Named(name string) *Table { return r.state.Load().names[fold(name)] }

// ForeignKeys returns the keys of a table that point at tenant-owned rows.
func (r *Registry) ForeignKeys(t *Table) []ForeignKey { return r.state.Load().foreign[t.folded] }

// Confining tells whether any known table belongs to tenants, or is sharded.
func (r *Registry) Confining() bool { return r.state.Load().confined }

// PlacedNames yields the lower-case names of the known tables whose rows are where a placement says.
func (r *Registry) PlacedNames() iter.Seq[string] {
	return r.namesOf(func(t *Table) bool { return t.Class.HasPlace() })
}

// ShardedNames yields the lower-case names of the known tables that have a shard key.
func (r *Registry) ShardedNames() iter.Seq[string] {
	return r.namesOf(func(t *Table) bool { return t.Shard != nil })
}

// ReferenceNames returns the names of reference tables, in lower case.
func (r *Registry) ReferenceNames() iter.Seq[string] {
	return r.namesOf(func(t *Table) bool { return t.Class == Reference })
}

func (r *Registry) namesOf(wanted func(*Table) bool) iter.Seq[string] {
	st := r.state.Load()
	return func(yield func(string) bool) {
		for name, t := range st.names {
			if wanted(t) && !yield(name) {
				return
			}
		}
		for name := range st.suffixed {
			if !yield(name) {
				return
			}
		}
	}
}

// LearnSuffix makes the names known that tables have where they have a suffix: they are no tables of their own.
func (r *Registry) LearnSuffix(suffix string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.begin()
	if b.next.suffixed = maps.Clone(b.next.suffixed); b.next.suffixed == nil {
		b.next.suffixed = map[string]bool{}
	}
	for name, t := range b.next.names {
		if t.Class.HasPlace() {
			b.next.suffixed[name+fold(suffix)] = true
		}
	}
	r.publish(b)
}

// Suffixed tells whether a name is that of a known table at a placement with a suffix.
func (r *Registry) Suffixed(name string) bool { return r.state.Load().suffixed[fold(name)] }

// ConfinedTables are all tables that belong to tenants, in the order of their names.
func (r *Registry) ConfinedTables() []*Table {
	var all []*Table
	for _, t := range r.state.Load().names {
		if t.Class.Confined() {
			all = append(all, t)
		}
	}
	slices.SortFunc(all, func(a, b *Table) int { return strings.Compare(a.Path, b.Path) })
	return all
}

// Forget drops what was found out about the tenant columns of a shard, and of the schemas in it.
func (r *Registry) Forget(shard string) {
	st := r.state.Load()
	for _, t := range st.names {
		t.forget(shard)
	}
	for _, t := range st.schemas {
		t.forget(shard)
	}
}

// PlacedModels yields the tables that only their placement confines.
func (r *Registry) PlacedModels() iter.Seq[*Table] {
	names := r.state.Load().names
	return func(yield func(*Table) bool) {
		for _, t := range names {
			if t.Class == Placed && !yield(t) {
				return
			}
		}
	}
}
