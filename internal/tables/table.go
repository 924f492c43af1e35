// Package tables knows what each table is: whose its rows are, which column says so, and which of its columns point at
// rows that a tenant owns. It reads GORM's parsed models and their tags; it sends no SQL.
package tables

import (
	"strings"
	"sync"
	"sync/atomic"

	"gorm.io/gorm/clause"
)

// Class says whose the rows of a table are.
type Class uint8

const (
	// Unlisted tables are in no list of the configuration, and their model has no tag.
	Unlisted Class = iota
	// Owned tables have a tenant column.
	Owned
	// Link tables join two tables of a many2many relation and have no tenant column: a row belongs to the tenant that
	// owns both ends.
	Link
	// Placed tables have no tenant column, so only their placement confines them.
	Placed
	// Sharded tables belong to no tenant, and are spread by their shard key.
	Sharded
	// Global tables belong to no tenant and live in the default database.
	Global
	// Reference tables hold the same rows on every placement.
	Reference
)

// String returns the word that messages use for the class.
func (c Class) String() string {
	switch c {
	case Owned:
		return "tenant-owned"
	case Link:
		return "join table"
	case Placed:
		return "placed"
	case Sharded:
		return "sharded"
	case Global:
		return "global"
	case Reference:
		return "reference"
	default:
		return "unlisted"
	}
}

// Confined tells whether rows of this class belong to tenants.
func (c Class) Confined() bool { return c == Owned || c == Link || c == Placed }

// HasPlace tells whether rows of this class are where a placement says.
func (c Class) HasPlace() bool { return c.Confined() || c == Sharded }

// Table is what is known of one table. It does not change once a [Registry] has returned it.
type Table struct {
	Name   string // as GORM spells it, without a schema
	Path   string // the same with its schema, if the model names one
	Model  string // the Go type, for messages; empty for a table without a model
	Class  Class
	Tenant *Column // of an Owned table
	// Shard says where each row is; nil if that does not depend on the row. Sharded tables have one, others can.
	Shard *ShardKey

	folded string
}

// fold makes one key of all spellings that some database takes for the same table: SQLite and, on some file systems,
// MySQL ignore case. A schema in front is dropped: a table of the same name elsewhere is taken for the known one, which
// can only refuse too much.
func fold(name string) string {
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		name = name[i+1:]
	}
	return strings.ToLower(strings.Trim(name, "`\"[]"))
}

// Schema returns the schema that the table's model names; "" if it names none.
func (t *Table) Schema() string {
	return strings.TrimSuffix(strings.TrimSuffix(t.Path, t.Name), ".")
}

// Describe names the table for people.
func (t *Table) Describe() string {
	if t.Model != "" {
		return t.Name + " (" + t.Model + ")"
	}
	return t.Name
}

// Under returns the table, or for a model that is used under another table name one like it with that name: what is looked
// up is looked up there.
func (t *Table) Under(name string) *Table {
	if t.Name == name || t.Tenant == nil || fold(name) == t.folded {
		return t
	}
	other := *t
	other.Name, other.Path = lastPart(name), name
	other.Tenant = &Column{
		Name: t.Tenant.Name, Table: name, Field: t.Tenant.Field,
		form: t.Tenant.form, bits: t.Tenant.bits, size: t.Tenant.size, custom: t.Tenant.custom,
	}
	return &other
}

// Comparison says how the database compares the values of a tenant column.
type Comparison int32

const (
	// Unasked means that the database was not asked yet.
	Unasked Comparison = iota
	// Exact columns tell any two different strings apart.
	Exact
	// Padded columns take strings that differ in trailing spaces for equal.
	Padded
	// Folding columns take some different strings for equal: by case, by accents.
	Folding
	// Mingling columns may take different letters for equal, as the collations of some languages do.
	Mingling
	// Numeric columns hold numbers, although the model has text.
	Numeric
	// UUIDs columns hold UUIDs, although the model has text.
	UUIDs
	// Unanswered columns were asked for and not found, or the database has no such answer.
	Unanswered
)

// comparison is a [Comparison] that is found out once for each shard: nothing makes the columns of two databases alike.
type comparison struct {
	home   atomic.Int32
	shards sync.Map // string → Comparison
}

// Comparison returns what [Column.SetComparison] stored for a shard, [Unasked] before.
func (c *Column) Comparison(shard string) Comparison {
	if shard == "" {
		return Comparison(c.compares.home.Load())
	}
	if v, ok := c.compares.shards.Load(shard); ok {
		known, _ := v.(Comparison)
		return known
	}
	return Unasked
}

// Quoted returns the column as the dialect quotes it behind the name of its table or an alias. For the table's own name,
// which most statements use, it is found out once: a column belongs to one *gorm.DB.
func (c *Column) Quoted(alias string, quote func(any) string) string {
	if alias == lastPart(c.Table) {
		if q := c.quoted.Load(); q != nil {
			return *q
		}
		q := quote(clause.Column{Table: alias, Name: c.Name})
		c.quoted.Store(&q)
		return q
	}
	return quote(clause.Column{Table: alias, Name: c.Name})
}

// SetComparison stores how the database of a shard compares the column's values; "" is the default database.
func (c *Column) SetComparison(shard string, v Comparison) {
	if shard == "" {
		c.compares.home.Store(int32(v))
		return
	}
	c.compares.shards.Store(shard, v)
}

// forget drops what [Column.SetComparison] stored for a shard, or for a schema in it.
func (t *Table) forget(shard string) {
	if t.Tenant == nil {
		return
	}
	t.Tenant.compares.shards.Range(func(name, _ any) bool {
		if s, _ := name.(string); s == shard || strings.HasPrefix(s, shard+"\x00") {
			t.Tenant.compares.shards.Delete(name)
		}
		return true
	})
}
