package provision

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/gormtenancy/tenancy"
)

// Database is how a database is made. Zero: as the server makes it by default, but on MySQL with utf8mb4, as Go's strings are
// UTF-8. SQLite takes none of it.
type Database struct {
	// Template is the database that is copied. Zero: template1, or template0 with an Encoding or a Collation. PostgreSQL only.
	Template string
	// Owner is the role that owns it. Zero: the role of the DSN. PostgreSQL only.
	Owner string
	// Encoding is the character set.
	Encoding string
	// Collation is the order of texts; on PostgreSQL it also says what is a letter (LC_COLLATE and LC_CTYPE).
	Collation string
	// Grants are made when it is new, and again when it is there already.
	Grants []Grant
	// Via is the DSN of the connection from which it is made. Zero: that of the database itself, but on PostgreSQL with the
	// database "postgres" in it, and on MySQL with none.
	Via string
}

// Schema is how a schema is made; on MySQL that is a database.
type Schema struct {
	Owner     string  // PostgreSQL only; zero: the role of the connection
	Encoding  string  // MySQL only
	Collation string  // MySQL only
	Grants    []Grant // made when it is new, and again when it is there already
}

// Grant lets a role that does not own the tables use them: what it needs to get there, and Privileges on the tables.
type Grant struct {
	// To is the role: on MySQL an account, as "app" or "app@localhost".
	To string
	// Privileges are on all tables, those that are there and those that the owner or the role of the DSN makes later. Zero:
	// SELECT, INSERT, UPDATE, DELETE. With INSERT, PostgreSQL's sequences are included.
	Privileges []string
}

// privilege is one or more words: it cannot be quoted.
var privilege = regexp.MustCompile(`^[A-Za-z]+( [A-Za-z]+)*$`)

// check names the first fault of g, or is nil.
func (g Grant) check(dialect string) error {
	if dialect == mysqlDialect {
		dialect = "" // an account is longer than a name
	}
	if err := checkName(dialect, g.To); err != nil {
		return fmt.Errorf("%w: Grant.To: %w", tenancy.ErrInvalidConfig, err)
	}
	for _, p := range g.Privileges {
		if !privilege.MatchString(p) {
			return fmt.Errorf("%w: Grant.Privileges: %q is no privilege", tenancy.ErrInvalidConfig, p)
		}
	}
	return nil
}

// privileges returns them as SQL takes them.
func (g Grant) privileges() string {
	if len(g.Privileges) == 0 {
		return "SELECT, INSERT, UPDATE, DELETE"
	}
	return strings.ToUpper(strings.Join(g.Privileges, ", "))
}

func (g Grant) inserts() bool {
	return strings.Contains(g.privileges(), "INSERT") || strings.Contains(g.privileges(), "ALL")
}

// check refuses what the dialect does not have: left out in silence, it would be missed.
func (o Database) check(dialect string) error {
	switch dialect {
	case postgresDialect:
		for _, name := range []string{o.Template, o.Owner} {
			if name == "" {
				continue
			}
			if err := checkName(dialect, name); err != nil {
				return fmt.Errorf("%w: Database: %w", tenancy.ErrInvalidConfig, err)
			}
		}
	case mysqlDialect:
		if o.Template != "" || o.Owner != "" {
			return fmt.Errorf("%w: MySQL has no templates and no owners of databases: leave Template and Owner empty", tenancy.ErrInvalidConfig)
		}
		if err := checkCharacters(o.Encoding, o.Collation); err != nil {
			return err
		}
	default:
		if o.Template != "" || o.Owner != "" || o.Encoding != "" || o.Collation != "" || len(o.Grants) != 0 || o.Via != "" {
			return fmt.Errorf("%w: a database of SQLite is a file, and takes nothing of Database", tenancy.ErrInvalidConfig)
		}
	}
	return checkGrants(dialect, o.Grants)
}

func (s Schema) check(dialect string) error {
	switch dialect {
	case postgresDialect:
		if s.Encoding != "" || s.Collation != "" {
			return fmt.Errorf("%w: a schema of PostgreSQL has the encoding and collation of its database: leave them empty", tenancy.ErrInvalidConfig)
		}
		if s.Owner != "" {
			if err := checkName(dialect, s.Owner); err != nil {
				return fmt.Errorf("%w: Schema.Owner: %w", tenancy.ErrInvalidConfig, err)
			}
		}
	case mysqlDialect:
		return Database{Owner: s.Owner, Encoding: s.Encoding, Collation: s.Collation, Grants: s.Grants}.check(dialect)
	}
	return checkGrants(dialect, s.Grants)
}

func checkGrants(dialect string, grants []Grant) error {
	for _, g := range grants {
		if err := g.check(dialect); err != nil {
			return err
		}
	}
	return nil
}

// characters is a name of a character set or a collation of MySQL, which are written unquoted.
var characters = regexp.MustCompile(`^[A-Za-z0-9_]*$`)

func checkCharacters(names ...string) error {
	for _, name := range names {
		if !characters.MatchString(name) {
			return fmt.Errorf("%w: %q is no character set or collation of MySQL", tenancy.ErrInvalidConfig, name)
		}
	}
	return nil
}

// only returns the options of a call that takes at most one.
func only[T any](opts []T) (T, error) {
	var one T
	switch len(opts) {
	case 0:
		return one, nil
	case 1:
		return opts[0], nil
	default:
		return one, fmt.Errorf("%w: at most one %T, not %d", tenancy.ErrInvalidConfig, one, len(opts))
	}
}
