package mysql

import (
	"strconv"
	"strings"

	"github.com/sqlc-dev/marino/ast"

	"github.com/gormtenancy/tenancy/sqlproof"
)

// with makes the common table expressions known. Each sees those before it and, if it is recursive, itself. MariaDB lets a
// recursive one see those after it too, where MySQL takes the name for a table's: that is refused.
func (r *reader) with(w *ast.WithClause, outer *sqlproof.Block) {
	if w == nil {
		return
	}
	known := len(r.later)
	if w.IsRecursive {
		for i := range w.CTEs {
			r.later = append(r.later, w.CTEs[len(w.CTEs)-1-i].Name.O)
		}
	}
	for _, c := range w.CTEs {
		r.claimCTE(c.Query.OriginTextPosition())
		if !w.IsRecursive {
			r.Define(c.Name.O, r.query(c.Query, outer, false))
			continue
		}
		r.later = r.later[:len(r.later)-1]
		r.Define(c.Name.O, nil)
		r.Resolve(c.Name.O, r.query(c.Query, outer, false))
	}
	r.later = r.later[:known]
}

// isLater tells whether a table goes by the name of a common table expression that comes further on.
func (r *reader) isLater(n *ast.TableName) bool {
	for _, name := range r.later {
		if n.Schema.O == "" && strings.EqualFold(n.Name.O, name) {
			return true
		}
	}
	return false
}

// query reads a SELECT with all its arms.
func (r *reader) query(n ast.Node, outer *sqlproof.Block, correlated bool) *sqlproof.Block {
	scope := r.Scope()
	defer r.Leave(scope)
	switch q := n.(type) {
	case *ast.SubqueryExpr:
		return r.query(q.Query, outer, correlated)
	case *ast.SelectStmt:
		switch q.Kind {
		case ast.SelectStmtKindSelect:
			return r.selectFrom(q, outer, correlated)
		case ast.SelectStmtKindTable:
			return r.table(q, outer, correlated)
		case ast.SelectStmtKindValues:
			return r.values(q, outer, correlated)
		}
	case *ast.SetOprStmt:
		return r.union(q.SelectList.Selects, q.With, q.OrderBy, q.Limit, outer, correlated)
	case *ast.SetOprSelectList: // in parentheses
		if len(q.Selects) == 1 && q.OrderBy == nil && q.Limit == nil && (q.With == nil || isWithOf(q.With, q.Selects[0])) {
			return r.query(q.Selects[0], outer, correlated)
		}
		return r.union(q.Selects, q.With, q.OrderBy, q.Limit, outer, correlated)
	}
	r.Unknown(-1, "a part of the query")
	return &sqlproof.Block{}
}

// isWithOf tells whether a WITH is that of a query in parentheses, of which the parser tells the outside too.
func isWithOf(w *ast.WithClause, n ast.Node) bool {
	s, ok := n.(*ast.SelectStmt)
	return ok && s.With == w
}

func (r *reader) union(selects []ast.Node, w *ast.WithClause, by *ast.OrderByClause, l *ast.Limit, outer *sqlproof.Block, correlated bool) *sqlproof.Block {
	all := r.Begin(sqlproof.SetOperation, outer, correlated, -1)
	r.with(w, all)
	for i, n := range selects {
		all.Arms = append(all.Arms, r.query(n, all, true))
		operator := operatorOf(n)
		switch {
		case i == 0:
		case i == 1:
			all.Operator = operator
		case operator != all.Operator:
			all.Operator = "mixed"
		}
	}
	all.OrderBy = r.orderBy(by, all)
	r.limit(l, all)
	return all
}

// operatorOf returns the operator before an arm.
func operatorOf(n ast.Node) string {
	var op *ast.SetOprType
	switch n := n.(type) {
	case *ast.SelectStmt:
		op = n.AfterSetOperator
	case *ast.SetOprSelectList:
		op = n.AfterSetOperator
	}
	if op == nil {
		return ""
	}
	return op.String()
}

func (r *reader) selectFrom(s *ast.SelectStmt, outer *sqlproof.Block, correlated bool) *sqlproof.Block {
	at := s.Fields.Fields[0].Offset
	b := r.Begin(sqlproof.Select, outer, correlated, at)
	r.selects++
	r.with(s.With, b)
	b.From = r.from(s.From, b, at)
	b.Where = r.expr(s.Where, b)
	b.Distinct = s.Distinct
	b.Items = r.items(s.Fields.Fields, b)
	if s.GroupBy != nil {
		b.Groups = s.GroupBy.Rollup
		for _, item := range s.GroupBy.Items {
			b.GroupBy = append(b.GroupBy, r.expr(item.Expr, b))
		}
	}
	if s.Having != nil {
		b.Having = r.expr(s.Having.Expr, b)
	}
	for i := range s.WindowSpecs {
		r.window(&s.WindowSpecs[i], b)
	}
	r.tail(s, b, at)
	return b
}

// tail reads what comes last in every kind of query.
func (r *reader) tail(s *ast.SelectStmt, b *sqlproof.Block, at int) {
	b.OrderBy = r.orderBy(s.OrderBy, b)
	r.limit(s.Limit, b)
	if s.SelectIntoOpt != nil {
		r.Fail(at, "SELECT … INTO", "leave INTO out")
	}
	if s.LockInfo != nil {
		r.Writes()
		r.claimLocked(at)
	}
}

// table reads the statement TABLE.
func (r *reader) table(s *ast.SelectStmt, outer *sqlproof.Block, correlated bool) *sqlproof.Block {
	b := r.Begin(sqlproof.Select, outer, correlated, -1)
	r.tables++
	r.with(s.With, b)
	source, ok := s.From.TableRefs.Left.(*ast.TableSource)
	if !ok {
		r.Unknown(-1, "TABLE")
		return b
	}
	name, ok := source.Source.(*ast.TableName)
	if !ok {
		r.Unknown(-1, "TABLE")
		return b
	}
	at := r.tableStatement(name)
	b.From = r.named(name, source, b, at)
	b.Items = []*sqlproof.Item{{Star: true}}
	r.tail(s, b, at)
	return b
}

// values reads the statement VALUES ROW(…).
func (r *reader) values(s *ast.SelectStmt, outer *sqlproof.Block, correlated bool) *sqlproof.Block {
	b := r.Begin(sqlproof.Values, outer, correlated, -1)
	r.with(s.With, b)
	for _, row := range s.Lists {
		b.Rows = append(b.Rows, r.exprs(row.Values, b))
	}
	r.tail(s, b, -1)
	return b
}

func (r *reader) items(fields []*ast.SelectField, b *sqlproof.Block) []*sqlproof.Item {
	items := make([]*sqlproof.Item, len(fields))
	all := make([]sqlproof.Item, len(fields))
	for i, f := range fields {
		items[i] = &all[i]
		if all[i].Star = f.WildCard != nil; all[i].Star {
			continue
		}
		all[i].Expr = r.expr(f.Expr, b)
		all[i].Alias = f.AsName.O
		r.ClaimAlias(f.Offset, f.AsName.O)
	}
	return items
}

func (r *reader) orderBy(by *ast.OrderByClause, b *sqlproof.Block) []sqlproof.Order {
	if by == nil {
		return nil
	}
	return r.order(by.Items, b)
}

func (r *reader) order(items []*ast.ByItem, b *sqlproof.Block) []sqlproof.Order {
	order := make([]sqlproof.Order, len(items))
	for i, item := range items {
		order[i] = sqlproof.Order{Expr: r.expr(item.Expr, b), Descending: item.Desc}
	}
	return order
}

// limit reads a LIMIT, whose numbers have no place.
func (r *reader) limit(l *ast.Limit, b *sqlproof.Block) {
	if l == nil {
		return
	}
	read := func(n ast.ExprNode) *sqlproof.Expr {
		if v, ok := n.(*ast.ValueExprBase); ok {
			return &sqlproof.Expr{Op: sqlproof.Numeric, Value: strconv.FormatUint(v.GetUint64(), 10)}
		}
		return r.expr(n, b)
	}
	b.Limit, b.Offset = read(l.Count), read(l.Offset)
}

// window reads the definition of a window, or the use of one.
func (r *reader) window(w *ast.WindowSpec, b *sqlproof.Block) {
	b.Windows = true
	if w.PartitionBy != nil {
		r.order(w.PartitionBy.Items, b)
	}
	r.orderBy(w.OrderBy, b)
	if w.Frame != nil {
		r.expr(w.Frame.Extent.Start.Expr, b)
		r.expr(w.Frame.Extent.End.Expr, b)
	}
}
