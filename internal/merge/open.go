package merge

import (
	"context"
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
	if visible -= d.Hidden; visible <= 0 && d.Hidden > 0 {
		return nil, misfit("%d hidden columns of %d", d.Hidden, len(p.columns))
	}
	return &Rows{fan: f, stream: p.stream, columns: p.columns[:visible]}, nil
}
