package provision

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"github.com/gormtenancy/tenancy"
	"github.com/gormtenancy/tenancy/internal/dsn"
)

const (
	postgresDialect = "postgres"
	mysqlDialect    = "mysql"
	sqliteDialect   = "sqlite"
)

// Opener makes the dialector of a DSN: postgres.Open, mysql.Open or sqlite.Open.
type Opener func(dsn string) gorm.Dialector

// CreateDatabase makes the database that dsn names, and reports whether it was not there before. It may be called for a
// database that is there: that one keeps its owner, encoding and collation, and is given the grants; of several callers at
// once one makes it, and all return when it can be used. opts is at most one.
//
// On PostgreSQL it connects to the database "postgres" (see [Database].Via), as CREATE DATABASE takes no transaction. It waits
// for up to half a minute while other sessions are in the template, then returns [ErrInUse].
//
// For SQLite it makes the file, for its owner alone (mode 0600), in a folder that must be there.
func CreateDatabase(ctx context.Context, open Opener, dsn string, opts ...Database) (created bool, err error) {
	t, err := newTarget(open, dsn, opts)
	if err != nil {
		return false, err
	}
	if created, err = orThere(t.make(ctx)); err != nil {
		return created, err
	}
	return created, t.grant(ctx)
}

// DropDatabase drops the database that dsn names, with all that is in it, and reports whether it was there. Sessions that use
// it are ended, as far as the role may; those that are left are waited for, for up to half a minute, then it is [ErrInUse].
// opts is at most one: its Via is used, and on MySQL its Grants are revoked, which would hold for a later database of the name.
//
// For SQLite it removes the file and what SQLite has put beside it. A process that has it open keeps the removed file: close
// it there first.
func DropDatabase(ctx context.Context, open Opener, dsn string, opts ...Database) (dropped bool, err error) {
	t, err := newTarget(open, dsn, opts)
	if err != nil {
		return false, err
	}
	switch t.dialect {
	case postgresDialect:
		return t.dropPostgres(ctx)
	case mysqlDialect:
		return t.dropMySQL(ctx)
	default:
		return t.dropFile()
	}
}

// DatabaseExists reports whether the database that dsn names is there. It makes none. opts is at most one: its Via is used.
func DatabaseExists(ctx context.Context, open Opener, dsn string, opts ...Database) (bool, error) {
	t, err := newTarget(open, dsn, opts)
	if err != nil {
		return false, err
	}
	switch t.dialect {
	case postgresDialect:
		return t.existsPostgres(ctx)
	case mysqlDialect:
		return t.existsMySQL(ctx)
	default:
		return t.existsFile()
	}
}

// WithDatabase returns the DSN of another database at the same place; all else in it stays as it is. For SQLite it lies in the
// same folder, with the same extension. It fails with [ErrInvalidDSN].
func WithDatabase(dialect, text, name string) (string, error) {
	return dsn.WithDatabase(dialect, text, name)
}

// target is a database that is made, dropped or looked for.
type target struct {
	open    Opener
	dialect string
	dsn     string
	name    string
	options Database
}

// make makes the database. One that is there is a [*takenError].
func (t *target) make(ctx context.Context) error {
	switch t.dialect {
	case postgresDialect:
		return t.makePostgres(ctx)
	case mysqlDialect:
		return t.makeMySQL(ctx)
	default:
		return t.makeFile(ctx)
	}
}

// grant makes the grants.
func (t *target) grant(ctx context.Context) error {
	switch {
	case len(t.options.Grants) == 0:
		return nil
	case t.dialect == postgresDialect:
		return t.grantPostgres(ctx)
	default:
		return t.grantMySQL(ctx)
	}
}

func newTarget(open Opener, text string, opts []Database) (*target, error) {
	options, err := only(opts)
	if err != nil {
		return nil, err
	}
	if open == nil {
		return nil, fmt.Errorf("%w: the Opener is missing: give the Open of the dialect's driver, such as postgres.Open", tenancy.ErrInvalidConfig)
	}
	d := open(text)
	if d == nil {
		return nil, fmt.Errorf("%w: the Opener returned no dialector", tenancy.ErrInvalidConfig)
	}
	t := &target{open: open, dialect: d.Name(), dsn: text, options: options}
	if t.dialect == sqliteDialect {
		return t, options.check(t.dialect) // it is the dialector that knows the file
	}
	if t.name, err = dsn.Database(t.dialect, text); err != nil {
		return nil, err
	}
	if err := checkDatabaseName(t.dialect, t.name); err != nil {
		return nil, err
	}
	return t, options.check(t.dialect)
}
