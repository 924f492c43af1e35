package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/gormtenancy/tenancy"
)

// Place is where tenants are, and what has been migrated there.
type Place struct {
	Placement  tenancy.Placement
	Shape      Shape
	Tenants    int64
	Tenant     tenancy.ID // if it is one tenant's alone
	Version    int64      // 0: none
	Models     string     // fingerprint of its models; "": none
	Err        string     // why it could not be migrated at last; "": it could
	MigratedAt time.Time  // UTC; zero: never
}

// Places returns each place that tenants of any state but [Dropping] are in, and each shard that takes tenants with shared
// tables, be there any or not.
func (c *Catalog) Places(ctx context.Context) iter.Seq2[Place, error] {
	return c.places(ctx, `state <> 'dropping'`)
}

// Placements implements [tenancy.PlacementLister]: each place that tenants are in that are neither [Creating] nor [Dropping],
// and each shard that takes tenants with shared tables.
func (c *Catalog) Placements(ctx context.Context) iter.Seq2[tenancy.Placement, error] {
	return func(yield func(tenancy.Placement, error) bool) {
		for p, err := range c.places(ctx, `state NOT IN ('creating', 'dropping')`) {
			if !yield(p.Placement, err) {
				return
			}
		}
	}
}

// places returns those of tenants in some states, with one query for each page. Each part of it has its own limit, so that no
// page counts the tenants of those behind it.
func (c *Catalog) places(ctx context.Context, states string) iter.Seq2[Place, error] {
	return paged(ctx, c.store, func(last *Place) (page []Place, err error) {
		query, args := c.store.placesAfter(last, states)
		err = c.store.each(ctx, c.store.db, func(rows *sql.Rows) error {
			p, err := scanPlace(rows)
			page = append(page, p)
			return err
		}, query, args...)
		return page, err
	})
}

func (s *store) placesAfter(last *Place, states string) (query string, args []any) {
	var ofTenants, ofShards, ofNone string
	if last != nil {
		at := last.Placement
		ofTenants = ` AND shard >= ? AND (shard > ? OR schema_name > ? OR schema_name = ? AND table_suffix > ?)`
		ofShards, ofNone = ` AND name > ?`, ` AND 1 = 0`
		args = []any{at.Shard, at.Shard, at.Schema, at.Schema, at.TableSuffix, at.Shard}
	}
	empty := `''`
	if s.dialect == "postgres" { // or else a UNION does not know by which collation to compare
		empty = `'' COLLATE "C"`
	}
	const columns, place = `shard, schema_name, table_suffix, exclusive_place, shape, tenants, id`, `shard, schema_name, table_suffix`
	none := empty + ` AS schema_name, ` + empty + ` AS table_suffix, 0 AS exclusive_place, 'shared' AS shape, 0 AS tenants, ` + empty + ` AS id`
	return `SELECT k.shard, k.schema_name, k.table_suffix, MAX(k.exclusive_place), MAX(k.shape), MAX(k.tenants), MAX(k.id),
			MAX(p.version), MAX(p.migrated_us), MAX(p.models), MAX(p.fault) FROM (
		SELECT ` + columns + ` FROM (SELECT ` + place + `, MAX(exclusive_place) AS exclusive_place, MAX(shape) AS shape, COUNT(*) AS tenants, MAX(id) AS id
			FROM tenancy_tenants WHERE ` + states + ofTenants + ` GROUP BY ` + place + ` ORDER BY ` + place + limit + `) AS t
		UNION ALL SELECT ` + columns + ` FROM (SELECT name AS shard, ` + none + `
			FROM tenancy_shards WHERE own = 0 AND (shapes = 'null' OR shapes LIKE '%"shared"%')` + ofShards + ` ORDER BY name` + limit + `) AS s
		UNION ALL SELECT ` + empty + ` AS shard, ` + none + ` FROM tenancy_catalog WHERE id = 1 AND NOT EXISTS (SELECT 1 FROM tenancy_shards WHERE own = 0)` + ofNone + `
	) AS k LEFT JOIN tenancy_places p ON p.shard = k.shard AND p.schema_name = k.schema_name AND p.table_suffix = k.table_suffix
	GROUP BY k.shard, k.schema_name, k.table_suffix ORDER BY k.shard, k.schema_name, k.table_suffix` + limit, args
}

func scanPlace(rows *sql.Rows) (p Place, err error) {
	var exclusive int64
	var shape, id string
	var version, migrated sql.NullInt64
	var models, fault sql.NullString
	err = rows.Scan(&p.Placement.Shard, &p.Placement.Schema, &p.Placement.TableSuffix, &exclusive, &shape, &p.Tenants, &id, &version, &migrated, &models, &fault)
	p.Placement.Exclusive, p.Shape, p.Version, p.Models, p.Err = exclusive != 0, Shape(shape), version.Int64, models.String, fault.String
	if p.Placement.Exclusive {
		p.Tenant = tenancy.ID(id)
	}
	if migrated.Int64 != 0 {
		p.MigratedAt = fromMicros(migrated.Int64)
	}
	return p, err
}

// SetPlace notes that the tables at a place have been migrated to t. With a fault it notes that they could not be; what is
// known of their version stays. Of an exclusive place that no tenant has, nothing is noted.
func (c *Catalog) SetPlace(ctx context.Context, at tenancy.Placement, t Target, fault string) error {
	if err := checkPlacement(at); err != nil {
		return err
	}
	return c.change(ctx, func(ctx context.Context, w *writer) error { return w.setPlace(ctx, at, t, plainText(fault)) })
}

func (w *writer) setPlace(ctx context.Context, at tenancy.Placement, to Target, fault string) error {
	const where = ` WHERE shard = ? AND schema_name = ? AND table_suffix = ?`
	var was Target
	var lastFault string
	err := w.tx.QueryRowContext(ctx, w.bind(`SELECT version, models, fault FROM tenancy_places`+where), at.Shard, at.Schema, at.TableSuffix).
		Scan(&was.Version, &was.Models, &lastFault)
	there := !errors.Is(err, sql.ErrNoRows)
	if err != nil && there {
		return err
	}
	owner, alone, err := w.tenantAlone(ctx, at)
	if err != nil || at.Exclusive && !alone { // its tenant has gone: whoever migrated it was late
		return err
	}
	e := entry{What: Migrated, reason: fmt.Sprintf("version %d", to.Version)}
	if fault != "" {
		to, e.What, e.reason = was, MigrationFailed, fault
	}
	if there && to == was && fault == "" && lastFault == "" {
		return nil
	}
	if there {
		err = w.exec(ctx, `UPDATE tenancy_places SET version = ?, models = ?, fault = ?, migrated_us = ?`+where,
			to.Version, to.Models, fault, micros(w.at), at.Shard, at.Schema, at.TableSuffix)
	} else {
		err = w.exec(ctx, `INSERT INTO tenancy_places (version, models, fault, migrated_us, shard, schema_name, table_suffix) VALUES (?, ?, ?, ?, ?, ?, ?)`,
			to.Version, to.Models, fault, micros(w.at), at.Shard, at.Schema, at.TableSuffix)
	}
	if err != nil {
		return err
	}
	e.tenant, e.everyone = owner, !alone && to != was
	if !alone {
		e.tenant = Tenant{Placement: at}
	}
	return w.note(ctx, e)
}

// tenantAlone returns the tenant that has a place alone.
func (w *writer) tenantAlone(ctx context.Context, at tenancy.Placement) (t Tenant, alone bool, err error) {
	var row tenantRow
	query := `SELECT ` + tenantColumns + ` FROM tenancy_tenants t` + withPlace + ` WHERE t.claim = ?`
	err = w.tx.QueryRowContext(ctx, w.bind(query), w.claim(at)).Scan(row.dest()...)
	if errors.Is(err, sql.ErrNoRows) {
		return Tenant{}, false, nil
	}
	if err != nil {
		return Tenant{}, false, err
	}
	return row.tenant()
}
