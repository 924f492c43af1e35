package catalog

import (
	"context"
	"database/sql"
	"iter"
	"slices"
	"strings"

	"github.com/gormtenancy/tenancy"
)

// Filter says which tenants to list. Its zero value lists all.
type Filter struct {
	States    []State           // zero: all
	Shard     *string           // those in the shard, or with an own database beside it. Zero: all
	Shape     Shape             // zero: all
	Attribute map[string]string // those that have all of these. Zero: all
	Behind    *Target           // those whose place has a lower version, or other models. Zero: all
}

// Target is what a place is to be migrated to: the version of its schema, and the fingerprint of its models.
type Target struct {
	Version int64
	Models  string // "": it is not looked at
}

// List returns tenants in the order of their IDs, straight from the master. It reads page by page: a tenant that is there
// from the beginning to the end is listed once, whatever changes meanwhile.
func (c *Catalog) List(ctx context.Context, f Filter) iter.Seq2[Tenant, error] {
	where, args := f.where()
	tenants := paged(ctx, c.store, func(last *Tenant) (page []Tenant, err error) {
		after, args := "", args
		if last != nil {
			after, args = ` AND t.id > ?`, append(slices.Clip(args), string(last.ID))
		}
		err = c.store.each(ctx, c.store.db, func(rows *sql.Rows) error {
			var row tenantRow
			if err := rows.Scan(row.dest()...); err != nil {
				return err
			}
			t, _, err := row.tenant()
			page = append(page, t)
			return err
		}, `SELECT `+tenantColumns+` FROM tenancy_tenants t`+withPlace+` WHERE 1 = 1`+where+after+` ORDER BY t.id`+limit, args...)
		return page, err
	})
	return func(yield func(Tenant, error) bool) {
		for t, err := range tenants {
			if (err != nil || f.fits(t.Attributes)) && !yield(t, err) {
				return
			}
		}
	}
}

func (f Filter) where() (where string, args []any) {
	var b strings.Builder
	if len(f.States) > 0 {
		b.WriteString(` AND t.state IN (?` + strings.Repeat(`, ?`, len(f.States)-1) + `)`)
		for _, s := range f.States {
			args = append(args, string(s))
		}
	}
	if f.Shard != nil {
		b.WriteString(` AND t.home = ?`)
		args = append(args, *f.Shard)
	}
	if f.Shape != "" {
		b.WriteString(` AND t.shape = ?`)
		args = append(args, string(f.Shape))
	}
	if f.Behind != nil {
		b.WriteString(` AND (COALESCE(p.version, 0) < ?`)
		args = append(args, f.Behind.Version)
		if f.Behind.Models != "" {
			b.WriteString(` OR COALESCE(p.models, '') <> ?`)
			args = append(args, f.Behind.Models)
		}
		b.WriteString(`)`)
	}
	return b.String(), args
}

// fits is a part of the filter that the databases have no common words for.
func (f Filter) fits(attributes map[string]string) bool {
	for key, value := range f.Attribute {
		if own, ok := attributes[key]; !ok || own != value {
			return false
		}
	}
	return true
}

// Tenants implements [tenancy.TenantLister]: the active tenants in the order of their IDs, straight from the master. In a
// context of [Maintenance] it returns those of every state.
func (c *Catalog) Tenants(ctx context.Context) iter.Seq2[tenancy.ID, error] {
	where := ` WHERE id > ? AND state = 'active'`
	if inMaintenance(ctx) {
		where = ` WHERE id > ?`
	}
	return paged(ctx, c.store, func(last *tenancy.ID) (page []tenancy.ID, err error) {
		var after tenancy.ID
		if last != nil {
			after = *last
		}
		err = c.store.each(ctx, c.store.db, func(rows *sql.Rows) error {
			var id string
			err := rows.Scan(&id)
			page = append(page, tenancy.ID(id))
			return err
		}, `SELECT id FROM tenancy_tenants`+where+` ORDER BY id`+limit, string(after))
		return page, err
	})
}
