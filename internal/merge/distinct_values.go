package merge

import (
	"database/sql/driver"
	"slices"
)

// distinctValues keeps the different values of a column. There are as many as a group has, so they count as groups do.
type distinctValues struct {
	place  int
	column *column
	memory *memory
	values map[string]driver.Value
	key    []byte
	finish func([]driver.Value) (driver.Value, error)
}

func (d *distinctValues) add(row []driver.Value) (err error) {
	v := row[d.place]
	if v == nil {
		return nil
	}
	if d.key, err = d.column.appendKey(d.key[:0], v); err != nil {
		return err
	}
	if _, ok := d.values[string(d.key)]; ok {
		return nil
	}
	if err := d.memory.take(1); err != nil {
		return err
	}
	d.values[string(d.key)] = retained(v)
	return nil
}

func (d *distinctValues) result() (driver.Value, error) {
	values := make([]driver.Value, 0, len(d.values))
	for _, v := range d.values {
		values = append(values, v)
	}
	return d.finish(values)
}

// distinctOf returns what makes an aggregate over the different values of a column.
func distinctOf(d *Description, c *column, r Result) (maker, error) {
	if _, err := equalityOf(shape{*c}); err != nil {
		return nil, err
	}
	finish := func(values []driver.Value) (driver.Value, error) { return int64(len(values)), nil }
	if r.Func != CountDistinct {
		var err error
		if finish, err = overDistinct(d, c, r.Func == AvgDistinct); err != nil {
			return nil, err
		}
	}
	return func(m *memory) accumulator {
		return &distinctValues{place: r.Column, column: c, memory: m, values: map[string]driver.Value{}, finish: finish}
	}, nil
}

// overDistinct sums or averages values, the least first, as the databases do.
func overDistinct(d *Description, c *column, average bool) (func([]driver.Value) (driver.Value, error), error) {
	adds, divide, err := averageOf(d, c, true)
	if !average {
		adds, err = distinctAdderOf(d, c)
	}
	if err != nil {
		return nil, err
	}
	compare, err := comparisonOf(c)
	if err != nil {
		return nil, err
	}
	return func(values []driver.Value) (driver.Value, error) {
		var failed error
		slices.SortFunc(values, func(a, b driver.Value) int {
			n, err := compare(a, b)
			if err != nil {
				failed = err
			}
			return n
		})
		sum := adds()
		for _, v := range values {
			if failed == nil {
				failed = sum.add(v)
			}
		}
		switch {
		case failed != nil || len(values) == 0:
			return nil, failed
		case average:
			return divide(sum, int64(len(values)))
		default:
			return sum.sum()
		}
	}, nil
}
