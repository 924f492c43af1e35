package provision

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"slices"
	"strings"
)

// usage are the queries for the sessions that use a database. The second one finds those that are elsewhere and have a lock on
// one of its tables; where the server keeps no such list (MariaDB by default), it finds none.
func usage() []string {
	return []string{
		"SELECT CONCAT(id, ' ', db) FROM information_schema.PROCESSLIST WHERE db = ? AND id <> CONNECTION_ID()",
		"SELECT DISTINCT CONCAT(t.PROCESSLIST_ID, ' ', l.OBJECT_SCHEMA) FROM performance_schema.metadata_locks l" +
			" JOIN performance_schema.threads t ON t.THREAD_ID = l.OWNER_THREAD_ID" +
			" WHERE l.OBJECT_SCHEMA = ? AND l.LOCK_STATUS = 'GRANTED' AND t.PROCESSLIST_ID <> CONNECTION_ID()",
	}
}

// endSessions ends the sessions that use a database, as far as the role may see and end them.
func endSessions(ctx context.Context, conn *sql.Conn, name string) error {
	for _, query := range usage() {
		found, err := read[string](ctx, conn, query, name)
		if mysqlAnswer(err) != nil {
			continue // no such list, or not for this role
		}
		if err != nil {
			return err
		}
		for _, session := range found {
			id, db, _ := strings.Cut(session, " ")
			if db != name { // another one, which the collation takes for it
				continue
			}
			if _, err := conn.ExecContext(ctx, "KILL "+id); err != nil && mysqlAnswer(err) == nil {
				return err
			}
		}
	}
	return nil
}

// discard closes a connection whose settings were changed, so that nobody else gets it.
func discard(conn *sql.Conn) error {
	err := conn.Raw(func(any) error { return driver.ErrBadConn })
	if errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) {
		return nil
	}
	return err
}

// grantPattern is the name of a database in a GRANT, where an underscore would stand for any letter: a grant for tenant_a
// would be one for tenantxa too. With partial_revokes a MySQL server takes it for what it is.
func grantPattern(ctx context.Context, pool *sql.DB, name string) (string, error) {
	var variable, value string
	err := pool.QueryRowContext(ctx, "SHOW GLOBAL VARIABLES LIKE 'partial_revokes'").Scan(&variable, &value)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", err
	}
	if !strings.EqualFold(value, "ON") {
		name = strings.NewReplacer(`\`, `\\`, "_", `\_`, "%", `\%`).Replace(name)
	}
	return quote(mysqlDialect, name), nil
}

// account quotes "app" or "app@localhost".
func account(to string) string {
	at := strings.LastIndexByte(to, '@')
	if at < 0 {
		return quote(mysqlDialect, to)
	}
	return quote(mysqlDialect, to[:at]) + "@" + quote(mysqlDialect, to[at+1:])
}

// revoke takes grants back: MySQL keeps them beyond the database, for the next of its name.
func revoke(ctx context.Context, pool *sql.DB, name string, grants []Grant) error {
	if len(grants) == 0 {
		return nil
	}
	pattern, err := grantPattern(ctx, pool, name)
	if err != nil {
		return failed("revoking", err)
	}
	for _, g := range grants {
		_, err := pool.ExecContext(ctx, "REVOKE "+g.privileges()+" ON "+pattern+".* FROM "+account(g.To))
		if gone := []uint64{mysqlNoSuchGrant, mysqlNoSuchAccount}; err != nil && !slices.Contains(gone, numberOf(err)) {
			return failed("revoking", err)
		}
	}
	return nil
}
