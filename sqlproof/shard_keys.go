package sqlproof

import "fmt"

// Keys says which shard keys the rows can have that a statement touches, in the tables of one [Table.Sharding]. It is for
// every set of arguments, and may be used concurrently.
//
// If all the keys of all Keys of a plan have one placement, the statement gives there what one database with all rows
// would give. If they have several, it must not run if one of them is Apart. Otherwise each row of a join is made of rows
// of one placement; whether the rows of all placements can be put together is for the caller to know.
type Keys struct {
	Sharding any
	Tables   []Table  // those that the text names, each once
	Apart    *Refusal // why the statement must not run in several placements; nil if it may

	parts []part
	rows  []rowKeys
}

// part are references that all have the key of one of them, of which the bound is.
type part struct {
	bound bound
	table Table
}

// rowKeys are the keys of the rows of an INSERT.
type rowKeys struct {
	values []keyValue
	table  Table
	shown  bool // the statement is that INSERT, and has the rows in its text
}

// KeySet are the keys that the rows can have that a statement touches.
type KeySet struct {
	Any   bool  // they can have any
	Table Table // whose rows can, if Any
	// Values are the keys otherwise, in canonical form (internal/shardkey); one can be there twice. Without any, no row
	// meets the conditions, so that the statement does the same in every placement.
	Values []any
	// Rows are the keys of the rows that an INSERT with VALUES has in its text, in their order; nil for other statements.
	Rows []any
}

// KeyError says that a row of an INSERT has no key, or one that cannot be placed. It does not have the value in it.
type KeyError struct {
	Table, Column string
	Row           int // counted from 0
}

// Error implements error.
func (e *KeyError) Error() string {
	return fmt.Sprintf("row %d for table %s has no value in column %s, its shard key, that says where it belongs", e.Row+1, e.Table, e.Column)
}

// Of returns the keys for a statement's arguments, as they are sent. Its error is a [*KeyError].
func (k *Keys) Of(args []any) (KeySet, error) {
	var set KeySet
	for i := range k.rows {
		rows, err := k.rows[i].of(args)
		if err != nil {
			return KeySet{}, err
		}
		if k.rows[i].shown {
			set.Rows = rows
		}
	}
	for i := range k.parts {
		part := &k.parts[i]
		keys, ok := part.bound.of(args, &part.table)
		switch {
		case !ok:
			set.Any, set.Table, set.Values = true, part.table, nil
			return set, nil
		case i == 0:
			set.Values = keys
		default:
			set.Values = append(set.Values, keys...)
		}
	}
	return set, nil
}

// of returns the key of each row. NULL is none.
func (r *rowKeys) of(args []any) ([]any, error) {
	rows := make([]any, 0, len(r.values))
	for i := range r.values {
		v := r.values[i]
		times := max(v.times, 1)
		v.times = 1
		for range times {
			had := len(rows)
			more, ok := v.appendTo(rows, args, &r.table)
			if !ok || len(more) == had {
				return nil, &KeyError{r.table.Name, r.table.ShardKey, had}
			}
			rows = more
			v.argument += v.every
		}
	}
	return rows, nil
}

// size is about how many bytes it takes.
func (k *Keys) size() int {
	n := 192 + 192*len(k.Tables)
	for i := range k.rows {
		n += 192 + 48*len(k.rows[i].values)
	}
	for i := range k.parts {
		n += 192 + k.parts[i].bound.size()
	}
	return n
}

// keys moves keys to the arguments of a longer text.
func (m *moves) keys(short []*Keys) []*Keys {
	all := make([]*Keys, len(short))
	for i, k := range short {
		long := *k
		long.rows, long.parts = make([]rowKeys, len(k.rows)), make([]part, len(k.parts))
		for j, r := range k.rows {
			long.rows[j] = rowKeys{movedValues(r.values, m), r.table, r.shown}
		}
		for j := range k.parts {
			long.parts[j] = part{k.parts[j].bound.moved(m), k.parts[j].table}
		}
		if k.Apart != nil {
			somewhere := *k.Apart
			somewhere.Offset, somewhere.Line, somewhere.Column = -1, 0, 0 // it was found in another text
			long.Apart = &somewhere
		}
		all[i] = &long
	}
	return all
}
