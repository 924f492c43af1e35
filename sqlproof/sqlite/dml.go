package sqlite

import (
	"github.com/sqlc-dev/meyer/ast"

	"github.com/gormtenancy/tenancy/sqlproof"
)

// target adds the table that a statement writes to.
func (r reader) target(b *sqlproof.Block, name *ast.QualifiedName, alias *ast.Ident) *sqlproof.Source {
	as := ""
	if alias != nil {
		r.Claim(alias.Start)
		as = alias.Name
	}
	return r.Target(b, schemaOf(name), name.Name.Name, as, span(name))
}

func (r reader) insert(s *ast.InsertStmt) *sqlproof.Block {
	b := r.Begin(sqlproof.Insert, nil, false, s.Table.Start)
	r.with(s.With, b)
	r.target(b, s.Table, s.Alias)
	b.Replaces = s.Replace || s.OrConflict == ast.ConflictReplace
	b.Ignores = s.OrConflict == ast.ConflictIgnore
	for _, c := range s.Columns {
		b.Columns = append(b.Columns, sqlproof.Column{Span: sqlproof.Span{Start: c.Start, End: c.Stop}, Name: c.Name})
	}
	if s.Select != nil {
		if values, ok := s.Select.Cores[0].(*ast.ValuesClause); ok && len(s.Select.Cores) == 1 && s.Select.With == nil {
			b.Rows = r.rows(values, b)
		} else {
			b.Query = r.query(s.Select, b, false)
		}
	}
	for _, u := range s.Upserts {
		r.order(u.Target, b)
		r.expr(u.TargetWhere, b)
		upsert, at := sqlproof.Upsert{Nothing: u.DoNothing, Set: r.set(u.Set, b), Where: r.expr(u.Where, b)}, -1
		if len(u.Set) > 0 {
			at = u.Set[0].Start
		}
		r.Upsert(b, upsert, at)
	}
	b.Items = r.items(s.Returning, b)
	return b
}

func (r reader) update(s *ast.UpdateStmt) *sqlproof.Block {
	b := r.Begin(sqlproof.Update, nil, false, s.Table.Start)
	r.with(s.With, b)
	target := r.target(b, s.Table, s.Alias)
	b.Replaces = s.OrConflict == ast.ConflictReplace
	b.From = r.Join(sqlproof.Inner, r.Leaf(target), r.from(s.From, b))
	b.Set = r.set(s.Set, b)
	b.Where = r.expr(s.Where, b)
	b.Items = r.items(s.Returning, b)
	b.OrderBy = r.order(s.OrderBy, b)
	if s.Limit != nil {
		b.Limit, b.Offset = r.expr(s.Limit.Count, b), r.expr(s.Limit.Offset, b)
	}
	return b
}

func (r reader) delete(s *ast.DeleteStmt) *sqlproof.Block {
	b := r.Begin(sqlproof.Delete, nil, false, s.Table.Start)
	r.with(s.With, b)
	b.From = r.Leaf(r.target(b, s.Table, s.Alias))
	b.Where = r.expr(s.Where, b)
	b.Items = r.items(s.Returning, b)
	b.OrderBy = r.order(s.OrderBy, b)
	if s.Limit != nil {
		b.Limit, b.Offset = r.expr(s.Limit.Count, b), r.expr(s.Limit.Offset, b)
	}
	return b
}

func (r reader) set(pairs []*ast.SetPair, b *sqlproof.Block) []sqlproof.Assignment {
	var set []sqlproof.Assignment
	for _, p := range pairs {
		value := r.expr(p.Value, b)
		for _, c := range p.Columns {
			r.Claim(c.Start)
			a := sqlproof.Assignment{Column: c.Name}
			if len(p.Columns) == 1 {
				a.Value = value
			}
			set = append(set, a)
		}
	}
	return set
}
