package sqlite

import (
	"reflect"

	"github.com/sqlc-dev/meyer/ast"

	"github.com/gormtenancy/tenancy/sqlproof"
	"github.com/gormtenancy/tenancy/sqlproof/internal/sametree"
)

// Same implements [sqlproof.Analyzer].
func (analyzer) Same(before, now *sqlproof.Statement, added []sqlproof.Span) bool {
	in := func(n ast.Node) bool {
		at := n.Pos()
		for _, s := range added {
			if at >= s.Start && at < s.End {
				return true
			}
		}
		return false
	}
	o := sametree.Options{
		Ignored: map[string]bool{"Span": true, "Number": true},
		Plain: func(v reflect.Value) reflect.Value {
			for v.Kind() == reflect.Interface && !v.IsNil() {
				p, ok := reflect.TypeAssert[*ast.ParenExpr](v)
				if !ok {
					break
				}
				v = reflect.ValueOf(p).Elem().FieldByName("X")
			}
			return v
		},
		Strip: func(v reflect.Value) reflect.Value { return strip(v, in) },
	}
	return o.Equal(before.Tree, now.Tree)
}

// strip takes off what was added to a node.
func strip(v reflect.Value, in func(ast.Node) bool) reflect.Value {
	if v.Kind() != reflect.Interface && v.Kind() != reflect.Pointer || v.IsNil() {
		return v
	}
	switch n := v.Interface().(type) {
	case *ast.BinaryExpr:
		if n.Op == ast.OpAnd && v.Kind() == reflect.Interface {
			switch left, right := in(bare(n.X)), in(bare(n.Y)); {
			case left && !right:
				return reflect.ValueOf(n).Elem().FieldByName("Y")
			case right && !left:
				return reflect.ValueOf(n).Elem().FieldByName("X")
			}
		}
	case *ast.TableRef:
		if n.Select != nil && in(n.Select) {
			return reflect.ValueOf(unwrapped(n, in))
		}
		return v
	}
	if n, ok := reflect.TypeAssert[ast.Node](v); ok && in(n) {
		return reflect.Value{}
	}
	return v
}

// bare returns an expression without parentheses around it.
func bare(e ast.Expr) ast.Expr {
	for {
		p, ok := e.(*ast.ParenExpr)
		if !ok {
			return e
		}
		e = p.X
	}
}

// unwrapped makes the table again of (SELECT * FROM table WHERE …) AS alias.
func unwrapped(n *ast.TableRef, in func(ast.Node) bool) *ast.TableRef {
	q, ok := n.Select.Cores[0].(*ast.SelectQuery)
	if !ok || len(n.Select.Cores) != 1 || len(q.From) != 1 || q.From[0].Name == nil || in(q.From[0].Name) {
		return n
	}
	table := *n
	table.Select, table.Name = nil, q.From[0].Name
	if table.Alias != nil && in(table.Alias) {
		table.Alias, table.HasAs = nil, false
	}
	return &table
}
