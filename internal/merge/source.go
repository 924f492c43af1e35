package merge

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
)

var errNoRows = errors.New("the source opened without rows")

// source is a [Source] that is being read.
type source struct {
	Source
	buffer *buffer
	shape  shape // set before the buffer has a row or ends

	ctx    context.Context
	cancel context.CancelFunc
	begun  atomic.Bool // its first row is there, or its end
}

// owner is rows whose values are nobody else's.
type owner interface{ ownsBytes() }

// read opens the source and puts its rows into the buffer until they end, or stop is closed.
func (s *source) read(stop <-chan struct{}, begun func()) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("it panicked: %v", v)
		}
	}()
	rows, err := s.Open(s.ctx)
	if err != nil {
		return err
	}
	if rows == nil {
		return errNoRows
	}
	defer func() {
		if closed := rows.Close(); err == nil {
			err = closed
		}
	}()
	_, ours := rows.(owner)
	row := make([]driver.Value, len(rows.Columns()))
	for {
		err := rows.Next(row)
		ended := errors.Is(err, io.EOF)
		if err != nil && !ended {
			return err
		}
		first := !s.begun.Load()
		if first {
			s.shape = shapeOf(rows) // some drivers know types only when they have a row
			s.begun.Store(true)
		}
		if ended {
			return nil
		}
		if err := s.buffer.put(s.ctx, stop, row, ours); err != nil {
			return err
		}
		if first {
			begun()
		}
	}
}
