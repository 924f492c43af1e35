package catalog

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/internal/dsn"
)

const (
	tenantColumns = `t.id, t.name, t.domains, t.attributes, t.state, t.shape, t.shard, t.schema_name, t.table_suffix, t.exclusive_place,
	t.epoch, t.reason, t.created_us, t.updated_us, p.version, p.models`
	// withPlace adds what is known of the schema at the tenant's place.
	withPlace = ` LEFT JOIN tenancy_places p ON p.shard = t.shard AND p.schema_name = t.schema_name AND p.table_suffix = t.table_suffix`
)

// load returns a tenant as of an epoch, or says that as of this epoch there is none. It is one statement, and so one
// snapshot.
func (s *store) load(ctx context.Context, k key) (t Tenant, found bool, asOf int64, err error) {
	var from string
	switch k.kind {
	case byID:
		from = ` LEFT JOIN tenancy_tenants t ON t.id = ?`
	case byName:
		from = ` LEFT JOIN tenancy_tenants t ON t.name = ?`
	case byDomain:
		from = ` LEFT JOIN tenancy_domains d ON d.domain = ? LEFT JOIN tenancy_tenants t ON t.id = d.tenant_id`
	default:
		return Tenant{}, false, 0, fmt.Errorf("catalog: tenants have no key of kind %d", k.kind)
	}
	var row tenantRow
	var stalest int64
	dest := append([]any{&asOf, &stalest}, row.dest()...)
	query := `SELECT c.epoch, c.max_stale_ms, ` + tenantColumns + ` FROM tenancy_catalog c` + from + withPlace + ` WHERE c.id = 1`
	if err := s.row(ctx, dest, query, k.text); err != nil {
		return Tenant{}, false, 0, err
	}
	s.noteStalest(stalest)
	t, found, err = row.tenant()
	return t, found, asOf, err
}

// tenantRow is a row of tenantColumns, as the drivers give it; all is NULL if there is no such tenant.
type tenantRow struct {
	id, name, domains, attributes, state, shape, shard, schema, suffix, reason, models sql.NullString
	exclusive, epoch, created, updated, version                                        sql.NullInt64
}

func (r *tenantRow) dest() []any {
	return []any{
		&r.id, &r.name, &r.domains, &r.attributes, &r.state, &r.shape, &r.shard, &r.schema, &r.suffix, &r.exclusive,
		&r.epoch, &r.reason, &r.created, &r.updated, &r.version, &r.models,
	}
}

func (r *tenantRow) tenant() (t Tenant, found bool, err error) {
	if !r.id.Valid {
		return Tenant{}, false, nil
	}
	t = Tenant{
		ID: tenancy.ID(r.id.String), Name: r.name.String, State: State(r.state.String), Shape: Shape(r.shape.String),
		Placement: tenancy.Placement{Shard: r.shard.String, Schema: r.schema.String, TableSuffix: r.suffix.String, Exclusive: r.exclusive.Int64 != 0},
		Epoch:     r.epoch.Int64, Version: r.version.Int64, Models: r.models.String, Reason: r.reason.String,
		CreatedAt: fromMicros(r.created.Int64), UpdatedAt: fromMicros(r.updated.Int64),
	}
	err = errors.Join(unpack(r.domains.String, &t.Domains), unpack(r.attributes.String, &t.Attributes))
	return t, true, err
}

const shardColumns = `s.name, s.dsn, s.replicas, s.host, s.attributes, s.shapes, s.closed, s.own, s.bytes, s.tenants, s.epoch`

// loadShard returns a shard as of an epoch, or says that as of this epoch there is none. The DSNs of an own database are
// those of its host with its own name; if they cannot be made, the error is a [tenancy.ErrShardNotFound], and asOf is set.
func (s *store) loadShard(ctx context.Context, name string) (sh Shard, found bool, asOf int64, err error) {
	var row shardRow
	var stalest int64
	var hostDSN, hostReplicas sql.NullString
	dest := append([]any{&asOf, &stalest}, row.dest()...)
	query := `SELECT c.epoch, c.max_stale_ms, ` + shardColumns + `, h.dsn, h.replicas FROM tenancy_catalog c
		LEFT JOIN tenancy_shards s ON s.name = ? LEFT JOIN tenancy_shards h ON s.own = 1 AND h.name = s.host WHERE c.id = 1`
	if err := s.row(ctx, append(dest, &hostDSN, &hostReplicas), query, name); err != nil {
		return Shard{}, false, 0, err
	}
	s.noteStalest(stalest)
	sh, found, err = row.shard()
	if err != nil || !found || !sh.Own || sh.DSN != "" {
		return sh, found, asOf, err
	}
	var replicas []string
	if err := unpack(hostReplicas.String, &replicas); err != nil {
		return sh, true, asOf, err
	}
	err = s.besideHost(&sh, hostDSN.String, replicas)
	return sh, true, asOf, err
}

// besideHost sets the DSNs of an own database.
func (s *store) besideHost(sh *Shard, hostDSN string, replicas []string) (err error) {
	if hostDSN == "" {
		return fmt.Errorf("%w: own database %q is beside shard %q, whose DSN the catalog does not have: add or update that shard", tenancy.ErrShardNotFound, sh.Name, sh.Host)
	}
	if sh.DSN, err = dsn.WithDatabase(s.tenants, hostDSN, sh.Name); err != nil {
		return fmt.Errorf("%w: the DSN of shard %q cannot be given another database: %w", tenancy.ErrShardNotFound, sh.Host, err)
	}
	for _, replica := range replicas {
		own, err := dsn.WithDatabase(s.tenants, replica, sh.Name)
		if err != nil {
			return fmt.Errorf("%w: the DSN of a replica of shard %q cannot be given another database: %w", tenancy.ErrShardNotFound, sh.Host, err)
		}
		sh.Replicas = append(sh.Replicas, own)
	}
	return nil
}

// shardRow is a row of shardColumns, as the drivers give it.
type shardRow struct {
	name, dsn, replicas, host, attributes, shapes sql.NullString
	closed, own, bytes, tenants, epoch            sql.NullInt64
}

func (r *shardRow) dest() []any {
	return []any{&r.name, &r.dsn, &r.replicas, &r.host, &r.attributes, &r.shapes, &r.closed, &r.own, &r.bytes, &r.tenants, &r.epoch}
}

func (r *shardRow) shard() (sh Shard, found bool, err error) {
	if !r.name.Valid {
		return Shard{}, false, nil
	}
	sh = Shard{
		Name: r.name.String, DSN: r.dsn.String, Host: r.host.String, Closed: r.closed.Int64 != 0, Own: r.own.Int64 != 0,
		Bytes: r.bytes.Int64, Tenants: r.tenants.Int64, Epoch: r.epoch.Int64,
	}
	err = errors.Join(unpack(r.replicas.String, &sh.Replicas), unpack(r.attributes.String, &sh.Attributes), unpack(r.shapes.String, &sh.Shapes))
	return sh, true, err
}

// epoch returns the number of the last change that has been committed.
func (s *store) epoch(ctx context.Context) (epoch int64, err error) {
	var stalest int64
	err = s.onWatched(ctx, func(q querier) error {
		return q.QueryRowContext(ctx, `SELECT epoch, max_stale_ms FROM tenancy_catalog WHERE id = 1`).Scan(&epoch, &stalest)
	})
	if err != nil {
		return 0, explainNoRow(err)
	}
	s.noteStalest(stalest)
	return epoch, nil
}

// mostChanges is how many changes are looked at one by one. More are taken for a change of all.
const mostChanges = 10_000

// changes returns what has changed after an epoch, and the epoch as of the same snapshot. A master that knows less than
// the caller has been restored from a copy: then all may have changed.
func (s *store) changes(ctx context.Context, after int64) (changed []change, upTo int64, err error) {
	err = s.onWatched(ctx, func(q querier) error {
		changed, upTo, err = s.changesOn(ctx, q, after)
		return err
	})
	return changed, upTo, err
}

func (s *store) changesOn(ctx context.Context, q querier, after int64) (changed []change, upTo int64, err error) {
	var stalest int64
	err = s.each(ctx, q, func(rows *sql.Rows) error {
		var epoch, everyone, aShard sql.NullInt64
		var tenant, name, domains, shard sql.NullString
		if err := rows.Scan(&upTo, &stalest, &epoch, &tenant, &name, &domains, &shard, &aShard, &everyone); err != nil || !epoch.Valid {
			return err
		}
		c := change{epoch: epoch.Int64, tenant: tenancy.ID(tenant.String), name: name.String, all: everyone.Int64 != 0}
		if aShard.Int64 != 0 {
			c.shard, c.aShard = shard.String, true
		}
		changed = append(changed, c)
		return unpack(domains.String, &changed[len(changed)-1].domains)
	}, fmt.Sprintf(`SELECT c.epoch, c.max_stale_ms, h.epoch, h.tenant_id, h.name, h.domains, h.shard, h.shard_changed, h.everyone
		FROM tenancy_catalog c LEFT JOIN tenancy_history h ON h.epoch > ? AND h.epoch <= c.epoch
		WHERE c.id = 1 ORDER BY h.epoch LIMIT %d`, mostChanges+1), after)
	switch {
	case err != nil:
		return nil, 0, err
	case upTo == 0 && stalest == 0:
		return nil, 0, errNoRow()
	case len(changed) > mostChanges || int64(len(changed)) != upTo-after: // too many, or not one for each epoch
		changed = []change{{epoch: upTo, all: true}}
	}
	s.noteStalest(stalest)
	return changed, upTo, nil
}

func (s *store) noteStalest(ms int64) {
	for known := s.stalest.Load(); known < ms && !s.stalest.CompareAndSwap(known, ms); known = s.stalest.Load() {
	}
}

// maxStale is the largest MaxStale of any process that has opened the catalog.
func (s *store) maxStale() time.Duration { return time.Duration(s.stalest.Load()) * time.Millisecond }

// row reads a row that goes with that of tenancy_catalog, and so must be there.
func (s *store) row(ctx context.Context, dest []any, query string, args ...any) error {
	return explainNoRow(s.retry(ctx, func() error {
		return s.db.QueryRowContext(ctx, s.bind(query), args...).Scan(dest...)
	}))
}

func explainNoRow(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return errNoRow()
	}
	return err
}

func errNoRow() error {
	return errors.New("catalog: the row of table tenancy_catalog is gone: restore the catalog from a backup")
}

// pack and unpack write lists and maps as one text, which is never compared.
func pack(v any) (string, error) {
	text, err := json.Marshal(v)
	return string(text), err
}

func unpack(text string, to any) error {
	if text == "" || text == "null" {
		return nil
	}
	if err := json.Unmarshal([]byte(text), to); err != nil {
		return fmt.Errorf("catalog: a row of the master database cannot be read: %w", err)
	}
	return nil
}
