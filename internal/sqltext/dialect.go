// Package sqltext reads the pieces of SQL that users of GORM write themselves: a condition, an ORDER BY, a table
// expression, a raw statement. It splits them into tokens and says whether a piece is self-contained and names no source
// of rows. It is no parser, and it is closed by default: what it cannot read for certain, it refuses.
//
// Two things are beyond it, and its callers see to them. A piece that passes has to be spliced in between parentheses,
// because "a BETWEEN 1" or "CASE WHEN a THEN b" would take in what comes after them. And it knows the functions that
// databases bring along, not those that users have added: one of those may read any table.
package sqltext

import "strings"

// Dialect is the family of databases whose lexical rules a text follows. A value that is not listed here is Unknown.
type Dialect uint8

const (
	// Postgres is PostgreSQL.
	Postgres Dialect = iota
	// MySQL is MySQL and MariaDB.
	MySQL
	// SQLite is SQLite.
	SQLite
	// Unknown is any other database: what means one thing here and another there is refused.
	Unknown
)

// DialectOf returns the dialect of a GORM dialector by its name.
func DialectOf(gormName string) Dialect {
	switch gormName {
	case "postgres":
		return Postgres
	case "mysql":
		return MySQL
	case "sqlite":
		return SQLite
	default:
		return Unknown
	}
}

// Quote returns a name as the dialect quotes it. Unlike GORM's quoting it takes a dot for part of the name.
func (d Dialect) Quote(name string) string {
	if d == MySQL {
		return "`" + strings.ReplaceAll(name, "`", "``") + "`"
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// known tells whether anything is known of the dialect's lexical rules.
func (d Dialect) known() bool { return d < Unknown }

// quotes tells whether q opens a quoted identifier. In MySQL a double quote opens a string, or an identifier in the mode
// ANSI_QUOTES; both end in the same place.
func (d Dialect) quotes(q byte) bool {
	switch q {
	case '"':
		return true
	case '`':
		return d == MySQL || d == SQLite
	case '[':
		return d == SQLite
	default:
		return false
	}
}
