package tables

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"gorm.io/gorm/schema"
)

// Column is a tenant column and the way from a tenant ID to its value.
type Column struct {
	Name  string        // in the database
	Table string        // the table it is in, with its schema if the model names one
	Field *schema.Field // nil for a table without a model: then the column holds text

	form     form
	bits     int  // of an integer
	size     int  // of text, in characters; 0: unlimited
	folds    bool // its declared type does not tell all strings apart
	custom   bool // the Go type converts itself (driver.Valuer, serializer), so values go through the field
	compares comparison
	quoted   atomic.Pointer[string]
}

// form is the spelling that a column demands of an ID.
type form uint8

const (
	text form = iota
	integer
	unsigned
	uuidForm
)

// newColumn reads a tenant field; every reason why it cannot be one is returned.
func newColumn(f *schema.Field) (*Column, error) {
	if f.DBName == "" {
		return nil, fmt.Errorf("field %s is marked as tenant but is no column", f.Name)
	}
	if !f.Creatable {
		return nil, fmt.Errorf("tenant field %s is not writable: remove \"->\" or \"<-:false\" from its gorm tag", f.Name)
	}
	typ := f.IndirectFieldType
	c := &Column{Name: f.DBName, Table: f.Schema.Table, Field: f}
	c.custom = f.Serializer != nil || implements[driver.Valuer](typ)
	declared := strings.ToLower(f.TagSettings["TYPE"])
	switch kind := typ.Kind(); {
	case kind == reflect.String:
		c.form, c.size = text, f.Size
		if strings.Contains(declared, "uuid") || strings.Contains(declared, "uniqueidentifier") {
			c.form = uuidForm
		} else if containsAny(declared, "int", "serial", "numeric", "decimal", "number") {
			c.form, c.bits = integer, 64
		}
		if strings.Contains(declared, "citext") {
			c.folds = true
		}
	case kind >= reflect.Int && kind <= reflect.Int64:
		c.form, c.bits = integer, typ.Bits()
	case kind >= reflect.Uint && kind <= reflect.Uint64:
		c.form, c.bits = unsigned, typ.Bits()
	case kind == reflect.Array && typ.Len() == 16 && typ.Elem().Kind() == reflect.Uint8:
		if !implements[sql.Scanner](typ) || !c.custom {
			return nil, fmt.Errorf("tenant field %s: %s is no UUID type that a database can store: it needs Scan and Value", f.Name, typ)
		}
		c.form = uuidForm
	default:
		return nil, fmt.Errorf("tenant field %s has type %s: a tenant column is a string, an integer or a UUID", f.Name, f.FieldType)
	}
	return c, nil
}

// SQLType returns a type of all databases that the column's values can be cast to without a change.
func (c *Column) SQLType() string {
	switch c.form {
	case integer, unsigned:
		return "bigint"
	case uuidForm:
		return "uuid"
	default:
		return "text"
	}
}

// implements tells whether a value of the type, or a pointer to one, is an I.
func implements[I any](typ reflect.Type) bool {
	return typ.Implements(reflect.TypeFor[I]()) || reflect.PointerTo(typ).Implements(reflect.TypeFor[I]())
}

func containsAny(s string, words ...string) bool {
	for _, w := range words {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

// Value returns what the column holds for the tenant id, as it is bound in SQL. It fails if the column cannot hold that
// ID, or holds it in another spelling, so that two IDs never meet in one value. boxed is id as an any, which most columns
// hold: a statement is spared an allocation.
func (c *Column) Value(ctx context.Context, id string, boxed any) (any, error) {
	v := boxed
	switch c.form {
	case integer:
		n, err := strconv.ParseInt(id, 10, c.bits)
		if err != nil || strconv.FormatInt(n, 10) != id {
			return nil, fmt.Errorf("column %s holds %d-bit integers, and only in their plain spelling", c.Name, c.bits)
		}
		if n == 0 {
			return nil, fmt.Errorf("column %s: 0 is what a row without a tenant has", c.Name)
		}
		if c.Field != nil && c.Field.IndirectFieldType.Kind() != reflect.String {
			v = n
		}
	case unsigned:
		n, err := strconv.ParseUint(id, 10, min(c.bits, 63)) // database/sql has no larger ones
		if err != nil || strconv.FormatUint(n, 10) != id {
			return nil, fmt.Errorf("column %s holds unsigned %d-bit integers, and only in their plain spelling", c.Name, c.bits)
		}
		if n == 0 {
			return nil, fmt.Errorf("column %s: 0 is what a row without a tenant has", c.Name)
		}
		v = n
	case uuidForm:
		if !canonicalUUID(id) {
			return nil, fmt.Errorf("column %s holds UUIDs, written as 8-4-4-4-12 lower-case digits, and not all zero", c.Name)
		}
	case text:
		if c.size > 0 && len(id) > c.size && utf8.RuneCountInString(id) > c.size {
			return nil, fmt.Errorf("column %s holds at most %d characters", c.Name, c.size)
		}
	}
	if !c.custom {
		return v, nil
	}
	return c.throughField(ctx, v)
}

// throughField converts v as GORM converts the values of the model.
func (c *Column) throughField(ctx context.Context, v any) (any, error) {
	row := reflect.New(c.Field.Schema.ModelType).Elem()
	if err := c.Field.Set(ctx, row, v); err != nil {
		return nil, fmt.Errorf("column %s: %w", c.Name, err)
	}
	out, zero := c.Field.ValueOf(ctx, row)
	if zero {
		return nil, fmt.Errorf("column %s: the ID is what a row without a tenant has", c.Name)
	}
	return out, nil
}

// Simple tells whether no database takes id for another ID of this kind, whatever its collation.
func Simple(id string) bool {
	for i := range len(id) {
		switch b := id[i]; {
		case b >= 'a' && b <= 'z', b >= '0' && b <= '9', b == '_', b == '.', b == ':', b == '-':
		default:
			return false
		}
	}
	return true
}

// MustAsk tells whether the database of a shard must be asked, with [Column.SetComparison] taking the answer, before [Column.Fits] can
// judge id: once for each column of text, for what the model takes for text may be a number in the table. If there was no
// answer, it is asked again only for IDs that need one.
func (c *Column) MustAsk(shard, id string) bool {
	if c.form != text || c.folds {
		return false
	}
	asked := c.Comparison(shard)
	return asked == Unasked || asked == Unanswered && !Simple(id)
}

// Fits reports why the database of a shard could take id for another tenant's, or nil.
func (c *Column) Fits(shard, id string) error {
	if c.form != text {
		return nil
	}
	compares := c.Comparison(shard)
	if c.folds {
		compares = Folding
	}
	switch compares {
	case Exact:
		return nil
	case Padded:
		if !strings.HasSuffix(id, " ") {
			return nil
		}
		return fmt.Errorf("column %s ignores trailing spaces", c.Name)
	case Numeric:
		if n, err := strconv.ParseInt(id, 10, 64); err == nil && n != 0 && strconv.FormatInt(n, 10) == id {
			return nil
		}
		return fmt.Errorf("column %s is a number in the database: an ID is one in its plain spelling, and not 0", c.Name)
	case UUIDs:
		if canonicalUUID(id) {
			return nil
		}
		return fmt.Errorf("column %s is a UUID in the database: an ID is one in lower-case digits", c.Name)
	case Mingling:
		if strings.Trim(id, "0123456789_.:-") == "" {
			return nil
		}
		return fmt.Errorf("column %s has the collation of a language that may take different letters for equal: give it a binary one", c.Name)
	default:
		if Simple(id) {
			return nil
		}
		return fmt.Errorf("column %s does not tell all strings apart (case, accents, spaces): there only the characters a-z 0-9 _ . : - are safe", c.Name)
	}
}

// canonicalUUID accepts the one spelling that PostgreSQL and Go's UUID types print, the nil UUID excepted.
func canonicalUUID(id string) bool {
	if len(id) != 36 {
		return false
	}
	zero := true
	for i := range len(id) {
		b := id[i]
		switch {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if b != '-' {
				return false
			}
			continue
		case b >= '0' && b <= '9', b >= 'a' && b <= 'f':
		default:
			return false
		}
		zero = zero && b == '0'
	}
	return !zero
}

// errNotLiteral is returned by Spell for a value that only the database knows.
var errNotLiteral = errors.New("not a literal")

// Spell returns the ID that the value of a row's tenant column stands for: "" for a zero value, and an error for a value
// that the program does not know, such as an SQL expression.
func Spell(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case []byte:
		return string(v), nil
	case int64:
		return spellInt(v), nil
	case driver.Valuer:
		return spellValuer(v)
	}
	rv := reflect.ValueOf(v)
	switch kind := rv.Kind(); {
	case kind == reflect.Pointer:
		if rv.IsNil() {
			return "", nil
		}
		return Spell(rv.Elem().Interface())
	case kind == reflect.String:
		return rv.String(), nil
	case rv.CanInt():
		return spellInt(rv.Int()), nil
	case rv.CanFloat() && rv.Float() == math.Trunc(rv.Float()) && math.Abs(rv.Float()) < 1<<53: // JSON has no integers
		return spellInt(int64(rv.Float())), nil
	case rv.CanUint():
		if rv.Uint() == 0 {
			return "", nil
		}
		return strconv.FormatUint(rv.Uint(), 10), nil
	}
	return "", errNotLiteral
}

func spellInt(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

func spellValuer(v driver.Valuer) (string, error) {
	rv := reflect.ValueOf(v)
	if rv.Kind() == reflect.Pointer && rv.IsNil() {
		return "", nil
	}
	if rv.Kind() == reflect.Array && rv.IsZero() {
		return "", nil
	}
	out, err := v.Value()
	if err != nil {
		return "", err
	}
	if _, again := out.(driver.Valuer); again {
		return "", errNotLiteral
	}
	s, err := Spell(out)
	if err == nil && len(s) == 16 && rv.Kind() == reflect.Array { // a UUID type that stores its bytes
		s = fmt.Sprintf("%x-%x-%x-%x-%x", s[0:4], s[4:6], s[6:8], s[8:10], s[10:16])
	}
	return s, err
}
