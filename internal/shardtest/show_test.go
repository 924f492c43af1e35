package shardtest

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

// show writes a value so that equal ones are equal texts, with its type where it was scanned into any.
func show(v reflect.Value) string {
	if !v.IsValid() {
		return "nil"
	}
	if v.CanInterface() {
		switch x := v.Interface().(type) {
		case time.Time:
			return x.UTC().Format(time.RFC3339Nano)
		case []byte:
			if x == nil {
				return "nil"
			}
			return fmt.Sprintf("b%q", x)
		}
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return "nil"
		}
		return show(v.Elem())
	case reflect.Interface:
		if v.IsNil() {
			return "nil"
		}
		if at, ok := reflect.TypeAssert[time.Time](v.Elem()); ok { // SQLite gives a text or a time, by the type of the first row
			return fmt.Sprintf("string(%q)", at.UTC().Format(time.RFC3339Nano))
		}
		return v.Elem().Type().String() + "(" + show(v.Elem()) + ")"
	case reflect.String:
		return fmt.Sprintf("%q", v.String())
	case reflect.Struct:
		var fields []string
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && !v.Field(i).IsZero() {
				fields = append(fields, f.Name+":"+show(v.Field(i)))
			}
		}
		return "{" + strings.Join(fields, " ") + "}"
	case reflect.Slice: // of preloaded rows, which have no order
		items := make([]string, v.Len())
		for i := range items {
			items[i] = show(v.Index(i))
		}
		slices.Sort(items)
		return "[" + strings.Join(items, " ") + "]"
	case reflect.Map:
		var items []string
		for _, k := range v.MapKeys() {
			items = append(items, fmt.Sprint(k.Interface())+":"+show(v.MapIndex(k)))
		}
		slices.Sort(items)
		return "map[" + strings.Join(items, " ") + "]"
	default:
		return fmt.Sprint(v.Interface())
	}
}

// literal writes arguments for the text of a chain.
func literal(args ...any) string {
	out := make([]string, len(args))
	for i, a := range args {
		out[i] = strings.TrimPrefix(fmt.Sprintf("%#v", a), "int64")
		if v := reflect.ValueOf(a); v.IsValid() && (v.Kind() == reflect.Pointer || v.Kind() == reflect.Struct || v.Kind() == reflect.Map) {
			out[i] = v.Type().String() + show(v)
		}
	}
	return strings.Join(out, ", ")
}
