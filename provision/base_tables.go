package provision

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/gormtenancy/tenancy"
)

// tableSet is a set of tables by schema and name; the schema "" is the connection's own.
type tableSet map[[2]string]bool

func (s tableSet) add(schema, name string) {
	s[[2]string{strings.ToLower(schema), strings.ToLower(name)}] = true
}

func (s tableSet) has(schema, name string) bool {
	return s[[2]string{strings.ToLower(schema), strings.ToLower(name)}]
}

// hasPath is has for a name with its schema.
func (s tableSet) hasPath(path string) bool {
	schema, name := "", path
	if i := strings.LastIndexByte(path, '.'); i >= 0 {
		schema, name = path[:i], path[i+1:]
	}
	return s.has(schema, name)
}

// allTables lists the tables of a dialect's database, without views, in its own schema and all others that are meant by name.
// The rights of the role do not count in pg_class, unlike in information_schema.
func allTables(dialect string) string {
	switch dialect {
	case postgresDialect:
		return `SELECT n.nspname, c.relname, n.nspname = current_schema() FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
			WHERE c.relkind IN ('r', 'p')`
	case mysqlDialect:
		return `SELECT table_schema, table_name, table_schema = DATABASE() FROM information_schema.tables WHERE table_type = 'BASE TABLE'`
	default:
		return `SELECT 'main', name, 1 FROM sqlite_master WHERE type = 'table'`
	}
}

// baseTables lists the shared tables at a placement.
func (p *Provisioner) baseTables(ctx context.Context, where tenancy.Placement) (tableSet, error) {
	return p.listTables(ctx, where, allTables(p.cfg.DB.Name()))
}

// listTables runs a query like [allTables], for the schemas that the tables of tenants are in: of others there may be thousands.
func (p *Provisioner) listTables(ctx context.Context, where tenancy.Placement, query string) (all tableSet, err error) {
	known, err := p.plugin.TenantTables()
	if err != nil {
		return nil, err
	}
	var schemas []string
	for _, t := range known {
		if t.Schema != "" {
			schemas = append(schemas, ", '"+strings.ReplaceAll(t.Schema, "'", "''")+"'")
		}
	}
	switch named := strings.Join(schemas, ""); p.cfg.DB.Name() {
	case postgresDialect:
		query += ` AND n.nspname IN (current_schema()` + named + `)`
	case mysqlDialect:
		query += ` AND table_schema IN (DATABASE()` + named + `)`
	}
	pool, err := poolOf(at(ctx, tenancy.Placement{Shard: where.Shard}), p.cfg.DB)
	if err != nil {
		return nil, err
	}
	found, err := pool.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, found.Close()) }()
	all = tableSet{}
	for found.Next() {
		var schema, name string
		var own sql.NullBool
		if err := found.Scan(&schema, &name, &own); err != nil {
			return nil, err
		}
		all.add(schema, name)
		if own.Bool {
			all.add("", name)
		}
	}
	return all, found.Err()
}
