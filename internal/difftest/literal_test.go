package difftest

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

// code writes a value as Go source, for the text of a chain.
func code(v any) string { return codeOf(reflect.ValueOf(v)) }

func codeOf(v reflect.Value) string {
	if !v.IsValid() {
		return "nil"
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return "nil"
		}
		if v.Elem().Kind() != reflect.Struct && v.Elem().Kind() != reflect.Slice {
			return "ptr(" + codeOf(v.Elem()) + ")"
		}
		return "&" + codeOf(v.Elem())
	case reflect.Interface:
		return codeOf(v.Elem())
	case reflect.String:
		return fmt.Sprintf("%q", v.String())
	case reflect.Struct:
		var fields []string
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && !v.Field(i).IsZero() {
				fields = append(fields, f.Name+": "+codeOf(v.Field(i)))
			}
		}
		return typeName(v.Type()) + "{" + strings.Join(fields, ", ") + "}"
	case reflect.Slice:
		items := make([]string, v.Len())
		for i := range items {
			items[i] = codeOf(v.Index(i))
		}
		return typeName(v.Type()) + "{" + strings.Join(items, ", ") + "}"
	case reflect.Map:
		var items []string
		for _, k := range v.MapKeys() {
			items = append(items, codeOf(k)+": "+codeOf(v.MapIndex(k)))
		}
		slices.Sort(items)
		return typeName(v.Type()) + "{" + strings.Join(items, ", ") + "}"
	default:
		return fmt.Sprint(v.Interface())
	}
}

func typeName(t reflect.Type) string {
	return strings.ReplaceAll(strings.ReplaceAll(t.String(), "difftest.", ""), "interface {}", "any")
}

// show writes a result so that equal results are equal texts. Lists inside of it have no order: GORM gives preloaded rows
// none. Maps are shown without the tenant column, which the plugin does not add to the caller's.
func show(v any) string { return showValue(reflect.ValueOf(v), 0) }

func showValue(v reflect.Value, depth int) string {
	if !v.IsValid() {
		return "nil"
	}
	if depth > 12 {
		return "…"
	}
	if v.CanInterface() {
		switch x := v.Interface().(type) {
		case time.Time:
			return x.UTC().Format(time.RFC3339Nano)
		case []byte:
			return string(x)
		}
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return "nil"
		}
		return showValue(v.Elem(), depth+1)
	case reflect.Struct:
		var b strings.Builder
		b.WriteString("{")
		for i := range v.NumField() {
			if !v.Type().Field(i).IsExported() || v.Field(i).IsZero() {
				continue
			}
			fmt.Fprintf(&b, " %s:%s", v.Type().Field(i).Name, showValue(v.Field(i), depth+1))
		}
		return b.String() + " }"
	case reflect.Slice:
		return "[" + strings.Join(showAll(v, depth, true), " ") + "]"
	case reflect.Map:
		var items []string
		for _, k := range v.MapKeys() {
			name := strings.ToLower(fmt.Sprint(k.Interface()))
			// @id is the last row that the connection has inserted, which for an upsert that updates is another statement's.
			if name != "tenant_id" && name != "tenantid" && name != "@id" {
				items = append(items, fmt.Sprint(k.Interface())+":"+showValue(v.MapIndex(k), depth+1))
			}
		}
		slices.Sort(items)
		return "map[" + strings.Join(items, " ") + "]"
	default:
		return fmt.Sprint(v.Interface())
	}
}

// showAll shows the elements of a slice, or the one thing that v is.
func showAll(v reflect.Value, depth int, sorted bool) []string {
	for v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	if v.Kind() != reflect.Slice || v.Type().Elem().Kind() == reflect.Uint8 {
		return []string{showValue(v, depth)}
	}
	items := make([]string, v.Len())
	for i := range items {
		items[i] = showValue(v.Index(i), depth+1)
	}
	if sorted {
		slices.Sort(items)
	}
	return items
}
