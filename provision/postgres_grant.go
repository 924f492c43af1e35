package provision

import (
	"context"
	"database/sql"
	"errors"
	"strings"
)

// grantPostgres makes the grants of a database, in it: its schema "public" and what is made in it later.
func (t *target) grantPostgres(ctx context.Context) (err error) {
	pool, err := connect(ctx, t.open(t.dsn))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, failed("closing the connection", pool.Close())) }()
	return granting(ctx, pool, func(tx *sql.Tx) error {
		var public bool
		if err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = 'public')").Scan(&public); err != nil {
			return err
		}
		var texts []string
		for _, g := range t.options.Grants {
			texts = append(texts, "GRANT CONNECT ON DATABASE "+quote(t.dialect, t.name)+" TO "+quote(t.dialect, g.To))
			if public {
				texts = append(texts, g.onSchema("public")...)
			}
			texts = append(texts, g.onTablesToCome("", t.options.Owner)...)
		}
		return execAll(ctx, tx, texts)
	})
}

// onSchema is for what is there.
func (g Grant) onSchema(schema string) []string {
	schema, role := quote(postgresDialect, schema), quote(postgresDialect, g.To)
	texts := []string{
		"GRANT USAGE ON SCHEMA " + schema + " TO " + role,
		"GRANT " + g.privileges() + " ON ALL TABLES IN SCHEMA " + schema + " TO " + role,
	}
	if g.inserts() {
		texts = append(texts, "GRANT USAGE ON ALL SEQUENCES IN SCHEMA "+schema+" TO "+role)
	}
	return texts
}

// onTablesToCome is for what the role of the connection, and the owner, make later: in the schema, or in all.
func (g Grant) onTablesToCome(schema, owner string) []string {
	role := quote(postgresDialect, g.To)
	within := ""
	if schema != "" {
		within = " IN SCHEMA " + quote(postgresDialect, schema)
	}
	var texts []string
	for _, maker := range []string{"", owner} {
		by := "ALTER DEFAULT PRIVILEGES"
		if maker != "" {
			by += " FOR ROLE " + quote(postgresDialect, maker)
		}
		texts = append(texts, by+within+" GRANT "+g.privileges()+" ON TABLES TO "+role)
		if g.inserts() {
			texts = append(texts, by+within+" GRANT USAGE ON SEQUENCES TO "+role)
		}
		if owner == "" {
			break
		}
	}
	return texts
}

// granting runs do in a transaction. Two grants that change one object at once fail, one of them ("tuple concurrently updated"),
// so they wait for each other.
func granting(ctx context.Context, pool *sql.DB, do func(*sql.Tx) error) (err error) {
	defer func() { err = failed("granting", err) }()
	tx, err := pool.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ended(tx.Rollback())) }()
	if _, err = tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock(hashtextextended('tenancy grants', 0))"); err != nil {
		return err
	}
	if err = do(tx); err != nil {
		return err
	}
	return tx.Commit()
}

func execAll(ctx context.Context, tx *sql.Tx, texts []string) error {
	_, err := tx.ExecContext(ctx, strings.Join(texts, "; "))
	return err
}
