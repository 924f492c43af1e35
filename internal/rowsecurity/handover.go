package rowsecurity

import (
	"context"
	"database/sql/driver"
)

// handover is a driver that turns a driver.Rows, or an error, into what database/sql returns: it is handed over as the
// argument of a query. No other way leads to a *sql.Rows.
type handover struct{}

var (
	_ driver.Connector         = handover{}
	_ driver.QueryerContext    = handover{}
	_ driver.NamedValueChecker = handover{}
)

// Connect implements driver.Connector.
func (handover) Connect(context.Context) (driver.Conn, error) { return handover{}, nil }

// Driver implements driver.Connector.
func (handover) Driver() driver.Driver { return handover{} }

// Open implements driver.Driver.
func (handover) Open(string) (driver.Conn, error) { return handover{}, nil }

// Prepare implements driver.Conn. Nothing calls it.
func (handover) Prepare(string) (driver.Stmt, error) { return nil, driver.ErrSkip }

// Begin implements driver.Conn. Nothing calls it.
func (handover) Begin() (driver.Tx, error) { return nil, driver.ErrSkip }

// Close implements driver.Conn.
func (handover) Close() error { return nil }

// CheckNamedValue lets anything pass.
func (handover) CheckNamedValue(*driver.NamedValue) error { return nil }

// QueryContext returns what it gets.
func (handover) QueryContext(_ context.Context, _ string, args []driver.NamedValue) (driver.Rows, error) {
	switch v := args[0].Value.(type) {
	case driver.Rows:
		return v, nil
	case error:
		return nil, v
	default:
		return nil, driver.ErrSkip
	}
}
