// Package sqlite is a GORM dialector for SQLite in pure Go: it drives
// modernc.org/sqlite, so a program builds and runs with CGO_ENABLED=0.
//
// It wraps gorm.io/driver/sqlite, which alone is unsafe or lacking in four
// places when tenants share one process:
//
//   - its INSERT drops the schema of a qualified table, so a row for the
//     attached database tenant_b lands in another tenant's table
//     ([gorm.io/driver/sqlite] v1.6.0, sqlite.go, Dialector.ClauseBuilders);
//   - it does not translate the errors of modernc.org/sqlite (the same
//     version, error_translator.go, reads fields that driver's error has not);
//   - a bare ":memory:" is another empty database on every pooled connection;
//   - modernc.org/sqlite v1.62.0 stores times as Go's Time.String, monotonic
//     clock included, unless its DSN says otherwise (conn.go, conn.formatTime).
//
// Importing gorm.io/driver/sqlite also links github.com/mattn/go-sqlite3 under
// the name "sqlite3"; without cgo that is a stub and is never called. The name
// "sqlite" is modernc's: a binary that also imports github.com/glebarez/sqlite
// panics at start, since both register it.
package sqlite

import (
	"database/sql"

	gormsqlite "gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// driverName is the name modernc.org/sqlite v1.62.0 registers itself under
// (sqlite.go, driverName).
const driverName = "sqlite"

// Config is the input of [New]. One of the two fields must be set; if both
// are, Conn wins. The zero value makes gorm.Open fail with [ErrPath].
type Config struct {
	// DSN is given to modernc.org/sqlite as it is: none of the defaults of
	// [Open] are added. It can carry SQL in _pragma, so it must come from a
	// trusted source (modernc.org/sqlite v1.62.0, sqlite.go, Driver.Open).
	DSN string

	// Conn is a pool to use in place of opening one. Its errors are
	// translated only if its driver is modernc.org/sqlite.
	Conn gorm.ConnPool
}

// dialector is the driver's own dialector with three methods replaced. The
// concrete type is embedded, not gorm.Dialector: through the interface
// SavePoint and RollbackTo would be hidden and nested transactions refused
// (gorm.io/gorm v1.31.2, finisher_api.go, DB.SavePoint).
type dialector struct {
	*gormsqlite.Dialector

	err    error // of the path, reported by Initialize
	memory bool  // DSN names a shared in-memory database
}

// Open returns a dialector for the database in the file at path, which is
// created if it is missing, with settings fit for concurrent use:
//
//   - journal_mode WAL and synchronous NORMAL: readers and one writer do not
//     block each other;
//   - busy_timeout 5 s: a second writer waits rather than fails;
//   - transactions begin IMMEDIATE, so one that reads and then writes cannot
//     fail with "database is locked" half way, which no timeout would cure. A
//     read-only transaction (sql.TxOptions.ReadOnly) begins deferred;
//   - foreign_keys on;
//   - times are stored as text in UTC, so that they sort and compare as text,
//     and are read back in UTC: the same instant, to the nanosecond, but not
//     the same zone.
//
// path is a path and nothing else: '?', '#', '%' and spaces are part of the
// name. The one exception is ":memory:", a new in-memory database for each
// call of Open, shared by all connections of the pools opened from the
// returned dialector and gone once they are closed. It has no WAL, so a
// read outside a transaction waits while one is open, for 5 s at the most,
// and then fails with "database is locked": inside a transaction, use the
// transaction. SQLite bounds such a database to 1 GiB.
//
// Open itself opens nothing. gorm.Open fails with [ErrPath] if the path cannot
// be used as it is, and with the error of the driver if the file cannot be
// opened. The dialector is safe for concurrent use.
func Open(path string) gorm.Dialector {
	if path == memoryPath {
		return &dialector{Dialector: inner(memoryDSN()), memory: true}
	}

	dsn, err := fileDSN(path)

	return &dialector{Dialector: inner(dsn), err: err}
}

// New returns a dialector for a caller's own DSN or pool; see [Config]. It has
// the INSERT and the error translation of [Open], not its settings. The
// dialector is safe for concurrent use if Conn is.
func New(cfg Config) gorm.Dialector {
	d := &dialector{Dialector: inner(cfg.DSN)}
	d.Conn = cfg.Conn

	// SQLite takes an empty name for a private temporary database, another
	// for each connection of the pool.
	if cfg.DSN == "" && cfg.Conn == nil {
		d.err = errEmpty
	}

	return d
}

func inner(dsn string) *gormsqlite.Dialector {
	return &gormsqlite.Dialector{DriverName: driverName, DSN: dsn}
}

// Initialize opens the pool and registers callbacks and clause builders on db.
// gorm.Open calls it; it fails with [ErrPath] or an error of the driver.
func (d *dialector) Initialize(db *gorm.DB) error {
	if d.err != nil {
		return d.err
	}

	// The driver adds a builder only where there is none, so ours goes first;
	// a builder of the caller's own (gorm.Config.ClauseBuilders) is kept.
	if _, ok := db.ClauseBuilders[insertClause]; !ok {
		db.ClauseBuilders[insertClause] = buildInsert
	}

	if !d.memory {
		return d.Dialector.Initialize(db)
	}

	connector, err := newMemoryConnector(d.DSN)
	if err != nil {
		return err
	}

	// A copy: one dialector may serve several calls of gorm.Open.
	withPool := *d.Dialector
	withPool.Conn = sql.OpenDB(connector)

	return withPool.Initialize(db)
}

// ClauseBuilders returns the driver's builders with INSERT replaced. It returns
// a new map on every call.
func (d *dialector) ClauseBuilders() map[string]clause.ClauseBuilder {
	builders := d.Dialector.ClauseBuilders()
	builders[insertClause] = buildInsert

	return builders
}
