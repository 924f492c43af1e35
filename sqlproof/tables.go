package sqlproof

// Tables says what each table is. Its methods may be called concurrently.
type Tables interface {
	// Table says what is known of the table that a text names; schema is "" if the text names none.
	Table(schema, name string) Table
	// Confined tells whether a table that belongs to tenants may be spelled name, in any case.
	Confined(name string) bool
	// Generation changes when what Table answers may have changed.
	Generation() uint64
}

// Class says whose the rows of a table are.
type Class uint8

// The classes of tables.
const (
	Unknown Class = iota // nothing is known of it, so it is refused
	Open                 // it belongs to no tenant: global and reference tables, and the database's own catalog
	Owned                // it has a tenant column
	Link                 // it joins two tables and has no tenant column: its rows are the tenant's if those at their ends are
	Placed               // it has no tenant column: its placement confines it
	Sharded              // it has no tenant column either, and belongs to nobody: its shard key says where its rows are
)

// tenants tells whether a table stands where a placement says: that of the tenant, or of the shard key.
func (c Class) tenants() bool { return c >= Owned }

// Table is what is known of one table.
type Table struct {
	Class  Class
	Name   string // as messages name it
	Column string // the tenant column of an Owned table
	// Type is what the column's values are cast to where nothing else says what they are: "text", "bigint" or "uuid".
	Type string
	Text bool // the column holds text, so a number is not compared with it
	// Key is the caller's, and is handed back: it stands for the tenant's value for the column.
	Key any
	// Catalog tells of an Unknown table that it is one of the database's own that nobody may read with a tenant.
	Catalog bool
	// Home tells of an Open table that its rows are in the default database alone.
	Home bool
	// Ends are the foreign keys of a Link.
	Ends *[]End
	// ShardKey is what says where a row is; nil if that does not depend on the row. A Sharded table has one, an Owned one can.
	// A table is taken for another one when it has another pointer.
	ShardKey *ShardKey
}

// End is a foreign key of a join table.
type End struct {
	Columns []string // of the join table
	Keys    []string // of Parent, one for each of Columns
	Parent  Table
	Schema  string // of Parent, if its model names one
	Carries string // the join table's own column that holds the tenant as part of the key; "" if there is none
}

// holdsAs tells whether the tenant columns of two tables have values of one type. MySQL takes '012' and 12 for equal, so that
// a column of text is not bound by one of numbers.
func (t Table) holdsAs(other Table) bool {
	return t.Class == Owned && t.Type == other.Type && t.Text == other.Text
}

// is tells whether two are the same table.
func (t Table) is(other Table) bool {
	return t.Class == other.Class && t.Name == other.Name && t.Column == other.Column
}
