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
		for _, a := range b.Set {
			if refusal := p.rekeys(r, a); refusal != nil {
				return refusal
			}
		}
		for _, u := range b.Upserts {
			for _, a := range u.Set {
				if refusal := p.rekeys(r, a); refusal != nil {
					return refusal
				}
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

// rekeys refuses an assignment to the shard key that is not of what the row has in it already.
func (p *proof) rekeys(r *shardRef, a Assignment) *Refusal {
	if a.Qualifier != "" && !p.st.same(a.Qualifier, r.source.Called()) || !p.st.same(a.Column, r.table.ShardKey) {
		return nil
	}
	if a.Value != nil && p.isOwn(a.Value, r.source, r.table.ShardKey, false) {
		return nil
	}
	refusal := p.refuse(r.source, "column "+r.table.ShardKey+" is its shard key, with which a row would belong on another shard", "leave it out, or delete the row and insert it anew")
	refusal.Crosses = true
	return refusal
}

// keysOfRows reads the keys of the rows that an INSERT makes.
func (p *proof) keysOfRows(r *shardRef) *Refusal {
	b, column := r.source.Block, r.table.ShardKey
	if len(b.Columns) == 0 {
		return p.keyless(r, "an INSERT without the names of its columns", "name them: INSERT INTO "+r.source.Name+" (a, b) …")
	}
	named := func(c Column) bool { return p.st.same(c.Name, column) }
	at := slices.IndexFunc(b.Columns, named)
	if at < 0 {
		return p.keyless(r, "column "+column+", its shard key, is not given a value", "give it one")
	}
	if slices.ContainsFunc(b.Columns[at+1:], named) {
		return p.keyless(r, "column "+column+", its shard key, is given twice", "")
	}
	if b.Query != nil {
		return p.keysOfQuery(r, at)
	}
	for _, row := range b.Rows {
		if at >= len(row) || !r.takes(row[at]) {
			return p.unknownKey(r)
		}
	}
	if len(r.rows) == 0 {
		return p.unknownKey(r)
	}
	r.own = bound{kind: isOneOf, values: r.rows}
	return nil
}

// takes notes the value of the key of one row; false if it is none that is known.
func (r *shardRef) takes(e *Expr) bool {
	v, ok := keyValueOf(e, &r.table)
	r.rows = append(r.rows, v...)
	return ok && len(v) == 1
}

// keysOfQuery reads the keys of the rows that an INSERT takes from a query: values, or, in a single SELECT, the key of a
// table that is placed alike.
func (p *proof) keysOfQuery(r *shardRef, at int) *Refusal {
	arms := r.source.Block.Query.arms()
	for _, arm := range arms {
		if arm.Kind != Select || at >= len(arm.Items) || slices.ContainsFunc(arm.Items[:at+1], func(i *Item) bool { return i.Star || i.Expr == nil }) {
			return p.unknownKey(r)
		}
		e := arm.Items[at].Expr
		if r.takes(e) {
			continue
		}
		if len(arms) > 1 || e.Op != Field || !p.keepsKey(e, arm) || p.tie(r, e, arm) < 0 {
			return p.unknownKey(r)
		}
	}
	if len(r.rows) > 0 {
		r.own = bound{kind: isOneOf, values: r.rows}
	}
	return nil
}

// keepsKey tells whether a column is of a source that no outer join gives rows of NULLs.
func (p *proof) keepsKey(e *Expr, arm *Block) bool {
	s := p.resolve(e, arm)
	return s != nil && s.Block == arm && (&tableOf{source: s}).keeps()
}

func (p *proof) unknownKey(r *shardRef) *Refusal {
	return p.keyless(r, "what is to be in column "+r.table.ShardKey+", its shard key, is not known before it is written", "give it a value")
}

func (p *proof) keyless(r *shardRef, why, instead string) *Refusal {
	refusal := p.refuse(r.source, why, instead)
	refusal.Keyless = true
	return refusal
}
