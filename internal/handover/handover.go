// Package handover makes *sql.Rows of rows that come from elsewhere than a database/sql pool. No other way leads to one.
package handover

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
)

// Open returns a pool whose queries return what they get as their only argument: a [driver.Rows], or an error. Close it.
func Open() *sql.DB {
	db := sql.OpenDB(connector{})
	db.SetMaxIdleConns(256) // they hold nothing
	return db
}

// connector is a driver, and its connections.
type connector struct{}

var (
	_ driver.Connector         = connector{}
	_ driver.QueryerContext    = connector{}
	_ driver.NamedValueChecker = connector{}
)

var errNoDatabase = errors.New("handover: not a connection to a database")

// Connect implements [driver.Connector].
func (connector) Connect(context.Context) (driver.Conn, error) { return connector{}, nil }

// Driver implements [driver.Connector].
func (connector) Driver() driver.Driver { return connector{} }

// Open implements [driver.Driver].
func (connector) Open(string) (driver.Conn, error) { return connector{}, nil }

// Prepare implements [driver.Conn].
func (connector) Prepare(string) (driver.Stmt, error) { return nil, errNoDatabase }

// Begin implements [driver.Conn].
func (connector) Begin() (driver.Tx, error) { return nil, errNoDatabase }

// Close implements [driver.Conn].
func (connector) Close() error { return nil }

// CheckNamedValue implements [driver.NamedValueChecker]: anything passes.
func (connector) CheckNamedValue(*driver.NamedValue) error { return nil }

// QueryContext implements [driver.QueryerContext].
func (connector) QueryContext(_ context.Context, _ string, args []driver.NamedValue) (driver.Rows, error) {
	if len(args) == 1 {
		switch v := args[0].Value.(type) {
		case driver.Rows:
			return v, nil
		case error:
			return nil, v
		}
	}
	return nil, errNoDatabase
}
