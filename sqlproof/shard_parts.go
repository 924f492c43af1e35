package sqlproof

import "slices"

// keys puts together what is said of the keys of all references.
func (p *proof) keys() []*Keys {
	for i := range p.sharded {
		p.readKeys(&p.sharded[i])
	}
	lasts := p.lasts()
	var all []*Keys
	var firsts []*shardRef // that they have in the text
	for i := range p.sharded {
		r := &p.sharded[i]
		at := slices.IndexFunc(all, func(k *Keys) bool { return k.Sharding == r.key.Sharding })
		if at < 0 {
			at = len(all)
			all, firsts = append(all, &Keys{Sharding: r.key.Sharding}), append(firsts, r)
		}
		k := all[at]
		if !slices.Contains(k.Tables, r.table) {
			k.Tables = append(k.Tables, r.table)
		}
		if len(r.rows) > 0 {
			k.rows = append(k.rows, rowKeys{r.rows, r.rowIDs, r.table, p.showsRows(r)})
		}
		if lasts[i] != i {
			continue
		}
		k.parts = append(k.parts, p.partOf(i))
		switch {
		case k.Apart != nil:
		case len(k.parts) > 1:
			k.Apart = p.apart(r, firsts[at])
		case !p.spreads(i):
			k.Apart = p.gathers(r)
		}
	}
	for i := range all[1:] {
		for _, k := range all {
			if k.Apart == nil {
				k.Apart = p.apart(firsts[i+1], firsts[0])
			}
		}
	}
	return all
}

// lasts finds for each reference one that it has the key of, and that has the key of no further one: the first of those
// that all have the key of one another. It stands for all of them.
func (p *proof) lasts() []int {
	reach := make([][]bool, len(p.sharded))
	for i := range reach {
		reach[i] = p.reach(i)
	}
	out := make([]int, len(p.sharded))
	for i := range out {
		for j := range p.sharded {
			if reach[i][j] && comesBack(reach, j) {
				out[i] = j
				break
			}
		}
	}
	return out
}

// comesBack tells whether all that a reference reaches reach it.
func comesBack(reach [][]bool, i int) bool {
	for j, reached := range reach[i] {
		if reached && !reach[j][i] {
			return false
		}
	}
	return true
}

// reach marks all references that one has the key of, itself among them.
func (p *proof) reach(from int) []bool {
	seen := make([]bool, len(p.sharded))
	var mark func(int)
	mark = func(i int) {
		if seen[i] {
			return
		}
		seen[i] = true
		for _, to := range p.sharded[i].ties {
			mark(to)
		}
	}
	mark(from)
	return seen
}

// partOf returns the part that a reference stands for, with the bounds of all that it has the key of.
func (p *proof) partOf(i int) part {
	out := part{table: p.sharded[i].table}
	var all []bound
	for j, in := range p.reach(i) {
		if !in {
			continue
		}
		r := &p.sharded[j]
		if r.own.kind != unbound {
			all = append(all, r.own)
		}
		if r.ids.kind != unbound {
			out.ids = append(out.ids, idBound{r.ids, r.key.IDType})
		}
	}
	out.bound = meet(all)
	return out
}

// spreads tells whether the statement goes through the rows of a reference, or of one with its key, so that those of each
// placement can be gone through by themselves: each row of the result, and each that is written, comes with one of them.
// What a SELECT makes of the rows at its end, such as groups or the first ten, counts for nothing here.
func (p *proof) spreads(i int) bool {
	main := p.st.Main
	from := main
	switch {
	case main.Kind == Insert && main.Query != nil:
		if from = main.Query; !from.givesRows() {
			return false
		}
	case main.Kind >= Insert && (main.Limit != nil || main.Offset != nil):
		return false
	}
	for _, b := range p.st.Blocks {
		for _, s := range b.Sources {
			if s.Target && p.refOf(s) < 0 {
				return false
			}
		}
	}
	for j, in := range p.reach(i) {
		if s := p.sharded[j].source; in && s.Block == from && (&tableOf{source: s}).keeps() {
			return true
		}
	}
	return false
}

// gathers explains why a statement that does not spread is for one placement.
func (p *proof) gathers(r *shardRef) *Refusal {
	refusal := p.refuse(r.source, "the statement does not go through its rows one by one: without those of other shards it would find something else",
		"give "+r.source.Called()+"."+r.key.Column+" a value, or select from the table itself")
	refusal.Crosses = true
	return refusal
}

// apart explains why a statement with two references is for one placement.
func (p *proof) apart(r, first *shardRef) *Refusal {
	refusal := p.refuse(r.source, "no condition says that its rows are on the shard of those of "+describe(first.source)+" that they are joined with or compared to",
		"equate "+r.source.Called()+"."+r.key.Column+" with "+first.source.Called()+"."+first.key.Column+", or both with one value")
	if r.key.Sharding != first.key.Sharding {
		refusal = p.refuse(r.source, "it is sharded in another way than "+describe(first.source), "equate both keys with values that are on one shard, or use two statements")
	}
	refusal.Crosses = true
	return refusal
}
