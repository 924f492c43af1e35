package postgres

import (
	"reflect"

	"github.com/sqlc-dev/oliphant/ast"

	"github.com/gormtenancy/tenancy/sqlproof"
	"github.com/gormtenancy/tenancy/sqlproof/internal/sametree"
)

// Same implements [sqlproof.Analyzer].
func (a analyzer) Same(before, now *sqlproof.Statement, added []sqlproof.Span) bool {
	s := stripper{now.SQL, added}
	o := sametree.Options{Ignored: a.positions, Strip: s.strip, Types: a.types}
	return o.Equal(before.Tree, now.Tree)
}

// positions returns the fields of the tree that say where something stands.
func positions() map[string]bool {
	return map[string]bool{
		"Location": true, "NameLocation": true, "StmtLocation": true, "StmtLen": true,
		"RexprListStart": true, "RexprListEnd": true, "ListStart": true, "ListEnd": true,
	}
}

// stripper takes off what was added to a tree: what has its place in one of the spans of the text.
type stripper struct {
	sql   string
	added []sqlproof.Span
}

func (s stripper) in(location int32) bool { return s.span(location).End > 0 }

// span returns the span of what was added that a place is in, or none.
func (s stripper) span(location int32) sqlproof.Span {
	for _, span := range s.added {
		if int(location) >= span.Start && int(location) < span.End {
			return span
		}
	}
	return sqlproof.Span{}
}

// strip returns what counts of a part of the tree. Only nodes, which are the elements of its lists too, can be added.
func (s stripper) strip(v reflect.Value) reflect.Value {
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return v
	}
	n, ok := reflect.TypeAssert[*ast.Node](v)
	if !ok {
		return v
	}
	switch stripped := s.node(n); stripped {
	case n:
		return v
	case nil:
		return reflect.Value{}
	default:
		return reflect.ValueOf(stripped)
	}
}

// node returns a node without what was added to it; nil if it was added as a whole. Only what the rewriting adds is looked
// for: conditions, columns and the values for them, and subqueries around a table.
func (s stripper) node(n *ast.Node) *ast.Node {
	added := false
	switch t := n.Node.(type) {
	case *ast.Node_BoolExpr:
		if t.BoolExpr.Boolop == ast.BoolExprType_AND_EXPR {
			return s.conjunction(n, t.BoolExpr)
		}
		added = s.in(t.BoolExpr.Location)
	case *ast.Node_AExpr:
		added = s.in(t.AExpr.Location)
	case *ast.Node_SubLink: // the place of (SELECT …) is that of its parenthesis, of which one may have been added
		added = t.SubLink.SubLinkType == ast.SubLinkType_EXISTS_SUBLINK && s.in(t.SubLink.Location)
	case *ast.Node_ResTarget:
		added = s.in(t.ResTarget.Location)
	case *ast.Node_ParamRef:
		added = s.in(t.ParamRef.Location)
	case *ast.Node_RangeSubselect:
		return s.unwrapped(n, t.RangeSubselect)
	}
	if added {
		return nil
	}
	return n
}

// conjunction leaves out the conditions that were added. The parser makes one list of "(a AND b) AND c".
func (s stripper) conjunction(n *ast.Node, e *ast.BoolExpr) *ast.Node {
	kept := make([]*ast.Node, 0, len(e.Args))
	for _, a := range e.Args {
		if s.node(a) != nil {
			kept = append(kept, a)
		}
	}
	switch len(kept) {
	case len(e.Args):
		return n
	case 0:
		return nil
	case 1:
		return kept[0]
	}
	return &ast.Node{Node: &ast.Node_BoolExpr{BoolExpr: &ast.BoolExpr{Xpr: e.Xpr, Boolop: e.Boolop, Args: kept}}}
}

// location returns where the condition of a subquery around a table stands, an equality or what join tables have instead; -1
// if it is not such.
func (s stripper) location(n *ast.Node) int32 {
	at := int32(-1)
	if e := n.GetAExpr(); e != nil {
		at = e.Location
	} else if e := n.GetBoolExpr(); e != nil {
		at = e.Location
	}
	if !s.in(at) {
		return -1
	}
	return at
}

// unwrapped makes the table again of (SELECT * FROM table WHERE …) AS alias.
func (s stripper) unwrapped(n *ast.Node, r *ast.RangeSubselect) *ast.Node {
	q := r.Subquery.GetSelectStmt()
	if q == nil || r.Lateral || r.Alias == nil || len(q.TargetList) != 1 || s.node(q.TargetList[0]) != nil || len(q.FromClause) != 1 {
		return n
	}
	table := q.FromClause[0].GetRangeVar()
	if table == nil || table.Alias != nil || s.in(table.Location) || q.WhereClause == nil || s.location(q.WhereClause) < 0 {
		return n
	}
	if q.DistinctClause != nil || q.IntoClause != nil || q.GroupClause != nil || q.HavingClause != nil || q.WindowClause != nil ||
		q.ValuesLists != nil || q.SortClause != nil || q.LimitOffset != nil || q.LimitCount != nil || q.LockingClause != nil ||
		q.WithClause != nil || q.Op != ast.SetOperation_SETOP_NONE {
		return n
	}
	alias := r.Alias
	if end := s.span(s.location(q.WhereClause)).End; s.sql[end-1] != ')' { // the alias was added too
		if alias.Aliasname != table.Relname || alias.Colnames != nil {
			return n
		}
		alias = nil
	}
	return &ast.Node{Node: &ast.Node_RangeVar{RangeVar: &ast.RangeVar{
		Catalogname: table.Catalogname, Schemaname: table.Schemaname, Relname: table.Relname, Inh: table.Inh,
		Relpersistence: table.Relpersistence, Alias: alias,
	}}}
}
