package provision

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"
)

func (t *target) createMySQL(ctx context.Context) (bool, error) {
	return t.administer(ctx, func(admin *sql.DB) (bool, error) { return createMySQL(ctx, admin, t.name, t.options) })
}

func (t *target) existsMySQL(ctx context.Context) (bool, error) {
	return t.administer(ctx, func(admin *sql.DB) (bool, error) { return existsMySQL(ctx, admin, t.name) })
}

func (t *target) dropMySQL(ctx context.Context) (bool, error) {
	return t.administer(ctx, func(admin *sql.DB) (bool, error) { return dropMySQL(ctx, admin, t.name, t.options.Grants) })
}

func (s *place) createMySQL(ctx context.Context) (bool, error) {
	o := s.options
	return createMySQL(ctx, s.pool, s.name, Database{Encoding: o.Encoding, Collation: o.Collation, Grants: o.Grants})
}

func createMySQL(ctx context.Context, pool *sql.DB, name string, o Database) (created bool, err error) {
	text := "CREATE DATABASE " + quote(mysqlDialect, name) //nolint:gosec // quoted
	if o.Encoding == "" && o.Collation == "" {
		o.Encoding = "utf8mb4" // a server's own default may be latin1
	}
	if o.Encoding != "" {
		text += " CHARACTER SET " + o.Encoding
	}
	if o.Collation != "" {
		text += " COLLATE " + o.Collation
	}
	_, err = pool.ExecContext(ctx, text)
	created = err == nil
	if numberOf(err) == mysqlDatabaseExists {
		err = nil
	}
	if err != nil || len(o.Grants) == 0 {
		return created, failed("creating the database", err)
	}
	pattern, err := grantPattern(ctx, pool, name)
	if err != nil {
		return created, failed("granting", err)
	}
	for _, g := range o.Grants {
		if _, err = pool.ExecContext(ctx, "GRANT "+g.privileges()+" ON "+pattern+".* TO "+account(g.To)); err != nil {
			return created, failed("granting", err)
		}
	}
	return created, nil
}

// existsMySQL compares the name itself: the collation of the server's tables takes one letter for another.
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
