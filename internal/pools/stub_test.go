package pools_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"

	"gorm.io/gorm"
)

var errRefused = &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}

// server is a database server without a network, that a test takes down and up again.
type server struct {
	down    atomic.Bool // it refuses, and cuts the connections it has
	deaf    atomic.Bool // while it hangs, the driver does not listen to contexts
	dials   atomic.Int64
	now     atomic.Int64 // connections
	most    atomic.Int64
	answers func(query string) (string, error) // of one row and column; nil: "1"

	mu   sync.Mutex
	hang chan struct{} // what is sent to it waits until this is closed; nil: it does not
}

// hold makes the server hang until the returned function is called.
func (s *server) hold() (release func()) {
	ch := make(chan struct{})
	s.mu.Lock()
	s.hang = ch
	s.mu.Unlock()
	return func() {
		s.mu.Lock()
		s.hang = nil
		s.mu.Unlock()
		close(ch)
	}
}

func (s *server) wait(ctx context.Context) error {
	s.mu.Lock()
	hang := s.hang
	s.mu.Unlock()
	if hang != nil && s.deaf.Load() {
		<-hang
	} else if hang != nil {
		select {
		case <-hang:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if s.down.Load() {
		return errRefused
	}
	return nil
}

func (s *server) Connect(ctx context.Context) (driver.Conn, error) {
	s.dials.Add(1)
	if err := s.wait(ctx); err != nil {
		return nil, err
	}
	n := s.now.Add(1)
	for most := s.most.Load(); n > most && !s.most.CompareAndSwap(most, n); most = s.most.Load() {
	}
	return &conn{server: s}, nil
}

func (s *server) Driver() driver.Driver { return nil }

type conn struct {
	server *server
	closed bool
}

func (c *conn) Close() error {
	if !c.closed {
		c.closed = true
		c.server.now.Add(-1)
	}
	return nil
}

func (c *conn) check(ctx context.Context) error {
	err := c.server.wait(ctx)
	if err != nil && ctx.Err() == nil {
		return driver.ErrBadConn
	}
	return err
}

func (c *conn) Ping(ctx context.Context) error                               { return c.check(ctx) }
func (c *conn) Prepare(string) (driver.Stmt, error)                          { return nil, errors.ErrUnsupported }
func (c *conn) Begin() (driver.Tx, error)                                    { return tx{}, nil }
func (c *conn) BeginTx(context.Context, driver.TxOptions) (driver.Tx, error) { return tx{}, nil }

func (c *conn) QueryContext(ctx context.Context, query string, _ []driver.NamedValue) (driver.Rows, error) {
	if err := c.check(ctx); err != nil {
		return nil, err
	}
	answer := "1"
	if c.server.answers != nil {
		var err error
		if answer, err = c.server.answers(query); err != nil {
			return nil, err
		}
	}
	return &rows{values: []string{answer}}, nil
}

type tx struct{}

func (tx) Commit() error   { return nil }
func (tx) Rollback() error { return nil }

type rows struct{ values []string }

func (*rows) Columns() []string { return []string{"answer"} }
func (*rows) Close() error      { return nil }
func (r *rows) Next(dest []driver.Value) error {
	if len(r.values) == 0 {
		return io.EOF
	}
	dest[0], r.values = r.values[0], r.values[1:]
	return nil
}

// stub is a dialector for a server.
type stub struct {
	gorm.Dialector

	dialect string // "": stub
	server  *server
	before  func() error // of Initialize
	wrap    func(*sql.DB) gorm.ConnPool
}

func (s *stub) Name() string {
	if s.dialect == "" {
		return "stub"
	}
	return s.dialect
}

func (s *stub) Initialize(db *gorm.DB) error {
	if s.before != nil {
		if err := s.before(); err != nil {
			return err
		}
	}
	pool := sql.OpenDB(s.server)
	db.ConnPool = pool
	if s.wrap != nil {
		db.ConnPool = s.wrap(pool)
	}
	return nil
}

// first is a Policy.
type first struct{}

func (first) Resolve(pools []gorm.ConnPool) gorm.ConnPool { return pools[0] }
