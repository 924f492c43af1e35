package postgres

import (
	"github.com/sqlc-dev/oliphant/ast"

	"github.com/gormtenancy/tenancy/sqlproof"
)

// dml reads a statement that writes; nil if the node is none.
func (r *reader) dml(n *ast.Node, outer *sqlproof.Block) *sqlproof.Block {
	scope := r.Scope()
	defer r.Leave(scope)
	switch s := n.GetNode().(type) {
	case *ast.Node_InsertStmt:
		return r.insert(s.InsertStmt, outer)
	case *ast.Node_UpdateStmt:
		return r.update(s.UpdateStmt, outer)
	case *ast.Node_DeleteStmt:
		return r.delete(s.DeleteStmt, outer)
	}
	return nil
}

func (r *reader) insert(s *ast.InsertStmt, outer *sqlproof.Block) *sqlproof.Block {
	b := r.Begin(sqlproof.Insert, outer, false, int(s.Relation.GetLocation()))
	r.with(s.WithClause, b)
	r.target(s.Relation, b)
	for _, n := range s.Cols {
		c := n.GetResTarget()
		if c == nil {
			r.Unknown(-1, "a column of INSERT")
			return b
		}
		r.subscripts(c.Indirection, b)
		b.Columns = append(b.Columns, sqlproof.Column{Span: r.ItemSpan(int(c.Location)), Name: c.Name})
	}
	if s.SelectStmt != nil {
		if v, ok := s.SelectStmt.GetNode().(*ast.Node_SelectStmt); ok && onlyRows(v.SelectStmt) {
			b.Rows = r.rows(v.SelectStmt.ValuesLists, b)
		} else {
			b.Query = r.subquery(s.SelectStmt, b, false)
		}
	}
	r.onConflict(s.OnConflictClause, b)
	r.returning(s.ReturningClause, b)
	return b
}

// onlyRows tells whether a query is VALUES and nothing else.
func onlyRows(s *ast.SelectStmt) bool {
	return len(s.ValuesLists) > 0 && s.SortClause == nil && s.LimitCount == nil && s.LimitOffset == nil &&
		s.LockingClause == nil && s.WithClause == nil
}

func (r *reader) onConflict(c *ast.OnConflictClause, b *sqlproof.Block) {
	if c == nil {
		return
	}
	if c.Infer != nil {
		if len(c.Infer.IndexElems) > 0 {
			r.ClaimList(int(c.Infer.Location))
		}
		for _, n := range c.Infer.IndexElems {
			e := n.GetIndexElem()
			if e == nil || len(e.Opclassopts) > 0 {
				r.Unknown(int(c.Location), "a part of ON CONFLICT")
				return
			}
			r.expr(e.Expr, b)
		}
		r.expr(c.Infer.WhereClause, b)
	}
	switch c.Action {
	case ast.OnConflictAction_ONCONFLICT_NOTHING:
		r.Upsert(b, sqlproof.Upsert{Nothing: true}, -1)
	case ast.OnConflictAction_ONCONFLICT_UPDATE:
		r.Upsert(b, sqlproof.Upsert{Set: r.set(c.TargetList, b), Where: r.expr(c.WhereClause, b)}, first(c.TargetList))
	default:
		r.Unknown(int(c.Location), "a part of ON CONFLICT")
	}
}

func (r *reader) update(s *ast.UpdateStmt, outer *sqlproof.Block) *sqlproof.Block {
	b := r.Begin(sqlproof.Update, outer, false, int(s.Relation.GetLocation()))
	r.with(s.WithClause, b)
	target := r.Leaf(r.target(s.Relation, b))
	b.From = r.Join(sqlproof.Inner, target, r.from(s.FromClause, b))
	b.Set = r.set(s.TargetList, b)
	b.Where = r.expr(s.WhereClause, b)
	r.returning(s.ReturningClause, b)
	return b
}

func (r *reader) delete(s *ast.DeleteStmt, outer *sqlproof.Block) *sqlproof.Block {
	b := r.Begin(sqlproof.Delete, outer, false, int(s.Relation.GetLocation()))
	r.with(s.WithClause, b)
	target := r.Leaf(r.target(s.Relation, b))
	b.From = r.Join(sqlproof.Inner, target, r.from(s.UsingClause, b))
	b.Where = r.expr(s.WhereClause, b)
	r.returning(s.ReturningClause, b)
	return b
}

// set reads assignments. The columns of (a, b) = (…) share one value, which is read once.
func (r *reader) set(targets []*ast.Node, b *sqlproof.Block) []sqlproof.Assignment {
	set := make([]sqlproof.Assignment, 0, len(targets))
	var shared *ast.Node
	for _, n := range targets {
		t := n.GetResTarget()
		if t == nil {
			r.Unknown(-1, "an assignment")
			return set
		}
		r.Claim(int(t.Location))
		r.subscripts(t.Indirection, b)
		a := sqlproof.Assignment{Column: t.Name}
		if m, ok := t.Val.GetNode().(*ast.Node_MultiAssignRef); ok {
			if m.MultiAssignRef.Source != shared {
				shared = m.MultiAssignRef.Source
				r.expr(shared, b)
			}
		} else if value := r.expr(t.Val, b); len(t.Indirection) == 0 { // otherwise it is the value of a part
			a.Value = value
		}
		set = append(set, a)
	}
	return set
}

func (r *reader) returning(c *ast.ReturningClause, b *sqlproof.Block) {
	if c == nil {
		return
	}
	for _, n := range c.Options { // other names for the row before and after
		if n.GetReturningOption() == nil {
			r.Unknown(-1, "an option of RETURNING")
		}
	}
	b.Items = r.items(c.Exprs, b)
}
