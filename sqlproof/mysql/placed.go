package mysql

import (
	"reflect"

	"github.com/sqlc-dev/marino/ast"

	"github.com/gormtenancy/tenancy/sqlproof"
	"github.com/gormtenancy/tenancy/sqlproof/internal/sametree"
)

// Placed implements [sqlproof.Analyzer].
func (a analyzer) Placed(before, now *sqlproof.Statement, schema, suffix string) bool {
	c := placedComparer{schema: schema, suffix: suffix}
	c.Options = sametree.Options{Strip: func(v reflect.Value) reflect.Value { return v }, Plain: plain, Leaf: c.leaf, Types: a.types}
	return c.Equal(before.Tree, now.Tree)
}

// placedComparer compares a tree with another in which tables are placed.
type placedComparer struct {
	comparer
	schema, suffix string
}

// leaf compares tables, and the qualifiers of columns, and leaves all else to [comparer.leaf].
func (c *placedComparer) leaf(a, b reflect.Value) (same, known bool) {
	if !a.CanAddr() || !b.CanAddr() || !a.CanInterface() {
		return false, false
	}
	switch x := a.Addr().Interface().(type) {
	case *ast.TableSource:
		y, ok := reflect.TypeAssert[*ast.TableSource](b.Addr())
		return ok && x.Lateral == y.Lateral && c.Equal(&x.ColumnNames, &y.ColumnNames) && c.Equal(&x.Source, &y.Source) &&
			(x.AsName.O == y.AsName.O || x.AsName.O == "" && c.isOwn(x.Source, y)), true
	case *ast.TableName:
		y, ok := reflect.TypeAssert[*ast.TableName](b.Addr())
		return ok && (x.Schema.O == y.Schema.O && x.Name.O == y.Name.O || c.isPlaced(x, y)) &&
			c.Equal(x.IndexHints, y.IndexHints) && c.Equal(x.PartitionNames, y.PartitionNames) &&
			c.Equal(x.TableSample, y.TableSample) && c.Equal(x.AsOf, y.AsOf), true
	case *ast.ColumnName:
		y, ok := reflect.TypeAssert[*ast.ColumnName](b.Addr())
		return ok && x.Schema.O == y.Schema.O && x.Name.O == y.Name.O && c.qualifies(x.Table.O, y.Table.O), true
	}
	return c.comparer.leaf(a, b)
}

func (c *placedComparer) isPlaced(x, y *ast.TableName) bool {
	return x.Schema.O == "" && y.Schema.O == c.schema && y.Name.O == x.Name.O+c.suffix
}

// isOwn tells whether the alias of a table that is placed is its old name.
func (c *placedComparer) isOwn(source ast.ResultSetNode, now *ast.TableSource) bool {
	x, ok := source.(*ast.TableName)
	if !ok {
		return false
	}
	y, ok := now.Source.(*ast.TableName)
	return ok && c.isPlaced(x, y) && now.AsName.O == x.Name.O
}

func (c *placedComparer) qualifies(before, now string) bool {
	return before == now || before != "" && c.suffix != "" && now == before+c.suffix
}
