package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/gormtenancy/tenancy"
)

// tenant reads a tenant within a change, and refuses the change if the caller has read an earlier one.
func (w *writer) tenant(ctx context.Context, id tenancy.ID, epoch int64) (Tenant, error) {
	if checkName(string(id), longestID) != nil { // PostgreSQL would not look for it
		return Tenant{}, notFound()
	}
	var row tenantRow
	query := `SELECT ` + tenantColumns + ` FROM tenancy_tenants t` + withPlace + ` WHERE t.id = ?`
	err := w.tx.QueryRowContext(ctx, w.bind(query), string(id)).Scan(row.dest()...)
	if errors.Is(err, sql.ErrNoRows) {
		return Tenant{}, notFound()
	}
	if err != nil {
		return Tenant{}, err
	}
	t, _, err := row.tenant()
	if err == nil && epoch != 0 && epoch != t.Epoch {
		err = fmt.Errorf("%w: its epoch is %d, not %d: read it again", ErrChanged, t.Epoch, epoch)
	}
	return t, err
}

// create inserts a tenant and gives it a place.
func (w *writer) create(ctx context.Context, t *Tenant, on *string, cfg Config) error {
	if taken, err := w.exists(ctx, `SELECT 1 FROM tenancy_tenants WHERE id = ?`, string(t.ID)); err != nil || taken {
		return existing(err, "its ID is taken")
	}
	if taken, err := w.exists(ctx, `SELECT 1 FROM tenancy_tenants WHERE name = ?`, t.Name); err != nil || taken {
		return existing(err, "its name is taken")
	}
	home, err := w.choose(ctx, *t, on, cfg.Strategy)
	if err != nil {
		return err
	}
	t.Placement = tenancy.Placement{Shard: home}
	if t.Shape != SharedTables {
		name, err := w.name(ctx, *t, cfg)
		if err != nil {
			return err
		}
		t.Placement.Exclusive = true
		if t.Shape == OwnSchema {
			t.Placement.Schema = name
		} else {
			t.Placement.Shard = name
			if err := w.insertShard(ctx, Shard{Name: name, Host: home, Own: true}); err != nil {
				return err
			}
		}
	}
	t.CreatedAt = w.at
	if err := w.insertTenant(ctx, t, home); err != nil {
		return err
	}
	if err := w.changeDomains(ctx, t.ID, nil, t.Domains); err != nil {
		return err
	}
	if err := w.giveName(ctx, *t); err != nil {
		return err
	}
	return w.note(ctx, entry{What: Created, tenant: *t, domains: t.Domains, to: t.State, reason: t.Reason})
}

func existing(err error, what string) error {
	if err != nil {
		return err
	}
	return fmt.Errorf("%w: %s", tenancy.ErrTenantExists, what)
}

func (w *writer) insertTenant(ctx context.Context, t *Tenant, home string) error {
	domains, err := pack(t.Domains)
	if err != nil {
		return err
	}
	attributes, err := pack(t.Attributes)
	if err != nil {
		return err
	}
	t.Epoch, t.UpdatedAt = w.epoch, w.at
	at := t.Placement
	err = w.exec(ctx, `INSERT INTO tenancy_tenants
		(id, name, domains, attributes, state, shape, shard, schema_name, table_suffix, exclusive_place, claim, home, epoch, reason, created_us, updated_us)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		string(t.ID), t.Name, domains, attributes, string(t.State), string(t.Shape), at.Shard, at.Schema, at.TableSuffix, bit(at.Exclusive),
		w.claimed(at), home, t.Epoch, t.Reason, micros(t.CreatedAt), micros(t.UpdatedAt))
	if err != nil {
		return err
	}
	return w.exec(ctx, `UPDATE tenancy_shards SET tenants = tenants + 1 WHERE name = ?`, home)
}

// claimed is the column claim: NULL where others may be.
func (w *writer) claimed(at tenancy.Placement) any {
	if !at.Exclusive {
		return nil
	}
	return w.claim(at)
}

// changeDomains gives a tenant the domains of now instead of those of before.
func (w *writer) changeDomains(ctx context.Context, id tenancy.ID, before, now []string) error {
	for _, d := range before {
		if slices.Contains(now, d) {
			continue
		}
		if err := w.exec(ctx, `DELETE FROM tenancy_domains WHERE domain = ?`, d); err != nil {
			return err
		}
	}
	for _, d := range now {
		if slices.Contains(before, d) {
			continue
		}
		if taken, err := w.exists(ctx, `SELECT 1 FROM tenancy_domains WHERE domain = ?`, d); err != nil || taken {
			return existing(err, "one of its domains is taken")
		}
		if err := w.exec(ctx, `INSERT INTO tenancy_domains (domain, tenant_id) VALUES (?, ?)`, d, string(id)); err != nil {
			return err
		}
	}
	return nil
}

// setState brings t, which has been read in this change, into another state.
func (w *writer) setState(ctx context.Context, t *Tenant, to State, reason string) error {
	switch {
	case !to.known():
		return fmt.Errorf("%w: there is no state %q", ErrIllegalState, to)
	case !t.State.mayBecome(to):
		return fmt.Errorf("%w: a tenant that is %s cannot become %s", ErrIllegalState, t.State, to)
	case to.needsReason() && reason == "":
		return fmt.Errorf("%w: to become %s it needs a reason", ErrIllegalState, to)
	}
	from := t.State
	t.State, t.Reason, t.Epoch, t.UpdatedAt = to, plainText(reason), w.epoch, w.at
	err := w.exec(ctx, `UPDATE tenancy_tenants SET state = ?, reason = ?, epoch = ?, updated_us = ? WHERE id = ?`,
		string(to), t.Reason, t.Epoch, micros(t.UpdatedAt), string(t.ID))
	if err != nil {
		return err
	}
	return w.note(ctx, entry{What: StateChanged, tenant: *t, domains: t.Domains, from: from, to: to, reason: reason})
}

// update gives t, which has been read in this change, the name, domains and attributes of to.
func (w *writer) update(ctx context.Context, t *Tenant, to Tenant) error {
	if to.Name != t.Name {
		if taken, err := w.exists(ctx, `SELECT 1 FROM tenancy_tenants WHERE name = ?`, to.Name); err != nil || taken {
			return existing(err, "its name is taken")
		}
	}
	if err := w.changeDomains(ctx, t.ID, t.Domains, to.Domains); err != nil {
		return err
	}
	domains, err := pack(to.Domains)
	if err != nil {
		return err
	}
	attributes, err := pack(to.Attributes)
	if err != nil {
		return err
	}
	concerned := slices.Concat(t.Domains, to.Domains)
	slices.Sort(concerned)
	t.Name, t.Domains, t.Attributes, t.Epoch, t.UpdatedAt = to.Name, to.Domains, to.Attributes, w.epoch, w.at
	err = w.exec(ctx, `UPDATE tenancy_tenants SET name = ?, domains = ?, attributes = ?, epoch = ?, updated_us = ? WHERE id = ?`,
		t.Name, domains, attributes, t.Epoch, micros(t.UpdatedAt), string(t.ID))
	if err != nil {
		return err
	}
	return w.note(ctx, entry{What: Updated, tenant: *t, domains: slices.Compact(concerned), from: t.State, to: t.State})
}

// place brings t, which has been read in this change, to another place.
func (w *writer) place(ctx context.Context, t *Tenant, at tenancy.Placement, shape Shape, reason string) error {
	if t.State != Moving && t.State != Creating {
		return fmt.Errorf("%w: a tenant that is %s cannot be placed: it must be %s", ErrIllegalState, t.State, Moving)
	}
	home, err := w.homeOf(ctx, at, shape)
	if err != nil {
		return err
	}
	was := t.Placement
	t.Placement, t.Shape, t.Reason, t.Epoch, t.UpdatedAt = at, shape, plainText(reason), w.epoch, w.at
	if err := w.giveName(ctx, *t); err != nil {
		return err
	}
	if err := w.leave(ctx, *t, was); err != nil {
		return err
	}
	err = w.exec(ctx, `UPDATE tenancy_tenants SET shape = ?, shard = ?, schema_name = ?, table_suffix = ?, exclusive_place = ?, claim = ?, home = ?,
		epoch = ?, reason = ?, updated_us = ? WHERE id = ?`,
		string(shape), at.Shard, at.Schema, at.TableSuffix, bit(at.Exclusive), w.claimed(at), home, t.Epoch, t.Reason, micros(t.UpdatedAt), string(t.ID))
	if err != nil {
		return err
	}
	if err := w.exec(ctx, `UPDATE tenancy_shards SET tenants = tenants + 1 WHERE name = ?`, home); err != nil {
		return err
	}
	now, err := w.tenant(ctx, t.ID, 0) // with what has been migrated there
	if err != nil {
		return err
	}
	*t = now
	return w.note(ctx, entry{What: Placed, tenant: *t, domains: t.Domains, from: t.State, to: t.State, reason: reason})
}

// leave takes a tenant out of the counts of the place where it was, and forgets what was migrated there if it had it alone.
func (w *writer) leave(ctx context.Context, t Tenant, was tenancy.Placement) error {
	err := w.exec(ctx, `UPDATE tenancy_shards SET tenants = tenants - 1 WHERE name = (SELECT home FROM tenancy_tenants WHERE id = ?)`, string(t.ID))
	if err != nil || !was.Exclusive || was == t.Placement {
		return err
	}
	return w.exec(ctx, `DELETE FROM tenancy_places WHERE shard = ? AND schema_name = ? AND table_suffix = ?`, was.Shard, was.Schema, was.TableSuffix)
}

// remove takes t, which has been read in this change, out of the catalog.
func (w *writer) remove(ctx context.Context, t Tenant, reason string) error {
	if t.State != Creating && t.State != Dropping {
		return fmt.Errorf("%w: a tenant that is %s cannot be removed: it must be %s or %s", ErrIllegalState, t.State, Creating, Dropping)
	}
	gone := t
	gone.Placement = tenancy.Placement{}
	if err := w.leave(ctx, gone, t.Placement); err != nil {
		return err
	}
	if err := w.changeDomains(ctx, t.ID, t.Domains, nil); err != nil {
		return err
	}
	if err := w.exec(ctx, `UPDATE tenancy_names SET tenant_id = NULL WHERE tenant_id = ?`, string(t.ID)); err != nil {
		return err
	}
	if t.Shape == OwnDatabase {
		if err := w.exec(ctx, `DELETE FROM tenancy_shards WHERE name = ? AND own = 1`, t.Placement.Shard); err != nil {
			return err
		}
	}
	if err := w.exec(ctx, `DELETE FROM tenancy_tenants WHERE id = ?`, string(t.ID)); err != nil {
		return err
	}
	return w.note(ctx, entry{What: Removed, tenant: t, domains: t.Domains, from: t.State, reason: reason})
}
