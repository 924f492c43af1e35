package catalog

import (
	"context"
	"database/sql"
	"iter"
	"time"

	"github.com/gormtenancy/tenancy"
)

// What is a kind of change.
type What string

const (
	// Created is a new tenant.
	Created What = "created"
	// StateChanged is a tenant in another state.
	StateChanged What = "state changed"
	// Updated is a tenant whose name, domains or attributes are others.
	Updated What = "updated"
	// Placed is a tenant in another place.
	Placed What = "placed"
	// Removed is a tenant that is no longer in the catalog.
	Removed What = "removed"
	// Migrated is a place whose tables have another version.
	Migrated What = "migrated"
	// MigrationFailed is a place whose tables could not be brought to another version; Reason says why.
	MigrationFailed What = "migrate failed"
	// ShardAdded is a new shard.
	ShardAdded What = "shard added"
	// ShardUpdated is a shard that is described otherwise.
	ShardUpdated What = "shard updated"
	// ShardRemoved is a shard that is no longer in the catalog.
	ShardRemoved What = "shard removed"
)

func (w What) ofShard() bool { return w == ShardAdded || w == ShardUpdated || w == ShardRemoved }

// Event is a change of the catalog: each epoch has one.
type Event struct {
	Epoch     int64
	At        time.Time // UTC; by the clock of who made it
	What      What
	Tenant    tenancy.ID // "": a change of a shard, or of a place that many share
	Name      string     // the tenant's, after the change
	From, To  State      // before and after it
	Placement tenancy.Placement
	Reason    string
}

// pageSize is how many rows are read at once. No connection is in use while the caller looks at them.
const (
	pageSize = 500
	limit    = ` LIMIT 500`
)

// History returns the changes of a tenant, the oldest first; those of earlier tenants with its ID too. With the ID "" it
// returns all changes of the catalog.
func (c *Catalog) History(ctx context.Context, id tenancy.ID) iter.Seq2[Event, error] {
	return paged(ctx, c.store, func(last *Event) ([]Event, error) {
		where, args := `epoch > ?`, []any{int64(0)}
		if last != nil {
			args[0] = last.Epoch
		}
		if id != "" {
			where, args = where+` AND tenant_id = ?`, append(args, string(id))
		}
		var page []Event
		err := c.store.each(ctx, c.store.db, func(rows *sql.Rows) error {
			e, err := scanEvent(rows)
			page = append(page, e)
			return err
		}, `SELECT epoch, at_us, what, tenant_id, name, from_state, to_state, shard, schema_name, table_suffix, exclusive_place, reason
			FROM tenancy_history WHERE `+where+` ORDER BY epoch`+limit, args...)
		return page, err
	})
}

func scanEvent(rows *sql.Rows) (e Event, err error) {
	var at, exclusive int64
	var what, tenant, from, to string
	err = rows.Scan(&e.Epoch, &at, &what, &tenant, &e.Name, &from, &to,
		&e.Placement.Shard, &e.Placement.Schema, &e.Placement.TableSuffix, &exclusive, &e.Reason)
	e.At, e.What, e.Tenant, e.From, e.To, e.Placement.Exclusive = fromMicros(at), What(what), tenancy.ID(tenant), State(from), State(to), exclusive != 0
	return e, err
}

// paged yields page after page. Next gets the last row of the page before, nil for the first.
func paged[T any](ctx context.Context, s *store, next func(last *T) ([]T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var last *T
		for {
			var page []T
			err := s.retry(ctx, func() (err error) {
				page, err = next(last)
				return err
			})
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, row := range page {
				if !yield(row, nil) {
					return
				}
			}
			if len(page) < pageSize {
				return
			}
			last = &page[len(page)-1]
		}
	}
}
