package mysql

import (
	"github.com/sqlc-dev/marino/ast"

	"github.com/gormtenancy/tenancy/sqlproof"
)

// mostTables is how many tables one FROM may have; MySQL takes 61.
const mostTables = 128

// from reads a FROM clause; at is the offset of a token of its block's own.
func (r *reader) from(clause *ast.TableRefsClause, b *sqlproof.Block, at int) *sqlproof.Join {
	if clause == nil || clause.TableRefs == nil {
		return nil
	}
	depth := 0
	if i := r.index(at); i >= 0 {
		depth = int(r.tokens[i].Depth)
	}
	return r.join(clause.TableRefs, b, depth)
}

// join reads a part of a FROM clause that has depth parentheses around it, as far as the tree tells.
func (r *reader) join(n ast.ResultSetNode, b *sqlproof.Block, depth int) *sqlproof.Join {
	switch n := n.(type) {
	case *ast.TableSource:
		return r.source(n, b, depth)
	case *ast.Join:
		if n.ExplicitParens {
			depth++
		}
		if n.Right == nil {
			return r.join(n.Left, b, depth)
		}
		if n.ExplicitParens && isMoved(n) {
			r.moved(-1)
		}
		left := r.join(n.Left, b, depth)
		j := r.Join(kindOf(n.Tp), left, r.join(n.Right, b, depth))
		j.Natural = n.NaturalJoin
		for _, u := range n.Using {
			j.Using = append(j.Using, u.Name.O)
		}
		if n.On != nil {
			on := r.expr(n.On.Expr, b)
			r.On(j, on, n.On.Expr.OriginTextPosition())
		}
		return j
	}
	r.Unknown(-1, "a part of FROM")
	return r.Leaf(r.Derived(b, nil, ""))
}

// isMoved tells whether the parser may have moved a derived table into parentheses. It makes "a JOIN (b LEFT JOIN c ON x)
// JOIN d ON y" to "(a JOIN b LEFT JOIN c ON x) JOIN d ON y", which has the same rows, but what x can name is other than in
// the text. Of tables that is seen in their places.
func isMoved(n *ast.Join) bool {
	cross, ok := n.Left.(*ast.Join)
	if !ok || cross.Right == nil || cross.ExplicitParens || cross.Tp != ast.CrossJoin || cross.On != nil || len(cross.Using) > 0 {
		return false
	}
	first := cross.Left
	for {
		j, ok := first.(*ast.Join)
		if !ok {
			break
		}
		first = j.Left
	}
	s, ok := first.(*ast.TableSource)
	if !ok {
		return true
	}
	_, isTable := s.Source.(*ast.TableName)
	return !isTable
}

func (r *reader) moved(at int) {
	r.Fail(at, "JOIN without ON before a join in parentheses is not understood", "give it an ON")
}

func kindOf(t ast.JoinType) sqlproof.JoinKind {
	switch t {
	case ast.LeftJoin:
		return sqlproof.Left
	case ast.RightJoin:
		return sqlproof.Right
	}
	return sqlproof.Inner
}

// source reads one item of FROM.
func (r *reader) source(n *ast.TableSource, b *sqlproof.Block, depth int) *sqlproof.Join {
	if len(b.Sources) == mostTables {
		r.Unknown(-1, "a FROM with that many tables")
	}
	switch q := n.Source.(type) {
	case *ast.TableName:
		at := q.OriginTextPosition()
		if i := r.index(at); i < 0 || int(r.tokens[i].Depth) < depth {
			r.moved(at)
		}
		return r.named(q, n, b, at)
	case *ast.SelectStmt, *ast.SetOprStmt:
		query := r.query(q, b, n.Lateral)
		return r.Leaf(r.Derived(b, query, n.AsName.O))
	case *ast.JSONTableExpr:
		r.expr(q.Doc, b)
		r.expr(q.Path, b)
		r.columns(q.Columns, b)
		return r.Leaf(r.Rows(b, "json_table", n.AsName.O, -1))
	}
	r.Unknown(-1, "a part of FROM")
	return r.Leaf(r.Derived(b, nil, ""))
}

// columns reads those of JSON_TABLE.
func (r *reader) columns(columns []*ast.JSONTableColumn, b *sqlproof.Block) {
	for _, c := range columns {
		r.expr(c.Path, b)
		r.expr(c.NestedPath, b)
		r.columns(c.NestedColumns, b)
		r.responses(b, c.OnEmpty, c.OnError)
	}
}

// responses reads the values of ON EMPTY and ON ERROR.
func (r *reader) responses(b *sqlproof.Block, responses ...*ast.JSONOnResponse) []*sqlproof.Expr {
	var values []*sqlproof.Expr
	for _, response := range responses {
		if response != nil {
			values = append(values, r.expr(response.Value, b))
		}
	}
	return values
}

// named adds a table, or a common table expression, whose name begins at an offset.
func (r *reader) named(n *ast.TableName, as *ast.TableSource, b *sqlproof.Block, at int) *sqlproof.Join {
	if n.AsOf != nil || n.TableSample != nil || n.Schema.O == "*" || as.Lateral || len(as.ColumnNames) > 0 {
		r.Unknown(at, "what stands behind the table")
	}
	if r.isLater(n) {
		r.Fail(at, "table "+n.Name.O+" goes by the name of a common table expression that comes further on in WITH RECURSIVE",
			"put that first, or give it another name")
	}
	add := r.Table
	if r.written[as] {
		add = r.Target
	}
	s := add(b, n.Schema.O, n.Name.O, as.AsName.O, r.span(n, at))
	s.Fixed = len(n.IndexHints) > 0 || len(n.PartitionNames) > 0
	return r.Leaf(s)
}
