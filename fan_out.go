package tenancy

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"

	"github.com/gormtenancy/tenancy/callbacks"
	"github.com/gormtenancy/tenancy/internal/fanout"
	"github.com/gormtenancy/tenancy/internal/merge"
)

// Statements over several placements: each is asked for its part, and the answers become one.

// fanQuery answers a statement with rows.
func (r *router) fanQuery(ctx context.Context, pass *callbacks.Pass, query string, args []any, by sender) (*sql.Rows, error) {
	rows, err := r.fanRows(ctx, pass, query, args, by)
	if err != nil {
		return nil, err
	}
	return r.handOver(ctx, rows)
}

// fanQueryRow answers a statement with one row.
func (r *router) fanQueryRow(ctx context.Context, pass *callbacks.Pass, query string, args []any, by sender) *sql.Row {
	rows, err := r.fanRows(ctx, pass, query, args, by)
	if err != nil {
		return callbacks.ErrorRow(err)
	}
	row := r.plugin.merged.QueryRowContext(ctx, "", rows)
	if row.Err() != nil {
		_ = rows.Close()
	}
	return row
}

// handOver makes *sql.Rows of rows.
func (r *router) handOver(ctx context.Context, rows driver.Rows) (*sql.Rows, error) {
	out, err := r.plugin.merged.QueryContext(ctx, "", rows)
	if err != nil {
		_ = rows.Close()
	}
	return out, err
}

func (r *router) fanRows(ctx context.Context, pass *callbacks.Pass, query string, args []any, by sender) (driver.Rows, error) {
	fan := pass.Fan()
	if fan.Ask == nil {
		return r.fanReturning(ctx, pass, query, args, by)
	}
	places := make([]fanout.Place, len(fan.Places))
	for i, at := range fan.Places {
		places[i] = fanout.Place{Name: at.String(), Database: at.Shard, Schema: at.Schema, Suffix: at.TableSuffix}
	}
	rows, err := fan.Ask.Open(ctx, fanout.Request{
		Args: args, Places: places,
		Ask: func(ctx context.Context, place int, query string, args []any) (*sql.Rows, error) {
			return by.send(pass.Part(ctx, fan.Places[place], query), query, args)
		},
		Text:    func(place int, query string) (string, error) { return r.hooks.TextAt(pass, query, fan.Places[place]) },
		Unique:  fan.Unique,
		Options: merge.Options{Parallel: r.plugin.cfg.FanOut.Parallel, Groups: r.plugin.cfg.FanOut.Groups},
	})
	if err != nil {
		return nil, r.fanError(pass, err)
	}
	typed, ok := rows.(typedRows)
	if !ok {
		_ = rows.Close()
		return nil, fmt.Errorf("%w: %T tells no types", ErrUnmergeable, rows)
	}
	if r.plugin.dialect == "sqlite" {
		typed = newDynamicRows(typed)
	}
	return &answer{typedRows: typed, router: r, pass: pass}, nil
}

// fanError makes the plugin's error of one of a merge.
func (r *router) fanError(pass *callbacks.Pass, err error) error {
	refuse := func(why string) error {
		return r.hooks.Rules.Refuse(pass.Context, callbacks.Refusal{Who: pass.Who, Op: pass.Op, Table: pass.TableName(), Reason: callbacks.Unmergeable, Why: why})
	}
	if ctx := pass.Context.Err(); ctx != nil && errors.Is(err, ctx) {
		return ctx
	}
	if u, ok := errors.AsType[*merge.UnmergeableError](err); ok {
		return refuse(fmt.Sprintf("column %q: %s", u.Column, u.Reason))
	}
	if u, ok := errors.AsType[*fanout.Unmergeable](err); ok {
		return refuse(u.Error())
	}
	if a, ok := errors.AsType[*merge.AmbiguousError](err); ok {
		cause := fmt.Errorf("%w: shards %s and %s both have the primary key of a row: make primary keys that are unique over all shards, such as those of package idgen", ErrAmbiguousRow, a.Sources[0], a.Sources[1])
		return r.hooks.Rules.Refuse(pass.Context, callbacks.Refusal{Who: pass.Who, Op: pass.Op, Table: pass.TableName(), Cause: cause})
	}
	if m, ok := errors.AsType[*merge.TooManyError](err); ok {
		return refuse(fmt.Sprintf("there are more than %d groups and distinct values: raise Config.FanOut.Groups, or ask for fewer", m.Limit))
	}
	if s, ok := errors.AsType[*merge.SourceError](err); ok {
		return &PartialError{Failed: []Failure{{Name: s.Source, Err: s.Err}}}
	}
	return err
}

// fanExec runs a write in each of its places, and adds up the rows.
func (r *router) fanExec(ctx context.Context, pass *callbacks.Pass, query string, args []any, by sender) (sql.Result, error) {
	fan := pass.Fan()
	if fan.Same {
		return r.mirrorExec(ctx, pass, query, args)
	}
	parts := make([]callbacks.Part, len(fan.Places))
	for i, at := range fan.Places {
		text, err := r.hooks.TextAt(pass, query, at)
		if err != nil {
			return nil, err
		}
		parts[i] = callbacks.Part{Name: at.String(), Run: func() (int64, error) {
			result, err := by.sendExec(pass.Part(ctx, at, text), text, slices.Clone(args))
			if err != nil {
				return 0, err
			}
			return result.RowsAffected()
		}}
	}
	if _, one := by.(*transaction); one {
		return runTogether(parts)
	}
	n, err := r.hooks.RunApart(parts)
	if err != nil {
		return nil, err
	}
	return affected(n), nil
}

// runTogether runs parts in a transaction, one after the other, to the first error.
func runTogether(parts []callbacks.Part) (sql.Result, error) {
	var total int64
	for _, p := range parts {
		n, err := p.Run()
		if err != nil {
			return nil, err
		}
		total += n
	}
	return affected(total), nil
}

// affected is the result of a write in several places.
type affected int64

// LastInsertId implements [sql.Result].
func (affected) LastInsertId() (int64, error) { return 0, nil }

// RowsAffected implements [sql.Result].
func (n affected) RowsAffected() (int64, error) { return int64(n), nil }

// fanReturning runs a write that returns rows in each of its places, and gives the rows one after the other.
func (r *router) fanReturning(ctx context.Context, pass *callbacks.Pass, query string, args []any, by sender) (driver.Rows, error) {
	fan := pass.Fan()
	if fan.Same {
		return r.mirrorReturning(ctx, pass, query, args)
	}
	kept := make([]*keptRows, len(fan.Places))
	parts := make([]callbacks.Part, len(fan.Places))
	for i, at := range fan.Places {
		text, err := r.hooks.TextAt(pass, query, at)
		if err != nil {
			return nil, err
		}
		parts[i] = callbacks.Part{Name: at.String(), Run: func() (int64, error) {
			rows, err := by.send(pass.Part(ctx, at, text), text, slices.Clone(args))
			if err == nil {
				kept[i], err = keep(rows)
			}
			return 0, err
		}}
	}
	var err error
	if _, one := by.(*transaction); one {
		_, err = runTogether(parts)
	} else {
		_, err = r.hooks.RunApart(parts)
	}
	if err != nil {
		return nil, err
	}
	for _, k := range kept[1:] {
		kept[0].rows = append(kept[0].rows, k.rows...)
	}
	return kept[0], nil
}
