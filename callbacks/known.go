package callbacks

import (
	"slices"
	"strings"
	"sync"

	"github.com/gormtenancy/tenancy/internal/dialect"
	"github.com/gormtenancy/tenancy/internal/tables"
	"github.com/gormtenancy/tenancy/sqlproof"
)

// knownTables is the registry as a prover asks it.
type knownTables struct {
	registry       *tables.Registry
	engine         dialect.Engine
	unlistedGlobal bool
	resolves       bool     // tenants can be in different places
	fleet          bool     // tenants' tables are sharded by their tenant columns
	described      sync.Map // *tables.Table → described
}

// described is a table, and the generation in which it was described: a join table can get ends later.
type described struct {
	generation uint64
	table      sqlproof.Table
}

var _ sqlproof.Tables = (*knownTables)(nil)

// Generation implements [sqlproof.Tables].
func (k *knownTables) Generation() uint64 { return k.registry.Generation() }

// Confined implements [sqlproof.Tables].
func (k *knownTables) Confined(name string) bool {
	t := k.registry.Named(name)
	return t != nil && t.Class.HasPlace()
}

// Table implements [sqlproof.Tables].
func (k *knownTables) Table(schema, name string) sqlproof.Table {
	if open, catalog := k.engine.Catalog(schema, name); catalog {
		if open {
			return sqlproof.Table{Class: sqlproof.Open, Name: name}
		}
		return sqlproof.Table{Name: name, Catalog: true}
	}
	t := k.registry.Named(name)
	if t == nil {
		if k.unlistedGlobal && !k.registry.Suffixed(name) {
			return sqlproof.Table{Class: sqlproof.Open, Name: name, Home: true}
		}
		return sqlproof.Table{Name: name}
	}
	// A table of the same name in another schema is held to the tenant like the known one, which can only hold it too much.
	// It is not taken for one that may be read freely, or that may be another tenant's.
	at := t.Schema()
	same := strings.EqualFold(schema, at) || at == "" && k.engine.DefaultSchema(schema) || schema == "" && k.engine.DefaultSchema(at)
	if !same && (t.Class == tables.Placed || t.Shard != nil || t.Class.Confined() && k.resolves || !t.Class.HasPlace() && !k.unlistedGlobal) {
		return sqlproof.Table{Name: strings.TrimPrefix(schema+"."+name, ".")}
	}
	return k.describe(t)
}

// describe makes of a table what a prover needs.
func (k *knownTables) describe(t *tables.Table) sqlproof.Table {
	generation := k.registry.Generation()
	var was described
	if v, ok := k.described.Load(t); ok {
		if was, _ = v.(described); was.generation == generation {
			return was.table
		}
	}
	now := sqlproof.Table{Name: t.Name, Key: t}
	switch t.Class {
	case tables.Global, tables.Reference:
		now.Class, now.Home = sqlproof.Open, t.Class == tables.Global
	case tables.Placed:
		now.Class = sqlproof.Placed
	case tables.Owned:
		now.Class, now.Column, now.Type = sqlproof.Owned, t.Tenant.Name, t.Tenant.SQLType()
		now.Text = now.Type == "text"
	case tables.Sharded:
		now.Class = sqlproof.Sharded
	case tables.Link:
		now.Class = sqlproof.Link
		now.Ends = k.ends(t, was.table.Ends)
	}
	switch now.ShardKey = was.table.ShardKey; {
	case now.ShardKey != nil:
	case t.Shard != nil:
		now.ShardKey = shardKey(t.Shard)
	case k.fleet && t.Tenant != nil:
		now.ShardKey = &sqlproof.ShardKey{Column: t.Tenant.Name, Type: now.Type, Sharding: tenantSet}
	}
	k.described.Store(t, described{generation, now})
	return now
}

// ends are the foreign keys of a join table: those that were, if they are the same.
func (k *knownTables) ends(t *tables.Table, was *[]sqlproof.End) *[]sqlproof.End {
	keys := k.registry.ForeignKeys(t)
	ends := make([]sqlproof.End, 0, len(keys))
	for i := range keys {
		key := &keys[i]
		ends = append(ends, sqlproof.End{
			Columns: key.Columns, Keys: key.Keys, Carries: key.Carries,
			Parent: k.describe(key.Parent), Schema: key.Parent.Schema(),
		})
	}
	same := func(a, b sqlproof.End) bool {
		return slices.Equal(a.Columns, b.Columns) && slices.Equal(a.Keys, b.Keys) && a.Parent == b.Parent && a.Schema == b.Schema && a.Carries == b.Carries
	}
	if was != nil && slices.EqualFunc(*was, ends, same) {
		return was
	}
	return &ends
}

// shardKey describes what says where the rows of a table are.
func shardKey(k *tables.ShardKey) *sqlproof.ShardKey {
	out := &sqlproof.ShardKey{Column: k.Column.Name, Type: k.Type, Sharding: k.Set}
	if k.ID != nil {
		out.ID, out.IDType = k.ID.Name, k.IDType
	}
	return out
}
