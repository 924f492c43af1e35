package tenancytest

import (
	"database/sql"
	"reflect"
	"strconv"

	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
)

// A shape is one way in which models come. All shapes have the same Go field names and relations: a parent with children,
// a profile, tags over a generated join table, a boss among the parents, and a country that belongs to no tenant.
type shape struct {
	parent, child, profile, tag reflect.Type

	composite bool // primary keys are (tenant, ID), and the application makes the IDs
	soft      bool // parents are deleted softly
}

// fields are values of a new record, by Go field name.
type fields = map[string]any

// newShape returns the world of a shape. a and b are the IDs of its tenants.
func newShape[P, C, F, T any](name string, a, b tenancy.ID) *world {
	s := &shape{
		parent: reflect.TypeFor[P](), child: reflect.TypeFor[C](), profile: reflect.TypeFor[F](), tag: reflect.TypeFor[T](),
	}
	_, s.soft = s.parent.FieldByName("DeletedAt")
	tenant, _ := s.parent.FieldByName("TenantID")
	s.composite = tenant.Tag.Get("gorm") != "" && hasPrimaryKey(tenant)
	w := &world{
		name: name, a: a, b: b, shape: s,
		models: []any{new(P), new(C), new(F), new(T)},
		global: []any{&country{}},
		fill:   s.fill,
		fillGlobal: func(raw *gorm.DB) error {
			return raw.Create(&[]country{{ID: 1, Name: "cz"}, {ID: 2, Name: "at"}}).Error
		},
	}
	w.groups = shapeGroups()
	return w
}

// hasPrimaryKey tells whether a field is tagged as part of the primary key.
func hasPrimaryKey(f reflect.StructField) bool {
	tag := f.Tag.Get("gorm")
	return len(tag) >= 10 && tag[:10] == "primaryKey"
}

// fill inserts one tenant's fixture: parents p1 to p4 (p4 deleted, if the shape deletes softly), children c1 and c2 of p1
// and c3 of p2, profiles f1 of p1 and f2 of p2, tags red and blue on p1 and red on p2.
func (s *shape) fill(raw *gorm.DB, who owner) error {
	row := func(typ reflect.Type, n uint, name string, more fields) reflect.Value {
		v := record(typ, fields{"ID": who.from + n, "TenantID": who.id, "Name": name, "Mark": who.mark})
		if v.FieldByName("CreatedAt").IsValid() {
			assign(v, fields{"CreatedAt": someTime, "UpdatedAt": someTime})
		}
		assign(v, more)
		return v
	}
	tags := list(s.tag, row(s.tag, 1, "red", nil), row(s.tag, 2, "blue", nil), row(s.tag, 3, "green", nil), row(s.tag, 4, "black", nil))
	p1 := row(s.parent, 1, "p1", fields{"Score": 10, "CountryID": 1})
	p2 := row(s.parent, 2, "p2", fields{"Score": 20, "CountryID": 2, "BossID": who.from + 1})
	p3 := row(s.parent, 3, "p3", fields{"Score": 30, "BossID": who.from + 2})
	p4 := row(s.parent, 4, "p4", fields{"Score": 40, "CountryID": 1})
	if s.soft {
		assign(p4, fields{"DeletedAt": gorm.DeletedAt{Time: someTime, Valid: true}})
	}
	children := list(s.child,
		row(s.child, 1, "c1", fields{"ParentID": who.from + 1, "Amount": 1}),
		row(s.child, 2, "c2", fields{"ParentID": who.from + 1, "Amount": 2}),
		row(s.child, 3, "c3", fields{"ParentID": who.from + 2, "Amount": 3}),
		row(s.child, 4, "c4", nil))
	profiles := list(s.profile,
		row(s.profile, 1, "f1", fields{"ParentID": who.from + 1}),
		row(s.profile, 2, "f2", fields{"ParentID": who.from + 2}),
		row(s.profile, 3, "f3", nil), row(s.profile, 4, "f4", nil))
	tagged := tags.Elem()
	p1.FieldByName("Tags").Set(tagged.Slice3(0, 2, 2))
	p2.FieldByName("Tags").Set(tagged.Slice3(0, 1, 1))
	parents := list(s.parent, p1, p2, p3, p4)
	for _, step := range []struct {
		db   *gorm.DB
		rows any
	}{
		{raw, tags.Interface()},
		{raw.Omit("Tags.*", "Boss", "Country", "Profile", "Children"), parents.Interface()},
		{raw.Omit("Parent"), children.Interface()},
		{raw, profiles.Interface()},
	} {
		if err := step.db.Create(step.rows).Error; err != nil {
			return err
		}
	}
	return nil
}

// record returns an addressable struct with these values.
func record(typ reflect.Type, values fields) reflect.Value {
	v := reflect.New(typ).Elem()
	assign(v, values)
	return v
}

// assign sets fields of a struct, converting numbers, tenant IDs, pointers and lists of records as needed.
func assign(v reflect.Value, values fields) {
	for name, value := range values {
		set(v.FieldByName(name), value)
	}
}

func set(f reflect.Value, value any) {
	if f.Kind() == reflect.Pointer && reflect.TypeOf(value) != f.Type() {
		p := reflect.New(f.Type().Elem())
		set(p.Elem(), value)
		f.Set(p)
		return
	}
	if id, ok := value.(tenancy.ID); ok {
		setTenant(f, id)
		return
	}
	in := reflect.ValueOf(value)
	if records, ok := value.([]any); ok {
		all := reflect.MakeSlice(f.Type(), 0, len(records))
		for _, r := range records {
			all = reflect.Append(all, reflect.ValueOf(r).Elem())
		}
		f.Set(all)
		return
	}
	if in.Kind() == reflect.Pointer && in.Type().Elem() == f.Type() {
		in = in.Elem()
	}
	f.Set(in.Convert(f.Type()))
}

// setTenant writes an ID into a tenant field of any type.
func setTenant(f reflect.Value, id tenancy.ID) {
	if scanner, ok := reflect.TypeAssert[sql.Scanner](f.Addr()); ok {
		if err := scanner.Scan(string(id)); err != nil {
			panic(err)
		}
		return
	}
	n, _ := strconv.ParseInt(string(id), 10, 64)
	switch {
	case f.CanInt():
		f.SetInt(n)
	case f.CanUint():
		f.SetUint(uint64(n)) //nolint:gosec // the suite's own IDs are positive
	default:
		f.SetString(string(id))
	}
}

// list returns a pointer to a slice of records.
func list(typ reflect.Type, records ...reflect.Value) reflect.Value {
	all := reflect.New(reflect.SliceOf(typ))
	all.Elem().Set(reflect.Append(all.Elem(), records...))
	return all
}
