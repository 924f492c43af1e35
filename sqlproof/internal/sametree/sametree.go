// Package sametree compares the trees of parsers, whatever their types are.
package sametree

import (
	"reflect"
	"sync"
)

// Options say what of two trees does not count.
type Options struct {
	// Ignored are the names of fields that do not count in any struct, such as offsets.
	Ignored map[string]bool
	// Strip returns what counts of a value of the second tree: the value without what was added to it, or the zero Value
	// for one that was added as a whole. It is asked for pointers and interfaces, and for the elements of slices.
	Strip func(v reflect.Value) reflect.Value
	// Plain returns what counts of a value of either tree, such as the inside of parentheses.
	Plain func(v reflect.Value) reflect.Value
	// Leaf compares two structs that have what cannot be seen from outside, or that are to be compared in another way; it
	// does not if known is false. Nil: there are none.
	Leaf func(a, b reflect.Value) (same, known bool)
	// Types remembers which fields count, for all options with the same Ignored; nil remembers nothing.
	Types *Types
}

// Types remembers the fields of types. It may be used concurrently; the zero value is ready.
type Types struct{ fields sync.Map } // []int by reflect.Type

// fieldsOf returns the indices of the fields of a struct that count.
func (o *Options) fieldsOf(t reflect.Type) []int {
	if o.Types != nil {
		if known, ok := o.Types.fields.Load(t); ok {
			return known.([]int) //nolint:errcheck // nothing else is stored
		}
	}
	var fields []int
	for i := range t.NumField() {
		if f := t.Field(i); (f.IsExported() || f.Anonymous) && !o.Ignored[f.Name] {
			fields = append(fields, i)
		}
	}
	if o.Types != nil {
		o.Types.fields.Store(t, fields)
	}
	return fields
}

// Equal tells whether two trees are the same.
func (o *Options) Equal(a, b any) bool { return o.equal(reflect.ValueOf(a), reflect.ValueOf(b)) }

func (o *Options) equal(a, b reflect.Value) bool {
	a, b = o.plain(a), o.stripped(b)
	if !a.IsValid() || !b.IsValid() {
		return empty(a) && empty(b)
	}
	switch a.Kind() {
	case reflect.Pointer, reflect.Interface:
		if a.IsNil() || b.IsValid() && (b.Kind() == reflect.Pointer || b.Kind() == reflect.Interface) && b.IsNil() {
			return empty(a) && empty(b)
		}
		return a.Kind() == b.Kind() && a.Type() == b.Type() && o.equal(a.Elem(), b.Elem())
	case reflect.Struct:
		if a.Type() != b.Type() {
			return false
		}
		if o.Leaf != nil {
			if same, known := o.Leaf(a, b); known {
				return same
			}
		}
		return o.fields(a, b)
	case reflect.Slice, reflect.Array:
		return b.Kind() == a.Kind() && o.elements(a, b)
	case reflect.Map, reflect.Func, reflect.Chan:
		return a.Len() == 0 && b.Len() == 0 // no tree has any
	default:
		return a.Type() == b.Type() && a.Equal(b)
	}
}

// empty tells whether a value is nothing, as one is that was added as a whole and is stripped.
func empty(v reflect.Value) bool { return !v.IsValid() || v.IsZero() }

func (o *Options) plain(v reflect.Value) reflect.Value {
	if o.Plain == nil || !v.IsValid() {
		return v
	}
	return o.Plain(v)
}

// stripped takes off what was added, which can be on the inside of parentheses or on their outside.
func (o *Options) stripped(v reflect.Value) reflect.Value {
	for v.IsValid() {
		was := v
		v = o.plain(v)
		if v.IsValid() {
			v = o.Strip(v)
		}
		if v == was { //nolint:govet // the same place in the tree, whatever is there
			return v
		}
	}
	return v
}

func (o *Options) fields(a, b reflect.Value) bool {
	for _, i := range o.fieldsOf(a.Type()) {
		if !o.equal(a.Field(i), b.Field(i)) {
			return false
		}
	}
	return true
}

// elements compares two lists; elements of the second that were added do not count.
func (o *Options) elements(a, b reflect.Value) bool {
	j := 0
	for i := range b.Len() {
		if v := o.stripped(b.Index(i)); !v.IsValid() {
			continue
		}
		if j == a.Len() || !o.equal(a.Index(j), b.Index(i)) {
			return false
		}
		j++
	}
	return j == a.Len()
}
