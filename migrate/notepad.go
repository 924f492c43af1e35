package migrate

import (
	"context"
	"database/sql/driver"
	"errors"

	"github.com/pressly/goose/v3/database"
)

// notepad is a database that runs nothing, and notes what it is asked for. It is for one goroutine.
type notepad struct {
	begun      bool
	statements int
}

var (
	_ driver.Connector     = (*notepad)(nil)
	_ driver.ExecerContext = noteTaker{}
	_ driver.ConnBeginTx   = noteTaker{}
)

// Connect implements [driver.Connector].
func (n *notepad) Connect(context.Context) (driver.Conn, error) { return noteTaker{n}, nil }

// Driver implements [driver.Connector].
func (n *notepad) Driver() driver.Driver { return n }

// Open implements [driver.Driver].
func (n *notepad) Open(string) (driver.Conn, error) { return noteTaker{n}, nil }

// noteTaker is a connection to a notepad, and a transaction on it.
type noteTaker struct{ pad *notepad }

// ExecContext implements [driver.ExecerContext].
func (c noteTaker) ExecContext(context.Context, string, []driver.NamedValue) (driver.Result, error) {
	c.pad.statements++
	return driver.RowsAffected(0), nil
}

// BeginTx implements [driver.ConnBeginTx].
func (c noteTaker) BeginTx(context.Context, driver.TxOptions) (driver.Tx, error) {
	c.pad.begun = true
	return c, nil
}

// Prepare implements [driver.Conn].
func (c noteTaker) Prepare(string) (driver.Stmt, error) { return nil, errors.ErrUnsupported }

// Begin implements [driver.Conn].
func (c noteTaker) Begin() (driver.Tx, error) { return c, nil }

// Commit implements [driver.Tx].
func (c noteTaker) Commit() error { return nil }

// Rollback implements [driver.Tx].
func (c noteTaker) Rollback() error { return nil }

// Close implements [driver.Conn].
func (c noteTaker) Close() error { return nil }

// memory is a table of versions that is nowhere.
type memory struct{}

var _ database.Store = memory{}

// Tablename implements [database.Store].
func (memory) Tablename() string { return "memory" }

// TableExists keeps goose from making the table.
func (memory) TableExists(context.Context, database.DBTxConn) (bool, error) { return true, nil }

// CreateVersionTable implements [database.Store].
func (memory) CreateVersionTable(context.Context, database.DBTxConn) error { return nil }

// Insert implements [database.Store].
func (memory) Insert(context.Context, database.DBTxConn, database.InsertRequest) error { return nil }

// Delete implements [database.Store].
func (memory) Delete(context.Context, database.DBTxConn, int64) error { return nil }

// GetMigration implements [database.Store].
func (memory) GetMigration(context.Context, database.DBTxConn, int64) (*database.GetMigrationResult, error) {
	return nil, database.ErrVersionNotFound
}

// GetLatestVersion implements [database.Store].
func (memory) GetLatestVersion(context.Context, database.DBTxConn) (int64, error) { return 0, nil }

// ListMigrations implements [database.Store].
func (memory) ListMigrations(context.Context, database.DBTxConn) ([]*database.ListMigrationsResult, error) {
	return []*database.ListMigrationsResult{{Version: 0, IsApplied: true}}, nil
}
