package merge

import (
	"database/sql/driver"
	"errors"
	"io"
	"slices"
)

// Groups describes aggregates over all sources. A row of a source is what it has of a group, or of a group and one combination
// of the arguments of DISTINCT aggregates.
type Groups struct {
	// Keys are the columns of the sources that rows are grouped by. None: all rows are one group, which is there without rows
	// too.
	Keys []int
	// Results are the columns of the groups.
	Results []Result
	// Having leaves out groups. Nil: none.
	Having Predicate
}

// Result is a column of the groups.
type Result struct {
	// Name is the column's; "" is that of the source's column.
	Name string
	// Func is how the sources' values become one.
	Func Func
	// Column is the column of the sources that it is made of.
	Column int
	// Count is, for Avg, the column that counts what Column sums.
	Count int
}

// Func is an aggregate function.
type Func uint8

const (
	// Key is the value of one of the keys.
	Key Func = iota + 1
	// Count is the sum of counts.
	Count
	// Sum is the sum of sums.
	Sum
	// Min is the least of the least.
	Min
	// Max is the greatest of the greatest.
	Max
	// Avg is the sum of sums by the sum of counts.
	Avg
	// CountDistinct is how many different values there are in a column of the sources.
	CountDistinct
	// SumDistinct is the sum of the different values.
	SumDistinct
	// AvgDistinct is the average of the different values.
	AvgDistinct
)

// grouping gives the groups of a stream, in the order in which they came up.
type grouping struct {
	from   stream
	plan   *groupPlan
	memory *memory
	done   func() // called when all rows are read

	began bool
	rows  [][]driver.Value
}

func (g *grouping) next() ([]driver.Value, error) {
	if !g.began {
		g.began = true
		if err := g.read(); err != nil {
			return nil, err
		}
		g.done()
	}
	if len(g.rows) == 0 {
		return nil, io.EOF
	}
	row := g.rows[0]
	g.rows = g.rows[1:]
	return row, nil
}

// read reads all rows and makes the groups of them that Having keeps, sorted.
func (g *grouping) read() error {
	groups, err := g.collect()
	if err != nil {
		return err
	}
	for _, group := range groups {
		row := make([]driver.Value, len(group))
		for i, a := range group {
			if row[i], err = a.result(); err != nil {
				return err
			}
		}
		keep, err := g.plan.having(row)
		if err != nil {
			return err
		}
		if keep == isTrue {
			g.rows = append(g.rows, row)
		}
	}
	slices.SortStableFunc(g.rows, func(a, b []driver.Value) int {
		n, failed := g.plan.order.compare(a, b)
		err = errors.Join(err, failed)
		return n
	})
	return err
}

func (g *grouping) collect() ([][]accumulator, error) {
	var groups [][]accumulator
	if len(g.plan.keys) == 0 {
		groups = append(groups, g.plan.group(g.memory))
	}
	places := map[string]int{"": 0}
	key, values := []byte{}, make([]driver.Value, len(g.plan.keys))
	for {
		row, err := g.from.next()
		if errors.Is(err, io.EOF) {
			return groups, nil
		}
		if err != nil {
			return nil, err
		}
		for i, column := range g.plan.keys {
			values[i] = row[column]
		}
		if key, err = g.plan.equal.append(key[:0], values); err != nil {
			return nil, err
		}
		place, ok := places[string(key)]
		if !ok {
			if err := g.memory.take(1); err != nil {
				return nil, err
			}
			place = len(groups)
			places[string(key)] = place
			groups = append(groups, g.plan.group(g.memory))
		}
		for _, a := range groups[place] {
			if err := a.add(row); err != nil {
				return nil, err
			}
		}
	}
}
