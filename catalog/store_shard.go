package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/gormtenancy/tenancy"
)

// choose returns the shard in which, or beside which, a new tenant is to be.
func (w *writer) choose(ctx context.Context, t Tenant, on *string, strategy Strategy) (string, error) {
	shards, err := w.shards(ctx, w.tx)
	if err != nil {
		return "", err
	}
	if on != nil {
		return *on, checkChosen(shards, *on, t.Shape)
	}
	open := slices.DeleteFunc(shards, func(s Shard) bool { return !s.takes(t.Shape) })
	if len(open) == 0 {
		return "", fmt.Errorf("%w: no shard is open for new tenants of the shape %q: add one with AddShard", tenancy.ErrShardNotFound, t.Shape)
	}
	names := make([]string, len(open)) // the strategy may do with the slice what it likes
	for i, s := range open {
		names[i] = s.Name
	}
	name, err := strategy.Choose(ctx, t, open)
	if err == nil && !slices.Contains(names, name) {
		err = fmt.Errorf("%w: the Strategy chose %q, which is not one of the open shards that it was shown", tenancy.ErrInvalidConfig, name)
	}
	return name, err
}

func checkChosen(shards []Shard, name string, shape Shape) error {
	i := slices.IndexFunc(shards, func(s Shard) bool { return s.Name == name })
	switch {
	case i < 0:
		return noShard(name)
	case shards[i].Closed:
		return fmt.Errorf("%w: shard %q is closed for new tenants", tenancy.ErrShardNotFound, name)
	case !shards[i].takes(shape):
		return fmt.Errorf("%w: shard %q takes no tenants of the shape %q", tenancy.ErrShardNotFound, name, shape)
	}
	return nil
}

func noShard(name string) error {
	return fmt.Errorf("%w: there is no shard %q in the catalog: add it with AddShard", tenancy.ErrShardNotFound, name)
}

// shards returns the shards that tenants share, by name: the default database alone, if there are none.
func (s *store) shards(ctx context.Context, q querier) (shards []Shard, err error) {
	err = s.each(ctx, q, func(rows *sql.Rows) error {
		var row shardRow
		if err := rows.Scan(row.dest()...); err != nil {
			return err
		}
		sh, _, err := row.shard()
		shards = append(shards, sh)
		return err
	}, `SELECT `+shardColumns+` FROM tenancy_shards s WHERE s.own = 0 ORDER BY s.name`)
	if err == nil && len(shards) == 0 {
		shards = []Shard{{}}
	}
	return shards, err
}

// shard reads a shard within a change; found is false if it is not in the catalog.
func (s *store) shard(ctx context.Context, q querier, name string) (Shard, bool, error) {
	if !mayBeShard(name) { // PostgreSQL would not look for it
		return Shard{}, false, nil
	}
	var row shardRow
	err := q.QueryRowContext(ctx, s.bind(`SELECT `+shardColumns+` FROM tenancy_shards s WHERE s.name = ?`), name).Scan(row.dest()...)
	if errors.Is(err, sql.ErrNoRows) {
		return Shard{}, false, nil
	}
	if err != nil {
		return Shard{}, false, err
	}
	return row.shard()
}

// homeOf returns the shard in which, or beside which, a place is.
func (w *writer) homeOf(ctx context.Context, at tenancy.Placement, shape Shape) (string, error) {
	sh, found, err := w.shard(ctx, w.tx, at.Shard)
	switch {
	case err != nil:
		return "", err
	case !found && at.Shard != "":
		return "", noShard(at.Shard)
	case shape == OwnDatabase && !sh.Own:
		return "", fmt.Errorf("%w: shard %q is not for one tenant alone: add one with Own and Host", tenancy.ErrInvalidConfig, at.Shard)
	case shape != OwnDatabase && sh.Own:
		return "", fmt.Errorf("%w: shard %q is for one tenant alone", tenancy.ErrInvalidConfig, at.Shard)
	case sh.Own:
		return sh.Host, nil
	}
	return at.Shard, nil
}

// insertShard adds a row, with the count of the tenants that are there already.
func (w *writer) insertShard(ctx context.Context, sh Shard) error {
	replicas, attributes, shapes, err := sh.packed()
	if err != nil {
		return err
	}
	var tenants int64
	if err := w.tx.QueryRowContext(ctx, w.bind(`SELECT COUNT(*) FROM tenancy_tenants WHERE home = ?`), sh.Name).Scan(&tenants); err != nil {
		return err
	}
	return w.exec(ctx, `INSERT INTO tenancy_shards (name, dsn, replicas, host, attributes, shapes, closed, own, bytes, tenants, epoch)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		sh.Name, sh.DSN, replicas, sh.Host, attributes, shapes, bit(sh.Closed), bit(sh.Own), sh.Bytes, tenants, w.epoch)
}

// addShard adds a shard that is not there yet.
func (w *writer) addShard(ctx context.Context, sh Shard) error {
	_, found, err := w.shard(ctx, w.tx, sh.Name)
	if err != nil {
		return err
	}
	if found {
		return fmt.Errorf("%w: %q", ErrShardExists, sh.Name)
	}
	if sh.Own {
		if err := w.reserve(ctx, sh); err != nil {
			return err
		}
	}
	if err := w.insertShard(ctx, sh); err != nil {
		return err
	}
	return w.note(ctx, entry{What: ShardAdded, shard: sh.Name})
}

// reserve keeps the name of an own database for the tenant that will be placed there.
func (w *writer) reserve(ctx context.Context, sh Shard) error {
	host, found, err := w.shard(ctx, w.tx, sh.Host)
	if err != nil {
		return err
	}
	if !found && sh.Host != "" || host.Own {
		return noShard(sh.Host)
	}
	given, err := w.exists(ctx, `SELECT 1 FROM tenancy_names WHERE name = ?`, w.fold(sh.Name))
	if err != nil {
		return err
	}
	if given {
		return fmt.Errorf("%w: the name %q was that of another tenant's schema or database: choose another one", ErrShardExists, sh.Name)
	}
	return w.exec(ctx, `INSERT INTO tenancy_names (name, tenant_id) VALUES (?, '')`, w.fold(sh.Name))
}

// updateShard describes a shard otherwise. Its name, its Host, whether it is one tenant's own, and its bytes stay.
func (w *writer) updateShard(ctx context.Context, sh Shard) error {
	was, found, err := w.shard(ctx, w.tx, sh.Name)
	switch {
	case err != nil:
		return err
	case !found:
		return noShard(sh.Name)
	case sh.Epoch != 0 && sh.Epoch != was.Epoch:
		return fmt.Errorf("%w: the shard's epoch is %d, not %d: read it again", ErrChanged, was.Epoch, sh.Epoch)
	case sh.Own != was.Own || sh.Host != was.Host:
		return fmt.Errorf("%w: shard %q: Own and Host stay as they are", tenancy.ErrInvalidConfig, sh.Name)
	}
	replicas, attributes, shapes, err := sh.packed()
	if err != nil {
		return err
	}
	err = w.exec(ctx, `UPDATE tenancy_shards SET dsn = ?, replicas = ?, attributes = ?, shapes = ?, closed = ?, epoch = ? WHERE name = ?`,
		sh.DSN, replicas, attributes, shapes, bit(sh.Closed), w.epoch, sh.Name)
	if err != nil {
		return err
	}
	return w.note(ctx, entry{What: ShardUpdated, shard: sh.Name})
}

// removeShard removes a shard that no tenant is in or beside, and what was migrated there.
func (w *writer) removeShard(ctx context.Context, name string) error {
	_, found, err := w.shard(ctx, w.tx, name)
	if err != nil {
		return err
	}
	if !found {
		return noShard(name)
	}
	tenants, err := w.exists(ctx, `SELECT 1 FROM tenancy_tenants WHERE home = ? OR shard = ? LIMIT 1`, name, name)
	if err == nil && tenants {
		return fmt.Errorf("%w: there are tenants in shard %q, or beside it: move or drop them first", ErrShardInUse, name)
	}
	beside := false
	if err == nil {
		beside, err = w.exists(ctx, `SELECT 1 FROM tenancy_shards WHERE own = 1 AND host = ? LIMIT 1`, name)
	}
	if err != nil {
		return err
	}
	if beside {
		return fmt.Errorf("%w: there are databases for one tenant alone beside shard %q: remove them first", ErrShardInUse, name)
	}
	for _, query := range []string{
		`DELETE FROM tenancy_shards WHERE name = ?`, `DELETE FROM tenancy_places WHERE shard = ?`,
	} {
		if err := w.exec(ctx, query, name); err != nil {
			return err
		}
	}
	if err := w.exec(ctx, `UPDATE tenancy_names SET tenant_id = NULL WHERE name = ? AND tenant_id = ''`, w.fold(name)); err != nil {
		return err
	}
	return w.note(ctx, entry{What: ShardRemoved, shard: name})
}

func (s Shard) packed() (replicas, attributes, shapes string, err error) {
	replicas, err1 := pack(s.Replicas)
	attributes, err2 := pack(s.Attributes)
	shapes, err3 := pack(s.Shapes)
	return replicas, attributes, shapes, errors.Join(err1, err2, err3)
}
