package provision

import "slices"

// knot is a foreign key that no order of deletes goes with.
type knot struct {
	child   table
	parent  string
	columns []string
}

// childrenFirst returns the tables in an order in which no row is deleted that a row of another table points at, and the
// foreign keys that have to be untied before: those of tables to themselves, and some of those that go round in circles.
func childrenFirst(all []table) (ordered []table, knots []knot) {
	left := slices.Clone(all)
	for len(left) > 0 {
		i := slices.IndexFunc(left, func(t table) bool { return len(pointingAt(t, left)) == 0 })
		if i < 0 {
			i = leastPointedAt(left)
			knots = append(knots, pointingAt(left[i], left)...)
		}
		for _, k := range left[i].ForeignKeys {
			if k.Parent == left[i].Name {
				knots = append(knots, knot{left[i], k.Parent, k.Columns})
			}
		}
		ordered, left = append(ordered, left[i]), slices.Delete(left, i, i+1)
	}
	return ordered, knots
}

// pointingAt returns the foreign keys by which other tables point at one.
func pointingAt(parent table, all []table) (keys []knot) {
	for _, t := range all {
		for _, k := range t.ForeignKeys {
			if k.Parent == parent.Name && t.Name != parent.Name {
				keys = append(keys, knot{t, k.Parent, k.Columns})
			}
		}
	}
	return keys
}

// leastPointedAt picks from tables that all are. A join table's keys cannot be NULL, so what it points at comes last.
func leastPointedAt(all []table) (best int) {
	fewest := -1
	for i, t := range all {
		keys := pointingAt(t, all)
		cost := len(keys)
		for _, k := range keys {
			if k.child.TenantColumn == "" {
				cost += len(all)
			}
		}
		if fewest < 0 || cost < fewest {
			best, fewest = i, cost
		}
	}
	return best
}
