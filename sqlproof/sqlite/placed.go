package sqlite

import (
	"reflect"

	"github.com/sqlc-dev/meyer/ast"

	"github.com/gormtenancy/tenancy/sqlproof"
	"github.com/gormtenancy/tenancy/sqlproof/internal/sametree"
)

// Placed implements [sqlproof.Analyzer].
func (a analyzer) Placed(before, now *sqlproof.Statement, schema, suffix string) bool {
	o := sametree.Options{Ignored: map[string]bool{"Span": true, "Number": true}}
	o.Strip = func(v reflect.Value) reflect.Value { return v }
	o.Leaf = func(x, y reflect.Value) (same, known bool) {
		if !x.CanAddr() || !y.CanAddr() || x.Type() != y.Type() {
			return false, false
		}
		if column, ok := reflect.TypeAssert[*ast.QualifiedRef](x.Addr()); ok {
			return sameColumn(column, y.Addr().Interface(), suffix)
		}
		name, alias := nameAndAlias(x)
		placed, placedAlias := nameAndAlias(y)
		if name == nil || placed == nil || name.Schema != nil || placed.Schema != nil || suffix == "" || schema != "" ||
			placed.Name.Name != name.Name.Name+suffix {
			return false, false // it must be the same
		}
		// The table of before with the name of now, and with the alias if it has none.
		as := reflect.New(x.Type()).Elem()
		as.Set(x)
		as.FieldByName(nameField(x)).Set(reflect.ValueOf(placed))
		if alias == nil && placedAlias != nil && placedAlias.Name == name.Name.Name {
			as.FieldByName("Alias").Set(reflect.ValueOf(placedAlias))
			if f := as.FieldByName("HasAs"); f.IsValid() {
				f.SetBool(true)
			}
		}
		return o.Equal(as.Addr().Interface(), y.Addr().Interface()), true
	}
	return o.Equal(before.Tree, now.Tree)
}

// nameField returns which field has the name of a table.
func nameField(v reflect.Value) string {
	if v.Type() == reflect.TypeFor[ast.TableRef]() {
		return "Name"
	}
	return "Table"
}

// nameAndAlias returns those of a part of the tree that names a table; nil if it does not.
func nameAndAlias(v reflect.Value) (name *ast.QualifiedName, alias *ast.Ident) {
	switch n := v.Addr().Interface().(type) {
	case *ast.TableRef:
		return n.Name, n.Alias
	case *ast.InsertStmt:
		return n.Table, n.Alias
	case *ast.UpdateStmt:
		return n.Table, n.Alias
	case *ast.DeleteStmt:
		return n.Table, n.Alias
	}
	return nil, nil
}

// sameColumn tells whether a column is the same but for the suffix of its table.
func sameColumn(x *ast.QualifiedRef, now any, suffix string) (same, known bool) {
	y, ok := now.(*ast.QualifiedRef)
	if !ok || len(x.Parts) != 2 || len(y.Parts) != 2 || suffix == "" {
		return false, false
	}
	if y.Parts[0].Name != x.Parts[0].Name+suffix {
		return false, false // it must be the same
	}
	return y.Parts[1].Name == x.Parts[1].Name, true
}
