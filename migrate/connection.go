package migrate

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"sync/atomic"
)

// errOneConnection is what a second connection is refused with. The first may have been lost.
var errOneConnection = errors.New("the step's one connection was lost, or is in use: it has no other one, so it must not use the database beside an open transaction or open rows")

// alone calls use with a pool of one connection, which is taken out of pool and closed in the end: what is set on it is never
// seen by others, and no other one takes its place when it is lost.
func alone(ctx context.Context, pool *sql.DB, wrap func(driver.Conn) driver.Conn, use func(*sql.DB) error) error {
	c, err := pool.Conn(ctx)
	if err != nil {
		return &unreachableError{"migrate: no connection", err}
	}
	defer c.Close() //nolint:errcheck // sql.ErrConnDone: Raw has closed it
	var used error
	err = c.Raw(func(raw any) error {
		conn, ok := raw.(driver.Conn)
		if !ok {
			used = errors.New("migrate: the driver's connection is none of database/sql's")
			return nil
		}
		one := sql.OpenDB(&handsOut{conn: wrap(conn), by: pool.Driver()})
		used = use(one)
		_ = one.Close() // it is thrown away
		return driver.ErrBadConn
	})
	if used == nil && !errors.Is(err, driver.ErrBadConn) {
		used = err
	}
	return used
}

// handsOut hands out one connection twice, and then no more: goose holds it while it calls a Go step without a transaction, which
// has the pool (goose v3.29.0 provider_run.go runIndividually). It waits for the step meanwhile.
type handsOut struct {
	conn  driver.Conn
	by    driver.Driver
	times atomic.Int32
}

// Connect implements [driver.Connector].
func (h *handsOut) Connect(context.Context) (driver.Conn, error) {
	if h.times.Add(1) > 2 {
		return nil, errOneConnection
	}
	return h.conn, nil
}

// Driver implements [driver.Connector].
func (h *handsOut) Driver() driver.Driver { return h.by }
