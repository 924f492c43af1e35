package rowsecurity

import (
	"database/sql/driver"
	"fmt"
	"io"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// rows gives database/sql the rows of a reply, with the values and the column types that pgx's own driver has.
// Source: pgx v5.11.0 stdlib/sql.go Rows.
type rows struct {
	lease  *lease
	reply  *reply
	types  *pgtype.Map
	names  []string
	values []func(src []byte) (driver.Value, error)

	ahead, more bool // a row has been read ahead; it was there
}

var (
	_ driver.RowsColumnTypeDatabaseTypeName = (*rows)(nil)
	_ driver.RowsColumnTypeLength           = (*rows)(nil)
	_ driver.RowsColumnTypePrecisionScale   = (*rows)(nil)
	_ driver.RowsColumnTypeScanType         = (*rows)(nil)
)

func (r *rows) field(i int) pgconn.FieldDescription { return r.reply.result.FieldDescriptions()[i] }

// Columns implements driver.Rows.
func (r *rows) Columns() []string {
	if r.names == nil {
		fields := r.reply.result.FieldDescriptions()
		r.names = make([]string, len(fields))
		for i := range fields {
			r.names[i] = fields[i].Name
		}
	}
	return r.names
}

// Next implements driver.Rows.
func (r *rows) Next(dest []driver.Value) error {
	more := r.more
	if !r.ahead {
		more = r.reply.next()
	}
	r.ahead = false
	if !more {
		if r.reply.err != nil {
			return r.reply.err
		}
		return io.EOF
	}
	if r.values == nil {
		fields := r.reply.result.FieldDescriptions()
		r.values = make([]func([]byte) (driver.Value, error), len(fields))
		for i := range fields {
			r.values[i] = reads(r.types, fields[i])
		}
	}
	for i, src := range r.reply.result.Values() {
		if src == nil {
			dest[i] = nil
			continue
		}
		var err error
		if dest[i], err = r.values[i](src); err != nil {
			return fmt.Errorf("convert field %d failed: %w", i, err)
		}
	}
	return nil
}

// Close implements driver.Rows.
func (r *rows) Close() error {
	if r.lease == nil {
		return r.reply.err
	}
	_, err := r.reply.close()
	r.lease.release()
	r.lease = nil
	return err
}

// ColumnTypeDatabaseTypeName implements driver.RowsColumnTypeDatabaseTypeName.
func (r *rows) ColumnTypeDatabaseTypeName(i int) string {
	oid := r.field(i).DataTypeOID
	if t, ok := r.types.TypeForOID(oid); ok {
		return strings.ToUpper(t.Name)
	}
	return strconv.FormatInt(int64(oid), 10)
}

// header is the size of what stands in front of a value of variable length, and is part of its type's modifier.
const header = 4

// ColumnTypeLength implements driver.RowsColumnTypeLength.
func (r *rows) ColumnTypeLength(i int) (int64, bool) {
	f := r.field(i)
	switch f.DataTypeOID {
	case pgtype.TextOID, pgtype.ByteaOID:
		return math.MaxInt64, true
	case pgtype.VarcharOID, pgtype.BPCharOID:
		return int64(f.TypeModifier - header), true
	case pgtype.VarbitOID:
		return int64(f.TypeModifier), true
	default:
		return 0, false
	}
}

// ColumnTypePrecisionScale implements driver.RowsColumnTypePrecisionScale.
func (r *rows) ColumnTypePrecisionScale(i int) (precision, scale int64, ok bool) {
	f := r.field(i)
	if f.DataTypeOID != pgtype.NumericOID {
		return 0, 0, false
	}
	mod := f.TypeModifier - header
	return int64(mod >> 16 & 0xffff), int64(mod & 0xffff), true
}

// ColumnTypeScanType implements driver.RowsColumnTypeScanType.
func (r *rows) ColumnTypeScanType(i int) reflect.Type {
	switch r.field(i).DataTypeOID {
	case pgtype.Float8OID, pgtype.NumericOID:
		return reflect.TypeFor[float64]()
	case pgtype.Float4OID:
		return reflect.TypeFor[float32]()
	case pgtype.Int8OID:
		return reflect.TypeFor[int64]()
	case pgtype.Int4OID:
		return reflect.TypeFor[int32]()
	case pgtype.Int2OID:
		return reflect.TypeFor[int16]()
	case pgtype.BoolOID:
		return reflect.TypeFor[bool]()
	case pgtype.DateOID, pgtype.TimestampOID, pgtype.TimestamptzOID:
		return reflect.TypeFor[time.Time]()
	case pgtype.ByteaOID:
		return reflect.TypeFor[[]byte]()
	default:
		return reflect.TypeFor[string]()
	}
}

// reads returns what turns the bytes of a column into the value that pgx's driver has for its type.
// Source: pgx v5.11.0 stdlib/sql.go Rows.Next.
func reads(types *pgtype.Map, f pgconn.FieldDescription) func(src []byte) (driver.Value, error) {
	switch f.DataTypeOID {
	case pgtype.BoolOID:
		return scans(types, f, func(v *bool) (driver.Value, error) { return *v, nil })
	case pgtype.ByteaOID, pgtype.JSONOID, pgtype.JSONBOID, pgtype.XMLOID:
		return scans(types, f, func(v *[]byte) (driver.Value, error) { return *v, nil })
	case pgtype.CIDOID, pgtype.OIDOID, pgtype.XIDOID:
		return scans(types, f, func(v *pgtype.Uint32) (driver.Value, error) { return v.Value() })
	case pgtype.DateOID:
		return scans(types, f, func(v *pgtype.Date) (driver.Value, error) { return v.Value() })
	case pgtype.Float4OID:
		return scans(types, f, func(v *float32) (driver.Value, error) { return float64(*v), nil })
	case pgtype.Float8OID:
		return scans(types, f, func(v *float64) (driver.Value, error) { return *v, nil })
	case pgtype.Int2OID:
		return scans(types, f, func(v *int16) (driver.Value, error) { return int64(*v), nil })
	case pgtype.Int4OID:
		return scans(types, f, func(v *int32) (driver.Value, error) { return int64(*v), nil })
	case pgtype.Int8OID:
		return scans(types, f, func(v *int64) (driver.Value, error) { return *v, nil })
	case pgtype.TimestampOID:
		return scans(types, f, func(v *pgtype.Timestamp) (driver.Value, error) { return v.Value() })
	case pgtype.TimestamptzOID:
		return scans(types, f, func(v *pgtype.Timestamptz) (driver.Value, error) { return v.Value() })
	default:
		return scans(types, f, func(v *string) (driver.Value, error) { return *v, nil })
	}
}

func scans[T any](types *pgtype.Map, f pgconn.FieldDescription, value func(*T) (driver.Value, error)) func(src []byte) (driver.Value, error) {
	var v T
	plan := types.PlanScan(f.DataTypeOID, f.Format, &v)
	return func(src []byte) (driver.Value, error) {
		if err := plan.Scan(src, &v); err != nil {
			return nil, err
		}
		return value(&v)
	}
}
