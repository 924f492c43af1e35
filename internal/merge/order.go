package merge

import (
	"database/sql/driver"

	"github.com/gormtenancy/tenancy/internal/dialect"
)

// order compares rows by columns.
type order []sortColumn

type sortColumn struct {
	column     int
	descending bool
	nullsFirst bool
	compare    comparison
}

// orderOf returns the order of rows that have these columns.
func orderOf(d *Description, columns shape) (order, error) {
	o := make(order, 0, len(d.Order))
	for _, s := range d.Order {
		if s.Column < 0 {
			s.Column += len(columns)
		}
		if s.Column < 0 || s.Column >= len(columns) {
			return nil, misfit("it sorts by column %d of %d", s.Column, len(columns))
		}
		compare, err := comparisonOf(&columns[s.Column])
		if err != nil {
			return nil, err
		}
		c := sortColumn{column: s.Column, descending: s.Descending, compare: compare}
		switch s.Nulls {
		case NullsFirst:
			c.nullsFirst = true
		case NullsLast:
		case NullsDefault:
			c.nullsFirst = (d.Engine != dialect.Postgres) != s.Descending
		default:
			return nil, misfit("a place of NULL that there is not")
		}
		o = append(o, c)
	}
	return o, nil
}

func (o order) compare(a, b []driver.Value) (int, error) {
	for i := range o {
		c := &o[i]
		x, y := a[c.column], b[c.column]
		if x == nil || y == nil {
			n := compareBool(x == nil, y == nil)
			if c.nullsFirst {
				n = -n
			}
			if n != 0 {
				return n, nil
			}
			continue
		}
		n, err := c.compare(x, y)
		if err != nil {
			return 0, err
		}
		if n != 0 {
			if c.descending {
				n = -n
			}
			return n, nil
		}
	}
	return 0, nil
}
