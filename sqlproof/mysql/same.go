package mysql

import (
	"bytes"
	"reflect"

	"github.com/sqlc-dev/marino/ast"
	"github.com/sqlc-dev/marino/opcode"
	"github.com/sqlc-dev/marino/types"

	"github.com/gormtenancy/tenancy/sqlproof"
	"github.com/gormtenancy/tenancy/sqlproof/internal/sametree"
)

// Same implements [sqlproof.Analyzer].
func (a analyzer) Same(before, now *sqlproof.Statement, added []sqlproof.Span) bool {
	if s, ok := now.Tree.(*ast.InsertStmt); ok && len(s.ColumnAliases) > 0 && len(s.ColumnAliases) != len(s.Columns) {
		return false // "AS new (a, b)" names the columns, and would have to name one more
	}
	c := comparer{added: added}
	c.Options = sametree.Options{Strip: c.strip, Plain: plain, Leaf: c.leaf, Types: a.types}
	return c.Equal(before.Tree, now.Tree)
}

// comparer compares a tree with another to which something was added.
type comparer struct {
	sametree.Options
	added []sqlproof.Span
}

// in tells whether a place is in what was added.
func (c *comparer) in(at int) bool {
	for _, s := range c.added {
		if at >= s.Start && at < s.End {
			return true
		}
	}
	return false
}

// plain returns what is in parentheses.
func plain(v reflect.Value) reflect.Value {
	for v.Kind() == reflect.Interface && !v.IsNil() {
		p, ok := reflect.TypeAssert[*ast.ParenthesesExpr](v)
		if !ok {
			break
		}
		v = reflect.ValueOf(&p.Expr).Elem()
	}
	return v
}

// strip takes off what was added to a node.
func (c *comparer) strip(v reflect.Value) reflect.Value {
	if v.Kind() != reflect.Interface && v.Kind() != reflect.Pointer || v.IsNil() {
		return v
	}
	at := 0
	switch n := v.Interface().(type) {
	case *ast.BinaryOperationExpr:
		if n.Op == opcode.LogicAnd {
			switch left, right := c.in(position(n.L)), c.in(position(n.R)); {
			case left && !right:
				return reflect.ValueOf(&n.R).Elem()
			case right && !left:
				return reflect.ValueOf(&n.L).Elem()
			}
		}
		at = n.OriginTextPosition()
	case *ast.TableSource:
		return c.unwrapped(n, v)
	case *ast.SelectField:
		at = n.Offset
	case *ast.ColumnName:
		at = n.OriginTextPosition()
	case ast.ExprNode:
		at = n.OriginTextPosition()
	}
	if c.in(at) {
		return reflect.Value{}
	}
	return v
}

// position returns where an expression stands, without parentheses around it.
func position(e ast.ExprNode) int {
	for {
		p, ok := e.(*ast.ParenthesesExpr)
		if !ok {
			return e.OriginTextPosition()
		}
		e = p.Expr
	}
}

// unwrapped makes the table again of (SELECT * FROM table WHERE …) AS alias.
func (c *comparer) unwrapped(n *ast.TableSource, v reflect.Value) reflect.Value {
	q, ok := n.Source.(*ast.SelectStmt)
	if !ok || q.Kind != ast.SelectStmtKindSelect || q.From == nil || !c.in(q.Fields.Fields[0].Offset) {
		return v
	}
	inner, ok := q.From.TableRefs.Left.(*ast.TableSource)
	if !ok || q.From.TableRefs.Right != nil {
		return v
	}
	name, ok := inner.Source.(*ast.TableName)
	if !ok || inner.AsName.O != "" || c.in(name.OriginTextPosition()) {
		return v
	}
	table := *n
	table.Source = name
	var set ast.ResultSetNode = &table
	return reflect.ValueOf(&set).Elem()
}

// leaf compares what has parts that cannot be seen from outside, or that tell of places.
func (c *comparer) leaf(a, b reflect.Value) (same, known bool) {
	if !a.CanAddr() || !b.CanAddr() || !a.CanInterface() {
		return false, false
	}
	switch x := a.Addr().Interface().(type) {
	case *ast.CIStr:
		y, ok := reflect.TypeAssert[*ast.CIStr](b.Addr())
		return ok && x.O == y.O, true
	case *types.FieldType:
		y, ok := reflect.TypeAssert[*types.FieldType](b.Addr())
		return ok && x.Equal(y), true
	case *ast.ParamMarkerExprBase:
		return true, true
	case *ast.ValueExprBase:
		y, ok := reflect.TypeAssert[*ast.ValueExprBase](b.Addr())
		return ok && sameValue(x, y), true
	case *ast.SelectField:
		y, ok := reflect.TypeAssert[*ast.SelectField](b.Addr())
		return ok && x.AsName.O == y.AsName.O && c.Equal(&x.Expr, &y.Expr) && c.Equal(x.WildCard, y.WildCard), true
	case *ast.TableSource:
		y, ok := reflect.TypeAssert[*ast.TableSource](b.Addr())
		return ok && called(x) == called(y) && x.Lateral == y.Lateral && c.Equal(&x.ColumnNames, &y.ColumnNames) &&
			c.Equal(&x.Source, &y.Source), true
	}
	return false, false
}

// called returns the name by which a source goes: its alias, which a table that is wrapped has, or its own.
func called(s *ast.TableSource) string {
	if n, ok := s.Source.(*ast.TableName); ok && s.AsName.O == "" {
		return n.Name.O
	}
	return s.AsName.O
}

func sameValue(a, b *ast.ValueExprBase) bool {
	if a.Kind() != b.Kind() {
		return false
	}
	if a.Kind() == ast.KindMysqlDecimal {
		return a.GetMysqlDecimal().String() == b.GetMysqlDecimal().String()
	}
	return a.GetInt64() == b.GetInt64() && bytes.Equal(a.GetBytes(), b.GetBytes())
}
