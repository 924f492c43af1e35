package provision

import (
	"context"
	"database/sql"
	"errors"
)

func (s *place) makePostgres(ctx context.Context) error {
	text := "CREATE SCHEMA " + quote(s.dialect, s.name) //nolint:gosec // quoted
	if s.options.Owner != "" {
		text += " AUTHORIZATION " + quote(s.dialect, s.options.Owner)
	}
	_, err := s.pool.ExecContext(ctx, text)
	if state := stateOf(err); state == pgDuplicateSchema || state == pgUniqueViolation {
		return &takenError{what: "the schema"}
	}
	return failed("creating the schema", err)
}

func (s *place) grantPostgres(ctx context.Context) error {
	return granting(ctx, s.pool, func(tx *sql.Tx) error {
		var texts []string
		for _, g := range s.options.Grants {
			texts = append(texts, g.onSchema(s.name)...)
			texts = append(texts, g.onTablesToCome(s.name, s.options.Owner)...)
		}
		return execAll(ctx, tx, texts)
	})
}

func (s *place) existsPostgres(ctx context.Context) (there bool, err error) {
	err = s.pool.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1)", s.name).Scan(&there)
	return there, failed("looking for the schema", err)
}

func (s *place) dropPostgres(ctx context.Context) (bool, error) {
	err := patiently(ctx, "dropping the schema", func() error {
		err := s.dropOnce(ctx)
		if stateOf(err) == pgLockNotAvailable {
			err = errors.Join(err, terminate(ctx, s.pool, holders, s.name))
		}
		return err
	}, pgLockNotAvailable)
	if stateOf(err) == pgNoSuchSchema {
		return false, nil
	}
	return err == nil, err
}

// dropOnce drops the schema unless others hold on to its tables.
func (s *place) dropOnce(ctx context.Context) (err error) {
	tx, err := s.pool.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ended(tx.Rollback())) }()
	// Longer than deadlock_timeout, after which an autovacuum gives way by itself.
	if _, err = tx.ExecContext(ctx, "SET LOCAL lock_timeout = '2s'"); err != nil {
		return err
	}
	if _, err = tx.ExecContext(ctx, "DROP SCHEMA "+quote(s.dialect, s.name)+" CASCADE"); err != nil {
		return err
	}
	return tx.Commit()
}

// holders are the sessions that have a lock on a schema, or on a table or an index in it.
const holders = `SELECT DISTINCT l.pid FROM pg_locks l JOIN pg_namespace n ON n.nspname = $1 LEFT JOIN pg_class c ON c.oid = l.relation
	WHERE l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND l.granted AND l.pid <> pg_backend_pid()
	AND (c.relnamespace = n.oid OR l.locktype = 'object' AND l.classid = 'pg_namespace'::regclass AND l.objid = n.oid)`

// terminate ends the sessions that a query finds, one by one: those that the role may not end stay.
func terminate(ctx context.Context, pool *sql.DB, query, name string) error {
	pids, err := read[int](ctx, pool, query, name)
	if err != nil {
		return err
	}
	for _, pid := range pids {
		if _, err := pool.ExecContext(ctx, "SELECT pg_terminate_backend($1)", pid); err != nil && stateOf(err) != pgNotAllowed {
			return err
		}
	}
	return nil
}
