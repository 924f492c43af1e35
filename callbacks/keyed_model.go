package callbacks

import (
	"fmt"
	"reflect"
	"slices"

	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"

	"github.com/gormtenancy/tenancy/internal/shardkey"
)

// A model that is given to a statement says its primary key, which GORM makes a condition. Its shard key says where the row is, so
// it is made one too: without it, Save and Delete of a row that was just read would not know where to look.

// keyOfModel adds the condition on the shard keys of the rows that a model, or several, stand for.
func (h *Hooks) keyOfModel(pass *Pass, value reflect.Value) error {
	t, s := pass.Table, pass.stmt.Schema
	if t == nil || t.Shard == nil || pass.modelKeys != nil {
		return nil
	}
	f := fieldOf(s, t.Shard.Column.Name)
	if f == nil {
		return nil
	}
	var keys []any
	known := true // of all rows
	_ = eachStruct(s, value, func(r row) error {
		v, zero := f.ValueOf(pass.Context, r.model)
		if known = known && !zero && hasKey(pass, r); known { // a zero value may be its key, or not have been read
			keys = append(keys, v)
		}
		return nil
	})
	if !known || len(keys) == 0 {
		return nil
	}
	pass.modelKeys = keys
	if !slices.Contains(s.PrimaryFieldDBNames, f.DBName) { // or else GORM makes it a condition
		column := clause.Column{Table: clause.CurrentTable, Name: f.DBName}
		pass.stmt.AddClause(clause.Where{Exprs: []clause.Expression{clause.IN{Column: column, Values: keys}}})
	}
	if pass.placed || pass.Who.Where != Nowhere {
		return nil
	}
	return h.placeModel(pass, keys)
}

// placeModel finds the place of the rows, if it is one.
func (h *Hooks) placeModel(pass *Pass, keys []any) error {
	var places []Place
	for _, v := range keys {
		key, err := shardkey.Canonical(v)
		if err != nil {
			return h.refusal(pass, MissingShardKey, "the shard key of a model: "+err.Error())
		}
		at, err := h.placeOf(pass, pass.Table.Shard.Set, key)
		if err != nil {
			return h.passOn(pass, err)
		}
		places = added(places, at)
	}
	if len(places) == 1 {
		pass.at, pass.placed, pass.reach = places[0], true, There
	}
	return nil
}

// hasKey tells whether a model has a primary key, so that it stands for a row.
func hasKey(pass *Pass, r row) bool {
	return len(r.schema.PrimaryFields) > 0 && !slices.ContainsFunc(r.schema.PrimaryFields, func(f *schema.Field) bool {
		_, zero := f.ValueOf(pass.Context, r.model)
		return zero
	})
}

func fieldOf(s *schema.Schema, column string) *schema.Field {
	if s == nil {
		return nil
	}
	return s.FieldsByDBName[column]
}

// setID puts an ID into the field of a row.
func setID(pass *Pass, f *schema.Field, model reflect.Value, id any) error {
	uuid, ok := id.([16]byte)
	if !ok {
		return f.Set(pass.Context, model, id)
	}
	if f.IndirectFieldType.Kind() != reflect.Array {
		return f.Set(pass.Context, model, uuidText(uuid))
	}
	v := f.ReflectValueOf(pass.Context, model)
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	v.Set(reflect.ValueOf(uuid).Convert(v.Type()))
	return nil
}

func uuidText(id [16]byte) string {
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[0:4], id[4:6], id[6:8], id[8:10], id[10:16])
}

// keepKey leaves the shard key out of what an update assigns if it is what the row has: Save writes all columns.
func (h *Hooks) keepKey(pass *Pass, set clause.Set) clause.Set {
	if len(pass.modelKeys) != 1 {
		return set
	}
	return slices.DeleteFunc(slices.Clone(set), func(a clause.Assignment) bool {
		return sameColumn(pass.stmt.Schema, a.Column.Name, pass.Table.Shard.Column.Name) && sameKey(a.Value, pass.modelKeys[0])
	})
}

func sameKey(a, b any) bool {
	if isExpression(a) || isExpression(b) {
		return false
	}
	x, err := shardkey.Of(a)
	if err != nil {
		return false
	}
	y, err := shardkey.Of(b)
	return err == nil && x.Kind() == y.Kind() && x.Compare(&y) == 0
}
