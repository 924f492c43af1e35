package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/gormtenancy/tenancy"
)

// The tables of the catalog, written by hand for each dialect. Texts that are compared are compared byte by byte: in
// PostgreSQL by the collation "C", in MySQL as VARBINARY (its collations fold case, accents and trailing spaces), in SQLite
// as it does by itself. Texts that are not compared are bytes in MySQL too, whatever character set a connection has. Times are
// microseconds since 1970, UTC; true is 1. Lists and maps are JSON.
//
//	tenancy_catalog  one row: the version of the tables, the epoch, the largest MaxStale
//	tenancy_tenants  the tenants. claim is the place that a tenant has alone, NULL if others may be there too; home is the
//	                 shard in which, or beside which, it is
//	tenancy_domains  whose a domain is
//	tenancy_names    each name of an own schema or database that has ever been given, with the tenant that has it now
//	tenancy_shards   the shards. tenants counts those whose home it is
//	tenancy_places   what has been migrated where
//	tenancy_history  one row for each epoch
//
// $name(n) is the type of a compared text of up to n bytes, $text that of another.

// upgrades makes the tables of version i of those of version i-1, where i-1 is the index. On MySQL a killed one leaves a part of
// it, and is done again from its beginning.
func upgrades() [][]string {
	return [][]string{{
		`CREATE TABLE IF NOT EXISTS tenancy_tenants (
			id $name(63) NOT NULL PRIMARY KEY,
			name $name(255) NOT NULL,
			domains $text NOT NULL,
			attributes $text NOT NULL,
			state $name(16) NOT NULL,
			shape $name(16) NOT NULL,
			shard $name(255) NOT NULL,
			schema_name $name(255) NOT NULL,
			table_suffix $name(63) NOT NULL,
			exclusive_place SMALLINT NOT NULL,
			claim $name(767),
			home $name(255) NOT NULL,
			epoch BIGINT NOT NULL,
			reason $text NOT NULL,
			created_us BIGINT NOT NULL,
			updated_us BIGINT NOT NULL,
			CONSTRAINT tenancy_tenants_name UNIQUE (name),
			CONSTRAINT tenancy_tenants_claim UNIQUE (claim)
		)$engine`,
		`CREATE INDEX tenancy_tenants_place ON tenancy_tenants (shard, schema_name, table_suffix)`,
		`CREATE INDEX tenancy_tenants_home ON tenancy_tenants (home)`,
		`CREATE TABLE IF NOT EXISTS tenancy_domains (
			domain $name(255) NOT NULL PRIMARY KEY,
			tenant_id $name(63) NOT NULL
		)$engine`,
		`CREATE INDEX tenancy_domains_tenant ON tenancy_domains (tenant_id)`,
		`CREATE TABLE IF NOT EXISTS tenancy_names (
			name $name(255) NOT NULL PRIMARY KEY,
			tenant_id $name(63)
		)$engine`,
		`CREATE INDEX tenancy_names_tenant ON tenancy_names (tenant_id)`,
		`CREATE TABLE IF NOT EXISTS tenancy_shards (
			name $name(255) NOT NULL PRIMARY KEY,
			dsn $text NOT NULL,
			replicas $text NOT NULL,
			host $name(255) NOT NULL,
			attributes $text NOT NULL,
			shapes $text NOT NULL,
			closed SMALLINT NOT NULL,
			own SMALLINT NOT NULL,
			bytes BIGINT NOT NULL,
			tenants BIGINT NOT NULL,
			epoch BIGINT NOT NULL
		)$engine`,
		`CREATE INDEX tenancy_shards_own ON tenancy_shards (own, host)`,
		`CREATE TABLE IF NOT EXISTS tenancy_places (
			shard $name(255) NOT NULL,
			schema_name $name(255) NOT NULL,
			table_suffix $name(63) NOT NULL,
			version BIGINT NOT NULL,
			models $text NOT NULL,
			fault $text NOT NULL,
			migrated_us BIGINT NOT NULL,
			PRIMARY KEY (shard, schema_name, table_suffix)
		)$engine`,
		`CREATE TABLE IF NOT EXISTS tenancy_history (
			epoch BIGINT NOT NULL PRIMARY KEY,
			at_us BIGINT NOT NULL,
			what $name(16) NOT NULL,
			tenant_id $name(63) NOT NULL,
			name $name(255) NOT NULL,
			domains $text NOT NULL,
			from_state $name(16) NOT NULL,
			to_state $name(16) NOT NULL,
			shard $name(255) NOT NULL,
			schema_name $name(255) NOT NULL,
			table_suffix $name(63) NOT NULL,
			exclusive_place SMALLINT NOT NULL,
			shard_changed SMALLINT NOT NULL,
			everyone SMALLINT NOT NULL,
			reason $text NOT NULL
		)$engine`,
		`CREATE INDEX tenancy_history_tenant ON tenancy_history (tenant_id, epoch)`,
	}}
}

// firstTable is there before all others: its row says which of them are.
const firstTable = `CREATE TABLE IF NOT EXISTS tenancy_catalog (
	id SMALLINT NOT NULL PRIMARY KEY,
	version BIGINT NOT NULL,
	epoch BIGINT NOT NULL,
	max_stale_ms BIGINT NOT NULL
)$engine`

// ddl writes a statement in a dialect's words.
func (s *store) ddl(text string) string {
	switch s.dialect {
	case "postgres":
		text = strings.ReplaceAll(text, "$text", "text")
		text = replaceCall(text, "$name(", `text COLLATE "C"`, false)
		text = strings.Replace(text, "CREATE INDEX ", "CREATE INDEX IF NOT EXISTS ", 1)
	case "mysql":
		text = strings.ReplaceAll(text, "$text", "MEDIUMBLOB")
		text = replaceCall(text, "$name(", "VARBINARY(", true)
		text = strings.Replace(text, "$engine", " ENGINE=InnoDB ROW_FORMAT=DYNAMIC", 1)
	default:
		text = strings.ReplaceAll(text, "$text", "TEXT")
		text = replaceCall(text, "$name(", "TEXT", false)
		text = strings.Replace(text, "CREATE INDEX ", "CREATE INDEX IF NOT EXISTS ", 1)
	}
	return strings.Replace(text, "$engine", "", 1)
}

// replaceCall writes with for each "call…)", and keeps what is in the brackets or drops it.
func replaceCall(text, call, with string, keep bool) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(text, call)
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteString(with)
		inner, rest, _ := strings.Cut(after, ")")
		if keep {
			b.WriteString(inner + ")")
		}
		text = rest
	}
}

// version returns the version of the tables; 0 if they are not there, or not all of them.
func (s *store) version(ctx context.Context, q querier) (version int64, err error) {
	there := map[string]string{
		"postgres": `SELECT count(*) FROM pg_catalog.pg_class c WHERE c.oid = to_regclass('tenancy_catalog')`,
		"mysql":    `SELECT count(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = 'tenancy_catalog'`,
		"sqlite":   `SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'tenancy_catalog'`,
	}[s.dialect]
	var n int
	if err := q.QueryRowContext(ctx, there).Scan(&n); err != nil || n == 0 {
		return 0, err
	}
	err = q.QueryRowContext(ctx, `SELECT version FROM tenancy_catalog WHERE id = 1`).Scan(&version)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return version, err
}

// prepare makes the tables, or brings them to the version of this program. With readOnly it only looks.
func (s *store) prepare(ctx context.Context, readOnly bool) error {
	newest := int64(len(upgrades()))
	var version int64
	err := s.retry(ctx, func() (err error) {
		version, err = s.version(ctx, s.db)
		return err
	})
	switch {
	case err != nil:
		return err
	case version > newest:
		return errNewer(version, newest)
	case version == newest:
		return nil
	case readOnly && version == 0:
		return fmt.Errorf("%w: the master database has no catalog, and Config.ReadOnly forbids to make one: open it once with a role that may", tenancy.ErrInvalidConfig)
	case readOnly:
		return fmt.Errorf("%w: the tables of the catalog have version %d, this program needs %d, and Config.ReadOnly forbids to upgrade them: open it once with a role that may",
			tenancy.ErrInvalidConfig, version, newest)
	}
	return s.retry(ctx, func() error { return s.upgrade(ctx) })
}

func errNewer(version, newest int64) error {
	return fmt.Errorf("%w: the tables of the catalog have version %d, this program knows up to %d: use a newer version of the program", tenancy.ErrInvalidConfig, version, newest)
}

// upgrade brings the tables to the newest version, one process at a time.
func (s *store) upgrade(ctx context.Context) (err error) {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // it goes back to the pool, or is broken
	unlock, err := s.lockUpgrade(ctx, conn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock(err == nil)) }()
	if _, err := conn.ExecContext(ctx, s.ddl(firstTable)); err != nil {
		return err
	}
	version, err := s.version(ctx, conn)
	if err != nil {
		return err
	}
	steps := upgrades()
	for ; version < int64(len(steps)); version++ {
		for _, text := range steps[version] {
			if _, err := conn.ExecContext(ctx, s.ddl(text)); err != nil && !s.indexExists(err) {
				return err
			}
		}
		if err := s.noteVersion(ctx, conn, version+1); err != nil {
			return err
		}
	}
	if version > int64(len(steps)) {
		return errNewer(version, int64(len(steps)))
	}
	return nil
}

func (s *store) noteVersion(ctx context.Context, q querier, version int64) error {
	if version > 1 {
		_, err := q.ExecContext(ctx, s.bind(`UPDATE tenancy_catalog SET version = ? WHERE id = 1`), version)
		return err
	}
	_, err := q.ExecContext(ctx, s.bind(`INSERT INTO tenancy_catalog (id, version, epoch, max_stale_ms) VALUES (1, ?, 0, 0)`), version)
	return err
}

// indexExists tells whether a step of an upgrade had been done before it was killed: MySQL has no CREATE INDEX IF NOT EXISTS.
func (s *store) indexExists(err error) bool {
	const duplicateKeyName = 1061 // ER_DUP_KEYNAME
	return s.dialect == "mysql" && mysqlNumber(err) == duplicateKeyName
}

// upgradeLock is the key of PostgreSQL's advisory lock, and the beginning of the name of MySQL's.
const (
	upgradeLock     = 0x74656e616e6379 // "tenancy"
	upgradeLockName = "tenancy_catalog:"
)

// lockUpgrade keeps other processes from upgrading. In PostgreSQL and SQLite all that follows is one transaction, which unlock
// commits or rolls back; MySQL commits each DDL statement by itself.
func (s *store) lockUpgrade(ctx context.Context, conn *sql.Conn) (unlock func(good bool) error, err error) {
	run := func(text string) error {
		_, err := conn.ExecContext(context.WithoutCancel(ctx), text)
		return err
	}
	end := func(good bool) error {
		if good {
			return run("COMMIT")
		}
		return run("ROLLBACK")
	}
	switch s.dialect {
	case "postgres":
		if err := run("BEGIN ISOLATION LEVEL READ COMMITTED"); err != nil {
			return nil, err
		}
		if _, err := conn.ExecContext(ctx, fmt.Sprintf("SELECT pg_advisory_xact_lock(%d)", upgradeLock)); err != nil {
			return nil, errors.Join(err, end(false))
		}
	case "sqlite":
		if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
			return nil, err
		}
	default: // the names of locks are the server's
		var got sql.NullInt64
		if err := conn.QueryRowContext(ctx, `SELECT GET_LOCK(CONCAT(?, SHA1(COALESCE(DATABASE(), ''))), 60)`, upgradeLockName).Scan(&got); err != nil {
			return nil, err
		}
		if got.Int64 != 1 {
			return nil, errors.New("catalog: another process has been upgrading the tables of the catalog for a minute: try again when it has ended")
		}
		return func(bool) error {
			return run(`DO RELEASE_LOCK(CONCAT('` + upgradeLockName + `', SHA1(COALESCE(DATABASE(), ''))))`)
		}, nil
	}
	return end, nil
}
