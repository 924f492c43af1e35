package tables

import (
	"fmt"
	"slices"
	"strings"

	"gorm.io/gorm/schema"
)

// ForeignKey is a set of columns that point at a row of a tenant-owned table.
type ForeignKey struct {
	Relation string // "Order.Lines", for messages
	Parent   *Table
	Columns  []string // in the child
	Keys     []string // in the parent, in the same order
	fields   []*schema.Field

	// TypeColumn and TypeValue say when the key is meant for this parent, in a polymorphic relation.
	TypeColumn, TypeValue string

	// Carries is the child's column that holds the tenant of the parent, if the key has one; such a key needs no look at
	// the parent, only that this column holds the tenant.
	Carries string

	Actions Actions
}

// Actions are what a relation's tag says about the constraint of a foreign key: gorm:"constraint:OnDelete:CASCADE".
type Actions struct {
	OnDelete, OnUpdate string
	None               bool // there is to be no constraint: gorm:"constraint:-"

	byParent bool // the tag is that of the parent's relation, which counts where both have one
}

// actionsOf reads the tag of a relation (gorm v1.31.2 schema/relationship.go ParseConstraint).
func actionsOf(rel *schema.Relationship) Actions {
	if rel.Field == nil {
		return Actions{}
	}
	tag := rel.Field.TagSettings["CONSTRAINT"]
	settings := schema.ParseTagSetting(tag, ",")
	return Actions{OnDelete: settings["ONDELETE"], OnUpdate: settings["ONUPDATE"], None: tag == "-", byParent: rel.Type != schema.BelongsTo}
}

// Field returns the model's field of one of Columns.
func (k *ForeignKey) Field(column string) *schema.Field {
	if i := slices.Index(k.Columns, column); i >= 0 {
		return k.fields[i]
	}
	return nil
}

func (k *ForeignKey) same(o *ForeignKey) bool {
	return k.Parent.folded == o.Parent.folded && slices.Equal(k.Columns, o.Columns) && slices.Equal(k.Keys, o.Keys) &&
		k.TypeColumn == o.TypeColumn && k.TypeValue == o.TypeValue
}

// reference adds one pair of columns of a relation.
func (k *ForeignKey) reference(ref *schema.Reference) {
	if ref.PrimaryValue != "" {
		k.TypeColumn, k.TypeValue = ref.ForeignKey.DBName, ref.PrimaryValue
		return
	}
	k.Columns = append(k.Columns, ref.ForeignKey.DBName)
	k.Keys = append(k.Keys, ref.PrimaryKey.DBName)
	k.fields = append(k.fields, ref.ForeignKey)
	if k.Parent.Tenant != nil && ref.PrimaryKey.DBName == k.Parent.Tenant.Name {
		k.Carries = ref.ForeignKey.DBName
	}
}

// addForeign records that child points at key.Parent, unless that is known or the parent has no tenant.
func (b *builder) addForeign(child string, key ForeignKey) {
	if key.Parent == nil || key.Parent.Class != Owned || len(key.Columns) == 0 {
		return
	}
	name := fold(child)
	known := b.next.foreign[name]
	if i := slices.IndexFunc(known, func(k ForeignKey) bool { return k.same(&key) }); i >= 0 {
		if key.Actions.byParent && !known[i].Actions.byParent {
			known = slices.Clone(known)
			known[i].Actions = key.Actions
			b.next.foreign[name] = known
		}
		return
	}
	b.next.foreign[name] = append(slices.Clip(known), key)
}

// relations records what the relations of s say about foreign keys, and classifies the models at their other ends.
func (b *builder) relations(s *schema.Schema, own *Table) {
	for _, rel := range relationsOf(&s.Relationships) {
		b.relation(s, own, rel)
	}
}

// relationsOf lists the relations that a model declares. GORM also enters each has-one and has-many relation with the
// model at its other end, under a name that begins with "_", and may do so at any time (gorm v1.31.2
// schema/relationship.go parseRelation).
func relationsOf(r *schema.Relationships) []*schema.Relationship {
	r.Mux.RLock()
	defer r.Mux.RUnlock()
	var rels []*schema.Relationship
	for name, rel := range r.Relations {
		if !strings.HasPrefix(name, "_") {
			rels = append(rels, rel)
		}
	}
	for _, embedded := range r.EmbeddedRelations {
		for _, rel := range embedded.Relations {
			rels = append(rels, rel)
		}
	}
	return rels
}

func (b *builder) relation(s *schema.Schema, own *Table, rel *schema.Relationship) {
	if rel.FieldSchema == nil {
		return
	}
	other := b.related(rel.FieldSchema)
	name := s.Name + "." + rel.Name
	switch rel.Type {
	case schema.BelongsTo:
		key := ForeignKey{Relation: name, Parent: other, Actions: actionsOf(rel)}
		for _, ref := range rel.References {
			key.reference(ref)
		}
		b.addForeign(own.Name, key)
	case schema.HasOne, schema.HasMany:
		key := ForeignKey{Relation: name, Parent: own, Actions: actionsOf(rel)}
		for _, ref := range rel.References {
			key.reference(ref)
		}
		b.addForeign(other.Name, key)
	case schema.Many2Many:
		b.link(name, own, other, rel)
	}
}

// link records a join table and what points from it at both ends.
func (b *builder) link(name string, own, other *Table, rel *schema.Relationship) {
	join := rel.JoinTable
	if join == nil {
		return
	}
	near, far := ForeignKey{Relation: name, Parent: own}, ForeignKey{Relation: name, Parent: other}
	for _, ref := range rel.References {
		if ref.OwnPrimaryKey || ref.PrimaryValue != "" {
			near.reference(ref)
		} else {
			far.reference(ref)
		}
	}
	class := Unlisted
	switch {
	case own.Class == Owned || other.Class == Owned:
		class = Link
	case own.Class == Placed || other.Class == Placed:
		class = Placed
	case own.Class == Sharded || other.Class == Sharded:
		class = Sharded
	case own.Class != Unlisted && other.Class != Unlisted:
		class = Global
	}
	var key *ShardKey
	if own.Shard != nil || other.Shard != nil {
		if key = carriedShard(join, &near, &far); key == nil && !b.isSharded(join) {
			b.errs = append(b.errs, fmt.Errorf("relation %s: a row of join table %s has no shard key: give it one that is part of the primary key of %s, or a model of its own with db.SetupJoinTable and a field tagged tenancy:\"shard_key\"", name, join.Table, own.Name))
			return
		}
	}
	b.joinTable(join, class, key)
	b.addForeign(join.Table, near)
	b.addForeign(join.Table, far)
}

// carriedShard returns the shard key that a join table has as a part of a foreign key to a sharded table; nil if it has none.
func carriedShard(join *schema.Schema, ends ...*ForeignKey) *ShardKey {
	for _, end := range ends {
		of := end.Parent.Shard
		if of == nil {
			continue
		}
		if i := slices.Index(end.Keys, of.Column.Name); i >= 0 {
			return &ShardKey{Set: of.Set, Type: of.Type, Column: &Column{Name: end.Columns[i], Table: join.Table, Field: end.fields[i]}}
		}
	}
	return nil
}

// isSharded tells whether a join table is in a set of sharded models.
func (b *builder) isSharded(join *schema.Schema) bool {
	known := b.next.names[fold(join.Table)]
	return known != nil && known.Shard != nil
}
