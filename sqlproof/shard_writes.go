package sqlproof

import "slices"

// shardWrites looks at the keys that a statement writes: each row that an INSERT makes must have one that is known, and no
// statement may change the key of a row, which would stay where it is.
func (p *proof) shardWrites() *Refusal {
	for i := range p.sharded {
		r := &p.sharded[i]
		if !r.source.Target {
			continue
		}
		b := r.source.Block
		if refusal := p.rekeys(r, b.Set); refusal != nil {
			return refusal
		}
		for _, u := range b.Upserts {
			if refusal := p.rekeys(r, u.Set); refusal != nil {
				return refusal
			}
		}
		if b.Kind != Insert {
			continue
		}
		if p.cuts(b) {
			return p.refuse(r.source, "IGNORE cuts values to fit, and the shard key with them", "leave IGNORE out")
		}
		if refusal := p.keysOfRows(r); refusal != nil {
			return refusal
		}
	}
	return nil
}

// rekeys refuses to assign anything to a column that says where a row is, but what the row has in it already.
func (p *proof) rekeys(r *shardRef, set []Assignment) *Refusal {
	for _, a := range set {
		if a.Qualifier != "" && !p.st.same(a.Qualifier, r.source.Called()) {
			continue
		}
		for _, of := range []keyColumn{r.key.key(), r.key.id()} {
			if of.name == "" || !p.st.same(a.Column, of.name) || a.Value != nil && p.isOwn(a.Value, r.source, of.name, false) {
				continue
			}
			refusal := p.refuse(r.source, "column "+of.name+", "+of.what+", is to be another one, with which a row would belong on another shard", "leave it out, or delete the row and insert it anew")
			refusal.Crosses = true
			return refusal
		}
	}
	return nil
}

// keysOfRows reads the keys of the rows that an INSERT makes, and their IDs if those carry their shard.
func (p *proof) keysOfRows(r *shardRef) *Refusal {
	if len(r.source.Block.Columns) == 0 {
		return p.keyless(r, "an INSERT without the names of its columns", "name them: INSERT INTO "+r.source.Name+" (a, b) …")
	}
	var refusal *Refusal
	if r.rows, refusal = p.given(r, r.key.key()); refusal != nil {
		return refusal
	}
	if len(r.rows) > 0 {
		r.own = bound{kind: isOneOf, values: r.rows}
	}
	if r.key.ID == "" {
		return nil
	}
	if r.rowIDs, refusal = p.given(r, r.key.id()); len(r.rowIDs) > 0 && !p.showsRows(r) {
		return p.keyless(r, "whether its IDs and its keys say the same shard is not known before it is written", "write the rows in an INSERT of their own, with VALUES")
	}
	return refusal
}

// given returns the values that an INSERT gives a column: none if they are those that a table which it selects from has in
// that column, on the same shard.
func (p *proof) given(r *shardRef, of keyColumn) ([]keyValue, *Refusal) {
	b := r.source.Block
	named := func(c Column) bool { return p.st.same(c.Name, of.name) }
	at := slices.IndexFunc(b.Columns, named)
	if at < 0 {
		return nil, p.keyless(r, "column "+of.name+", "+of.what+", is not given a value", "give it one")
	}
	if slices.ContainsFunc(b.Columns[at+1:], named) {
		return nil, p.keyless(r, "column "+of.name+", "+of.what+", is given twice", "")
	}
	if b.Query != nil {
		return p.selected(r, of, at)
	}
	var values []keyValue
	for _, row := range b.Rows {
		v, ok := valueAt(row, at, of)
		if !ok {
			return nil, p.unknown(r, of)
		}
		values = append(values, v)
	}
	if len(values) == 0 {
		return nil, p.unknown(r, of)
	}
	return values, nil
}

// showsRows tells whether the statement is an INSERT with the rows in its text.
func (p *proof) showsRows(r *shardRef) bool {
	return r.source.Block == p.st.Main && len(r.source.Block.Rows) > 0
}

// valueAt reads one of the values of a row; NULL is none.
func valueAt(row []*Expr, at int, of keyColumn) (v keyValue, ok bool) {
	if at >= len(row) || row[at] == nil {
		return v, false
	}
	all, ok := keyValueOf(row[at], of.holds)
	if !ok || len(all) != 1 {
		return v, false
	}
	return all[0], true
}

// selected returns the values that a query gives a column, as given does. Of a table they can only be in a single SELECT.
func (p *proof) selected(r *shardRef, of keyColumn, at int) ([]keyValue, *Refusal) {
	var values []keyValue
	arms := r.source.Block.Query.arms()
	for _, arm := range arms {
		if arm.Kind != Select || at >= len(arm.Items) || slices.ContainsFunc(arm.Items[:at+1], func(i *Item) bool { return i.Star || i.Expr == nil }) {
			return nil, p.unknown(r, of)
		}
		e := arm.Items[at].Expr
		if v, ok := valueAt([]*Expr{e}, 0, of); ok {
			values = append(values, v)
		} else if len(arms) > 1 || e.Op != Field || !p.keepsKey(e, arm) || !p.carries(r, of, e, arm) {
			return nil, p.unknown(r, of)
		}
	}
	return values, nil
}

// carries tells whether a column has for the rows of r what a table that is placed alike has in it: the key, which ties r
// to that table, or the ID, if it is tied to it by the key.
func (p *proof) carries(r *shardRef, of keyColumn, e *Expr, arm *Block) bool {
	if of == r.key.key() {
		return p.tie(r, e, arm) >= 0
	}
	from := p.refOf(p.resolve(e, arm))
	return slices.Contains(r.ties, from) && p.sharded[from].key.IDType == of.holds && p.st.same(p.sharded[from].key.ID, e.Name)
}

// keepsKey tells whether a column is of a source that no outer join gives rows of NULLs.
func (p *proof) keepsKey(e *Expr, arm *Block) bool {
	s := p.resolve(e, arm)
	return s != nil && s.Block == arm && (&tableOf{source: s}).keeps()
}

func (p *proof) unknown(r *shardRef, of keyColumn) *Refusal {
	return p.keyless(r, "what is to be in column "+of.name+", "+of.what+", is not known before it is written", "give it a value")
}

func (p *proof) keyless(r *shardRef, why, instead string) *Refusal {
	refusal := p.refuse(r.source, why, instead)
	refusal.Keyless = true
	return refusal
}
