package provision

import (
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	postgresNameBytes = 63 // NAMEDATALEN - 1: PostgreSQL cuts off the rest, so that two names would be one
	mysqlNameRunes    = 64
)

// checkDatabaseName refuses names that a server would cut off or not take, and those of its own databases.
func checkDatabaseName(dialect, name string) error {
	if err := checkName(dialect, name); err != nil {
		return err
	}
	own := []string{"postgres", "template0", "template1"}
	if dialect == mysqlDialect {
		own = []string{"information_schema", "mysql", "ndbinfo", "performance_schema", "sys"}
		name = strings.ToLower(name)
	}
	if dialect != sqliteDialect && slices.Contains(own, name) {
		return invalidName(name, "is one of the server's own databases")
	}
	return nil
}

// checkSchemaName is [checkDatabaseName] for a schema. PostgreSQL's "public" is the one of shared tables.
func checkSchemaName(dialect, name string) error {
	if dialect == mysqlDialect {
		return checkDatabaseName(dialect, name)
	}
	if err := checkName(dialect, name); err != nil {
		return err
	}
	if name == "public" || name == "information_schema" || strings.HasPrefix(name, "pg_") {
		return invalidName(name, "is one of the server's own schemas")
	}
	return nil
}

// checkName is about what a server can keep.
func checkName(dialect, name string) error {
	switch {
	case name == "":
		return invalidName(name, "is empty")
	case !utf8.ValidString(name):
		return invalidName(name, "is not valid UTF-8")
	case strings.ContainsRune(name, 0):
		return invalidName(name, "has a NUL byte")
	case dialect == postgresDialect && len(name) > postgresNameBytes:
		return invalidName(name, "has %d bytes, and PostgreSQL cuts names off after %d", len(name), postgresNameBytes)
	case dialect == mysqlDialect && utf8.RuneCountInString(name) > mysqlNameRunes:
		return invalidName(name, "has %d characters, and MySQL takes %d", utf8.RuneCountInString(name), mysqlNameRunes)
	case dialect == mysqlDialect && strings.HasSuffix(name, " "):
		return invalidName(name, "ends in a space, which MySQL does not take")
	case dialect == mysqlDialect && strings.ContainsFunc(name, func(r rune) bool { return r > '\uFFFF' }):
		return invalidName(name, "has a character beyond U+FFFF, which MySQL does not take in a name")
	default:
		return nil
	}
}

// quote quotes the name of a database, a schema or a role. GORM's own quoting takes a dot for the end of a schema's name.
func quote(dialect, name string) string {
	mark := `"`
	if dialect == mysqlDialect {
		mark = "`"
	}
	return mark + strings.ReplaceAll(name, mark, mark+mark) + mark
}

// literal quotes a text for PostgreSQL, whatever standard_conforming_strings is.
func literal(text string) string {
	return ` E'` + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text) + `'`
}
