package tenancytest

import (
	"fmt"
	"reflect"

	"gorm.io/gorm"
)

// record returns a pointer to a new record. Where the application makes the keys, it gets one.
func (c *trial) record(typ reflect.Type, values []fields) any {
	v := reflect.New(typ).Elem()
	for _, more := range values {
		assign(v, more)
	}
	if c.world.shape.composite && v.FieldByName("ID").IsZero() {
		c.next++
		assign(v, fields{"ID": 5000 + c.next})
	}
	return v.Addr().Interface()
}

// parent, child, profile and tag return a pointer to a new record.
func (c *trial) parent(values ...fields) any  { return c.record(c.world.shape.parent, values) }
func (c *trial) child(values ...fields) any   { return c.record(c.world.shape.child, values) }
func (c *trial) profile(values ...fields) any { return c.record(c.world.shape.profile, values) }
func (c *trial) tag(values ...fields) any     { return c.record(c.world.shape.tag, values) }

// noParent is an empty parent for Model and as a destination; no key is made for it.
func (c *trial) noParent() any { return reflect.New(c.world.shape.parent).Interface() }
func (c *trial) noChild() any  { return reflect.New(c.world.shape.child).Interface() }
func (c *trial) noTag() any    { return reflect.New(c.world.shape.tag).Interface() }

// parents, children and tags return a pointer to a slice: empty, or of these records.
func (c *trial) parents(records ...any) any  { return c.listOf(c.world.shape.parent, records) }
func (c *trial) children(records ...any) any { return c.listOf(c.world.shape.child, records) }
func (c *trial) tags(records ...any) any     { return c.listOf(c.world.shape.tag, records) }

func (c *trial) listOf(typ reflect.Type, records []any) any {
	values := make([]reflect.Value, len(records))
	for i, r := range records {
		values[i] = reflect.ValueOf(r).Elem()
	}
	return list(typ, values...).Interface()
}

// id and idB are the primary keys of A's and of B's nth row; equal where keys are composite.
func (c *trial) id(n uint) uint { return fromA + n }

func (c *trial) idB(n uint) uint {
	if single(c.world) {
		c.keyed = true
		return fromB + n
	}
	return fromA + n
}

// field reads a field of a record.
func field(record any, name string) any {
	return reflect.Indirect(reflect.ValueOf(record)).FieldByName(name).Interface()
}

// with sets fields of a record and returns it.
func with(record any, values fields) any {
	assign(reflect.ValueOf(record).Elem(), values)
	return record
}

// column is the name of a field's column; quotedTenant is that of the tenant as it can stand in SQL.
func (c *trial) column(model any, name string) string {
	return parse(c, c.stage.raw, model).LookUpField(name).DBName
}

func (c *trial) quotedTenant(model any) string {
	return c.stage.raw.Statement.Quote(c.column(model, "TenantID"))
}

// table is the name of a model's table; quotedTable is the same as it can stand in SQL.
func (c *trial) table(model any) string { return parse(c, c.stage.raw, model).Table }

func (c *trial) quotedTable(model any) string { return c.stage.raw.Statement.Quote(c.table(model)) }

// joinTable is the name of the generated join table.
func (c *trial) joinTable() string {
	return parse(c, c.stage.raw, c.noParent()).Relationships.Relations["Tags"].JoinTable.Table
}

// load reads A's nth parent with a handle.
func (c *trial) load(db *gorm.DB, n uint) any {
	p := c.noParent()
	if err := db.Take(p, "name = ?", [...]string{"", "p1", "p2", "p3", "p4"}[n]).Error; err != nil {
		c.Fatal("load: ", err)
	}
	return p
}

// loadB reads B's nth parent, as a mistaken application would hold it.
func (c *trial) loadB(n uint) any { return c.load(c.b, n) }

// pointersOf returns the records in a list that a record has.
func pointersOf(record any, name string) []any {
	return pointers(reflect.ValueOf(record).Elem().FieldByName(name).Addr().Interface())
}

// label is a parent's name and mark.
func label(record any) string { return fmt.Sprint(field(record, "Name"), field(record, "Mark")) }
