package tables

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"gorm.io/gorm/schema"
)

// ShardSet are models that one resolver spreads.
type ShardSet struct {
	Number int
	Models []any
	IDs    bool // their primary keys carry their shard
}

// ShardKey is what says where the rows of a table are.
type ShardKey struct {
	Set    int     // the number of its ShardSet
	Column *Column // the key
	Type   string  // what it holds: "bigint", "text", "uuid", or "" for anything else
	ID     *Column // the primary key, if that carries the shard; nil if not
	IDType string  // as Type
}

// shardField finds the field that is tagged as shard key; nil if there is none.
func shardField(s *schema.Schema) (found *schema.Field, err error) {
	for _, f := range s.Fields {
		if f.Tag.Get("tenancy") != "shard_key" {
			continue
		}
		if found != nil {
			return nil, fmt.Errorf("two shard keys, %s and %s: a row is in one place", found.Name, f.Name)
		}
		found = f
	}
	return found, nil
}

// keyOfModel gives t the shard key that its model is tagged with.
func (b *builder) keyOfModel(s *schema.Schema, t *Table) error {
	f, err := shardField(s)
	switch known := b.next.names[t.folded]; {
	case err != nil:
		return err
	case f == nil && b.set == nil:
		return nil
	case f == nil && known != nil && known.Shard != nil:
		return nil
	case f == nil:
		return errors.New("no field is tagged tenancy:\"shard_key\"")
	case t.Class == Global || t.Class == Reference:
		return fmt.Errorf("it has a shard key and is listed as %s", t.Class)
	case b.set == nil && (known == nil || known.Shard == nil):
		return fmt.Errorf("field %s is a shard key, and the model is in no set of Config.Sharding", f.Name)
	case b.set == nil:
		if known.Shard.Column.Name != f.DBName {
			return fmt.Errorf("field %s is a shard key, and that of table %s is column %s", f.Name, t.Name, known.Shard.Column.Name)
		}
		t.Shard = known.Shard
	default:
		if t.Shard, err = newShardKey(f, b.set); err != nil {
			return err
		}
	}
	if t.Class != Owned {
		t.Class = Sharded
	}
	return nil
}

// keyOfTable does it for a table without a model.
func (b *builder) keyOfTable(t *Table, column string) error {
	switch {
	case column == "" && b.set == nil:
		return nil
	case column == "":
		return errors.New("a sharded Table needs a ShardKey")
	case t.Class == Global || t.Class == Reference:
		return fmt.Errorf("table %s has a shard key and is listed as %s", t.Name, t.Class)
	case b.set == nil:
		if known := b.next.names[t.folded]; known == nil || known.Shard == nil {
			return fmt.Errorf("table %s has a shard key, and is in no set of Config.Sharding", t.Name)
		}
		return nil
	}
	t.Shard = &ShardKey{Set: b.set.Number, Column: &Column{Name: column, Table: t.Path}}
	if t.Class != Owned {
		t.Class = Sharded
	}
	return nil
}

func newShardKey(f *schema.Field, set *ShardSet) (*ShardKey, error) {
	if f.DBName == "" {
		return nil, fmt.Errorf("field %s is marked as shard key but is no column", f.Name)
	}
	if !f.Creatable || !f.Readable {
		return nil, fmt.Errorf("shard key %s must be read and written: remove \"->\" and \"<-:false\" from its gorm tag", f.Name)
	}
	holds, ok := keyType(f)
	if !ok {
		return nil, fmt.Errorf("shard key %s has type %s: a shard key is an integer, a string, a UUID, bytes or a time", f.Name, f.FieldType)
	}
	k := &ShardKey{Set: set.Number, Column: &Column{Name: f.DBName, Table: f.Schema.Table, Field: f}, Type: holds}
	if !set.IDs {
		return k, nil
	}
	id := f.Schema.PrioritizedPrimaryField
	if id == nil || id == f {
		return nil, errors.New("its IDs are to carry their shard, and it has no primary key but the shard key")
	}
	if k.IDType, ok = keyType(id); !ok || k.IDType == "" || k.IDType == "bigint" && id.IndirectFieldType.Size() < 8 {
		return nil, fmt.Errorf("field %s has type %s: an ID that carries its shard is an integer of 64 bits, a UUID or its text", id.Name, id.FieldType)
	}
	k.ID = &Column{Name: id.DBName, Table: f.Schema.Table, Field: id}
	return k, nil
}

// keyType returns what the column of a field holds, as [ShardKey.Type].
func keyType(f *schema.Field) (holds string, ok bool) {
	typ := f.IndirectFieldType
	declared := strings.ToLower(f.TagSettings["TYPE"])
	switch kind := typ.Kind(); {
	case f.Serializer != nil:
		return "", true
	case kind == reflect.String && strings.Contains(declared, "uuid"):
		return "uuid", true
	case kind == reflect.String && containsAny(declared, "int", "serial", "numeric", "decimal", "number"):
		return "", true
	case kind == reflect.String:
		return "text", true
	case kind >= reflect.Int && kind <= reflect.Int64, kind >= reflect.Uint && kind <= reflect.Uint64:
		return "bigint", true
	case kind == reflect.Array && typ.Len() == 16 && typ.Elem().Kind() == reflect.Uint8:
		return "uuid", true
	case kind == reflect.Slice && typ.Elem().Kind() == reflect.Uint8, typ == reflect.TypeFor[time.Time](), implements[driver.Valuer](typ) && kind == reflect.Struct:
		return "", true
	}
	return "", false
}
