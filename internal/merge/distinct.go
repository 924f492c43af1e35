package merge

import "database/sql/driver"

// distinct leaves the first of several equal rows. Rows that are equal stand together as far as the rows are sorted: what was
// seen before the present run is forgotten.
type distinct struct {
	from   stream
	order  order
	equal  equality
	memory *memory
	seen   map[string]struct{}
	run    []driver.Value // the columns of the order, of the first row of the run
	key    []byte
}

func (d *distinct) next() ([]driver.Value, error) {
	for {
		row, err := d.from.next()
		if err != nil {
			return nil, err
		}
		if err := d.advance(row); err != nil {
			return nil, err
		}
		if d.key, err = d.equal.append(d.key[:0], row); err != nil {
			return nil, err
		}
		if _, ok := d.seen[string(d.key)]; ok {
			continue
		}
		if err := d.memory.take(1); err != nil {
			return nil, err
		}
		d.seen[string(d.key)] = struct{}{}
		return row, nil
	}
}

// advance begins another run if the row is not equal to the last ones in the columns of the order.
func (d *distinct) advance(row []driver.Value) error {
	if len(d.order) == 0 {
		return nil
	}
	if d.run != nil {
		if n, err := d.order.compare(d.run, row); err != nil || n == 0 {
			return err
		}
		d.memory.give(len(d.seen))
		clear(d.seen)
	} else {
		d.run = make([]driver.Value, len(row))
	}
	for i := range d.order {
		d.run[d.order[i].column] = retained(row[d.order[i].column])
	}
	return nil
}

// memory counts what is remembered.
type memory struct{ used, limit int }

func (m *memory) take(n int) error {
	if m.used += n; m.used > m.limit {
		return &TooManyError{Limit: m.limit}
	}
	return nil
}

func (m *memory) give(n int) { m.used -= n }
