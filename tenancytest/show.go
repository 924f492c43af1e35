package tenancytest

import (
	"database/sql/driver"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

// show prints what a case returns, so that two runs can be compared: structs field by field without zero values, lists of
// structs sorted, new keys and times by those words, errors by their text.
func (c *trial) show(v any) string {
	if err, ok := v.(error); ok {
		return "error: " + err.Error()
	}
	return c.showValue(reflect.ValueOf(v))
}

func (c *trial) showValue(v reflect.Value) string {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			return "nil"
		}
		if err, ok := reflect.TypeAssert[error](v); ok {
			return "error: " + err.Error()
		}
		v = v.Elem()
	}
	if !v.IsValid() {
		return "nil"
	}
	switch x := v.Interface().(type) {
	case time.Time:
		return "time"
	case driver.Valuer:
		plain, err := x.Value()
		if _, isTime := plain.(time.Time); isTime {
			return "time"
		}
		return fmt.Sprint(plain, err)
	case []byte:
		return string(x)
	}
	switch v.Kind() {
	case reflect.Struct:
		return c.showStruct(v)
	case reflect.Slice, reflect.Array:
		return c.showList(v)
	case reflect.Map:
		return c.showMap(v)
	}
	return known(v.Interface(), fmt.Sprint(v.Interface()))
}

func (c *trial) showStruct(v reflect.Value) string {
	var fields []string
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.IsExported() && !v.Field(i).IsZero() {
			fields = append(fields, f.Name+": "+c.showValue(v.Field(i)))
		}
	}
	return "{" + strings.Join(fields, ", ") + "}"
}

func (c *trial) showList(v reflect.Value) string {
	lines := make([]string, v.Len())
	for i := range lines {
		lines[i] = c.showValue(v.Index(i))
	}
	switch elem := v.Type().Elem(); {
	case elem.Kind() == reflect.Struct, elem.Kind() == reflect.Pointer, elem.Kind() == reflect.Map:
		slices.Sort(lines)
	}
	return "[" + strings.Join(lines, "\n ") + "]"
}

func (c *trial) showMap(v reflect.Value) string {
	lines := make([]string, 0, v.Len())
	for _, key := range v.MapKeys() {
		lines = append(lines, fmt.Sprint(key)+": "+c.showValue(v.MapIndex(key)))
	}
	slices.Sort(lines)
	return "{" + strings.Join(lines, ", ") + "}"
}
