package sqlproof

import "fmt"

// ShardKey says which columns of a table say where its rows are.
type ShardKey struct {
	Column string
	Type   string // what the column holds: "bigint", "text", "uuid", or "" for anything else
	// ID is a column whose values say it by themselves, as IDs do that carry their shard; "" if there is none.
	ID     string
	IDType string // as Type
	// Sharding is the caller's, and can be compared: tables with the same have their rows with equal keys in one place.
	Sharding any
}

// keyColumn is one of those columns.
type keyColumn struct{ name, holds, what string }

func (k *ShardKey) key() keyColumn { return keyColumn{k.Column, k.Type, "its shard key"} }

func (k *ShardKey) id() keyColumn { return keyColumn{k.ID, k.IDType, "which says what shard it is on"} }

// Keys says which shard keys the rows can have that a statement touches, in the tables of one [ShardKey.Sharding]. It is for
// every set of arguments, and may be used concurrently.
//
// If all the keys of all Keys of a plan have one placement, the statement gives there what one database with all rows
// would give. If they have several, it must not run if one of them is Apart. Otherwise each row of a join is made of rows
// of one placement; whether the rows of all placements can be put together is for the caller to know, and an INSERT with
// Rows is for it to split.
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
	ids   []idBound // what is said of the IDs of any of them, if those carry their shard
}

// idBound is a bound of IDs.
type idBound struct {
	bound bound
	holds string
}

// rowKeys are the keys of the rows of an INSERT.
type rowKeys struct {
	values []keyValue
	ids    []keyValue
	table  Table
	shown  bool // the statement is that INSERT, and has the rows in its text
}

// KeySet are the keys that the rows can have that a statement touches.
type KeySet struct {
	Any   bool  // they can have any
	Table Table // whose rows can, if Any
	// Values are the keys otherwise, in canonical form (internal/shardkey); one can be there twice. Without any, and
	// without IDs, no row meets the conditions, so that the statement does the same in every placement.
	Values []any
	// IDs are values of [ShardKey.ID] in canonical form: the rows can be where they say, too. It is for parts of the
	// statement that say nothing of a key.
	IDs []any
	// Rows are the keys of the rows that an INSERT with VALUES has in its text, in their order; nil for other statements.
	// RowIDs are their IDs, which must say the same placement, if the table has such IDs.
	Rows, RowIDs []any
}

// KeyError says that a row of an INSERT has no key, or one that cannot be placed. It does not have the value in it.
type KeyError struct {
	Table, Column string
	Row           int // counted from 0
}

// Error implements error.
func (e *KeyError) Error() string {
	return fmt.Sprintf("row %d for table %s has no value in column %s that says where it belongs", e.Row+1, e.Table, e.Column)
}

// Of returns the keys for a statement's arguments, as they are sent. Its error is a [*KeyError].
func (k *Keys) Of(args []any) (KeySet, error) {
	var set KeySet
	for i := range k.rows {
		r := &k.rows[i]
		rows, err := rowValues(r.values, args, r.table.Name, r.table.ShardKey.key())
		if err != nil {
			return KeySet{}, err
		}
		ids, err := rowValues(r.ids, args, r.table.Name, r.table.ShardKey.id())
		if err != nil {
			return KeySet{}, err
		}
		if r.shown {
			set.Rows, set.RowIDs = rows, ids
		}
	}
	for i := range k.parts {
		part := &k.parts[i]
		if keys, ok := part.bound.of(args, part.table.ShardKey.Type); ok {
			set.Values = added(set.Values, keys)
		} else if ids, ok := part.idsOf(args); ok {
			set.IDs = added(set.IDs, ids)
		} else {
			set.Any, set.Table, set.Values, set.IDs = true, part.table, nil, nil
			return set, nil
		}
	}
	return set, nil
}

// idsOf returns the IDs that some of the references can have.
func (p *part) idsOf(args []any) (ids []any, ok bool) {
	for i := range p.ids {
		if ids, ok = p.ids[i].bound.of(args, p.ids[i].holds); ok {
			return ids, true
		}
	}
	return nil, false
}

func added(to, more []any) []any {
	if len(to) == 0 {
		return more
	}
	return append(to, more...)
}

// rowValues returns what each row has in a column. NULL is nothing.
func rowValues(values []keyValue, args []any, table string, of keyColumn) ([]any, error) {
	if len(values) == 0 {
		return nil, nil
	}
	rows := make([]any, 0, len(values))
	for _, v := range values {
		times := max(v.times, 1)
		v.times = 1
		for range times {
			had := len(rows)
			more, ok := v.appendTo(rows, args, of.holds)
			if !ok || len(more) == had {
				return nil, &KeyError{table, of.name, had}
			}
			rows = more
			v.argument += v.every
		}
	}
	return rows, nil
}

// size is about how many bytes it takes.
func (k *Keys) size() int {
	n := 192 + 112*len(k.Tables)
	for i := range k.rows {
		n += 160 + 48*(len(k.rows[i].values)+len(k.rows[i].ids))
	}
	for i := range k.parts {
		n += 160 + k.parts[i].bound.size()
		for j := range k.parts[i].ids {
			n += 16 + k.parts[i].ids[j].bound.size()
		}
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
			long.rows[j] = rowKeys{movedValues(r.values, m), movedValues(r.ids, m), r.table, r.shown}
		}
		for j := range k.parts {
			long.parts[j] = part{bound: k.parts[j].bound.moved(m), table: k.parts[j].table}
			for _, id := range k.parts[j].ids {
				long.parts[j].ids = append(long.parts[j].ids, idBound{id.bound.moved(m), id.holds})
			}
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

// HasRows tells whether an INSERT in the statement gives rows of its own.
func (k *Keys) HasRows() bool { return len(k.rows) > 0 }
