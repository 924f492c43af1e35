package merge

import (
	"database/sql/driver"
	"errors"
	"io"
)

// ordered merges sources that are sorted. The heads are a heap: the least row comes first, and of equal ones that of the source
// that stands first.
type ordered struct {
	order   order
	columns shape
	cursors []*cursor // all of them; nil when they are in heads
	accept  func(*source) error
	heads   []head
	unique  bool // no two heads may be equal
	err     error
	given   bool // heads[0] was given
}

// head is the first row of a source that has not been given.
type head struct {
	*cursor
	place int
	row   []driver.Value
}

func (o *ordered) next() ([]driver.Value, error) {
	switch {
	case o.cursors != nil:
		if err := o.begin(); err != nil {
			return nil, err
		}
	case o.given:
		if err := o.advance(); err != nil {
			return nil, err
		}
	}
	if len(o.heads) == 0 {
		return nil, io.EOF
	}
	o.given = true
	if o.unique {
		if err := o.alone(); err != nil {
			return nil, err
		}
	}
	return o.heads[0].row, nil
}

// alone refuses a least row that another source has too. In a heap one of the two heads below it is then equal.
func (o *ordered) alone() error {
	for i := 1; i < min(len(o.heads), 3); i++ {
		n, err := o.order.compare(o.heads[0].row, o.heads[i].row)
		if err != nil {
			return err
		}
		if n == 0 {
			return &AmbiguousError{Sources: [2]string{o.heads[0].source.Name, o.heads[i].source.Name}}
		}
	}
	return nil
}

// begin waits for the first row of all sources.
func (o *ordered) begin() error {
	for i, c := range o.cursors {
		if err := c.await(); err != nil {
			return err
		}
		if err := o.accept(c.source); err != nil {
			return err
		}
		row, err := c.next()
		if errors.Is(err, io.EOF) {
			continue
		}
		if err != nil {
			return err
		}
		o.heads = append(o.heads, head{cursor: c, place: i, row: row})
	}
	o.cursors = nil
	for i := len(o.heads)/2 - 1; i >= 0; i-- {
		o.sink(i)
	}
	return o.err
}

// advance replaces the row that was given by the next one of its source.
func (o *ordered) advance() error {
	h := &o.heads[0]
	last := h.row
	if !h.more() { // its memory is about to be used again
		last = make([]driver.Value, len(h.row))
		for i := range o.order {
			last[o.order[i].column] = retained(h.row[o.order[i].column])
		}
	}
	row, err := h.next()
	switch {
	case errors.Is(err, io.EOF):
		o.heads[0] = o.heads[len(o.heads)-1]
		o.heads = o.heads[:len(o.heads)-1]
	case err != nil:
		return err
	default:
		if err := o.inOrder(last, row); err != nil {
			return err
		}
		h.row = row
	}
	o.sink(0)
	return o.err
}

// inOrder refuses a source that is not sorted as we compare: then the database compares otherwise, and the merge would be wrong.
func (o *ordered) inOrder(last, row []driver.Value) error {
	n, err := o.order.compare(last, row)
	if err != nil || n <= 0 {
		return err
	}
	return &UnmergeableError{
		Column: o.columns[o.order[0].column].name,
		Reason: "the database does not sort by it, and what follows it, as it is compared here",
	}
}

// sink moves a head down to where it belongs.
func (o *ordered) sink(i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(o.heads); child++ {
			if o.before(child, least) {
				least = child
			}
		}
		if least == i || o.err != nil {
			return
		}
		o.heads[i], o.heads[least] = o.heads[least], o.heads[i]
		i = least
	}
}

func (o *ordered) before(i, j int) bool {
	a, b := &o.heads[i], &o.heads[j]
	n, err := o.order.compare(a.row, b.row)
	if err != nil {
		o.err = err
	}
	return n < 0 || n == 0 && a.place < b.place
}
