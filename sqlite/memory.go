package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"strconv"
	"sync"
	"sync/atomic"

	modernc "modernc.org/sqlite"
)

const memoryPath = ":memory:"

// memories counts in-memory databases: their names are known to the whole process.
var memories atomic.Uint64 //nolint:gochecknoglobals // a name is taken in the whole process

// memoryDSN returns the DSN of a new in-memory database that connections share.
//
// It is SQLite's memdb VFS, which shares a database whose name begins with a
// slash (sqlite.org, src/memdb.c, memdbOpen), and not the older
// "mode=memory&cache=shared". There a statement that meets another connection's
// table lock waits without regard to busy_timeout (modernc.org/sqlite v1.62.0,
// conn.go, conn.retry), so a query under an open transaction or an unclosed
// sql.Rows of the same goroutine hangs for ever unless its context ends. With
// memdb it fails with SQLITE_BUSY after busy_timeout, as with a file.
func memoryDSN() string {
	n := strconv.FormatUint(memories.Add(1), 10)

	return "file:/gormtenancy-" + n + "?vfs=memdb&" + common
}

// memoryConnector opens connections to one in-memory database and keeps one
// more for itself, as SQLite drops the database with its last connection and
// a pool may close all of its own (SetMaxIdleConns, SetConnMaxLifetime).
type memoryConnector struct {
	driver.Connector

	mu     sync.Mutex
	anchor driver.Conn
	closed bool
}

func newMemoryConnector(dsn string) (*memoryConnector, error) {
	connector, err := modernc.NewConnector(dsn)
	if err != nil {
		return nil, err
	}

	return &memoryConnector{Connector: connector}, nil
}

// Connect implements driver.Connector. It fails with sql.ErrConnDone after Close.
func (c *memoryConnector) Connect(ctx context.Context) (driver.Conn, error) {
	if err := c.hold(ctx); err != nil {
		return nil, err
	}

	return c.Connector.Connect(ctx)
}

func (c *memoryConnector) hold(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()

	if c.closed {
		return sql.ErrConnDone
	}

	if c.anchor != nil {
		return nil
	}

	anchor, err := c.Connector.Connect(ctx)
	if err != nil {
		return err
	}

	c.anchor = anchor

	return nil
}

// Close lets the database go. sql.DB.Close calls it (Go 1.26, database/sql).
func (c *memoryConnector) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()

	c.closed = true

	if c.anchor == nil {
		return nil
	}

	anchor := c.anchor
	c.anchor = nil

	return anchor.Close()
}
