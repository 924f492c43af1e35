package mysql

import (
	"strings"

	"github.com/sqlc-dev/marino/ast"

	"github.com/gormtenancy/tenancy/internal/sqltext"
	"github.com/gormtenancy/tenancy/sqlproof"
)

func (r *reader) insert(s *ast.InsertStmt) *sqlproof.Block {
	as, ok := s.Table.TableRefs.Left.(*ast.TableSource)
	if !ok {
		r.Unknown(-1, "INSERT")
		return &sqlproof.Block{}
	}
	name, ok := as.Source.(*ast.TableName)
	if !ok {
		r.Unknown(-1, "INSERT")
		return &sqlproof.Block{}
	}
	at := name.OriginTextPosition()
	b := r.Begin(sqlproof.Insert, nil, false, at)
	r.written = map[*ast.TableSource]bool{as: true}
	r.named(name, as, b, at)
	b.Replaces, b.Ignores = s.IsReplace, s.IgnoreErr
	for i, c := range s.Columns {
		at := c.OriginTextPosition()
		if s.Setlist {
			at = r.assigned(s.Lists[0][i])
		}
		b.Columns = append(b.Columns, sqlproof.Column{Span: r.columnSpan(c, at), Name: c.Name.O})
	}
	for _, row := range s.Lists {
		b.Rows = append(b.Rows, r.exprs(row, b))
	}
	if s.Select != nil {
		b.Query = r.query(s.Select, b, false)
	}
	if len(s.OnDuplicate) > 0 {
		r.Upsert(b, sqlproof.Upsert{Duplicate: true, Set: r.set(s.OnDuplicate, b)}, -1)
	}
	return b
}

func (r *reader) columnSpan(c *ast.ColumnName, at int) sqlproof.Span {
	parts := 1
	if c.Table.O != "" {
		parts++
	}
	if c.Schema.O != "" {
		parts++
	}
	return r.NameSpan(at, parts)
}

// assigned returns where the name begins of the column that a value is assigned to.
func (r *reader) assigned(value ast.ExprNode) int {
	i := r.index(value.OriginTextPosition()) - 2 // column = value
	for r.text(i-1) == "." {
		i -= 2
	}
	return r.at(i)
}

func (r *reader) set(list []*ast.Assignment, b *sqlproof.Block) []sqlproof.Assignment {
	set := make([]sqlproof.Assignment, len(list))
	for i, a := range list {
		if at := r.assigned(a.Expr); at >= 0 {
			r.Claim(at)
		}
		set[i] = sqlproof.Assignment{Qualifier: a.Column.Table.O, Column: a.Column.Name.O, Value: r.expr(a.Expr, b)}
	}
	return set
}

func (r *reader) update(s *ast.UpdateStmt) *sqlproof.Block {
	at := r.at(r.outside(-1, "update"))
	b := r.Begin(sqlproof.Update, nil, false, at)
	r.with(s.With, b)
	r.written = r.assignedTables(s)
	b.From = r.from(s.TableRefs, b, at)
	b.Ignores = s.IgnoreErr
	b.Set = r.set(s.List, b)
	b.Where = r.expr(s.Where, b)
	b.OrderBy = r.orderBy(s.Order, b)
	r.limit(s.Limit, b)
	return b
}

// assignedTables returns the tables that an UPDATE writes to. Whose a column without a qualifier is cannot be told, so that
// with one all are.
func (r *reader) assignedTables(s *ast.UpdateStmt) map[*ast.TableSource]bool {
	all := leaves(s.TableRefs.TableRefs, nil)
	written := map[*ast.TableSource]bool{}
	for _, a := range s.List {
		found := false
		for _, t := range all {
			if a.Column.Table.O == "" || goesBy(t, "", a.Column.Table.O) {
				written[t], found = true, true
			}
		}
		if !found {
			r.Unknown(-1, "the table whose column "+a.Column.Name.O+" is assigned")
		}
	}
	return written
}

func (r *reader) delete(s *ast.DeleteStmt) *sqlproof.Block {
	keyword := r.outside(-1, "delete")
	b := r.Begin(sqlproof.Delete, nil, false, r.at(keyword))
	r.with(s.With, b)
	from := r.outside(keyword, "from")
	if s.IsMultiTable {
		first := from + 1
		if s.BeforeFrom {
			for first = keyword + 1; r.is(first, "low_priority", "quick", "ignore") && !endsList(r.tokens, first+1); first++ {
			}
		}
		r.claimNames(first)
		r.written = r.deletedTables(s)
		b.From = r.from(s.TableRefs, b, r.at(keyword))
	} else if as, ok := s.TableRefs.TableRefs.Left.(*ast.TableSource); ok {
		r.written = map[*ast.TableSource]bool{as: true}
		if name, ok := as.Source.(*ast.TableName); ok {
			b.From = r.named(name, as, b, r.at(from+1))
		} else {
			r.Unknown(-1, "DELETE")
		}
	}
	b.Where = r.expr(s.Where, b)
	b.OrderBy = r.orderBy(s.Order, b)
	r.limit(s.Limit, b)
	return b
}

// endsList tells whether what stands at a token ends the list of tables of a DELETE, so that what is before it is a table.
func endsList(tokens []sqltext.Token, i int) bool {
	return i >= len(tokens) || tokens[i].Kind == sqltext.Comma || tokens[i].Kind == sqltext.Dot
}

// deletedTables returns the tables that the list of a DELETE names: by their aliases, if they have some.
func (r *reader) deletedTables(s *ast.DeleteStmt) map[*ast.TableSource]bool {
	all := leaves(s.TableRefs.TableRefs, nil)
	written := map[*ast.TableSource]bool{}
	for _, n := range s.Tables.Tables {
		found := false
		for _, t := range all {
			if goesBy(t, n.Schema.O, n.Name.O) {
				written[t], found = true, true
			}
		}
		if !found {
			r.Unknown(-1, "table "+n.Name.O+", which is to be deleted from and not in FROM,")
		}
	}
	return written
}

// leaves appends the tables of a FROM clause.
func leaves(n ast.ResultSetNode, into []*ast.TableSource) []*ast.TableSource {
	switch n := n.(type) {
	case *ast.Join:
		return leaves(n.Right, leaves(n.Left, into))
	case *ast.TableSource:
		if _, ok := n.Source.(*ast.TableName); ok {
			return append(into, n)
		}
	}
	return into
}

// goesBy tells whether a table may go by a name: which letters are the same depends on the server.
func goesBy(t *ast.TableSource, schema, name string) bool {
	n, ok := t.Source.(*ast.TableName)
	if !ok {
		return false
	}
	if t.AsName.O != "" {
		return strings.EqualFold(t.AsName.O, name)
	}
	return strings.EqualFold(n.Name.O, name) && (schema == "" || n.Schema.O == "" || strings.EqualFold(n.Schema.O, schema))
}
