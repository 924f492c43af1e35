package provision

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"
)

func (t *target) makeMySQL(ctx context.Context) error {
	_, err := t.administer(ctx, func(admin *sql.DB) (bool, error) {
		return true, makeMySQL(ctx, admin, t.name, t.options.Encoding, t.options.Collation)
	})
	return err
}

func (t *target) grantMySQL(ctx context.Context) error {
	_, err := t.administer(ctx, func(admin *sql.DB) (bool, error) { return true, grantMySQL(ctx, admin, t.name, t.options.Grants) })
	return err
}

func (t *target) existsMySQL(ctx context.Context) (bool, error) {
	return t.administer(ctx, func(admin *sql.DB) (bool, error) { return existsMySQL(ctx, admin, t.name) })
}

func (t *target) dropMySQL(ctx context.Context) (bool, error) {
	return t.administer(ctx, func(admin *sql.DB) (bool, error) { return dropMySQL(ctx, admin, t.name, t.options.Grants) })
}

func makeMySQL(ctx context.Context, pool *sql.DB, name, encoding, collation string) error {
	text := "CREATE DATABASE " + quote(mysqlDialect, name) //nolint:gosec // quoted
	if encoding == "" && collation == "" {
		encoding = "utf8mb4" // a server's own default may be latin1
	}
	if encoding != "" {
		text += " CHARACTER SET " + encoding
	}
	if collation != "" {
		text += " COLLATE " + collation
	}
	_, err := pool.ExecContext(ctx, text)
	if numberOf(err) == mysqlDatabaseExists {
		return &takenError{what: "the database"}
	}
	return failed("creating the database", err)
}

func grantMySQL(ctx context.Context, pool *sql.DB, name string, grants []Grant) error {
	pattern, err := grantPattern(ctx, pool, name)
	if err != nil {
		return failed("granting", err)
	}
	for _, g := range grants {
		if _, err = pool.ExecContext(ctx, "GRANT "+g.privileges()+" ON "+pattern+".* TO "+account(g.To)); err != nil {
			return failed("granting", err)
		}
	}
	return nil
}

// existsMySQL compares the name itself: the collation of the server's own tables may take one letter for another.
func existsMySQL(ctx context.Context, pool *sql.DB, name string) (bool, error) {
	var folded bool
	err := pool.QueryRowContext(ctx, "SELECT @@lower_case_table_names <> 0").Scan(&folded)
	if err != nil {
		return false, failed("looking for the database", err)
	}
	names, err := read[string](ctx, pool, "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ?", name)
	if err != nil {
		return false, failed("looking for the database", err)
	}
	for _, found := range names {
		if found == name || folded && strings.EqualFold(found, name) {
			return true, nil
		}
	}
	return false, nil
}

// dropMySQL ends the sessions that are in the database, or have locks on its tables, and drops it. A session that it does not
// find, as the server does not tell or the role may not know, is waited for.
func dropMySQL(ctx context.Context, pool *sql.DB, name string, grants []Grant) (dropped bool, err error) {
	conn, err := pool.Conn(ctx)
	if err != nil {
		return false, failed("dropping the database", err)
	}
	defer func() { err = errors.Join(err, failed("dropping the database", discard(conn))) }() // for the timeout's sake
	if _, err = conn.ExecContext(ctx, "SET SESSION lock_wait_timeout = 1"); err != nil {
		return false, failed("dropping the database", err)
	}
	err = patiently(ctx, "dropping the database", func() error {
		if err := endSessions(ctx, conn, name); err != nil {
			return err
		}
		_, err := conn.ExecContext(ctx, "DROP DATABASE "+quote(mysqlDialect, name))
		return err
	}, strconv.Itoa(mysqlLockWaitTimeout))
	dropped = err == nil
	if numberOf(err) == mysqlNoSuchDatabase {
		err = nil
	}
	if err != nil {
		return false, err
	}
	return dropped, revoke(ctx, pool, name, grants)
}
