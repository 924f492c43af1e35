package merge

import (
	"database/sql/driver"
	"errors"
	"io"
)

// concatenation gives the rows of one source after the other.
type concatenation struct {
	cursors []*cursor
	accept  func(*source) error
}

func (c *concatenation) next() ([]driver.Value, error) {
	for len(c.cursors) > 0 {
		row, err := c.cursors[0].next()
		if !errors.Is(err, io.EOF) {
			return row, err
		}
		c.cursors = c.cursors[1:]
		if len(c.cursors) == 0 {
			break
		}
		if err := c.cursors[0].await(); err != nil {
			return nil, err
		}
		if err := c.accept(c.cursors[0].source); err != nil {
			return nil, err
		}
	}
	return nil, io.EOF
}
