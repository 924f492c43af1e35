package merge

import (
	"database/sql/driver"
	"errors"
	"io"
)

// stream is a step of the merge. It gives rows until io.EOF; a row is valid until the next one is asked for.
type stream interface {
	next() ([]driver.Value, error)
}

// cursor walks over the rows of one source.
type cursor struct {
	fan    *fanIn
	source *source
	batch  *batch
	at     int
}

func newCursor(f *fanIn, s *source) *cursor { return &cursor{fan: f, source: s, batch: new(batch)} }

// more tells whether the next row is there already, so that the present one stays valid.
func (c *cursor) more() bool { return c.at < c.batch.count }

func (c *cursor) next() (_ []driver.Value, err error) {
	if !c.more() {
		c.at = 0
		if c.batch, err = c.source.buffer.take(c.fan.caller, c.fan, c.batch); err != nil {
			return nil, err
		}
	}
	c.at++
	return c.batch.row(c.at - 1), nil
}

// await waits for the first row of the source, or its end; its shape is known then.
func (c *cursor) await() error {
	_, err := c.next()
	if errors.Is(err, io.EOF) {
		return nil
	}
	c.at = 0
	return err
}
