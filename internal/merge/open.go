package merge

import (
	"context"
	"database/sql/driver"
	"slices"
)

// Open opens the sources and returns the rows that they are together. The rows are those of the first source's columns, or of
// the groups', as far as they are visible. Close them; when they end, and with ctx, the sources end too.
//
// The errors of Open and of Next are [ErrDescription], [*UnmergeableError], [*TooManyError], [*OverflowError], [*SourceError]
// and those of ctx.
func Open(ctx context.Context, d Description, o Options, sources ...Source) (*Rows, error) {
	o = o.orDefaults()
	if err := d.check(sources); err != nil {
		return nil, err
	}
	f := newFanIn(ctx, o, d.Groups == nil && len(d.Order) > 0, sources)
	r, err := open(f, &d, o)
	if err != nil {
		f.close()
		return nil, err
	}
	return r, nil
}

// open builds the steps of the merge when the first source has told its columns.
func open(f *fanIn, d *Description, o Options) (*Rows, error) {
	cursors := make([]*cursor, len(f.sources))
	for i, s := range f.sources {
		cursors[i] = newCursor(f, s)
	}
	if err := cursors[0].await(); err != nil {
		return nil, err
	}
	columns := slices.Clone(f.sources[0].shape)
	columns.kinds(d)
	p := pipeline{fan: f, description: d, memory: &memory{limit: o.Groups}, columns: columns}
	if err := p.build(cursors); err != nil {
		return nil, err
	}
	visible := len(p.columns)
	if d.Visible > 0 {
		if d.Visible > visible {
			return nil, misfit("%d visible columns of %d", d.Visible, visible)
		}
		visible = d.Visible
	}
	return &Rows{fan: f, stream: p.stream, columns: p.columns[:visible]}, nil
}

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
		if d.Visible > 0 && d.Visible < len(p.columns) {
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
	p.stream = &ordered{order: sorted, columns: p.columns, cursors: cursors, accept: p.accept(compared)}
}

// accept checks the columns of each source when they are known.
func (p *pipeline) accept(compared []bool) func(*source) error {
	first := p.columns
	return func(s *source) error {
		s.shape.kinds(p.description)
		return first.accept(s, compared)
	}
}

// compared tells which columns of the sources are looked at.
func (p *groupPlan) compared(d *Description) []bool {
	compared := make([]bool, p.width)
	for _, k := range p.keys {
		compared[k] = true
	}
	for _, r := range d.Groups.Results {
		compared[r.Column] = true
		if r.Func == Avg {
			compared[r.Count] = true
		}
	}
	return compared
}

// Rows are what the sources are together: a [driver.Rows] that tells the types of its columns.
type Rows struct {
	fan     *fanIn
	stream  stream
	columns shape
	err     error
}

var (
	_ driver.Rows                           = (*Rows)(nil)
	_ driver.RowsColumnTypeDatabaseTypeName = (*Rows)(nil)
	_ driver.RowsColumnTypeLength           = (*Rows)(nil)
	_ driver.RowsColumnTypeNullable         = (*Rows)(nil)
	_ driver.RowsColumnTypePrecisionScale   = (*Rows)(nil)
	_ driver.RowsColumnTypeScanType         = (*Rows)(nil)
)

// Next implements [driver.Rows]. Bytes are valid until the next call.
func (r *Rows) Next(dest []driver.Value) error {
	if r.err != nil {
		return r.err
	}
	if r.err = r.fan.failure(); r.err == nil {
		var row []driver.Value
		if row, r.err = r.stream.next(); r.err == nil {
			copy(dest, row)
			return nil
		}
	}
	r.fan.enough()
	return r.err
}

// Close implements [driver.Rows]. It waits until the sources are closed. It is not to be called while Next is.
func (r *Rows) Close() error {
	r.fan.close()
	return nil
}
