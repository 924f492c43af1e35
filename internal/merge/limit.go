package merge

import (
	"database/sql/driver"
	"io"
)

// limited leaves rows out at the beginning and ends when enough were given.
type limited struct {
	from   stream
	offset int64
	left   *int64 // nil: all
	enough func() // called when the last row is given
}

func (l *limited) next() ([]driver.Value, error) {
	if l.left != nil && *l.left <= 0 {
		l.enough()
		return nil, io.EOF
	}
	for ; l.offset > 0; l.offset-- {
		if _, err := l.from.next(); err != nil {
			return nil, err
		}
	}
	row, err := l.from.next()
	if err == nil && l.left != nil {
		if *l.left--; *l.left == 0 {
			l.enough()
		}
	}
	return row, err
}
