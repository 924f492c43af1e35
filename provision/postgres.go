package provision

import (
	"context"
	"database/sql"
	"errors"
)

// forceSince is the version of DROP DATABASE … WITH (FORCE).
const forceSince = 130000

// brokenLimit is what PostgreSQL 15.4 and later keep of a database whose DROP was cut short (src/include/catalog/
// pg_database.h, DATCONNLIMIT_INVALID_DB): nobody can connect to it.
const brokenLimit = -2

func (t *target) makePostgres(ctx context.Context) error {
	const what = "creating the database"
	var there *takenError
	_, err := t.administer(ctx, func(admin *sql.DB) (bool, error) {
		conn, err := t.announced(ctx, admin)
		if err != nil {
			return false, failed(what, err)
		}
		defer conn.Close() //nolint:errcheck // it goes back to a pool that is closed next
		text := t.createText()
		return true, patiently(ctx, what, func() error {
			_, err := conn.ExecContext(ctx, text)
			if state := stateOf(err); state != pgDuplicateDatabase && state != pgUniqueViolation {
				return err
			}
			found, broken := t.found(ctx, conn)
			if found || broken != nil {
				there = &takenError{"the database", failed(what, broken)}
				return nil
			}
			return err // dropped since
		}, pgObjectInUse, pgDuplicateDatabase, pgUniqueViolation)
	})
	if there != nil {
		return there
	}
	return err
}

// createStart is how each statement begins that makes the database, whatever comes next.
func (t *target) createStart() string { return "CREATE DATABASE " + quote(t.dialect, t.name) }

func (t *target) createText() string {
	o := t.options
	text := t.createStart()
	if o.Owner != "" {
		text += " OWNER " + quote(t.dialect, o.Owner)
	}
	if o.Template == "" && (o.Encoding != "" || o.Collation != "") {
		o.Template = "template0" // the only one that may be copied with another encoding or collation
	}
	if o.Template != "" {
		text += " TEMPLATE " + quote(t.dialect, o.Template)
	}
	if o.Encoding != "" {
		text += " ENCODING" + literal(o.Encoding)
	}
	if o.Collation != "" {
		text += " LC_COLLATE" + literal(o.Collation) + " LC_CTYPE" + literal(o.Collation)
	}
	return text
}

// found reports whether the database is there, and fails if it cannot be used.
func (t *target) found(ctx context.Context, conn *sql.Conn) (bool, error) {
	var limit int
	err := conn.QueryRowContext(ctx, "SELECT datconnlimit FROM pg_database WHERE datname = $1", t.name).Scan(&limit)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return false, nil
	case err == nil && limit == brokenLimit:
		return true, &failure{sentinel: ErrBroken, what: "its drop was cut short: drop it again"}
	default:
		return true, err
	}
}

func (t *target) existsPostgres(ctx context.Context) (bool, error) {
	return t.administer(ctx, func(admin *sql.DB) (there bool, err error) {
		err = admin.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)", t.name).Scan(&there)
		return there, failed("looking for the database", err)
	})
}

func (t *target) dropPostgres(ctx context.Context) (bool, error) {
	return t.administer(ctx, func(admin *sql.DB) (dropped bool, err error) {
		var version int
		if err := admin.QueryRowContext(ctx, "SELECT current_setting('server_version_num')::int").Scan(&version); err != nil {
			return false, failed("asking for the server's version", err)
		}
		drop := dropForced
		if version < forceSince {
			drop = dropTerminated
		}
		err = patiently(ctx, "dropping the database", func() error {
			coming, err := t.coming(ctx, admin)
			if err != nil {
				return err
			}
			err = drop(ctx, admin, t.name)
			dropped = err == nil
			if stateOf(err) == pgNoSuchDatabase && !coming {
				return nil
			}
			return err
		}, pgObjectInUse, pgNoSuchDatabase)
		return dropped, err
	})
}

// dropForced has the server end the sessions of the database.
func dropForced(ctx context.Context, admin *sql.DB, name string) error {
	_, err := admin.ExecContext(ctx, "DROP DATABASE "+quote(postgresDialect, name)+" WITH (FORCE)")
	return err
}

// dropTerminated ends the sessions of the database first. One that comes in between makes the drop fail, and try again.
func dropTerminated(ctx context.Context, admin *sql.DB, name string) error {
	if err := terminate(ctx, admin, "SELECT pid FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()", name); err != nil {
		return err
	}
	_, err := admin.ExecContext(ctx, "DROP DATABASE "+quote(postgresDialect, name))
	return err
}
