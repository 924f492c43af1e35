package migrate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/pressly/goose/v3/database"

	"github.com/gormtenancy/tenancy/internal/schemas"
)

// dialect is what differs between the databases.
type dialect struct {
	goose database.Dialect
	quote string
	// home is where the connections of a place look into: its schema, or the one that they have by themselves.
	home func(ctx context.Context, c *sql.Conn, schema string) (home, error)
	// settle has a connection look there, and give up locks in time. It ends with the connection.
	settle func(ctx context.Context, c *sql.Conn, h home, lockTimeout time.Duration) error
	// exists asks whether there is a table in a schema.
	exists func(ctx context.Context, on database.DBTxConn, table, schema string) *sql.Row
	// undoes says that a step which fails in a transaction leaves nothing.
	undoes bool
	// showsAll says that others may see what is not committed, with the isolation level READ UNCOMMITTED, until the server has
	// rolled it back.
	showsAll bool
}

// home is where a connection looks into.
type home struct {
	schema string // "" where there are none
	path   string // PostgreSQL's search_path
}

// dialects are those that can be migrated, by GORM's names.
func dialects() map[string]dialect {
	return map[string]dialect{
		"postgres": {database.DialectPostgres, `"`, homeOnPostgres, settlePostgres, existsInPostgres, true, false},
		"mysql":    {database.DialectMySQL, "`", homeOnMySQL, settleMySQL, existsInMySQL, false, true},
		"sqlite":   {database.DialectSQLite3, `"`, homeOnSQLite, settleSQLite, existsInSQLite, true, false},
	}
}

// quoted is a name as SQL has it.
func (d dialect) quoted(name string) string {
	return d.quote + strings.ReplaceAll(name, d.quote, d.quote+d.quote) + d.quote
}

// homeOnPostgres is the schema alone, or else what the search_path says.
func homeOnPostgres(ctx context.Context, c *sql.Conn, schema string) (h home, err error) {
	var current sql.NullString
	if schema == "" {
		err = c.QueryRowContext(ctx, "SELECT current_setting('search_path'), current_schema()").Scan(&h.path, &current)
		h.schema = current.String
		return h, err
	}
	h.schema = schema
	err = c.QueryRowContext(ctx, "SELECT quote_ident($1)", schema).Scan(&h.path)
	return h, err
}

func settlePostgres(ctx context.Context, c *sql.Conn, h home, lockTimeout time.Duration) error {
	var ignored string
	var current sql.NullString
	const set = "SELECT set_config('lock_timeout', $1, false), set_config('search_path', $2, false)"
	millis := strconv.FormatInt(max(lockTimeout.Milliseconds(), 1), 10)
	if err := c.QueryRowContext(ctx, set, millis, h.path).Scan(&ignored, &ignored); err != nil {
		return err
	}
	if err := c.QueryRowContext(ctx, "SELECT current_schema()").Scan(&current); err != nil {
		return err
	}
	if current.String != h.schema || h.schema == "" {
		return fmt.Errorf("%w: create schema %s first", schemas.ErrNotFound, h.schema)
	}
	return nil
}

func existsInPostgres(ctx context.Context, on database.DBTxConn, table, schema string) *sql.Row {
	return on.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM pg_tables WHERE tablename = $1 AND schemaname = $2)", table, schema)
}

func homeOnMySQL(ctx context.Context, c *sql.Conn, schema string) (h home, err error) {
	if schema != "" {
		return home{schema: schema}, nil
	}
	var current sql.NullString
	if err = c.QueryRowContext(ctx, "SELECT DATABASE()").Scan(&current); err == nil && !current.Valid {
		err = fmt.Errorf("%w: the DSN names no database", schemas.ErrNotFound)
	}
	return home{schema: current.String}, err
}

func settleMySQL(ctx context.Context, c *sql.Conn, h home, lockTimeout time.Duration) error {
	s := schemas.Seconds(lockTimeout)
	if _, err := c.ExecContext(ctx, fmt.Sprintf("SET SESSION lock_wait_timeout = %d, innodb_lock_wait_timeout = %d", s, s)); err != nil {
		return err
	}
	_, err := c.ExecContext(ctx, "USE "+dialects()["mysql"].quoted(h.schema))
	return err
}

func existsInMySQL(ctx context.Context, on database.DBTxConn, table, schema string) *sql.Row {
	return on.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM information_schema.tables WHERE table_name = ? AND table_schema = ?)", table, schema)
}

func homeOnSQLite(_ context.Context, _ *sql.Conn, schema string) (home, error) {
	if schema != "" {
		return home{}, errors.New("SQLite has no schemas: give the tenant a database of its own")
	}
	return home{}, nil
}

func settleSQLite(ctx context.Context, c *sql.Conn, _ home, lockTimeout time.Duration) error {
	_, err := c.ExecContext(ctx, fmt.Sprintf("PRAGMA busy_timeout = %d", max(lockTimeout.Milliseconds(), 1)))
	return err
}

func existsInSQLite(ctx context.Context, on database.DBTxConn, table, _ string) *sql.Row {
	return on.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?)", table)
}

// versions is a place's table of versions. Its name has the schema, so that a step which changes what its connection looks into
// is noted where it was run.
type versions struct {
	database.Store

	dialect dialect
	schema  string
}

func newVersions(d dialect, schema string) (versions, error) {
	name := versionTable
	if schema != "" {
		name = d.quoted(schema) + "." + versionTable
	}
	store, err := database.NewStore(d.goose, name)
	return versions{store, d, schema}, err
}

// versionTable is goose's own name, so that applications which have used goose go on where they are.
const versionTable = "goose_db_version"

// TableExists implements what goose asks a store for. A table that is empty gets its first row: MySQL commits when the table is
// made, and what was killed then has left it so, with which goose would never go on (goose v3.29.0 provider.go up).
func (v versions) TableExists(ctx context.Context, on database.DBTxConn) (exists bool, err error) {
	if err := v.dialect.exists(ctx, on, versionTable, v.schema).Scan(&exists); err != nil || !exists {
		return false, err
	}
	known, err := v.ListMigrations(ctx, on)
	if err == nil && len(known) == 0 {
		err = v.Insert(ctx, on, database.InsertRequest{})
	}
	return err == nil, err
}
