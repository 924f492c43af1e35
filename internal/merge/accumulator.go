package merge

import (
	"database/sql/driver"
	"math"
	"strconv"
)

// accumulator is a column of a group in the making.
type accumulator interface {
	add(row []driver.Value) error
	result() (driver.Value, error)
}

// first keeps the value of the group's first row.
type first struct {
	column int
	value  driver.Value
	set    bool
}

func (f *first) add(row []driver.Value) error {
	if !f.set {
		f.value, f.set = retained(row[f.column]), true
	}
	return nil
}

func (f *first) result() (driver.Value, error) { return f.value, nil }

// counter sums counts.
type counter struct {
	column int
	name   string
	count  int64
}

func (c *counter) add(row []driver.Value) error {
	n, ok := row[c.column].(int64)
	if !ok {
		if row[c.column] == nil {
			return nil
		}
		s, isText := numeral(row[c.column])
		parsed, err := strconv.ParseInt(s, 10, 64)
		if !isText || err != nil {
			return &UnmergeableError{Column: c.name, Reason: "a count that is no integer"}
		}
		n = parsed
	}
	if n < 0 || c.count > math.MaxInt64-n {
		return &OverflowError{Column: c.name}
	}
	c.count += n
	return nil
}

func (c *counter) result() (driver.Value, error) { return c.count, nil }

// extremum keeps the least value or the greatest; of equal ones the first.
type extremum struct {
	column   int
	compare  comparison
	greatest bool
	value    driver.Value
}

func (e *extremum) add(row []driver.Value) error {
	v := row[e.column]
	if v == nil {
		return nil
	}
	if e.value != nil {
		n, err := e.compare(v, e.value)
		if err != nil || n == 0 || (n > 0) != e.greatest {
			return err
		}
	}
	e.value = retained(v)
	return nil
}

func (e *extremum) result() (driver.Value, error) { return e.value, nil }

// summing sums sums.
type summing struct {
	column int
	adder  adder
}

func (s *summing) add(row []driver.Value) error {
	if row[s.column] == nil {
		return nil
	}
	return s.adder.add(row[s.column])
}

func (s *summing) result() (driver.Value, error) { return s.adder.sum() }

// averaging sums sums and counts.
type averaging struct {
	column int
	adder  adder
	count  counter
	divide division
}

func (a *averaging) add(row []driver.Value) error {
	if err := a.count.add(row); err != nil || row[a.column] == nil {
		return err
	}
	return a.adder.add(row[a.column])
}

func (a *averaging) result() (driver.Value, error) {
	if a.count.count == 0 {
		return nil, nil
	}
	return a.divide(a.adder, a.count.count)
}
