// Package dialect holds the few differences between PostgreSQL, MySQL, MariaDB and SQLite that are not GORM's business.
// It makes SQL texts and reads their answers; it sends nothing itself.
package dialect

// Engine is a family of databases.
type Engine uint8

const (
	// Other is a database that nothing is known of: what differs is refused there.
	Other Engine = iota
	// Postgres is PostgreSQL.
	Postgres
	// MySQL is MySQL and MariaDB.
	MySQL
	// SQLite is SQLite.
	SQLite
)

// Of returns the engine of a GORM dialector by its name.
func Of(name string) Engine {
	switch name {
	case "postgres":
		return Postgres
	case "mysql":
		return MySQL
	case "sqlite":
		return SQLite
	default:
		return Other
	}
}

// LockParents ends a SELECT of rows that must not be deleted until the transaction ends. SQLite has one writer at a time,
// so its transaction is the lock.
func (e Engine) LockParents() string {
	switch e {
	case Postgres:
		return " FOR KEY SHARE"
	case MySQL:
		return " LOCK IN SHARE MODE"
	default:
		return ""
	}
}

// LockRows ends a SELECT of rows that the transaction is about to write.
func (e Engine) LockRows() string {
	switch e {
	case Postgres, MySQL:
		return " FOR UPDATE"
	default:
		return ""
	}
}

// RowList stands before a list of rows in "(a, b) IN (…)".
func (e Engine) RowList() string {
	if e == SQLite {
		return "VALUES "
	}
	return ""
}

// UpsertHasWhere tells whether INSERT … ON CONFLICT DO UPDATE takes a WHERE, and touches only rows of the named target.
func (e Engine) UpsertHasWhere() bool { return e == Postgres || e == SQLite }
