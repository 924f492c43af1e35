package postgres

import (
	"reflect"

	"github.com/sqlc-dev/oliphant/ast"

	"github.com/gormtenancy/tenancy/sqlproof"
	"github.com/gormtenancy/tenancy/sqlproof/internal/sametree"
)

// Placed implements [sqlproof.Analyzer].
func (a analyzer) Placed(before, now *sqlproof.Statement, schema, suffix string) bool {
	o := sametree.Options{Ignored: a.positions, Types: a.types}
	o.Strip = func(v reflect.Value) reflect.Value { return v }
	o.Leaf = func(x, y reflect.Value) (same, known bool) {
		if !x.CanAddr() || !y.CanAddr() {
			return false, false
		}
		table, ok := reflect.TypeAssert[*ast.RangeVar](x.Addr())
		if !ok {
			return false, false
		}
		placed, ok := reflect.TypeAssert[*ast.RangeVar](y.Addr())
		if !ok || placed.Schemaname != schema || placed.Relname != table.Relname+suffix || table.Schemaname != "" {
			return false, false // it must be the same
		}
		return table.Catalogname == placed.Catalogname && table.Inh == placed.Inh && table.Relpersistence == placed.Relpersistence &&
			(table.Alias == nil && isOwn(placed.Alias, table.Relname, suffix) || o.Equal(table.Alias, placed.Alias)), true
	}
	return o.Equal(before.Tree, now.Tree)
}

// isOwn tells whether an alias is the old name of a table that has got a suffix.
func isOwn(alias *ast.Alias, name, suffix string) bool {
	return suffix != "" && alias.GetAliasname() == name && len(alias.GetColnames()) == 0
}
