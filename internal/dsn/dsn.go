// Package dsn reads and changes the name of the database in a DSN. All else stays as it is, byte for byte.
//
// It reads a DSN as the dialect's driver does, without linking one: pgx and libpq for "postgres", go-sql-driver for "mysql",
// SQLite's own rules for "sqlite".
package dsn

import (
	"errors"
	"fmt"
)

// ErrInvalid means that a DSN cannot be read, or names no database of its own. No error of this package shows a DSN, or a
// part of one: it may hold a password.
var ErrInvalid = errors.New("tenancy: invalid DSN")

// WithDatabase returns the DSN of another database at the same place: on the same server with the same settings, or, for
// "sqlite", in the same folder with the same extension (".db" where there is none). For "mysql" the name may be empty: then no
// database is chosen. The name is escaped as the DSN needs it; whether it is a fit name is not looked at, except that a file
// cannot have any.
func WithDatabase(dialect, dsn, name string) (string, error) {
	if name == "" && dialect != "mysql" {
		return "", invalid("the new name of the database is empty")
	}
	switch dialect {
	case "postgres":
		return withPostgres(dsn, name)
	case "mysql":
		return withMySQL(dsn, name)
	case "sqlite":
		return withFile(dsn, name)
	default:
		return "", unknown(dialect)
	}
}

// Database returns the name of the database that dsn names, or "" if it leaves that to the server or to the environment. For
// "sqlite" it is the name of the file without its extension, so that it is what [WithDatabase] has been given.
func Database(dialect, dsn string) (string, error) {
	switch dialect {
	case "postgres":
		return postgresName(dsn)
	case "mysql":
		return mysqlName(dsn)
	case "sqlite":
		return fileName(dsn)
	default:
		return "", unknown(dialect)
	}
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}

func unknown(dialect string) error {
	return invalid("no DSNs are known of the dialect %q, only of postgres, mysql and sqlite", dialect)
}
