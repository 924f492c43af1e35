package fanout

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/gormtenancy/tenancy/internal/merge"
	"github.com/gormtenancy/tenancy/sqlproof"
)

// Place is where a part of the rows is.
type Place struct {
	Name           string // what errors call it
	Database       string // equal for the places of one database
	Schema, Suffix string
}

// Request is what a plan is run with.
type Request struct {
	Args   []any   // those of the whole statement, as database/sql gets them
	Places []Place // at least one
	// Ask sends a query to the database of a place. It may be called concurrently.
	Ask func(ctx context.Context, place int, query string, args []any) (*sql.Rows, error)
	// Text returns a text with the names that the tables have at a place. It may be called concurrently.
	Text func(place int, query string) (string, error)
	// Unique tells that rows are sorted by what no two of them have in common: see merge.Description.
	Unique  bool
	Options merge.Options
}

// Open asks all places and returns the one answer. Its errors, and those of the rows, are [*Unmergeable], those of merge.Open,
// and those of Request.Text.
func (p *Plan) Open(ctx context.Context, r Request) (driver.Rows, error) {
	d := p.description
	if len(r.Places) == 1 { // its answer is that of the whole
		return p.open(ctx, r, merge.Description{Engine: d.Engine}, p.text.sql, r.Args)
	}
	offset, limit, each, err := p.limits.of(p.text, r.Args)
	if err != nil {
		return nil, err
	}
	d.Offset, d.Limit, d.Unique = offset, limit, r.Unique
	if p.needed() && len(r.Places) > 0 {
		k, err := p.look(ctx, r)
		if err != nil {
			return nil, err
		}
		for _, a := range p.aliases {
			if k.has(a.name) {
				return nil, p.text.refuse(a.token, "the name of an alias that is also that of a column", "give the alias another name, or qualify the column")
			}
		}
		weighed, err := p.weighed(k)
		if err != nil {
			return nil, err
		}
		if weighed != p {
			p, k.plan = weighed, weighed
			d.Order, d.Hidden = p.description.Order, p.description.Hidden
		}
		d.Collations, d.HiddenCollations = k.collations(p.compares), k.collations(p.hidden)
		if p.named {
			d.Named = k.named()
		}
	} else {
		var none known
		d.Collations, d.HiddenCollations = none.collations(p.compares), none.collations(p.hidden)
	}
	if p.having != nil {
		groups := *d.Groups
		groups.Having = p.having(r.Args)
		d.Groups = &groups
	}
	args := make([]any, len(p.args))
	for i, from := range p.args {
		switch {
		case from == theLimit:
			args[i] = each
		case from < len(r.Args):
			args[i] = r.Args[from]
		default:
			return nil, p.text.refuse(-1, "a placeholder without an argument", "bind one for each")
		}
	}
	return p.open(ctx, r, d, p.sql, args)
}

// open sends a text to all places and merges the answers.
func (p *Plan) open(ctx context.Context, r Request, d merge.Description, sql string, args []any) (driver.Rows, error) {
	sources := make([]merge.Source, len(r.Places))
	for i := range r.Places {
		query, err := r.Text(i, sql)
		if err != nil {
			return nil, err
		}
		sources[i] = merge.Source{Name: r.Places[i].Name, Open: func(ctx context.Context) (driver.Rows, error) {
			rows, err := r.Ask(ctx, i, query, args) //nolint:rowserrcheck // the merge reads them
			if err != nil {
				return nil, err
			}
			return merge.SQLRows(rows)
		}}
	}
	merged, err := merge.Open(ctx, d, r.Options, sources...)
	if err != nil {
		return nil, p.explained(err)
	}
	return &rows{Rows: merged, plan: p}, nil
}

// rows are merged rows, with errors that say what to do.
type rows struct {
	*merge.Rows
	plan *Plan
}

// Next implements [driver.Rows].
func (r *rows) Next(dest []driver.Value) error {
	err := r.Rows.Next(dest)
	if err == nil {
		return nil
	}
	return r.plan.explained(err)
}

// explained makes an [*Unmergeable] of what turned out to be so only with the types of columns.
func (p *Plan) explained(err error) error {
	u, ok := errors.AsType[*merge.UnmergeableError](err)
	if !ok {
		return err
	}
	what := "column " + u.Column
	if strings.HasPrefix(u.Column, hiddenName) {
		what = "what ORDER BY sorts by"
	}
	return &Unmergeable{Why: what + ": " + u.Reason, Instead: "if it is text, " + advice(p.text.dialect) + "; otherwise cast it, or compute it in Go"}
}

func (k *known) collations(all []comparing) []merge.Collation {
	out := make([]merge.Collation, len(all))
	for i := range all {
		out[i] = k.collation(&all[i])
	}
	return out
}

// look finds the columns of the plan's tables at all places, and asks the databases for those that are not remembered.
func (p *Plan) look(ctx context.Context, r Request) (*known, error) {
	k := &known{plan: p, places: make([][]*columns, len(r.Places))}
	parallel := r.Options.Parallel
	if parallel <= 0 {
		parallel = 8
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var running sync.WaitGroup
	slots := make(chan struct{}, parallel)
	for i := range r.Places {
		k.places[i] = make([]*columns, len(p.sources))
		if p.remembered(k.places[i], &r.Places[i]) {
			continue
		}
		slots <- struct{}{}
		running.Go(func() {
			defer func() { <-slots }()
			if err := p.lookAt(ctx, r, i, k.places[i]); err != nil {
				cancel(err)
			}
		})
	}
	running.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return k, nil
}

func (p *Plan) keyOf(s *sqlproof.Source, at *Place) tableAt {
	return tableAt{at.Database, at.Schema, at.Suffix, s.Schema, s.Name}
}

// remembered fills in what is remembered, and tells whether that is all.
func (p *Plan) remembered(into []*columns, at *Place) bool {
	all := true
	for i, s := range p.sources {
		if s.Kind != sqlproof.TableSource {
			continue
		}
		var ok bool
		if into[i], ok = p.planner.tables.get(p.keyOf(s, at)); ok && time.Since(into[i].asked) > columnsLast {
			into[i], ok = nil, false // a migration may have changed them
		}
		all = all && ok
	}
	return all
}

// lookAt asks one place for the tables that are not remembered. What they are called there, the text there tells.
func (p *Plan) lookAt(ctx context.Context, r Request, place int, into []*columns) error {
	query, err := r.Text(place, p.sql)
	if err != nil {
		return err
	}
	st, err := p.planner.analyzer.Analyze(query)
	if err != nil || len(st.Main.Sources) != len(p.sources) {
		return p.text.refuse(-1, "the names that tables have in one placement are not found in its text", "write it in another way")
	}
	for i, s := range p.sources {
		if s.Kind != sqlproof.TableSource || into[i] != nil {
			continue
		}
		named := st.Main.Sources[i]
		into[i], err = columnsOf(ctx, p.text.dialect, named.Schema, named.Name, func(ctx context.Context, query string, args []any) (*sql.Rows, error) {
			return r.Ask(ctx, place, query, args)
		})
		if err != nil {
			return &merge.SourceError{Source: r.Places[place].Name, Err: err}
		}
		if len(into[i].known) > 0 {
			p.planner.tables.put(p.keyOf(s, &r.Places[place]), into[i])
		}
	}
	return nil
}
