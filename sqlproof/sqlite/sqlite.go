// Package sqlite reads SQL as SQLite does, with the parser of github.com/sqlc-dev/meyer, which it alone imports. It adds
// about half a megabyte to a program.
package sqlite

import (
	"github.com/sqlc-dev/meyer/ast"
	"github.com/sqlc-dev/meyer/parser"

	"github.com/gormtenancy/tenancy/sqlproof"
)

// analyzer implements [sqlproof.Analyzer].
type analyzer struct{}

// New returns the analyzer for SQLite, for Config.SQL. It may be used concurrently.
func New() sqlproof.Analyzer { return analyzer{} }

// Dialect implements [sqlproof.Analyzer].
func (analyzer) Dialect() string { return "sqlite" }

// Analyze implements [sqlproof.Analyzer].
func (analyzer) Analyze(sql string) (*sqlproof.Statement, error) {
	b, err := sqlproof.NewBuilder("sqlite", sql)
	if err != nil {
		return nil, err
	}
	stmt, err := parser.ParseStatement(sql)
	if err != nil {
		at := -1
		if e, ok := err.(*parser.Error); ok { //nolint:errorlint // the parser returns it as it is
			at = e.Offset
		}
		return nil, sqlproof.Refuse(sql, at, "it is no single statement of SQLite's", "")
	}
	r := reader{b}
	return b.Finish(r.statement(stmt), stmt)
}

// reader walks the tree of one statement.
type reader struct{ *sqlproof.Builder }

func (r reader) statement(stmt ast.Stmt) *sqlproof.Block {
	switch s := stmt.(type) {
	case *ast.SelectStmt:
		return r.query(s, nil, false)
	case *ast.InsertStmt:
		return r.insert(s)
	case *ast.UpdateStmt:
		return r.update(s)
	case *ast.DeleteStmt:
		return r.delete(s)
	}
	r.Fail(0, "it is neither SELECT, INSERT, UPDATE nor DELETE", "run it with tenancy.WithoutTenant")
	return &sqlproof.Block{}
}

// with makes the common table expressions known. In SQLite each sees all others, whatever their order.
func (r reader) with(w *ast.With, outer *sqlproof.Block) {
	if w == nil {
		return
	}
	for _, c := range w.CTEs {
		r.Define(c.Name.Name, nil)
	}
	for _, c := range w.CTEs {
		r.Claim(c.Name.Start)
		for _, column := range c.Columns {
			r.Claim(column.Start)
		}
		r.Resolve(c.Name.Name, r.query(c.Select, outer, false))
	}
}

// query reads a SELECT with all its arms.
func (r reader) query(s *ast.SelectStmt, outer *sqlproof.Block, correlated bool) *sqlproof.Block {
	scope := r.Scope()
	defer r.Leave(scope)
	if len(s.Cores) == 1 {
		return r.core(s.Cores[0], outer, correlated, s.With)
	}
	all := r.Begin(sqlproof.SetOperation, outer, correlated, -1)
	r.with(s.With, all)
	for i, core := range s.Cores {
		arm := r.core(core, all, true, nil)
		if i == len(s.Cores)-1 { // they were written behind the last arm, and belong to the whole
			all.OrderBy, all.Limit, all.Offset = arm.OrderBy, arm.Limit, arm.Offset
			arm.OrderBy, arm.Limit, arm.Offset = nil, nil, nil
		}
		all.Arms = append(all.Arms, arm)
	}
	for i, op := range s.Ops {
		name := op.Op
		if op.All {
			name += " ALL"
		}
		if i > 0 && name != all.Operator {
			name = "mixed"
		}
		all.Operator = name
	}
	return all
}

func (r reader) core(core ast.SelectCore, outer *sqlproof.Block, correlated bool, with *ast.With) *sqlproof.Block {
	switch c := core.(type) {
	case *ast.ValuesClause:
		b := r.Begin(sqlproof.Values, outer, correlated, c.Start)
		r.with(with, b)
		b.Rows = r.rows(c, b)
		return b
	case *ast.SelectQuery:
		b := r.Begin(sqlproof.Select, outer, correlated, c.Start)
		r.with(with, b)
		b.From = r.from(c.From, b)
		b.Where = r.expr(c.Where, b)
		b.Distinct = c.Distinct == ast.DistinctDistinct
		b.Items = r.items(c.Columns, b)
		b.GroupBy = r.exprs(c.GroupBy, b)
		b.Having = r.expr(c.Having, b)
		for _, w := range c.Windows {
			r.window(w, b)
		}
		b.OrderBy = r.order(c.OrderBy, b)
		if c.Limit != nil {
			b.Limit, b.Offset = r.expr(c.Limit.Count, b), r.expr(c.Limit.Offset, b)
		}
		return b
	}
	r.Unknown(-1, "a part of the query")
	return &sqlproof.Block{}
}

func (r reader) rows(c *ast.ValuesClause, b *sqlproof.Block) [][]*sqlproof.Expr {
	rows := make([][]*sqlproof.Expr, len(c.Rows))
	for i, row := range c.Rows {
		rows[i] = r.exprs(row, b)
	}
	return rows
}

func (r reader) items(columns []*ast.ResultColumn, b *sqlproof.Block) []*sqlproof.Item {
	items := make([]*sqlproof.Item, len(columns))
	all := make([]sqlproof.Item, len(columns))
	for i, c := range columns {
		items[i] = &all[i]
		if c.Alias != nil {
			r.Claim(c.Alias.Start)
			all[i].Alias = c.Alias.Name
		}
		if _, all[i].Star = c.Expr.(*ast.Star); !all[i].Star {
			all[i].Expr = r.expr(c.Expr, b)
		}
	}
	return items
}

func (r reader) order(terms []*ast.OrderingTerm, b *sqlproof.Block) []sqlproof.Order {
	var order []sqlproof.Order
	for _, t := range terms {
		order = append(order, sqlproof.Order{
			Expr: r.expr(t.Expr, b), Descending: t.Order == ast.SortDesc,
			NullsFirst: t.Nulls == ast.NullsFirst, NullsLast: t.Nulls == ast.NullsLast,
		})
	}
	return order
}

// from reads a FROM clause, whose items each say how they are joined to those before.
func (r reader) from(refs []*ast.TableRef, b *sqlproof.Block) *sqlproof.Join {
	var tree *sqlproof.Join
	for _, ref := range refs {
		kind, natural := sqlproof.Inner, false
		if ref.Join != nil {
			t := ref.Join.Type
			natural = t&ast.JoinNatural != 0
			switch left, right := t&ast.JoinLeft != 0, t&ast.JoinRight != 0; {
			case left && right:
				kind = sqlproof.Full
			case left:
				kind = sqlproof.Left
			case right:
				kind = sqlproof.Right
			case t&ast.JoinOuter != 0:
				r.Unknown(ref.Start, "this kind of join")
			}
		}
		joined := r.Join(kind, tree, r.ref(ref, b))
		if tree == nil {
			if ref.On != nil || len(ref.Using) > 0 {
				r.Unknown(ref.Start, "ON behind the first table")
			}
			tree = joined
			continue
		}
		tree = joined
		tree.Natural = natural
		for _, u := range ref.Using {
			r.Claim(u.Start)
			tree.Using = append(tree.Using, u.Name)
		}
		if ref.On != nil {
			r.On(tree, r.expr(ref.On, b), ref.On.Pos())
		}
	}
	return tree
}

// ref reads one item of FROM.
func (r reader) ref(ref *ast.TableRef, b *sqlproof.Block) *sqlproof.Join {
	alias := ""
	if ref.Alias != nil {
		r.Claim(ref.Alias.Start)
		alias = ref.Alias.Name
	}
	switch {
	case len(ref.List) == 1 && ref.Join != nil:
		// SQLite forgets the alias in "x, (t AS a)", so that a name means another table than the text says.
		r.Fail(ref.Start, "a table alone in parentheses", "leave out the parentheses")
		return r.Leaf(r.Derived(b, nil, alias))
	case ref.List != nil:
		tree := r.from(ref.List, b)
		if tree.Kind == sqlproof.Leaf {
			tree.Source.Fixed = true // a subquery in its place would lose its name, too
		}
		if tree.Alias = alias; alias != "" && tree.Kind == sqlproof.Leaf {
			r.Unknown(ref.Start, "a name for a table in parentheses")
		}
		return tree
	case ref.Select != nil:
		return r.Leaf(r.Derived(b, r.query(ref.Select, b, false), alias))
	case ref.HasArgs:
		r.Claim(ref.Name.Start)
		if ref.Name.Schema != nil {
			r.Unknown(ref.Start, "a function with a schema")
		}
		s := r.Rows(b, ref.Name.Name.Name, alias, ref.Start)
		r.exprs(ref.Args, b)
		return r.Leaf(s)
	}
	s := r.Table(b, schemaOf(ref.Name), ref.Name.Name.Name, alias, span(ref.Name))
	s.Fixed = ref.IndexedBy != nil || ref.NotIndexed
	return r.Leaf(s)
}

func schemaOf(n *ast.QualifiedName) string {
	if n.Schema == nil {
		return ""
	}
	return n.Schema.Name
}

func span(n *ast.QualifiedName) sqlproof.Span { return sqlproof.Span{Start: n.Start, End: n.Stop} }

func (r reader) window(w *ast.WindowDef, b *sqlproof.Block) {
	if w == nil {
		return
	}
	b.Windows = true
	if w.Name != nil {
		r.Claim(w.Name.Start)
	}
	if w.Base != nil {
		r.Claim(w.Base.Start)
	}
	r.exprs(w.Partition, b)
	r.order(w.OrderBy, b)
	for _, bound := range []*ast.FrameBound{w.StartBound, w.EndBound} {
		if bound != nil {
			r.expr(bound.Expr, b)
		}
	}
}
