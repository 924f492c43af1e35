package merge

import (
	"database/sql/driver"
	"reflect"
)

// column is what is known of a column.
type column struct {
	name        string
	typ         string // the database's name of its type, in capitals
	scan        reflect.Type
	length      int64
	hasLength   bool
	nullable    bool
	hasNullable bool
	precision   int64
	scale       int64
	hasScale    bool

	kind      kind
	collation Collation
}

// shape is the columns of an answer.
type shape []column

// shapeOf asks the rows, as far as they tell.
func shapeOf(rows driver.Rows) shape {
	names := rows.Columns()
	s := make(shape, len(names))
	for i, name := range names {
		c := column{name: name}
		if r, ok := rows.(driver.RowsColumnTypeDatabaseTypeName); ok {
			c.typ = r.ColumnTypeDatabaseTypeName(i)
		}
		if r, ok := rows.(driver.RowsColumnTypeScanType); ok {
			c.scan = r.ColumnTypeScanType(i)
		}
		if r, ok := rows.(driver.RowsColumnTypeLength); ok {
			c.length, c.hasLength = r.ColumnTypeLength(i)
		}
		if r, ok := rows.(driver.RowsColumnTypeNullable); ok {
			c.nullable, c.hasNullable = r.ColumnTypeNullable(i)
		}
		if r, ok := rows.(driver.RowsColumnTypePrecisionScale); ok {
			c.precision, c.scale, c.hasScale = r.ColumnTypePrecisionScale(i)
		}
		s[i] = c
	}
	return s
}

// kinds adds to the columns of a source what the description knows.
func (s shape) kinds(d *Description) {
	for i := range s {
		s[i].kind, s[i].collation = kindOf(d.Engine, s[i].typ), d.collation(i, len(s), s[i].name)
	}
}

// accept refuses a source whose columns are others than those of the first one. compared are the columns whose values are
// looked at: there the types must compare alike.
func (s shape) accept(other *source, compared []bool) error {
	if len(s) != len(other.shape) {
		return &SourceError{Source: other.Name, Err: misfit("%d columns, and %d in the first source", len(other.shape), len(s))}
	}
	for i, c := range other.shape {
		switch {
		case c.name != s[i].name:
			return &SourceError{Source: other.Name, Err: misfit("column %d is %q, and %q in the first source", i, c.name, s[i].name)}
		case compared[i] && c.kind != s[i].kind:
			return &SourceError{Source: other.Name, Err: &UnmergeableError{Column: c.name, Reason: "it has the type " + c.typ + ", and " + s[i].typ + " in the first source"}}
		}
		if s[i].scan == nil {
			s[i].scan = c.scan // SQLite's types are those of the first row
		}
	}
	return nil
}

// scanType is never nil: database/sql would hand that out (go1.26, database/sql/sql.go, rowsColumnInfoSetupConnLocked).
func (c *column) scanType() reflect.Type {
	if c.scan == nil {
		return reflect.TypeFor[any]()
	}
	return c.scan
}

// become makes it a column of another type, of which nothing else is known.
func (c *column) become(typ string, k kind, scan reflect.Type) {
	*c = column{name: c.name, typ: typ, kind: k, scan: scan, nullable: true, hasNullable: true}
}
