package postgres

import (
	"github.com/sqlc-dev/oliphant/ast"

	"github.com/gormtenancy/tenancy/sqlproof"
)

// from reads a list of sources with commas between them, each of which can be a tree of joins.
func (r *reader) from(list []*ast.Node, b *sqlproof.Block) *sqlproof.Join {
	var tree *sqlproof.Join
	for _, n := range list {
		tree = r.Join(sqlproof.Inner, tree, r.source(n, b))
	}
	return tree
}

// source reads one item of FROM.
func (r *reader) source(n *ast.Node, b *sqlproof.Block) *sqlproof.Join {
	switch t := n.GetNode().(type) {
	case *ast.Node_RangeVar:
		return r.Leaf(r.table(t.RangeVar, b))
	case *ast.Node_RangeTableSample:
		return r.sample(t.RangeTableSample, b)
	case *ast.Node_JoinExpr:
		return r.join(t.JoinExpr, b)
	case *ast.Node_RangeSubselect:
		query := r.subquery(t.RangeSubselect.Subquery, b, t.RangeSubselect.Lateral)
		s := r.Derived(b, query, t.RangeSubselect.Alias.GetAliasname())
		s.Renamed = renamed(t.RangeSubselect.Alias)
		return r.Leaf(s)
	case *ast.Node_RangeFunction:
		return r.functions(t.RangeFunction, b)
	case *ast.Node_RangeTableFunc:
		return r.xmlTable(t.RangeTableFunc, b)
	case *ast.Node_JsonTable:
		return r.jsonTable(t.JsonTable, b)
	}
	r.Unknown(-1, "an item of FROM")
	return r.Leaf(r.Rows(b, "", "", -1))
}

func renamed(a *ast.Alias) bool { return len(a.GetColnames()) > 0 }

func (r *reader) table(v *ast.RangeVar, b *sqlproof.Block) *sqlproof.Source {
	s := r.Table(b, v.Schemaname, v.Relname, v.Alias.GetAliasname(), r.named(v))
	s.Fixed = !v.Inh // ONLY is for tables
	s.Renamed = renamed(v.Alias)
	return s
}

// target adds the table that a statement writes to.
func (r *reader) target(v *ast.RangeVar, b *sqlproof.Block) *sqlproof.Source {
	return r.Target(b, v.GetSchemaname(), v.GetRelname(), v.GetAlias().GetAliasname(), r.named(v))
}

// named returns where the name of a table stands.
func (r *reader) named(v *ast.RangeVar) sqlproof.Span {
	if v == nil || v.Catalogname != "" {
		r.Fail(int(v.GetLocation()), "a table of another database", "write its name with no more than a schema")
		return sqlproof.Span{}
	}
	if v.Schemaname != "" {
		return r.NameSpan(int(v.Location), 2)
	}
	return r.NameSpan(int(v.Location), 1)
}

// sample reads TABLESAMPLE, which is for tables and so cannot stand behind a subquery.
func (r *reader) sample(t *ast.RangeTableSample, b *sqlproof.Block) *sqlproof.Join {
	r.Claim(int(t.Location))
	v, ok := t.Relation.GetNode().(*ast.Node_RangeVar)
	if !ok {
		r.Unknown(int(t.Location), "TABLESAMPLE of what is no table")
		return r.Leaf(r.Rows(b, "", "", -1))
	}
	s := r.table(v.RangeVar, b)
	s.Fixed = true
	r.exprs(t.Args, b)
	r.expr(t.Repeatable, b)
	return r.Leaf(s)
}

func (r *reader) join(t *ast.JoinExpr, b *sqlproof.Block) *sqlproof.Join {
	if !r.enter() {
		return r.Leaf(r.Rows(b, "", "", -1))
	}
	defer r.leave()
	kind := sqlproof.Inner
	switch t.Jointype {
	case ast.JoinType_JOIN_INNER:
	case ast.JoinType_JOIN_LEFT:
		kind = sqlproof.Left
	case ast.JoinType_JOIN_RIGHT:
		kind = sqlproof.Right
	case ast.JoinType_JOIN_FULL:
		kind = sqlproof.Full
	default:
		r.Unknown(-1, "a join")
	}
	left := r.source(t.Larg, b)
	j := r.Join(kind, left, r.source(t.Rarg, b))
	j.Natural = t.IsNatural
	for _, n := range t.UsingClause {
		j.Using = append(j.Using, n.GetString_().GetSval())
	}
	j.Alias, j.Merged = t.Alias.GetAliasname(), t.JoinUsingAlias.GetAliasname()
	if t.Quals != nil {
		on := r.expr(t.Quals, b)
		r.On(j, on, on.At)
	}
	return j
}

// functions reads functions that return rows: one, or those of ROWS FROM.
func (r *reader) functions(f *ast.RangeFunction, b *sqlproof.Block) *sqlproof.Join {
	alias := f.Alias.GetAliasname()
	r.columns(f.Coldeflist, b)
	var leaf *sqlproof.Join
	for _, n := range f.Functions {
		pair := n.GetList().GetItems() // the function, and its list of columns or nil
		if len(pair) != 2 {
			r.Unknown(-1, "a function in FROM")
			break
		}
		name, at := "", -1
		if call, ok := pair[0].GetNode().(*ast.Node_FuncCall); ok {
			var schema string
			schema, name = r.function(call.FuncCall)
			at = int(call.FuncCall.Location)
			if schema != "" {
				r.Unknown(at, "a function in FROM with a schema")
			}
		}
		r.expr(pair[0], b)
		r.columns(pair[1].GetList().GetItems(), b)
		s := r.Rows(b, name, alias, at)
		if alias = ""; leaf == nil { // columns go by the alias, or by the name of the first
			leaf = r.Leaf(s)
		}
	}
	if leaf == nil {
		leaf = r.Leaf(r.Rows(b, "", alias, -1))
	}
	return leaf
}

// columns reads the columns that a function is said to return.
func (r *reader) columns(list []*ast.Node, b *sqlproof.Block) {
	for _, n := range list {
		c := n.GetColumnDef()
		if c == nil || c.RawDefault != nil || len(c.Constraints) > 0 {
			r.Unknown(-1, "a column of a function in FROM")
			return
		}
		r.Claim(int(c.Location))
		r.typeName(c.TypeName, b)
	}
}

func (r *reader) xmlTable(t *ast.RangeTableFunc, b *sqlproof.Block) *sqlproof.Join {
	r.expr(t.Rowexpr, b)
	r.expr(t.Docexpr, b)
	r.labelled(t.Namespaces, b)
	for _, n := range t.Columns {
		c := n.GetRangeTableFuncCol()
		if c == nil {
			r.Unknown(int(t.Location), "a column of XMLTABLE")
			break
		}
		r.Claim(int(c.Location))
		r.typeName(c.TypeName, b)
		r.expr(c.Colexpr, b)
		r.expr(c.Coldefexpr, b)
	}
	return r.Leaf(r.Rows(b, "xmltable", t.Alias.GetAliasname(), int(t.Location)))
}

func (r *reader) jsonTable(t *ast.JsonTable, b *sqlproof.Block) *sqlproof.Join {
	r.jsonValue(t.ContextItem, b)
	r.exprs(t.Passing, b)
	r.jsonColumns(t.Columns, b)
	r.behavior(t.OnError, b)
	return r.Leaf(r.Rows(b, "json_table", t.Alias.GetAliasname(), int(t.Location)))
}

// jsonColumns reads the columns of JSON_TABLE; their paths are literals.
func (r *reader) jsonColumns(list []*ast.Node, b *sqlproof.Block) {
	for _, n := range list {
		c := n.GetJsonTableColumn()
		if c == nil || !r.enter() {
			r.Unknown(-1, "a column of JSON_TABLE")
			return
		}
		r.Claim(int(c.Location))
		r.typeName(c.TypeName, b)
		r.behavior(c.OnEmpty, b)
		r.behavior(c.OnError, b)
		r.jsonColumns(c.Columns, b)
		r.leave()
	}
}
