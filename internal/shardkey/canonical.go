package shardkey

import (
	"database/sql/driver"
	"math"
	"reflect"
	"time"
)

// deepest is how many pointers and Value methods are followed: a Value method can return its own receiver.
const deepest = 8

// Canonical returns the key that v is, as int64, uint64 (only above the maximum of int64), string, [16]byte, []byte or
// time.Time. It is its own canonical form. The errors are [ErrMissing], [*TypeError] and [*ValueError].
func Canonical(v any) (any, error) {
	switch v.(type) {
	case int64, string, [16]byte:
		return v, nil // it need not be boxed again
	}
	k, err := Of(v)
	if err != nil {
		return nil, err
	}
	return k.Value(), nil
}

// Of returns the key that v is, with the errors of [Canonical].
func Of(v any) (Key, error) {
	given := v
	for range deepest {
		switch v := v.(type) {
		case nil:
			return Key{}, ErrMissing
		case int64:
			return ofInt(v), nil
		case int:
			return ofInt(int64(v)), nil
		case string:
			return Key{kind: String, text: v}, nil
		case [16]byte:
			return Key{kind: UUID, uuid: v}, nil
		case time.Time:
			return Key{kind: Time, time: v.Round(0).UTC()}, nil
		}
		rv := reflect.ValueOf(v)
		if rv.Kind() == reflect.Pointer {
			if rv.IsNil() {
				return Key{}, ErrMissing
			}
			// A pointer has the methods of what it points to. They are asked there, where a UUID is known as one.
			if elem := rv.Type().Elem(); !rv.Type().Implements(valuer()) || elem.Implements(valuer()) {
				v = rv.Elem().Interface()
				continue
			}
		}
		if isUUID(rv.Type()) {
			return ofUUID(rv), nil
		}
		asked, ok := v.(driver.Valuer)
		if !ok {
			return ofKind(rv)
		}
		if uuid, valid, ok := nullable(rv); ok {
			if !valid {
				return Key{}, ErrMissing
			}
			return ofUUID(uuid), nil
		}
		value, err := asked.Value()
		if err != nil {
			return Key{}, &ValueError{Type: rv.Type(), Err: err}
		}
		v = value
	}
	return Key{}, &TypeError{Type: reflect.TypeOf(given)}
}

// ofKind returns the key that a value is by its kind, whatever the name of its type.
func ofKind(v reflect.Value) (Key, error) {
	switch v.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return ofInt(v.Int()), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return Key{kind: Integer, number: v.Uint(), large: v.Uint() > math.MaxInt64}, nil
	case reflect.String:
		return Key{kind: String, text: v.String()}, nil
	case reflect.Slice:
		if v.Type().Elem().Kind() != reflect.Uint8 {
			break
		}
		if v.IsNil() {
			return Key{}, ErrMissing
		}
		return Key{kind: Bytes, bytes: v.Bytes()}, nil
	}
	return Key{}, &TypeError{Type: v.Type()}
}

func ofInt(n int64) Key {
	return Key{kind: Integer, number: uint64(n)} //nolint:gosec // signed takes the bits back
}

func ofUUID(v reflect.Value) Key {
	k := Key{kind: UUID}
	for i := range k.uuid {
		k.uuid[i] = byte(v.Index(i).Uint()) //nolint:gosec // its kind is uint8
	}
	return k
}

// nullable takes a UUID that can be NULL apart; ok is false if v is none.
func nullable(v reflect.Value) (uuid reflect.Value, valid, ok bool) {
	if v.Kind() != reflect.Struct || v.NumField() != 2 || !isUUID(v.Type().Field(0).Type) {
		return v, false, false
	}
	flag := v.FieldByName("Valid")
	if flag.Kind() != reflect.Bool {
		return v, false, false
	}
	return v.Field(0), flag.Bool(), true
}

func isUUID(t reflect.Type) bool {
	return t.Kind() == reflect.Array && t.Len() == 16 && t.Elem().Kind() == reflect.Uint8
}

func valuer() reflect.Type { return reflect.TypeFor[driver.Valuer]() }
