package postgres

import (
	"github.com/sqlc-dev/oliphant/ast"

	"github.com/gormtenancy/tenancy/sqlproof"
)

// with makes the common table expressions known: each to those behind it, or, if one may be recursive, to all.
func (r *reader) with(w *ast.WithClause, outer *sqlproof.Block) {
	if w == nil {
		return
	}
	if w.Recursive {
		for _, n := range w.Ctes {
			r.Define(n.GetCommonTableExpr().GetCtename(), nil)
		}
	}
	for _, n := range w.Ctes {
		c := n.GetCommonTableExpr()
		if c == nil {
			r.Unknown(int(w.Location), "a part of WITH")
			return
		}
		r.Claim(int(c.Location))
		if len(c.Aliascolnames) > 0 {
			r.ClaimList(int(c.Location))
		}
		query := r.commonTable(c, outer)
		if cycle := c.CycleClause; cycle != nil {
			r.expr(cycle.CycleMarkValue, outer)
			r.expr(cycle.CycleMarkDefault, outer)
		}
		if w.Recursive {
			r.Resolve(c.Ctename, query)
		} else {
			r.Define(c.Ctename, query)
		}
	}
}

// commonTable reads the query of a common table expression, which may write.
func (r *reader) commonTable(c *ast.CommonTableExpr, outer *sqlproof.Block) *sqlproof.Block {
	if b := r.dml(c.Ctequery, outer); b != nil {
		return b
	}
	return r.subquery(c.Ctequery, outer, false)
}

// subquery reads a node that must be a query.
func (r *reader) subquery(n *ast.Node, outer *sqlproof.Block, correlated bool) *sqlproof.Block {
	if s, ok := n.GetNode().(*ast.Node_SelectStmt); ok {
		return r.query(s.SelectStmt, outer, correlated)
	}
	r.Unknown(-1, "a query that is neither SELECT, INSERT, UPDATE nor DELETE")
	return &sqlproof.Block{}
}

// query reads a SELECT with all its arms, or a VALUES.
func (r *reader) query(s *ast.SelectStmt, outer *sqlproof.Block, correlated bool) *sqlproof.Block {
	if !r.enter() {
		return &sqlproof.Block{}
	}
	defer r.leave()
	scope := r.Scope()
	defer r.Leave(scope)
	if s.IntoClause != nil {
		r.Fail(int(s.IntoClause.Rel.GetLocation()), "SELECT INTO makes a table", "run it with tenancy.WithoutTenant")
	}
	var b *sqlproof.Block
	switch {
	case s.Op != ast.SetOperation_SETOP_NONE:
		b = r.setOperation(s, outer, correlated)
	case len(s.ValuesLists) > 0:
		b = r.Begin(sqlproof.Values, outer, correlated, -1)
		r.with(s.WithClause, b)
		b.Rows = r.rows(s.ValuesLists, b)
	default:
		b = r.selects(s, outer, correlated)
	}
	b.OrderBy = r.order(s.SortClause, b)
	b.Limit, b.Offset = r.expr(s.LimitCount, b), r.expr(s.LimitOffset, b)
	b.Ties = s.LimitOption == ast.LimitOption_LIMIT_OPTION_WITH_TIES
	for _, n := range s.LockingClause {
		r.Writes()
		for _, locked := range n.GetLockingClause().GetLockedRels() {
			r.Claim(int(locked.GetRangeVar().GetLocation())) // the name of a source, or its alias
		}
	}
	return b
}

// setOperation reads UNION and the like. A chain of the same operator is one operation.
func (r *reader) setOperation(s *ast.SelectStmt, outer *sqlproof.Block, correlated bool) *sqlproof.Block {
	all := r.Begin(sqlproof.SetOperation, outer, correlated, -1)
	r.with(s.WithClause, all)
	switch s.Op {
	case ast.SetOperation_SETOP_UNION:
		all.Operator = "UNION"
	case ast.SetOperation_SETOP_INTERSECT:
		all.Operator = "INTERSECT"
	case ast.SetOperation_SETOP_EXCEPT:
		all.Operator = "EXCEPT"
	default:
		r.Unknown(-1, "a set operation")
	}
	if s.All {
		all.Operator += " ALL"
	}
	arms := []*ast.SelectStmt{s.Rarg}
	left := s.Larg
	for left.Op == s.Op && left.All == s.All && left.WithClause == nil && left.SortClause == nil &&
		left.LimitCount == nil && left.LimitOffset == nil && left.LockingClause == nil {
		arms = append(arms, left.Rarg)
		left = left.Larg
	}
	all.Arms = append(all.Arms, r.query(left, all, true))
	for i := range arms {
		all.Arms = append(all.Arms, r.query(arms[len(arms)-1-i], all, true))
	}
	return all
}

// selects reads one SELECT, but not what can stand behind a set operation too.
func (r *reader) selects(s *ast.SelectStmt, outer *sqlproof.Block, correlated bool) *sqlproof.Block {
	b := r.Begin(sqlproof.Select, outer, correlated, inSelect(s))
	r.with(s.WithClause, b)
	b.From = r.from(s.FromClause, b)
	b.Where = r.expr(s.WhereClause, b)
	b.Items = r.items(s.TargetList, b)
	if len(s.DistinctClause) > 0 {
		b.Distinct = true
		if s.DistinctClause[0].GetNode() != nil { // the parser writes an empty node for DISTINCT alone
			b.DistinctOn = r.exprs(s.DistinctClause, b)
		}
	}
	b.GroupBy = r.groups(s.GroupClause, b)
	b.Having = r.expr(s.HavingClause, b)
	for _, n := range s.WindowClause {
		r.window(n.GetWindowDef(), b)
	}
	return b
}

// inSelect returns an offset in a SELECT that is in no parentheses of its own: the parser does not tell where it begins.
func inSelect(s *ast.SelectStmt) int {
	if len(s.TargetList) > 0 {
		return first(s.TargetList) // the first token of the item, even if that is a parenthesis
	}
	if len(s.FromClause) > 0 {
		n := s.FromClause[0]
		for {
			switch t := n.GetNode().(type) {
			case *ast.Node_RangeVar:
				return int(t.RangeVar.Location)
			case *ast.Node_JoinExpr:
				n = t.JoinExpr.Larg
				continue
			case *ast.Node_RangeTableSample:
				n = t.RangeTableSample.Relation
				continue
			}
			break
		}
	}
	return -1
}

// first returns the offset of the first of a list of items, or of columns to set.
func first(targets []*ast.Node) int {
	if len(targets) > 0 {
		if t, ok := targets[0].GetNode().(*ast.Node_ResTarget); ok {
			return int(t.ResTarget.Location)
		}
	}
	return -1
}

// groups reads GROUP BY.
func (r *reader) groups(list []*ast.Node, b *sqlproof.Block) []*sqlproof.Expr {
	var all []*sqlproof.Expr
	for _, n := range list {
		set, ok := n.GetNode().(*ast.Node_GroupingSet)
		if !ok {
			all = append(all, r.expr(n, b))
			continue
		}
		b.Groups = true
		if r.enter() {
			all = append(all, r.groups(set.GroupingSet.Content, b)...)
			r.leave()
		}
	}
	return all
}

// rows reads the rows of VALUES. One that takes apart a row has more columns than one can see.
func (r *reader) rows(lists []*ast.Node, b *sqlproof.Block) [][]*sqlproof.Expr {
	rows := make([][]*sqlproof.Expr, len(lists))
	for i, list := range lists {
		values := list.GetList().GetItems()
		for _, v := range values {
			if isStar(v) {
				r.Unknown(-1, "a * in VALUES")
			}
		}
		rows[i] = r.exprs(values, b)
	}
	return rows
}

func (r *reader) items(targets []*ast.Node, b *sqlproof.Block) []*sqlproof.Item {
	if len(targets) == 0 {
		return nil
	}
	items := make([]*sqlproof.Item, len(targets))
	all := make([]sqlproof.Item, len(targets))
	for i, n := range targets {
		items[i] = &all[i]
		t := n.GetResTarget()
		if t == nil || len(t.Indirection) > 0 {
			r.Unknown(-1, "an item of the query")
			return items
		}
		r.ClaimAlias(int(t.Location), t.Name)
		all[i].Alias = t.Name
		all[i].Star = isStar(t.Val)
		if e := r.expr(t.Val, b); !all[i].Star {
			all[i].Expr = e
		}
	}
	return items
}

// isStar tells whether a value is *, t.* or (row).*, and so may be several.
func isStar(n *ast.Node) bool {
	var parts []*ast.Node
	switch e := n.GetNode().(type) {
	case *ast.Node_ColumnRef:
		parts = e.ColumnRef.Fields
	case *ast.Node_AIndirection:
		parts = e.AIndirection.Indirection
	}
	if len(parts) == 0 {
		return false
	}
	_, star := parts[len(parts)-1].GetNode().(*ast.Node_AStar)
	return star
}

func (r *reader) order(list []*ast.Node, b *sqlproof.Block) []sqlproof.Order {
	if len(list) == 0 {
		return nil
	}
	order := make([]sqlproof.Order, len(list))
	for i, n := range list {
		s := n.GetSortBy()
		if s == nil {
			r.Unknown(-1, "a part of ORDER BY")
			return order
		}
		order[i] = sqlproof.Order{
			Expr: r.expr(s.Node, b), Descending: s.SortbyDir == ast.SortByDir_SORTBY_DESC,
			NullsFirst: s.SortbyNulls == ast.SortByNulls_SORTBY_NULLS_FIRST,
			NullsLast:  s.SortbyNulls == ast.SortByNulls_SORTBY_NULLS_LAST,
		}
		if s.SortbyDir == ast.SortByDir_SORTBY_USING { // an order of its own, not that of the values
			order[i].Expr = r.opaque(s.Location, order[i].Expr)
		}
	}
	return order
}
