package merge

// pipeline is the steps of a merge while they are put together.
type pipeline struct {
	fan         *fanIn
	description *Description
	memory      *memory
	columns     shape // of the stream
	stream      stream
}

func (p *pipeline) build(cursors []*cursor) error {
	d := p.description
	var sorted order
	if d.Groups != nil {
		plan, err := groupPlanOf(d, p.columns)
		if err != nil {
			return err
		}
		rows := &concatenation{cursors: cursors, accept: p.accept(plan.compared(d))}
		p.stream = &grouping{from: rows, plan: plan, memory: p.memory, done: p.fan.enough}
		p.columns, sorted = plan.columns, plan.order
	} else {
		var err error
		if sorted, err = orderOf(d, p.columns); err != nil {
			return err
		}
		p.merge(cursors, sorted)
	}
	if d.Distinct {
		if d.Hidden > 0 || d.Visible > 0 && d.Visible < len(p.columns) {
			return misfit("distinct rows with columns that are not visible")
		}
		equal, err := equalityOf(p.columns)
		if err != nil {
			return err
		}
		p.stream = &distinct{from: p.stream, order: sorted, equal: equal, memory: p.memory, seen: map[string]struct{}{}}
	}
	if d.Limit != nil || d.Offset > 0 {
		l := &limited{from: p.stream, offset: d.Offset, enough: p.fan.enough}
		if d.Limit != nil {
			left := *d.Limit
			l.left = &left
		}
		p.stream = l
	}
	return nil
}

// merge puts the sources one after the other, or merges them by an order.
func (p *pipeline) merge(cursors []*cursor, sorted order) {
	compared := make([]bool, len(p.columns))
	for i := range compared {
		compared[i] = p.description.Distinct
	}
	for _, c := range sorted {
		compared[c.column] = true
	}
	if len(sorted) == 0 {
		p.stream = &concatenation{cursors: cursors, accept: p.accept(compared)}
		return
	}
	p.stream = &ordered{order: sorted, columns: p.columns, cursors: cursors, unique: p.description.Unique, accept: p.accept(compared)}
}

// accept checks the columns of each source when they are known.
func (p *pipeline) accept(compared []bool) func(*source) error {
	first := p.columns
	return func(s *source) error {
		s.shape.kinds(p.description)
		return first.accept(s, compared)
	}
}
