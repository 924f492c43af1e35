package catalog

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/gormtenancy/tenancy"
)

// mostNames is how many names are tried for one ID: a tenant may be made anew under its ID so many times.
const mostNames = 10_000

// name returns a name for an own schema or database that has never been given: other processes may still hold connections
// to an earlier one, or its file. After prefix and ID follows _2, _3 and so on.
func (w *writer) name(ctx context.Context, t Tenant, cfg Config) (string, error) {
	for n := 1; n <= mostNames; n++ {
		id := t.ID
		if n > 1 {
			id += tenancy.ID(fmt.Sprintf("_%d", n))
		}
		name, err := nameOf(ctx, id, t.Shape, cfg)
		if err != nil {
			return "", err
		}
		taken, err := w.exists(ctx, `SELECT 1 FROM tenancy_names WHERE name = ?`, w.fold(name))
		if err == nil && !taken {
			taken, err = w.exists(ctx, `SELECT 1 FROM tenancy_shards WHERE name = ?`, name)
		}
		if err != nil {
			return "", err
		}
		if !taken {
			return name, nil
		}
	}
	return "", fmt.Errorf("%w: there is no name left for its schema or database", tenancy.ErrInvalidTenant)
}

// nameOf is as the resolvers of package tenancy name places.
func nameOf(ctx context.Context, id tenancy.ID, shape Shape, cfg Config) (string, error) {
	if shape == OwnDatabase {
		p, err := tenancy.DatabasePerTenant(cfg.DatabasePrefix).Resolve(ctx, id)
		return p.Shard, err
	}
	p, err := tenancy.SchemaPerTenant("", cfg.SchemaPrefix).Resolve(ctx, id)
	if err == nil {
		err = checkSchemaName(p.Schema)
	}
	return p.Schema, err
}

// checkSchemaName refuses what one of the databases would refuse, cut off, or take for its own.
func checkSchemaName(name string) error {
	const longestSchema = 63 // of PostgreSQL, in bytes; MySQL has 64 characters
	if err := checkName(name, longestSchema); err != nil {
		return fmt.Errorf("%w: the name of its schema: %w", tenancy.ErrInvalidTenant, err)
	}
	lower := strings.ToLower(name)
	if strings.HasPrefix(lower, "pg_") || slices.Contains([]string{"information_schema", "mysql", "performance_schema", "sys"}, lower) {
		return fmt.Errorf("%w: the name of its schema is one of the database's own", tenancy.ErrInvalidTenant)
	}
	if strings.HasSuffix(name, " ") || strings.ContainsFunc(name, func(r rune) bool { return r > 0xFFFF }) {
		return fmt.Errorf("%w: the name of its schema ends with a space, or has a character that MySQL has none for", tenancy.ErrInvalidTenant)
	}
	return nil
}

// own tells what a name stands for that a tenant has alone; "": nothing.
func ownName(at tenancy.Placement) string {
	if at.Schema != "" {
		return at.Schema
	}
	if at.Exclusive {
		return at.Shard
	}
	return ""
}

// giveName notes that a tenant has the schema or database at its place. A name that was another's is refused.
func (w *writer) giveName(ctx context.Context, t Tenant) error {
	name := ownName(t.Placement)
	if name == "" {
		return nil
	}
	given, err := w.exists(ctx, `SELECT 1 FROM tenancy_names WHERE name = ?`, w.fold(name))
	if err != nil {
		return err
	}
	if !given {
		return w.exec(ctx, `INSERT INTO tenancy_names (name, tenant_id) VALUES (?, ?)`, w.fold(name), string(t.ID))
	}
	free := string(t.ID)
	if t.Placement.Schema == "" {
		free = "" // a database that was added for whoever is to have it: see addShard
	}
	mine, err := w.exists(ctx, `SELECT 1 FROM tenancy_names WHERE name = ? AND tenant_id IN (?, ?)`, w.fold(name), string(t.ID), free)
	if err == nil && !mine {
		return fmt.Errorf("%w: the name of the schema or database is, or was, that of another tenant: choose another name", tenancy.ErrInvalidConfig)
	}
	if err != nil {
		return err
	}
	return w.exec(ctx, `UPDATE tenancy_names SET tenant_id = ? WHERE name = ?`, string(t.ID), w.fold(name))
}

// fold makes names one that a server or a file system may take for one: MySQL's databases and SQLite's files.
func (s *store) fold(name string) string {
	if s.tenants == "postgres" {
		return name
	}
	return strings.ToLower(name)
}

// claim is a place that one tenant has alone, as a text that is unique.
func (s *store) claim(at tenancy.Placement) string {
	const separator = "\x1f" // no name has a control character
	return s.fold(strings.Join([]string{at.Shard, at.Schema, at.TableSuffix}, separator))
}

func checkPlacement(at tenancy.Placement) error {
	wrong := func(what string, err error) error {
		return fmt.Errorf("%w: a placement's %s: %w", tenancy.ErrInvalidConfig, what, err)
	}
	if at.Shard != "" {
		if err := checkName(at.Shard, longestName); err != nil {
			return wrong("shard", err)
		}
	}
	if at.Schema != "" {
		if err := checkSchemaName(at.Schema); err != nil {
			return wrong("schema", err)
		}
	}
	if at.TableSuffix != "" {
		if err := checkName(at.TableSuffix, longestID); err != nil {
			return wrong("suffix", err)
		}
	}
	return nil
}

// checkShape tells whether a placement is what tenants of a shape have.
func checkShape(at tenancy.Placement, shape Shape) error {
	if !shape.known() {
		return fmt.Errorf("%w: there is no shape %q", tenancy.ErrInvalidConfig, shape)
	}
	alone, schema := shape != SharedTables, shape == OwnSchema
	if at.Exclusive != alone || (at.Schema != "") != schema {
		return fmt.Errorf("%w: this is no placement of the shape %q", tenancy.ErrInvalidConfig, shape)
	}
	return nil
}
