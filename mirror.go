package tenancy

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"slices"

	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy/callbacks"
)

// everyDatabase lists the default database and those of all placements.
func (p *Plugin) everyDatabase(ctx context.Context) ([]callbacks.Place, error) {
	all := []callbacks.Place{{}}
	add := func(shard string) {
		if at := (callbacks.Place{Shard: shard}); !slices.Contains(all, at) {
			all = append(all, at)
		}
	}
	for _, s := range p.cfg.Shards {
		add(s.Name)
	}
	list := func(r ShardResolver, field string) error {
		if _, ok := r.(PlacementLister); !ok && p.cfg.Open == nil {
			return nil // its placements are in Config.Shards
		}
		places, err := p.placesOf(ctx, r, field)
		for _, at := range places {
			add(at.Shard)
		}
		return err
	}
	if p.cfg.Resolver != nil {
		if err := list(p.cfg.Resolver, "Resolver"); err != nil {
			return nil, err
		}
	}
	for i, s := range p.cfg.Sharding {
		if err := list(s.Resolver, fmt.Sprintf("Sharding[%d].Resolver", i)); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// mirrorExec runs a write to a reference table in all databases, and returns the result of the default one.
func (r *router) mirrorExec(ctx context.Context, pass *callbacks.Pass, query string, args []any) (sql.Result, error) {
	n, err := r.mirror(pass, func(by sender, at callbacks.Place) (int64, error) {
		result, err := by.sendExec(r.mirrorPart(ctx, pass, at, query), query, slices.Clone(args))
		if err != nil {
			return 0, err
		}
		return result.RowsAffected()
	})
	if err != nil {
		return nil, err
	}
	return affected(n), nil
}

// mirrorReturning does it for one that returns rows.
func (r *router) mirrorReturning(ctx context.Context, pass *callbacks.Pass, query string, args []any) (driver.Rows, error) {
	var first *keptRows
	_, err := r.mirror(pass, func(by sender, at callbacks.Place) (int64, error) {
		rows, err := by.send(r.mirrorPart(ctx, pass, at, query), query, slices.Clone(args))
		if err != nil {
			return 0, err
		}
		kept, err := keep(rows)
		if err != nil {
			return 0, err
		}
		if at.Shard == "" {
			first = kept
		}
		return int64(len(kept.rows)), nil
	})
	if err != nil {
		return nil, err
	}
	return first, nil
}

// mirrorPart is the pass of a write in one database: of no tenant's, as the table is none's.
func (r *router) mirrorPart(ctx context.Context, pass *callbacks.Pass, at callbacks.Place, query string) *callbacks.Pass {
	part := pass.Part(ctx, at, query)
	part.Who = &r.plugin.nobody
	return part
}

// mirror runs a write in the default database, and while its transaction there holds the rows, in the others: so two writes to the
// same rows come in the same order everywhere.
func (r *router) mirror(pass *callbacks.Pass, write func(by sender, at callbacks.Place) (int64, error)) (int64, error) {
	pool, err := r.BeginTx(r.hooks.Rules.Toward(pass.Context, callbacks.Place{}), nil)
	if err != nil {
		return 0, err
	}
	tx, ok := pool.(*transaction)
	if !ok {
		return 0, gorm.ErrInvalidTransaction
	}
	places := pass.Fan().Places
	var rows int64
	return r.hooks.RunMirrored(tx, func() (int64, error) {
		rows, err = write(tx, places[0])
		return rows, err
	}, places[1:], func(at callbacks.Place) (int64, error) {
		n, err := write(r, at)
		if err == nil && n < rows && r.plugin.dialect != "mysql" { // MySQL counts rows that change, and some may have been the same
			err = fmt.Errorf("%w: it wrote %d rows there and %d in the default database, so that the rows differ: copy those of the default one by Create with clause.OnConflict{UpdateAll: true}", ErrCrossShard, n, rows)
		}
		return n, err
	})
}
